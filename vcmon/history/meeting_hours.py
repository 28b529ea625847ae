"""When each province had a meeting: the hours over which its meeting availability is counted. Pure.

What took place is told by the last plan; a sitting over the edge of a span is cut there, so what
lies in two months counts in each by its part, as an outage does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from vcmon.history.spans import Span, Spans, merged, milliseconds, overlap
from vcmon.model.meeting import Meeting, Sitting


def meeting_hours(held: Iterable[Sitting], start: int, stop: int) -> dict[str, Spans]:
    """By slug, the milliseconds within ``[start, stop)`` in which the province had a seat.

    Where it had two at once the time counts once.
    """
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for it in held:
        span = milliseconds(it.start), milliseconds(it.stop)
        for seat in it.meeting.seats:
            found[seat.province].append(span)
    within = merged([(start, stop)])
    cut = {slug: overlap(merged(spans), within) for slug, spans in found.items()}
    return {slug: spans for slug, spans in cut.items() if spans}


def as_held(kept: Sitting, last: Meeting | None) -> Sitting | None:
    """The sitting at the time it took place; None if it was called off after its roll was called.

    ``last`` is the meeting's last version, None where people never changed it.
    """
    if last is None or last.origin is not kept.meeting.origin:
        return kept  # of another origin it is another meeting, which only bears the same name
    if any(abs(at - kept.original) < 1 for at in last.excluded):
        return None
    moves = (each for each in last.moved if abs(each.original - kept.original) < 1)
    move = next(moves, None)
    if move is not None:
        kept = replace(kept, start=move.start, stop=move.start + move.seconds)
    off = last.cancelled_at
    return None if off is not None and kept.start > off else kept
