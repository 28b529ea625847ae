"""The calendar keeps the wall clock's time, also when that is set."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import time_machine

from vcmon.engine.calendar import ZONE, Calendar


def noting(into: list[str], what: str) -> Callable[[], Awaitable[None]]:
    async def job() -> None:
        into.append(what)

    return job


async def within(done: list[str], count: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while len(done) < count and time.monotonic() < until:
        await asyncio.sleep(0.01)


async def test_once_at_its_second_or_at_once() -> None:
    """A date that is past runs now, one to come at its time; of one name the last counts."""
    done: list[str] = []
    calendar = Calendar()
    now = time.time()
    calendar.at(now - 3600, "late", noting(done, "late"))
    calendar.at(now + 0.2, "soon", noting(done, "first"))
    calendar.at(now + 0.3, "soon", noting(done, "second"))
    calendar.start()
    await within(done, 2, 5)
    assert done == ["late", "second"]
    assert time.time() >= now + 0.3
    calendar.stop()


async def test_a_clock_that_is_set_forward() -> None:
    """What became due by the step runs at once, once it is told of the step."""
    done: list[str] = []
    calendar = Calendar()
    with time_machine.travel(datetime.now(ZONE), tick=True) as traveller:
        calendar.at(time.time() + 1800, "roll", noting(done, "roll"))
        calendar.start()
        traveller.shift(timedelta(hours=1))
        calendar.clock_was_set()
        await within(done, 1, 5)
    assert done == ["roll"]
    calendar.stop()


async def test_a_clock_that_is_set_back() -> None:
    """What runs each second goes on within one, not an hour later."""
    done: list[str] = []
    calendar = Calendar()
    with time_machine.travel(datetime.now(ZONE), tick=True) as traveller:
        calendar.every(1, "look", noting(done, "look"))
        calendar.start()
        traveller.shift(timedelta(hours=-1))
        calendar.clock_was_set()
        await within(done, 1, 5)
    assert done == ["look"]
    calendar.stop()
