"""Work that a cancelled run may still bring to its end."""

from __future__ import annotations

import asyncio
import time

import pytest

from vcmon.clock import SystemClock
from vcmon.net.deadline import Deadline, LoopLag


def within(seconds: float) -> Deadline:
    clock = SystemClock()
    return Deadline(clock, LoopLag(clock), seconds)


class Work:
    """Takes so many seconds; knows how it ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ended = ""

    async def run(self) -> str:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "done"
        return "value"


async def cancelled(work: Work, deadline: Deadline, *, owing: bool, most: float) -> float:
    """Seconds from the cancellation to the end."""
    seeing = deadline.see_through(work.run(), lambda: owing, most)
    task = asyncio.ensure_future(seeing)
    await asyncio.sleep(0.02)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.monotonic() - begun


async def test_uncancelled_work_gives_its_value_or_its_error() -> None:
    """As if it had been awaited."""
    deadline = within(1)
    assert await deadline.see_through(Work(0.01).run(), lambda: False, 0) == "value"

    async def wrong() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await deadline.see_through(wrong(), lambda: True, 1)


@pytest.mark.parametrize(
    ("seconds", "owing", "bounds", "ended", "took"),
    [
        (0.1, True, (1.0, 2.0), "done", 0.08),  # it comes to its end
        (0.1, False, (1.0, 2.0), "cancelled", 0.0),  # nothing is owed
        (5.0, True, (0.1, 2.0), "cancelled", 0.1),  # no longer than it may
        (5.0, True, (1.0, 0.15), "cancelled", 0.13),  # nor past the deadline
    ],
)
async def test_cancelled_work_goes_on_as_long_as_it_may(
    seconds: float, owing: bool, bounds: tuple[float, float], ended: str, took: float
) -> None:
    """Only what is owed goes on, within both bounds; the cancellation is never swallowed."""
    work, (most, limit) = Work(seconds), bounds
    spent = await cancelled(work, within(limit), owing=owing, most=most)
    assert work.ended == ended
    assert spent == pytest.approx(took, abs=0.04)


async def test_second_cancellation_ends_it_at_once() -> None:
    """Who insists is heard."""
    work = Work(5)
    task = asyncio.ensure_future(within(6).see_through(work.run(), lambda: True, 5))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.ended == "cancelled"
