"""Recurrence rules of RFC 5545, as far as maintenance and meetings need them; pure.

A rule is read in its window's own zone: every Sunday at 22.00 WIT stays at 22.00 WIT. An UNTIL
without a zone is meant in it, too, and a date alone means the whole of that day.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, WEEKLY, rrule, rrulestr

from vcmon.model.meeting import Meeting
from vcmon.model.memory import Maintenance

RULE_MAX = 200
"""Characters; a rule for every second Sunday until 2030 has 50."""

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
"""More often than daily is no maintenance and no meeting: thousands of occasions of one line."""

KNOWN = frozenset(
    {
        *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"),
        *("BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYWEEKNO", "BYYEARDAY"),
    }
)
"""Without BYHOUR, BYMINUTE and BYSECOND: the time of day is the start's."""

_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


def check_rule(text: str, first: datetime) -> None:
    """Raise ValueError, saying what is wrong, unless we can follow the rule from ``first`` on.

    One that does not come true within 28 years is refused, too: whoever followed it later would
    search until the year 9999, which takes seconds.
    """
    if len(text) > RULE_MAX:
        raise ValueError(f"expected at most {RULE_MAX} characters, found {len(text)}")
    parts = _parts(text)
    for name, value in parts.items():
        if name not in KNOWN:
            raise ValueError(f"{name} is not known here; known: {', '.join(sorted(KNOWN))}")
        if not value:
            raise ValueError(f"{name} has no value")
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"expected FREQ=, one of {', '.join(FREQUENCIES)}")
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not re.fullmatch(r"[1-9]\d{0,3}", parts[name]):
            raise ValueError(f"{name}: expected 1 to 9999")
    _check_days(parts)
    try:
        # Without its end: a rule that never comes true is searched for up to the year 9999.
        endless = ";".join(f"{name}={value}" for name, value in parts.items() if name != "UNTIL")
        rule_of(text, first)
        happens = next(iter(rule_of(endless, _late(first))), None) is not None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"not a rule of RFC 5545: {error}") from None
    if not happens:
        raise ValueError("there is no such day: this never happens")


def _late(first: datetime) -> datetime:
    """The same day of the same week in a year like this one, with no more than 55 left to search.

    Every 28 years the calendar is the same, where no century comes between.
    """
    shape = first.replace(month=12, day=31).weekday(), first.year % 4
    years = range(9944, 9972)
    alike = (year for year in years if (date(year, 12, 31).weekday(), year % 4) == shape)
    return first.replace(year=next(alike, first.year))


def _check_days(parts: dict[str, str]) -> None:
    """Refuse what dateutil fails on only when it meets the first month without such a day."""
    most = {"MONTHLY": 5, "YEARLY": 5 if "BYMONTH" in parts else 53}.get(parts["FREQ"], 0)
    for day in parts.get("BYDAY", "").split(","):
        ordinal = re.fullmatch(r"([+-]?\d{1,2})[A-Z]{2}", day)
        if ordinal and not 1 <= abs(int(ordinal[1])) <= most:
            raise ValueError(f"BYDAY: {day} is in no {parts['FREQ'].lower()} rule")


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not re.fullmatch(r"[A-Z]+", name):
            raise ValueError("expected NAME=VALUE parts between ';', as FREQ=WEEKLY;BYDAY=SU")
        if name in parts:
            raise ValueError(f"{name} stands here twice")
        parts[name] = value
    return parts


@lru_cache(maxsize=1000)
def rule_of(text: str, start: datetime) -> rrule:
    """The rule beginning at the aware ``start``. Raises ValueError."""
    parts = _parts(text)
    if until := parts.get("UNTIL"):
        zone = start.tzinfo
        match = _UNTIL.fullmatch(until)
        if match is None:
            raise ValueError("UNTIL: expected a date as 20261231, or with a time 20261231T170000Z")
        hour = time.fromisoformat(match[2]) if match[2] else time(23, 59, 59)
        at = datetime.combine(date.fromisoformat(match[1]), hour, UTC if match[3] else zone)
        parts["UNTIL"] = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    made = rrulestr(";".join(f"{k}={v}" for k, v in parts.items()), dtstart=start)
    if not isinstance(made, rrule):
        raise ValueError("expected one rule")  # noqa: TRY004  a wrong text, not a wrong type
    return made


def starts(text: str, first: datetime, low: float, high: float) -> Iterator[float]:
    """When (wall seconds) the rule begins an occasion from ``low`` to before ``high``, in order."""
    rule = rule_of(text, _nearer(text, first, low))
    for moment in rule:
        at = moment.timestamp()
        if at >= high:
            return
        if at >= low:
            yield at


def planned_starts(it: Maintenance | Meeting, low: float, high: float) -> Iterator[float]:
    """When, by its rule or once, it begins from ``low`` to before ``high``, in order."""
    if it.rule:
        first = datetime.fromtimestamp(it.start, ZoneInfo(it.zone))
        yield from starts(it.rule, first, low, high)
    elif low <= it.start < high:
        yield it.start


def ends(text: str, first: datetime) -> float | None:
    """Wall seconds after which the rule begins nothing; None for one that goes on without end."""
    rule = rule_of(text, first)
    if "COUNT=" in text.upper():  # 9999 at the most
        last = deque(rule, maxlen=1)
        return last[0].timestamp() if last else first.timestamp()
    until: datetime | None = rule._until  # type: ignore[attr-defined]  # noqa: SLF001  see _nearer
    return None if until is None else until.timestamp()


def _nearer(text: str, first: datetime, low: float) -> datetime:
    """A later start of the same rule, so that years gone by are not counted through.

    Only where that is exact: whole periods of days or weeks, and no COUNT.
    """
    rule = rule_of(text, first)
    period = {DAILY: 1, WEEKLY: 7}.get(rule._freq, 0) * rule._interval  # type: ignore[attr-defined]  # noqa: SLF001  it tells them no other way
    past = (low - first.timestamp()) / 86_400
    if not period or "COUNT=" in text.upper() or past < 2 * period:
        return first
    local = first + timedelta(days=int(past // period - 1) * period)
    return local if isinstance(first.tzinfo, ZoneInfo) else first
