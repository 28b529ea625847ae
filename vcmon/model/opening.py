"""The hours of the day in which a check may run."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes."""


class Opening(NamedTuple):
    """Spans of minutes since midnight on the clocks of ``zone``; one that ends before it begins
    goes on past midnight. No spans: always.
    """

    spans: tuple[tuple[int, int], ...]
    zone: ZoneInfo

    def is_open(self, wall: float) -> bool:
        """Whether wall second ``wall`` lies within."""
        local = datetime.fromtimestamp(wall, self.zone)
        minute = local.hour * 60 + local.minute
        return not self.spans or any(_within(minute, *span) for span in self.spans)

    @property
    def longest_span(self) -> float:
        """Seconds of the longest of its spans; of a whole day where it is always open."""
        spans = self.spans or ((0, 0),)
        return max((stop - start) % DAY or DAY for start, stop in spans) * 60.0

    @property
    def longest_pause(self) -> float:
        """Seconds from one opening to the next at the most: what came before it is not stale yet.

        A change to or from summer time adds an hour at the most.
        """
        if not self.spans:
            return 0.0
        is_open = [any(_within(minute, *span) for span in self.spans) for minute in range(DAY)]
        longest = run = 0
        for minute in is_open * 2:
            run = 0 if minute else run + 1
            longest = max(longest, min(run, DAY))
        return longest * 60.0 + (3600.0 if longest else 0.0)


def _within(minute: int, start: int, stop: int) -> bool:
    if start < stop:
        return start <= minute < stop
    return minute >= start or minute < stop
