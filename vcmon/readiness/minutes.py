"""The minutes of a sitting: who was there, what dropped and for how long. Pure.

Time is counted by the rules of the reports (:mod:`vcmon.history.availability`), over the hours of
the sitting alone, with one difference: no outage is too short to count, for a meeting of an hour
misses whoever was away for a minute of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vcmon.history.availability import Availability, Terms, availability, together
from vcmon.history.spans import Spans, milliseconds
from vcmon.model.meeting import Attendance, Presence, RollCall, Seat, Sitting, Verdict
from vcmon.model.memory import Interval


@dataclass(frozen=True, slots=True)
class Witness:
    """What the memory holds of the hours of a sitting, by a province's slug."""

    intervals: Mapping[str, Sequence[Interval]]  # whole, all that overlap the sitting
    watched: float  # the last heartbeat, wall seconds: what came after it nobody has seen
    planned: Mapping[str, Spans] = field(default_factory=dict)  # maintenance, milliseconds


@dataclass(frozen=True, slots=True)
class Row:
    """One province of the roster."""

    province: str
    required: bool
    at_start: Verdict | None  # of T0, or of the last checkpoint that was called
    mark: Attendance | None  # the last one
    figure: Availability

    @property
    def present(self) -> bool:
        """Whether somebody said that it was there, be it that it left later."""
        return self.mark is not None and self.mark.presence is not Presence.ABSENT


@dataclass(frozen=True, slots=True)
class Minutes:
    """What there is to say of a sitting at one moment; ``final`` once it is over."""

    sitting: Sitting
    at: float
    until: float  # wall seconds up to which it is counted
    rows: tuple[Row, ...]  # required first, in the order of the roster
    rolls: tuple[RollCall, ...]  # those that were called for this start, in their order
    whole: Availability  # all provinces added up

    @property
    def final(self) -> bool:
        """Whether the sitting is over, and all of it was seen or never will be."""
        return self.at >= self.sitting.stop

    @property
    def present(self) -> int:
        """How many provinces were there."""
        return sum(row.present for row in self.rows)

    @property
    def required_absent(self) -> int:
        """How many required provinces nobody said were there."""
        return sum(row.required and not row.present for row in self.rows)


def minutes(
    it: Sitting,
    rolls: Sequence[RollCall],
    attendance: Sequence[Attendance],
    witness: Witness,
    now: float,
) -> Minutes:
    """The minutes as of ``now``; of a sitting that goes on, what has happened so far."""
    called = tuple(each for each in rolls if abs(each.start - it.start) < 1)
    marks = {each.province: each for each in attendance}
    until = min(it.stop, max(it.start, now))
    last = next((each for each in reversed(called) if not each.missed), None)
    verdicts = {each.province: each for each in (last.verdicts if last else ())}
    seats = sorted(it.meeting.seats, key=lambda seat: not seat.required)
    rows = tuple(
        Row(
            seat.province,
            seat.required,
            verdicts.get(seat.province),
            marks.get(seat.province),
            _figure(it, seat, witness, until),
        )
        for seat in seats
    )
    return Minutes(it, now, until, rows, called, together([row.figure for row in rows]))


def _figure(it: Sitting, seat: Seat, witness: Witness, until: float) -> Availability:
    start, stop = milliseconds(it.start), milliseconds(until)
    terms = Terms(
        start,
        stop,
        ((start, stop),) if start < stop else (),
        witness.planned.get(seat.province, ()),
        until=min(stop, milliseconds(witness.watched)),
    )
    return availability(witness.intervals.get(seat.province, ()), terms)
