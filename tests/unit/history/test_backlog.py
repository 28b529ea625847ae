"""What waits to be written: bounded, newest kept, and what was dropped is a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.memory import DOWN, UP, interval
from vcmon.history.backlog import Backlog, Change, End
from vcmon.history.intervals import gap
from vcmon.model.memory import Incident, Interval, Member, Sample
from vcmon.model.path import Route
from vcmon.model.result import Reason
from vcmon.model.status import State

A, B = "province:aceh", "province:bali"
INCIDENT = Incident(1, "endpoint:hub", 10.0, 10.0, None, Reason.TIMEOUT)


class Page:
    """A pen that notes what it is asked to write."""

    def __init__(self) -> None:
        self.lines: list[object] = []

    def trim(self, at: float) -> None:
        self.lines.append(("trim", at))

    def put(self, interval: Interval) -> None:
        self.lines.append(interval)

    def end(self, series: str, at: float) -> None:
        self.lines.append(End(series, at))

    def put_incident(self, incident: Incident) -> None:
        self.lines.append(incident)

    def put_route(self, route: Route) -> None:
        self.lines.append(route)

    def add_samples(self, samples: Iterable[Sample]) -> None:
        self.lines.extend(samples)

    def beat(self, at: float) -> None:
        self.lines.append(("beat", at))


def written(backlog: Backlog) -> list[object]:
    page = Page()
    backlog.write(page)
    return page.lines


def filled(most: int, changes: Iterable[Change]) -> Backlog:
    backlog = Backlog(most)
    for change in changes:
        backlog.change(change)
    return backlog


def test_all_is_written_in_its_order() -> None:
    """The trim first, then changes as they came, incidents as they are now, the heartbeat last."""
    backlog = Backlog()
    backlog.trim(5.0)
    changes: list[Change] = [interval(A, 6, UP), interval(B, 7, DOWN), End(A, 8)]
    for change in changes:
        backlog.change(change)
    backlog.incident(INCIDENT)
    backlog.incident(replace(INCIDENT, stop=20.0))
    backlog.sample([Sample(A, 9, 5)])
    backlog.heartbeat = 9.0
    assert written(backlog) == [
        ("trim", 5.0), *changes, replace(INCIDENT, stop=20.0), Sample(A, 9, 5), ("beat", 9.0),
    ]  # fmt: skip


def test_what_was_dropped_is_a_gap() -> None:
    """Beyond the bound the oldest changes go; from the first of them on nobody knows."""
    changes = [interval(A, at, DOWN if at % 2 else UP) for at in range(10)]
    backlog = filled(3, changes)
    assert backlog.dropped == 7
    assert written(backlog) == [gap(A, 0), *changes[7:]]


def test_the_last_change_of_a_series_is_never_dropped() -> None:
    """However many changes of others come after it, what a series is now gets written."""
    backlog = filled(3, [interval(B, 0, DOWN), *(interval(A, at, UP) for at in range(1, 9))])
    lines = written(backlog)
    assert lines[:2] == [gap(A, 1), interval(B, 0, DOWN)]
    assert backlog.dropped == 5
    backlog.change(interval(B, 20, UP))
    assert written(backlog)[:2] == [gap(A, 1), gap(B, 0)]


def test_figures_go_before_facts() -> None:
    """Packets are dropped first, closed incidents last."""
    backlog = Backlog(2)
    backlog.sample([Sample(A, 1), Sample(A, 2)])
    backlog.change(interval(A, 3, UP))
    backlog.change(interval(A, 4, DOWN))
    assert written(backlog) == [interval(A, 3, UP), interval(A, 4, DOWN)]
    for number in range(5):
        backlog.incident(replace(INCIDENT, id=number))
    assert len(backlog.incidents) == 2
    assert backlog.latest == {}  # what A is waits in a place of its own
    assert interval(A, 4, DOWN) in written(backlog)


def test_a_trim_takes_out_what_waits() -> None:
    """What is stamped after the step waits no longer, and nothing that waits ends after it."""
    backlog = filled(9, [interval(A, 1, UP), interval(A, 7, DOWN), End(B, 8)])
    member = Member(A, 6.0, 9.0)
    backlog.incident(replace(INCIDENT, start=6.0, stop=9.0, members=(member,)))
    backlog.heartbeat = 9.0
    backlog.trim(5.0)
    clipped = replace(INCIDENT, start=5.0, stop=5.0, members=(Member(A, 5.0, 5.0),))
    assert written(backlog) == [("trim", 5.0), interval(A, 1, UP), clipped, ("beat", 5.0)]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(State))), max_size=60),
    st.integers(1, 8),
    st.integers(1, 20),
)
def test_batches_tell_the_same_end(told: list[tuple[str, State]], most: int, size: int) -> None:
    """However changes are cut into batches, each series ends as told, and each drop is counted."""
    changes = [interval(series, at, state) for at, (series, state) in enumerate(told)]
    backlog, rest = Backlog(most), iter(changes)
    batches = 0
    while batch := list(islice(rest, size)):
        newer = filled(most, batch)
        batches += newer.dropped
        backlog.absorb(newer)
    out = list(backlog.in_order())
    for series in {change.series for change in changes}:
        mine = [change for change in out if change.series == series]
        assert mine[-1] == next(c for c in reversed(changes) if c.series == series)
        assert [c.start for c in mine] == sorted(c.start for c in mine)
    facts = [change for change in out if change in changes]
    assert len(changes) - len(facts) <= backlog.dropped + batches
    assert len(backlog.changes) <= most
