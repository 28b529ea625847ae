"""What one VEVENT says, in wall seconds: which times it gives, and what of them is no meeting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.prop import vDDDTypes
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from vcmon.config.recurrence import check_rule, starts
from vcmon.config.report import Place, Report
from vcmon.config.text import clean, shown
from vcmon.config.windows import parse_zone
from vcmon.readiness.ics import PROBLEMS_MAX, Component, Property, TimeZone, read_components

CENTRE = ZoneInfo("Asia/Jakarta")
"""Where a time that names no zone is taken to be meant."""

WORDS_MAX = 200
"""Characters of a title or a name that are kept, as in the settings."""

UID_MAX = 500
"""Characters; the longest that calendars make have some 250."""

TIMES_MAX = 500
"""Times of one event that are added or left out: a daily one changed for two years."""

RULES_MAX = 500
"""Recurring events of a file: a hostile rule takes ten milliseconds to follow, a usual one none."""

PLANS = frozenset({"", "PUBLISH", "REQUEST", "CANCEL"})
"""Methods of a calendar that plans something; the others are people's answers."""

_INDONESIAN = {7: "Asia/Jakarta", 8: "Asia/Makassar", 9: "Asia/Jayapura"}
_SEQUENCE = re.compile(r"\d{1,9}")
_FEW = (
    *("UID", "SEQUENCE", "STATUS", "SUMMARY", "ORGANIZER", "RECURRENCE-ID"),
    *("DTSTART", "DTEND", "DURATION", "RRULE"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT. ``seconds`` 0 where it does not say how long it takes."""

    line: int
    uid: str
    title: str = ""
    organiser: str = ""
    sequence: int = 0
    cancelled: bool = False
    start: float | None = None  # None: a cancellation that says none
    seconds: float = 0.0
    zone: str = CENTRE.key
    rule: str = ""
    excluded: tuple[float, ...] = ()
    added: tuple[tuple[float, float], ...] = ()  # start, and seconds or 0 for as long as others
    replaces: float | None = None  # the start of the series' time that this one stands for
    all_day: bool = False
    floating: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the file, and on whose clock it is written."""

    at: float
    zone: ZoneInfo
    day: bool = False  # a date alone; ``at`` is its midnight
    floating: bool = False


def read_events(data: bytes, file: str) -> tuple[Event, ...]:
    """Every event of the file, in its order. Raises ConfigError with all that is wrong in it."""
    report = Report()
    components = read_components(data, file, report)
    report.raise_any()
    events, rules = [], 0
    for component in components:
        try:
            event = _Reading(component).event()
        except _WrongError as error:
            report.add(Place(file, error.line, error.key), str(error))
            if len(report.problems) >= PROBLEMS_MAX:
                break
        else:
            events.append(event)
            rules += bool(event.rule)
            if rules > RULES_MAX:
                what = f"expected at most {RULES_MAX} recurring events, found more"
                report.add(Place(file, event.line, "RRULE"), what)
                break
    report.raise_any()
    return tuple(events)


class _WrongError(ValueError):
    """An event can't be read."""

    def __init__(self, line: int, key: str, what: str) -> None:
        self.line = line
        self.key = key
        super().__init__(what)


class _Reading:
    """One event being read."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._by_name: dict[str, list[Property]] = {}
        for each in component.properties:
            self._by_name.setdefault(each.name, []).append(each)

    def event(self) -> Event:
        """Raises _WrongError."""
        method = self._component.calendar.method
        if method not in PLANS:
            what = f"{shown(method)} is somebody's answer, not a plan"
            raise _WrongError(self._component.line, "METHOD", what)
        for name in _FEW:
            if len(found := self._by_name.get(name, [])) > 1:
                raise _WrongError(found[1].line, name, "stands here twice")
        for each in self._by_name.get("EXRULE", ()):
            raise _WrongError(each.line, "EXRULE", "not known here: leave times out by EXDATE")
        bare = self._words(method)
        start = self._one("DTSTART")
        if start is None and not bare.cancelled:
            raise _WrongError(bare.line, "DTSTART", "needed, but missing")
        first = self._moment(start) if start else None
        event = replace(bare, replaces=self._replaces(first))
        if first is None:
            return event
        event = replace(
            event,
            start=first.at,
            zone=first.zone.key,
            all_day=first.day,
            floating=first.floating,
            seconds=self._length(first),
        )
        return event if first.day or event.cancelled else self._series(event, first)

    def _words(self, method: str) -> Event:
        uid = clean(self._text("UID"))
        if not 0 < len(uid) <= UID_MAX:
            what = f"expected 1 to {UID_MAX} characters, found {len(uid)}"
            raise _WrongError(self._component.line, "UID", what)
        sequence = self._text("SEQUENCE")
        return Event(
            line=self._component.line,
            uid=uid,
            title=clean(self._text("SUMMARY"))[:WORDS_MAX],
            organiser=self._organiser(),
            sequence=int(sequence) if _SEQUENCE.fullmatch(sequence) else 0,
            cancelled=method == "CANCEL" or self._text("STATUS").upper() == "CANCELLED",
        )

    def _organiser(self) -> str:
        found = self._one("ORGANIZER")
        if found is None:
            return ""
        address = re.sub(r"^mailto:", "", found.value, flags=re.IGNORECASE)
        return clean(found.parameters.get("CN") or address)[:WORDS_MAX]

    def _replaces(self, first: Moment | None) -> float | None:
        found = self._one("RECURRENCE-ID")
        if found is None:
            return None
        if "RANGE" in found.parameters:
            what = "RANGE is not known here: what changes from a day on is a series of its own"
            raise _WrongError(found.line, found.name, what)
        return self._at_the_hour(self._moment(found), first)

    def _length(self, first: Moment) -> float:
        end, lasting = self._one("DTEND"), self._one("DURATION")
        if end is not None:
            seconds = self._moment(end).at - first.at
        elif lasting is not None:
            length = self._value(lasting, lasting.value)
            if not isinstance(length, timedelta):
                what = f"expected a duration as PT2H, found {shown(lasting.value)}"
                raise _WrongError(lasting.line, lasting.name, what)
            seconds = length.total_seconds()
        else:
            return 0.0
        if seconds <= 0:
            where = end or lasting
            assert where is not None
            raise _WrongError(where.line, where.name, "it ends before it begins")
        return seconds

    def _series(self, event: Event, first: Moment) -> Event:
        rule, added = self._rule(first)
        for each in self._by_name.get("RDATE", ()):
            added += [self._addition(each, text) for text in _parts(each)]
        gone = [
            self._at_the_hour(self._moment(each, text), first)
            for each in self._by_name.get("EXDATE", ())
            for text in _parts(each)
        ]
        if len(added) + len(gone) > TIMES_MAX:
            what = f"expected at most {TIMES_MAX} times of RDATE and EXDATE, found more"
            raise _WrongError(event.line, "", what)
        return replace(event, rule=rule, added=tuple(added), excluded=tuple(sorted(set(gone))))

    def _rule(self, first: Moment) -> tuple[str, list[tuple[float, float]]]:
        """The rule; and the first time where the rule, which need not, does not give it."""
        found = self._one("RRULE")
        if found is None:
            return "", []
        rule, local = found.value.upper().strip(";"), datetime.fromtimestamp(first.at, first.zone)
        try:
            check_rule(rule, local)
        except ValueError as error:
            raise _WrongError(found.line, found.name, str(error)) from None
        given = next(starts(rule, local, first.at, first.at + 1), None)
        return rule, [] if given is not None else [(first.at, 0.0)]

    def _addition(self, it: Property, text: str) -> tuple[float, float]:
        begins, slash, until = text.partition("/")
        moment = self._moment(it, begins)
        if moment.day:
            raise _WrongError(it.line, it.name, f"expected a time, found the day {shown(text)}")
        if not slash:
            return moment.at, 0.0
        end = self._value(it, until)
        seconds = (
            end.total_seconds()
            if isinstance(end, timedelta)
            else self._moment(it, until).at - moment.at
        )
        if seconds <= 0:
            raise _WrongError(it.line, it.name, "it ends before it begins")
        return moment.at, seconds

    @staticmethod
    def _at_the_hour(moment: Moment, first: Moment | None) -> float:
        """A day alone means the time of that day at which the series begins."""
        if not moment.day or first is None:
            return moment.at
        local = datetime.fromtimestamp(first.at, first.zone)
        day = datetime.fromtimestamp(moment.at, moment.zone)
        return local.replace(year=day.year, month=day.month, day=day.day).timestamp()

    # ---- values

    def _one(self, name: str) -> Property | None:
        return next(iter(self._by_name.get(name, ())), None)

    def _text(self, name: str) -> str:
        found = self._one(name)
        return "" if found is None else found.value

    @staticmethod
    def _value(it: Property, text: str) -> object:
        try:
            return vDDDTypes.from_ical(text)  # type: ignore[no-untyped-call]  # theirs
        except (ValueError, OverflowError):
            what = f"expected a time as 20261123T080000, found {shown(text)}"
            raise _WrongError(it.line, it.name, what) from None

    def _moment(self, it: Property, text: str | None = None) -> Moment:
        found = self._value(it, it.value if text is None else text)
        if not isinstance(found, date):  # a datetime is one
            what = f"expected a time as 20261123T080000, found {shown(text or it.value)}"
            raise _WrongError(it.line, it.name, what)
        zone, floating = CENTRE, False
        try:
            if not isinstance(found, datetime):
                midnight = datetime(found.year, found.month, found.day, tzinfo=CENTRE)
                return _our_days(Moment(midnight.timestamp(), CENTRE, day=True))
            if found.tzinfo is not None:
                zone = _clock_of(found.astimezone(UTC))
                at = found.timestamp()
            else:
                floating = "TZID" not in it.parameters
                if not floating:
                    zone = zone_of(it.parameters["TZID"], self._component.calendar.zones, found)
                at = found.replace(tzinfo=zone).timestamp()
            return _our_days(Moment(at, zone, floating=floating))
        except (ValueError, OverflowError) as error:
            raise _WrongError(it.line, it.name, str(error)) from None


def _parts(it: Property) -> Iterator[str]:
    return (text.strip() for text in it.value.split(",") if text.strip())


def _our_days(moment: Moment) -> Moment:
    if not 0 < moment.at < 4e9:
        raise ValueError("expected a time of our days")
    return replace(moment, at=moment.at // 60 * 60)  # sittings are named by the minute


def _clock_of(utc: datetime) -> ZoneInfo:
    """Jakarta's, where that changes no day of a rule: a calendar that writes UTC knows no zone."""
    return CENTRE if utc.astimezone(CENTRE).date() == utc.date() else ZoneInfo("UTC")


# ---- time zones


def zone_of(name: str, written: Mapping[str, TimeZone], when: datetime) -> ZoneInfo:
    """The zone that the file calls so: by its VTIMEZONE where that says one offset, else by name.

    Whatever is always seven, eight or nine hours ahead is WIB, WITA or WIT. Raises ValueError.
    """
    own, named = written.get(name), _named(name)
    if own is not None and named is None:
        named = _named(own.location)
    if own is None or len(own.offsets) != 1:
        if named is None:
            why = "changes its clocks" if own is not None else "is not told by a VTIMEZONE"
            what = "use a zone with a name, as Asia/Jakarta"
            raise ValueError(f"the time zone {shown(name)} is not known and {why}: {what}")
        return _indonesian(named)
    (offset,) = own.offsets
    if named is not None and when.replace(tzinfo=named).utcoffset() == timedelta(seconds=offset):
        return _indonesian(named)
    hours, rest = divmod(offset, 3600)
    if rest or not -12 <= hours <= 14:
        raise ValueError(f"the time zone {shown(name)} has an offset that is not known here")
    if hours in _INDONESIAN:
        return ZoneInfo(_INDONESIAN[hours])
    return ZoneInfo(f"Etc/GMT{-hours:+d}" if hours else "UTC")  # its signs are turned


def _named(name: str) -> ZoneInfo | None:
    """By an IANA name, alone or at the end of a longer one, or by one of Windows."""
    known = WINDOWS_TO_OLSON.get(name, name)
    for tried in (known, "/".join(known.split("/")[-2:])):
        try:
            return parse_zone(tried[:100])
        except ValueError:
            continue
    return None


def _indonesian(zone: ZoneInfo) -> ZoneInfo:
    offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
    hours = [offset.total_seconds() / 3600 for offset in offsets if offset is not None]
    one = hours[0] if len(hours) == 1 else 0.0
    return ZoneInfo(_INDONESIAN[int(one)]) if one in _INDONESIAN else zone
