"""What the runs of a settled endpoint leave behind, worked out instead of played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from vcmon.engine.schedule import phase
from vcmon.model.result import SILENT, Echo, Outcome
from vcmon.state.loss import HALF_LIFE
from vcmon.state.quality import WINDOW
from vcmon.state.track import Track, Watch

STALE_INTERVALS_AND_TIMEOUT = 32.0  # seconds at the default settings
TICK = 0.5
ANSWER = 0.02  # seconds until an answer, in ``tests/fakes/simulation.py``
CLEAN = Echo(5, 5, rtts=(ANSWER,) * 5)
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


def runs_of(watch: Watch, epoch: float) -> Runs:
    """The runs of this check in a timetable of this epoch, as they all are by now."""
    check = watch.check
    down = watch.belief.outcome is Outcome.DOWN
    silent = down and watch.belief.reason in SILENT
    first = epoch + phase(check.id, check.interval)
    return Runs(first, check.interval, check.timeout if silent else ANSWER, down)


def leave_traces(track: Track, runs: Sequence[Runs], since: float, now: float) -> float:
    """Age, loss and quality as the runs between ``since`` and ``now`` would have left them.

    Returns when the last of them began that was answered; minus infinity without any.
    """
    packets, answered = 0.0, float("-inf")
    for watch, its in zip(track.watches.values(), runs, strict=True):
        watch.fresh_at = max(watch.fresh_at, its.last(now))
        if watch.belief.outcome is Outcome.UP:
            packets += (len(CLEAN.rtts) if watch.check.kind == "icmp" else 1) / its.interval
            answered = max(answered, watch.fresh_at)
    fade = 0.5 ** ((now - since) / HALF_LIFE)
    steady = packets * HALF_LIFE / math.log(2)  # what a clean link's count comes to
    track.loss.sent = track.loss.sent * fade + steady * (1 - fade)
    track.loss.lost *= fade
    track.loss.at = now
    if track.quality.sent != track.quality.received:
        for _ in range(min(WINDOW, int((now - since) / runs[0].interval))):
            track.quality.add(CLEAN)
    return answered


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
