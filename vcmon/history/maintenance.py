"""Which maintenance takes place when, and what lies under it; pure.

A subject is under a window when the window names it, its province, its island group or its
provider; when every way to it leads over something that is; and, a province, when all its
conference endpoints are. The island group's windows don't cover the Centre: everything would be
behind it. Spans are half open, ``(from, to)`` in wall seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice

from vcmon.config.recurrence import planned_starts
from vcmon.history.facts import CENTRE, EndpointFact, Facts
from vcmon.model.memory import Maintenance, Occasion

Span = tuple[float, float]
Spans = tuple[Span, ...]

OCCASIONS = 1_000
"""Of one window in one question: a daily one over nearly three years. A report asks for a month."""

DAY = 86_400.0

FOREVER = 4e9
"""Wall seconds, in 2096: no window begins after it."""


def occasions(windows: Iterable[Maintenance], low: float, high: float) -> tuple[Occasion, ...]:
    """Every time that one of the windows takes place within ``[low, high)``, in order, whole."""
    found = (each for window in windows for each in islice(_of(window, low, high), OCCASIONS))
    return tuple(sorted(found, key=lambda each: (each.start, each.stop, each.maintenance.id)))


def following(window: Maintenance, now: float) -> Occasion | None:
    """The occasion that is on, else the next one; None for a window that is over."""
    return next(_of(window, now, FOREVER), None)


def _of(window: Maintenance, low: float, high: float) -> Iterator[Occasion]:
    limit = float("inf") if window.ended_at is None else window.ended_at
    for start in planned_starts(window, low - window.seconds, min(high, limit)):
        stop = min(start + window.seconds, limit)
        if stop > low and stop > start:
            yield Occasion(window, start, stop)


def active(those: Iterable[Occasion], at: float) -> tuple[Occasion, ...]:
    """The occasions that are on at ``at``."""
    return tuple(each for each in those if each.start <= at < each.stop)


def upcoming(those: Iterable[Occasion], at: float, days: float = 7) -> tuple[Occasion, ...]:
    """The occasions that begin after ``at``, within so many days."""
    return tuple(each for each in those if at < each.start <= at + days * DAY)


def overlap(
    subject: str, windows: Iterable[Maintenance], facts: Facts, low: float, high: float
) -> Spans:
    """When within ``[low, high)`` the series was under maintenance: in order, merged, clipped."""
    spans = Cover(occasions(windows, low, high), facts).spans(subject)
    return intersect(spans, ((low, high),)) if high > low else ()


def under(those: Iterable[Occasion], facts: Facts) -> frozenset[str]:
    """Every series that is under maintenance while exactly these occasions are on."""
    # All of them at one moment: that moment is as good as any other.
    now = [Occasion(each.maintenance, 0.0, 1.0) for each in those]
    if not now:
        return frozenset()
    cover = Cover(now, facts)
    names = [f"endpoint:{name}" for name in facts.endpoints]
    names += [f"province:{slug}" for slug in facts.provinces]
    return frozenset(name for name in names if cover.spans(name))


class Cover:
    """The spans of every series under the same occasions, each worked out once."""

    def __init__(self, those: Iterable[Occasion], facts: Facts) -> None:
        self._facts = facts
        self._known: dict[str, Spans] = {}
        by_scope: dict[str, list[Span]] = {}
        for each in those:
            by_scope.setdefault(each.maintenance.scope, []).append((each.start, each.stop))
        self._scopes: Mapping[str, Spans] = {s: merge(spans) for s, spans in by_scope.items()}

    def spans(self, subject: str) -> Spans:
        """When the series is under maintenance; never, for an endpoint that the inventory lacks."""
        if subject not in self._known:
            kind, _, name = subject.partition(":")
            if kind == "endpoint" and name in self._facts.endpoints:
                found = self._endpoint(name, self._facts.endpoints[name])
            elif kind == "province":
                found = self._province(name)
            else:
                found = ()
            self._known[subject] = found
        return self._known[subject]

    def _named(self, scopes: Iterable[str]) -> Spans:
        return merge([span for scope in scopes for span in self._scopes.get(scope, ())])

    def _place(self, slug: str) -> tuple[str, ...]:
        island = () if slug == CENTRE else (f"island:{self._facts.islands.get(slug, '')}",)
        return (f"province:{slug}", *island)

    def _endpoint(self, name: str, fact: EndpointFact) -> Spans:
        scopes = (f"endpoint:{name}", f"provider:{fact.provider}", *self._place(fact.province))
        ways = [self.spans(f"endpoint:{parent}") for parent in fact.parents]
        return merge([*self._named(scopes), *_all_of(ways)])

    def _province(self, slug: str) -> Spans:
        facts = self._facts
        names = facts.members.get(slug, ())  # none: it left the inventory, and has a past
        deciding = [name for name in names if facts.endpoints[name].conference] or names
        parts = [self.spans(f"endpoint:{name}") for name in deciding]
        return merge([*self._named(self._place(slug)), *_all_of(parts)])


def _all_of(parts: Sequence[Spans]) -> Spans:
    return reduce(intersect, parts) if parts else ()


def merge(spans: Iterable[Span]) -> Spans:
    """The same time, in order, without overlaps; what touches is one."""
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if stop <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], stop)
        else:
            merged.append((start, stop))
    return tuple(merged)


def intersect(one: Spans, other: Spans) -> Spans:
    """The time that is in both; both merged."""
    found: list[Span] = []
    mine, theirs = 0, 0
    while mine < len(one) and theirs < len(other):
        start = max(one[mine][0], other[theirs][0])
        stop = min(one[mine][1], other[theirs][1])
        if start < stop:
            found.append((start, stop))
        if one[mine][1] < other[theirs][1]:
            mine += 1
        else:
            theirs += 1
    return tuple(found)


class Agenda:
    """What is planned, kept ready for every tick: a look at it costs microseconds.

    ``BACK`` covers the onsets that are backdated, ``AHEAD`` what the page announces.
    """

    BACK, AHEAD, RENEW = 1 * DAY, 8 * DAY, 600.0

    def __init__(self) -> None:
        self._windows: tuple[Maintenance, ...] = ()
        self._facts = Facts()
        self._occasions: tuple[Occasion, ...] = ()
        self._cover = Cover((), self._facts)
        self._made_at: float | None = None
        self._active: tuple[Occasion, ...] = ()
        self._under: frozenset[str] = frozenset()
        self._quiet: Span = (0.0, 0.0)  # nothing begins or ends within it

    def load(self, windows: Iterable[Maintenance], facts: Facts) -> None:
        """Take other windows or another inventory; both are read at the next look."""
        self._windows, self._facts, self._made_at = tuple(windows), facts, None
        self._active, self._under = (), frozenset()

    def look(self, now: float) -> frozenset[str]:
        """Every series under maintenance now; the same object while that does not change."""
        if self._made_at is not None and self._quiet[0] <= now < self._quiet[1]:
            return self._under
        if self._made_at is None or not 0 <= now - self._made_at < self.RENEW:
            self._occasions = occasions(self._windows, now - self.BACK, now + self.AHEAD)
            self._cover = Cover(self._occasions, self._facts)
            self._made_at = now
        on = active(self._occasions, now)
        if on != self._active:
            self._active, self._under = on, under(on, self._facts)
        edges = (edge for each in self._occasions for edge in (each.start, each.stop))
        next_edge = min((edge for edge in edges if edge > now), default=float("inf"))
        self._quiet = now, min(next_edge, self._made_at + self.RENEW)
        return self._under

    def planned(self, now: float) -> tuple[Occasion, ...]:
        """What is on, then what begins within seven days, as of the last look."""
        return (*active(self._occasions, now), *upcoming(self._occasions, now))

    def within(self, subjects: Iterable[str], low: float, high: float) -> frozenset[str]:
        """Which of the series are under maintenance at some time within ``[low, high)``, as far
        ahead as was looked last.
        """
        spans = {name: self._cover.spans(name) for name in subjects}
        return frozenset(
            n for n, those in spans.items() if any(a < high and b > low for a, b in those)
        )

    def maintained(self, subject: str, at: float) -> bool:
        """Whether the series was under maintenance at ``at``, within the last day."""
        return any(start <= at < stop for start, stop in self._cover.spans(subject))
