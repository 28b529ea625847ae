"""The minutes: attendance, outages to the millisecond, availability over the sitting alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tests.fakes.meetings import LOST, OPTIONAL, START, first_of, marked, roll_of, weekly
from vcmon.history.spans import milliseconds
from vcmon.model.meeting import Presence
from vcmon.model.memory import Counted, Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State
from vcmon.readiness.minutes import Minutes, Witness, minutes

SITTING = first_of(weekly())
START_MS, STOP_MS = milliseconds(SITTING.start), milliseconds(SITTING.stop)


def line(*changes: tuple[float, State]) -> list[Interval]:
    """What Aceh was from each moment on, in seconds from the start."""
    ends = [*(START + at for at, _ in changes[1:]), None]
    return [
        Interval("province:aceh", START + at, stop, state, Reason.TIMEOUT, Blame.PATH)
        for (at, state), stop in zip(changes, ends, strict=True)
    ]


def told(intervals: list[Interval], *, watched: float = 9e9, now: float = START + 9e3) -> Minutes:
    witness = Witness({"aceh": intervals}, watched)
    return minutes(SITTING, [roll_of(SITTING, (LOST,), START, 0.0)], (), witness, now)


def aceh(it: Minutes) -> dict[Counted, int]:
    return dict(next(row for row in it.rows if row.province == "aceh").figure.milliseconds)


def test_an_outage_counts_to_the_millisecond() -> None:
    """125.5 s of 5400: neither rounded nor too short to count."""
    found = told(line((-9, State.UP), (600, State.DOWN), (725.5, State.UP)))
    row = found.rows[0]
    assert row.province == "aceh"
    assert row.figure.bad == 125_500
    assert row.figure.ratio == Fraction(5_400_000 - 125_500, 5_400_000)
    assert [(each.start, each.stop) for each in row.figure.outages] == [
        (START_MS + 600_000, START_MS + 725_500)
    ]
    one = told(line((-9, State.UP), (600, State.DOWN), (600.001, State.UP)))
    assert one.rows[0].figure.count == 1


def test_only_the_sitting_counts() -> None:
    """What was down before the start and after the end is no part of it."""
    found = aceh(told(line((-9, State.DOWN), (0, State.UP), (5400, State.DOWN))))
    assert (found[Counted.DOWN], found[Counted.UP]) == (0, 5_400_000)
    over = aceh(told(line((-9, State.DOWN), (1, State.UP))))
    assert over[Counted.DOWN] == 1_000


def test_what_nobody_saw_is_unknown_never_good() -> None:
    """Without intervals, and after the last heartbeat."""
    assert aceh(told([]))[Counted.UNKNOWN] == 5_400_000
    half = aceh(told(line((-9, State.UP)), watched=START + 2700))
    assert (half[Counted.UP], half[Counted.UNKNOWN]) == (2_700_000, 2_700_000)


def test_maintenance_is_taken_out() -> None:
    """Down under maintenance is neither good nor bad."""
    planned = {"aceh": ((START_MS + 600_000, START_MS + 700_000),)}
    intervals = line((-9, State.UP), (600, State.DOWN), (725, State.UP))
    found = minutes(SITTING, (), (), Witness({"aceh": intervals}, 9e9, planned), START + 9e3)
    row = next(row for row in found.rows if row.province == "aceh")
    assert row.figure.bad == 25_000
    assert row.figure.milliseconds[Counted.MAINTENANCE] == 100_000


def test_while_it_goes_on_it_is_counted_so_far() -> None:
    """Until now; before it begins there is nothing."""
    now = told(line((-9, State.UP), (600, State.DOWN)), now=START + 660)
    assert (now.final, now.until) == (False, START + 660)
    assert now.rows[0].figure.bad == 60_000
    before = told(line((-9, State.UP)), now=START - 60)
    assert before.rows[0].figure.counted == 0


def test_who_was_there() -> None:
    """The last mark counts; who left was there; who was not called was not."""
    marks = [
        marked(SITTING, "aceh", Presence.PRESENT),
        marked(SITTING, "bali", Presence.PRESENT),
        marked(SITTING, "bali", Presence.ABSENT),
        marked(SITTING, "papua", Presence.LEFT),
    ]
    found = minutes(SITTING, (), marks, Witness({}, 0.0), SITTING.stop)
    assert found.present == 2
    assert found.required_absent == 38 - len(OPTIONAL) - 2
    assert found.final


def test_readiness_is_that_of_the_last_checkpoint_that_was_called() -> None:
    """T0 missed: T-10 tells; what was called for another start tells nothing."""
    rolls = [
        replace(roll_of(SITTING, (), START - 9000, 0.0), start=START - 86400),
        roll_of(SITTING, (LOST,), START - 600, 600.0),
        replace(roll_of(SITTING, (), START, 0.0), verdicts=()),
    ]
    found = minutes(SITTING, rolls, (), Witness({}, 0.0), SITTING.stop)
    row = next(row for row in found.rows if row.province == LOST.province)
    assert row.at_start == LOST
    assert len(found.rolls) == 2
