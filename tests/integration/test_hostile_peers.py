"""No peer holds a probe past its deadline, blows up our memory, or passes for alive (T02, T04)."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import hostile
from tests.fakes.certificates import Authority
from tests.fakes.hostile import Behaviour, Prober, Seen, open_descriptors, prober, serving
from vcmon.model.result import Blame, Outcome, Reason

pytestmark = pytest.mark.catalogue("T02", "T04")

TIMEOUT = 0.5
OVERRUN_MAX = 0.1  # seconds past the deadline: T04
MEMORY_MAX = 4 << 20  # bytes more than before, at the worst moment of one run
HANGING = 30  # peers at once: the share of 38 provinces in a large outage

AUTHORITY = Authority()

HTTP_PEERS: dict[str, tuple[Behaviour, Reason]] = {
    "mute": (hostile.mute, Reason.TIMEOUT),
    "hangs up": (hostile.hang_up, Reason.RESET),
    "hangs up after the request": (hostile.hang_up_after_request, Reason.RESET),
    "one byte a second": (hostile.drip, Reason.TIMEOUT),
    "endless header": (hostile.endless_header, Reason.PROTOCOL),
    "endless header line": (hostile.endless_header_line, Reason.PROTOCOL),
    "slow header": (hostile.slow_header, Reason.TIMEOUT),
    "endless 100 Continue": (hostile.endless_interim, Reason.PROTOCOL),
    "endless answers": (hostile.endless_answers, Reason.CONTENT),
    "endless body": (hostile.endless_body, Reason.CONTENT),
    "stalled body": (hostile.stalled_body, Reason.TIMEOUT),
    "cut body": (hostile.cut_body, Reason.PROTOCOL),
    "bad chunks": (hostile.bad_chunks, Reason.PROTOCOL),
    "gzip bomb": (hostile.bomb, Reason.CONTENT),
    "10 kB header line": (hostile.long_header_line, Reason.PROTOCOL),
    "redirect loop": (hostile.redirects("/"), Reason.STATUS),
    "redirect to a file": (hostile.redirects("file:///etc/passwd"), Reason.STATUS),
    "redirect to the cloud": (hostile.redirects("http://169.254.169.254/"), Reason.STATUS),
    "redirect to another port": (hostile.redirects("http://127.0.0.1:22/"), Reason.STATUS),
    "SSH": (hostile.SSH_BANNER, Reason.PROTOCOL),
    "SIP": (hostile.SIP_ANSWER, Reason.PROTOCOL),
    "NULs": (hostile.NULS, Reason.PROTOCOL),
    "an error body": (
        hostile.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nerror"),
        Reason.CONTENT,
    ),
}

TLS_PEERS: dict[str, tuple[Behaviour, bool, Reason]] = {
    "handshake stall": (hostile.mute, False, Reason.TIMEOUT),
    "hangs up": (hostile.hang_up, False, Reason.RESET),
    "one byte a second": (hostile.drip_after_hello, False, Reason.TIMEOUT),
    "SSH": (hostile.SSH_BANNER, False, Reason.TLS_HANDSHAKE),
    "NULs": (hostile.NULS, False, Reason.TLS_HANDSHAKE),
    "closed after the handshake": (hostile.hang_up, True, Reason.RESET),
}


def _is_down(seen: Seen, reason: Reason) -> None:
    found = (seen.outcome, seen.reason, seen.blame)
    assert found == (Outcome.DOWN, reason, Blame.REMOTE), seen.text
    assert seen.elapsed <= TIMEOUT + OVERRUN_MAX
    assert seen.text.isprintable() or "\ufffd" in seen.text
    assert len(seen.text) < 500


async def _http(run: Prober, port: int) -> Seen:
    return await run.run("http", TIMEOUT, port=port, contains="welcome")


@pytest.mark.parametrize(("behaviour", "reason"), HTTP_PEERS.values(), ids=HTTP_PEERS.keys())
async def test_no_hostile_peer_passes_for_a_web_server(
    behaviour: Behaviour, reason: Reason
) -> None:
    """DOWN with the right reason, blame REMOTE, in time and in bounded memory."""
    with serving(behaviour) as port:
        async with prober() as run:
            seen = await _http(run, port)
            with _memory() as peak:
                again = await _http(run, port)
    _is_down(seen, reason)
    _is_down(again, reason)
    assert peak[0] < MEMORY_MAX


@pytest.mark.parametrize(("behaviour", "tls", "reason"), TLS_PEERS.values(), ids=TLS_PEERS.keys())
@pytest.mark.parametrize("kind", ["tls", "https"])
async def test_no_hostile_peer_passes_for_a_tls_server(
    kind: str, behaviour: Behaviour, tls: bool, reason: Reason, tmp_path: Path
) -> None:
    """The same for the handshake, whichever probe stands on it."""
    server = AUTHORITY.issue().server(tmp_path) if tls else None
    with serving(behaviour, server) as port:
        async with prober() as run:
            seen = await run.run(kind, TIMEOUT, port=port, ca_file=AUTHORITY.ca_file(tmp_path))
    _is_down(seen, reason)


@contextmanager
def _memory() -> Iterator[list[int]]:
    """Gives a list that holds, after the block, the bytes used at its worst moment."""
    gc.collect()
    tracemalloc.start()
    peak: list[int] = []
    try:
        yield peak
    finally:
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()


async def test_a_server_header_is_cleaned_before_it_is_kept() -> None:
    """Escape sequences, markup and broken UTF-8 stay text of at most 100 characters."""
    with serving(hostile.hostile_text) as port:
        async with prober() as run:
            seen = await run.run("http", TIMEOUT, port=port)
    server = str(seen.tools.detail.get("http_server", ""))
    assert seen.outcome in {Outcome.UP, Outcome.DOWN}
    assert len(server) <= 100
    assert "\x1b" not in server
    server.encode()


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Checks on peers that hang, each in its own way, plain and over TLS."""
    context = AUTHORITY.issue().server(tmp_path)
    ca_file = AUTHORITY.ca_file(tmp_path)
    ways = [
        ("http", hostile.mute, None),
        ("http", hostile.drip, None),
        ("http", hostile.slow_header, None),
        ("http", hostile.stalled_body, None),
        ("tls", hostile.mute, None),
        ("https", hostile.mute, None),
        ("https", hostile.mute, context),
        ("https", hostile.slow_header, context),
        ("https", hostile.stalled_body, context),
        ("https", hostile.drip, context),
    ]
    with ExitStack() as stack:
        checks: list[tuple[str, dict[str, Any]]] = []
        for kind, behaviour, tls in ways:
            port = stack.enter_context(serving(behaviour, tls))
            params = {"port": port, **({} if kind == "http" else {"ca_file": ca_file})}
            checks.append((kind, params))
        yield checks


async def test_thirty_hanging_peers_at_once_overrun_by_little(
    hanging: list[tuple[str, dict[str, Any]]], record_property: Any
) -> None:
    """30 probes against peers that hang end within 100 ms of their deadline, all DOWN timeout."""
    async with prober() as run:
        checks = [hanging[number % len(hanging)] for number in range(HANGING)]
        seen = await asyncio.gather(*(run.run(kind, 1.0, **params) for kind, params in checks))
    overrun = max(one.elapsed for one in seen) - 1.0
    record_property("max_overrun_ms", round(overrun * 1000, 1))
    print(f"max overrun of {HANGING} hanging probes: {overrun * 1000:.1f} ms")
    assert {(one.outcome, one.reason, one.blame) for one in seen} == {
        (Outcome.DOWN, Reason.TIMEOUT, Blame.REMOTE)
    }
    assert overrun <= OVERRUN_MAX


async def test_two_hundred_runs_leak_no_descriptor(tmp_path: Path) -> None:
    """As many file descriptors after 200 runs, good and bad ones, as before."""
    context = AUTHORITY.issue().server(tmp_path)
    ca_file = AUTHORITY.ca_file(tmp_path)
    ways: list[tuple[str, Behaviour, bool]] = [
        ("tcp", hostile.mute, False),
        ("tls", hostile.mute, True),
        ("tls", hostile.mute, False),
        ("http", hostile.HTTP_OK, False),
        ("https", hostile.HTTP_OK, True),
        ("https", hostile.hang_up, True),
        ("http", hostile.endless_body, False),
        ("http", hostile.redirects("/"), False),
        ("http", hostile.hang_up, False),
        ("https", hostile.stalled_body, True),
    ]
    async with prober() as run:
        await _settled(run, ways, context, ca_file, rounds=1)
        before = open_descriptors()
        await _settled(run, ways, context, ca_file, rounds=20)
        assert open_descriptors() == before


async def _settled(
    run: Prober, ways: list[tuple[str, Behaviour, bool]], context: Any, ca_file: str, rounds: int
) -> None:
    with ExitStack() as stack:
        checks: list[tuple[str, dict[str, Any]]] = []
        for kind, behaviour, tls in ways:
            port = stack.enter_context(serving(behaviour, context if tls else None))
            extra = {"ca_file": ca_file} if kind in {"tls", "https"} else {}
            checks.append((kind, {"port": port, **extra}))
        for _ in range(rounds):
            await asyncio.gather(*(run.run(kind, 0.15, **params) for kind, params in checks))
    await asyncio.sleep(0.05)
