"""What is counted: histograms and totals, written on the loop, read by the metrics view."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vcmon.model.result import Reason

DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds. From a host next door to the longest timeout in use."""

RTT_BOUNDS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.03,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.6,
    1.0,
    2.0,
)
"""Seconds. 150 and 300 ms are quality limits, 600 ms is a GEO satellite."""

LATENESS_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Seconds. 20 ms and 250 ms are the limits that vcmon promises."""


@dataclass(slots=True)
class Histogram:
    """Counts by upper bound; ``counts`` has one more place than ``bounds``, for +Inf."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0  # sum of all observed values

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count one value (a value equal to a bound belongs to that bound)."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def _duration() -> Histogram:
    return Histogram(DURATION_BOUNDS)


def _rtt() -> Histogram:
    return Histogram(RTT_BOUNDS)


def _lateness() -> Histogram:
    return Histogram(LATENESS_BOUNDS)


@dataclass(slots=True)
class Tally:
    """Everything counted of one check since it was first loaded."""

    probes: int = 0
    failures: Counter[Reason] = field(default_factory=Counter)  # DOWN
    inconclusive: Counter[Reason] = field(default_factory=Counter)  # UNKNOWN
    duration: Histogram = field(default_factory=_duration)  # UP only
    rtt: Histogram = field(default_factory=_rtt)
    sent: int = 0
    received: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class EngineFigures:
    """Everything counted of the monitor itself."""

    started_at: float = 0.0  # wall seconds
    last_round_at: float = 0.0  # wall seconds; 0: the first round is not complete
    missed: int = 0  # slots that passed without a run
    lateness: Histogram = field(default_factory=_lateness)  # start behind its slot, seconds
    loop_lag: Histogram = field(default_factory=_lateness)
    reload_ok: bool = True
    reload_ok_at: float = 0.0  # wall seconds of the last successful load
    open_fds: int = 0
    max_fds: int = 0


@dataclass(frozen=True, slots=True)
class HistoryFigures:
    """Everything counted of the memory; replaced whole by the thread that writes."""

    wanted: bool = False  # the settings ask for a memory
    up: bool = False  # what happened lately is written
    written_at: float = 0.0  # wall seconds: all that happened before is written
    waiting: int = 0  # facts not yet written
    dropped: int = 0  # facts that will never be written
    failures: Mapping[str, int] = field(default_factory=dict)  # by what was in the way
    begun_anew: int = 0  # files that replaced one that was corrupt or gone
    size: int = 0  # bytes of the file and its log
