"""A month's report: what every province was promised, and what it had. Pure but for the reading.

A month that is frozen is told as it was frozen, with its corrections; any other is counted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from fractions import Fraction
from zoneinfo import ZoneInfo

from vcmon.config.meetings import LONGEST
from vcmon.config.reports import ratio
from vcmon.config.settings import Settings
from vcmon.errors import ReportError
from vcmon.history.availability import Availability, Terms, availability, together
from vcmon.history.facts import Facts
from vcmon.history.hours import Office, days_off, office_hours, whole_time
from vcmon.history.maintenance import Cover, occasions
from vcmon.history.meeting_hours import meeting_hours
from vcmon.history.memory import Memory
from vcmon.history.month import Month
from vcmon.history.spans import Spans, merged, milliseconds
from vcmon.model.memory import Amendment, Cause, Incident
from vcmon.model.province import Province

ENOUGH = Fraction(95, 100)
"""Coverage under which a figure says too little to be held against a target."""

CENTRE = "pusat"

SITTINGS = 2_000
"""Of one month: 64 a day. With more, no figure of the meetings is told rather than a part of it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What was counted how; a frozen month keeps those that it was frozen with."""

    zone: str  # of the month
    hours: str  # "whole" or "office"
    office: tuple[str, str, str]  # opening, closing, closing on Fridays: "07:30"
    shortest: int  # milliseconds
    excluded: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One province (or the Centre, or the country) in one month."""

    series: str
    code: str
    name_id: str
    name_en: str
    zone: str
    target: Fraction
    figure: Availability
    meetings: Availability | None = None  # in meeting hours; None: there was no meeting, or a
    # month that was frozen before these hours were counted

    @property
    def in_meetings(self) -> Fraction | None:
        """The availability in meeting hours; None without a meeting or where too little was
        measured.
        """
        coverage = None if self.meetings is None else self.meetings.coverage
        if self.meetings is None or coverage is None or coverage < ENOUGH:
            return None
        return self.meetings.ratio

    @property
    def enough(self) -> bool:
        """Whether so much was measured that the figure can be held against its target."""
        coverage = self.figure.coverage
        return coverage is not None and coverage >= ENOUGH

    @property
    def met(self) -> bool | None:
        """Whether the target was met, by the exact figure; None where too little was measured."""
        share = self.figure.ratio
        return None if share is None or not self.enough else share >= self.target


@dataclass(frozen=True, slots=True)
class Correction:
    """An amendment as it was read, and why it does not count: "", "signature" or "amount"."""

    amendment: Amendment
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report tells; times in milliseconds (UTC)."""

    month: Month
    start: int
    stop: int
    until: int  # counted up to here: ``stop``, or now while the month runs
    rules: Rules
    target: Fraction  # of the country, and of whoever has no other
    lines: tuple[Line, ...]  # provinces in the order of their codes, then the Centre
    unwatched: tuple[str, ...] = ()  # Indonesian names of provinces that nobody watched
    closed: Mapping[date, str] = field(default_factory=dict)  # days off in office hours
    frozen_at: float | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def provinces(self) -> tuple[Line, ...]:
        """The lines without the Centre's."""
        return tuple(each for each in self.lines if each.series != f"province:{CENTRE}")

    @property
    def country(self) -> Line:
        """All provinces as one: their times added up. The Centre is none of them."""
        figure = together([each.figure for each in self.provinces])
        met = [each.meetings for each in self.provinces if each.meetings is not None]
        names = ("country:", "", "Indonesia", "Indonesia", self.rules.zone)
        return Line(*names, self.target, figure, together(met) if met else None)


def _silent(_done: int, _of: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Desk:
    """What a report is made from."""

    memory: Memory
    settings: Settings
    now: float
    progress: Callable[[int, int], None] = _silent  # lines done, of how many


def rules_of(settings: Settings) -> Rules:
    """The rules that the settings give."""
    said = settings.reports
    office = said.office
    closing = office.friday_stop or office.stop
    return Rules(
        said.zone,
        said.hours,
        (office.start, office.stop, closing),
        milliseconds(said.shortest_outage),
        said.excluded_causes,
    )


def count_month(desk: Desk, month: Month) -> Report:
    """The month counted from the intervals. Raises ReportError for one that has not begun."""
    rules = rules_of(desk.settings)
    start, stop = month.bounds(ZoneInfo(rules.zone))
    until = min(stop, milliseconds(desk.now))
    if until <= start:
        raise ReportError(f"{month} has not begun yet")
    watched = list(_watched(desk))
    met = _meeting_hours(desk.memory, start, until)
    lines = tuple(_Counter(desk, rules, start, until).lines(watched, met))
    names = {each.slug for each in watched}
    absent = [each for each in desk.settings.provinces.values() if each.slug not in names]
    return Report(
        month,
        start,
        stop,
        until,
        rules,
        ratio(desk.settings.reports.target),
        lines,
        unwatched=tuple(each.name_id for each in absent if each.slug != CENTRE),
        closed=days_off(start, until, ZoneInfo(rules.zone)) if rules.hours == "office" else {},
    )


def _meeting_hours(memory: Memory, start: int, until: int) -> Mapping[str, Spans]:
    held = memory.held_sittings(start / 1000 - LONGEST, until / 1000, SITTINGS + 1)
    return meeting_hours(held, start, until) if len(held) <= SITTINGS else {}


def count_span(desk: Desk, province: Province, start: float, until: float) -> Availability:
    """One province in ``[start, until)`` (wall seconds), by the rules of the reports."""
    span = milliseconds(start), milliseconds(until)
    return _Counter(desk, rules_of(desk.settings), *span).line(province).figure


def _watched(desk: Desk) -> Iterator[Province]:
    """Provinces with an endpoint or a past, in the order of their codes; the Centre last."""
    known = {each.removeprefix("province:") for each in desk.memory.series()}
    known |= {each.province for each in desk.settings.endpoints}
    found = [each for slug, each in desk.settings.provinces.items() if slug in known]
    yield from sorted(found, key=lambda each: (each.slug == CENTRE, each.code))


class _Counter:
    """Counts one month, province by province; what all share is worked out once."""

    def __init__(self, desk: Desk, rules: Rules, start: int, until: int) -> None:
        self._desk = desk
        self._rules = rules
        self._start, self._until = start, until
        self._hours: dict[str, Spans] = {}
        self._seconds = start / 1000, until / 1000
        memory = desk.memory
        self._incidents = memory.incidents(*self._seconds) if rules.excluded else []
        windows = (*desk.settings.maintenance, *memory.maintenance())
        self._cover = Cover(occasions(windows, *self._seconds), Facts.of(desk.settings))
        self._endpoints = {each.id: each for each in desk.settings.endpoints}
        # What goes on is known until the last heartbeat: a dead monitor saw nothing after it.
        self._known = milliseconds(memory.heartbeat() or 0.0)

    def lines(self, watched: Sequence[Province], met: Mapping[str, Spans]) -> Iterator[Line]:
        """A line for each, with its hours of meetings by slug, telling the progress."""
        for done, province in enumerate(watched):
            self._desk.progress(done, len(watched))
            yield self.line(province, met.get(province.slug, ()))
        self._desk.progress(len(watched), len(watched))

    def line(self, province: Province, met: Spans = ()) -> Line:
        """One province's; ``met`` are its hours of meetings."""
        series = f"province:{province.slug}"
        start, stop = self._seconds
        # So far around the month: an outage over its edge must show its whole length.
        margin = max(1.0, self._rules.shortest / 1000)
        intervals = self._desk.memory.intervals(series, start - margin, stop + margin)
        theirs = [each for each in self._endpoints.values() if each.province == province.slug]
        terms = Terms(
            self._start,
            self._until,
            self._hours_in(province.timezone),
            merged((milliseconds(a), milliseconds(b)) for a, b in self._cover.spans(series)),
            merged(self._left_out(series, self._incidents)),
            self._rules.shortest,
            self._known,
        )
        return Line(
            series,
            province.code,
            province.name_id,
            province.name_en,
            province.timezone,
            self._desk.settings.reports.goal(province.slug, theirs),
            availability(intervals, terms),
            availability(intervals, _as_minutes(terms, met)) if met else None,
        )

    def _left_out(self, series: str, incidents: Iterable[Incident]) -> Iterator[tuple[int, int]]:
        for incident in incidents:
            for member in incident.members:
                if member.subject == series and incident.cause in self._rules.excluded:
                    stop = self._known if member.stop is None else milliseconds(member.stop)
                    yield milliseconds(member.start), stop

    def _hours_in(self, zone: str) -> Spans:
        if zone not in self._hours:
            self._hours[zone] = self._worked_out(ZoneInfo(zone))
        return self._hours[zone]

    def _worked_out(self, zone: ZoneInfo) -> Spans:
        if self._rules.hours == "whole":
            return whole_time(self._start, self._until)
        office = Office(*map(time.fromisoformat, self._rules.office))
        closed = days_off(self._start, self._until, zone)
        return office_hours(self._start, self._until, zone, office, closed)


def _as_minutes(terms: Terms, met: Spans) -> Terms:
    """As the minutes of a sitting are counted: no outage is too short, no cause is left out."""
    return replace(terms, hours=met, left_out=(), shortest=0)
