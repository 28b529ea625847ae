"""What the runs of a settled endpoint leave behind, worked out instead of played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

STALE_INTERVALS_AND_TIMEOUT = 32.0  # seconds at the default settings
TICK = 0.5
ROUNDING = 1e-6  # seconds: a run is over at the very second that its own arithmetic gives


class Runs(NamedTuple):
    """The runs of one check while nothing changes."""

    first: float  # monotonic second of slot 0
    interval: float
    duration: float
    down: bool  # each of them is a failure

    def last(self, at: float) -> float:
        """When the last run began that was over at ``at``."""
        return self.first + self._passed(at) * self.interval

    def started(self, at: float) -> float:
        """When the last run began that began before ``at``."""
        return self.first + math.floor((at - self.first - ROUNDING) / self.interval) * self.interval

    def _passed(self, at: float) -> int:
        return math.floor((at - self.duration - self.first + ROUNDING) / self.interval)

    def finish_from(self, at: float) -> float:
        """When the first run is over that is not over before ``at``."""
        turn = math.ceil((at - self.duration - self.first - ROUNDING) / self.interval)
        return self.first + turn * self.interval + self.duration


def stale_at(checks: Sequence[Runs], before: float, since: float, now: float) -> float:
    """When the board looks at the endpoint's age again, as it would be at ``now``.

    ``before`` is what it was at ``since``, when the endpoint was left alone. The board looks at
    the age of the results when that second has come, and sets the next one by the oldest of the
    last results; a failure makes it look at once.
    """
    if any(runs.down for runs in checks):
        looked = max(runs.last(now) + runs.duration for runs in checks if runs.down)
        return _next(checks, looked) if looked > since else before
    at = before
    seen: dict[float, float] = {}  # where in the ten seconds -> the first time there
    while at <= now:
        at = _next(checks, _looked(checks, at))
        place = round(at % checks[0].interval, 6)
        if place in seen and (period := at - seen[place]) < now - at:
            turns = math.floor((now - at) / period)
            ahead = round(turns * period / checks[0].interval) * checks[0].interval
            at = _snapped(checks, at + ahead)
            seen.clear()
        else:
            seen.setdefault(place, at)
    return at


def _looked(checks: Sequence[Runs], due: float) -> float:
    tick = math.ceil(due / TICK) * TICK
    return min(tick, *(runs.finish_from(due) for runs in checks))


def _next(checks: Sequence[Runs], looked: float) -> float:
    return min(runs.last(looked) for runs in checks) + STALE_INTERVALS_AND_TIMEOUT


def _snapped(checks: Sequence[Runs], at: float) -> float:
    """The very float that a slot's own arithmetic gives."""
    begun = at - STALE_INTERVALS_AND_TIMEOUT
    near = (runs.first + round((begun - runs.first) / runs.interval) * runs.interval
            for runs in checks)  # fmt: skip
    return min(near, key=lambda slot: abs(slot - begun)) + STALE_INTERVALS_AND_TIMEOUT
