"""Peers on loopback that do what no peer should; and a network of our own to break.

Each behaviour is a function of a reader and a writer. :func:`serving` runs one in a thread of its
own, so that what it does to its event loop it doesn't do to the probe's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gzip
import os
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vcmon.clock import SystemClock
from vcmon.config.kinds import PARAMS
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes import PROBES, Tools

T = TypeVar("T")
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

FOREVER = 3600.0
STALLS_FORGIVEN = 3  # the machine that tests run on is shared; the engine runs such a probe again
BOMB = gzip.compress(b"\0" * (64 << 20), 9)
"""64 MiB in 64 kB."""


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and everything sent, and says nothing."""
    await asyncio.sleep(FOREVER)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes at once."""


async def hang_up_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the request, then closes."""
    await _asked(reader)


async def drip_after_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server hello, one byte a second."""
    await reader.read(1)
    for byte in b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03":
        await _send(writer, bytes([byte]))
        await asyncio.sleep(1)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A valid answer, one byte a second."""
    await _asked(reader)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
        await _send(writer, bytes([byte]))
        await asyncio.sleep(1)


async def endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Header lines without an end, as fast as they are taken."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\n")
    while True:
        await _send(writer, b"X-Filler: 0123456789012345678901234567890123456789\r\n" * 50)


async def endless_header_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One header line without an end."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\nX-Filler: ")
    while True:
        await _send(writer, b"a" * 4096)


async def slow_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header line every 50 ms, never the last: below every bound, but for the time."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\n")
    while True:
        await _send(writer, b"X-Filler: 1\r\n")
        await asyncio.sleep(0.05)


async def endless_interim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """100 Continue, and again, and again."""
    await _asked(reader)
    while True:
        await _send(writer, b"HTTP/1.1 100 Continue\r\n\r\n" * 20)
        await asyncio.sleep(0)


async def endless_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers to questions that nobody asked, as fast as they are taken."""
    await _asked(reader)
    while True:
        await _send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx" * 100)


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Claims 1 GB, and sends it as fast as it is taken."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        await _send(writer, b"never the text that is looked for\n" * 500)


async def stalled_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Claims 1 GB, sends 4 bytes of it, and waits."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nhalf")
    await asyncio.sleep(FOREVER)


async def cut_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Claims 1,000 bytes, sends 4 of them, and closes."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")


async def bad_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A chunked body whose chunk size is no number."""
    await _asked(reader)
    await _send(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")
    await asyncio.sleep(FOREVER)


async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """64 kB of gzip that unpack to 64 MiB."""
    await _asked(reader)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
    await _send(writer, head + BOMB)
    await asyncio.sleep(FOREVER)


async def long_header_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header line of 10 kB."""
    await _asked(reader)
    long = b"a" * 10_000
    await _send(writer, b"HTTP/1.1 200 OK\r\nX-Long: " + long + b"\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(FOREVER)


async def hostile_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A Server header with an escape sequence, markup and broken UTF-8."""
    await _asked(reader)
    server = b"<script>\x1b[31m\xff\xfe" + b"n" * 500
    await _send(writer, b"HTTP/1.1 200 OK\r\nServer: " + server + b"\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(FOREVER)


def says(data: bytes, *, then_close: bool = False) -> Behaviour:
    """Sends ``data`` unasked, then waits (or closes)."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _send(writer, data)
        if not then_close:
            await asyncio.sleep(FOREVER)

    return behaviour


def answers(data: bytes) -> Behaviour:
    """Reads a request, answers ``data`` and closes."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asked(reader)
        await _send(writer, data)

    return behaviour


def redirects(location: str, status: int = 302) -> Behaviour:
    """Redirects everything to ``location``."""
    head = f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return answers(head.encode())


SSH_BANNER = says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
NULS = says(b"\0" * 4096)
SIP_ANSWER = answers(
    b"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/TCP 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
)
HTTP_OK = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def _asked(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


@contextlib.contextmanager
def serving(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[int]:
    """Serve ``behaviour`` on a free port (given) until the end of the block."""
    running: list[tuple[int, Callable[[], object]]] = []
    ready = threading.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await behaviour(reader, writer)
            writer.close()
            await asyncio.sleep(0.2)  # a TLS goodbye may go unanswered
        finally:
            writer.transport.abort()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # our clients cut connections
        over = asyncio.Event()
        transports: list[asyncio.WriteTransport] = []
        talks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            transports.append(writer.transport)
            talks.add(asyncio.create_task(one(reader, writer)))

        server = await asyncio.start_server(begin, host, 0, ssl=tls, backlog=512)
        port = server.sockets[0].getsockname()[1]
        running.append((port, lambda: loop.call_soon_threadsafe(over.set)))
        ready.set()
        await over.wait()
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())  # closed while it accepts it loses a transport
        await asyncio.sleep(0.02)
        if accepting := asyncio.all_tasks() - talks - {asyncio.current_task()}:
            await asyncio.wait(accepting, timeout=0.3)  # a TLS handshake may stall for ever
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in transports:
            if not transport.is_closing():  # a task cancelled before its first step left it open
                transport.abort()
        await asyncio.sleep(0.02)  # aborted transports close their sockets

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="hostile")
    thread.start()
    assert ready.wait(5), "the hostile server didn't start"
    port, stop = running[0]
    try:
        yield port
    finally:
        stop()
        thread.join(10)


def open_descriptors() -> int:
    """How many file descriptors this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def in_own_network(work: Callable[[], Coroutine[Any, Any, T]], *setup: str) -> T:
    """Run ``work`` on a loop of its own in a network namespace of its own, gone afterwards.

    ``setup`` are commands run there first (loopback is up already). Needs root.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _unshare_network()
            for command in ("ip link set lo up", *setup):
                subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=10)
            done.append(asyncio.run(work()))
        except BaseException as exc:  # noqa: BLE001 - raised again below, in the caller's thread
            failed.append(exc)

    thread = threading.Thread(target=run, name="own network")
    thread.start()
    thread.join(50)
    if failed:
        raise failed[0]
    return done[0]


def _unshare_network() -> None:
    clone_newnet = 0x40000000  # linux/sched.h; os.unshare comes with Python 3.12
    if ctypes.CDLL(None, use_errno=True).unshare(clone_newnet):
        code = ctypes.get_errno()
        raise OSError(code, f"unshare(CLONE_NEWNET): {os.strerror(code)}; run the tests as root")


@dataclass(frozen=True)
class Seen:
    """What one run of a probe said: ``result`` is None where it raised ProbeError."""

    outcome: Outcome
    reason: Reason
    blame: Blame
    text: str
    elapsed: float
    tools: Tools
    result: Result | None


@dataclass
class Prober:
    """Runs probes as the engine does: own Tools each, one lag measure for all."""

    lag: LoopLag
    clock: SystemClock
    resolver: Resolver

    async def run(self, kind: str, timeout: float = 1.0, **params: Any) -> Seen:
        """Probe ``address`` (127.0.0.1) with these parameters; again when our own loop stalled."""
        address = params.pop("address", "127.0.0.1")
        check: Check[Any] = Check(
            CheckId("endpoint", kind),
            "aceh",
            kind,
            address,
            PARAMS[kind](**params),
            interval=10.0,
            timeout=timeout,
            decides=True,
        )
        for _ in range(STALLS_FORGIVEN):
            seen = await self._once(check)
            if seen.reason is not Reason.STALL:
                break
        return seen

    async def _once(self, check: Check[Any]) -> Seen:
        deadline = Deadline(self.clock, self.lag, check.timeout)
        tools = Tools(self.clock, Pinger(), self.resolver, deadline, self.clock.wall())
        try:
            result = await PROBES[check.kind](check, tools)
        except ProbeError as error:
            outcome = Outcome.UNKNOWN if error.blame is Blame.LOCAL else Outcome.DOWN
            found = (outcome, error.reason, error.blame, error.text)
            return Seen(*found, deadline.elapsed(), tools, None)
        text = str(result.detail.get("message", ""))
        found = (result.outcome, result.reason, result.blame, text)
        return Seen(*found, deadline.elapsed(), tools, result)


@contextlib.asynccontextmanager
async def prober() -> AsyncIterator[Prober]:
    """A Prober on the running loop."""
    clock = SystemClock()
    lag = LoopLag(clock)
    resolver = Resolver(clock)
    lag.start()
    try:
        yield Prober(lag, clock, resolver)
    finally:
        lag.stop()
        resolver.close()
