"""TCP connections: connect to the first address that answers, bounded reads, TLS on top."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
from collections.abc import Awaitable
from typing import NoReturn, cast

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.deadline import Deadline
from vcmon.net.faults import REMOTE_ERRNOS, clean, local_fault, remote_fault
from vcmon.net.tls import Session, session, tls_fault, verifiable_name

ATTEMPT_DELAY = 0.25
"""Seconds that one address has before the next is tried beside it (RFC 8305 section 5)."""

ADDRESSES_MAX = 6
"""Tried of one name: at 250 ms each, a seventh would start when a 2 s timeout is nearly over."""

READ_AHEAD = 64 << 10
"""Bytes held of what nobody has read yet; beyond, the peer waits. One receive may overshoot it."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER 0: nothing stays behind, neither TIME_WAIT nor a FIN resent to a dead peer."""

_TOTAL_RETRANS = struct.Struct("100xI")  # tcpi_total_retrans in struct tcp_info, SYNs included


async def connect(addresses: tuple[str, ...], port: int, deadline: Deadline) -> Stream:
    """A connection to the first of the addresses (literals) that takes one.

    Each is tried 250 ms after the one before, or as soon as that has failed; at most six, so a
    call holds at most six sockets. Raises ProbeError: what our own ``connect`` refused is blame
    LOCAL, what came back later is REMOTE or PATH, silence is ``timeout`` with blame PATH.
    """
    race = _Race(tuple(dict.fromkeys(addresses))[:ADDRESSES_MAX], port)
    text = f"{_listed(race.addresses)} port {port} didn't answer within {deadline.seconds:g} s"
    try:
        try:
            await deadline.run(race.run(), text)
        except ProbeError as over:
            race.faults.append(over)
        if race.winner is None:
            raise _telling(race.faults)
        address, sock = race.take()
    finally:
        race.close()
    return await _stream((address, port), sock, deadline)


class _Race:
    """Connects to several addresses at once; owns every socket until one is taken."""

    def __init__(self, addresses: tuple[str, ...], port: int) -> None:
        self.addresses = addresses
        self.faults: list[ProbeError] = []
        self.winner: tuple[str, socket.socket] | None = None
        self._port = port
        self._trying: dict[str, socket.socket] = {}
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until one is connected or all have failed."""
        for address in self.addresses:
            self._try(address)
            timer = self._loop.call_later(ATTEMPT_DELAY, self._news.set)
            try:
                await self._hear()
            finally:
                timer.cancel()
            if self.winner:
                return
        while self._trying and not self.winner:
            await self._hear()

    def take(self) -> tuple[str, socket.socket]:
        """The winner, which is the caller's from now on."""
        assert self.winner is not None
        taken, self.winner = self.winner, None
        return taken

    def close(self) -> None:
        """Close what nobody took."""
        for sock in self._trying.values():
            self._loop.remove_writer(sock)
            sock.close()
        self._trying.clear()
        if self.winner:
            self.winner[1].close()

    async def _hear(self) -> None:
        await self._news.wait()
        self._news.clear()

    def _try(self, address: str) -> None:
        try:
            sock = _begin(address, self._port)
        except OSError as exc:
            theirs = exc.errno in REMOTE_ERRNOS
            self._failed(address, remote_fault(exc) if theirs else local_fault(exc))
            return
        self._trying[address] = sock
        self._loop.add_writer(sock, self._answered, address)

    def _answered(self, address: str) -> None:
        sock = self._trying.pop(address)
        self._loop.remove_writer(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0 and self.winner is None:
            self.winner = (address, sock)
            self._news.set()
            return
        sock.close()
        if code:
            self._failed(address, remote_fault(OSError(code, os.strerror(code))))

    def _failed(self, address: str, fault: ProbeError) -> None:
        where = f"{address} port {self._port}"
        self.faults.append(ProbeError(fault.reason, fault.blame, f"{where}: {fault.text}"))
        self._news.set()


def _begin(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        code = sock.connect_ex((address, port))
        if code not in {0, errno.EINPROGRESS}:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _telling(faults: list[ProbeError]) -> ProbeError:
    """The one fault that stands for all addresses.

    A shortage of ours comes first: an address we couldn't even try may be well. No route comes
    last: a machine without IPv6 still tells the truth about IPv4.
    """

    def rank(fault: ProbeError) -> int:
        if fault.blame is Blame.LOCAL:
            return 3 if fault.reason is Reason.NO_ROUTE else 0
        return 1 if fault.blame is Blame.REMOTE else 2

    nothing = ProbeError(Reason.DNS_FAILURE, Blame.LOCAL, "no address to connect to")
    return min(faults, key=rank, default=nothing)


def _listed(addresses: tuple[str, ...]) -> str:
    return ", ".join(addresses) or "no address"


async def _stream(peer: tuple[str, int], sock: socket.socket, deadline: Deadline) -> Stream:
    try:
        loop = asyncio.get_running_loop()
        # no deadline: it is connected, this takes two turns of the loop and no network
        transport, inbox = await loop.create_connection(_Inbox, sock=sock)
    except OSError as exc:
        sock.close()
        raise remote_fault(exc) from exc
    return Stream(peer, deadline, transport, inbox)


class _Inbox(asyncio.Protocol):
    """What the transport brings, until somebody reads it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False
        self.broken: OSError | None = None
        self.transport: asyncio.Transport | None = None
        self._paused: asyncio.Transport | None = None
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > READ_AHEAD and self.transport and self._paused is None:
            self.transport.pause_reading()
            self._paused = self.transport
        self._news.set()

    def eof_received(self) -> None:
        self.ended = True
        self._news.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.ended = True
        if isinstance(exc, OSError):
            self.broken = exc
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def news(self) -> Awaitable[object]:
        """Until more data or the end has come, or a nudge, from this call on."""
        self._news.clear()  # here, not when awaited: what comes in between must count
        return self._news.wait()

    def nudge(self) -> None:
        """Wake up who waits for news."""
        self._news.set()

    async def written(self) -> None:
        """Until the kernel has taken what was written."""
        await self._writable.wait()

    def take(self, count: int) -> bytes:
        """The first ``count`` bytes, and go on receiving."""
        taken = bytes(self.data[:count])
        del self.data[:count]
        if self._paused and len(self.data) <= READ_AHEAD:
            if not self._paused.is_closing():
                self._paused.resume_reading()
            self._paused = None
        return taken


class Stream:
    """One connection, bound to the deadline it was made under; every wait keeps to that.

    All methods raise ProbeError: ``reset`` when the peer cut it, ``timeout`` (blame REMOTE: the
    connection stood) with what was waited for, ``protocol`` when a bound is exceeded.
    """

    def __init__(
        self,
        peer: tuple[str, int],
        deadline: Deadline,
        transport: asyncio.Transport,
        inbox: _Inbox,
    ) -> None:
        self.peer, self.port = peer  # the address that took the connection
        self._deadline = deadline
        self._raw = self._transport = transport
        self._inbox = inbox
        self._socket = cast("socket.socket", transport.get_extra_info("socket"))
        self._verified_name = ""
        self._retransmitted = 0
        self.segments_retransmitted()

    async def read(self, limit: int, awaiting: str = "data") -> bytes:
        """1 to ``limit`` bytes, as soon as there are any; b"" at the end of the stream."""
        while not self._inbox.data:
            if self._inbox.ended:
                self._raise_broken()
                return b""
            await self._more(awaiting)
        return self._inbox.take(limit)

    async def readuntil(self, separator: bytes, limit: int, awaiting: str = "data") -> bytes:
        """Everything up to and with ``separator``, at most ``limit`` bytes of it."""
        searched = 0
        while True:
            at = self._inbox.data.find(separator, searched, limit)
            if at >= 0:
                return self._inbox.take(at + len(separator))
            if len(self._inbox.data) >= limit:
                found = clean(self._inbox.data[:60].decode("utf-8", "replace"))
                raise ProbeError(
                    Reason.PROTOCOL,
                    Blame.REMOTE,
                    f"{self.peer} sent {limit} bytes without an end of {awaiting}: {found!r}",
                )
            searched = max(0, len(self._inbox.data) - len(separator) + 1)
            await self._more_or_fail(awaiting)

    async def readexactly(self, count: int, awaiting: str = "data") -> bytes:
        """``count`` bytes; the caller bounds it (a length a peer claims is not to be believed)."""
        taken = bytearray()
        while len(taken) < count:
            taken += self._inbox.take(count - len(taken))
            if len(taken) < count:
                await self._more_or_fail(awaiting)
        return bytes(taken)

    async def write(self, data: bytes) -> None:
        """Hand ``data`` over; returns when at most one buffer of the transport waits for it."""
        if self._inbox.ended:
            self._raise_closed("it was sent to")
        self._transport.write(data)
        text = f"{self.peer} took the connection, but doesn't take our data"
        await self._deadline.run(self._inbox.written(), text, Blame.REMOTE)

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> Session:
        """Shake hands; ``server_name`` (name or address) is asked for and, by context, verified."""
        name = self._verified_name = verifiable_name(server_name)
        self._must_be_silent(Reason.TLS_HANDSHAKE, "before TLS began")
        text = (
            f"{self.peer} took the connection, but the TLS handshake was not done within "
            f"{self._deadline.seconds:g} s; is this a TLS port?"
        )
        loop = asyncio.get_running_loop()
        shaking = loop.start_tls(self._raw, self._inbox, context, server_hostname=name)
        try:
            secured = await self._deadline.run(shaking, text, Blame.REMOTE)
        except OSError as exc:
            raise tls_fault(exc, name) from exc
        if secured is None:  # CPython 3.11 returns None when the connection went in between
            self._raise_closed("the TLS handshake")
        self._transport = self._inbox.transport = secured
        self.segments_retransmitted()
        try:
            return session(secured.get_extra_info("ssl_object"))
        except ValueError:  # an alert came right behind the handshake and undid it
            while not self._inbox.ended:
                await self._more("end of the TLS handshake")
            self._raise_closed("the end of the TLS handshake")

    async def watch(self, seconds: float) -> bool:
        """Whether the peer sends something within ``seconds``; raise if it closes before."""
        timer = asyncio.get_running_loop().call_later(
            min(seconds, self._deadline.remaining()), self._inbox.nudge
        )
        try:
            if not self._inbox.ended and not self._inbox.data:
                await self._inbox.news()
        finally:
            timer.cancel()
        if self._inbox.ended and not self._inbox.data:
            self._raise_closed("we did")
        return bool(self._inbox.data)

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let ``protocol`` ask and read from now on; closing stays with this stream."""
        self._must_be_silent(Reason.PROTOCOL, "before it was asked")
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)

    def segments_retransmitted(self) -> int:
        """How often we had to send again so far, SYNs included (TCP_INFO): loss, or a slow peer.

        Once the connection is closed, what was known before.
        """
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            self._retransmitted = int(_TOTAL_RETRANS.unpack(info)[0])
        except (OSError, struct.error):
            pass
        return self._retransmitted

    def close(self) -> None:
        """Cut it now, unsent data included; its descriptor is free one turn of the loop later."""
        self.segments_retransmitted()
        if not self._transport.is_closing():  # CPython 3.11 can't abort a TLS transport twice
            self._transport.abort()
        self._raw.abort()

    async def _more(self, awaiting: str) -> None:
        text = f"{self.peer} took the connection, but sent no {awaiting} in time"
        await self._deadline.run(self._inbox.news(), text, Blame.REMOTE)
        self.segments_retransmitted()

    async def _more_or_fail(self, awaiting: str) -> None:
        if self._inbox.ended:
            self._raise_closed(awaiting)
        await self._more(awaiting)

    def _must_be_silent(self, reason: Reason, when: str) -> None:
        if self._inbox.data:
            found = clean(self._inbox.data[:60].decode("utf-8", "replace"))
            text = f"{self.peer} spoke {when} ({found!r}); is this the right port?"
            raise ProbeError(reason, Blame.REMOTE, text)
        if self._inbox.ended:
            self._raise_closed(when.removeprefix("before "))

    def _raise_broken(self) -> None:
        if isinstance(self._inbox.broken, ssl.SSLError):
            raise tls_fault(self._inbox.broken, self._verified_name)
        if self._inbox.broken is not None:
            raise remote_fault(self._inbox.broken)

    def _raise_closed(self, awaiting: str) -> NoReturn:
        self._raise_broken()
        raise ProbeError(
            Reason.RESET, Blame.REMOTE, f"{self.peer} closed the connection before {awaiting}"
        )
