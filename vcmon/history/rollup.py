"""From intervals to the time in each state per slot of 5 minutes, hour and day; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from vcmon.history.schema import CODES

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Milliseconds."""

WIB = 7 * HOUR
"""The Centre's zone, which has had no summer time since 1964: a day is a day in Jakarta."""


@dataclass(frozen=True, slots=True)
class Grain:
    """One table of roll-ups. A slot is a number; ``start`` says when it begins."""

    name: str
    width: int  # milliseconds
    offset: int = 0  # milliseconds by which its slots begin before those of UTC

    def slot(self, at: int) -> int:
        """The slot that millisecond ``at`` lies in."""
        return (at + self.offset) // self.width

    def start(self, slot: int) -> int:
        """The slot's first millisecond."""
        return slot * self.width - self.offset


FIVE_MINUTES = Grain("five_minutes", 5 * MINUTE)
HOURS = Grain("hour", HOUR)
"""Of UTC, and so of WIB, WITA and WIT: all are whole hours from it."""
DAYS = Grain("day", DAY, WIB)
GRAINS = (FIVE_MINUTES, HOURS, DAYS)

Times = tuple[int, int, int, int, int]
"""Milliseconds up, degraded, down, unreachable, unknown: in the order of the codes."""

NOTHING: Times = (0, 0, 0, 0, 0)


class Span(NamedTuple):
    """One interval as the file has it; ``stop`` is None while it goes on."""

    start: int
    stop: int | None
    state: int


def times(spans: Iterable[Span], grain: Grain, start: int, stop: int) -> dict[int, Times]:
    """The time in each state of every slot that meets ``[start, stop)``, nothing beyond it.

    A slot that no span covers is left out; what is uncovered within a slot is in none of its
    times, so that the sum tells the coverage.
    """
    found: dict[int, list[int]] = {}
    for span in spans:
        at = max(span.start, start)
        end = stop if span.stop is None else min(span.stop, stop)
        while at < end:
            slot = grain.slot(at)
            until = min(end, grain.start(slot + 1))
            found.setdefault(slot, [0] * len(CODES))[span.state] += until - at
            at = until
    return {slot: _times(each) for slot, each in found.items()}


def _times(each: list[int]) -> Times:
    up, degraded, down, unreachable, unknown = each
    return up, degraded, down, unreachable, unknown


class RollUp(NamedTuple):
    """One row of a roll-up: seconds in each state, packets, times in microseconds as in Sample."""

    start: float  # wall seconds
    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    unreachable: float = 0.0
    unknown: float = 0.0
    sent: int = 0
    lost: int = 0
    rtt_sum: int = 0
    rtt_n: int = 0
    rtt_max: int = 0
    jitter_sum: int = 0
    jitter_n: int = 0
