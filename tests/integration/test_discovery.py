"""``/sd/prometheus``: what Prometheus is told to scrape, and that it takes it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.needs import needs
from tests.fakes.snapshots import World, mixed
from vcmon.config.vantages import Vantage

HERE = Vantage(vantage="jakarta", target="192.0.2.11:9838", region="jawa", tls=True)
THERE = Vantage(vantage="jayapura", target="[2001:db8::11]:9838")


async def told(world: World, **headers: str) -> object:
    async with serving(world) as browser:
        reply = await browser.ask("/sd/prometheus", **headers)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    return json.loads(reply.text)


async def test_all_known_vantages_are_told() -> None:
    """Each with vantage, region and scheme; the same labels on all."""
    world = World(mixed())
    world.settings = replace(world.settings, vantages=(HERE, THERE))
    assert await told(world) == [
        {
            "targets": ["192.0.2.11:9838"],
            "labels": {"vantage": "jakarta", "region": "jawa", "__scheme__": "https"},
        },
        {
            "targets": ["[2001:db8::11]:9838"],
            "labels": {"vantage": "jayapura", "region": "", "__scheme__": "http"},
        },
    ]


async def test_a_lone_vantage_tells_of_itself() -> None:
    """Under the address that it was asked by, whatever it listens on."""
    world = World(mixed())
    world.settings = replace(world.settings, vantage="kupang", region="ntt")
    assert await told(world, Host="vcmon.example:9838") == [
        {
            "targets": ["vcmon.example:9838"],
            "labels": {"vantage": "kupang", "region": "ntt", "__scheme__": "http"},
        }
    ]


@pytest.mark.parametrize("host", ["a b", "x:y", "${jndi}", "[::1", "h:0", "h:80:80"])
async def test_a_host_that_is_none_names_nobody(host: str) -> None:
    """What a client calls us is no target unless it is an address: 200 and an empty list."""
    assert await told(World(mixed()), Host=host) == []


async def test_nobody_is_an_empty_list() -> None:
    """200 and ``[]``: anything else would leave Prometheus with the targets of before."""
    world = World(mixed())
    world.settings = replace(world.settings, vantages=())
    assert await told(world) == []


async def test_prometheus_takes_it(tmp_path: Path) -> None:
    """promtool asks the running server and finds the targets with their labels."""
    promtool = needs("promtool", "prometheus")
    world = World(mixed())
    world.settings = replace(world.settings, vantages=(HERE, THERE))
    async with serving(world) as browser:
        config = tmp_path / "p.yml"
        url = f"http://127.0.0.1:{browser.port}/sd/prometheus"
        config.write_text(
            f"scrape_configs:\n- {{job_name: vcmon, http_sd_configs: [{{url: '{url}'}}]}}\n"
        )
        run = await asyncio.create_subprocess_exec(
            *(promtool, "check", "service-discovery", "--timeout=2s", str(config), "vcmon"),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await run.communicate()
    found = json.loads(out)
    assert {each["labels"]["vantage"] for each in found} == {"jakarta", "jayapura"}
    labels = {each["labels"]["vantage"]: each["labels"] for each in found}
    assert labels["jakarta"]["__scheme__"] == "https"
    assert labels["jakarta"]["region"] == "jawa"
    assert labels["jayapura"]["instance"] == "[2001:db8::11]:9838"
