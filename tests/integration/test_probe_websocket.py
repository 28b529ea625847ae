"""The WebSocket probe: against prosody, Janus and aiohttp, and scripted peers for the odd ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from tests.fakes.certificates import Authority
from tests.fakes.hostile import Behaviour, answers, prober, serving
from tests.fakes.platforms import DOMAIN, Janus, Prosody, janus, prosody
from vcmon.model.result import Blame, Outcome, Reason

AUTHORITY = Authority()
XMPP: dict[str, Any] = {"path": "/xmpp-websocket", "subprotocol": "xmpp"}
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prosody]:
    folder = tmp_path_factory.mktemp("prosody")
    with prosody(folder, AUTHORITY.issue((DOMAIN,)).write(folder, "server")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Janus]:
    with janus(tmp_path_factory.mktemp("janus")) as running:
        yield running


async def test_a_stream_is_opened_and_closed(server: Prosody) -> None:
    """UP once <open> and the features are there; prosody has closed each stream it opened."""
    async with prober() as run:
        for _ in range(10):
            seen = await run.run("websocket", port=server.http, domain=DOMAIN, **XMPP)
            assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK), seen.text
            assert {"connect", "request", "messages"} <= set(seen.tools.phases)
    await asyncio.sleep(0.2)
    opened = server.told(f"Client sent opening <stream:stream> to {DOMAIN}")
    assert opened >= 10
    assert server.told("closed: session closed") == opened


async def test_over_tls_the_certificate_is_verified(server: Prosody, tmp_path: Path) -> None:
    """wss: the same, with the domain taken from the server's name; untrusted it is DOWN."""
    ca_file = AUTHORITY.ca_file(tmp_path)
    where: dict[str, Any] = {"port": server.https, "tls": True, "server_name": DOMAIN, **XMPP}
    async with prober() as run:
        seen = await run.run("websocket", **where, ca_file=ca_file)
        wrong = await run.run("websocket", **where)
    assert seen.outcome is Outcome.UP, seen.text
    assert seen.tools.certificate_expiry is not None
    assert (wrong.outcome, wrong.reason) == (Outcome.DOWN, Reason.TLS_CERTIFICATE_UNTRUSTED)


async def test_the_wrong_domain_is_degraded_and_says_so(server: Prosody) -> None:
    """A stream error host-unknown: impaired `status`, with what to do."""
    async with prober() as run:
        seen = await run.run("websocket", port=server.http, domain="elsewhere.id", **XMPP)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.STATUS)
    assert seen.result is not None
    assert seen.result.impaired
    assert seen.tools.detail["condition"] == "host-unknown"


@pytest.mark.parametrize("path", ["/http-bind", "/xmpp-websocket", "/nowhere"])
async def test_a_page_for_people_is_no_proof(server: Prosody, path: str) -> None:
    """Whatever is no 101 is DOWN `status`: also the 200 by which prosody greets people."""
    subprotocol = "" if path == "/xmpp-websocket" else "xmpp"
    async with prober() as run:
        seen = await run.run("websocket", port=server.http, path=path, subprotocol=subprotocol)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.STATUS, Blame.REMOTE)
    assert "expected 101" in seen.text


async def test_janus_answers_what_is_sent(gateway: Janus) -> None:
    """A text of one's own, and what must be in the answer: UP with it, DOWN `content` without."""
    say: dict[str, Any] = {
        "subprotocol": "janus-protocol",
        "send": '{"janus":"info","transaction":"v"}',
    }
    async with prober() as run:
        seen = await run.run("websocket", port=gateway.websocket, expect='"server_info"', **say)
        wrong = await run.run("websocket", port=gateway.websocket, expect="BigBlueButton", **say)
        other = await run.run("websocket", port=gateway.websocket, subprotocol="xmpp")
    assert seen.outcome is Outcome.UP, seen.text
    assert (wrong.outcome, wrong.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert other.outcome is Outcome.DOWN


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """aiohttp as an echo that greets, pings, and remembers nothing."""

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.ping(b"are you there")
        if request.path == "/greets":
            await socket.send_str("Selamat datang")
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_generic_websocket_with_and_without_words() -> None:
    """The upgrade alone is enough unless something is expected; pings in between are answered."""
    async with echo() as port, prober() as run:
        bare = await run.run("websocket", port=port)
        greeted = await run.run("websocket", port=port, path="/greets", expect="Selamat")
        long = "x" * 4_000
        echoed = await run.run("websocket", port=port, send=long, expect=long[:1024])
        silent = await run.run("websocket", port=port, expect="Selamat", timeout=0.3)
    assert [one.outcome for one in (bare, greeted, echoed)] == [Outcome.UP] * 3
    assert (silent.outcome, silent.reason, silent.blame) == (
        Outcome.DOWN,
        Reason.TIMEOUT,
        Blame.REMOTE,
    )


def upgraded(frames: bytes, **changed: str) -> Behaviour:
    """Completes the handshake but for what is changed, sends the frames, and waits a while."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = asked.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        head = "\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines, "", ""])
        writer.write(head.encode() + frames)
        await writer.drain()
        await asyncio.sleep(3600)

    return behaviour


WRONG_ACCEPT = base64.b64encode(hashlib.sha1(b"another key").digest()).decode()
HANDSHAKES: dict[str, tuple[Behaviour, Reason]] = {
    "the wrong accept hash": (upgraded(b"", Sec_WebSocket_Accept=WRONG_ACCEPT), Reason.PROTOCOL),
    "no accept hash": (upgraded(b"", Sec_WebSocket_Accept=""), Reason.PROTOCOL),
    "an upgrade to something else": (upgraded(b"", Upgrade="h2c"), Reason.PROTOCOL),
    "no Connection: Upgrade": (upgraded(b"", Connection="close"), Reason.PROTOCOL),
    "a subprotocol not offered": (upgraded(b"", Sec_WebSocket_Protocol="mqtt"), Reason.PROTOCOL),
    "an extension not offered": (
        upgraded(b"", Sec_WebSocket_Extensions="permessage-deflate"),
        Reason.PROTOCOL,
    ),
    "a page": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Reason.STATUS),
    "a login": (answers(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), Reason.STATUS),
    "no HTTP": (answers(b"SIP/2.0 200 OK\r\n\r\n"), Reason.PROTOCOL),
    "a header without an end": (
        answers(b"HTTP/1.1 101 X\r\n" + b"X: " + b"a" * 20_000),
        Reason.PROTOCOL,
    ),
    "a thousand headers": (
        answers(b"HTTP/1.1 101 X\r\n" + b"X: 1\r\n" * 1_000 + b"\r\n"),
        Reason.PROTOCOL,
    ),
    "half a header": (answers(b"HTTP/1.1 101 Switching"), Reason.RESET),
}


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_what_does_not_prove_websocket_is_down(name: str) -> None:
    """A handshake that is not completed as RFC 6455 4.1 asks: DOWN with its reason."""
    behaviour, reason = HANDSHAKES[name]
    with serving(behaviour) as port:
        async with prober() as run:
            seen = await run.run("websocket", port=port)
    found = (seen.outcome, seen.reason, seen.blame)
    assert found == (Outcome.DOWN, reason, Blame.REMOTE), seen.text
    assert seen.elapsed < 0.7
    assert len(seen.text) < 300


def text(data: bytes) -> bytes:
    return b"\x81" + bytes([len(data)]) + data


A = b"a" * 125
FRAMES = {
    "masked": (b"\x81\x82abcdef", Reason.PROTOCOL),
    "reserved bits": (b"\xf1\x01x", Reason.PROTOCOL),
    "an unknown opcode": (b"\x83\x01x", Reason.PROTOCOL),
    "a message of 2^63 bytes": (b"\x81\x7f" + b"\x7f" + b"\xff" * 7, Reason.PROTOCOL),
    "a long ping": (b"\x89\x7e\x01\x00" + b"p" * 256, Reason.PROTOCOL),
    "a fragment of nothing": (b"\x80\x01x", Reason.PROTOCOL),
    "fragments without an end": (b"\x01\x01a" + b"\x00\x01a" * 30_000, Reason.PROTOCOL),
    "a long message in pieces": (b"\x01\x7d%s" % A + b"\x00\x7d%s" % A * 600, Reason.PROTOCOL),
    "text that is none": (text(b"\xff\xfe"), Reason.PROTOCOL),
    "close": (b"\x88\x02\x03\xf3", Reason.RESET),
    "pings without an end": (b"\x89\x00" * 200_000, Reason.PROTOCOL),
    "half a frame": (b"\x81\x7d" + b"a" * 10, Reason.TIMEOUT),
    "another text": (text(b"halo"), Reason.CONTENT),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
async def test_wrong_frames_are_down(name: str) -> None:
    """Frames that no server may send, or that say something else: DOWN, and bounded."""
    frames, reason = FRAMES[name]
    with serving(upgraded(frames)) as port:
        async with prober() as run:
            seen = await run.run("websocket", port=port, expect="Selamat", timeout=0.6)
    found = (seen.outcome, seen.reason, seen.blame)
    assert found == (Outcome.DOWN, reason, Blame.REMOTE), seen.text
    assert seen.elapsed < 0.8


XML = {
    "another element": (b"<presence/>", Outcome.DOWN, Reason.CONTENT),
    "an entity": (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Outcome.DOWN, Reason.CONTENT),
    "closed at once": (
        b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        Outcome.DOWN,
        Reason.STATUS,
    ),
    "going down": (
        b"<error xmlns='http://etherx.jabber.org/streams'><e xmlns='x'/>%s</error>"
        % b"<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
        Outcome.DOWN,
        Reason.STATUS,
    ),
}


@pytest.mark.parametrize("name", XML)
async def test_what_opens_no_stream_is_down(name: str) -> None:
    """XMPP that gives no stream: DOWN with its reason."""
    body, outcome, reason = XML[name]
    long = b"\x81\x7e" + len(body).to_bytes(2, "big") + body
    behaviour = upgraded(text(body) if len(body) < 126 else long, Sec_WebSocket_Protocol="xmpp")
    with serving(behaviour) as port:
        async with prober() as run:
            seen = await run.run("websocket", port=port, domain=DOMAIN, **XMPP)
    assert (seen.outcome, seen.reason) == (outcome, reason), seen.text
