"""Calendar files, read: what Outlook, Google and Zoom write, and each refusal with its line."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.calendars import GOOGLE, OUTLOOK, ZOOM, crlf, event, together
from vcmon.errors import ConfigError
from vcmon.readiness import ics
from vcmon.readiness.events import RULES_MAX, Event, read_events

UTC = ZoneInfo("UTC")
START = "DTSTART:20261123T010000Z"
FIXED = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE"""
TURNING = FIXED.replace(
    "END:VTIMEZONE",
    "BEGIN:DAYLIGHT\nDTSTART:16010325T020000\nRRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0100\n"
    "TZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE",
)


def at(text: str) -> float:
    """Wall seconds of a UTC time."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()


def one(*lines: str, method: str = "", head: str = "") -> Event:
    (found,) = read_events(event(*lines, method=method, head=head), "x.ics")
    return found


def refused(data: bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read_events(data, "x.ics")
    return [str(problem) for problem in raised.value.problems]


def test_what_outlook_writes() -> None:
    """A BOM, a zone of Windows, folds, quoted parameters; a moved and a cancelled time."""
    series, moved, gone = read_events(OUTLOOK, "x.ics")
    assert series == Event(
        line=14,
        uid="040000008200E00074C5B7101A82E00800000000B0A1",
        title="Rapat koordinasi mingguan Pusat dan Daerah, bersama semua provinsi",
        organiser="Pusdatin, Kemendagri",
        sequence=2,
        start=at("2026-11-23 01:00"),
        seconds=7200.0,
        zone="Asia/Jakarta",
        rule="FREQ=WEEKLY;COUNT=10;BYDAY=MO;WKST=SU",
        excluded=(at("2026-12-07 01:00"), at("2026-12-14 01:00")),
    )
    assert (moved.replaces, moved.start) == (at("2026-11-30 01:00"), at("2026-12-01 02:00"))
    assert (moved.seconds, moved.sequence, moved.cancelled) == (5400.0, 3, False)
    assert (gone.replaces, gone.cancelled) == (at("2026-12-21 01:00"), True)


def test_what_google_writes() -> None:
    """A rule until a UTC time in WITA, a time in UTC, a day that is none of a meeting."""
    monthly, once, holiday, old = read_events(GOOGLE, "x.ics")
    assert (monthly.zone, monthly.start) == ("Asia/Makassar", at("2026-11-24 01:00"))
    assert monthly.excluded == (at("2026-12-22 01:00"),)
    assert (once.zone, once.start, once.seconds) == ("Asia/Jakarta", at("2026-11-26 01:00"), 5400)
    assert (once.organiser, once.floating) == ("Budi", False)
    assert holiday.all_day
    assert not old.all_day


def test_what_zoom_writes() -> None:
    """Two days of the week, and a TZID where none belongs, which is nobody's business."""
    (found,) = read_events(ZOOM, "x.ics")
    assert found.rule == "FREQ=WEEKLY;WKST=SU;UNTIL=20261214T170000Z;INTERVAL=1;BYDAY=MO,TH"
    assert (found.uid, found.zone) == ("ZOOM81234567890", "Asia/Jakarta")


def test_a_fold_may_go_through_a_character() -> None:
    """Unfolded as bytes: calendars fold after 75 of them, whatever stands there."""
    data = event(START, "SUMMARY:Rapat é").replace("é".encode(), b"\xc3\r\n \xa9")
    assert read_events(data, "x.ics")[0].title == "Rapat é"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n\r\n"])
def test_lines_end_in_any_way(end: bytes) -> None:
    """Files that went through other programs have other ends, and empty lines."""
    assert read_events(OUTLOOK.replace(b"\r\n", end), "x.ics")[0].seconds == 7200.0


@pytest.mark.parametrize(
    ("name", "head", "zone"),
    [
        ("Asia/Jayapura", "", "Asia/Jayapura"),
        ("Tokyo Standard Time", "", "Asia/Jayapura"),
        ("SE Asia Standard Time", "", "Asia/Jakarta"),
        ("Singapore Standard Time", "", "Asia/Makassar"),
        ("WITA", "", "Asia/Makassar"),
        ("/citadel.example/20190914_1/Asia/Pontianak", "", "Asia/Jakarta"),
        ("(UTC+07:00) Bangkok, Hanoi, Jakarta", FIXED.format(
            name="(UTC+07:00) Bangkok\\, Hanoi\\, Jakarta", offset="+0700"), "Asia/Jakarta"),
        ("Own", FIXED.format(name="Own", offset="+0900"), "Asia/Jayapura"),
        ("Own", FIXED.format(name="Own", offset="-0500"), "Etc/GMT+5"),
        ("Own", FIXED.format(name="Own", offset="+0000"), "UTC"),
        # what the file says of its zone holds, whatever a zone of that name is elsewhere
        ("Asia/Jakarta", FIXED.format(name="Asia/Jakarta", offset="+0800"), "Asia/Makassar"),
        ("Europe/Berlin", TURNING.format(name="Europe/Berlin", offset="+0100"), "Europe/Berlin"),
    ],
)  # fmt: skip
def test_whose_clock_it_is(name: str, head: str, zone: str) -> None:
    """By the VTIMEZONE where that says one offset, else by a name of IANA or of Windows."""
    quoted = f'"{name}"' if "," in name else name
    found = one(f"DTSTART;TZID={quoted}:20261123T080000", head=head)
    assert found.zone == zone
    assert found.start == datetime(2026, 11, 23, 8, tzinfo=ZoneInfo(zone)).timestamp()


def test_a_location_names_a_zone_that_turns_its_clocks() -> None:
    """A name of one's own, with the IANA name beside it."""
    head = TURNING.format(name="Own", offset="+0100").replace(
        "BEGIN:STANDARD", "X-LIC-LOCATION:Europe/Berlin\nBEGIN:STANDARD", 1
    )
    assert one("DTSTART;TZID=Own:20261123T080000", head=head).zone == "Europe/Berlin"


def test_a_time_without_a_zone_is_the_centres() -> None:
    """And it is told that it was taken so."""
    found = one("DTSTART:20261123T080000")
    assert (found.start, found.zone, found.floating) == (
        at("2026-11-23 01:00"), "Asia/Jakarta", True,
    )  # fmt: skip


def test_a_rule_in_utc_is_kept_where_it_is_another_day() -> None:
    """Sunday 20.00 UTC is Monday in Jakarta: BYDAY=SU would be another day there."""
    late = one("DTSTART:20261122T200000Z", "RRULE:FREQ=WEEKLY;BYDAY=SU")
    early = one(START, "RRULE:FREQ=WEEKLY;BYDAY=MO")
    assert (late.zone, early.zone) == ("UTC", "Asia/Jakarta")


def test_times_beside_the_rule() -> None:
    """RDATE with times and with periods, EXDATE with a day alone, a start that is no day of it."""
    found = one(
        "DTSTART;TZID=Asia/Jakarta:20261124T080000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        "RDATE;TZID=Asia/Jakarta:20261201T080000,20261202T083000",
        "RDATE;VALUE=PERIOD:20261203T010000Z/PT30M,20261204T010000Z/20261204T020000Z",
        "EXDATE;VALUE=DATE:20261130",
    )
    assert found.added == (
        (at("2026-11-24 01:00"), 0.0),
        (at("2026-12-01 01:00"), 0.0),
        (at("2026-12-02 01:30"), 0.0),
        (at("2026-12-03 01:00"), 1800.0),
        (at("2026-12-04 01:00"), 3600.0),
    )
    assert found.excluded == (at("2026-11-30 01:00"),)


@pytest.mark.parametrize(("method", "status"), [("CANCEL", "CONFIRMED"), ("", "cancelled")])
def test_what_is_called_off(method: str, status: str) -> None:
    """By the calendar's method or by its own state; without a start, too."""
    assert one(f"STATUS:{status}", "SEQUENCE:4", method=method).cancelled


def test_hostile_words_are_kept_harmless_and_short() -> None:
    """Control characters are gone, nothing is longer than the settings allow."""
    found = one(START, "SUMMARY:a\\nb\x1b[31m\u202ec" + "x" * 900)
    assert found.title.startswith("a b [31m c")
    assert len(found.title) == 200


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("SUMMARY:a",), "x.ics:3: DTSTART: needed, but missing"),
        (("DTSTART:tomorrow",), "x.ics:6: DTSTART: expected a time as 20261123T080000, found 'tom"),
        (("DTSTART:20261323T080000",), "x.ics:6: DTSTART: expected a time as 20261123T080000, f"),
        (("DTSTART:PT1H",), "x.ics:6: DTSTART: expected a time as 20261123T080000, found 'PT1H'"),
        (("DTSTART:00010101T000000Z",), "x.ics:6: DTSTART: "),
        (("DTSTART:19600101T000000Z",), "x.ics:6: DTSTART: expected a time of our days"),
        (("DTSTART;TZID=Mars/Base:20261123T080000",), "x.ics:6: DTSTART: the time zone 'Mars/B"),
        (("DTSTART;TZID=../../etc/passwd:20261123T080000",), "x.ics:6: DTSTART: the time zone"),
        ((START, START), "x.ics:7: DTSTART: stands here"),
        ((START, "DTEND:20261123T010000Z"), "x.ics:6: DTEND: it ends before"),
        ((START, "DURATION:2h"), "x.ics:6: DURATION: expected a time as"),
        ((START, "DURATION:20261123"), "x.ics:6: DURATION: expected a duration"),
        ((START, "RRULE:FREQ=SECONDLY"), "x.ics:7: RRULE: expected FREQ=, one"),
        ((START, "RRULE:FREQ=DAILY;BYSECOND=1"), "x.ics:7: RRULE: BYSECOND is"),
        ((START, "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=SU"), "x.ics:7: RRULE: ther"),
        ((START, "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"), "x.ics:8: RRULE: sta"),
        ((START, "EXRULE:FREQ=DAILY"), "x.ics:7: EXRULE: not known here"),
        ((START, "RDATE;VALUE=DATE:20261124"), "x.ics:7: RDATE: expected a ti"),
        ((START, "RDATE:20261124T010000Z/-PT1H"), "x.ics:7: RDATE: it ends be"),
        ((START, "RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T010000Z"),
         "x.ics:7: RECURRENCE-ID: RANGE is not known here"),
        ((START, "UID:"), "x.ics:3: UID: expected 1 to 500 characters, found 0"),
        ((START, f"UID:{'x' * 501}"), "x.ics:3: UID: expected 1 to 500 char"),
        (("DTSTART;=:20261123T010000Z",), "x.ics:6: DTSTART: not a line of RFC 5545"),
        ((START, "EXDATE:" + "20261124T010000Z," * 501), "x.ics:3: expected at"),
        ((START, "EXDATE:" + "x" * 20_000), "x.ics:7: EXDATE: expected at mos"),
        ((START, *["EXDATE:20261124T010000Z"] * 1001), "x.ics:1004: EXDATE: e"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_told_with_its_line(lines: tuple[str, ...], told: str) -> None:
    """The line that is wrong, what was expected, what was found; nothing is taken over."""
    assert refused(event(*lines))[0].startswith(told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "x.ics:1: no iCalendar file: expected BEGIN:VCALENDAR"),
        (b"\xff\xfeB\x00E\x00", "x.ics:1: not UTF-8 (byte 0xff): save it as UTF-8"),
        (b"%PDF-1.7", "x.ics:1: expected NAME:VALUE, found '%PDF-1.7'"),
        (b"VERSION:2.0", "x.ics:1: expected BEGIN:VCALENDAR, found 'VERSION:2.0'"),
        (b"BEGIN:VEVENT\nEND:VEVENT", "x.ics:1: BEGIN:VEVENT has no place here"),
        (OUTLOOK[:1200], "x.ics:14: the file ends within 'VEVENT', begun here: it is not whole"),
        (OUTLOOK.replace(b"END:VALARM\r\n", b""), "x.ics:40: expected END:VALARM (begun in "),
        (crlf("\n".join(["BEGIN:VCALENDAR", *["BEGIN:X"] * 5])), "x.ics:6: expected at most 5 co"),
        (event(START, method="REPLY"), "x.ics:4: METHOD: 'REPLY' is some"),
        (b"x" * (ics.FILE_MAX + 1), "x.ics: expected at most 4 MiB, found more"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused(data: bytes, told: str) -> None:
    """A broken, cut or foreign file: one clear word, with the line where there is one."""
    (problem,) = refused(data)
    assert problem.startswith(told)


def test_a_file_is_read_as_far_as_it_makes_sense() -> None:
    """Several calendars in one file; every wrong event is told, up to twenty."""
    good = event(START)
    assert len(read_events(together(good, good), "x.ics")) == 2
    bad = event("DTSTART:x")
    assert len(refused(together(bad, good, bad))) == 2
    assert len(refused(together(*[bad] * 50))) == 20


def test_the_number_of_events_is_bounded() -> None:
    """One more than the bound ends the reading, before any of them is looked into."""
    many = ["BEGIN:VEVENT", "END:VEVENT"] * (ics.EVENTS_MAX + 1)
    (problem,) = refused(crlf("\n".join(["BEGIN:VCALENDAR", *many, "END:VCALENDAR"])))
    assert problem == "x.ics:10002: expected at most 5000 events, found more"


def test_the_number_of_rules_is_bounded() -> None:
    """Each has to be followed: a file of thousands would hold the command up for minutes."""
    rule = event(START, "RRULE:FREQ=DAILY;COUNT=9999")
    assert len(read_events(together(*[rule] * RULES_MAX), "x.ics")) == RULES_MAX
    (problem,) = refused(together(*[rule] * (RULES_MAX + 1)))
    assert problem.endswith("RRULE: expected at most 500 recurring events, found more")
