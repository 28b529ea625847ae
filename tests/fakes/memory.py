"""A recorder over a real writer and file, fed by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.clock import FakeClock
from vcmon.clock import Clock, SystemClock
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Inline, Writer
from vcmon.model.figures import HistoryFigures
from vcmon.model.memory import Interval, Sample
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State, Transition, Uplink

REASONS = {
    State.UP: (Reason.OK, Blame.NONE),
    State.DEGRADED: (Reason.LOSS, Blame.PATH),
    State.DOWN: (Reason.TIMEOUT, Blame.PATH),
    State.UNREACHABLE: (Reason.PARENT, Blame.PATH),
    State.UNKNOWN: (Reason.STALE, Blame.LOCAL),
}
UP, DEGRADED, DOWN, UNREACHABLE, UNKNOWN = State


def standing(state: State) -> Standing:
    """A standing in the state with its usual reason."""
    reason, blame = REASONS[state]
    return Standing(state, reason, blame)


def interval(series: str, start: float, state: State, stop: float | None = None) -> Interval:
    """An interval of the state with its usual reason, known at once."""
    reason, blame = REASONS[state]
    return Interval(series, start, stop, state, reason, blame, known_at=start)


def transition(series: str, state: State, at: float, noticed: float | None = None) -> Transition:
    """A change into the state (out of whatever was)."""
    known = at if noticed is None else noticed
    return Transition(series, standing(UNKNOWN), standing(state), at, known)


def spans(store: Store, series: str) -> list[tuple[float, float | None, State]]:
    """All that is remembered of a series: start, stop, state."""
    return [(i.start, i.stop, i.state) for i in store.intervals(series, 0, 1e11)]


def no_packets() -> Iterator[Sample]:
    return iter(())


@dataclass
class Country:
    """A recorder whose calls are timed: probing waits for none of them."""

    recorder: Recorder
    clock: Clock
    figures: Callable[[], HistoryFigures]
    slowest: float = 0.0  # seconds of the longest tick
    ticks: int = 0
    live: dict[str, State] = field(default_factory=dict)

    def change(self, series: str, state: State) -> None:
        self.live[series] = state
        self.recorder.transition(transition(series, state, self.clock.wall()))

    def tick(self) -> None:
        begun = time.perf_counter()
        self.recorder.tick(Uplink(), no_packets)
        self.slowest = max(self.slowest, time.perf_counter() - begun)
        self.ticks += 1

    def until(self, wanted: Callable[[HistoryFigures], bool], seconds: float = 10.0) -> None:
        """Tick until the figures are as wanted."""
        end = time.monotonic() + seconds
        while not wanted(self.figures()):
            assert time.monotonic() < end, self.figures()
            self.tick()
            time.sleep(0.005)

    def flap(self, rounds: int, series: int = 5) -> None:
        """So many rounds of changes of so many series, a tick after each."""
        for number in range(rounds):
            for place in range(series):
                state = DOWN if (number + place) % 2 else State.UP
                self.change(f"endpoint:e{place}", state)
            self.tick()
            time.sleep(0.002)


@contextmanager
def threaded(rules: Rules) -> Iterator[Country]:
    """A recorder over a writer with its thread, on the real clock."""
    clock = SystemClock()
    writer = Writer(rules, clock)
    writer.start()
    try:
        yield Country(Recorder(writer, clock), clock, writer.figures)
    finally:
        assert writer.stop(15.0)


def inline(path: Path, clock: FakeClock, **more: object) -> tuple[Recorder, Inline]:
    """A recorder in virtual time, gone on from what the file told."""
    rules = Rules(path, reserve=4096, **more)  # type: ignore[arg-type]  # passed on as they are
    sink = Inline(rules, clock)
    recorder = Recorder(sink, clock)
    if sink.recovered is not None:
        recorder.adopt(sink.recovered, sink.recovered.current.keys())
    return recorder, sink


def agrees(path: Path, live: dict[str, State]) -> bool:
    """Whether what goes on in the file is what is."""
    store = Store.open(path, write=False)
    found = {series: each.state for series, each in store.open_intervals().items()}
    store.close()
    return {series: found.get(series) for series in live} == live
