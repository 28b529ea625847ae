"""Transitions to intervals, ticks to heartbeats, clocks to gaps; in virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory import (
    DOWN,
    UNKNOWN,
    UP,
    inline,
    interval,
    no_packets,
    spans,
    standing,
    transition,
)
from vcmon.history.backlog import Change, End
from vcmon.history.intervals import Recovered, gap
from vcmon.history.recorder import SAMPLES_A_TICK, UPLINK, Recorder
from vcmon.history.store import Store
from vcmon.model.memory import Incident, Interval, Sample
from vcmon.model.result import Reason
from vcmon.model.status import State, Transition, Uplink

A, B = "province:aceh", "province:bali"


@dataclass
class Sheet:
    """A sink that keeps what it is given."""

    recovered: Recovered | None = None
    changes: list[Change] = field(default_factory=list)
    trims: list[float] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def trim(self, at: float) -> None:
        self.trims.append(at)

    def incident(self, incident: Incident) -> None:
        self.incidents.append(incident)

    def sample(self, samples: Iterable[Sample]) -> None:
        self.samples.extend(samples)

    def beat(self, at: float) -> None:
        self.beats.append(at)


@dataclass
class Desk:
    """A recorder over a sheet, and the clock it looks at."""

    clock: FakeClock = field(default_factory=FakeClock)
    sheet: Sheet = field(default_factory=Sheet)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.sheet, self.clock)
        self.began = self.clock.wall()

    def change(self, series: str, state: State, ago: float = 0.0) -> None:
        now = self.clock.wall()
        self.recorder.transition(transition(series, state, now - ago, now))

    def tick(self, seconds: float = 0.5) -> None:
        self.clock.forward(seconds)
        self.recorder.tick(Uplink(), no_packets)

    def told(self, series: str = A) -> list[tuple[float, State]]:
        """Start, in seconds after the beginning, and state of every change."""
        return [
            (round(change.start - self.began, 3), change.state)
            for change in self.sheet.changes
            if isinstance(change, Interval) and change.series == series
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_transition_is_an_interval(desk: Desk) -> None:
    """It begins when it happened, and is known since we knew; each tick is a heartbeat."""
    desk.tick(50)
    desk.change(A, DOWN, ago=12.0)
    desk.tick()
    (change,) = desk.sheet.changes
    assert isinstance(change, Interval)
    assert (change.start, change.known_at) == (desk.began + 38, desk.began + 50)
    assert (change.state, change.reason, change.stop) == (DOWN, Reason.TIMEOUT, None)
    assert desk.sheet.beats == [desk.began + 50, desk.began + 50.5]


def test_nothing_begins_before_we_looked(desk: Desk) -> None:
    """Backdating ends at our own start: before it nobody looked."""
    desk.tick(5)
    desk.change(A, DOWN, ago=30.0)
    assert desk.told() == [(0.0, DOWN)]


def test_a_change_never_begins_before_the_one_before_it(desk: Desk) -> None:
    """Backdating ends at the beginning of what went on, and in the present."""
    desk.tick(50)
    desk.change(A, UP)
    desk.tick(5)
    desk.change(A, DOWN, ago=20.0)
    desk.change(B, DOWN, ago=-20.0)
    assert desk.told() == [(50, UP), (50, DOWN)]
    assert desk.told(B) == [(55, DOWN)]


def test_a_clock_set_forward_is_a_gap(desk: Desk) -> None:
    """A step of an hour is an hour of gap; then the old state goes on."""
    desk.change(A, UP)
    desk.tick(10)
    desk.clock.step_wall(3600)
    desk.tick(0.5)
    assert desk.told() == [(0, UP), (10.5, UNKNOWN), (3610.5, UP)]
    hole = desk.sheet.changes[1]
    assert isinstance(hole, Interval)
    assert hole.reason is Reason.GAP
    desk.change(A, DOWN, ago=1800)
    assert desk.told()[-1] == (3610.5, DOWN)


def test_a_slewed_clock_is_no_gap(desk: Desk) -> None:
    """NTP's slewing, a little at each tick, leaves no trace."""
    desk.change(A, UP)
    for _ in range(100):
        desk.clock.step_wall(0.3)
        desk.tick()
    assert desk.told() == [(0, UP)]
    assert desk.sheet.trims == []


def test_a_clock_set_back_takes_out_the_future(desk: Desk) -> None:
    """What is stamped after the new now is trimmed; what is now begins now."""
    desk.change(A, UP)
    desk.tick(10)
    desk.change(A, DOWN)
    desk.change(B, UP)
    desk.clock.step_wall(-5)
    desk.tick(0.5)
    assert desk.sheet.trims == [desk.began + 5.5]
    assert desk.told() == [(0, UP), (10, DOWN), (5.5, DOWN)]
    assert desk.told(B) == [(10, UP), (5.5, UP)]


def test_a_suspended_machine_is_a_gap(desk: Desk) -> None:
    """Ten minutes without a tick: nobody looked, from the last tick to this one."""
    desk.change(A, DOWN)
    desk.tick(10)
    desk.tick(600)
    assert desk.told() == [(0, DOWN), (10, UNKNOWN), (610, DOWN)]


def test_a_result_that_comes_before_the_tick_knows_of_the_gap(desk: Desk) -> None:
    """After a suspend the first transition may come before any tick: the gap stands before it."""
    desk.change(A, UP)
    desk.tick(10)
    desk.clock.forward(600)
    desk.change(A, DOWN, ago=300)
    assert desk.told() == [(0, UP), (10, UNKNOWN), (610, UP), (610, DOWN)]


def test_what_is_unknown_stays_so_over_a_gap(desk: Desk) -> None:
    """An unknown state is not cut in pieces by more of not knowing."""
    desk.change(A, UNKNOWN)
    desk.tick(600)
    assert desk.told() == [(0, UNKNOWN)]


def test_a_restart_goes_on_from_the_gap(desk: Desk) -> None:
    """What is still watched goes on unknown; what is not ends where it was last seen."""
    left = Recovered({A: gap(A, 50.0), B: gap(B, 60.0)}, {A: 10.0, B: 20.0})
    assert desk.recorder.adopt(left, {A}) == {A: 10.0}
    assert desk.sheet.changes == [End(B, 60.0)]
    assert desk.recorder.current() == {A: gap(A, 50.0)}


def test_a_file_that_is_opened_late_does_not_overrule(desk: Desk) -> None:
    """What was found since our start is better than what an old file says."""
    desk.change(A, UP)
    desk.recorder.adopt(Recovered({A: gap(A, 50.0)}), {A})
    assert desk.recorder.current()[A].state is UP


def test_a_reload_ends_what_left(desk: Desk) -> None:
    """After a reload what is gone ends now, and what began anew is what it is said to be."""
    desk.change(A, UP)
    desk.change(B, UP)
    desk.tick(10)
    desk.recorder.reconcile({B: standing(UNKNOWN)})
    assert desk.sheet.changes[-2:] == [
        End(A, desk.began + 10),
        replace(interval(B, desk.began + 10, UNKNOWN)),
    ]
    desk.recorder.reconcile({B: standing(UNKNOWN), A: standing(UNKNOWN)})
    assert len(desk.sheet.changes) == 4


def test_our_own_uplink_is_a_series(desk: Desk) -> None:
    """Blindness is remembered since it began, as the outage of our own side."""
    for uplink in (Uplink(), Uplink(up=True), Uplink(up=True)):
        desk.clock.forward(10)
        desk.recorder.tick(uplink, no_packets)
    desk.clock.forward(10)
    since = desk.clock.wall() - 4
    desk.recorder.tick(Uplink(up=False, blind=True, since=since), no_packets)
    assert desk.told(UPLINK) == [(20, UP), (36, DOWN)]


def test_incidents_are_decided_once_a_tick(desk: Desk) -> None:
    """All transitions of a tick are decided on together; open ones follow a clock set back."""
    heard: list[list[str]] = []

    def decide(changes: Sequence[Transition]) -> list[Incident]:
        heard.append([each.subject for each in changes])
        return [Incident(1, "endpoint:hub", changes[0].at, changes[0].at, None, Reason.TIMEOUT)]

    desk.recorder.decide = decide
    desk.change(A, DOWN)
    desk.change(B, DOWN)
    desk.tick()
    desk.tick()
    assert heard == [[A, B]]
    assert len(desk.sheet.incidents) == 1
    desk.clock.step_wall(-100)
    desk.tick()
    assert desk.sheet.incidents[-1].start == desk.clock.wall()


def test_packets_are_taken_every_five_minutes_a_few_hundred_a_tick(desk: Desk) -> None:
    """A round begins with each five minutes and is spread over as many ticks as it takes."""
    rounds = 0

    def packets() -> Iterator[Sample]:
        nonlocal rounds
        rounds += 1
        for number in range(1200):
            yield Sample(f"endpoint:e{number}", desk.clock.wall(), 5)

    def tick(seconds: float) -> int:
        desk.clock.forward(seconds)
        desk.recorder.tick(Uplink(), packets)
        taken = len(desk.sheet.samples)
        desk.sheet.samples.clear()
        return taken

    until_the_edge = 300 - desk.began % 300
    assert tick(until_the_edge - 1) == 0
    assert [tick(1.5), tick(0.5), tick(0.5), tick(0.5)] == [SAMPLES_A_TICK, SAMPLES_A_TICK, 200, 0]
    assert rounds == 1
    desk.recorder.last_words(packets)
    assert len(desk.sheet.samples) == 1200


def test_the_file_tells_the_same(tmp_path: Path) -> None:
    """Over a real file and a restart: state, gap, state; nothing reaches back over the gap."""
    clock = FakeClock()
    path = tmp_path / "m.db"
    recorder, sink = inline(path, clock)
    began = clock.wall()
    recorder.transition(transition(A, UP, began))
    clock.forward(10)
    recorder.transition(transition(A, DOWN, began + 5))
    recorder.tick(Uplink(), no_packets)
    sink.scribe.close()
    clock.forward(100)
    recorder, sink = inline(path, clock)
    clock.forward(4)
    recorder.transition(transition(A, DOWN, began + 5, clock.wall()))
    recorder.tick(Uplink(), no_packets)
    sink.scribe.close()
    store = Store.open(path)
    assert [(s - began, e and e - began, state) for s, e, state in spans(store, A)] == [
        (0, 5, UP), (5, 10, DOWN), (10, 110, UNKNOWN), (110, None, DOWN),
    ]  # fmt: skip
    store.close()
