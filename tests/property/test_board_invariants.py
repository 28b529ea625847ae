"""T23: whatever comes in, in whatever order, what is believed stays whole."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from vcmon.config.settings import Settings
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.result import Blame, Echo, Outcome, Reason, Result
from vcmon.model.status import Standing, State, Transition
from vcmon.state.board import Board
from vcmon.state.canaries import canary_checks

pytestmark = pytest.mark.catalogue("T23")

CANARIES = ("192.0.2.250",)
HUB = endpoint("hub", "icmp", province="pusat", role=Role.ROUTER)
FULL = inventory(
    HUB,
    endpoint("a", "icmp sip", province="aceh", depends_on=("hub",)),
    endpoint("b", "sip tcp", province="aceh", role=Role.ROOM),
    *(endpoint(f"c{n}", "sip", province=f"c{n}", depends_on=("hub",)) for n in range(5)),
    canaries=CANARIES,
)
SMALL = inventory(HUB, endpoint("a", "icmp sip", province="aceh"), canaries=CANARIES)

CHECKS = sorted({c.id for e in FULL.endpoints for c in e.checks})
CHECKS += [c.id for c in canary_checks(CANARIES)]

FAULTS = {
    Outcome.UP: (Reason.OK, Reason.STATUS),
    Outcome.DOWN: (Reason.TIMEOUT, Reason.REFUSED, Reason.PROTOCOL),
    Outcome.UNKNOWN: (Reason.STALL, Reason.NO_ROUTE, Reason.BUG),
}
BLAMES = {Outcome.UP: Blame.NONE, Outcome.DOWN: Blame.PATH, Outcome.UNKNOWN: Blame.LOCAL}


class BoardMachine(RuleBasedStateMachine):
    """Any results, reloads, clock steps and freezes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.transitions: list[Transition] = []
        self.board = Board(FULL, self.clock, self.transitions.append)
        self.began = self.clock.monotonic()
        self.loaded = FULL

    @rule(
        check=st.sampled_from(CHECKS),
        outcome=st.sampled_from(list(Outcome)),
        reason=st.integers(0, 2),
        wait=st.floats(0, 4),
        attempts=st.sampled_from([1, 4]),
    )
    def result(
        self, check: CheckId, outcome: Outcome, reason: int, wait: float, attempts: int
    ) -> None:
        started, at = self.clock.monotonic(), self.clock.wall()
        self.clock.forward(wait)
        reasons = FAULTS[outcome]
        why = reasons[reason % len(reasons)]
        received = 5 if outcome is Outcome.UP else 0
        echo = Echo(5, received, rtts=(0.02,) * received) if check.name == "icmp" else None
        impaired = why is Reason.STATUS
        made = Result(
            check, outcome, why, BLAMES[outcome], at, started, wait, echo=echo, impaired=impaired
        )
        for rerun in self.board.record(made, attempts):
            assert rerun.attempts >= 1
            assert rerun.at <= self.clock.monotonic() + 30

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.board.tick()

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 3600.0, 86_400.0]))
    def wall_steps(self, seconds: float) -> None:
        self.clock.step_wall(seconds)

    @rule(seconds=st.floats(30, 3600))
    def frozen(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(which=st.sampled_from([FULL, SMALL]))
    def reload(self, which: Settings) -> None:
        self.loaded = which
        self.board.load(which)
        known = {f"endpoint:{e.id}" for e in which.endpoints}
        known |= {f"province:{e.province}" for e in which.endpoints}
        self.transitions[:] = [t for t in self.transitions if t.subject in known]

    @invariant()
    def the_snapshot_is_whole(self) -> None:
        snapshot = self.board.snapshot()
        wanted = {e.id for e in self.loaded.endpoints}
        assert {e.endpoint.id for p in snapshot.provinces for e in p.endpoints} == wanted
        assert self.board.snapshot() is snapshot
        for province in snapshot.provinces:
            for status in province.endpoints:
                if status.standing.state is State.UNREACHABLE:
                    assert status.standing.parent is not None
                if status.standing.state in {State.UP, State.DEGRADED}:
                    deciding = [c for c in status.checks if c.check.decides]
                    assert any(c.outcome is Outcome.UP for c in deciding)

    @invariant()
    def replay_of_the_transitions_is_the_live_state(self) -> None:
        replayed: dict[str, Standing] = {}
        for change in self.transitions:
            before = replayed.get(change.subject)
            assert before is None or before.state is change.old.state
            assert change.old.state is not change.new.state
            replayed[change.subject] = change.new
        for province in self.board.snapshot().provinces:
            last = replayed.get(f"province:{province.province.slug}")
            if last is not None:
                assert last.state is province.standing.state

    @invariant()
    def every_second_is_given_out_once(self) -> None:
        elapsed = self.clock.monotonic() - self.began
        for seconds in self.board.province_seconds().values():
            assert all(value >= 0 for value in seconds.values())
            assert sum(seconds.values()) <= elapsed + 1e-6


BoardMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBoard = BoardMachine.TestCase
