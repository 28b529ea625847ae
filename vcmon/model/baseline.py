"""What is normal for a link, by its own last days."""

from __future__ import annotations

from typing import NamedTuple


class Baseline(NamedTuple):
    """The round-trip times of one endpoint over the last days, in seconds.

    A day's *high* is what its five minutes exceed for half an hour only: its busiest hours.
    """

    usual: float  # median of all five minutes
    high: float  # median of the highs of the five busiest days: of the work days
    spread: float = 0.0  # of those: median deviation, scaled to the size of a standard deviation
