"""What other programs take: feed, badges, and an OpenAPI that the live answers keep to."""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.browser import Reply, serving
from tests.fakes.filled_memory import HOSTILE, fill
from tests.fakes.json_schema import faults, resolve
from tests.fakes.snapshots import NOW, World, mixed
from tests.integration.test_gate import ACK, WINDOW, Keys
from vcmon.config.settings import Settings, Web
from vcmon.history.store import Store
from vcmon.model.memory import Cause, Deed, Remark
from vcmon.views import web
from vcmon.views.openapi import document


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    fill(tmp_path / "m.db", NOW)
    store = Store.open(tmp_path / "m.db")
    for remark in (Remark(NOW, HOSTILE, Deed.ACK, HOSTILE, "IN-1"),
                   Remark(NOW, "Siti", Deed.CAUSE, cause=Cause.CABLE)):  # fmt: skip
        store.remark(2, remark)
    store.close()
    made = World(mixed(), file=tmp_path / "m.db")
    made.settings = Settings(
        endpoints=(), provinces=made.settings.provinces, web=Web(tokens_file=str(keys.path))
    )
    return made


async def test_the_feed_is_served(world: World) -> None:
    """As Atom, with an ETag; 304 until an incident changes; without a memory 404."""
    async with serving(world) as browser:
        first = await browser.ask("/feed.atom", Accept_Encoding="gzip")
        again = await browser.ask("/feed.atom", If_None_Match=first.headers["ETag"])
        world.file, kept = None, world.file
        gone = await browser.ask("/feed.atom")
        world.file = kept
    assert first.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert len(ET.fromstring(first.text).findall("{*}entry")) == 3
    assert (again.status, gone.status) == (304, 404)


@pytest.mark.parametrize(
    ("slug", "word"),
    [
        ("aceh", "Terhubung"),
        ("sulawesi-selatan", "Terputus"),
        ("papua-selatan", "Tak terjangkau"),
        ("kalimantan-utara", "Terganggu"),
        ("riau", "Tidak diketahui"),
        ("bali", "Terhubung (pemeliharaan)"),
        ("papua-tengah", "Belum dipantau"),
        ("pusat", "Terhubung"),
    ],
)
async def test_a_badge_is_served_for_every_province(world: World, slug: str, word: str) -> None:
    """Its state now; kept for ten seconds; shown by pages of others, under the strict policy."""
    async with serving(world) as browser:
        reply = await browser.ask(f"/badge/{slug}.svg")
        again = await browser.ask(f"/badge/{slug}.svg", If_None_Match=reply.headers["ETag"])
    assert f": {word}</title>" in reply.text
    assert reply.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert reply.headers["Cache-Control"] == again.headers["Cache-Control"] == "public, max-age=10"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert again.status == 304


@pytest.mark.parametrize("slug", ["atlantis", "ACEH", "..%2faceh", "%3Cscript%3E", "aceh.svg%00"])
async def test_no_badge_for_what_is_no_province(world: World, slug: str) -> None:
    """404; nothing of the name comes back."""
    async with serving(world) as browser:
        reply = await browser.ask(f"/badge/{slug}.svg")
    assert reply.status == 404
    assert "script>" not in reply.text
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_stale_data_is_told_by_the_badge(world: World) -> None:
    """When nobody looks any more no badge is green."""
    world.now = NOW + 3600
    async with serving(world) as browser:
        reply = await browser.ask("/badge/aceh.svg")
    assert "Tidak diketahui" in reply.text


def test_every_route_is_described_and_nothing_else(world: World) -> None:
    """The paths and methods for programs are those that the application serves."""
    app = web.build(world.sources())
    served = {
        (re.sub(r":[^}]*", "", route.resource.canonical), route.method.lower())
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(path, method) for path, ways in document()["paths"].items() for method in ways}
    assert described == {each for each in served if each[0].startswith(("/api/v1", "/sd/"))}


def test_the_description_is_whole() -> None:
    """Version 3.1; every reference leads somewhere; each operation has its own name."""
    told = document()
    assert told["openapi"].startswith("3.1.")
    names = [way["operationId"] for ways in told["paths"].values() for way in ways.values()]
    assert len(names) == len(set(names)) == 19

    def walk(node: Any) -> None:
        for value in node.values() if isinstance(node, dict) else node:
            if isinstance(value, dict | list):
                walk(value)
        if isinstance(node, dict) and "$ref" in node:
            resolve(node["$ref"], told)

    walk(told)


def checked(told: dict[str, Any], way: str, path: str, reply: Reply) -> list[str]:
    """What of the answer is not as it is described."""
    responses = told["paths"][path][way]["responses"]
    if str(reply.status) not in responses:
        return [f"{way} {path}: {reply.status} is not described"]
    content = responses[str(reply.status)].get("content")
    if content is None:
        return []
    return faults(reply.json, content["application/json"]["schema"], told)


async def test_live_answers_are_as_described(world: World, keys: Keys) -> None:
    """Every path, well and refused: each answer keeps to its schema, field by field."""
    me, viewer, wrong = (keys.header(who) for who in ("operator", "viewer", "wrong"))
    remarks = "/api/v1/incidents/{number}/remarks"
    async with serving(world) as browser:
        told = (await browser.ask("/api/v1/openapi.json")).json
        assert told == document()
        gets = [
            ("/api/v1/status", "/api/v1/status"),
            ("/api/v1/openapi.json", "/api/v1/openapi.json"),
            *(("/api/v1/provinces/{slug}", f"/api/v1/provinces/{slug}")
              for slug in (*world.settings.provinces, "atlantis")),
            ("/api/v1/incidents", "/api/v1/incidents"),
            ("/api/v1/incidents", "/api/v1/incidents?open=x"),
            ("/api/v1/incidents/{number}", "/api/v1/incidents/2"),
            ("/api/v1/incidents/{number}", "/api/v1/incidents/9"),
            ("/api/v1/endpoints/{id}/path", "/api/v1/endpoints/nobody/path"),
            ("/api/v1/endpoints/{id}/path", "/api/v1/endpoints/nobody/path?x=1"),
            ("/api/v1/maintenance", "/api/v1/maintenance?days=90"),
        ]  # fmt: skip
        seen = [("get", path, await browser.ask(asked)) for path, asked in gets]
        posts: list[tuple[str, str, object, dict[str, str]]] = [
            (remarks, "/api/v1/incidents/2/remarks", ACK, me),
            (remarks, "/api/v1/incidents/2/remarks", ACK, viewer),
            (remarks, "/api/v1/incidents/2/remarks", ACK, wrong),
            (remarks, "/api/v1/incidents/2/remarks", {"deed": "close"}, me),
            (remarks, "/api/v1/incidents/9/remarks", ACK, me),
            (remarks, "/api/v1/incidents/2/remarks", {}, me),
            (remarks, "/api/v1/incidents/2/remarks", ACK, me | {"Content_Type": "text/plain"}),
            (remarks, "/api/v1/incidents/2/remarks", "x" * 50_000, me),
            ("/api/v1/maintenance", "/api/v1/maintenance", WINDOW, me),
            ("/api/v1/maintenance/{number}/end", "/api/v1/maintenance/1/end", {}, me),
        ]
        for path, asked, body, headers in posts:
            seen.append(("post", path, await browser.tell(asked, body, **headers)))
        for _ in range(12):
            last = await browser.send("GET", "/api/v1/incidents", wrong)
        seen.append(("get", "/api/v1/incidents", last))
    problems = [fault for way, path, reply in seen for fault in checked(told, way, path, reply)]
    assert problems == []
    found = {reply.status for _, _, reply in seen}
    assert found == {200, 201, 400, 401, 403, 404, 413, 415, 422, 429}


def test_the_checker_finds_what_is_wrong() -> None:
    """A field too many, one missing, a wrong word: each is a fault."""
    told = document()
    schema = {"$ref": "#/components/schemas/MemberShape"}
    sound = {"subject": "endpoint:a", "start": None, "stop": None}
    assert faults(sound, schema, told) == []
    wrongs: tuple[object, ...] = (sound | {"more": 1}, {"subject": "x"}, sound | {"start": 5}, [])
    for wrong in (*wrongs, None):
        assert faults(wrong, schema, told)
    remark = {"$ref": "#/components/schemas/RemarkFields"}
    assert faults({"deed": "undo"}, remark, told)
    assert faults({"deed": "ack", "text": "x" * 2001}, remark, told)
    assert not faults({"deed": "ack"}, remark, told)


async def test_the_feed_and_badges_take_no_time(world: World) -> None:
    """Thirty-eight badges at once, and a feed beside them, are all answered."""
    async with serving(world) as browser:
        paths = [f"/badge/{slug}.svg" for slug in world.settings.provinces]
        replies = await asyncio.gather(*(browser.ask(path) for path in (*paths, "/feed.atom")))
    assert {reply.status for reply in replies} == {200}
