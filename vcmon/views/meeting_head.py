"""One sitting in a few lines: when, where, by whom; for lists, pages and the wallboard. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vcmon.model.meeting import RollCall, Sitting
from vcmon.views import meeting_words as told
from vcmon.views import words
from vcmon.views.tongue import Tongue


@dataclass(frozen=True, slots=True)
class Head:
    """A sitting in words."""

    id: str
    meeting: str  # its id
    title: str
    date: str  # ``Senin, 23 Nov 2026``
    starts: str  # ``09.00 WIB / 10.00 WITA / 11.00 WIT``
    stops: str
    span: str  # ``09.00–10.30 WIB``
    phase: str  # ``mulai dalam 42 mnt``
    organiser: str
    room: str
    moved: str  # when it was planned first, where it was moved; else ""
    tally: str  # ``35 dari 38 siap, 2 wajib belum``; "" while nobody was judged


def head_of(it: Sitting, now: float, tongue: Tongue, roll: RollCall | None = None) -> Head:
    """The sitting as of ``now``."""
    meeting = it.meeting
    first = f"{told.date_of(it.original, tongue)}, {told.three_of(it.original, tongue)}"
    return Head(
        id=it.id,
        meeting=meeting.id,
        title=words.clean(meeting.title),
        date=told.date_of(it.start, tongue),
        starts=told.three_of(it.start, tongue),
        stops=told.three_of(it.stop, tongue),
        span=told.span_of(it, tongue),
        phase=told.phase_of(it, now, tongue),
        organiser=words.clean(meeting.organiser),
        room=words.clean(meeting.room),
        moved="" if it.start == it.original else first,
        tally=told.tally_of(roll, tongue) if roll else "",
    )


@dataclass(frozen=True, slots=True)
class Near:
    """The next sitting, for a line on a page that is made each second."""

    id: str
    title: str
    at: str  # ``10.14 WIB``, on another day with it
    phase: str
    tally: str


def near_of(it: Sitting, now: float, tongue: Tongue, roll: RollCall | None) -> Near:
    """The sitting in a few words."""
    return Near(
        id=it.id,
        title=words.clean(it.meeting.title, 60),
        at=tongue.day(it.start, now),
        phase=told.phase_of(it, now, tongue),
        tally=told.tally_of(roll, tongue) if roll else "",
    )
