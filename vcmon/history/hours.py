"""The hours that count: the whole time, or the office hours of a time zone. Pure.

Office hours are those of the province itself: 07.30 in Jayapura is two hours before 07.30 in
Jakarta. No zone of Indonesia has summer time, but nothing here relies on it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import holidays

from vcmon.history.spans import Spans, merged, overlap

FRIDAY = 4

DAY = timedelta(days=1)

CATEGORIES = ("public", "government")
"""National holidays, and the days of collective leave (cuti bersama) that the state gives."""


@dataclass(frozen=True, slots=True)
class Office:
    """When an office is open, by its own clock; Monday to Friday."""

    start: time
    stop: time
    friday_stop: time

    def on(self, day: date) -> tuple[time, time] | None:
        """Opening and closing on a day that is no holiday; None at the week's end."""
        if day.weekday() > FRIDAY:
            return None
        return self.start, self.friday_stop if day.weekday() == FRIDAY else self.stop


def whole_time(start: int, stop: int) -> Spans:
    """All of ``[start, stop)``, in milliseconds."""
    return merged([(start, stop)])


def office_hours(
    start: int, stop: int, zone: tzinfo, office: Office, closed: Container[date]
) -> Spans:
    """The office hours within ``[start, stop)`` of one zone; none on the days in ``closed``."""
    opened = []
    for day in days(start, stop, zone):
        times = office.on(day)
        if times is not None and day not in closed:
            opened.append((moment(day, times[0], zone), moment(day, times[1], zone)))
    return overlap(merged(opened), whole_time(start, stop))


def days(start: int, stop: int, zone: tzinfo) -> Iterable[date]:
    """Every day of the zone's calendar that has a part in ``[start, stop)``."""
    day, last = _day(start, zone), _day(stop, zone)
    while day <= last:
        yield day
        day += DAY


def _day(at: int, zone: tzinfo) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone).date()


def moment(day: date, clock: time, zone: tzinfo) -> int:
    """The milliseconds at which the zone's clocks show this."""
    return round(datetime.combine(day, clock, zone).timestamp()) * 1000


def days_off(start: int, stop: int, zone: tzinfo) -> Mapping[date, str]:
    """Public holidays and collective leave in ``[start, stop)``, with their names.

    Those that the state has yet to set (they follow the moon) are estimates, and say so
    ("perkiraan"). Reads the files of ``holidays``: not for the event loop.
    """
    wanted = set(days(start, stop - 1, zone))
    known = holidays.country_holidays(
        "ID", years={day.year for day in wanted}, categories=CATEGORIES, language="id"
    )
    return {day: name for day, name in sorted(known.items()) if day in wanted}
