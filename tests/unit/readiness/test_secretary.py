"""Each checkpoint is called once and kept, whatever becomes of clock, vcmon and meeting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.meeting_room import SLUGS, WEEKLY, MeetingRoom
from tests.fakes.rolls import START, incident
from tests.fakes.snapshots import PROVINCES
from vcmon.model.meeting import Doubt, Moved, Readiness, RollCall, Seat
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State
from vcmon.readiness.checkpoints import LATE
from vcmon.readiness.secretary import COMING, UNWRITTEN

STOP = START + 7200.0
DOWN = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, START - 900, START - 890)


@pytest.fixture
def room(tmp_path: Path) -> MeetingRoom:
    return MeetingRoom(tmp_path / "m.db")


def told(rolls: list[RollCall]) -> list[tuple[float | None, float, bool]]:
    """Checkpoint, how long before the start it was called, whether it was missed."""
    return [(each.checkpoint, START - each.at, each.missed) for each in rolls]


ALL = [(c, c, False) for c in (3600.0, 1800.0, 600.0, 0.0)]


def test_each_checkpoint_at_its_second(room: MeetingRoom) -> None:
    """T-60, T-30, T-10 and T0, everybody asked before each, nothing after it."""
    room.go_to(STOP + 3600)
    assert told(room.kept()) == ALL
    assert len(room.asked) == 4
    assert [str(each) for each in room.asked[0]] == [f"{slug}-codec/sip" for slug in SLUGS]
    assert all(each.ready == 3 for each in room.kept())


def test_a_restart_between_two(room: MeetingRoom) -> None:
    """What an earlier run has called stays, and is not asked again; the rest comes in its time."""
    room.go_to(START - 1700)
    before = room.kept()
    room.off_until(START - 1650)  # T-30 could still be called
    room.go_to(START - 601)
    assert room.kept() == before
    assert len(room.asked) == 2
    room.go_to(STOP)
    assert told(room.kept()) == ALL


@pytest.mark.parametrize(("late", "called"), [(LATE - 1, True), (LATE + 1, False)])
def test_off_over_a_checkpoint(room: MeetingRoom, late: float, called: bool) -> None:
    """Back within five minutes the roll is called late; else it is marked as missed, in the end."""
    room.go_to(START - 2000)
    room.off_until(START - 1800 + late)
    room.go_to(START + 60)
    expected = [(3600, 3600, False), (1800, 1800 - late, False), (600, 600, False), (0, 0, False)]
    assert told(room.kept()) == (expected if called else [*expected[:1], *expected[2:]])
    room.go_to(STOP + 1)
    if not called:
        assert told(room.kept())[1] == (1800, START - STOP, True)
    assert len(room.kept()) == 4


def test_the_clock_is_set_over_one(room: MeetingRoom) -> None:
    """Set forward over T-30 by an hour and back again: nothing is lost, nothing is called twice."""
    room.go_to(START - 1900)
    room.clock.step_wall(1200.0)  # to T-700
    room.secretary.tick()
    assert room.alarm.set == 1
    room.turn()
    assert told(room.kept()) == ALL[:1]
    room.clock.step_wall(-1200.0)
    room.secretary.tick()
    assert room.alarm.set == 2
    room.go_to(STOP)
    assert told(room.kept()) == ALL


def test_the_clock_is_set_back_over_one(room: MeetingRoom) -> None:
    """What was called before the step is not called again when its second comes once more."""
    room.go_to(START - 1700)
    room.clock.step_wall(-600.0)
    room.secretary.tick()
    room.go_to(STOP)
    assert told(room.kept()) == ALL
    assert len(room.asked) == 4


def test_two_meetings_at_once(room: MeetingRoom) -> None:
    """Both rolls are called by one round of questions, each for its own roster."""
    other = replace(WEEKLY, id="pilkada", seats=(Seat("bali"),), checkpoints=(600.0,))
    room.meetings = (WEEKLY, other)
    room.secretary.tick()
    room.silent = {"bali"}
    room.go_to(START - 599)
    mine, theirs = room.kept()[-1], room.kept("pilkada-20261123-0951")[-1]
    assert len(room.asked) == 3
    assert mine.at == theirs.at == START - 600
    assert (mine.ready, theirs.ready) == (2, 0)
    assert theirs.verdicts[0].doubt is Doubt.UNCONFIRMED


def test_called_off(room: MeetingRoom) -> None:
    """A meeting that is cancelled after T-30 is called no more; its rolls stay."""
    room.go_to(START - 1700)
    room.meetings = (replace(WEEKLY, cancelled_at=START - 1690),)
    room.secretary.tick()
    room.go_to(STOP + 1)
    assert told(room.kept()) == ALL[:2]


def test_called_off_while_the_roll_is_called(room: MeetingRoom) -> None:
    """Nothing is kept of a roll whose meeting was cancelled while everybody was asked."""

    def cancel() -> None:
        room.meetings = (replace(WEEKLY, cancelled_at=START - 5000),)
        room.secretary.tick()

    room.meanwhile = cancel
    room.go_to(STOP + 1)
    assert len(room.asked) == 1
    assert room.kept() == []


def test_moved(room: MeetingRoom) -> None:
    """Moved by an hour after T-30, all four are called anew for the new start."""
    room.go_to(START - 1700)
    room.meetings = (replace(WEEKLY, moved=(Moved(START, START + 3600, 7200.0),)),)
    room.secretary.tick()
    room.go_to(STOP + 3600)
    first, second = room.kept()[:2], room.kept()[2:]
    assert told(first) == ALL[:2]
    assert [(each.checkpoint, each.start) for each in second] == [
        (c, START + 3600) for c in (3600.0, 1800.0, 600.0, 0.0)
    ]
    assert [each.at for each in second] == [START, START + 1800, START + 3000, START + 3600]


def test_a_province_that_recovers_at_t_minus_9(room: MeetingRoom) -> None:
    """Not ready at T-10, as it was; at T0 it can join, and is at risk because it fell lately."""
    room.standings = {"papua": DOWN}
    room.silent = {"papua"}
    room.go_to(START - 540)
    room.standings, room.silent = {}, set()
    room.incidents = (incident(START - 900, START - 540, "papua"),)
    room.go_to(START + 60)
    (ten, now) = (roll.verdicts[0] for roll in room.kept()[2:])
    assert (ten.province, ten.readiness, ten.doubt) == ("papua", Readiness.NOT_READY, Doubt.DOWN)
    assert (now.province, now.readiness, now.doubt) == ("papua", Readiness.AT_RISK, Doubt.CHANGED)
    assert now.since == START - 540


def test_a_memory_that_cannot_be_written(room: MeetingRoom) -> None:
    """The roll waits for it, a minute at a time, and is kept as it was called."""
    room.go_to(START - 601)
    room.locked = True
    room.go_to(START - 500)
    room.locked = False
    room.go_to(START - 400)
    assert told(room.kept()) == ALL[:3]


def test_rolls_that_wait_are_bounded(room: MeetingRoom) -> None:
    """A memory that is gone for good costs no more than so many rolls of ours."""
    many = tuple(float(n) for n in range(600, 600 + 2 * UNWRITTEN))
    room.locked = True
    room.meetings = (replace(WEEKLY, checkpoints=many),)
    room.secretary.tick()
    room.go_to(START)
    assert len(room.secretary._unwritten) == UNWRITTEN


def test_the_live_roll(room: MeetingRoom) -> None:
    """It asks nobody and is kept nowhere; there is none of what is over or was never planned."""
    name = room.secretary.coming()[0].id
    roll = room.secretary.roll(name)
    assert roll is not None
    assert (roll.checkpoint, roll.ready, room.asked) == (None, 3, [])
    room.fresh = False
    roll = room.secretary.roll(name)
    assert roll is not None
    assert {each.readiness for each in roll.verdicts} == {Readiness.UNMEASURED}
    room.go_to(STOP)
    assert room.secretary.roll(name) is None
    assert room.secretary.roll("mingguan-20261123-0952") is None
    assert room.secretary.roll("' OR 1=1") is None


def test_what_is_coming(room: MeetingRoom) -> None:
    """One sitting of each meeting that is on or within a day, the nearest ones only."""
    room.meetings = tuple(
        replace(WEEKLY, id=f"rapat-{n}", start=START + 3600 * n, rule="FREQ=DAILY")
        for n in range(9)
    )
    room.secretary.tick()
    found = room.secretary.coming()
    assert [each.meeting.id for each in found] == [f"rapat-{n}" for n in range(COMING)]
    room.go_to(STOP)
    assert room.secretary.coming()[0].meeting.id == "rapat-1"


@pytest.mark.parametrize("size", [34, 38])
def test_a_whole_roster(room: MeetingRoom, size: int) -> None:
    """Every seat has its verdict in each roll, also those that nobody watches here."""
    slugs = [slug for slug in PROVINCES if slug != "pusat"][:size]
    room.meetings = (replace(WEEKLY, seats=tuple(Seat(slug) for slug in slugs)),)
    room.secretary.tick()
    room.go_to(STOP)
    for roll in room.kept():
        assert sorted(each.province for each in roll.verdicts) == sorted(slugs)
        assert roll.ready == sum(slug in slugs for slug in SLUGS)
