"""A UDP socket that is read by callback, with the kernel's receive stamp of each datagram.

For what is not one question and one answer (that is :mod:`vcmon.net.udp`): a call's signalling,
its media.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import NamedTuple, Self

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.net.faults import local_fault, remote_fault
from vcmon.net.marked import Ancillary, dscp_of, mark_dscp, tell_dscp
from vcmon.net.udp import (
    DATAGRAM_MAX,
    FROM_THE_PATH,
    RECVERR,
    SO_TIMESTAMPNS,
    receive_stamp,
)

BATCH = 64
"""Datagrams read before other tasks have their turn."""

AGE_MAX = 5_000_000_000
"""Nanoseconds that a datagram may have lain in the socket; more means that the clock was set."""

PAIR_TRIES = 64
"""Port pairs tried; with half of all ports taken, one in four is free."""

PAIRS = range(32_768, 60_998, 2)
"""Even ports among those that Linux gives to clients."""


class Datagram(NamedTuple):
    """One that came."""

    data: bytes
    sender: tuple[str, int]
    at: int  # monotonic nanoseconds at which the kernel took it in
    dscp: int | None


Take = Callable[[Datagram], None]
Refused = Callable[[ProbeError], None]


class Datagrams:
    """The socket; ``take`` gets what comes, ``refused`` what ICMP says (connected sockets only)."""

    def __init__(self, sock: socket.socket, take: Take, refused: Refused | None = None) -> None:
        self._sock = sock
        self._take = take
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    @classmethod
    def connected(cls, address: str, port: int, take: Take, refused: Refused) -> Self:
        """To one peer, an IP literal. Raises ProbeError, blame ``local``: nothing was sent yet."""
        try:
            info = socket.getaddrinfo(
                address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
            )
            family, _, _, _, sockaddr = info[0]
            sock = _socket(family)
        except OSError as error:
            raise local_fault(error) from error
        try:
            sock.setsockopt(*RECVERR[family], 1)
            sock.connect(sockaddr)
        except OSError as error:
            sock.close()
            raise local_fault(error) from error
        return cls(sock, take, refused)

    @property
    def local(self) -> tuple[str, int]:
        """Our own address and port."""
        host, port = self._sock.getsockname()[:2]
        return str(host), int(port)

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """Hand one datagram to the kernel. Raises ProbeError, blame ``local``."""
        try:
            if to is None:
                self._sock.send(data)
            else:
                self._sock.sendto(data, to)
        except OSError as error:
            if error.errno not in FROM_THE_PATH or self._refused is None:
                raise local_fault(error) from error
            self._refused(remote_fault(error))  # an ICMP error that came before

    def close(self) -> None:
        """Nothing is read any more."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _read(self) -> None:
        for _ in range(BATCH):
            try:
                data, ancillary, flags, sender = self._sock.recvmsg(DATAGRAM_MAX, 128)
            except BlockingIOError:
                return
            except OSError as error:
                if self._refused is not None:
                    self._refused(remote_fault(error))
                continue
            if not flags & socket.MSG_TRUNC:
                came_from = str(sender[0]), int(sender[1])
                dscp = dscp_of(ancillary)
                self._take(Datagram(data, came_from, _came_at(ancillary), dscp))
            if self._sock.fileno() < 0:
                return  # closed meanwhile


def media_pair(local: str, dscp: int, takes: tuple[Take, Take]) -> tuple[Datagrams, Datagrams]:
    """Two unconnected sockets at ``local``, an even port and the next one: RTP and RTCP.

    Raises ProbeError, blame ``local``, where there are none.
    """
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    step = len(PAIRS) // PAIR_TRIES
    start = monotonic_ns() // 1000
    for attempt in range(PAIR_TRIES):
        port = PAIRS[(start + attempt * step) % len(PAIRS)]
        try:
            media = _bound(family, local, port, dscp)
        except OSError as error:
            fault = local_fault(error)
            continue
        try:
            control = _bound(family, local, port + 1, dscp)
        except OSError as error:
            media.close()
            fault = local_fault(error)
            continue
        return Datagrams(media, takes[0]), Datagrams(control, takes[1])
    raise fault


def _bound(family: int, local: str, port: int, dscp: int) -> socket.socket:
    sock = _socket(family)
    try:
        mark_dscp(sock, dscp)
        sock.bind((local, port))
    except OSError:
        sock.close()
        raise
    return sock


def _socket(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(0.0)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tell_dscp(sock)
    return sock


def _came_at(ancillary: list[Ancillary]) -> int:
    """Monotonic nanoseconds at which the kernel took a datagram in."""
    now, stamp = monotonic_ns(), receive_stamp(ancillary)
    if stamp is None:
        return now
    age = wall_ns() - stamp
    return now - age if 0 <= age <= AGE_MAX else now
