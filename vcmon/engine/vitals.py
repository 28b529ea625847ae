"""Our own vital signs: loop lag, descriptors, and whether engine and board still move."""

from __future__ import annotations

import gc
import os
import resource
from dataclasses import dataclass
from pathlib import Path

from vcmon.clock import Clock
from vcmon.model.figures import EngineFigures
from vcmon.net.deadline import LoopLag

MOVED_WITHIN = 10.0
"""Seconds within which engine and board must have moved to count as alive: ten heartbeats."""

FDS = Path("/proc/self/fd")


COLLECT_AFTER = 50_000
"""Allocations between two looks for cyclic garbage. vcmon makes next to none, while a look visits
every result of the last seconds: at Python's 700 it took a fifth of all CPU, and a full one held
the loop of 10,000 endpoints for 50 ms."""


def spare_the_collector() -> None:
    """Take what was built so far out of the garbage collector's sight, and let it look seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def raise_open_files_limit() -> int:
    """Raise the soft limit of descriptors to the hard one; the limit then in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


@dataclass(slots=True)
class Vitals:
    """Takes the pulse once a second; the board's tick is called beside it."""

    clock: Clock
    lag: LoopLag
    figures: EngineFigures
    ticked_at: float = float("-inf")  # monotonic

    def beat(self) -> None:
        """Note the lags since the last beat and the descriptors open now."""
        self.ticked_at = self.clock.monotonic()
        for late in self.lag.drain():
            self.figures.loop_lag.observe(late)
        self.figures.max_fds = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        try:
            self.figures.open_fds = len(os.listdir(FDS))  # noqa: PTH208  one syscall, no Path objects
        except OSError:
            self.figures.open_fds = self.figures.max_fds  # none left to look with

    def alive(self, engine_turned_at: float) -> bool:
        """Whether both the engine and this pulse have moved lately."""
        oldest = min(engine_turned_at, self.ticked_at)
        return self.clock.monotonic() - oldest < MOVED_WITHIN
