"""Real sockets whose manners can be switched while they serve.

A server answers after the round-trip time of its distance and, on demand, misbehaves: it stops
(the kernel refuses), goes mute, or answers as its conversation tells for the other faults. TCP
goes mute by a full accept queue: the kernel then drops every SYN, as a dead router would.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from vcmon.errors import StartError
from vcmon.lab.script import FaultKind

DATAGRAM_LIMIT = 65535  # the largest that UDP carries
DATAGRAMS_AT_ONCE = 64  # read in one go: then the other sockets have their turn
WAITING_LIMIT = 256  # answers under way from one server: a flood is not delayed, it is dropped
TALKS_LIMIT = 64  # connections at once: a monitor has one or two
TALK_SECONDS = 30.0  # far above every timeout of a monitor; then we hang up
READ_LIMIT = 16 << 10  # bytes: more than any head of a SIP or HTTP request
BACKLOG = 64
ACCEPT_PAUSE = 0.2  # seconds until the next try when no file descriptor is left

SLOWNESS = 0.4  # seconds: above every quality limit, below SIP's first retransmission
LOSS = 0.3  # of the datagrams
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"


class Server(Protocol):
    """What the country's process needs of a server."""

    def behave(self, fault: FaultKind | None) -> None:
        """Do as the fault says from now on; None: serve well. Raises StartError."""
        ...

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        ...


@dataclass(slots=True)
class Distance:
    """How long an answer takes: the round-trip time (seconds) and a little seeded jitter."""

    rtt: float
    random: Random

    def seconds(self, fault: FaultKind | None) -> float:
        """The delay of the next answer."""
        slowness = SLOWNESS if fault is FaultKind.SLOW else 0.0
        return self.rtt * self.random.uniform(1.0, 1.06) + slowness


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def bound(self, kind: socket.SocketKind) -> socket.socket:
        """A non-blocking socket on this address. Raises StartError, saying what to do."""
        found = socket.socket(socket.AF_INET, kind)
        try:
            found.settimeout(0)
            if kind is socket.SOCK_STREAM:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((self.host, self.port))
        except OSError as error:
            found.close()
            raise StartError(self._advice(kind, error)) from error
        return found

    def _advice(self, kind: socket.SocketKind, error: OSError) -> str:
        transport = "tcp" if kind is socket.SOCK_STREAM else "udp"
        text = f"can't listen on {self.host}:{self.port}/{transport}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            letter = transport[0]
            return f"{text}; end what holds the port (see: ss -ln{letter}p sport = {self.port})"
        if error.errno == errno.EADDRNOTAVAIL:
            return f"{text}; the demo needs Linux, where all of 127.0.0.0/8 is the machine itself"
        return text


Answer = Callable[[bytes, FaultKind | None], bytes | None]
"""The reply to one datagram, or None for silence."""


class UdpServer:
    """Answers datagrams, each by itself."""

    def __init__(self, address: Address, distance: Distance, answer: Answer) -> None:
        self._address = address
        self._distance = distance
        self._answer = answer
        self._fault: FaultKind | None = None
        self._socket: socket.socket | None = None
        self._waiting = 0

    def behave(self, fault: FaultKind | None) -> None:
        self._fault = fault
        if fault is FaultKind.STOPPED:
            self.close()
        elif self._socket is None:
            self._socket = self._address.bound(socket.SOCK_DGRAM)
            asyncio.get_running_loop().add_reader(self._socket, self._read, self._socket)

    def close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self, source: socket.socket) -> None:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                data, peer = source.recvfrom(DATAGRAM_LIMIT)
            except OSError:  # nothing more, or an ICMP error that an earlier answer provoked
                return
            self._take(data, peer)

    def _take(self, data: bytes, peer: tuple[str, int]) -> None:
        fault = self._fault
        if fault is FaultKind.MUTE or self._waiting >= WAITING_LIMIT:
            return
        if fault is FaultKind.LOSSY and self._distance.random.random() < LOSS:
            return
        reply = self._answer(data, fault)
        if reply is not None:
            self._waiting += 1
            delay = self._distance.seconds(fault)
            asyncio.get_running_loop().call_later(delay, self._send, reply, peer)

    def _send(self, reply: bytes, peer: tuple[str, int]) -> None:
        self._waiting -= 1
        if self._socket is not None and self._fault is not FaultKind.MUTE:
            with contextlib.suppress(OSError):  # the asker is gone, or its buffer is full
                self._socket.sendto(reply, peer)


@dataclass(slots=True)
class Talk:
    """One connection, as a conversation sees it."""

    reader: StreamReader
    writer: StreamWriter
    fault: FaultKind | None
    distance: Distance

    async def send(self, data: bytes) -> None:
        """Let the round trip pass, then write."""
        await asyncio.sleep(self.distance.seconds(self.fault))
        self.writer.write(data)
        await self.writer.drain()

    async def hold(self) -> None:
        """Read and forget until the peer hangs up."""
        while await self.reader.read(READ_LIMIT):
            pass


Conversation = Callable[[Talk], Awaitable[None]]
Contexts = Mapping[FaultKind | None, ssl.SSLContext]
"""The server side of TLS for each fault of certificates; None: a good one."""


class TcpServer:
    """Serves connections, over TLS where contexts are given."""

    def __init__(
        self,
        address: Address,
        distance: Distance,
        conversation: Conversation,
        contexts: Contexts | None = None,
    ) -> None:
        self._address = address
        self._distance = distance
        self._conversation = conversation
        self._contexts = contexts
        self._fault: FaultKind | None = None
        self._listener: socket.socket | None = None
        self._filler: socket.socket | None = None
        self._talks: set[asyncio.Task[None]] = set()

    def behave(self, fault: FaultKind | None) -> None:
        mute = self._filler is not None
        self._fault = fault
        if fault is FaultKind.STOPPED:
            self.close()
        elif self._listener is None or mute is not (fault is FaultKind.MUTE):
            self.close()
            self._listener = self._address.bound(socket.SOCK_STREAM)
            self._listen(self._listener)

    def close(self) -> None:
        for task in self._talks:
            task.cancel()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        if self._filler is not None:
            self._filler.close()
        self._listener = self._filler = None

    def _listen(self, listener: socket.socket) -> None:
        if self._fault is not FaultKind.MUTE:
            listener.listen(BACKLOG)
            self._accept_from(listener)
            return
        listener.listen(0)  # one connection fills the queue; let it be our own
        self._filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._filler.settimeout(0)
        self._filler.connect_ex((self._address.host, self._address.port))

    def _accept_from(self, listener: socket.socket) -> None:
        if listener is self._listener:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # gone before we looked
            return
        except OSError:  # no descriptor left: look again when one may be
            loop.remove_reader(listener)
            loop.call_later(ACCEPT_PAUSE, self._accept_from, listener)
            return
        if len(self._talks) >= TALKS_LIMIT:
            connection.close()
            return
        connection.settimeout(0)
        task = loop.create_task(self._serve(connection, self._fault))
        self._talks.add(task)
        hang_up = loop.call_later(TALK_SECONDS, task.cancel)
        task.add_done_callback(partial(self._ended, connection, hang_up))

    def _ended(
        self, connection: socket.socket, hang_up: asyncio.TimerHandle, task: asyncio.Task[None]
    ) -> None:
        hang_up.cancel()
        self._talks.discard(task)
        if task.cancelled():  # before its first step: it had no chance to close anything
            connection.close()

    async def _serve(self, connection: socket.socket, fault: FaultKind | None) -> None:
        try:
            # The kernel has shaken hands at once; what comes next is late by a round trip.
            await asyncio.sleep(self._distance.seconds(None))
        except asyncio.CancelledError:
            connection.close()
            return
        try:
            talk = await self._open(connection, fault)
        except (OSError, asyncio.CancelledError):  # no TLS; asyncio has closed the connection
            return
        try:
            await self._converse(talk)
            talk.writer.close()
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            talk.writer.transport.abort()
        with contextlib.suppress(OSError):  # the peer's reset, told a second time
            await talk.writer.wait_closed()

    async def _open(self, connection: socket.socket, fault: FaultKind | None) -> Talk:
        context = None
        if self._contexts is not None and fault not in {FaultKind.SILENT, FaultKind.BANNER}:
            context = self._contexts.get(fault, self._contexts[None])
        reader = StreamReader(READ_LIMIT)
        protocol = StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
        return Talk(reader, StreamWriter(transport, protocol, reader, loop), fault, self._distance)

    async def _converse(self, talk: Talk) -> None:
        if talk.fault is FaultKind.SILENT:
            await talk.hold()
        elif talk.fault is FaultKind.BANNER:
            await talk.send(SSH_BANNER)
            await talk.hold()
        else:
            await self._conversation(talk)


async def only_hold(talk: Talk) -> None:
    """The conversation of a plain TCP service: none."""
    await talk.hold()
