"""The desk where incidents are written up, tick by tick: the book, its numbers, its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from vcmon.config.settings import Settings
from vcmon.history.backlog import trimmed
from vcmon.history.book import Book, with_remarks
from vcmon.history.causes import CauseCount
from vcmon.history.closed import Closed
from vcmon.history.facts import Facts
from vcmon.history.incidents import Rules, advance, retire
from vcmon.history.people import Said
from vcmon.model.memory import Incident
from vcmon.model.status import Transition


class Desk:
    """Keeps the book of incidents; on the event loop, without waiting for anything."""

    def __init__(self, maintained: Callable[[str, float], bool], now: float) -> None:
        self._maintained = maintained
        self._book = Book()
        # Until the file tells its last number, ours must be larger than any that it can hold.
        self._number = int(now)
        self._begun = False
        self._rules = Rules(Facts(), maintained=maintained)
        self._known: frozenset[str] = frozenset()
        self.causes = CauseCount()
        self._closed = Closed()

    def load(self, settings: Settings, facts: Facts) -> None:
        """Take other rules or another inventory."""
        wanted = settings.incidents
        self._rules = Rules(facts, wanted.together, wanted.reopen, self._maintained)
        self._known = frozenset(
            {f"endpoint:{endpoint.id}" for endpoint in settings.endpoints}
            | {f"province:{endpoint.province}" for endpoint in settings.endpoints}
        )

    def adopt(self, said: Said, last_number: int) -> None:
        """Go on from what an earlier run left, beside what was begun before the file was open."""
        self.causes.adopt(said.incidents)
        self._closed.changed(said.incidents)
        mine = (*self._book.open.values(), *self._book.recent.values())
        self._book = Book.of((*said.incidents, *mine))
        # What we gave out stays given, even if we have forgotten to what.
        self._number = max(last_number, self._number) if self._begun else last_number

    def heard(self, said: Said) -> None:
        """People said something."""
        self.causes.heard(said.incidents)
        self._closed.heard(said.incidents)
        for incident in said.incidents:
            self._book = with_remarks(self._book, incident.id, incident.remarks)

    def decide(self, events: Sequence[Transition]) -> Iterable[Incident]:
        """Every incident that these changes begin, change or end, whole."""
        page = advance(self._book, events, self._rules, self._next_number)
        self._book = page.book
        self.causes.changed(page.changed)
        self._closed.changed(page.changed)
        return page.changed

    def retire(self, at: float) -> Iterable[Incident]:
        """After a reload: what left the inventory is nobody's outage any more."""
        page = retire(self._book, self._known.__contains__, at)
        self._book = page.book
        self._closed.changed(page.changed)
        return page.changed

    def set_back(self, now: float) -> None:
        """The clock was ahead: nothing in the book has happened later than now."""
        kept = (*self._book.open.values(), *self._book.recent.values())
        self._book = Book.of(trimmed(incident, now) for incident in kept)
        self._closed.set_back(now)

    def open(self) -> tuple[Incident, ...]:
        """The incidents that go on, oldest first."""
        return tuple(sorted(self._book.open.values(), key=lambda each: (each.start, each.id)))

    def closed(self, now: float) -> tuple[Incident, ...]:
        """The incidents that ended within the last day, the latest first."""
        return self._closed.lately(now)

    def _next_number(self) -> int:
        self._number += 1
        self._begun = True
        return self._number
