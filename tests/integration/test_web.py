"""The HTTP server on a real socket: routes, headers, caching, limits and hostile clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from tests.fakes.browser import serving
from tests.fakes.needs import needs
from tests.fakes.snapshots import NOW, World, large, make_snapshot, mixed, province_status, uniform
from vcmon.config.provinces import provinces
from vcmon.errors import StartError
from vcmon.model.status import Snapshot
from vcmon.views import site as site_module
from vcmon.views import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


@pytest.fixture
def world() -> World:
    return World(mixed()).counted()


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/?jeda", "GET", 200),
        ("/", "HEAD", 200),
        ("/metrics", "GET", 200),
        ("/metrics", "HEAD", 200),
        ("/api/v1/status", "GET", 200),
        ("/api/v1/provinces/aceh", "GET", 200),
        ("/api/v1/provinces/papua-tengah", "GET", 200),
        ("/api/v1/provinces/atlantis", "GET", 404),
        ("/-/healthy", "GET", 200),
        ("/-/ready", "GET", 200),
        ("/-/reload", "POST", 200),
        ("/-/reload", "GET", 405),
        ("/", "POST", 405),
        ("/", "TRACE", 405),
        ("/nope", "GET", 404),
        ("/static/vcmon.css", "GET", 404),
        ("/static/..%2fweb.py", "GET", 404),
        ("/api/v1/provinces/..%2f..%2fstatus", "GET", 404),
    ],
)
async def test_every_answer_has_its_status_and_all_strict_headers(
    world: World, path: str, method: str, status: int
) -> None:
    """Whatever is asked, the answer is hardened, typed, and tells nothing of what serves it."""
    async with serving(world) as browser:
        reply = await browser.ask(path, method)
    assert reply.status == status
    assert reply.headers["Content-Security-Policy"] == POLICY
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply.headers["Server"] == "vcmon"
    assert "Cache-Control" in reply.headers
    assert "charset=utf-8" in reply.headers["Content-Type"]


async def test_unknown_path_is_a_page_for_people_and_json_for_machines(world: World) -> None:
    """A small page with a way back; under /api an object."""
    async with serving(world) as browser:
        page, answer = await browser.ask("/nope"), await browser.ask("/api/v1/provinces/atlantis")
        wrong = await browser.ask("/-/reload")
    assert 'lang="id"' in page.text
    assert '<a href="/">' in page.text
    assert json.loads(answer.text) == {"error": "Not Found", "status": 404}
    assert wrong.headers["Allow"] == "POST"


async def test_first_view_is_three_requests_and_fits_fourteen_kilobytes(world: World) -> None:
    """The page, its style, its script, and nothing else; all gzipped."""
    async with serving(world) as browser:
        page = await browser.ask("/", Accept_Encoding="gzip, deflate, br")
        path = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        style = await browser.ask(path, Accept_Encoding="gzip")
        path = page.text.split('<script src="')[1].split('"')[0]
        script = await browser.ask(path, Accept_Encoding="gzip")
    parts = (page, style, script)
    assert {part.headers["Content-Encoding"] for part in parts} == {"gzip"}
    assert sum(len(part.body) for part in parts) <= 14 * 1024
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False)],
)
async def test_gzip_only_for_who_takes_it(world: World, accepts: str, packed: bool) -> None:
    """The page and the metrics come packed or plain as the client says, and Vary tells caches."""
    async with serving(world) as browser:
        for path in ("/", "/metrics", "/api/v1/status"):
            reply = await browser.ask(path, Accept_Encoding=accepts)
            assert (reply.headers.get("Content-Encoding") == "gzip") is packed
            assert reply.headers["Vary"] == "Accept-Encoding"
            assert reply.text


async def test_page_follows_the_snapshot_and_the_second(world: World) -> None:
    """The kept bytes are never shown once the state, the time or the staleness has changed."""
    async with serving(world) as browser:
        first = await browser.ask("/")
        assert (await browser.ask("/")).body == first.body
        world.now += 1
        assert "09.41.08 WIB" in (await browser.ask("/")).text
        world.snapshot = replace(uniform(), version=8)
        assert "38 terhubung" in (await browser.ask("/")).text
        world.alive = False
        assert "DATA BASI" in (await browser.ask("/")).text


async def test_opened_detail_stays_open_and_an_invented_one_is_ignored(world: World) -> None:
    """The query opens one province, the refresh leads back to it; what is no slug is not echoed."""
    async with serving(world) as browser:
        page = (await browser.ask("/?lihat=aceh")).text
        other = (await browser.ask("/?lihat=bali")).text
        wrong = (await browser.ask("/?lihat=%22%3E%3Cscript%3E")).text
    assert 'content="10;url=/?lihat=aceh"' in page
    assert '<details data-key="aceh" open><summary dir="auto">Aceh</summary>' in page
    assert '<details data-key="bali" open><summary dir="auto">Bali</summary>' in other
    assert 'content="10;url=/"' in wrong
    assert wrong.count("script") == 4  # noscript and script, opened and closed


async def test_status_is_tagged_by_what_it_tells(world: World) -> None:
    """304 while nothing changed; a new body as soon as the state, or our belief in it, has."""
    async with serving(world) as browser:
        for path in ("/api/v1/status", "/api/v1/provinces/aceh"):
            first = await browser.ask(path)
            tag = first.headers["ETag"]
            again = await browser.ask(path, If_None_Match=tag)
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
            assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-cache"
        world.snapshot = replace(world.snapshot, version=8)
        newer = await browser.ask(path, If_None_Match=tag)
        assert (newer.status, newer.headers["ETag"] != tag) == (200, True)
        world.alive = False
        stale = await browser.ask(path, If_None_Match=newer.headers["ETag"])
        assert (stale.status, json.loads(stale.text)["state"]) == (200, "unknown")


async def test_metrics_are_what_prometheus_reads(world: World) -> None:
    """The 0.0.4 text format, packed or plain, parsed whole."""
    async with serving(world) as browser:
        for accepts in ("gzip", "identity"):
            reply = await browser.ask("/metrics", Accept_Encoding=accepts)
            assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            names = {family.name for family in text_string_to_metric_families(reply.text)}
            assert {"vcmon_probe_success", "vcmon_province_up"} <= names


async def test_health_and_readiness_follow_their_sources(world: World) -> None:
    """503 with a reason while the engine stands still or the first round is not complete."""
    world.alive = world.ready = False
    async with serving(world) as browser:
        sick, early = await browser.ask("/-/healthy"), await browser.ask("/-/ready")
    assert (sick.status, early.status) == (503, 503)
    assert "stopped" in sick.text
    assert "first round" in early.text


async def test_reload_tells_every_problem(world: World) -> None:
    """400 with the problems as text; the reload was asked for once."""
    world.problems = "vcmon.yaml:3: web: x\ninventory.csv:2: id: y"
    async with serving(world) as browser:
        reply = await browser.ask("/-/reload", "POST")
    assert (reply.status, reply.text) == (400, world.problems + "\n")
    assert world.reloads == 1


async def test_one_reload_at_a_time(world: World) -> None:
    """A second reload while one is under way is refused, and the first still ends well."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        begun.set()
        await go.wait()
        return ""

    world.reload = slow
    async with serving(world) as browser:
        first = asyncio.create_task(browser.ask("/-/reload", "POST"))
        await begun.wait()
        second = await browser.ask("/-/reload", "POST")
        go.set()
        assert (second.status, (await first).status) == (409, 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example:9838", "Origin": "http://evil.example:9838"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"Forwarded": "for=192.0.2.7"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
async def test_no_web_page_and_no_proxy_can_reload(world: World, headers: dict[str, str]) -> None:
    """Cross-site requests, rebound names and proxied strangers are refused before anything."""
    async with serving(world) as browser:
        reply = await browser.ask("/-/reload", "POST", **headers)
    assert (reply.status, world.reloads) == (403, 0)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:9838", "127.8.8.8"])
async def test_somebody_on_this_machine_may_reload(world: World, host: str) -> None:
    """curl on the machine itself, by whichever loopback name."""
    async with serving(world) as browser:
        reply = await browser.ask("/-/reload", "POST", Host=host)
    assert (reply.status, world.reloads) == (200, 1)


async def test_reload_is_refused_to_other_machines(world: World) -> None:
    """A peer that is not loopback gets 403 and a hint."""
    own = _own_address()
    site = web.Site(web.build(world.sources()), f"{own}:0")
    await site.start()
    try:
        url, headers = f"http://{own}:{site.port}/-/reload", {"Host": "localhost"}
        async with ClientSession() as session, session.post(url, headers=headers) as reply:
            assert reply.status == 403
            assert "SIGHUP" in await reply.text()
    finally:
        await site.stop()
    assert world.reloads == 0


def _own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.fail("this machine has only loopback; give it any other address")
        return str(probe.getsockname()[0])


async def test_broken_source_is_a_page_without_internals_and_one_log_line(world: World) -> None:
    """500 says nothing of why; the log says it once a minute, not once a request."""

    def broken() -> Snapshot:
        raise RuntimeError("secret path /etc/vcmon")

    sources = replace(world.sources(), snapshot=broken)
    site = web.Site(web.build(sources), "127.0.0.1:0")
    await site.start()
    with capture_logs() as logged:
        try:
            async with ClientSession() as session:
                for _ in range(5):
                    async with session.get(f"http://127.0.0.1:{site.port}/") as reply:
                        text = await reply.text()
                        assert reply.status == 500
                        assert reply.headers["Content-Security-Policy"] == POLICY
        finally:
            await site.stop()
    assert "secret" not in text
    assert "Traceback" not in text
    assert [(line["log_level"], line["path"]) for line in logged] == [("error", "/")]


async def test_port_in_use_is_named_with_what_to_do(world: World) -> None:
    """The error tells the address and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StartError, match=rf"{listen}: the port is in use; .*another"):
            await web.Site(web.build(world.sources()), listen).start()


@pytest.mark.parametrize("listen", ["9838", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", ""])
async def test_bad_listen_says_what_was_expected(world: World, listen: str) -> None:
    """What was expected, what was found."""
    with pytest.raises(StartError, match="expected host:port"):
        await web.Site(web.build(world.sources()), listen).start()


async def test_address_of_another_machine_is_refused_with_a_hint(world: World) -> None:
    """Listening on an address that isn't ours says so."""
    with pytest.raises(StartError, match="no such address"):
        await web.Site(web.build(world.sources()), "192.0.2.1:0").start()


async def test_ipv6_loopback_is_served(world: World) -> None:
    """[::1]:port works, and a reload from there is allowed."""
    site = web.Site(web.build(world.sources()), "[::1]:0")
    await site.start()
    try:
        url = f"http://[::1]:{site.port}/-/reload"
        async with ClientSession() as session, session.post(url) as reply:
            assert reply.status == 200
        assert await site.answers(1.0)
    finally:
        await site.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X%d: y\r\n" % i for i in range(200))
        + b"\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
async def test_nonsense_is_refused_without_tracebacks(world: World, raw: bytes) -> None:
    """Broken and oversized requests end in 4xx or a hang-up; the log keeps a line, no traceback."""
    with capture_logs() as logged:
        async with serving(world) as browser:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
                writer.write(raw)
                with contextlib.suppress(ConnectionError):
                    assert (await reader.read(4096)).startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
                writer.close()
            assert (await browser.ask("/-/healthy")).status == 200
    assert len(logged) <= 1
    assert not [line for line in logged if "exc_info" in line or "exception" in line]


async def test_clients_that_vanish_leave_no_trace() -> None:
    """A reset in the middle of a large answer logs nothing, and the next client is served."""
    with capture_logs() as logged:
        async with serving(World(large(3000)).counted()) as browser:
            for path in (b"/metrics", b"/api/v1/status"):
                reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
                writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await reader.readexactly(1000)
                reset = struct.pack("ii", 1, 0)  # close() sends RST, not FIN
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                writer.transport.abort()
            await asyncio.sleep(0.3)
            assert (await browser.ask("/-/healthy")).status == 200
    assert logged == []


async def test_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape that nobody reads ends at the limit and frees its place."""
    monkeypatch.setattr(web, "ANSWER_TIME", 3.0)
    async with serving(World(large(3000)).counted()) as browser:
        held = [_unread(browser.port) for _ in range(web.SCRAPES_MAX)]
        try:
            await asyncio.sleep(0.2)
            assert (await browser.ask("/metrics")).status == 503
            assert (await browser.ask("/-/healthy")).status == 200
            await asyncio.sleep(4.0)
            assert (await browser.ask("/metrics", "HEAD")).status == 200
        finally:
            for one in held:
                one.close()


def _unread(port: int) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return one


async def test_silent_connections_are_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said, or half a header: both are hung up on."""
    monkeypatch.setattr(site_module, "IDLE_TIME", 0.3)
    async with serving(world) as browser:
        for said in (b"", b"GET / HTTP/1.1\r\nHost: lo"):
            reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
            writer.write(said)
            begun = time.monotonic()
            assert await reader.read() == b""
            assert time.monotonic() - begun < 3
            writer.close()


async def test_too_many_connections_are_hung_up_on_and_we_still_count_as_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit a connection is closed at once; filling it up can't make us seem dead."""
    monkeypatch.setattr(site_module, "CONNECTIONS_MAX", 3)
    site = web.Site(web.build(world.sources()), "127.0.0.1:0")
    await site.start()
    try:
        held = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        assert await reader.read() == b""
        assert await site.answers(1.0)
        for _, one in (*held, (reader, writer)):
            one.close()
    finally:
        await site.stop()
    assert not await site.answers(0.2)


async def test_watchdog_sees_a_server_that_does_not_answer(world: World) -> None:
    """An answer that comes later than asked for is none."""
    site = web.Site(web.build(world.sources()), "127.0.0.1:0")
    await site.start()
    try:
        assert await site.answers(1.0)
        assert not await site.answers(0.0)
    finally:
        await site.stop()
        await site.stop()


async def test_loop_is_served_while_ten_thousand_endpoints_are_scraped() -> None:
    """No slice of rendering holds the loop for long: a 1 ms timer is seldom 20 ms late."""
    world = World(large(10_000)).counted()
    async with serving(world) as browser:
        late: list[float] = []

        async def pulse() -> None:
            while True:
                begun = time.perf_counter()
                await asyncio.sleep(0.001)
                late.append(time.perf_counter() - begun - 0.001)

        pulsing = asyncio.create_task(pulse())
        async with _scraper(browser.port, "/metrics"):
            size = await _read_all(browser.port, "/metrics")
        pulsing.cancel()
    assert size > 1_000_000
    assert sorted(late)[int(len(late) * 0.95)] < 0.020


@contextlib.asynccontextmanager
async def _scraper(port: int, path: str) -> AsyncIterator[None]:
    """curl as the client: reading in this process would hold up the very loop that is watched."""
    curl = needs("curl", "curl")
    url = f"http://127.0.0.1:{port}{path}"
    done = await asyncio.create_subprocess_exec(
        curl, "-s", "--compressed", "-o", "/dev/null", "--max-time", "30", url
    )
    try:
        yield
    finally:
        assert await done.wait() == 0


async def _read_all(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    size = 0
    while block := await reader.read(1 << 16):
        size += len(block)
    writer.close()
    return size


async def test_one_rendering_serves_all_readers_of_a_second(world: World) -> None:
    """A hundred readers at once cost one rendering."""
    asked = 0
    sources = world.sources()

    def counting() -> Snapshot:
        nonlocal asked
        asked += 1
        return world.snapshot

    site = web.Site(web.build(replace(sources, snapshot=counting)), "127.0.0.1:0")
    await site.start()
    try:
        async with ClientSession() as session:

            async def read() -> bytes:
                async with session.get(f"http://127.0.0.1:{site.port}/") as reply:
                    return await reply.read()

            bodies = await asyncio.gather(*(read() for _ in range(100)))
    finally:
        await site.stop()
    assert len(set(bodies)) == 1
    assert asked == 101  # a look each to see whether it changed, and one rendering


async def test_province_in_the_detail_is_the_one_asked_for() -> None:
    """The path's slug picks the province; nothing else is told."""
    world = World(make_snapshot([province_status(provinces()["aceh"])]), now=NOW)
    async with serving(world) as browser:
        found = json.loads((await browser.ask("/api/v1/provinces/aceh")).text)
    assert (found["slug"], found["capital"]) == ("aceh", "Banda Aceh")
