"""Who may report in: each endpoint's own token and no other, cheaply, and for nothing else."""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path

import pytest

from tests.fakes.browser import Browser, serving
from tests.fakes.figures import record
from tests.fakes.filled_memory import fill
from tests.fakes.snapshots import NOW, World, mixed
from vcmon.config import tokens
from vcmon.config.settings import Settings, Web
from vcmon.config.tokens import Role, Token, fresh
from vcmon.views import roster
from vcmon.views.openapi import document

HEART, OTHER = "papua-codec", "maluku-codec"
PATH = f"/api/v1/heartbeat/{HEART}"
CHEAP = 1e-3
"""Seconds of processor for one heartbeat, its client's share included; argon2 takes 20 ms."""


class Keys:
    """A token of each role, and of two endpoints, as its bearer sends it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        named = {HEART: Role.HEARTBEAT, OTHER: Role.HEARTBEAT}
        named |= {"gone": Role.HEARTBEAT, "budi": Role.OPERATOR, "tv": Role.VIEWER}
        made = {name: fresh(name, role) for name, role in named.items()}
        self.texts = {name: text for name, (text, _) in made.items()}
        self.kept = [token for _, token in made.values()]
        tokens.write(path, self.kept)

    def of(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.texts[name]}"}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    fill(tmp_path / "m.db", NOW)
    made = World(mixed(), file=tmp_path / "m.db", periods={HEART: 60.0, OTHER: 30.0})
    made.settings = Settings(
        endpoints=(), provinces=made.settings.provinces, web=Web(tokens_file=str(keys.path))
    )
    return made


async def test_its_own_token_reports_in(world: World, keys: Keys) -> None:
    """200 and how often it is expected; heard once for each report."""
    async with serving(world) as browser:
        replies = [await browser.send("POST", PATH, keys.of(HEART)) for _ in range(3)]
        empty = await browser.tell(PATH, {}, **keys.of(HEART))
    assert {reply.status for reply in (*replies, empty)} == {200}
    assert replies[0].json == {"endpoint": HEART, "expected_every_s": 60.0}
    assert world.heard == [HEART] * 4


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        (OTHER, PATH, 403),  # another endpoint's
        (HEART, f"/api/v1/heartbeat/{OTHER}", 403),
        (HEART, "/api/v1/heartbeat/nobody", 404),
        ("gone", "/api/v1/heartbeat/gone", 404),  # its endpoint has left the inventory
        (HEART, "/api/v1/heartbeat/", 404),
        (HEART, "/api/v1/heartbeat/..%2Fstatus", 404),
        (HEART, f"{PATH}?late=1", 400),
        ("budi", PATH, 403),
        ("tv", PATH, 403),
    ],
)
async def test_anything_else_is_refused(
    world: World, keys: Keys, who: str, path: str, status: int
) -> None:
    """Another endpoint, an unknown one, another role: refused, and nobody was heard."""
    async with serving(world) as browser:
        reply = await browser.send("POST", path, keys.of(who))
    assert reply.status == status
    described = document()["paths"]["/api/v1/heartbeat/{endpoint}"]["post"]["responses"]
    assert {"200", str(status)} <= described.keys()
    if status == 403:
        assert "insufficient_scope" in reply.headers["WWW-Authenticate"]
    assert world.heard == []


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic eA==", f"Bearer vcmon_{HEART}.wrong", "Bearer \xff"]
)
async def test_what_is_no_token_is_401(world: World, header: str) -> None:
    """No token or a wrong one: 401 with a challenge, as everywhere."""
    headers = {"Authorization": header} if header else {}
    async with serving(world) as browser:
        reply = await browser.send("POST", PATH, headers)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert world.heard == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_reports(world: World, keys: Keys, method: str) -> None:
    """A link that somebody opens is no heartbeat."""
    async with serving(world) as browser:
        assert (await browser.send(method, PATH, keys.of(HEART))).status == 405
    assert world.heard == []


async def test_a_stolen_token_does_nothing_else(world: World, keys: Keys) -> None:
    """Nothing may be done with it, not even what anybody may read without one."""
    deeds = (
        ("POST", "/api/v1/incidents/2/remarks", b'{"deed": "ack"}'),
        ("POST", "/api/v1/maintenance", b"{}"),
        ("POST", "/api/v1/maintenance/1/end", None),
        ("GET", "/api/v1/incidents", None),
        ("GET", "/api/v1/maintenance", None),
    )
    async with serving(world) as browser:
        for method, path, body in deeds:
            headers = {**keys.of(HEART), "Content_Type": "application/json"}
            reply = await browser.send(method, path, headers, body)
            assert reply.status == 403, path
            assert "nothing else" in reply.json["error"]
    ways = document()["paths"]["/api/v1/incidents"]
    assert "403" in ways["get"]["responses"]


async def test_hostile_bodies_are_refused_and_not_heard(world: World, keys: Keys) -> None:
    """A body says nothing: one that tries to is refused, a large one is not read to its end."""
    async with serving(world) as browser:
        told = await browser.tell(PATH, {"rtt": 5}, **keys.of(HEART))
        large = await browser.tell(PATH, "x" * 100_000, **keys.of(HEART))
        text = await browser.send("POST", PATH, keys.of(HEART), b"I live")
    assert [reply.status for reply in (told, large, text)] == [400, 413, 415]
    assert world.heard == []


async def test_a_token_that_is_taken_away_reports_no_more(world: World, keys: Keys) -> None:
    """Within a second; the others go on."""
    async with serving(world) as browser:
        assert (await browser.send("POST", PATH, keys.of(HEART))).status == 200
        await asyncio.to_thread(
            tokens.write, keys.path, [each for each in keys.kept if each.name != HEART]
        )
        await asyncio.sleep(roster.LOOK_AGAIN + 0.1)
        gone = await browser.send("POST", PATH, keys.of(HEART))
        other = await browser.send("POST", f"/api/v1/heartbeat/{OTHER}", keys.of(OTHER))
        await asyncio.to_thread(tokens.write, keys.path, keys.kept)
        keys.path.chmod(0o644)
        await asyncio.sleep(roster.LOOK_AGAIN + 0.1)
        unusable = await browser.send("POST", PATH, keys.of(HEART))
    assert (gone.status, other.status, unusable.status) == (401, 200, 503)


async def test_reporting_is_off_unless_tokens_are_configured(world: World, keys: Keys) -> None:
    """403 and why, as for every deed."""
    world.settings = Settings(endpoints=(), provinces=world.settings.provinces)
    async with serving(world) as browser:
        reply = await browser.send("POST", PATH, keys.of(HEART))
    assert reply.status == 403
    assert "web.tokens_file is not set" in reply.json["error"]


async def test_ten_thousand_endpoints_report_cheaply(
    world: World, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 tokens in the file, every tenth reports: no slow hash, and at most 1 ms each."""
    count = 10_000
    made = [fresh(f"e{n}", Role.HEARTBEAT) for n in range(count)]
    await asyncio.to_thread(tokens.write, keys.path, [*keys.kept, *(token for _, token in made)])
    world.periods = {f"e{n}": 60.0 for n in range(count)}
    slow: list[Token | None] = []
    right = tokens.HASHER.verify
    monkeypatch.setattr(
        type(tokens.HASHER),
        "verify",
        lambda *a: slow.append(None) or right(*a),  # type: ignore[func-returns-value]
    )
    reported = range(0, count, 10)

    async def some(browser: Browser, numbers: range) -> None:
        for n in numbers:
            bearer = {"Authorization": f"Bearer {made[n][0]}"}
            assert (await browser.send("POST", f"/api/v1/heartbeat/e{n}", bearer)).status == 200

    async with serving(world) as browser:
        await some(browser, range(1))
        begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.gather(*(some(browser, reported[n::8]) for n in range(8)))
        now = resource.getrusage(resource.RUSAGE_SELF)
    took = time.perf_counter() - begun
    each = (now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) / len(reported)
    share = each * count / 60
    figure = f"{each * 1e6:.0f} us of CPU each with its client, {share:.1%} of a core at 10,000/min"
    record("heartbeats", figure, "<= 1000 us", each <= CHEAP)
    assert slow == []
    assert len(world.heard) == len(reported) + 1
    assert each <= CHEAP, f"{each * 1e6:.0f} us, {took:.1f} s"
