"""Hours that count, worked out by hand."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from vcmon.history.hours import Office, days_off, office_hours, whole_time
from vcmon.history.spans import Spans, total

WIB, WITA, WIT = (ZoneInfo(f"Asia/{city}") for city in ("Jakarta", "Makassar", "Jayapura"))
OFFICE = Office(time(7, 30), time(16), time(16))
LONG_FRIDAY = Office(time(7, 30), time(16), time(16, 30))
HOUR = 3_600_000


def at(zone: ZoneInfo, *when: int) -> int:
    """Milliseconds of a zone's own calendar and clock."""
    return int(datetime(*when, tzinfo=zone).timestamp()) * 1000  # type: ignore[misc,arg-type]


def hours(zone: ZoneInfo, start: int, stop: int, office: Office = OFFICE) -> Spans:
    return office_hours(start, stop, zone, office, days_off(start, stop, zone))


def test_office_hours_of_a_month_without_holidays() -> None:
    """October 2026 has 22 weekdays and no day off: 22 times 8 h 30 min."""
    start, stop = at(WIB, 2026, 10, 1), at(WIB, 2026, 11, 1)
    assert days_off(start, stop, WIB) == {}
    assert total(hours(WIB, start, stop)) == 22 * 17 * HOUR // 2 == 673_200_000


def test_a_long_friday_is_told_apart() -> None:
    """The five Fridays of October 2026 are half an hour longer where that is set."""
    start, stop = at(WIB, 2026, 10, 1), at(WIB, 2026, 11, 1)
    assert total(hours(WIB, start, stop, LONG_FRIDAY)) == 673_200_000 + 5 * HOUR // 2


def test_holidays_and_collective_leave_are_no_office_days() -> None:
    """March 2026: 22 weekdays, less the five of Nyepi and Idulfitri (18 to 20, 23, 24)."""
    start, stop = at(WIB, 2026, 3, 1), at(WIB, 2026, 4, 1)
    off = days_off(start, stop, WIB)
    assert [day.day for day in off] == [18, 19, 20, 21, 22, 23, 24]
    assert total(hours(WIB, start, stop)) == 17 * 17 * HOUR // 2


def test_december_has_christmas_and_its_leave() -> None:
    """December 2026: 23 weekdays less the 24th (collective leave) and the 25th."""
    start, stop = at(WIB, 2026, 12, 1), at(WIB, 2027, 1, 1)
    assert total(hours(WIB, start, stop)) == 21 * 17 * HOUR // 2


@pytest.mark.parametrize(("zone", "shift"), [(WIB, 0), (WITA, 1), (WIT, 2)])
def test_each_province_opens_by_its_own_clock(zone: ZoneInfo, shift: int) -> None:
    """A Monday's 07.30 is an hour earlier in Makassar, two in Jayapura."""
    start, stop = at(WIB, 2026, 11, 23), at(WIB, 2026, 11, 24)
    opened = at(WIB, 2026, 11, 23, 7, 30) - shift * HOUR
    assert hours(zone, start, stop) == ((opened, opened + 17 * HOUR // 2),)


def test_a_report_of_one_zone_cuts_the_days_of_another() -> None:
    """1 May 2026, a holiday, begins in Jayapura two hours before Jakarta's April ends."""
    start, stop = at(WIB, 2026, 4, 30), at(WIB, 2026, 5, 1)
    thursday = at(WIT, 2026, 4, 30, 7, 30)
    assert hours(WIT, start, stop) == ((thursday, thursday + 17 * HOUR // 2),)


def test_leap_day_is_an_office_day() -> None:
    """29 February 2028 is a Tuesday; of that month's 21 weekdays one is Idulfitri (28th)."""
    day = at(WIB, 2028, 2, 29)
    assert total(hours(WIB, day, day + 24 * HOUR)) == 17 * HOUR // 2
    start, stop = at(WIB, 2028, 2, 1), at(WIB, 2028, 3, 1)
    assert total(whole_time(start, stop)) == 29 * 24 * HOUR
    assert days_off(start, stop, WIB)[date(2028, 2, 28)].endswith("(perkiraan)")
    assert total(hours(WIB, start, stop)) == 20 * 17 * HOUR // 2


def test_a_zone_with_summer_time_keeps_its_wall_clock() -> None:
    """Where clocks step, office hours follow the wall: 07.30 is 07.30, and as long as ever."""
    berlin = ZoneInfo("Europe/Berlin")
    start, stop = at(berlin, 2026, 3, 27), at(berlin, 2026, 3, 31)
    friday, monday = at(berlin, 2026, 3, 27, 7, 30), at(berlin, 2026, 3, 30, 7, 30)
    assert monday - friday == 71 * HOUR
    assert office_hours(start, stop, berlin, OFFICE, ()) == (
        (friday, friday + 17 * HOUR // 2),
        (monday, monday + 17 * HOUR // 2),
    )


def test_nothing_in_an_empty_span() -> None:
    """A span that is empty has no hours of either kind."""
    moment = at(WIB, 2026, 11, 23, 9)
    assert whole_time(moment, moment) == ()
    assert hours(WIB, moment, moment) == ()
