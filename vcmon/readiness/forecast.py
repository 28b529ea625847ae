"""How likely a province is to be ready at a meeting's weekday and hour, by its own history. Pure.

Of each week is known whether the province could have joined at that moment. A few dozen weeks say
little by themselves, so they are weighed against all that is known of the province: a beta
distribution around its availability, worth as many weeks as ``PRIOR``, updated by the weeks
(Beta-Binomial). The answer is a mean and the range that holds four cases of five.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log

from vcmon.history.store import Store
from vcmon.model.meeting import Sitting
from vcmon.model.memory import Interval
from vcmon.model.status import State

WEEK = 7 * 86_400.0

WEEKS = 52
"""Weeks that are looked back: power and weather have their seasons."""

ENOUGH = 8
"""Weeks without which nothing is told: two months."""

PRIOR = 2.0
"""Weeks that the whole history counts as: more hides what is particular about an hour, less takes
one bad Monday for a habit. By the Brier score over simulated years 1 and 2 are the best."""

SURE = 0.995
"""A history without an outage is no promise: it counts as one day in two hundred."""

LEVEL = 0.8
"""Share of cases that the range holds."""

GRAIN = 500
"""Steps of the density: the range is exact to a five-hundredth."""

INTERVALS = 5_000
"""Of one province, from the latest back: fourteen a day for a year. Who changes more often is
forecast from fewer weeks, so that no question holds a thread for seconds.
"""

PART = 4 * WEEK
"""Read at once: the most that is read beyond the bound."""

LOST = frozenset({State.DOWN, State.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Forecast:
    """The chance to be ready, 0 to 1, and the range it lies in; from so many weeks."""

    chance: float
    low: float
    high: float
    weeks: int
    ready: int  # of them


def forecast(weeks: Sequence[bool], share: float) -> Forecast | None:
    """The forecast from what each week said, in any order, and the share of all time in which the
    province could have joined (0 to 1). None where the history is too short.
    """
    if len(weeks) < ENOUGH:
        return None
    a, b = belief(weeks, share)
    low, high = _range(a, b)
    return Forecast(a / (a + b), low, high, len(weeks), sum(weeks))


def belief(weeks: Sequence[bool], share: float) -> tuple[float, float]:
    """The beta distribution's parameters: ready and not ready, in weeks, the history's among them.

    The chance is ``a / (a + b)``.
    """
    usual, ready = min(max(share, 1 - SURE), SURE), sum(weeks)
    return PRIOR * usual + ready, PRIOR * (1 - usual) + len(weeks) - ready


def weeks_of(intervals: Sequence[Interval], start: float, now: float) -> tuple[bool, ...]:
    """Whether the province could have joined at the same time of each week before ``start``, as
    far as it is past; weeks in which nobody looked are left out. Intervals in order.
    """
    starts = [each.start for each in intervals]
    found = []
    for back in range(1, WEEKS + 1):
        at = start - back * WEEK
        place = bisect_right(starts, at) - 1
        if at > now or place < 0:
            continue
        there = intervals[place]
        known = there.state is not State.UNKNOWN and (there.stop is None or at < there.stop)
        if known:
            found.append(there.state not in LOST)
    return tuple(found)


def share_of(intervals: Sequence[Interval], until: float) -> float | None:
    """The share of the time that is known in which it could have joined; None of no time."""
    well = lost = 0.0
    for each in intervals:
        length = (until if each.stop is None else min(each.stop, until)) - each.start
        if each.state in LOST:
            lost += length
        elif each.state is not State.UNKNOWN:
            well += length
    return well / (well + lost) if well + lost > 0 else None


def read_forecasts(store: Store, sitting: Sitting, now: float) -> Mapping[str, Forecast]:
    """The roster's forecasts, by slug; who has too short a history is left out.

    Raises sqlite3.Error. Not for the loop: it reads a year of each province, ``INTERVALS`` at most.
    """
    found, low = {}, sitting.start - (WEEKS + 1) * WEEK
    for seat in sitting.meeting.seats:
        intervals = read_year(store, f"province:{seat.province}", low, now)
        share = share_of(intervals, store.heartbeat() or now)
        weeks = weeks_of(intervals, sitting.start, now)
        told = None if share is None else forecast(weeks, share)
        if told is not None:
            found[seat.province] = told
    return found


def read_year(store: Store, series: str, low: float, now: float) -> list[Interval]:
    """What overlaps ``[low, now)``, in order and whole; of too many the latest."""
    found: deque[Interval] = deque()
    high = now
    while low < high and len(found) < INTERVALS:
        start = max(low, high - PART)
        part = store.intervals(series, start, high)
        # What reaches into a later part is there already.
        later = found[0].start if found else float("inf")
        found.extendleft(each for each in reversed(part) if each.start < later)
        high = start
    return list(found)


def _range(a: float, b: float) -> tuple[float, float]:
    """The middle ``LEVEL`` of the beta distribution, by adding up its density."""
    places = [(step + 0.5) / GRAIN for step in range(GRAIN)]
    logs = [(a - 1) * log(x) + (b - 1) * log(1 - x) for x in places]
    top = max(logs)
    sums = list(accumulate(exp(each - top) for each in logs))
    low, high = ((1 - side * LEVEL) / 2 * sums[-1] for side in (1, -1))
    return places[bisect_right(sums, low)], places[min(bisect_right(sums, high), GRAIN - 1)]
