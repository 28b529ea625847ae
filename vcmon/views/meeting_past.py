"""What the memory holds of one sitting, read in one go; for a thread of the shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vcmon.config.settings import Settings
from vcmon.history.facts import Facts
from vcmon.history.maintenance import Cover, occasions
from vcmon.history.spans import Spans, merged, milliseconds
from vcmon.history.store import Store
from vcmon.model.meeting import Attendance, Meeting, RollCall, Sitting
from vcmon.model.memory import Interval
from vcmon.readiness import agenda
from vcmon.readiness.minutes import Minutes, Witness, minutes


@dataclass(frozen=True, slots=True)
class Past:
    """A sitting with all that was kept of it. ``planned`` False: it is in no agenda any more."""

    sitting: Sitting
    planned: bool = True
    rolls: Sequence[RollCall] = ()
    marks: Sequence[Attendance] = ()
    intervals: Mapping[str, Sequence[Interval]] = field(default_factory=dict)  # by slug
    watched: float = 0.0  # the last heartbeat: what came after it nobody has seen


def find(meetings: Sequence[Meeting], name: str) -> Past | None:
    """What is known of a sitting without a memory."""
    planned = agenda.sitting(meetings, name)
    return Past(planned) if planned else None


def recall(store: Store, meetings: Sequence[Meeting], name: str, now: float) -> Past | None:
    """The sitting as it is planned, else as it was when its roll was called; None for neither."""
    planned = agenda.sitting(meetings, name)
    it = planned or store.kept_sitting(name)
    if it is None:
        return None
    return Past(
        sitting=it,
        planned=planned is not None,
        rolls=store.rolls(name),
        marks=store.attendance(name),
        intervals=_intervals(store, it, now),
        watched=store.heartbeat() or 0.0,
    )


def _intervals(store: Store, it: Sitting, now: float) -> dict[str, Sequence[Interval]]:
    """Of each seat and the room, once the sitting has begun; whole, as they overlap it."""
    if now <= it.start:
        return {}
    until = min(it.stop, now)
    slugs = (seat.province for seat in it.meeting.seats)
    return {slug: store.intervals(f"province:{slug}", it.start, until) for slug in slugs}


def minutes_of(store: Store, past: Past, settings: Settings, now: float) -> Minutes:
    """The minutes as they are now."""
    planned = _planned(store, past.sitting, settings)
    witness = Witness(past.intervals, past.watched, planned)
    return minutes(past.sitting, past.rolls, past.marks, witness, now)


def _planned(store: Store, it: Sitting, settings: Settings) -> dict[str, Spans]:
    """When each seat was under maintenance, in milliseconds."""
    windows = (*settings.maintenance, *store.maintenance())
    cover = Cover(occasions(windows, it.start, it.stop), Facts.of(settings))
    return {
        seat.province: merged(
            (milliseconds(start), milliseconds(stop))
            for start, stop in cover.spans(f"province:{seat.province}")
        )
        for seat in it.meeting.seats
    }
