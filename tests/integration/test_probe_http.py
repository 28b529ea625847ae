"""The HTTP probe: against nginx, aiohttp and, for the odd answers, scripted peers."""

from __future__ import annotations

import contextlib
import gzip
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.certificates import NAME, Authority
from tests.fakes.hostile import answers, prober, redirects, serving
from tests.fakes.needs import needs
from vcmon.model.result import Blame, Outcome, Reason

AUTHORITY = Authority()
PHASES = {"resolve", "connect", "request", "first_byte", "transfer"}

NGINX = """
daemon off; pid nginx.pid; error_log stderr crit; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t;
  uwsgi_temp_path t; scgi_temp_path t; gzip on; gzip_min_length 1; gzip_types text/plain;
  server {{
    listen 127.0.0.1:{http}; listen [::1]:{http}; listen 127.0.0.1:{https} ssl;
    server_name {name}; ssl_certificate server.pem; ssl_certificate_key server.pem;
    default_type text/plain;
    location = / {{ return 200 "Selamat datang di konferensi\\n"; }}
    location = /empty {{ return 204; }}
    location = /broken {{ return 503 "maintenance\\n"; }}
    location = /login {{ return 401 "who are you\\n"; }}
    location = /nowhere {{ return 404; }}
    location = /forbidden {{ return 403; }}
    location = /old {{ return 301 /; }}
    location = /host {{ return 200 "$host\\n"; }}
    location = /query {{ return 200 "$args\\n"; }}
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    http: int
    https: int
    ca_file: str
    expiry: float


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in socks]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """A real nginx on loopback, with a certificate of our own authority."""
    folder = tmp_path_factory.mktemp("nginx")
    http, https = _free_ports(2)
    issued = AUTHORITY.issue()
    issued.write(folder, "server")
    (folder / "nginx.conf").write_text(NGINX.format(http=http, https=https, name=NAME))
    command = [needs("nginx", "nginx-light"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(http)
            yield Nginx(http, https, AUTHORITY.ca_file(folder), issued.expiry)
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"nothing listens on port {port} after 4 s")


@contextlib.asynccontextmanager
async def _aiohttp(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_page_is_up_with_all_phases(nginx: Nginx) -> None:
    """UP, each phase measured, status and server in the detail."""
    async with prober() as run:
        seen = await run.run("http", port=nginx.http)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK)
    assert seen.result is not None
    assert set(seen.result.phases) == PHASES
    assert sum(seen.result.phases.values()) <= seen.result.duration
    assert seen.result.detail["http_status"] == 200
    assert str(seen.result.detail["http_server"]).startswith("nginx")
    assert seen.result.detail["address"] == "127.0.0.1"
    assert seen.result.transmissions == 1


async def test_over_tls_the_certificate_is_verified_and_its_expiry_told(nginx: Nginx) -> None:
    """UP over HTTPS with the phase tls beside the others, version, cipher and expiry."""
    async with prober() as run:
        seen = await run.run("https", port=nginx.https, ca_file=nginx.ca_file, server_name=NAME)
    assert seen.outcome is Outcome.UP
    assert seen.result is not None
    assert set(seen.result.phases) == PHASES | {"tls"}
    assert str(seen.result.detail["tls_version"]).startswith("TLSv1.")
    assert seen.result.certificate_expiry == nginx.expiry


async def test_an_untrusted_certificate_is_down_by_default(nginx: Nginx) -> None:
    """Verification is on unless switched off; the expiry is told all the same."""
    async with prober() as run:
        seen = await run.run("https", port=nginx.https, server_name=NAME)
        loose = await run.run("https", port=nginx.https, verify=False)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.TLS_CERTIFICATE_UNTRUSTED)
    assert seen.tools.certificate_expiry == nginx.expiry
    assert loose.outcome is Outcome.UP


async def test_a_certificate_about_to_expire_degrades_a_working_page(nginx: Nginx) -> None:
    """The page is there: UP, impaired with `tls_certificate_expiring`."""
    async with prober() as run:
        seen = await run.run(
            "https", port=nginx.https, ca_file=nginx.ca_file, expiry_warning="400d"
        )
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.TLS_CERTIFICATE_EXPIRING)


async def test_ipv6_and_head_and_an_empty_answer(nginx: Nginx) -> None:
    """An IPv6 literal makes a URL; HEAD and 204 have no body and are UP."""
    async with prober() as run:
        assert (await run.run("http", port=nginx.http, address="::1")).outcome is Outcome.UP
        assert (await run.run("http", port=nginx.http, method="HEAD")).outcome is Outcome.UP
        assert (await run.run("http", port=nginx.http, path="/empty")).outcome is Outcome.UP


@pytest.mark.parametrize(
    ("path", "status"), [("/broken", 503), ("/login", 401), ("/forbidden", 403), ("/nowhere", 404)]
)
async def test_another_status_is_down_unless_it_is_wanted(
    path: str, status: int, nginx: Nginx
) -> None:
    """DOWN `status`, naming both; with that status in the list it is UP."""
    async with prober() as run:
        seen = await run.run("http", port=nginx.http, path=path)
        wanted = await run.run("http", port=nginx.http, path=path, status=[200, status])
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.STATUS, Blame.REMOTE)
    assert f"answered status {status}, expected any 2xx" in seen.text
    assert seen.tools.detail["http_status"] == status
    assert wanted.outcome is Outcome.UP


async def test_the_body_must_hold_the_text(nginx: Nginx) -> None:
    """A captive portal answers 200 too: the text decides, DOWN `content` without it."""
    async with prober() as run:
        there = await run.run("http", port=nginx.http, contains="konferensi")
        missing = await run.run("http", port=nginx.http, contains="BigBlueButton")
    assert there.outcome is Outcome.UP
    assert (missing.outcome, missing.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert "Selamat datang" in missing.text


async def test_host_header_and_query_are_sent_as_set(nginx: Nginx) -> None:
    """``host`` is the Host header; the path may carry a query, sent as it is written."""
    async with prober() as run:
        named = await run.run(
            "http",
            port=nginx.http,
            path="/host",
            host="meet.example.id",
            contains="meet.example.id",
        )
        query = await run.run(
            "http", port=nginx.http, path="/query?a=%2Fb&c=d", contains="a=%2Fb&c=d"
        )
    assert named.outcome is Outcome.UP
    assert query.outcome is Outcome.UP


async def test_the_body_is_read_up_to_its_limit_only() -> None:
    """Text beyond body_limit isn't looked at; a limit of 0 reads no body at all."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text="a" * 1000 + "late")

    async with _aiohttp(handler) as port, prober() as run:
        enough = await run.run("http", port=port, contains="late", body_limit=1004)
        short = await run.run("http", port=port, contains="late", body_limit=1003)
        none = await run.run("http", port=port, body_limit=0)
    assert enough.outcome is Outcome.UP
    assert short.reason is Reason.CONTENT
    assert none.outcome is Outcome.UP


async def test_one_request_without_cookies_or_compression() -> None:
    """What the peer sees of us: one GET, identity, Connection: close, our name, no cookie."""
    requests: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        response = web.Response(text="ok")
        response.set_cookie("session", "1")
        return response

    async with _aiohttp(handler) as port, prober() as run:
        await run.run("http", port=port)
        await run.run("http", port=port)
    assert [request.method for request in requests] == ["GET", "GET"]
    for request in requests:
        assert request.headers["User-Agent"].startswith("vcmon/")
        assert request.headers["Accept-Encoding"] == "identity"
        assert request.headers["Connection"] == "close"
        assert request.headers["Host"].startswith("127.0.0.1")
        assert "Cookie" not in request.headers


async def test_a_peer_that_hangs_up_is_asked_once() -> None:
    """aiohttp would repeat a GET in silence; a monitor counts what it saw."""
    asked = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with _aiohttp(handler) as port, prober() as run:
        seen = await run.run("http", port=port)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.RESET, Blame.REMOTE)
    assert asked == 1


async def test_a_body_compressed_against_our_wish_is_read() -> None:
    """Some servers always compress: the text is found all the same."""

    async def handler(request: web.Request) -> web.StreamResponse:
        packed = gzip.compress(b"<returncode>SUCCESS</returncode>")
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with _aiohttp(handler) as port, prober() as run:
        seen = await run.run("http", port=port, contains="SUCCESS")
    assert seen.outcome is Outcome.UP


async def test_a_redirect_on_the_same_host_and_port_is_followed(nginx: Nginx) -> None:
    """301 to another path: followed, counted, and the phases add up."""
    async with prober() as run:
        seen = await run.run("http", port=nginx.http, path="/old", contains="Selamat")
        strict = await run.run("http", port=nginx.http, path="/old", redirects=0)
        wanted = await run.run("http", port=nginx.http, path="/old", status=[301])
    assert seen.outcome is Outcome.UP
    assert seen.result is not None
    assert seen.result.detail["redirects"] == 1
    assert strict.reason is Reason.STATUS
    assert wanted.outcome is Outcome.UP


async def test_a_relative_and_a_named_redirect_count_as_the_same_host() -> None:
    """The name we asked by is the same endpoint as its address."""
    hops = {"/a": "b?x=1", "/b": "//MEET.example.id:{port}/c", "/c": ""}

    async def handler(request: web.Request) -> web.StreamResponse:
        target = hops[request.path].format(port=request.url.port)
        if target:
            return web.Response(status=307, headers={"Location": target})
        return web.Response(text="there")

    async with _aiohttp(handler) as port, prober() as run:
        seen = await run.run(
            "http", port=port, path="/a", host=f"meet.example.id:{port}", contains="there"
        )
    assert seen.outcome is Outcome.UP
    assert seen.tools.detail["redirects"] == 2


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",  # another port
        "http://127.0.0.2:{port}/",  # another address
        "http://[::1]:{port}/",
        "https://127.0.0.1/",  # https, but on port 443
        "http://other.example.id:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/",
        "javascript:alert(1)",
        "http://[",
    ],
)
@pytest.mark.catalogue("T41")
async def test_a_redirect_elsewhere_is_told_and_not_followed(location: str) -> None:
    """DOWN `status` with the place in the text; nothing but the endpoint is ever contacted."""

    async def handler(request: web.Request) -> web.StreamResponse:
        target = location.format(port=request.url.port)
        return web.Response(status=302, headers={"Location": target})

    async with _aiohttp(handler) as port, prober() as run:
        seen = await run.run("http", port=port)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.STATUS, Blame.REMOTE)
    assert location.format(port=port) in seen.text
    assert seen.tools.detail["redirects"] == 0
    assert seen.elapsed < 0.5


async def test_https_is_never_followed_down_to_http(nginx: Nginx, tmp_path: Path) -> None:
    """A downgrade on the same port is not followed either."""
    target = redirects(f"http://127.0.0.1:{nginx.https}/")
    with serving(target, AUTHORITY.issue().server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("https", port=port, ca_file=nginx.ca_file)
    assert seen.reason is Reason.STATUS


async def test_a_redirect_loop_ends() -> None:
    """DOWN `status` after the allowed number of redirects."""
    asked = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=302, headers={"Location": "/again"})

    async with _aiohttp(handler) as port, prober() as run:
        seen = await run.run("http", port=port, redirects=2)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.STATUS)
    assert "after 2 redirects" in seen.text
    assert asked == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nold but good", Reason.OK),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", Reason.OK),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", Reason.OK),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Reason.OK),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", Reason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 99999 OK\r\n\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Len", Reason.RESET),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            Reason.STATUS,
        ),
        (b"", Reason.RESET),
    ],
)
async def test_odd_answers(answer: bytes, reason: Reason) -> None:
    """Old, terse and chunked answers are HTTP; broken ones are not; cut ones are resets."""
    with serving(answers(answer)) as port:
        async with prober() as run:
            seen = await run.run("http", port=port)
    assert seen.reason is reason
    assert seen.outcome is (Outcome.UP if reason is Reason.OK else Outcome.DOWN)
    assert seen.elapsed < 0.5
