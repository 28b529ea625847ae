"""What is normal for a link, from the five minutes that are remembered of its last days.

Three things must not move it: what happens within a day (busy hours belong to every day), one bad
day or a quiet one, and what happens now. So each day gives one *high*, and of seven days the five
busiest, which are the work days of any week, are told by their median. It takes three of a new kind
to move that: a link that was moved for good is far off for two days, and normal on the third.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from vcmon.history.store import Store
from vcmon.model.baseline import Baseline

DAY = 86400.0

DAYS = 7
"""A whole week, so that work days are the same share of any; eight days are kept."""

WORK_DAYS = 5
"""So many busiest days are looked at, and fewer teach nothing: a link that was first seen on a
Friday would be far off on Monday."""

SLOTS_LEAST = 144
"""Five minutes that make a day count: half of them. A day of which only the night was seen has no
busy hours."""

HIGH = 0.98
"""Of a day's five minutes six are above its high: the hour of a nightly backup is normal."""

SCALE = 1.4826
"""A normal distribution's standard deviation by its median absolute deviation."""


def baseline(round_trips: Iterable[tuple[float, float]], now: float) -> Baseline | None:
    """What is normal at wall second ``now``, by when each five minutes began and their mean
    round-trip time; None where too few days were seen.
    """
    days: list[list[float]] = [[] for _ in range(DAYS)]
    for at, rtt in round_trips:
        back = int((now - at) // DAY)
        if 0 <= back < DAYS:
            days[back].append(rtt)
    seen = [sorted(day) for day in days if len(day) >= SLOTS_LEAST]
    if len(seen) < WORK_DAYS:
        return None
    highs = sorted(day[int(HIGH * (len(day) - 1))] for day in seen)[-WORK_DAYS:]
    high = median(highs)
    spread = SCALE * median(abs(each - high) for each in highs)
    return Baseline(median(rtt for day in seen for rtt in day), high, spread)


def read_baselines(path: Path, endpoints: Sequence[str], now: float) -> dict[str, Baseline | None]:
    """What is normal for each of these endpoints, by id; None where too little is remembered.

    Raises HistoryError and sqlite3.Error. Not for the loop.
    """
    store = Store.open(path, write=False)
    try:
        return {
            name: baseline(store.round_trips(f"endpoint:{name}", now - DAYS * DAY, now), now)
            for name in endpoints
        }
    finally:
        store.close()
