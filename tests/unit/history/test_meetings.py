"""Meetings in the memory: the last version counts, what was called and marked stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.clock import EPOCH
from vcmon.history.meetings import combined, over_at
from vcmon.history.store import Store
from vcmon.model.meeting import (
    Attendance,
    Doubt,
    Limits,
    Meeting,
    Moved,
    Origin,
    Presence,
    Readiness,
    RollCall,
    Seat,
    Sitting,
    Verdict,
)

WIB = ZoneInfo("Asia/Jakarta")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=WIB).timestamp()
HOUR, DAY, WEEK = 3600.0, 86_400.0, 7 * 86_400.0
WEEKLY = Meeting(
    "mingguan", "Rapat <mingguan>", MONDAY, 2 * HOUR,
    (Seat("aceh"), Seat("bali", required=False)),
    organiser="Pusdatin", room="pusat-mcu", rule="FREQ=WEEKLY",
    excluded=(MONDAY + WEEK,), added=(MONDAY + DAY,),
    moved=(Moved(MONDAY + 2 * WEEK, MONDAY + 2 * WEEK + HOUR, HOUR),),
    limits=Limits(loss=0.02, rtt=0.5), checkpoints=(600.0, 0.0),
    origin=Origin.CALENDAR, uid="a@b", sequence=3, author="Budi",
)  # fmt: skip
ONCE = Meeting("sekali", "Sekali", MONDAY, HOUR, (Seat("aceh"),), author="Budi")
SITTING = Sitting(WEEKLY, MONDAY, MONDAY, MONDAY + 2 * HOUR)
ROLL = RollCall(
    SITTING.id, MONDAY - 600, 600.0,
    (
        Verdict("aceh", True, Readiness.NOT_READY, Doubt.DOWN, "aceh-codec", since=MONDAY - 900),
        Verdict("bali", False, Readiness.AT_RISK, Doubt.LOSS, value=0.034, limit=0.02),
    ),
    Verdict("pusat", True, Readiness.READY),
)  # fmt: skip
MARK = Attendance(SITTING.id, "aceh", MONDAY + 60, Presence.PRESENT, "Budi", "Sari", "kamera mati")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    opened.close()


def test_the_last_version_counts(store: Store) -> None:
    """A meeting comes back field for field as it was put last, under who put it."""
    store.put_meeting(replace(WEEKLY, title="old"), "Budi", EPOCH)
    store.put_meeting(ONCE, "Budi", EPOCH)
    store.put_meeting(WEEKLY, "Sari", EPOCH)
    assert store.meetings() == [ONCE, replace(WEEKLY, author="Sari")]
    assert store.meeting("mingguan") == replace(WEEKLY, author="Sari")
    assert store.meeting("none") is None


def test_a_roll_is_kept_once(store: Store) -> None:
    """The second roll of a checkpoint, for one start, changes nothing, and says so."""
    later = replace(ROLL, checkpoint=0.0, at=MONDAY, verdicts=())
    assert store.keep_roll(later)
    assert store.keep_roll(ROLL)
    assert not store.keep_roll(replace(ROLL, at=MONDAY, verdicts=()))
    assert store.rolls(SITTING.id) == [ROLL, later]
    assert store.rolls("other") == []
    moved = replace(ROLL, start=MONDAY + HOUR)
    assert store.keep_roll(moved)
    assert store.rolls(SITTING.id) == [ROLL, later, moved]
    with pytest.raises(ValueError, match="only a checkpoint's"):
        store.keep_roll(replace(ROLL, checkpoint=None))


def test_a_sitting_is_kept_as_it_was(store: Store) -> None:
    """What becomes of its meeting changes no sitting that was called; moved, it is kept anew."""
    other = Sitting(ONCE, MONDAY, MONDAY + DAY, MONDAY + DAY + HOUR)
    assert store.keep_sitting(SITTING)
    assert store.keep_sitting(other)
    assert not store.keep_sitting(replace(SITTING, stop=MONDAY + 9))
    assert store.kept_sitting(SITTING.id) == SITTING
    assert store.kept_sitting("other") is None
    assert store.kept_sittings(MONDAY, MONDAY + WEEK) == [other, SITTING]
    assert store.kept_sittings(MONDAY, MONDAY + WEEK, most=1) == [other]
    assert store.kept_sittings(MONDAY + 1, MONDAY + DAY) == []
    moved = replace(SITTING, start=MONDAY + HOUR)
    assert store.keep_sitting(moved)
    assert store.kept_sitting(SITTING.id) == moved
    assert store.kept_sittings(MONDAY, MONDAY + DAY) == [moved]


def test_marks_are_appended(store: Store) -> None:
    """Every mark of a sitting is there, in the order of marking."""
    left = replace(MARK, at=MONDAY + 30, presence=Presence.LEFT, note="")
    store.mark(MARK)
    store.mark(left)
    store.mark(replace(MARK, sitting="other"))
    assert store.attendance(SITTING.id) == [MARK, left]


@pytest.mark.parametrize("table", ["meeting", "sitting", "roll", "attendance"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET told = ''", "DELETE FROM {}"])
def test_what_was_written_stays(store: Store, table: str, deed: str) -> None:
    """The file itself refuses to change or to lose any of it."""
    store.put_meeting(WEEKLY, "Budi", EPOCH)
    store.keep_sitting(SITTING)
    store.keep_roll(ROLL)
    store.mark(MARK)
    column = "note" if table == "attendance" else "told"
    with pytest.raises(sqlite3.IntegrityError, match="stays"):
        store.db.execute(deed.format(table).replace("told", column))


@pytest.mark.parametrize(
    ("meeting", "over"),
    [
        (ONCE, MONDAY + HOUR),
        (replace(ONCE, added=(MONDAY + DAY,)), MONDAY + DAY + HOUR),
        (replace(ONCE, moved=(Moved(MONDAY, MONDAY + DAY, 60),)), MONDAY + DAY + 60),
        (replace(ONCE, rule="FREQ=WEEKLY"), None),
        (replace(ONCE, rule="FREQ=WEEKLY", cancelled_at=MONDAY + 9), MONDAY + 9 + HOUR),
        (replace(ONCE, rule="FREQ=WEEKLY;COUNT=3"), MONDAY + 2 * WEEK + HOUR),
        (replace(ONCE, rule="FREQ=WEEKLY;UNTIL=20261130T010000Z"), MONDAY + WEEK + HOUR),
        (replace(ONCE, cancelled_at=MONDAY - DAY), MONDAY - DAY + HOUR),
    ],
)
def test_when_a_meeting_is_over(store: Store, meeting: Meeting, over: float | None) -> None:
    """The daemon hears of a meeting until a day after nothing of it can go on any more."""
    assert over_at(meeting) == over
    store.put_meeting(meeting, "Budi", EPOCH)
    (told,) = store.meetings()
    if over is None:
        assert store.current_meetings(4e9) == [told]
    else:
        assert store.said(over + DAY - 0.001).meetings == (told,)
        assert store.said(over + DAY).meetings == ()


def test_what_people_change_of_the_settings_meetings_lies_over_them() -> None:
    """Moves and cancellations count, all else is as the settings have it now."""
    settled = replace(ONCE, id="mingguan", title="new", author="")
    copy = replace(WEEKLY, origin=Origin.SETTINGS, cancelled_at=MONDAY)
    (found,) = combined([settled], [copy])
    assert found == replace(settled, excluded=copy.excluded, moved=copy.moved, cancelled_at=MONDAY)
    assert combined([settled], [WEEKLY]) == (settled,)  # a name that was taken by the settings
    own = replace(ONCE, origin=Origin.PERSON)
    assert combined([], [copy, own]) == (own,)  # one that left the settings
