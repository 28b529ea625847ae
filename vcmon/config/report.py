"""Where all that is wrong is gathered, so that one reading tells everything."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

from vcmon.config.text import printable
from vcmon.errors import ConfigError, Problem


class Place(NamedTuple):
    """Where something stands: ``line`` 0 and ``key`` "" where there is none."""

    file: str
    line: int = 0
    key: str = ""


class Report:
    """Every problem found so far, in the order of finding."""

    # difflib costs milliseconds a word: a file with more unknown words than this is not misspelt
    # but of another kind, and must still be refused in a second.
    SUGGESTIONS = 50
    KNOWN = 2_000  # among more words than this none is looked up, for the same reason

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._suggestions = self.SUGGESTIONS

    def add(self, place: Place, what: str) -> None:
        """Note one problem."""
        self.problems.append(
            Problem(printable(place.file), place.line, printable(place.key), printable(what))
        )

    def nearest(self, word: str, known: Collection[str]) -> str:
        """``; did you mean 'x'?`` for a known word close to this one, or nothing."""
        if self._suggestions <= 0 or len(known) > self.KNOWN or len(word) > 100:
            return ""
        self._suggestions -= 1
        close = get_close_matches(word.casefold(), list(known), n=1, cutoff=0.6)
        return f"; did you mean '{close[0]}'?" if close else ""

    def raise_any(self) -> None:
        """Raise ConfigError with all problems, by file in the order met, then by line."""
        if not self.problems:
            return
        order: dict[str, int] = {}
        for problem in self.problems:
            order.setdefault(problem.file, len(order))
        unique = dict.fromkeys(self.problems)
        raise ConfigError(sorted(unique, key=lambda p: (order[p.file], p.line)))
