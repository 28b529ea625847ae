"""Meetings in the settings: what is read of them, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.settings_files import loaded, problems, write
from vcmon.config.meetings import meeting_of, seats_of
from vcmon.config.provinces import provinces
from vcmon.config.schema import MeetingFields
from vcmon.model.meeting import CHECKPOINTS, Limits, Meeting, Origin, Seat

MONDAY = datetime(2026, 11, 23, 8, tzinfo=ZoneInfo("Asia/Jakarta")).timestamp()
ALL = tuple(slug for slug in provinces() if slug != "pusat")
NEW = ("papua-selatan", "papua-tengah", "papua-pegunungan", "papua-barat-daya")
BEFORE_2022 = tuple(slug for slug in ALL if slug not in NEW)
"""The 34 that had links when the system was built, before Papua was divided."""

RIGHT = {
    "id": "id: m",
    "title": "title: a",
    "start": "start: 2026-11-23 08:00",
    "duration": "duration: 2h",
}


def test_all_that_a_meeting_says_is_read(tmp_path: Path) -> None:
    """Provinces by any name, in the order of their codes; checkpoints the earliest first."""
    text = """
meetings:
  - id: mingguan
    title: "Rapat  mingguan"
    organiser: Pusdatin
    start: 2026-11-23 10.00
    duration: 2h
    zone: WIT
    repeat: FREQ=WEEKLY;BYDAY=MO
    room: a
    required: [Bali, aceh]
    optional: ["91"]
    checkpoints: [0s, 1h, 90s]
    limits: {loss: 0.02, rtt: 500ms, window: 5m}
"""
    assert loaded(tmp_path, text).meetings == (
        Meeting(
            "mingguan", "Rapat mingguan", MONDAY, 7200.0,
            (Seat("aceh"), Seat("bali"), Seat("papua", required=False)), "Pusdatin", "a",
            "Asia/Jayapura", "FREQ=WEEKLY;BYDAY=MO",
            limits=Limits(loss=0.02, rtt=0.5, window=300.0, calm=1800.0),
            checkpoints=(3600.0, 90.0, 0.0),
        ),
    )  # fmt: skip


def test_what_is_unsaid_is_all_provinces_at_the_usual_checkpoints(tmp_path: Path) -> None:
    """38 required provinces, T-60, T-30, T-10 and T0, the limits of each link's class."""
    (meeting,) = loaded(tmp_path, f"meetings: [{{{', '.join(RIGHT.values())}}}]").meetings
    assert meeting.seats == tuple(map(Seat, ALL))
    assert len(meeting.seats) == 38
    assert (meeting.checkpoints, meeting.limits) == (CHECKPOINTS, Limits())
    assert (meeting.rule, meeting.zone, meeting.origin) == ("", "Asia/Jakarta", Origin.SETTINGS)


def test_a_roster_of_34_and_one_of_38() -> None:
    """A list is taken as it is; 'all' is the rest, on whichever side it stands."""
    assert len(BEFORE_2022) == 34
    assert seats_of(BEFORE_2022[::-1], ()) == tuple(map(Seat, BEFORE_2022))
    both = seats_of(BEFORE_2022, ("all",))
    assert len(both) == 38
    assert [seat.province for seat in both if seat.required] == list(BEFORE_2022)
    assert seats_of(("all",), NEW) == both


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "id: Mingguan"}, "id: expected a name of at most 40 of a-z, 0-9 and '-'"),
        ({"id": f"id: {'a' * 41}"}, "id: expected a name of at most 40 of a-z"),
        ({"title": "title: ' '"}, "title: expected a few words, found nothing"),
        ({"start": "start: Monday"}, "start: expected a local time as 2026-11-22 22:00"),
        ({"start": "start: '2026-11-23 08:00:30'"}, "start: a meeting begins at a whole minute"),
        ({"duration": "duration: 25h"}, "duration: expected 1m to 1d, found 25h"),
        ({"x": "zone: WIX"}, "zone: expected a time zone, as Asia/Jayapura, WIB"),
        ({"x": "repeat: FREQ=SECONDLY"}, "repeat: expected FREQ=, one of DAILY, WEEKLY"),
        ({"x": "room: b"}, "room: no endpoint of that name here: 'b'"),
        ({"x": "required: [papau]"}, "required: expected a province or 'all', found 'papau'; did"),
        ({"x": "required: [pusat]"}, "required: expected a province or 'all', found 'pusat'"),
        ({"x": "required: [aceh, '11']"}, "required: '11' stands here twice: keep one"),
        ({"x": "required: [aceh, all]"}, "required: 'all' has 'aceh' already: keep one"),
        ({"x": "required: [aceh], optional: [aceh]"}, "required: aceh: required and optional, too"),
        ({"x": "required: []"}, "required: expected provinces, or 'all', found none"),
        ({"x": "required: 5"}, "required: expected a list, found 5"),
        ({"x": "checkpoints: []"}, "checkpoints: "),
        ({"x": "checkpoints: [10m, 600s]"}, "checkpoints: one stands here twice: keep one"),
        ({"x": "checkpoints: [25h]"}, "checkpoints: expected at most 1d before the start"),
        ({"x": "limits: {loss: 2}"}, "limits.loss: expected a value less than or equal to 1"),
        ({"x": "limits: {calm: 2d}"}, "limits.calm: expected 0ms to 1d, found '2d'"),
        ({"x": "limits: {los: 1}"}, "limits.los: unknown key; known here: loss, jitter, rtt"),
        ({"x": "at: 8"}, "at: unknown key; known here: id, title, organiser"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, wrong: dict[str, str], told: str
) -> None:
    """One problem, at the meeting's line and key."""
    text = f"vantage: a\nmeetings:\n- {{{', '.join((RIGHT | wrong).values())}}}"
    (problem,) = problems(write(tmp_path, text))
    assert problem.startswith(f"v.yaml:3: meetings[0].{told}")


def test_two_meetings_have_two_names(tmp_path: Path) -> None:
    """The second of the same id is the one that is told."""
    entry = f"{{{', '.join(RIGHT.values())}}}"
    (problem,) = problems(write(tmp_path, f"meetings:\n- {entry}\n- {entry}"))
    assert problem.startswith("v.yaml:3: meetings[1].id: 'm' stands here twice")


def test_what_a_person_plans_tells_all_that_is_wrong() -> None:
    """The same words as in the file; every problem in one error."""
    written = {"id": "m", "title": " ", "start": "8", "duration": "2h", "room": "x"}
    fields = MeetingFields.model_validate_json(json.dumps(written), strict=True)
    with pytest.raises(ValueError, match=r"start: expected .*; title: expected .*; room: no"):
        meeting_of(fields, ())
