"""A small memory in RAM, with the promises of the real one: intervals, incidents, gaps.

Whatever replaces it needs ``take``, ``tick``, ``restart``, ``home`` and ``intervals``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from vcmon.history.book import Book
from vcmon.history.incidents import Rules, advance
from vcmon.model.memory import Incident, Interval
from vcmon.model.result import Reason
from vcmon.model.status import Standing, State, Transition

STEP = 2.0
"""Seconds by which the wall clock may drift from the monotonic one between two ticks."""


@dataclass
class Ledger:
    """Turns changes into intervals and incidents."""

    rules: Rules
    closed: dict[str, list[Interval]] = field(default_factory=dict)
    open: dict[str, Interval] = field(default_factory=dict)
    told: dict[int, Incident] = field(default_factory=dict)
    book: Book = field(default_factory=Book)
    heartbeat: tuple[float, float] | None = None  # (wall, monotonic) of the last tick
    pending: list[Transition] = field(default_factory=list)
    numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def take(self, event: Transition) -> None:
        """One change, as the board announces it."""
        self.pending.append(event)
        before = self.open.get(event.subject)
        at = event.at if before is None else max(event.at, before.start)
        self._close(event.subject, at)
        self.open[event.subject] = self._interval(event.subject, at, event.new)

    @staticmethod
    def _interval(series: str, at: float, new: Standing) -> Interval:
        return Interval(
            series, at, None, new.state, new.reason, new.blame, new.parent, new.known_at
        )

    def _close(self, series: str, at: float) -> None:
        before = self.open.pop(series, None)
        if before is not None and at > before.start:
            self.closed.setdefault(series, []).append(replace(before, stop=at))

    def tick(self, wall: float, monotonic: float) -> None:
        """The heartbeat: incidents are written, and a step of the wall clock is noticed."""
        self._flush()
        if self.heartbeat is not None:
            expected = self.heartbeat[0] + monotonic - self.heartbeat[1]
            if wall - expected > STEP:
                self._gap(expected, wall)
            elif wall - expected < -STEP:
                self._trim(wall)
        self.heartbeat = wall, monotonic

    def _flush(self) -> None:
        if self.pending:
            page = advance(self.book, self.pending, self.rules, self.numbers)
            self.book = page.book
            self.told.update({incident.id: incident for incident in page.changed})
            self.pending.clear()

    def _gap(self, start: float, stop: float) -> None:
        """Nobody looked in between; what was, goes on after it."""
        for series, current in list(self.open.items()):
            self._unknown(series, start)
            self._close(series, stop)
            self.open[series] = replace(current, start=stop)

    def _trim(self, now: float) -> None:
        """What was stamped in the future did not happen yet; what is, goes on from now."""
        for series, current in list(self.open.items()):
            known = [each for each in self.closed.get(series, []) if each.start < now]
            self.closed[series] = [replace(each, stop=min(each.stop or now, now)) for each in known]
            if current.start < now:
                self.closed[series].append(replace(current, stop=now))
            self.open[series] = replace(current, start=now)

    def _unknown(self, series: str, at: float) -> None:
        self._close(series, at)
        self.open[series] = Interval(series, at, None, State.UNKNOWN, Reason.NO_DATA, known_at=at)

    def restart(self) -> None:
        """The process died after the last heartbeat, and begins anew from what was written."""
        self._flush()
        if self.heartbeat is None:
            return
        for series in list(self.open):
            self._unknown(series, self.heartbeat[0])
        self.heartbeat = None
        self.book = Book.of(self.told.values())

    def home(self, subject: str) -> Incident | None:
        """The open incident that the subject is a member of."""
        self._flush()
        incident = self.book.where.get(subject)
        return None if incident is None else self.book.open[incident]

    def intervals(self, series: str, until: float) -> list[Interval]:
        """All of one series, in order, the open one cut at ``until``."""
        current = self.open.get(series)
        last = [replace(current, stop=until)] if current and current.start < until else []
        return [*self.closed.get(series, []), *last]
