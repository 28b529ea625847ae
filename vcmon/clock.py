"""The only file that asks the time.

Durations and deadlines use :meth:`Clock.monotonic`, which goes on through suspend and never
steps; what people read uses :meth:`Clock.wall`. Neither is ever computed from the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """What vcmon needs of time; tests hand in a clock that they turn themselves."""

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; may step either way."""
        ...

    def monotonic(self) -> float:
        """Seconds since boot, suspended time included; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        # The system's own functions: they are asked ten times for every ping.
        self.wall: Callable[[], float] = time.time
        # CLOCK_MONOTONIC stands still while the machine sleeps: ten minutes of suspend would
        # pass for nothing and old results for fresh ones.
        self.monotonic: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)


wall_ns: Callable[[], int] = time.time_ns
"""CLOCK_REALTIME in nanoseconds: the clock of the kernel's stamps."""

monotonic_ns: Callable[[], int] = time.monotonic_ns
"""CLOCK_MONOTONIC in nanoseconds: what a wall-clock difference is checked against."""
