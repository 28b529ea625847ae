"""A runner with probes made by the test, on the real loop and clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from vcmon.clock import SystemClock
from vcmon.engine.runner import Runner
from vcmon.net.deadline import LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Probe


@asynccontextmanager
async def workshop(probes: Mapping[str, Probe]) -> AsyncIterator[Runner]:
    """A runner whose lag is measured; everything is closed behind it."""
    clock = SystemClock()
    lag, pinger, resolver = LoopLag(clock), Pinger(), Resolver(clock)
    lag.start()
    pinger.open()
    try:
        yield Runner(clock, lag, pinger, resolver, probes, asyncio.Semaphore(100))
    finally:
        pinger.close()
        resolver.close()
        lag.stop()
