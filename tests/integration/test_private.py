"""Private mode, and what only named proxies may say."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.signing import Visitor, enrol
from tests.fakes.snapshots import World, mixed
from tests.integration.test_stream import Listener, listening
from tests.unit.views.test_stream import without_aceh
from vcmon.config import tokens
from vcmon.config.settings import Settings, Web
from vcmon.config.tokens import Role, fresh
from vcmon.views import gate, roster, stream


@pytest.fixture
def token(tmp_path: Path) -> str:
    text, kept = fresh("prometheus", Role.VIEWER)
    tokens.write(tmp_path / "tokens", [kept])
    return text


@pytest.fixture
def world(tmp_path: Path, token: str) -> World:
    assert token
    enrol(tmp_path / "users")
    it = World(mixed())
    it.settings = Settings(
        endpoints=(),
        provinces=it.settings.provinces,
        web=Web(
            users_file=str(tmp_path / "users"),
            tokens_file=str(tmp_path / "tokens"),
            private=True,
        ),
    )
    return it


async def test_looking_asks_for_sign_in(world: World, token: str) -> None:
    """People are sent to sign in, programs told what is missing; nothing of the state is told."""
    async with serving(world) as browser:
        pages = [await browser.ask(path) for path in ("/", "/en/papan", "/laporan", "/nowhere")]
        machines = [
            await browser.ask(path)
            for path in ("/metrics", "/api/v1/status", "/api/v1/events", "/feed.atom",
                         "/badge/aceh.svg", "/api/v1/openapi.json", "/api/nowhere")
        ]  # fmt: skip
        alive = [(await browser.ask(path)).status for path in ("/-/healthy", "/-/ready")]
        me = await Visitor.of(browser, "tamu")
        mine = [await me.ask(path) for path in ("/", "/metrics", "/api/v1/status")]
        scraped = await browser.ask("/metrics", Authorization=f"Bearer {token}")
    assert [each.headers["Location"] for each in pages] == [
        "/masuk?ke=/",
        "/en/masuk?ke=/en/papan",
        "/masuk?ke=/laporan",
        "/masuk?ke=/nowhere",
    ]
    assert {each.status for each in machines} == {401}
    assert {each.headers["WWW-Authenticate"] for each in machines} == {'Bearer realm="vcmon"'}
    assert not any(b"aceh" in each.body.lower() for each in (*pages, *machines))
    assert alive == [200, 200]
    assert {each.status for each in (*mine, scraped)} == {200}
    assert [each.headers["Cache-Control"] for each in mine] == [
        "no-store",
        "no-store",
        "private, no-cache",
    ]


CLOSING = "Connection: close\r\n"
"""The end of an answer is then the end of the connection."""


async def ended(listener: Listener) -> list[str]:
    """The kinds of what came before the stream's end; TimeoutError where it does not end."""
    seen = []
    with contextlib.suppress(asyncio.IncompleteReadError):
        async with asyncio.timeout(5):
            while True:
                seen.append((await listener.next("snapshot", "delta", "alive")).kind)
    return seen


async def test_a_stream_ends_with_its_session(world: World) -> None:
    """At sign-out, before anything more is told; who is signed in elsewhere reads on."""
    async with serving(world) as browser:
        me, other = await Visitor.of(browser, "budi"), await Visitor.of(browser, "budi")
        async with (
            listening(browser, header=f"{CLOSING}Cookie: {me.cookie}") as mine,
            listening(browser, header=f"Cookie: {other.cookie}") as theirs,
        ):
            assert {(await each.next("snapshot")).kind for each in (mine, theirs)} == {"snapshot"}
            begun = asyncio.get_running_loop().time()
            assert (await me.post("/keluar", {})).status == 303
            assert await ended(mine) in ([], ["alive"])
            assert asyncio.get_running_loop().time() - begun < 1
            world.snapshot = replace(without_aceh(), version=100)
            assert (await theirs.next("delta")).data["provinces"]
        again = await browser.ask("/api/v1/events", Cookie=me.cookie)
    assert again.status == 401


@pytest.mark.parametrize("how", ["user", "password", "token", "private", "expired"])
async def test_a_stream_ends_when_its_reader_may_not_look_any_more(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Removed, another password, no token, private from now on, signed in too long ago: nothing
    that happens afterwards is told.
    """
    monkeypatch.setattr(roster, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(stream, "ALIVE_EVERY_NS", 100_000_000)
    web, folder = world.settings.web, Path(world.settings.web.users_file).parent
    if how == "private":
        world.settings = replace(world.settings, web=web.model_copy(update={"private": False}))
    if how == "expired":
        world.settings = replace(world.settings, web=web.model_copy(update={"session": 1.0}))
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        header = "" if how == "private" else f"Cookie: {me.cookie}"
        if how == "token":
            header = f"Authorization: Bearer {token}"
        async with listening(browser, header=f"{CLOSING}{header}".strip()) as listener:
            await listener.next("snapshot")
            await listener.next("alive")
            if how == "user":
                await asyncio.to_thread(enrol, folder / "users", ("tamu",))
            elif how == "password":
                await asyncio.to_thread(enrol, folder / "users")
            elif how == "token":
                await asyncio.to_thread(tokens.write, folder / "tokens", [])
            elif how == "private":
                world.settings = replace(world.settings, web=web)
            else:
                await asyncio.sleep(1.0)
            await asyncio.sleep(0.3)
            world.snapshot = replace(without_aceh(), version=100)
            assert set(await ended(listener)) <= {"alive"}


async def test_metrics_may_stay_public(world: World) -> None:
    """As configured; all else stays private."""
    web = world.settings.web.model_copy(update={"public_metrics": True})
    world.settings = replace(world.settings, web=web)
    async with serving(world) as browser:
        found = [(await browser.ask(path)).status for path in ("/metrics", "/api/v1/status")]
    assert found == [200, 401]


async def test_a_badge_is_cached_by_nobody_then(world: World) -> None:
    """What was public before is asked for anew, by its reader alone."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "tamu")
        badge = await me.ask("/badge/aceh.svg")
        style = (await me.ask("/")).text.split('rel="stylesheet" href="')[1].split('"')[0]
        asset = await browser.ask(style)
    assert badge.headers["Cache-Control"] == "private, no-cache"
    assert (asset.status, asset.headers["Cache-Control"][:6]) == (200, "public")


@pytest.mark.parametrize("named", [False, True])
async def test_who_guesses_holds_up_nobody_else_behind_a_named_proxy(
    world: World, token: str, named: bool
) -> None:
    """Each client of a named proxy has its own budget; an unnamed one's word counts nothing."""
    if named:
        web = world.settings.web.model_copy(update={"proxies": ("127.0.0.0/8",)})
        world.settings = replace(world.settings, web=web)
    wrong = {"Authorization": "Bearer vcmon_prometheus.x", "X-Forwarded-For": "203.0.113.66"}
    async with serving(world) as browser:
        tried = [
            (await browser.send("GET", "/metrics", wrong)).status
            for _ in range(int(gate.PEER_BURST) + 3)
        ]
        right = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "198.51.100.7"}
        mine = await browser.send("GET", "/metrics", right)
    assert tried[0] == 401
    assert tried[-1] == 429
    assert mine.status == (200 if named else 429)


async def test_the_reload_stays_local(world: World) -> None:
    """Neither an operator's session nor a named proxy's word lets anybody reload from elsewhere."""
    web = world.settings.web.model_copy(update={"proxies": ("127.0.0.0/8",)})
    world.settings = replace(world.settings, web=web)
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        through = {"X-Forwarded-For": "127.0.0.1", "Cookie": me.cookie}
        refused = await browser.send("POST", "/-/reload", through)
        here = await browser.send("POST", "/-/reload", {})
    assert (refused.status, here.status) == (403, 200)
    await asyncio.sleep(0)
