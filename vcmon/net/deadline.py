"""The one deadline, and how late the event loop runs.

``asyncio.timeout`` throws away a reply that already lies in the socket when the loop stalled, and
calls our own stall the peer's outage. :class:`Deadline` waits on the task itself (a reply that is
there is taken), and tells a stall of ours from a silence of theirs.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from vcmon.clock import Clock
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

T = TypeVar("T")

SWITCH = 0.002
"""Seconds for which a computing thread of ours may keep the loop waiting. With Python's own 5 ms
every pulse was late while a report was counted, and every probe under it worthless."""

STALL_SHARE = 0.1
"""A run during which the loop lagged by more than this share of its timeout proves nothing."""


EARLY = 0.005
"""Seconds by which a timer may fire early without being set for the same instant again."""


def next_whole(when: float, period: float) -> float:
    """The first whole multiple of ``period`` after ``when``, both in seconds of the loop's time.

    What wakes the loop again and again does it then: one wake-up, which finds the processor's
    caches cold and so costs as much as ten probes, serves all of it.
    """
    return (math.floor(when / period) + 1) * period


class LoopLag:
    """Measures how late the loop runs its timers, by a pulse of its own."""

    PERIOD = 0.05  # seconds: fine enough to see a tenth of the shortest sensible timeout
    JITTER = 0.012  # later than this is lag; a thread that computes may hold us for two SWITCHes

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected = clock.monotonic()
        self._total = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self.recent: list[float] = []  # latenesses since the last drain()
        self.watchers: list[Callable[[float], None]] = []  # called at each pulse with its time

    RECENT_MAX = 20_000  # a quarter of an hour of pulses that nobody drained

    def start(self) -> None:
        """Begin to pulse on the running loop."""
        self._beat_next(self._clock.monotonic())

    def stop(self) -> None:
        """Stop pulsing."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _pulse(self) -> None:
        now = self._clock.monotonic()
        late = max(0.0, now - self._expected)
        if late > self.JITTER:
            self._total += late
        if len(self.recent) < self.RECENT_MAX:
            self.recent.append(late)
        self._beat_next(now)  # before the watchers, who may ask for the total: this lag is in it
        for watcher in self.watchers:
            watcher(now)

    def _beat_next(self, now: float) -> None:
        loop = asyncio.get_running_loop()
        at = next_whole(loop.time() + EARLY, self.PERIOD)
        self._expected = now + at - loop.time()
        self._handle = loop.call_at(at, self._pulse)

    def total(self, now: float) -> float:
        """Seconds of lag from the start until monotonic second ``now``."""
        late = now - self._expected if self._handle else 0.0
        return self._total + (late if late > self.JITTER else 0.0)

    def drain(self) -> list[float]:
        """The latenesses (seconds) of all pulses since the last call."""
        taken, self.recent = self.recent, []
        return taken


class Deadline:
    """The time one run may take, from its making on."""

    def __init__(self, clock: Clock, lag: LoopLag, seconds: float) -> None:
        self._clock = clock
        self._lag = lag
        self.seconds = seconds
        self.started = clock.monotonic()
        self._lag_before = lag.total(self.started)

    def elapsed(self) -> float:
        """Seconds since the deadline was set."""
        return self._clock.monotonic() - self.started

    def remaining(self) -> float:
        """Seconds left; 0.0 when over."""
        return max(0.0, self.seconds - self.elapsed())

    def stalled(self) -> bool:
        """Whether our own loop lagged too much for this run to prove anything."""
        lag = self._lag.total(self._clock.monotonic()) - self._lag_before
        return lag > STALL_SHARE * self.seconds

    def expired(self, text: str, blame: Blame = Blame.PATH) -> ProbeError:
        """The error to raise when time ran out: theirs, or ``stall`` when it was ours."""
        if self.stalled():
            return ProbeError(Reason.STALL, Blame.LOCAL, "our own event loop stalled")
        return ProbeError(Reason.TIMEOUT, blame, text)

    async def run(self, work: Awaitable[T], text: str, blame: Blame = Blame.PATH) -> T:
        """The value of ``work``, done within what is left of the time.

        Work that is finished when we look is taken, however late we look. Raises the work's own
        error, or ProbeError ``timeout`` (``stall``) with ``text``; the work is then cancelled and
        has ended before this returns.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=self.remaining())
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            raise self.expired(text, blame)
        return task.result()

    async def see_through(self, work: Awaitable[T], owing: Callable[[], bool], most: float) -> T:
        """The value of ``work``, which keeps to this deadline by itself.

        For what must not be dropped halfway: when the run is cancelled while ``owing`` says so,
        ``work`` goes on for ``most`` seconds at the longest, and not past the deadline. It has
        ended when the CancelledError is raised.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if owing():
                await asyncio.wait({task}, timeout=min(most, self.remaining()))
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen, so that nobody is told of it once more
        return task.result()
