"""A real vcmon behind a chain of routers: what it traces by itself, and how much."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.chain import Chain, chain
from tests.fakes.figures import record
from tests.fakes.inventory import endpoint
from tests.fakes.needs import needs
from tests.fakes.process import Monitor, running, write_settings
from vcmon.clock import SystemClock
from vcmon.engine.tracing import Bounds, Tracer
from vcmon.model.endpoint import Endpoint
from vcmon.model.path import Route
from vcmon.model.result import Reason
from vcmon.model.status import Standing, State, Transition
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.trace import HOPS_MAX, Patience, trace

WELL = ("up", "degraded")  # jitter of a busy machine is no matter here
PORT = 9838  # of the namespace's own loopback
FAST = """
history: {path: m.db}
canaries: [10.81.0.2]
defaults: {interval: 1s, timeout: 500ms, confirm: {down: 3, retry: 500ms, up: 2, up_gap: 1s}}
"""
COUNT = """chain count { type filter hook prerouting priority -10;
    icmp type echo-request counter; }"""
CUT = "chain forward { type filter hook forward priority 0; policy drop; }"


@pytest.fixture
def country() -> Iterator[Chain]:
    with chain(4) as made:
        yield made


def awaited(ask: Callable[[], Any], seconds: float) -> Any:
    """The first answer that is one."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing came within {seconds} s")


def asked(monitor: Monitor, path: str) -> Any:
    status, text = monitor.get(path)
    assert status == 200, text
    return json.loads(text)


def watched(directory: Path, router: str) -> dict[str, Any]:
    """Inside the monitor's namespace: well, cut, well for a moment, cut again."""
    nft = [needs("ip", "iproute2"), "netns", "exec", router, needs("nft", "nftables")]
    rows = ["codec,aceh,codec,10.81.4.2,icmp,"]
    config = write_settings(directory, rows, port=PORT, extra=FAST)
    cut = f"table inet t {{\n{CUT}\n}}"
    told: dict[str, Any] = {}
    with running(config, PORT) as monitor:
        monitor.wait_for("codec", WELL, 10)
        told["healthy"] = awaited(
            lambda: asked(monitor, "/api/v1/endpoints/codec/path")["healthy"], 10
        )
        subprocess.run([*nft, cut], check=True)
        monitor.wait_for("codec", "down", 15)
        told["incident"] = awaited(
            lambda: (it := asked(monitor, "/api/v1/incidents/1"))["paths"] and it, 10
        )
        show = [sys.executable, "-m", "vcmon", "incident", "show", "1", "--config", str(config)]
        told["shown"] = subprocess.run(show, check=True, capture_output=True, text=True).stdout
        subprocess.run([*nft, "flush ruleset"], check=True)
        monitor.wait_for("codec", WELL, 15)
        subprocess.run([*nft, cut], check=True)
        monitor.wait_for("codec", "down", 15)
        time.sleep(4.0)  # a second trace would be there by now
        told["again"] = asked(monitor, "/api/v1/incidents/1")
        told["log"] = monitor.log.read_text()
    return told


def test_an_outage_has_both_ways(country: Chain, tmp_path: Path) -> None:
    """The healthy way before, where it stops now, once per incident, by HTTP and in the shell."""
    told = country.monitor.call(watched, tmp_path, country.router(2).name)
    way = [country.address(n) for n in range(1, 6)]
    assert [hop["addresses"] for hop in told["healthy"]["hops"]] == [[each] for each in way]
    (path,) = told["incident"]["paths"]
    assert path["before"] == told["healthy"]
    assert [hop["addresses"] for hop in path["now"]["hops"]] == [[each] for each in way[:2]]
    assert path["verdict"]["text_id"] == f"berhenti setelah {way[1]}, dulu lanjut ke {way[2]}"
    assert f"stops after {way[1]}, went on to {way[2]} before" in told["shown"]
    again = told["again"]
    once = (again["reopened"], len(again["paths"])) == (1, 1)
    told_once = f"{len(again['paths'])} trace, {1 + again['reopened']} falls"
    record("path-once-run", told_once, "1 trace an incident, by a real vcmon", once)
    assert once
    assert "bug" not in told["log"]


def stormy() -> tuple[int, int, int]:
    """In the monitor's namespace: 38 fall at once; the traces, those at once, the packets."""

    async def main() -> tuple[int, int, int]:
        clock = SystemClock()
        lag, counts = LoopLag(clock), [0, 0, 0, 0]

        async def survey(it: Endpoint, healthy: bool) -> Route:
            counts[3] += 1
            counts[1] = max(counts[1], counts[3])
            hurried = Patience(again=0.05, wait=0.1)  # as many packets, in less time
            found = await trace("10.81.4.2", Deadline(clock, lag, 5.0), hurried)
            counts[0] += 1
            counts[2] += found.sent
            counts[3] -= 1
            return Route(it.id, "", 0.0, healthy, found.hops, found.reached, found.why)

        tracer = Tracer(clock, survey, lambda _: None, Bounds())
        endpoints = [endpoint(f"e{n}") for n in range(38)]
        tracer.load(endpoints, enabled=True, daily=True)
        down = Standing(State.DOWN, Reason.TIMEOUT)
        for each in endpoints:
            tracer.transition(Transition(f"endpoint:{each.id}", down, down, 0.0, 0.0))
        tracing = asyncio.create_task(tracer.run())
        until = clock.monotonic() + 10.0
        while counts[0] < 12 and clock.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.7)  # a thirteenth would have begun by now
        tracing.cancel()
        await asyncio.wait({tracing})
        return counts[0], counts[1], counts[2]

    return asyncio.run(main())


def test_a_country_that_falls_floods_nobody(country: Chain) -> None:
    """38 endpoints fall at once: within the minute twelve traces, two at a time, few packets."""
    country.rules(1, COUNT, CUT)
    traces, at_once, sent = country.monitor.call(stormy)
    told = country.router(1).run(needs("nft", "nftables"), "-j", "list", "ruleset")
    rules = [each["rule"]["expr"] for each in json.loads(told)["nftables"] if "rule" in each]
    seen = next(word["counter"]["packets"] for expr in rules for word in expr if "counter" in word)
    figure = f"{traces} traces, {at_once} at once, {seen} packets"
    passed = (traces, at_once) == (12, 2) and seen == sent <= 12 * 3 * HOPS_MAX
    record("path-storm-run", figure, "<= 12 a minute, 2 at once, <= 90 packets each", passed)
    assert passed
