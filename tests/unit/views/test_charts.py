"""Curves drawn run by run: what is seen is what was measured, and no more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.history.glance import Curve
from vcmon.history.rollup import RollUp
from vcmon.model.status import State
from vcmon.views.charts import (
    FOOT,
    HEIGHT,
    JITTER_FOOT,
    JITTER_TOP,
    LOSS_FOOT,
    LOSS_TOP,
    STATE_TOP,
    TOP,
    WIDTH,
    axis,
    state_of,
    strokes,
)

STEP = 300.0
UP = RollUp(
    0.0,
    up=STEP,
    sent=100,
    rtt_sum=50_000 * 100,
    rtt_n=100,
    rtt_max=80_000,
    jitter_sum=4_000 * 80,
    jitter_n=80,
)
NOTHING = RollUp(0.0)


def curve(*slots: RollUp) -> Curve:
    placed = tuple(slot._replace(start=STEP * n) for n, slot in enumerate(slots))
    return Curve(STEP, STEP * len(slots), placed)


def test_what_stays_the_same_is_one_stroke() -> None:
    """288 equal slots are one line; nothing else is drawn."""
    drawn = strokes(curve(*[UP] * 288))
    assert drawn.mean == f"M0 {round(FOOT - (FOOT - TOP) * 0.5)}H{WIDTH}"
    assert drawn.jitter == f"M0 {round(JITTER_FOOT - (JITTER_FOOT - JITTER_TOP) * 0.8)}H{WIDTH}"
    assert (drawn.loss, drawn.unmeasured, drawn.states) == ("", "", ())
    assert (drawn.rtt_axis, drawn.jitter_axis, drawn.loss_axis) == (0.1, 0.005, 0.05)


def test_what_nobody_measured_is_hatched_and_breaks_the_line() -> None:
    """No line is drawn through a gap, and the gap is hatched from top to bottom."""
    drawn = strokes(curve(UP, NOTHING, UP))
    assert drawn.mean.count("M") == drawn.jitter.count("M") == 2
    assert drawn.unmeasured == f"M240 0H480V{HEIGHT}H240z"


def test_one_packet_a_burst_has_no_jitter() -> None:
    """Where nothing follows upon anything there is none: no line, no axis; and no line at zero."""
    drawn = strokes(curve(UP._replace(jitter_sum=0, jitter_n=0)))
    assert (drawn.jitter, drawn.jitter_axis) == ("", 0.0)
    assert strokes(curve(UP._replace(jitter_sum=0))).jitter == f"M0 {JITTER_FOOT}H{WIDTH}"


def test_an_outage_is_no_gap() -> None:
    """What was down was seen: a block in the strip, no hatch, no line."""
    down = RollUp(0.0, down=STEP)
    drawn = strokes(curve(UP, down, down, UP))
    assert drawn.unmeasured == ""
    assert [state for state, _ in drawn.states] == [State.DOWN]
    assert drawn.states[0][1].startswith(f"M180 {STATE_TOP}H540")


def test_little_loss_is_seen() -> None:
    """One packet of ten thousand has a bar, if a small one; a lost half fills the axis."""
    little = strokes(curve(UP._replace(sent=10_000, lost=1)))
    assert f"V{LOSS_FOOT - 1}H" in little.loss
    half = strokes(curve(UP._replace(lost=50)))
    assert (half.loss_axis, f"V{LOSS_TOP}H" in half.loss) == (0.5, True)


@pytest.mark.parametrize(
    ("slot", "length", "state"),
    [
        (UP, STEP, State.UP),
        (NOTHING, STEP, State.UNKNOWN),
        (NOTHING, 0.0, State.UNKNOWN),
        (RollUp(0.0, up=299, down=1), STEP, State.UP),
        (RollUp(0.0, up=240, down=60), STEP, State.DOWN),
        (RollUp(0.0, up=200, degraded=100), STEP, State.DEGRADED),
        (RollUp(0.0, down=20), 20.0, State.DOWN),
        (RollUp(0.0, up=100, unknown=200), STEP, State.UNKNOWN),
        (RollUp(0.0, unreachable=70, unknown=230), STEP, State.UNREACHABLE),
    ],
)
def test_a_slot_is_its_worst_state_that_lasted(slot: RollUp, length: float, state: State) -> None:
    """A minute, or half of what has passed; what was half unseen is never well."""
    assert state_of(slot, length) is state


@pytest.mark.parametrize(
    ("value", "top"), [(0, 0), (0.043, 0.05), (0.05, 0.05), (0.051, 0.1), (1.9, 2), (7, 10)]
)
def test_an_axis_ends_at_a_round_value(value: float, top: float) -> None:
    """1, 2, 5 and ten of these, never below the value."""
    assert axis(value) == pytest.approx(top)


counts = st.integers(0, 10**9)
slots = st.builds(
    RollUp,
    st.just(0.0),
    *[st.floats(0, STEP)] * 5,
    sent=counts,
    lost=counts,
    rtt_sum=counts,
    rtt_n=st.integers(0, 10**6),
    rtt_max=counts,
    jitter_sum=counts,
    jitter_n=st.integers(0, 10**6),
)


@given(st.lists(slots, min_size=1, max_size=40))
def test_nothing_is_drawn_outside(found: list[RollUp]) -> None:
    """Whatever was measured, every stroke lies within the picture."""
    drawn = strokes(curve(*found))
    lines = (drawn.mean, drawn.peak, drawn.jitter, drawn.loss, drawn.unmeasured)
    paths = (*lines, *(d for _, d in drawn.states))
    for d in paths:
        assert re.fullmatch(r"(M\d+ \d+|[HV]\d+|z)*", d)
        assert all(int(x) <= WIDTH for x in re.findall(r"[MH](\d+)", d))
        assert all(
            int(y) <= HEIGHT for pair in re.findall(r"M\d+ (\d+)|V(\d+)", d) for y in pair if y
        )
