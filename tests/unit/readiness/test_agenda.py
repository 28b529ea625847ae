"""Which meeting takes place when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.model.meeting import Meeting, Moved, Seat, Sitting
from vcmon.readiness.agenda import SITTINGS, following, next_sitting, sitting, sittings

WIB = ZoneInfo("Asia/Jakarta")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=WIB).timestamp()
HOUR, DAY, WEEK = 3600.0, 86_400.0, 7 * 86_400.0
ONCE = Meeting("sekali", "Sekali", MONDAY, 2 * HOUR, (Seat("aceh"),))
WEEKLY = replace(ONCE, id="mingguan", rule="FREQ=WEEKLY;BYDAY=MO")


def starts(meeting: Meeting, low: float = MONDAY, weeks: float = 4) -> list[float]:
    """In weeks after the first Monday."""
    return [(each.start - MONDAY) / WEEK for each in sittings([meeting], low, low + weeks * WEEK)]


def test_a_sitting_that_reaches_into_the_range_is_there() -> None:
    """What began before or ends after is told whole; what only touches is not."""
    whole = Sitting(ONCE, MONDAY, MONDAY, MONDAY + 2 * HOUR)
    assert sittings([ONCE], MONDAY + 2 * HOUR - 1, MONDAY + DAY) == (whole,)
    assert sittings([ONCE], MONDAY + 2 * HOUR, MONDAY + DAY) == ()
    assert sittings([ONCE], MONDAY - DAY, MONDAY) == ()
    assert sittings([ONCE], MONDAY - DAY, MONDAY + 1) == (whole,)


def test_a_weekly_meeting_stays_at_its_hour() -> None:
    """Every Monday at 08.00 of its own zone, and its sittings are named by it."""
    papua = replace(WEEKLY, zone="Asia/Jayapura", start=MONDAY - 2 * HOUR)
    found = sittings([WEEKLY, papua], MONDAY - DAY, MONDAY + 8 * DAY)
    assert [each.id for each in found] == [
        "mingguan-20261123-0800", "mingguan-20261123-0800",
        "mingguan-20261130-0800", "mingguan-20261130-0800",
    ]  # fmt: skip
    assert [each.start - MONDAY for each in found[:2]] == [-2 * HOUR, 0]


def test_what_is_excluded_added_and_moved() -> None:
    """An exclusion takes a time away, an addition gives one, a move keeps the name."""
    changed = replace(
        WEEKLY,
        excluded=(MONDAY + WEEK,),
        added=(MONDAY + 1.5 * WEEK, MONDAY),
        moved=(Moved(MONDAY + 2 * WEEK, MONDAY + 2.25 * WEEK, HOUR),),
    )
    assert starts(changed) == [0, 1.5, 2.25, 3]
    moved = sittings([changed], MONDAY + 2.25 * WEEK, MONDAY + 2.5 * WEEK)[0]
    assert moved.id == "mingguan-20261207-0800"
    assert moved.stop - moved.start == HOUR
    assert sitting([changed], moved.id) == moved


def test_a_move_reaches_into_another_range() -> None:
    """A sitting is found where it takes place, not where it was first planned."""
    early = replace(WEEKLY, moved=(Moved(MONDAY + WEEK, MONDAY + 0.5 * WEEK, HOUR),))
    assert starts(early, weeks=0.75) == [0, 0.5]
    assert starts(early, MONDAY + WEEK, weeks=1) == []


@pytest.mark.parametrize(
    "changed",
    [
        replace(WEEKLY, moved=(Moved(MONDAY + DAY, MONDAY + 2 * DAY, HOUR),)),
        replace(WEEKLY, excluded=(MONDAY,), moved=(Moved(MONDAY, MONDAY + DAY, HOUR),)),
    ],
)
def test_a_move_of_what_is_not_planned_moves_nothing(changed: Meeting) -> None:
    """No sitting comes out of a move of nothing, or of what is excluded."""
    assert len(starts(changed)) == 4 - len(changed.excluded)


def test_what_was_called_off_does_not_take_place() -> None:
    """Nothing begins after the end that was said; what had begun goes to its end."""
    ended = replace(WEEKLY, cancelled_at=MONDAY + WEEK)
    assert starts(ended) == [0, 1]
    assert starts(replace(ended, cancelled_at=MONDAY + WEEK - 1)) == [0]
    assert following(ended, MONDAY + WEEK + HOUR) == sittings([ended], MONDAY, MONDAY + 2 * WEEK)[1]
    assert following(ended, MONDAY + WEEK + 2 * HOUR) is None
    assert sitting([ended], "mingguan-20261207-0800") is None
    later = replace(ended, moved=(Moved(MONDAY, MONDAY + 1.5 * WEEK, HOUR),))
    assert starts(later) == [1]


def test_the_next_one_is_the_one_that_is_on() -> None:
    """Until its last moment; then the next, of whichever meeting, and of two the first."""
    other = replace(ONCE, id="lain", start=MONDAY + DAY)
    both = (other, WEEKLY)
    assert next_sitting(both, MONDAY - DAY) == following(WEEKLY, MONDAY - DAY)
    assert next_sitting(both, MONDAY + 2 * HOUR - 1) == following(WEEKLY, MONDAY)
    assert next_sitting(both, MONDAY + 2 * HOUR) == following(other, MONDAY)
    assert next_sitting([ONCE], MONDAY + WEEK) is None
    assert next_sitting([], MONDAY) is None


@pytest.mark.parametrize(
    "name",
    ["", "-", "mingguan", "mingguan-20261123", "mingguan-20261124-0800", "mingguan-20261123-0801",
     "mingguan-99999999-9999", "mingguan-2026112-30800", "lain-20261123-0800", "x" * 9_999,
     "mingguan-00010101-0000"],
)  # fmt: skip
def test_an_id_of_nothing_is_nothing(name: str) -> None:
    """Whatever is asked for, only a sitting that takes place is found."""
    assert sitting([WEEKLY], name) is None


def test_names_that_begin_alike() -> None:
    """A meeting whose name looks like another's sitting is told from it."""
    odd = replace(ONCE, id="mingguan-20261123-0800")
    found = sitting([WEEKLY, odd], "mingguan-20261123-0800-20261123-0800")
    assert found is not None
    assert found.meeting is odd


def test_one_question_is_bounded() -> None:
    """A daily meeting in a question of a century gives no more than the bound."""
    assert len(sittings([replace(WEEKLY, rule="FREQ=DAILY")], MONDAY, 4e9)) == SITTINGS


@given(
    st.sets(st.integers(0, 30), max_size=8),
    st.sets(st.integers(0, 30), max_size=8),
    st.dictionaries(st.integers(0, 30), st.integers(0, 60), max_size=6),
    st.none() | st.integers(0, 40),
    st.integers(0, 30),
)
def test_every_sitting_is_found_by_its_name(
    excluded: set[int], added: set[int], moved: dict[int, int], ended: int | None, low: int
) -> None:
    """In order, each name once, each found again by its name and within the range it is in."""
    meeting = replace(
        WEEKLY,
        rule="FREQ=DAILY;INTERVAL=2",
        excluded=tuple(MONDAY + day * DAY for day in excluded),
        added=tuple(MONDAY + day * DAY for day in added),
        moved=tuple(Moved(MONDAY + a * DAY, MONDAY + b * DAY + 60, HOUR) for a, b in moved.items()),
        cancelled_at=None if ended is None else MONDAY + ended * DAY,
    )
    days = {*range(0, 62, 2), *added} - excluded
    expected = sorted(
        moved[day] + 60 / DAY if day in moved else float(day)
        for day in days
        if ended is None or (moved[day] + 60 / DAY if day in moved else day) <= ended
    )
    found = sittings([meeting], MONDAY, MONDAY + 61 * DAY)
    assert [(each.start - MONDAY) / DAY for each in found] == pytest.approx(expected)
    assert len({each.id for each in found}) == len(found)
    assert all(sitting([meeting], each.id) == each for each in found)
    since = MONDAY + low * DAY
    assert sittings([meeting], since, MONDAY + 61 * DAY) == tuple(
        each for each in found if each.stop > since
    )
    assert following(meeting, since) == next((e for e in found if e.stop > since), None)
