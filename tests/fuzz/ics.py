"""Any bytes as a calendar file: meetings, or ConfigError with a line."""

from __future__ import annotations

from tests.fakes.calendars import GOOGLE, OUTLOOK, ZOOM, event
from tests.fakes.clock import EPOCH
from tests.fuzz.target import Target
from vcmon.errors import ConfigError
from vcmon.history.meetings import over_at
from vcmon.readiness import agenda
from vcmon.readiness.events import Event, read_events
from vcmon.readiness.ics import PROBLEMS_MAX
from vcmon.readiness.importing import Wishes, decide

DAY = 86_400.0

SEEDS = (
    OUTLOOK,
    GOOGLE,
    ZOOM,
    event("DTSTART:20261123T080000", "RDATE;VALUE=PERIOD:20261201T010000Z/PT2H,20261202T010000Z"),
    event("DTSTART:20261123T010000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=9"),
    event(
        'DTSTART;TZID="(UTC-05:00) Own":20261123T080000',
        "STATUS:CANCELLED",
        "RECURRENCE-ID;VALUE=DATE:20261123",
        method="CANCEL",
        head="BEGIN:VTIMEZONE\nTZID:(UTC-05:00) Own\nBEGIN:STANDARD\nTZOFFSETTO:-0500\n"
        "END:STANDARD\nEND:VTIMEZONE",
    ),
)


def one(data: bytes) -> None:
    """Read ``data``; raises AssertionError, or whatever the reader should not raise."""
    events = _read(data)
    outcome = decide(events, (), Wishes(), EPOCH)
    for change in outcome.changes:
        meeting = change.meeting
        assert over_at(meeting) is None or agenda.following(meeting, EPOCH)
        for sitting in agenda.sittings([meeting], EPOCH, EPOCH + 30 * DAY):
            assert sitting.start < sitting.stop
    again = decide(events, [each.meeting for each in outcome.changes], Wishes(), EPOCH)
    assert again.changes == [], (outcome.changes, again.changes)


def _read(data: bytes) -> tuple[Event, ...]:
    try:
        return read_events(data, "x.ics")
    except ConfigError as error:
        _documented(error)
        return ()


def _documented(error: ConfigError) -> None:
    assert 0 < len(error.problems) <= PROBLEMS_MAX + 1
    for problem in error.problems:
        assert problem.line > 0
        assert len(str(problem)) < 600
        str(problem).encode()


TARGET = Target(one, SEEDS)
