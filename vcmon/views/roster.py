"""A file of tokens or of users: read in a thread, and again when it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from vcmon.config.tokens import Token
from vcmon.views.crew import Crew

LOOK_AGAIN = 1.0
"""Seconds between two looks at the file for what may be that old: 10,000 heartbeats come in a
minute."""

Stamp = tuple[str, int, int, int]


def file_stamp(path: str) -> Stamp:
    """What changes when the file does; zeros while there is none."""
    try:
        it = Path(path).stat()
    except OSError:
        return path, 0, 0, 0
    return path, it.st_ctime_ns, it.st_size, it.st_ino  # of ctime: its mode counts, too


class Roster:
    """Who is in the file, by name; ``parse`` reads it, raising TokensError."""

    def __init__(
        self,
        crew: Crew,
        monotonic: Callable[[], float],
        parse: Callable[[Path], Mapping[str, Token]],
    ) -> None:
        self._crew = crew
        self._monotonic = monotonic
        self._parse = parse
        self._held: tuple[Stamp, Mapping[str, Token]] = (("", 0, 0, 0), {})
        self._looking = asyncio.Lock()
        self._looked = float("-inf")  # monotonic

    async def recent(self, path: str) -> Mapping[str, Token]:
        """The file as it was a second ago at the most. Raises TokensError and Refusal."""
        async with self._looking:
            if self._held[0][0] != path or self._monotonic() - self._looked > LOOK_AGAIN:
                await self._crew.do(partial(self.read, path))
                self._looked = self._monotonic()
            return self._held[1]

    def read(self, path: str) -> tuple[Stamp, Mapping[str, Token]]:
        """The file as it is, and its stamp; for a thread. Raises TokensError."""
        held = self._held
        if held[0] != (now := file_stamp(path)):
            # Read after the stamp was taken: what changes in between is seen the next time.
            held = self._held = now, self._parse(Path(path))
        return held
