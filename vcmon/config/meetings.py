"""The meetings of a settings file, and those that people plan by the same words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from vcmon.config.document import Document, dotted
from vcmon.config.fields import duration
from vcmon.config.profiles import LIMITS
from vcmon.config.provinces import CENTRE, province_slug, province_words, provinces
from vcmon.config.report import Report
from vcmon.config.schema import MeetingFields
from vcmon.config.source import Source
from vcmon.config.text import clean, printable, shown
from vcmon.config.windows import PlanError, Wrong, begins, look_at_rule
from vcmon.model.endpoint import Endpoint
from vcmon.model.meeting import Limits, Meeting, Seat

ALL = "all"

SHORTEST, LONGEST = 60.0, 86_400.0
"""Seconds of one sitting: what lasts for days is a sitting each day."""


def build_meetings(
    written: Sequence[MeetingFields],
    rooms: Collection[str] | None,
    at: tuple[Document, Source, Report],
) -> tuple[Meeting, ...]:
    """The meetings of the settings; what is wrong goes into the report.

    ``rooms`` are the endpoints that there are; None where some could not be read.
    """
    document, source, report = at
    made = []
    for index, fields in enumerate(written):

        def wrong(key: str, error: ValueError, index: int = index) -> None:
            loc = ("meetings", index, key)
            report.add(source.at(document.line(loc), dotted(loc)), str(error))

        if any(fields.id == other.id for other in written[:index]):
            wrong("id", ValueError(f"{shown(fields.id)} stands here twice: name one otherwise"))
        made.append(_meeting(fields, rooms, report, wrong))
    return tuple(made)


def meeting_of(fields: MeetingFields, endpoints: Sequence[Endpoint]) -> Meeting:
    """The meeting that somebody plans. Raises PlanError with all that is wrong."""
    told: dict[str, str] = {}
    rooms = {endpoint.id for endpoint in endpoints}

    def wrong(key: str, error: ValueError) -> None:
        told.setdefault(key, printable(str(error)))

    meeting = _meeting(fields, rooms, Report(), wrong)
    if told:
        raise PlanError(told)
    return meeting


def seats_of(required: Sequence[str], optional: Sequence[str]) -> tuple[Seat, ...]:
    """The roster, required provinces first, each in the order of the codes. Raises ValueError."""
    must, may = _slugs(required), _slugs(optional)
    if twice := sorted(set(must) & set(may)):
        raise ValueError(f"{', '.join(twice)}: required and optional, too; keep one")
    rest = [slug for slug in provinces() if slug != CENTRE.slug]
    if ALL in required:
        must = [slug for slug in rest if slug not in may]
    elif ALL in optional:
        may = [slug for slug in rest if slug not in must]
    if not (must or may):
        raise ValueError("expected provinces, or 'all', found none")
    order = {slug: number for number, slug in enumerate(rest)}
    return (
        *(Seat(slug, required=True) for slug in sorted(must, key=order.__getitem__)),
        *(Seat(slug, required=False) for slug in sorted(may, key=order.__getitem__)),
    )


def _slugs(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        if name == ALL:
            continue
        slug = province_slug(name)
        if slug is None or slug == CENTRE.slug:
            near = Report().nearest(name, province_words())
            raise ValueError(f"expected a province or 'all', found {shown(name)}{near}")
        if slug in found:
            raise ValueError(f"{shown(name)} stands here twice: keep one")
        found.append(slug)
    if ALL in names and found:
        raise ValueError(f"'all' has {shown(found[0])} already: keep one of them")
    return found


def _meeting(
    fields: MeetingFields, rooms: Collection[str] | None, report: Report, wrong: Wrong
) -> Meeting:
    zone, start = begins(fields.start, fields.zone, wrong)
    seats = tuple[Seat, ...]()
    try:
        seats = seats_of(fields.required, fields.optional)
    except ValueError as error:
        wrong("required", error)
    for key, what in chain(_oddities(fields, start), _wrong_room(fields.room, rooms, report)):
        wrong(key, ValueError(what))
    look_at_rule(fields.repeat, start, zone, wrong)
    return Meeting(
        id=fields.id,
        title=clean(fields.title),
        start=start,
        seconds=fields.duration,
        seats=seats,
        organiser=clean(fields.organiser),
        room=fields.room,
        zone=zone.key,
        rule=fields.repeat,
        limits=Limits(**fields.limits.model_dump()),
        checkpoints=tuple(sorted(fields.checkpoints, reverse=True)),
    )


def _oddities(fields: MeetingFields, start: float) -> Iterator[tuple[str, str]]:
    """What no type refuses, but can't be meant: the key, and why."""
    if not clean(fields.title):
        yield "title", "expected a few words, found nothing"
    if start % 60:
        yield "start", "a meeting begins at a whole minute"
    if not SHORTEST <= fields.duration <= LONGEST:
        low, high = duration(SHORTEST), duration(LONGEST)
        what = "what lasts for days is a sitting each day (FREQ=DAILY;COUNT=3)"
        yield "duration", f"expected {low} to {high}, found {duration(fields.duration)}: {what}"
    if len(set(fields.checkpoints)) < len(fields.checkpoints):
        yield "checkpoints", "one stands here twice: keep one"
    earliest = LIMITS["checkpoints"][1]
    if max(fields.checkpoints) > earliest:
        yield "checkpoints", f"expected at most {duration(earliest)} before the start"


def _wrong_room(
    room: str, rooms: Collection[str] | None, report: Report
) -> Iterator[tuple[str, str]]:
    if room and rooms is not None and room not in rooms:
        near = report.nearest(room, rooms)
        yield "room", f"no endpoint of that name here: {shown(room)}{near}"
