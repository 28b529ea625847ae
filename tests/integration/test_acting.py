"""Deeds over HTTP: what they do, what they refuse, and what nobody may send."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.clock import EPOCH
from tests.fakes.filled_memory import HOSTILE, fill
from tests.fakes.inventory import endpoint
from tests.fakes.snapshots import NOW, World, mixed
from tests.integration.test_gate import WINDOW, Keys
from vcmon.config.settings import Settings, Web
from vcmon.history.store import Store
from vcmon.model.memory import Entry
from vcmon.views import web

REMARKS = "/api/v1/incidents/1/remarks"
PLAN = "/api/v1/maintenance"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def me(keys: Keys) -> dict[str, str]:
    return keys.header("operator")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    fill(tmp_path / "m.db", NOW)
    made = World(mixed(), file=tmp_path / "m.db")
    made.settings = Settings(
        endpoints=(endpoint("a", "icmp"),),
        provinces=made.settings.provinces,
        web=Web(tokens_file=str(keys.path)),
    )
    return made


async def trail(world: World) -> list[Entry]:
    def read() -> list[Entry]:
        assert world.file is not None
        store = Store.open(world.file, write=False)
        found = store.trail(EPOCH, 1e11)
        store.close()
        return found

    return await asyncio.to_thread(read)


async def test_an_incidents_whole_course(world: World, me: dict[str, str]) -> None:
    """Acknowledged, noted, judged, closed; each answer is the incident as it then is."""
    bodies = (
        {"deed": "ack", "author": "Siti", "text": "on it", "ticket": "IN-1"},
        {"deed": "note", "text": HOSTILE},
        {"deed": "cause", "cause": "cable"},
        {"deed": "close"},
    )
    async with serving(world) as browser:
        replies = [await browser.tell(REMARKS, body, **me) for body in bodies]
        read = await browser.ask("/api/v1/incidents/1")
    assert [reply.status for reply in replies] == [201] * 4
    it = replies[-1].json
    assert it == read.json
    assert [each["deed"] for each in it["remarks"]] == ["ack", "note", "cause", "close"]
    assert [each["author"] for each in it["remarks"]] == ["Siti", "budi", "budi", "budi"]
    assert it["cause"] == "cable"
    assert "\x1b" not in it["remarks"][1]["text"]
    assert "\n" not in it["remarks"][1]["text"]
    assert {reply.headers["Cache-Control"] for reply in replies} == {"no-store"}


async def test_every_deed_is_in_the_trail_by_the_tokens_name(
    world: World, me: dict[str, str]
) -> None:
    """Whatever author was told: the trail has whose token it was, and its role."""
    async with serving(world) as browser:
        await browser.tell(REMARKS, {"deed": "ack", "author": "Menteri"}, **me)
        await browser.tell(PLAN, WINDOW, **me)
        await browser.send("POST", f"{PLAN}/1/end", me)
        await browser.tell(REMARKS, {"deed": "ack", "author": "vcmon"}, **me)  # refused
    assert await trail(world) == [
        Entry(NOW, "budi", "operator", action, target)
        for action, target in (
            ("ack", "incident:1"),
            ("plan", "maintenance:1"),
            ("end", "maintenance:1"),
        )
    ]


async def test_maintenance_is_planned_and_ended(world: World, me: dict[str, str]) -> None:
    """In the zone that was told; ended once; it then stands in no list."""
    async with serving(world) as browser:
        made = await browser.tell(PLAN, WINDOW | {"zone": "WIT", "repeat": "FREQ=DAILY"}, **me)
        listed = (await browser.ask(PLAN)).json["maintenance"]
        ended = await browser.send("POST", f"{PLAN}/1/end", me)
        again = await browser.send("POST", f"{PLAN}/1/end", me)
        unknown = await browser.send("POST", f"{PLAN}/7/end", me)
        after = (await browser.ask(PLAN)).json["maintenance"]
    assert (made.status, ended.status, again.status, unknown.status) == (201, 200, 422, 404)
    assert listed == [made.json]
    assert made.json["start"] == "2026-11-28T13:00:00.000Z"
    assert made.json["author"] == "budi"
    assert ended.json["ended_at"] is not None
    assert "it was ended at" in again.json["error"]
    assert unknown.json["error"] == "no maintenance 7; there are 1 to 1"
    assert after == []


@pytest.mark.parametrize(
    "case",
    [
        (REMARKS, {}, 400, "deed: needed, but missing"),
        (REMARKS, {"deed": "undo"}, 400, "deed: expected 'ack', 'note', 'cause' or 'close'"),
        (REMARKS, {"deed": "ack", "by": "x"}, 400, "by: not known here"),
        (REMARKS, {"deed": "ack", "text": 5}, 400, "text: expected a valid string, found 5"),
        (REMARKS, {"deed": "ack", "text": "x" * 2001}, 400, "at most 2000"),
        (REMARKS, {"deed": "cause", "cause": "gremlins"}, 400, "found 'gremlins'"),
        (REMARKS, [], 400, "expected an object"),
        (REMARKS, None, 400, "expected an object"),
        (REMARKS, {"deed": "note"}, 422, "a note needs a text"),
        (REMARKS, {"deed": "ack", "author": "vcmon"}, 422, "give your own name"),
        (REMARKS, {"deed": "close"}, 422, "close it with one"),
        ("/api/v1/incidents/2/remarks", {"deed": "close"}, 422, "goes on"),
        ("/api/v1/incidents/9/remarks", {"deed": "ack"}, 404, "the latest is 3"),
        (PLAN, {}, 400, "scope: needed, but missing; title: needed"),
        (PLAN, WINDOW | {"scope": "endpoint:b"}, 400, "no endpoint of that name here: 'b'"),
        (PLAN, WINDOW | {"duration": 7200}, 400, "duration: expected a duration like 10s"),
        (PLAN, WINDOW | {"duration": "60d"}, 400, "duration: expected 1m to 31d"),
        (PLAN, WINDOW | {"zone": "../passwd"}, 400, "zone: expected a time zone"),
        (PLAN, WINDOW | {"start": "2026-11-22 10:00"}, 422, "begins now or later"),
        (PLAN, WINDOW | {"repeat": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, 400, "never happens"),
        (f"{PLAN}/1/end", {"at": 5}, 400, "at: not known here"),
    ],
)
async def test_what_is_refused_says_what_was_expected(
    world: World, me: dict[str, str], case: tuple[str, object, int, str]
) -> None:
    """400 for what can't be read, 422 for what can't be done, 404 for what isn't there."""
    path, body, status, why = case
    async with serving(world) as browser:
        reply = await browser.tell(path, body, **me)
    assert (reply.status, reply.json["status"]) == (status, status), reply.text
    assert why in reply.json["error"]
    assert await trail(world) == []


@pytest.mark.parametrize(
    "raw",
    [b"{", b"\xff\xfe", b"[" * 20_000, b'{"deed": "ack", "text": NaN}', b"\x00" * 100,
     b'{"deed": "ack", "text": "\\ud800"}', b'{"deed":"ack"} x', b'{"a":' * 5000],
)  # fmt: skip
async def test_what_is_no_json_is_told(world: World, me: dict[str, str], raw: bytes) -> None:
    """400, short, with an error; never 500."""
    async with serving(world) as browser:
        reply = await browser.send("POST", REMARKS, me | {"Content_Type": "application/json"}, raw)
    assert reply.status == 400
    assert reply.json["error"]
    assert len(reply.body) < 500
    assert await trail(world) == []


async def test_only_json_is_read(world: World, me: dict[str, str]) -> None:
    """What a form of some page could send is no deed."""
    raw = json.dumps({"deed": "ack"}).encode()
    async with serving(world) as browser:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            reply = await browser.send("POST", REMARKS, me | {"Content_Type": kind}, raw)
            assert reply.status == 415
            assert "application/json" in reply.json["error"]


async def test_bodies_are_bounded(world: World, me: dict[str, str]) -> None:
    """A megabyte is refused without being kept; the longest note that is allowed fits."""
    longest = {"deed": "note", "text": "\U0001f4e1" * 2000, "author": "\u00e9" * 80}
    assert len(json.dumps(longest)) < web.BODY_MAX
    async with serving(world) as browser:
        large = await browser.tell(REMARKS, {"deed": "note", "text": "x" * 1_000_000}, **me)
        fits = await browser.tell(REMARKS, longest, **me)
    assert large.status == 413
    assert large.json["error"] == "expected at most 32768 bytes"
    assert fits.status == 201


async def test_who_may_not_act_is_told_before_the_body_is_read(world: World, keys: Keys) -> None:
    """Nobody's megabyte is answered with 401, a viewer's with 403."""
    body = {"deed": "note", "text": "x" * 1_000_000}
    async with serving(world) as browser:
        nobody = await browser.tell(REMARKS, body)
        viewer = await browser.tell(REMARKS, body, **keys.header("viewer"))
    assert (nobody.status, viewer.status) == (401, 403)


async def test_a_locked_memory_is_told(
    world: World, me: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the file: 503 with Retry-After after a while, and nothing half done."""
    monkeypatch.setattr("vcmon.history.schema.BUSY_SECONDS", 0.2)
    assert world.file is not None
    other = await asyncio.to_thread(Store.open, world.file)
    await asyncio.to_thread(other.db.execute, "BEGIN IMMEDIATE")
    async with serving(world) as browser:
        locked = await browser.tell(REMARKS, {"deed": "ack"}, **me)
        await asyncio.to_thread(other.db.execute, "ROLLBACK")
        other.close()
        free = await browser.tell(REMARKS, {"deed": "ack"}, **me)
    assert (locked.status, free.status) == (503, 201)
    assert locked.headers["Retry-After"] == "2"
    assert len(await trail(world)) == 1


async def test_two_who_close_at_once_do_not_harm_each_other(
    world: World, me: dict[str, str]
) -> None:
    """Fourteen deeds at once are fourteen remarks and fourteen entries."""
    async with serving(world) as browser:
        await browser.tell(REMARKS, {"deed": "ack"}, **me)
        notes = ({"deed": "note", "text": str(n)} for n in range(14))
        replies = await asyncio.gather(*(browser.tell(REMARKS, note, **me) for note in notes))
        it = (await browser.ask("/api/v1/incidents/1")).json
    assert {reply.status for reply in replies} == {201}
    assert len(it["remarks"]) == 15
    assert len(await trail(world)) == 15
