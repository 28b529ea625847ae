"""Meetings as JSON: the models that answers and OpenAPI are both made of. Pure.

Times are RFC 3339 UTC, durations seconds; what is not known is ``null``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from vcmon.config.fields import Duration
from vcmon.config.windows import PlanError, parse_start, parse_zone
from vcmon.history.remarks import AUTHOR_MAX
from vcmon.model.meeting import (
    Attendance,
    Doubt,
    Meeting,
    Origin,
    Presence,
    Readiness,
    RollCall,
    Sitting,
    Verdict,
)
from vcmon.readiness import agenda
from vcmon.readiness.calling import NOTE_MAX
from vcmon.readiness.forecast import Forecast
from vcmon.views.meeting_past import Past
from vcmon.views.shapes import DAY, Shape
from vcmon.views.words import rfc3339

SITTINGS_MAX = 200
"""In one answer: a month of six meetings a day."""

MARKS_MAX = 500
"""The last marks of a sitting that are told: everybody called a dozen times."""


class SeatShape(Shape):
    """A province on the roster."""

    province: str
    required: bool


class MeetingShape(Shape):
    """What was planned."""

    id: str
    title: str
    organiser: str
    room: str
    start: str | None  # the first time
    duration_s: float
    zone: str
    repeat: str
    origin: Origin
    author: str
    cancelled_at: str | None
    checkpoints_s: tuple[float, ...]  # before the start
    seats: tuple[SeatShape, ...]


class SittingShape(Shape):
    """One time that a meeting takes place."""

    id: str
    meeting: str
    title: str
    start: str | None
    stop: str | None
    moved_from: str | None  # the start that was planned first


class MeetingList(Shape):
    """The meetings of the agenda, and when they take place within the days asked for."""

    meetings: tuple[MeetingShape, ...]
    sittings: tuple[SittingShape, ...]
    more: bool  # there are more sittings than are told


class VerdictShape(Shape):
    """What is said of one province at one moment."""

    province: str
    required: bool
    readiness: Readiness
    doubt: Doubt
    endpoint: str | None
    check: str | None
    since: str | None
    value: float | None  # loss as a share from 0 to 1, jitter and RTT in seconds
    limit: float | None


class RollShape(Shape):
    """All verdicts of one moment; of a checkpoint that was missed there are none."""

    at: str | None
    checkpoint_s: float | None  # null: now
    ready: int
    required_missing: int
    missed: bool
    verdicts: tuple[VerdictShape, ...]
    room: VerdictShape | None


class MarkShape(Shape):
    """Somebody was called; the last mark of a province counts."""

    province: str
    at: str | None
    presence: Presence
    author: str
    officer: str
    note: str


class ForecastShape(Shape):
    """How likely a province is to be ready, by its own history at that weekday and hour; no part
    of any verdict.
    """

    province: str
    chance: float  # from 0 to 1, as are the range's ends, which hold four cases of five
    low: float
    high: float
    weeks: int  # of which something is known
    ready_weeks: int  # of them


class SittingDetailShape(SittingShape):
    """A sitting with all that is known of it."""

    planned: bool  # false: it is in no agenda any more
    seats: tuple[SeatShape, ...]
    roll: RollShape | None  # as of now; null before it is called, and once it is over
    checkpoints: tuple[RollShape, ...]
    attendance: tuple[MarkShape, ...]  # oldest first
    forecast: tuple[ForecastShape, ...]  # before it begins, of those with eight weeks at least


class MarkFields(BaseModel):
    """Whom somebody has called, and what they found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    province: Annotated[str, Field(min_length=1, max_length=60)]
    presence: Presence
    officer: Annotated[str, Field(max_length=AUTHOR_MAX)] = ""  # whom they spoke to
    note: Annotated[str, Field(max_length=NOTE_MAX)] = ""
    author: Annotated[str, Field(max_length=AUTHOR_MAX)] = ""


class MoveFields(BaseModel):
    """Another time for one sitting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Annotated[str, Field(min_length=1, max_length=300)]  # local time in ``zone``
    zone: Annotated[str, Field(min_length=1, max_length=300)] = "Asia/Jakarta"
    duration: Duration | None = None  # unsaid: as long as before


def moved_to(fields: MoveFields, it: Sitting) -> tuple[float, float]:
    """When the sitting then begins, and how long it lasts. Raises PlanError."""
    key = "zone"
    try:
        zone, key = parse_zone(fields.zone), "start"
        start = parse_start(fields.start, zone)
    except ValueError as error:
        raise PlanError({key: str(error)}) from None
    return start, fields.duration or it.stop - it.start


def _seats(meeting: Meeting) -> tuple[SeatShape, ...]:
    return tuple(SeatShape(province=s.province, required=s.required) for s in meeting.seats)


def meeting_shape(it: Meeting) -> MeetingShape:
    """One meeting."""
    return MeetingShape(
        id=it.id,
        title=it.title,
        organiser=it.organiser,
        room=it.room,
        start=rfc3339(it.start),
        duration_s=it.seconds,
        zone=it.zone,
        repeat=it.rule,
        origin=it.origin,
        author=it.author,
        cancelled_at=_time(it.cancelled_at),
        checkpoints_s=it.checkpoints,
        seats=_seats(it),
    )


def sitting_shape(it: Sitting) -> SittingShape:
    """One sitting."""
    return SittingShape(**_sitting(it))


def _sitting(it: Sitting) -> dict[str, str | None]:
    return {
        "id": it.id,
        "meeting": it.meeting.id,
        "title": it.meeting.title,
        "start": rfc3339(it.start),
        "stop": rfc3339(it.stop),
        "moved_from": None if it.start == it.original else rfc3339(it.original),
    }


def meeting_list(meetings: Sequence[Meeting], days: float, now: float) -> MeetingList:
    """The meetings that are not over at ``now``, and their sittings of so many days."""
    kept = [each for each in meetings if agenda.following(each, now) is not None]
    coming = agenda.sittings(kept, now, now + days * DAY)
    return MeetingList(
        meetings=tuple(map(meeting_shape, kept)),
        sittings=tuple(map(sitting_shape, coming[:SITTINGS_MAX])),
        more=len(coming) > SITTINGS_MAX,
    )


def detail_shape(
    past: Past, live: RollCall | None, chances: Mapping[str, Forecast]
) -> SittingDetailShape:
    """One sitting, whole."""
    return SittingDetailShape(
        **_sitting(past.sitting),
        planned=past.planned,
        seats=_seats(past.sitting.meeting),
        roll=roll_shape(live) if live else None,
        checkpoints=tuple(map(roll_shape, past.rolls)),
        attendance=tuple(map(mark_shape, past.marks[-MARKS_MAX:])),
        forecast=tuple(forecast_shape(slug, it) for slug, it in chances.items()),
    )


def roll_shape(it: RollCall) -> RollShape:
    """One roll."""
    return RollShape(
        at=rfc3339(it.at),
        checkpoint_s=it.checkpoint,
        ready=it.ready,
        required_missing=it.required_missing,
        missed=it.missed,
        verdicts=tuple(_verdicts(it.verdicts)),
        room=next(_verdicts([it.room] if it.room else []), None),
    )


def _verdicts(those: Iterable[Verdict]) -> Iterator[VerdictShape]:
    for it in those:
        yield VerdictShape(
            province=it.province,
            required=it.required,
            readiness=it.readiness,
            doubt=it.doubt,
            endpoint=it.endpoint or None,
            check=it.check or None,
            since=_time(it.since),
            value=it.value,
            limit=it.limit,
        )


def mark_shape(it: Attendance) -> MarkShape:
    """One mark."""
    return MarkShape(
        province=it.province,
        at=rfc3339(it.at),
        presence=it.presence,
        author=it.author,
        officer=it.officer,
        note=it.note,
    )


def forecast_shape(slug: str, it: Forecast) -> ForecastShape:
    """One province's forecast, to four places."""
    return ForecastShape(
        province=slug,
        chance=round(it.chance, 4),
        low=round(it.low, 4),
        high=round(it.high, 4),
        weeks=it.weeks,
        ready_weeks=it.ready,
    )


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
