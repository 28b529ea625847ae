"""From what round-trip time on a link is far off its own normal: pure.

The busy hours of a work day are normal. Above them something must be left for the noise of five
minutes, and for what nobody in a conference would notice. The numbers are held against a year of 38
links in ``tests/simulator/test_baselines.py``.
"""

from __future__ import annotations

from math import inf

from vcmon.model.baseline import Baseline

ABSOLUTE = 0.030
"""Seconds above the busy hours within which nothing is far off: 15 ms each way are a third of a
point of R (G.107). So 5 ms that become 12 are no fault, though they are more than twice as much."""

SHARE = 0.2
"""Of the usual time, likewise: 30 ms more are nothing to a satellite's 600."""

BUSY = 2.0
"""Times what the busy hours add: a queue that is long every day is three times as long on some."""

DEVIATIONS = 4.0
"""Of the days' highs among each other: where busy hours differ from day to day, so may today's.
Four, not three, as five days tell a deviation badly."""


def ceiling(normal: Baseline | None) -> float:
    """The round-trip time, seconds, above which it is far off; infinite while nothing is normal."""
    if normal is None:
        return inf
    busy = max(0.0, normal.high - normal.usual)
    margins = (ABSOLUTE, SHARE * normal.usual, BUSY * busy, DEVIATIONS * normal.spread)
    return normal.high + max(margins)
