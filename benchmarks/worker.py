"""Runs inside the namespace, measures itself, says what it found as one line of JSON."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from icmplib import async_multiping, async_ping

from benchmarks.common import addresses
from vcmon.clock import SystemClock
from vcmon.config.params import IcmpParams
from vcmon.engine.engine import Engine
from vcmon.engine.runner import Runner
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.figures import EngineFigures
from vcmon.model.result import Outcome, Result
from vcmon.net.deadline import LoopLag
from vcmon.net.icmp import Burst, BurstPlan, Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes import BEGINS, PROBES

ONE = BurstPlan(1, 0.0, 56, 0)
TIMEOUT = 2.0
SLOT = 0.02  # seconds: the engine's grain, so that the bare pinger is paced alike
STALL, PAUSE = 0.2, 0.25  # seconds: the loop blocked, and free again


def cpu() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def pinger(count: int, rounds: int, period: float) -> dict[str, Any]:
    """The bare Pinger: one packet to each target a round."""
    targets, mine = addresses(count), Pinger()
    mine.open()
    answered = 0

    def told(burst: Burst) -> None:
        nonlocal answered
        answered += burst.echo.received

    async def paced() -> None:
        slots = int(period / SLOT)
        begun = time.monotonic()
        for slot in range(rounds * slots):
            place = slot % slots
            for address in targets[place * count // slots : (place + 1) * count // slots]:
                mine.begin(address, ONE, TIMEOUT, told)
            await asyncio.sleep(max(0.0, begun + (slot + 1) * SLOT - time.monotonic()))
        while mine.in_flight:
            await asyncio.sleep(SLOT)

    before = cpu()
    await paced()
    spent = cpu() - before
    mine.close()
    return {"probes": count * rounds, "answered": answered, "cpu": spent}


async def engine(count: int, rounds: int, period: float) -> dict[str, Any]:
    """Engine, runner, probe and Pinger, as in ``vcmon run``, without state and pages."""
    clock, found = SystemClock(), [0, 0]
    lag, mine = LoopLag(clock), Pinger()
    lag.start()
    mine.open()
    runner = Runner(clock, lag, mine, Resolver(clock), PROBES, asyncio.Semaphore(100), BEGINS)

    def sink(result: Result, _: int) -> Sequence[tuple[CheckId, float, int]]:
        found[0] += 1
        found[1] += result.outcome is Outcome.UP
        return ()

    runs = Engine(clock, runner, sink, EngineFigures())
    params = IcmpParams.model_construct(packets=1, spacing=0.0)
    runs.load(
        Check(
            CheckId(address, "icmp"), "aceh", "icmp", address, params, period, TIMEOUT, decides=True
        )
        for address in addresses(count)
    )
    before = cpu()
    task = asyncio.create_task(runs.run())
    await asyncio.sleep(rounds * period)
    spent, probes, answered = cpu() - before, *found
    task.cancel()
    await asyncio.wait({task})
    lag.stop()
    mine.close()
    return {"probes": probes, "answered": answered, "cpu": spent}


async def multiping(count: int, rounds: int, _: float) -> dict[str, Any]:
    """icmplib's async_multiping with its default of 50 at a time, on its kinder DGRAM sockets."""
    answered, before = 0, cpu()
    for _ in range(rounds):
        hosts = await async_multiping(addresses(count), count=1, timeout=TIMEOUT, privileged=False)
        answered += sum(host.packets_received for host in hosts)
    return {"probes": count * rounds, "answered": answered, "cpu": cpu() - before}


async def stalled(ping: Callable[[], Awaitable[float]], seconds: float) -> dict[str, Any]:
    """Round-trip times (ms) told while the loop is blocked again and again."""
    told: list[float] = []

    async def ask() -> None:
        while True:
            told.append(await ping())
            await asyncio.sleep(random.uniform(0.0, 0.02))

    task = asyncio.create_task(ask())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)
        time.sleep(STALL)
    task.cancel()
    await asyncio.wait({task})
    return {"told": [value for value in told if value >= 0]}


async def stall_vcmon(seconds: float) -> dict[str, Any]:
    mine = Pinger()
    mine.open()

    async def ping() -> float:
        rtt = (await mine.burst("127.1.0.1", ONE, TIMEOUT)).echo.rtt
        return -1.0 if rtt is None else rtt * 1000

    try:
        return await stalled(ping, seconds)
    finally:
        mine.close()


async def stall_icmplib(seconds: float) -> dict[str, Any]:
    async def ping() -> float:
        host = await async_ping("127.1.0.1", count=1, timeout=TIMEOUT, privileged=False)
        return float(host.max_rtt) if host.packets_received else -1.0

    return await stalled(ping, seconds)


def main(argv: Sequence[str]) -> None:
    what, *numbers = argv
    rounds = {"pinger": pinger, "engine": engine, "icmplib": multiping}
    stalls = {"stall-vcmon": stall_vcmon, "stall-icmplib": stall_icmplib}
    if what in rounds:
        said = asyncio.run(rounds[what](int(numbers[0]), int(numbers[1]), float(numbers[2])))
    else:
        said = asyncio.run(stalls[what](float(numbers[0])))
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1:])
