"""Paths over HTTP: where packets stop now beside where they went before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.filled_memory import fill
from tests.fakes.inventory import endpoint, settings
from tests.fakes.json_schema import faults
from tests.fakes.snapshots import NOW, World, mixed
from vcmon.history.store import Store
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason
from vcmon.views.openapi import document

OLD = (Hop(1, ("10.0.0.1",), 0.0012), Hop(2, lost=3), Hop(3, ("10.0.2.1",), 0.03, 1))


@pytest.fixture
def world(tmp_path: Path) -> World:
    fill(tmp_path / "m.db", NOW)
    store = Store.open(tmp_path / "m.db")
    (incident,) = store.open_incidents()
    member = next(m for m in incident.members if m.subject == "endpoint:a")
    healthy = Route("a", "10.0.2.1", NOW - 90_000, True, OLD, True, Reason.OK)
    store.put_route(healthy)
    at = member.start + 9
    store.put_route(Route("a", "10.0.2.1", at, False, OLD[:1], False, Reason.TIMEOUT))
    store.close()
    return World(mixed(), settings=settings(endpoint("a"), endpoint("b")), file=tmp_path / "m.db")


async def test_an_incident_tells_both_ways(world: World) -> None:
    """Hops now and before, what the comparison says, in both languages; a list tells none."""
    async with serving(world) as browser:
        it = (await browser.ask("/api/v1/incidents/2")).json
        listed = (await browser.ask("/api/v1/incidents")).json["incidents"]
        other = (await browser.ask("/api/v1/incidents/1")).json
    (path,) = it["paths"]
    assert path["endpoint"] == "a"
    assert (path["now"]["reached"], path["now"]["why"]) == (False, "timeout")
    assert path["before"]["hops"] == [
        {"ttl": 1, "addresses": ["10.0.0.1"], "rtt_ms": 1.2, "lost": 0},
        {"ttl": 2, "addresses": [], "rtt_ms": None, "lost": 3},
        {"ttl": 3, "addresses": ["10.0.2.1"], "rtt_ms": 30.0, "lost": 1},
    ]
    verdict = path["verdict"]
    told = [verdict[key] for key in ("change", "stops_after", "went_on_to", "instead")]
    assert told == ["stops", "10.0.0.1", "10.0.2.1", None]
    assert verdict["text_id"] == "berhenti setelah 10.0.0.1, dulu lanjut ke 10.0.2.1"
    assert all("paths" not in each for each in listed)
    assert other["paths"] == []
    assert faults(it, {"$ref": "#/components/schemas/IncidentDetailShape"}, document()) == []


async def test_an_endpoint_tells_its_ways(world: World) -> None:
    """The last healthy one and the failing ones; nothing was traced: nothing; others are a 404."""
    async with serving(world) as browser:
        it = (await browser.ask("/api/v1/endpoints/a/path")).json
        none = (await browser.ask("/api/v1/endpoints/b/path")).json
        unknown = await browser.ask("/api/v1/endpoints/zz/path")
        wrong = await browser.ask("/api/v1/endpoints/a/path?now=1")
    assert it["healthy"]["reached"]
    assert len(it["failing"]) == 1
    assert none == {"endpoint": "b", "healthy": None, "failing": []}
    assert (unknown.status, wrong.status) == (404, 400)
    assert unknown.json["error"] == "no endpoint 'zz' in the inventory"
    assert faults(it, {"$ref": "#/components/schemas/EndpointPathShape"}, document()) == []
