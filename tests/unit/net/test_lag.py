"""Whole instants of the loop's time: what wakes the loop does it together."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from vcmon.clock import SystemClock
from vcmon.net.deadline import EARLY, LoopLag, next_whole


@given(when=st.floats(0, 1e8), period=st.sampled_from([0.05, 0.1, 0.5, 1.0]))
def test_the_next_whole_instant_is_near_and_the_same_for_all(when: float, period: float) -> None:
    """It comes within one period, and whoever asks from within that period is told the same."""
    at = next_whole(when, period)
    assert when - 1e-6 < at <= when + period + 1e-6
    assert next_whole(at - period / 2, period) == at
    assert next_whole(at + EARLY, period) > at


async def test_the_pulse_keeps_its_rate() -> None:
    """Twenty pulses a second, none for the same instant twice."""
    lag, pulses = LoopLag(SystemClock()), list[float]()
    lag.watchers.append(pulses.append)
    lag.start()
    await asyncio.sleep(1.0)
    lag.stop()
    assert len(pulses) >= 5
    assert len(pulses) <= (pulses[-1] - pulses[0]) / LoopLag.PERIOD + 2
