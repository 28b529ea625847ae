"""A router on a TUN device that answers pings for whole networks, as kindly or badly as told.

It stands in for ``tc netem`` (not in this kernel) and does what netem can't: replies from the wrong
source, with the wrong nonce or identifier, replies to the round before, ICMP errors true and
forged. It keeps the exact truth of what it read and wrote, by its own clock.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import ipaddress
import itertools
import os
import random
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from typing import NamedTuple

import pytest

from tests.fakes.netns import Child, Netns

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
DEVICE = "tun0"
SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
SPIN = 0.0002  # seconds before a packet is due in which the router no longer sleeps
NETWORK4 = "10.77.0.0/16"  # the router is 10.77.0.254, we are 10.77.0.1
ROUTER4 = "10.77.0.254"
NETWORK6 = "fd77::/48"
ROUTER6 = "fd77::254"


@dataclass(frozen=True)
class Behaviour:
    """How the hosts of one network answer. Times in seconds, the rest are probabilities."""

    delay: float = 0.0
    jitter: float = 0.0  # uniform, either way; more than the packets' spacing reorders them
    loss: float = 0.0
    duplicates: float = 0.0
    forged: tuple[str, ...] = ()  # beside the true answer, each time: see ``Forger``
    error: tuple[int, int] | None = None  # an ICMP error (type, code) instead of a reply
    quoted: int = 576  # bytes of our packet that the error quotes


class Written(NamedTuple):
    """One packet that the router wrote: ``reply``, ``duplicate``, ``error`` or a forgery."""

    kind: str
    address: str  # whom we had asked
    sequence: int
    asked: int  # monotonic nanoseconds when the router read the request
    at: int  # monotonic nanoseconds when it wrote this


@dataclass
class Truth:
    """All that went through the router."""

    asked: Counter[str] = field(default_factory=Counter)  # requests by address
    written: list[Written] = field(default_factory=list)
    wire: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """By (address, sequence): the kernel's stamps on the device of the request and the replies."""

    def count(self, kind: str, address: str = "") -> int:
        """How many packets of that kind were written, for one address or for all."""
        return sum(w.kind == kind and address in ("", w.address) for w in self.written)


class Router:
    """A running router; :meth:`stop` gives the truth."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def stop(self) -> Truth:
        """End the router; what it saw."""
        self._child.pipe.send("stop")
        if not self._child.pipe.poll(10):
            pytest.fail("the TUN router did not give its truth")
        truth: Truth = self._child.pipe.recv()
        self._child.stop()
        return truth


@contextlib.contextmanager
def tun_router(
    space: Netns, behaviours: Mapping[str, Behaviour], *, capture: bool = False
) -> Iterator[Router]:
    """A router in ``space`` for 10.77.0.0/16 and fd77::/48; keys are networks in CIDR notation.

    An address in none of them is silent. ``capture`` also records the kernel's own stamps.
    """
    child = space.spawn(_main, dict(behaviours), capture)
    try:
        if not child.pipe.poll(10) or child.pipe.recv() != "device":
            pytest.fail("the TUN router did not start")
        space.ip("addr", "add", "10.77.0.1/16", "dev", DEVICE)
        space.ip("-6", "addr", "add", "fd77::1/48", "dev", DEVICE, "nodad")
        space.ip("link", "set", DEVICE, "up")
        child.pipe.send("go")
        child.pipe.recv()
        yield Router(child)
    finally:
        child.process.kill()
        child.process.join()


def _main(pipe: Connection, behaviours: dict[str, Behaviour], capture: bool) -> None:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN_NO_PI))
    pipe.send("device")
    pipe.recv()
    tap = stamping_tap() if capture else None
    engine = _Engine(tun, behaviours)
    pipe.send("ready")
    engine.run(pipe)
    if tap is not None:
        engine.truth.wire = _wire(tap)
    pipe.send(engine.truth)


class _Engine:
    def __init__(self, tun: int, behaviours: Mapping[str, Behaviour]) -> None:
        self.truth = Truth()
        self._tun = tun
        self._networks = [(ipaddress.ip_network(key), b) for key, b in behaviours.items()]
        self._behaviour = cache(self._look_up)
        self._queue: list[tuple[float, int, str, _Request, bytes]] = []
        self._serial = itertools.count()
        self._random = random.Random(77)
        self._before: dict[str, _Request] = {}

    def _look_up(self, address: str) -> Behaviour | None:
        ip = ipaddress.ip_address(address)
        return next((b for net, b in self._networks if ip in net), None)

    def run(self, pipe: Connection) -> None:
        handles = (self._tun, pipe.fileno())
        while True:
            wait = self._queue[0][0] - time.monotonic() - SPIN if self._queue else 1.0
            ready, _, _ = select.select(handles, (), (), max(0.0, wait))
            if pipe.fileno() in ready:
                return
            if ready:
                self._read()
            self._write()

    def _read(self) -> None:
        for _ in range(32):
            try:
                packet = os.read(self._tun, 4096)
            except BlockingIOError:
                return
            request = _parse(packet, time.monotonic_ns())
            if request is not None:
                self.truth.asked[request.address] += 1
                self._answer(request)

    def _answer(self, request: _Request) -> None:
        how = self._behaviour(request.address)
        if how is None:
            return
        forger = Forger(request, self._before.get(request.address))
        self._before[request.address] = request
        for kind in how.forged:
            forged = forger.make(kind)
            if forged is not None:
                self._later(how.delay / 2, kind, request, forged)
        if self._random.random() < how.loss:
            return
        delay = how.delay + self._random.uniform(-how.jitter, how.jitter)
        if how.error is not None:
            self._later(delay, "error", request, request.error(*how.error, how.quoted))
            return
        self._later(delay, "reply", request, request.reply())
        if self._random.random() < how.duplicates:
            self._later(delay + 0.001, "duplicate", request, request.reply())

    def _later(self, delay: float, kind: str, request: _Request, packet: bytes) -> None:
        due = request.at / 1e9 + delay
        heapq.heappush(self._queue, (due, next(self._serial), kind, request, packet))

    def _write(self) -> None:
        while self._queue and self._queue[0][0] <= time.monotonic() + SPIN:
            due, _, kind, request, packet = heapq.heappop(self._queue)
            while time.monotonic() < due:
                pass
            at = time.monotonic_ns()
            os.write(self._tun, packet)
            self.truth.written.append(
                Written(kind, request.address, request.sequence, request.at, at)
            )


class _Request(NamedTuple):
    packet: bytes  # from the IP header on
    address: str
    echo: bytes  # from the ICMP header on
    sequence: int
    at: int

    @property
    def six(self) -> bool:
        return self.packet[0] >> 4 == 6

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """Source and destination address of the request."""
        p = self.packet
        return (p[8:24], p[24:40]) if self.six else (p[12:16], p[16:20])

    def reply(self, *, source: bytes = b"", echo: bytes = b"") -> bytes:
        """The echo reply, from another source or with other contents if told so."""
        body = echo or self.echo
        kind = 129 if self.six else 0
        us, them = self.ends
        return _packet(source or them, us, bytes([kind, 0, 0, 0]) + body[4:])

    def error(self, kind: int, code: int, quoted: int, *, quote: bytes = b"") -> bytes:
        """An ICMP error of the router about this request."""
        us, _ = self.ends
        router = ipaddress.ip_address(ROUTER6 if self.six else ROUTER4).packed
        body = (quote or self.packet)[:quoted]
        return _packet(router, us, bytes([kind, code, 0, 0, 0, 0, 0, 0]) + body)


class Forger:
    """Packets that must never make a dead host look alive.

    ``source``: the right reply from another address. ``nonce``: right identifier and sequence,
    another payload. ``stale``: the reply to the request before this one. ``identifier``: another
    prober's. ``quote``: an ICMP error that quotes another packet. ``elsewhere``: one that quotes
    our packet, sent to somebody else. ``noise``: bytes that are no ICMP message.
    """

    def __init__(self, request: _Request, before: _Request | None) -> None:
        self._request = request
        self._before = before

    def make(self, kind: str) -> bytes | None:
        """The forged packet; None where it can't be made yet."""
        if kind == "stale":
            return self._before.reply() if self._before else None
        if kind in ("quote", "elsewhere"):
            return self._error(kind)
        return self._reply(kind)

    def _reply(self, kind: str) -> bytes:
        request, echo = self._request, self._request.echo
        if kind == "source":
            return request.reply(source=(ipaddress.ip_address(request.address) + 100).packed)
        if kind == "identifier":
            other = int.from_bytes(echo[4:6], "big") ^ 0x5555
            return request.reply(echo=echo[:4] + other.to_bytes(2, "big") + echo[6:])
        contents = {"nonce": b"\xff" * (len(echo) - 8), "noise": b""}
        return request.reply(echo=echo[:8] + contents[kind])

    def _error(self, kind: str) -> bytes:
        request, echo = self._request, self._request.echo
        head = request.packet[: len(request.packet) - len(echo)]
        code = (1, 3) if request.six else (3, 1)
        if kind == "quote":
            return request.error(*code, 576, quote=head + echo[:8] + b"\xff" * 56)
        elsewhere = head[:-1] + bytes([head[-1] ^ 1])
        return request.error(*code, 576, quote=elsewhere + echo)


def _parse(packet: bytes, at: int) -> _Request | None:
    """An echo request out of an IP packet without options."""
    if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_ICMP and packet[20] == 8:
        address, echo = socket.inet_ntop(socket.AF_INET, packet[16:20]), packet[20:]
    elif packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_ICMPV6 and packet[40] == 128:
        address, echo = socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:]
    else:
        return None
    return _Request(packet, address, echo, int.from_bytes(echo[6:8], "big"), at)


def _packet(source: bytes, target: bytes, message: bytes) -> bytes:
    """An IP packet around an ICMP message whose checksum is still zero."""
    if len(source) == 16:
        pseudo = source + target + struct.pack("!II", len(message), socket.IPPROTO_ICMPV6)
        head = struct.pack("!IHBB", 6 << 28, len(message), socket.IPPROTO_ICMPV6, 64)
        return head + source + target + _sealed(message, pseudo)
    total = 20 + len(message)
    head = struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0, 64, socket.IPPROTO_ICMP, 0)
    head += source + target
    head = head[:10] + _sum(head).to_bytes(2, "big") + head[12:]
    return head + _sealed(message, b"")


def _sealed(message: bytes, pseudo: bytes) -> bytes:
    return message[:2] + _sum(pseudo + message).to_bytes(2, "big") + message[4:]


def _sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def stamping_tap() -> socket.socket:
    """Sees what passes the device, both ways, with the kernel's stamps (CLOCK_REALTIME)."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE: it is read at the end
    tap.bind((DEVICE, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def _wire(tap: socket.socket) -> dict[tuple[str, int], list[int]]:
    found: dict[tuple[str, int], list[int]] = {}
    while True:
        try:
            packet, ancillary, _, _ = tap.recvmsg(2048, 128)
        except BlockingIOError:
            return found
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_ICMP or packet[20] not in (0, 8):
            continue
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        far = packet[16:20] if packet[20] == 8 else packet[12:16]
        key = (socket.inet_ntop(socket.AF_INET, far), int.from_bytes(packet[26:28], "big"))
        found.setdefault(key, []).append(seconds * 10**9 + nanoseconds)
