"""Which meeting takes place when; pure. Times are wall seconds, spans half open.

A meeting's times are its rule's (RFC 5545, read in its own zone), without those that are excluded,
with those that were added, and each that was moved at its new time. A move of what the rule does
not give, or of what is excluded, moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from zoneinfo import ZoneInfo

from vcmon.config.recurrence import planned_starts
from vcmon.model.meeting import Meeting, Sitting

SITTINGS = 1_000
"""Of one meeting in one question: a daily one over nearly three years. A page asks for weeks."""

FOREVER = 4e9
"""Wall seconds, in 2096: no sitting begins after it."""

MINUTE = 60.0

_by_start = attrgetter("start")


def sittings(meetings: Iterable[Meeting], low: float, high: float) -> tuple[Sitting, ...]:
    """Every sitting that takes place within ``[low, high)``, whole, in order of its start."""
    found = (each for meeting in meetings for each in islice(_of(meeting, low, high), SITTINGS))
    return tuple(sorted(found, key=lambda each: (each.start, each.stop, each.meeting.id)))


def next_sitting(meetings: Iterable[Meeting], now: float) -> Sitting | None:
    """The one that is on, else the next; of several the one that begins first."""
    coming = (following(meeting, now) for meeting in meetings)
    return min((each for each in coming if each is not None), key=_by_start, default=None)


def following(meeting: Meeting, now: float) -> Sitting | None:
    """The meeting's sitting that is on, else its next one; None for a meeting that is over."""
    return next(_of(meeting, now, FOREVER), None)


def sitting(meetings: Iterable[Meeting], sitting_id: str) -> Sitting | None:
    """The sitting of this id, past or to come, wherever it was moved; None unless it takes place.

    Where one id begins like another (``a`` and ``a-20261123-0800``), the last two parts are time.
    """
    name, _, clock = sitting_id.rpartition("-")
    name, _, day = name.rpartition("-")
    for meeting in meetings:
        if meeting.id == name and (at := _minute(f"{day}-{clock}", meeting.zone)) is not None:
            found = (each for each in _from(meeting, at, at + MINUTE) if _takes_place(each))
            return next((each for each in found if each.id == sitting_id), None)
    return None


def _minute(text: str, zone: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y%m%d-%H%M").replace(tzinfo=ZoneInfo(zone)).timestamp()
    except (ValueError, OverflowError):
        return None


def _of(meeting: Meeting, low: float, high: float) -> Iterator[Sitting]:
    """Those that overlap ``[low, high)``, in order of their start."""
    moved = {_key(each.original) for each in meeting.moved}
    # What was called off has no more times: an endless rule must not be looked through for them.
    limit = high if meeting.cancelled_at is None else min(high, meeting.cancelled_at + 1)
    regular = (
        each
        for each in _from(meeting, low - meeting.seconds, limit)
        if _key(each.original) not in moved
    )
    elsewhere = (
        each
        for move in meeting.moved
        if move.start < high and move.start + move.seconds > low
        for each in _from(meeting, _key(move.original), _key(move.original) + 1)
    )
    for each in merge(regular, sorted(elsewhere, key=_by_start), key=_by_start):
        if each.stop > low and _takes_place(each):
            yield each


def _from(meeting: Meeting, low: float, high: float) -> Iterator[Sitting]:
    """Those that were first planned from ``low`` to before ``high``, in that order."""
    moved = {_key(each.original): each for each in meeting.moved}
    gone = {_key(at) for at in meeting.excluded}
    last = None
    for at in merge(planned_starts(meeting, low, high), sorted(meeting.added)):
        if not low <= at < high or _key(at) in gone or _key(at) == last:
            continue
        last = _key(at)
        move = moved.get(last)
        start, length = (at, meeting.seconds) if move is None else (move.start, move.seconds)
        yield Sitting(meeting, at, start, start + length)


def _takes_place(each: Sitting) -> bool:
    cancelled = each.meeting.cancelled_at
    return cancelled is None or each.start <= cancelled


def _key(at: float) -> int:
    """Times in whole seconds, as rules give them."""
    return int(at // 1)
