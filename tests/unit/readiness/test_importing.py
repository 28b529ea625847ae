"""What a calendar file changes in what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.calendars import GOOGLE, OUTLOOK, event
from vcmon.config.meetings import seats_of
from vcmon.history.deeds import Doer
from vcmon.history.remarks import RefusedError
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting, Moved, Origin
from vcmon.model.memory import Entry
from vcmon.readiness import agenda, importing
from vcmon.readiness.calling import free_id
from vcmon.readiness.events import read_events
from vcmon.readiness.importing import Change, Outcome, Wishes, carry_out, decide

NOW = datetime(2026, 11, 18, tzinfo=ZoneInfo("UTC")).timestamp()
DAY, WEEK = 86_400.0, 7 * 86_400.0
WEEKLY = ("DTSTART;TZID=Asia/Jakarta:20261123T080000", "RRULE:FREQ=WEEKLY", "SUMMARY:Rapat")
MONDAY = datetime(2026, 11, 23, 1, tzinfo=ZoneInfo("UTC")).timestamp()


def outcome(data: bytes, *known: Meeting, wishes: Wishes | None = None) -> Outcome:
    return decide(read_events(data, "x.ics"), known, wishes or Wishes(), NOW)


def imported(*lines: str, method: str = "") -> Meeting:
    (change,) = outcome(event(*lines, method=method)).changes
    return change.meeting


def told(found: Outcome) -> list[str]:
    return [note.what for note in found.notes]


def days(meeting: Meeting) -> list[float]:
    """The sittings of four weeks, in days after the first Monday."""
    return [(s.start - MONDAY) / DAY for s in agenda.sittings([meeting], NOW, MONDAY + 4 * WEEK)]


def test_a_series_of_outlook_becomes_a_meeting() -> None:
    """With its moved, cancelled and left out times, for all provinces."""
    (change,) = outcome(OUTLOOK).changes
    found = change.meeting
    assert change.deed == "import"
    assert (found.id, found.origin) == ("rapat-koordinasi-mingguan-pusat", Origin.CALENDAR)
    assert found.seats == seats_of(("all",), ())
    assert days(found) == [0, pytest.approx(8 + 1 / 24)]
    assert found.moved == (Moved(MONDAY + WEEK, MONDAY + WEEK + DAY + 3600, 5400.0),)
    assert len(agenda.sittings([found], NOW, MONDAY + 50 * WEEK)) == 10 - 3


def test_what_is_no_meeting_is_left_out_and_told() -> None:
    """A whole day, one that is over; what is a meeting is taken all the same."""
    found = outcome(GOOGLE)
    assert [each.meeting.title for each in found.changes] == [
        "Rapat bulanan wilayah timur", "Rapat Pilkada",
    ]  # fmt: skip
    assert [(note.line, note.title) for note in found.notes] == [(42, "Natal"), (48, "Rapat lama")]
    assert "lasts the whole day" in found.notes[0].what
    assert "over already" in found.notes[1].what


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("DTSTART:20261123T010000Z", "DURATION:PT25H"), "longer than a day"),
        (("DTSTART:20261123T010000Z", "DURATION:PT30S"), "shorter than a minute"),
        (("DTSTART:20261123T010000Z", "STATUS:CANCELLED"), "called off, and not known here"),
        (("RECURRENCE-ID:20261123T010000Z", "STATUS:CANCELLED"), "changes a series that is not kn"),
    ],
)
def test_why_an_event_is_left_out(lines: tuple[str, ...], why: str) -> None:
    """Each reason is told, and nothing changes."""
    found = outcome(event(*lines))
    assert found.changes == []
    assert told(found)[0].startswith(why)


def test_an_event_without_an_end_is_left_out() -> None:
    """We know no length that would be right."""
    data = event("DTSTART:20261123T010000Z").replace(b"DURATION:PT1H\r\n", b"")
    assert told(outcome(data)) == ["it does not say when it ends (DTEND): left out"]


def test_a_time_without_a_zone_is_told() -> None:
    """How it was understood, on the Centre's clock."""
    assert told(outcome(event("DTSTART:20261123T080000"))) == [
        "its times have no zone: taken as 08.00 WIB"
    ]


def test_the_same_file_again_changes_nothing() -> None:
    """Nor does it when somebody else put it in."""
    (first,) = outcome(OUTLOOK).changes
    again = outcome(OUTLOOK, replace(first.meeting, author="Sari"))
    assert (again.changes, again.same) == ([], 1)


def test_a_newer_one_updates_and_an_older_one_does_not() -> None:
    """By UID and SEQUENCE; what a calendar does not say stays as people set it."""
    old = replace(imported(*WEEKLY, "SEQUENCE:5"), id="mingguan", room="mcu", author="Budi",
                  seats=seats_of(("aceh",), ()), cancelled_at=NOW)  # fmt: skip
    later = ("DTSTART;TZID=Asia/Jakarta:20261124T090000", "SUMMARY:Pindah hari", "SEQUENCE:6")
    (change,) = outcome(event(*later), old).changes
    assert change == Change(
        "change",
        replace(old, title="Pindah hari", start=MONDAY + DAY + 3600, rule="", sequence=6,
                cancelled_at=None),
    )  # fmt: skip
    older = outcome(event(*WEEKLY, "SEQUENCE:4"), old)
    assert (older.changes, told(older)) == ([], ["older than what is known (SEQUENCE 5): left out"])


def test_a_cancelled_series_is_called_off_once() -> None:
    """The meeting stays, with nothing of it to come; the second cancellation changes nothing."""
    old = imported(*WEEKLY)
    (change,) = outcome(event("SEQUENCE:1", method="CANCEL"), old).changes
    assert change == Change("cancel", replace(old, cancelled_at=NOW, sequence=1))
    assert outcome(event("SEQUENCE:1", method="CANCEL"), change.meeting).same == 1


def test_one_time_of_a_known_series_is_changed_alone() -> None:
    """An invitation to one time only: moved, called off, then planned again as it was."""
    old = imported(*WEEKLY)
    recur = "RECURRENCE-ID;TZID=Asia/Jakarta:20261130T080000"
    (moved,) = outcome(event(recur, "DTSTART:20261201T010000Z"), old).changes
    assert days(moved.meeting) == [0, 8, 14, 21]
    (gone,) = outcome(event(recur, method="CANCEL"), moved.meeting).changes
    assert days(gone.meeting) == [0, 14, 21]
    (back,) = outcome(event(recur, "DTSTART:20261130T010000Z"), gone.meeting).changes
    assert back.meeting == old
    extra = "RECURRENCE-ID;TZID=Asia/Jakarta:20261202T080000"
    (added,) = outcome(event(extra, "DTSTART:20261202T020000Z"), old).changes
    assert days(added.meeting) == [0, 7, pytest.approx(9 + 1 / 24), 14, 21]


def test_one_time_of_a_series_that_nobody_knows_is_a_meeting() -> None:
    """Who is invited to one time only has no other; the same again changes nothing."""
    data = event("RECURRENCE-ID:20261123T010000Z", "DTSTART:20261124T010000Z", "DURATION:PT2H")
    (change,) = outcome(data).changes
    assert days(change.meeting) == [1]
    assert outcome(data, change.meeting).same == 1


def test_times_with_a_length_of_their_own() -> None:
    """RDATE with a period: that sitting lasts as long as it says."""
    found = imported(*WEEKLY, "RDATE;VALUE=PERIOD:20261125T010000Z/PT30M")
    lengths = [each.stop - each.start for each in agenda.sittings([found], NOW, MONDAY + WEEK)]
    assert lengths == [3600.0, 1800.0]


def test_what_is_wished_is_taken() -> None:
    """A roster, a room, and only what has the words in its title."""
    wishes = Wishes(seats_of(("aceh",), ()), "mcu", only="PILKADA")
    (change,) = outcome(GOOGLE, wishes=wishes).changes
    assert change.meeting.title == "Rapat Pilkada"
    assert (change.meeting.seats, change.meeting.room) == (wishes.seats, "mcu")


def test_names_are_made_of_titles() -> None:
    """Of what an address can hold, none twice; a title without such letters has one, too."""
    assert free_id("Rapat: Évaluasi & Rencana 2027!", ()) == "rapat-valuasi-rencana-2027"
    assert free_id("Rapat", {"rapat", "rapat-2"}) == "rapat-3"
    assert free_id("会议", ()) == "rapat"
    assert len(free_id("x" * 300, {"x" * 32})) <= 40


def test_too_many_meetings_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be more than can be looked after is not begun with."""
    monkeypatch.setattr(importing, "MEETINGS_MAX", 1)
    with pytest.raises(RefusedError, match=r"2 new meetings beside 0 .* expected at most 1"):
        outcome(GOOGLE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    opened.close()


def test_every_change_is_written_with_its_entry_in_the_trail(store: Store) -> None:
    """Under who brought it in; a second import finds what the first one wrote."""
    budi = Doer("budi", "shell")
    carry_out(store, outcome(GOOGLE), budi, NOW)
    assert [each.author for each in store.meetings()] == ["budi", "budi"]
    assert store.trail(0, 1e11) == [
        Entry(NOW, "budi", "shell", "import", "meeting:rapat-bulanan-wilayah-timur"),
        Entry(NOW, "budi", "shell", "import", "meeting:rapat-pilkada"),
    ]
    assert outcome(GOOGLE, *store.meetings()).same == 2
