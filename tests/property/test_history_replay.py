"""T23: whatever happens, what is remembered is what was: replay of the history = live state."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from tests.fakes.results import result as made
from vcmon.config.settings import Settings
from vcmon.history import upkeep
from vcmon.history.recorder import UPLINK, Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Inline
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.memory import Interval
from vcmon.model.result import Outcome, Reason
from vcmon.model.status import State
from vcmon.state.board import Board

pytestmark = pytest.mark.catalogue("T23")

HUB = endpoint("hub", "icmp", province="pusat", role=Role.ROUTER)
FULL = inventory(
    HUB,
    endpoint("a", "icmp sip", province="aceh", depends_on=("hub",)),
    endpoint("b", "sip tcp", province="aceh", role=Role.ROOM),
    *(endpoint(f"c{n}", "sip", province=f"c{n}", depends_on=("hub",)) for n in range(3)),
)
SMALL = inventory(HUB, endpoint("a", "icmp sip", province="aceh"))
CHECKS = sorted({c.id for e in FULL.endpoints for c in e.checks})


class HistoryMachine(RuleBasedStateMachine):
    """Any results, reloads, clock steps, suspends, kills and clean ends."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vcmon-test-"))
        self.clock = FakeClock()
        self.loaded: Settings = FULL
        self.scribe_open = False
        self.start()

    def teardown(self) -> None:
        self.sink.scribe.close()
        shutil.rmtree(self.directory)

    def start(self) -> None:
        """A new process on the same file."""
        rules = Rules(self.directory / "m.db", most=40, reserve=4096)
        self.sink = Inline(rules, self.clock)
        self.recorder = Recorder(self.sink, self.clock)
        self.board = Board(self.loaded, self.clock, self.recorder.transition)
        assert self.sink.recovered is not None
        watched = self.board.standings().keys()
        self.board.remember(self.recorder.adopt(self.sink.recovered, watched))
        self.began = self.clock.wall()
        self.tick()

    def tick(self) -> None:
        self.board.tick()
        self.recorder.tick(self.board.snapshot().uplink, self.board.packets)

    @rule(
        check=st.sampled_from(CHECKS),
        outcome=st.sampled_from([Outcome.UP, Outcome.DOWN, Outcome.DOWN]),
        wait=st.floats(0, 4),
        times=st.integers(1, 4),
    )
    def results(self, check: CheckId, outcome: Outcome, wait: float, times: int) -> None:
        for _ in range(times):
            started, at = self.clock.monotonic(), self.clock.wall()
            self.clock.forward(wait)
            reason = Reason.REFUSED if outcome is Outcome.DOWN else None
            self.board.record(made(outcome, started, reason, check=check)._replace(at=at), 4)
        self.tick()

    @rule(seconds=st.floats(0, 400))
    def time_passes(self, seconds: float) -> None:
        for _ in range(4):
            self.clock.forward(seconds / 4)
            self.tick()

    @rule(seconds=st.sampled_from([-86_400.0, -3.0, -1.0, 1.0, 3.0, 3600.0, 86_400.0]))
    def wall_steps(self, seconds: float) -> None:
        self.clock.step_wall(seconds)
        self.tick()

    @rule(seconds=st.floats(30, 3600))
    def frozen(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.tick()

    @rule(which=st.sampled_from([FULL, SMALL]))
    def reload(self, which: Settings) -> None:
        self.loaded = which
        self.board.load(which)
        self.recorder.reconcile(self.board.standings())
        self.tick()

    @rule(seconds=st.floats(0, 900), step=st.sampled_from([0.0, 0.0, -600.0, 600.0]))
    def killed_and_started(self, seconds: float, step: float) -> None:
        self.sink.scribe.close()
        self.clock.forward(seconds)
        self.clock.step_wall(step)
        self.start()

    def store(self) -> Store:
        return Store.open(self.directory / "m.db", write=False)

    @invariant()
    def what_goes_on_is_what_is(self) -> None:
        store = self.store()
        live, found = self.board.standings(), store.open_intervals()
        store.close()
        assert found.keys() <= live.keys() | {UPLINK}
        for series, standing in live.items():
            state = found[series].state if series in found else State.UNKNOWN
            assert state is standing.state, series
        assert {s: i.state for s, i in found.items()} == {
            s: i.state for s, i in self.recorder.current().items()
        }

    @invariant()
    def the_file_is_whole(self) -> None:
        store = self.store()
        try:
            assert upkeep.overlaps(store) == []
            assert store.heartbeat() == pytest.approx(self.clock.wall(), abs=0.001)
            for series in store.series():
                self._is_whole(store.intervals(series, 0, 1e11))
            keep, now = upkeep.Keep(), self.clock.wall()
            assert list(upkeep.disagreements(store, now, keep, lambda *_: None)) == []
        finally:
            store.close()

    def _is_whole(self, intervals: list[Interval]) -> None:
        now = self.clock.wall() + 0.001
        for one, following in pairwise(intervals):
            assert one.stop is not None
            assert one.stop <= following.start
            same = (one.state, one.reason, one.blame, one.parent)
            if one.stop == following.start:
                assert same != (
                    following.state, following.reason, following.blame, following.parent
                )  # fmt: skip
        for interval in intervals:
            assert interval.start <= now
            assert interval.stop is None or interval.start < interval.stop <= now
            if interval.reason is not Reason.GAP and interval.stop is None:
                assert interval.known_at <= now

    @invariant()
    def nothing_is_lost(self) -> None:
        figures = self.sink.figures()
        assert figures.up
        assert (figures.dropped, figures.waiting, figures.begun_anew) == (0, 0, 0)


HistoryMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestHistory = HistoryMachine.TestCase
