"""The socket under the pages: listening, limits on connections, and a quiet log."""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
from collections import deque

import structlog
from aiohttp import web

from vcmon.clock import SystemClock, monotonic_ns
from vcmon.errors import ProbeError, StartError
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.views.tls import ACCEPTED_MAX, HANDSHAKE_TIME, Tls

IDLE_TIME = 30.0
"""Seconds a connection may be silent: three reloads of the page."""

CONNECTIONS_MAX = 1200
"""Open at once: 600 event streams, and as many again for who asks and goes."""

FIRST_ANSWER_TIME = 35.0
"""Seconds after which a connection that got no answer yet is hung up on: it never asked, or so
slowly that an answer's own limit of 30 s has passed it by."""

SWEEP_EVERY = 5.0
"""Seconds between two looks for such connections."""

ALIVE = "/-/ready"
"""Asked by the watchdog: it needs no lock and no rendering, only a web server that moves."""

LOG_EVERY_NS = 60_000_000_000
"""Nanoseconds between two log lines of one kind."""


log = structlog.get_logger("vcmon.views")


class Seldom:
    """Lets one log line of each kind through a minute."""

    KINDS_MAX = 100  # a kind is a type and a place of ours: more than these don't exist

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __call__(self, kind: str) -> bool:
        now, last = monotonic_ns(), self._last.get(kind)
        if last is not None and now - last < LOG_EVERY_NS:
            return False
        if len(self._last) >= self.KINDS_MAX:
            self._last.clear()
        self._last[kind] = now
        return True


def quiet_logger() -> logging.Logger:
    """What aiohttp logs by: bad requests of strangers make one line a minute, no tracebacks."""
    seldom = Seldom()

    def hand_over(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if seldom(type(error).__name__):
            # Only what it is: its text repeats the bytes that were wrong, and a token among them.
            log.warning("http server", message=record.msg, error=type(error).__name__)
        return False

    # Not from getLogger: the filter belongs to this server, not to the process.
    logger = logging.Logger("vcmon.http")  # noqa: LOG001  for the reason above
    logger.addFilter(hand_over)
    return logger


class Doorman:
    """Ends connections that never get as far as an answer: silent ones, headers by the drop.

    The server itself limits only what comes after a first request.
    """

    def __init__(self, app: web.Application) -> None:
        self._server: web.Server | None = None
        self._since: dict[web.RequestHandler, int] = {}  # monotonic ns when first seen
        self._answered: set[web.RequestHandler] = set()
        self._timer: asyncio.TimerHandle | None = None
        app.on_response_prepare.append(self._answers)

    def watch(self, server: web.Server) -> None:
        """Look at this server's connections from now on."""
        self._server = server
        self._again()

    def leave(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _answers(self, request: web.Request, _response: web.StreamResponse) -> None:
        self._answered.add(request.protocol)

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SWEEP_EVERY, self._sweep)

    def _sweep(self) -> None:
        assert self._server is not None  # watch() came first
        now = monotonic_ns()
        self._since = {it: self._since.get(it, now) for it in self._server.connections}
        self._answered &= self._since.keys()
        for connection, since in self._since.items():
            late = now - since > (FIRST_ANSWER_TIME - SWEEP_EVERY) * 1e9
            if late and connection not in self._answered:
                connection.force_close()
        self._again()


class Full(asyncio.Protocol):
    """Hangs up on a connection above the limit."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def split(listen: str) -> tuple[str, int]:
    """``127.0.0.1:9838`` or ``[::1]:9838`` as host and port. Raises StartError."""
    host, _, port = listen.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535 or not host:
        raise StartError(
            f"web.listen: expected host:port such as 127.0.0.1:9838 or [::1]:9838, found {listen!r}"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


class Site:
    """The application on a socket, from :meth:`start` to :meth:`stop`."""

    def __init__(self, app: web.Application, listen: str, tls: Tls | None = None) -> None:
        self._listen = listen
        self._tls = tls
        self._accepted: deque[int] = deque(maxlen=ACCEPTED_MAX)  # monotonic ns, the latest
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=quiet_logger(),
            keepalive_timeout=IDLE_TIME,
            max_line_size=4096,  # no path of ours is longer than 100
            max_field_size=8190,  # cookies of other services on this host come along
            max_headers=64,
            lingering_time=1.0,  # no body is of use: don't wait for one
            read_bufsize=16 << 10,
            shutdown_timeout=3.0,
        )
        self._server: asyncio.Server | None = None
        self._doorman = Doorman(app)
        self.port = 0

    async def start(self) -> None:
        """Listen. Raises StartError, which names the address and what to do."""
        host, port = split(self._listen)
        await self._runner.setup()
        server = self._runner.server
        assert server is not None

        def accept() -> asyncio.BaseProtocol:
            if self._hasty():
                # With TLS a protocol sees its connection after the handshake only: this hangs up
                # before it.
                raise ConnectionAbortedError("more handshakes than are held at once")
            return server() if len(server.connections) < CONNECTIONS_MAX else Full()

        loop = asyncio.get_running_loop()
        context = self._tls.context if self._tls else None
        try:
            self._server = await loop.create_server(
                accept,
                host,
                port,
                backlog=128,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_TIME if context else None,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise StartError(_why(self._listen, error)) from error
        self._doorman.watch(server)
        self.port = self._server.sockets[0].getsockname()[1]

    def _hasty(self) -> bool:
        """Whether more handshakes may be under way than are held at once; with TLS only."""
        if self._tls is None:
            return False
        now, full = monotonic_ns(), len(self._accepted) == ACCEPTED_MAX
        if full and now - self._accepted[0] < HANDSHAKE_TIME * 1e9:
            return True
        self._accepted.append(now)
        return False

    async def answers(self, within: float) -> bool:
        """Whether the server still serves a connection within so many seconds.

        One that is full hangs up: that is an answer too, or whoever fills it could have us killed.
        """
        clock = SystemClock()
        deadline = Deadline(clock, LoopLag(clock), within)
        try:
            await deadline.run(self._ask(), "no answer from our own web server")
        except ConnectionResetError:
            return True
        except (OSError, ProbeError):
            return False
        return True

    async def _ask(self) -> None:
        if self._server is None:
            raise ConnectionRefusedError("the web server is stopped")
        host = self._server.sockets[0].getsockname()[0]
        own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  not bound here
        reader, writer = await asyncio.open_connection(
            own, self.port, ssl=_unverified() if self._tls else None
        )
        try:
            writer.write(
                f"GET {ALIVE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            await reader.readline()
        finally:
            writer.transport.abort()

    async def stop(self) -> None:
        """Stop listening and end what is open; safe to call twice."""
        if self._server is not None:
            self._doorman.leave()
            self._server.close()
            self._server = None
        await self._runner.cleanup()


def _unverified() -> ssl.SSLContext:
    """For asking ourselves: the certificate is made out to a name, and we know who we are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _why(listen: str, error: OSError) -> str:
    what = f"web.listen: can't listen on {listen}: "
    if error.errno == errno.EADDRINUSE:
        return f"{what}the port is in use; is another vcmon running? Stop it, or set another port"
    if error.errno == errno.EACCES:
        return f"{what}ports below 1024 need CAP_NET_BIND_SERVICE; use a higher port or a proxy"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{what}this machine has no such address; see 'ip address'"
    return f"{what}{error.strerror or error}"
