"""When the rolls of sittings are to be called: pure, by the wall clock alone.

A checkpoint that finds nobody at its time (we were off, the loop stalled, the clock was set over
it) is called late as long as that says the same: within ``LATE`` seconds, before the next one, and
before the sitting is over. After that it is missed. That is marked once the sitting is over, not
before: a clock that was set wrong may be set right again, and what is kept is kept for good.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from vcmon.model.meeting import RollCall, Sitting

LATE = 300.0
"""Seconds after its time in which a roll may still be called."""

Key = tuple[str, float, float]
"""Names a roll for good: the sitting, the start it is called for, the checkpoint."""


class Point(NamedTuple):
    """One checkpoint of one sitting."""

    sitting: Sitting
    checkpoint: float  # seconds before the start
    until: float  # wall seconds before which it may be called

    @property
    def at(self) -> float:
        """The wall second that it is to be called at."""
        return self.sitting.start - self.checkpoint

    @property
    def key(self) -> Key:
        return self.sitting.id, self.sitting.start, self.checkpoint


class Look(NamedTuple):
    """What is to be done at one moment."""

    due: tuple[Point, ...]
    missed: tuple[Point, ...]
    next_at: float  # wall seconds of the next that will be due or missed; infinity without any


def key_of(roll: RollCall) -> Key:
    """The key of a roll that was kept."""
    return roll.sitting, roll.start, roll.checkpoint or 0.0


def points(sitting: Sitting) -> Iterator[Point]:
    """The sitting's checkpoints, the earliest first."""
    ordered = sorted(set(sitting.meeting.checkpoints), reverse=True)
    ends = [sitting.start - each for each in ordered[1:]]
    for checkpoint, end in zip_longest(ordered, ends, fillvalue=sitting.stop):
        late = sitting.start - checkpoint + LATE
        yield Point(sitting, checkpoint, min(late, end, sitting.stop))


def look(sittings: Iterable[Sitting], now: float, done: Container[Key]) -> Look:
    """What is due and missed at wall second ``now`` of what is not done yet, and when to look
    again.
    """
    due: list[Point] = []
    missed: list[Point] = []
    later: list[float] = []
    for sitting in sittings:
        for point in points(sitting):
            if point.key in done:
                continue
            if now < point.at:
                later.append(point.at)
            elif now < point.until:
                due.append(point)
            elif now < sitting.stop:
                later.append(sitting.stop)
            else:
                missed.append(point)
    return Look(tuple(due), tuple(missed), min(later, default=float("inf")))
