"""Incidents and maintenance as JSON: the models that answers and OpenAPI are both made of. Pure.

Times are RFC 3339 UTC, durations seconds; what is not known, or goes on, is ``null``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vcmon.config.schema import WindowFields
from vcmon.config.text import shown
from vcmon.history.maintenance import following, occasions
from vcmon.history.remarks import AUTHOR_MAX, TEXT_MAX, TICKET_MAX
from vcmon.model.memory import Cause, Deed, Incident, Maintenance, Occasion, Remark
from vcmon.model.result import Reason
from vcmon.views.words import rfc3339

MEMBERS_MAX = 100
"""Members of one incident that a list tells; the incident by its number tells all."""

OCCASIONS_MAX = 1_000
"""In one answer: a month of thirty daily windows."""

PROBLEMS_MAX = 5
"""Faults of one body that are told."""

DAY = 86_400.0


class Shape(BaseModel):
    """What an answer holds: nothing that isn't named, or OpenAPI would not tell the truth."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorShape(Shape):
    """Why something was not done, and what was expected."""

    error: str
    status: int


class HeartbeatShape(Shape):
    """A heartbeat was heard."""

    endpoint: str
    expected_every_s: float


class MemberShape(Shape):
    """A province or endpoint that the incident took with it."""

    subject: str  # province:<slug> or endpoint:<id>
    start: str | None
    stop: str | None


class RemarkShape(Shape):
    """What somebody said of the incident; ``author`` ``vcmon`` is this program."""

    at: str | None
    author: str
    deed: Deed
    text: str
    ticket: str
    cause: Cause | None


class IncidentShape(Shape):
    """One incident: one true cause, with all that fell with it."""

    id: int
    owner: str
    open: bool
    start: str | None  # the onset
    known_at: str | None
    stop: str | None
    duration_s: float | None  # while it goes on
    reason: Reason
    cause: Cause  # as people judged it last
    suggested_cause: Cause  # by vcmon
    reopened: int
    merged_into: int | None
    acknowledged: RemarkShape | None
    member_count: int
    members: tuple[MemberShape, ...]  # in a list the first 100
    remarks: tuple[RemarkShape, ...]


class IncidentList(Shape):
    """Incidents, newest first; ``more``: there are older ones that fit."""

    incidents: tuple[IncidentShape, ...]
    more: bool


class OccasionShape(Shape):
    """One time that a window takes place."""

    maintenance: int | None
    scope: str
    title: str
    start: str | None
    stop: str | None


class MaintenanceShape(Shape):
    """A planned window; without a number it stands in the settings."""

    id: int | None
    scope: str
    title: str
    start: str | None  # the first time
    duration_s: float
    zone: str
    repeat: str
    author: str
    ended_at: str | None
    active: bool
    next: OccasionShape | None  # the occasion that is on, else the next one


class MaintenanceList(Shape):
    """The windows that are not over, and when they take place within the days asked for."""

    maintenance: tuple[MaintenanceShape, ...]
    occasions: tuple[OccasionShape, ...]
    more: bool  # there are more occasions than are told


class RemarkFields(BaseModel):
    """What is said of an incident. ``author`` is the token's name unless told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deed: Deed
    author: Annotated[str, Field(max_length=AUTHOR_MAX)] = ""
    text: Annotated[str, Field(max_length=TEXT_MAX)] = ""
    ticket: Annotated[str, Field(max_length=TICKET_MAX)] = ""  # with deed ack
    cause: Cause | None = None  # with deed cause or close


class PlanFields(WindowFields):
    """A window that somebody plans; as in the settings, and by whom."""

    author: Annotated[str, Field(max_length=AUTHOR_MAX)] = ""


def remark_shape(remark: Remark) -> RemarkShape:
    """What somebody said."""
    return RemarkShape(
        at=rfc3339(remark.at),
        author=remark.author,
        deed=remark.deed,
        text=remark.text,
        ticket=remark.ticket,
        cause=remark.cause,
    )


def incident_shape(it: Incident, members: int | None = None) -> IncidentShape:
    """One incident, with all its members or the first so many."""
    ack = it.acknowledged
    return IncidentShape(
        id=it.id,
        owner=it.owner,
        open=it.stop is None,
        start=rfc3339(it.start),
        known_at=rfc3339(it.known_at),
        stop=_time(it.stop),
        duration_s=None if it.stop is None else round(max(0.0, it.stop - it.start), 3),
        reason=it.reason,
        cause=it.cause,
        suggested_cause=it.suggested,
        reopened=it.reopened,
        merged_into=it.merged_into,
        acknowledged=remark_shape(ack) if ack else None,
        member_count=len(it.members),
        members=tuple(
            MemberShape(subject=m.subject, start=rfc3339(m.start), stop=_time(m.stop))
            for m in it.members[:members]
        ),
        remarks=tuple(map(remark_shape, it.remarks)),
    )


def incident_list(found: Sequence[Incident], most: int) -> IncidentList:
    """At most so many of what was found; one more in it tells that there are more."""
    return IncidentList(
        incidents=tuple(incident_shape(each, MEMBERS_MAX) for each in found[:most]),
        more=len(found) > most,
    )


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)


def _occasion(it: Occasion) -> OccasionShape:
    return OccasionShape(
        maintenance=it.maintenance.id or None,
        scope=it.maintenance.scope,
        title=it.maintenance.title,
        start=rfc3339(it.start),
        stop=rfc3339(it.stop),
    )


def maintenance_shape(it: Maintenance, now: float) -> MaintenanceShape:
    """One window as it is at ``now``."""
    coming = following(it, now)
    return MaintenanceShape(
        id=it.id or None,
        scope=it.scope,
        title=it.title,
        start=rfc3339(it.start),
        duration_s=it.seconds,
        zone=it.zone,
        repeat=it.rule,
        author=it.author,
        ended_at=_time(it.ended_at),
        active=coming is not None and coming.start <= now,
        next=_occasion(coming) if coming else None,
    )


def maintenance_list(windows: Iterable[Maintenance], days: float, now: float) -> MaintenanceList:
    """What of the windows is not over at ``now``, and their occasions of so many days."""
    kept = [each for each in windows if following(each, now) is not None]
    coming = occasions(kept, now, now + days * DAY)
    return MaintenanceList(
        maintenance=tuple(maintenance_shape(each, now) for each in kept),
        occasions=tuple(map(_occasion, coming[:OCCASIONS_MAX])),
        more=len(coming) > OCCASIONS_MAX,
    )


def explained(invalid: ValidationError) -> str:
    """What was expected, on one line: a fault is told with its key and a bit of what was found."""
    errors = invalid.errors(include_url=False)
    told = [_fault(error) for error in errors[:PROBLEMS_MAX]]
    more = [f"and {len(errors) - PROBLEMS_MAX} more"] if len(errors) > PROBLEMS_MAX else []
    return "; ".join((*told, *more))


def _fault(error: Any) -> str:
    key = ".".join(shown(str(part)).strip("'") for part in error["loc"])
    context = error.get("ctx", {})
    kinds = {
        "missing": "needed, but missing",
        "extra_forbidden": "not known here",
        "value_error": str(context.get("error", "")),
        "json_invalid": f"expected JSON: {context.get('error', '')}",
        "model_type": 'expected an object, as {"deed": "note"}',
    }
    what = kinds.get(error["type"])
    if what is None:
        expected = error["msg"].removeprefix("Input should be ")
        what = f"expected {expected[:1].lower()}{expected[1:]}, found {shown(error['input'])}"
    return f"{key}: {what}" if key else what
