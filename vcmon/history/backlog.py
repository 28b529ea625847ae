"""What waits to be written: bounded, newest kept, and honest about what it had to drop; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from vcmon.history.intervals import gap
from vcmon.model.memory import Incident, Interval, Member, Sample
from vcmon.model.path import Route

MOST = 50_000
"""Facts that may wait: each of 10,000 endpoints changes five times, or a day in which each of 114
series flaps every five minutes; some 15 MB."""


ROUTES_MAX = 500
"""Ways that may wait beside them, 2 kB each: forty minutes of as many traces as are made."""


class End(NamedTuple):
    """The series is not watched any more."""

    series: str
    start: float


Change = Interval | End


class Pen(Protocol):
    """What a backlog is written with: the Store."""

    def trim(self, at: float) -> None: ...
    def put(self, interval: Interval) -> None: ...
    def end(self, series: str, at: float) -> None: ...
    def put_incident(self, incident: Incident) -> None: ...
    def put_route(self, route: Route) -> None: ...
    def add_samples(self, samples: Iterable[Sample]) -> None: ...
    def beat(self, at: float) -> None: ...


@dataclass(slots=True)
class Backlog:
    """Facts in their order. Where changes were dropped, nobody will know: that is a gap.

    The last change of each series is never dropped: what is written in the end is what is.
    """

    most: int = MOST
    trim_to: float | None = None  # before all else: take out what is stamped later
    holes: dict[str, float] = field(default_factory=dict)  # since when changes are missing
    kept: dict[str, Change] = field(default_factory=dict)  # last ones, older than ``changes``
    changes: deque[Change] = field(default_factory=deque)
    latest: dict[str, Change] = field(default_factory=dict)  # of each series in ``changes``
    incidents: dict[int, Incident] = field(default_factory=dict)
    samples: deque[Sample] = field(default_factory=deque)
    routes: deque[Route] = field(default_factory=deque)
    heartbeat: float | None = None
    dropped: int = 0

    def __len__(self) -> int:
        facts = len(self.kept) + len(self.changes) + len(self.incidents)
        return facts + len(self.samples) + len(self.routes)

    # ---- facts in

    def change(self, change: Change) -> None:
        """The series is this from its start on, or not watched any more."""
        older = self.kept.pop(change.series, None)
        if older is not None:
            self._drop(older)
        self.changes.append(change)
        self.latest[change.series] = change
        self._shrink()

    def incident(self, incident: Incident) -> None:
        """The incident is like this now."""
        self.incidents.pop(incident.id, None)
        self.incidents[incident.id] = incident
        self._shrink()

    def sample(self, samples: Iterable[Sample]) -> None:
        """Packets were measured."""
        self.samples.extend(samples)
        self._shrink()

    def route(self, route: Route) -> None:
        """An endpoint's way was traced."""
        self.routes.append(route)
        if len(self.routes) > ROUTES_MAX:
            self.routes.popleft()
            self.dropped += 1
        self._shrink()

    def trim(self, at: float) -> None:
        """The clock was set back: nothing that is stamped later than ``at`` has happened."""
        self.trim_to = at if self.trim_to is None else min(self.trim_to, at)
        self.holes = {series: min(since, at) for series, since in self.holes.items()}
        self.kept = {s: change for s, change in self.kept.items() if change.start <= at}
        self.changes = deque(change for change in self.changes if change.start <= at)
        self.latest = {change.series: change for change in self.changes}
        self.incidents = {id_: trimmed(each, at) for id_, each in self.incidents.items()}
        self.samples = deque(sample for sample in self.samples if sample.at < at)
        self.routes = deque(route for route in self.routes if route.at <= at)
        if self.heartbeat is not None:
            self.heartbeat = min(self.heartbeat, at)

    def absorb(self, newer: Backlog) -> None:
        """Take in what happened after all this (what it had dropped is counted where it was)."""
        if newer.trim_to is not None:
            self.trim(newer.trim_to)
        for series, since in newer.holes.items():
            self.change(gap(series, since))
        for change in (*newer.kept.values(), *newer.changes):
            self.change(change)
        for incident in newer.incidents.values():
            self.incident(incident)
        self.sample(newer.samples)
        for route in newer.routes:
            self.route(route)
        if newer.heartbeat is not None:
            self.heartbeat = newer.heartbeat

    def _shrink(self) -> None:
        while len(self) > self.most + len(self.kept):
            if self.samples:
                # figures before facts
                self.samples.popleft()
                self.dropped += 1
            elif self.routes:
                self.routes.popleft()
                self.dropped += 1
            elif self.changes:
                oldest = self.changes.popleft()
                if self.latest[oldest.series] is oldest:
                    del self.latest[oldest.series]
                    self.kept[oldest.series] = oldest
                else:
                    self._drop(oldest)
            else:
                del self.incidents[next(iter(self.incidents))]
                self.dropped += 1

    def _drop(self, change: Change) -> None:
        self.holes.setdefault(change.series, change.start)
        self.dropped += 1

    # ---- facts out

    def in_order(self) -> Iterator[Change]:
        """All changes as they are to be written, with a gap for those that are missing."""
        for series, since in self.holes.items():
            yield gap(series, since)
        yield from self.kept.values()
        yield from self.changes

    def single(self) -> Iterator[Backlog]:
        """The same, fact by fact, in the same order."""
        yield Backlog(trim_to=self.trim_to)
        for change in self.in_order():
            yield Backlog(changes=deque([change]))
        for incident in self.incidents.values():
            yield Backlog(incidents={incident.id: incident})
        for sample in self.samples:
            yield Backlog(samples=deque([sample]))
        for route in self.routes:
            yield Backlog(routes=deque([route]))
        yield Backlog(heartbeat=self.heartbeat)

    def write(self, pen: Pen) -> None:
        """Write everything; to be done within one transaction."""
        if self.trim_to is not None:
            pen.trim(self.trim_to)
        for change in self.in_order():
            if isinstance(change, End):
                pen.end(change.series, change.start)
            else:
                pen.put(change)
        for incident in self.incidents.values():
            pen.put_incident(incident)
        if self.samples:
            pen.add_samples(self.samples)
        for route in self.routes:
            pen.put_route(route)
        if self.heartbeat is not None:
            pen.beat(self.heartbeat)


def trimmed(incident: Incident, at: float) -> Incident:
    """The incident without what is stamped after ``at``."""

    def stop(ends: float | None) -> float | None:
        return None if ends is None else min(ends, at)

    return replace(
        incident,
        start=min(incident.start, at),
        stop=stop(incident.stop),
        members=tuple(Member(m.subject, min(m.start, at), stop(m.stop)) for m in incident.members),
    )
