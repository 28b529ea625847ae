"""An iCalendar file (RFC 5545) as the lines that say when something takes place.

The file comes from outside. So its structure is walked here, line by line and bounded, and only the
properties that a meeting is made of are handed to ``icalendar``, one by one: time zones are never
unrolled, alarms, attachments and texts never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from icalendar.parser import Contentline

from vcmon.config.report import Place, Report
from vcmon.config.text import shown

FILE_MAX = 4 * 2**20
"""Bytes: the export of a busy calendar of years has two megabytes."""

LINE_MAX = 20_000
"""Characters of an unfolded line that is read: an EXDATE of a thousand days has as many."""

EVENTS_MAX = 5_000
"""Events in a file: ten years of two meetings a day."""

DEPTH_MAX = 5
"""Components in one another: an alarm in an event in a calendar is three."""

PROBLEMS_MAX = 20
"""Problems that are told before reading on makes no sense."""

PROPERTIES_MAX = 1_000
"""Lines of one event that are read: some calendars write each EXDATE on its own."""

ZONES_MAX = 500
"""Time zones in a file, and changes in one of them: there are some 400 zones in all."""

WANTED = frozenset(
    {
        *("UID", "SEQUENCE", "STATUS", "SUMMARY", "ORGANIZER", "RECURRENCE-ID"),
        *("DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE"),
    }
)

_NAME = re.compile(r"([A-Za-z0-9-]{1,100})[;:]")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?")


@dataclass(frozen=True, slots=True)
class Property:
    """One line, read: its number, its parameters by name in capitals, its value unescaped."""

    line: int
    name: str
    parameters: Mapping[str, str]
    value: str


@dataclass(slots=True)
class TimeZone:
    """A VTIMEZONE, as far as anything here needs it."""

    name: str = ""
    location: str = ""  # X-LIC-LOCATION
    offsets: set[int] = field(default_factory=set)  # seconds, of all that it ever was


@dataclass(slots=True)
class Calendar:
    """A VCALENDAR: a file may hold several."""

    method: str = ""
    zones: dict[str, TimeZone] = field(default_factory=dict)  # by TZID


@dataclass(slots=True)
class Component:
    """A VEVENT."""

    line: int  # of its BEGIN
    calendar: Calendar
    properties: list[Property] = field(default_factory=list)


def read_components(data: bytes, file: str, report: Report) -> list[Component]:
    """Every VEVENT of the file; what is wrong goes into the report, with its line."""
    reader = _Reader(file, report)
    if len(data) > FILE_MAX:
        report.add(Place(file), f"expected at most {FILE_MAX // 2**20} MiB, found more")
        return []
    for number, raw in unfolded(data):
        if not reader.take(number, raw):
            return reader.events
    reader.end()
    return reader.events


def unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, each with the number of the line that it begins in.

    Unfolded as bytes: a fold may go through the middle of a character.
    """
    pieces: list[bytes] = []
    begun = 0
    for number, raw in enumerate(re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), 1):
        if raw[:1] in {b" ", b"\t"} and pieces:
            pieces.append(raw[1:])
        elif raw.strip():
            if pieces:
                yield begun, b"".join(pieces)
            pieces, begun = [raw], number
    if pieces:
        yield begun, b"".join(pieces)


class _Reader:
    """Walks the structure; knows in which component it is."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._open: list[tuple[str, int]] = []
        self._calendar: Calendar | None = None
        self._zone = TimeZone()
        self.events: list[Component] = []

    def take(self, line: int, raw: bytes) -> bool:
        """One line; False when reading on makes no sense."""
        try:
            text = raw.decode("utf-8").replace("\x00", "")
        except UnicodeDecodeError as error:
            self._wrong(line, "", f"not UTF-8 (byte 0x{raw[error.start]:02x}): save it as UTF-8")
            return False
        match = _NAME.match(text)
        if match is None:
            return self._stop(line, f"expected NAME:VALUE, found {shown(text)}")
        name, value = match[1].upper(), text[match.end() :].strip().upper()
        if name == "BEGIN":
            return self._begin(line, value)
        if not self._open:
            return self._stop(line, f"expected BEGIN:VCALENDAR, found {shown(text)}")
        if name == "END":
            return self._end(line, value)
        self._property(line, name, text)
        return len(self._report.problems) < PROBLEMS_MAX

    def end(self) -> None:
        """After the last line."""
        if self._open:
            name, begun = self._open[-1]
            what = f"the file ends within {shown(name)}, begun here: it is not whole"
            self._wrong(begun, "", what)
        elif self._calendar is None:
            self._wrong(1, "", "no iCalendar file: expected BEGIN:VCALENDAR")

    def _begin(self, line: int, name: str) -> bool:
        path = [each for each, _ in self._open]
        if (name == "VCALENDAR") != (not path):
            return self._stop(line, f"BEGIN:{shown(name)[1:-1]} has no place here")
        if len(path) >= DEPTH_MAX:
            return self._stop(line, f"expected at most {DEPTH_MAX} components in one another")
        self._open.append((name, line))
        if not path or self._calendar is None:
            self._calendar = Calendar()
        elif path == ["VCALENDAR"] and name == "VEVENT":
            if len(self.events) >= EVENTS_MAX:
                return self._stop(line, f"expected at most {EVENTS_MAX} events, found more")
            self.events.append(Component(line, self._calendar))
        elif path == ["VCALENDAR"] and name == "VTIMEZONE":
            self._zone = TimeZone()
        return True

    def _end(self, line: int, name: str) -> bool:
        expected, begun = self._open.pop()
        if name != expected:
            what = f"expected END:{expected} (begun in line {begun}), found END:{name}"
            return self._stop(line, what[:200])
        if name == "VTIMEZONE" and len(self._open) == 1 and self._calendar is not None:
            zones = self._calendar.zones
            if len(zones) < ZONES_MAX:
                zones[self._zone.name] = self._zone
        return True

    def _property(self, line: int, name: str, text: str) -> None:
        path = [each for each, _ in self._open]
        if path == ["VCALENDAR"] and name == "METHOD" and self._calendar is not None:
            self._calendar.method = text.partition(":")[2].strip().upper()
        elif path == ["VCALENDAR", "VEVENT"] and name in WANTED:
            self._of_event(line, name, text)
        elif path[1:2] == ["VTIMEZONE"]:
            self._of_zone(name, text)

    def _of_event(self, line: int, name: str, text: str) -> None:
        event = self.events[-1]
        if len(text) > LINE_MAX or len(event.properties) >= PROPERTIES_MAX:
            what = f"expected at most {LINE_MAX} characters, and {PROPERTIES_MAX} such lines"
            self._wrong(line, name, what)
            return
        try:
            _, parameters, value = Contentline(text).parts()  # type: ignore[no-untyped-call]  # theirs
        except (ValueError, AssertionError):
            self._wrong(line, name, f"not a line of RFC 5545: {shown(text)}")
            return
        # a list where one word is meant has commas outside of its quotes
        words = {
            str(key).upper(): each if isinstance(each, str) else ",".join(map(str, each))
            for key, each in parameters.items()
        }
        event.properties.append(Property(line, name, words, str(value).strip()))

    def _of_zone(self, name: str, text: str) -> None:
        value = text.partition(":")[2].strip()
        if name == "TZID":
            self._zone.name = value.replace("\\,", ",").replace("\\;", ";")
        elif name == "X-LIC-LOCATION":
            self._zone.location = value
        elif name == "TZOFFSETTO" and len(self._zone.offsets) < ZONES_MAX:
            match = _OFFSET.fullmatch(value)
            # what can't be read is an offset that nothing else has
            seconds = -1 if match is None else int(match[2]) * 3600 + int(match[3]) * 60
            negative = match is not None and match[1] == "-"
            self._zone.offsets.add(-seconds if negative else seconds)

    def _stop(self, line: int, what: str) -> bool:
        self._wrong(line, "", what)
        return False

    def _wrong(self, line: int, key: str, what: str) -> None:
        self._report.add(Place(self._file, line, key), what)
