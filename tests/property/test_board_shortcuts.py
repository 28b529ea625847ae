"""The board's shortcuts change nothing: what is judged only when it must be is judged the same."""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.result import Blame, Echo, Outcome, Reason, Result
from vcmon.model.status import Snapshot, Transition
from vcmon.state import track as track_module
from vcmon.state.advice import Rerun
from vcmon.state.board import Board
from vcmon.state.canaries import canary_checks
from vcmon.state.gallery import DETAILS_AT_WORST
from vcmon.state.track import Track

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "100"))

CANARIES = ("192.0.2.250",)
COUNTRY = inventory(
    endpoint("hub", "icmp", province="pusat", role=Role.ROUTER),
    endpoint("a", "icmp sip", province="aceh", depends_on=("hub",)),
    endpoint("b", "sip tcp", province="aceh", role=Role.ROOM),
    endpoint("c", "icmp", province="bali", medium="fibre"),
    endpoint("d", "icmp tls", province="dki", depends_on=("hub",)),
    canaries=CANARIES,
)
CHECKS = sorted({c.id for e in COUNTRY.endpoints for c in e.checks})
CHECKS += [c.id for c in canary_checks(CANARIES)]

WAYS = (
    *(((Outcome.UP, Reason.OK, Blame.NONE, 5),) * 6),
    (Outcome.UP, Reason.OK, Blame.NONE, 4),
    (Outcome.UP, Reason.STATUS, Blame.REMOTE, 5),
    (Outcome.DOWN, Reason.TIMEOUT, Blame.PATH, 0),
    (Outcome.DOWN, Reason.REFUSED, Blame.REMOTE, 0),
    (Outcome.UNKNOWN, Reason.STALL, Blame.LOCAL, 0),
    (Outcome.UNKNOWN, Reason.NO_ROUTE, Blame.LOCAL, 0),
)
"""(outcome, reason, blame, replies to a burst of five); mostly well, as the world is."""


class Step(NamedTuple):
    """Some checks end alike, each a little after the other; then time passes, and a tick."""

    checks: list[CheckId]
    way: int
    rtt: float
    wait: float
    times: int


STEPS = st.lists(
    st.builds(
        Step,
        st.lists(st.sampled_from(CHECKS), min_size=1, max_size=8)
        | st.just(CHECKS)
        | st.just(CHECKS[:-1]),
        st.integers(0, len(WAYS) - 1),
        st.sampled_from([0.02, 0.02, 0.02, 0.9]),
        st.sampled_from([0.5, 2.0, 10.0, 20.0, 33.0, 100.0]),
        st.integers(1, 8),
    ),
    max_size=25,
)


class Seen(NamedTuple):
    """All that a board ever said."""

    snapshots: list[Snapshot]
    transitions: list[Transition]
    reruns: list[Rerun]


def play(steps: list[Step]) -> Seen:
    clock, seen = FakeClock(), Seen([], [], [])
    board = Board(COUNTRY, clock, seen.transitions.append)
    board.snapshot()
    for step in steps:
        for _ in range(step.times):
            for check in step.checks:
                seen.reruns.extend(board.record(result_of(check, step, clock)))
                clock.forward(0.01)
            clock.forward(step.wait)
            board.tick()
        clock.forward(DETAILS_AT_WORST)
        snapshot = board.snapshot()
        seen.snapshots.append(snapshot)
    return seen


def result_of(check: CheckId, step: Step, clock: FakeClock) -> Result:
    outcome, reason, blame, received = WAYS[step.way]
    echo = Echo(5, received, rtts=(step.rtt,) * received) if check.name == "icmp" else None
    return Result(
        check,
        outcome,
        reason,
        blame,
        clock.wall(),
        clock.monotonic(),
        step.rtt,
        impaired=reason is Reason.STATUS,
        echo=echo,
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(steps=STEPS)
def test_a_result_that_changes_nothing_need_not_be_judged(steps: list[Step]) -> None:
    """Judging anew whenever a verdict may be old says the same: pictures, transitions, advice."""
    short = play(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Track, "has_aged", lambda track, now: now >= track.stale_at)
        patch.setattr(track_module, "says_nothing_new", lambda belief, result: False)
        long = play(steps)
    assert short.transitions == long.transitions
    assert short.reruns == long.reruns
    for one, other in zip(short.snapshots, long.snapshots, strict=True):
        assert one.uplink == other.uplink
        assert one.provinces == other.provinces
