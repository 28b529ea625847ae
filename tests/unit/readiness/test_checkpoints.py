"""When a roll is due, when it is called late, and when it was missed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.rolls import START, make_sitting
from vcmon.model.meeting import Sitting
from vcmon.readiness.checkpoints import LATE, key_of, look, points
from vcmon.readiness.rollcall import missed

SITTING = make_sitting()
STOP = SITTING.stop
EVER = float("inf")


@pytest.mark.parametrize(
    ("now", "due", "next_at"),
    [
        (START - 3600.001, [], START - 3600),
        (START - 3600, [3600], START - 1800),
        (START - 3600 + LATE - 0.001, [3600], START - 1800),
        (START - 3600 + LATE, [], START - 1800),
        (START - 600, [600], START),
        (START - 300.001, [600], START),
        (START - 300, [], START),
        (START, [0], EVER),
        (START + LATE - 0.001, [0], EVER),
        (START + LATE, [], EVER),
    ],
)
def test_a_checkpoint_has_its_time(now: float, due: list[float], next_at: float) -> None:
    """It is due from its second on, five minutes at the most; then comes the next."""
    done = {p.key for p in points(SITTING) if p.at < now and p.checkpoint not in due}
    found = look([SITTING], now, done)
    assert [each.checkpoint for each in found.due] == due
    assert found.missed == ()
    assert found.next_at == next_at


def test_the_next_one_ends_it() -> None:
    """Minutes apart, a checkpoint is called until the next is due, and never after the end."""
    meeting = replace(SITTING.meeting, checkpoints=(120.0, 60.0, 0.0), seconds=30.0)
    short = Sitting(meeting, START, START, START + 30.0)
    assert [each.until - START for each in points(short)] == [-60.0, 0.0, 30.0]
    assert [each.checkpoint for each in look([short], START - 60.0, ()).due] == [60.0]


def test_missed_is_said_when_the_sitting_is_over() -> None:
    """A clock that was set wrong may be set right again: only the end makes it final."""
    late = look([SITTING], STOP - 0.001, ())
    assert (late.due, late.missed, late.next_at) == ((), (), STOP)
    over = look([SITTING], STOP, ())
    assert [each.checkpoint for each in over.missed] == [3600, 1800, 600, 0]
    assert over.next_at == EVER
    done = {key_of(missed(SITTING, STOP, each.checkpoint)) for each in over.missed}
    assert look([SITTING], STOP + 1, done) == ((), (), EVER)


def test_moved_it_is_called_anew() -> None:
    """What was called for the old start is done for that only; each checkpoint once."""
    done = {p.key for p in points(SITTING)}
    moved = replace(SITTING, start=START + 3600, stop=STOP + 3600)
    assert look([SITTING], START - 600, done).due == ()
    found = look([moved], START, done)
    assert [each.checkpoint for each in found.due] == [3600]
    twice = replace(SITTING, meeting=replace(SITTING.meeting, checkpoints=(0.0, 600.0, 600.0)))
    assert [each.checkpoint for each in points(twice)] == [600.0, 0.0]


@given(
    st.lists(st.floats(0, 86_400), max_size=6),
    st.lists(st.floats(-100_000, 100_000), max_size=40),
    st.floats(1, 10_000),
)
def test_each_roll_is_called_once_or_missed(
    checkpoints: list[float], moments: list[float], length: float
) -> None:
    """However the clock jumps: no key twice, none early, none after the sitting; in the end all."""
    meeting = replace(SITTING.meeting, checkpoints=tuple(checkpoints), seconds=length)
    sitting = Sitting(meeting, START, START, START + length)
    done: set[tuple[str, float, float]] = set()
    for moment in [*moments, length, length]:
        found = look([sitting], START + moment, done)
        for point in (*found.due, *found.missed):
            assert point.key not in done
            assert point.at <= START + moment
            done.add(point.key)
        assert all(START + moment < sitting.stop for _ in found.due)
        assert found.next_at > START + moment
    assert done == {each.key for each in points(sitting)}
