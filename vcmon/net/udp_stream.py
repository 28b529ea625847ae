"""A stream of UDP packets to one peer and what comes back, each with its stamps and marks.

Departures are the kernel's own stamps where the driver gives them: they stand microseconds from the
wire, however busy we are between the clock and the driver.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.net.faults import local_fault, remote_fault
from vcmon.net.icmp_socket import (
    SO_EE_ORIGIN_ICMP,
    SO_EE_ORIGIN_ICMP6,
    SO_TIMESTAMPING,
    STAMP_BY_KERNEL,
    STAMP_NUMBERED,
    STAMP_ONLY,
    STAMP_SENDING,
    stamp_number,
)
from vcmon.net.marked import Arrival, mark, receive, watch
from vcmon.net.udp import BATCH, FROM_THE_PATH, RECVERR, UdpSocket

PACKET_MAX = 2048
"""Bytes read of one packet: more than we ever send, so more than answers have."""

LATE_STAMP = 1_000_000_000
"""Nanoseconds; a stamp further behind our own is another packet's."""

NOTICES_AT_ONCE = 128  # of the error queue: two for each packet of a long stream under way
NOTICE_BYTES = 256

_NOTICE = struct.Struct("@IB")  # errno and origin of struct sock_extended_err
_TIMESPEC = struct.Struct("@qq")
_ICMP = frozenset({SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6})


@dataclass(slots=True)
class Departure:
    """When a packet left, by both clocks, in nanoseconds."""

    wall: int
    monotonic: int


class UdpStream:
    """Sends on a connected socket, and notes what the kernel and the path say of it.

    A context manager: within it :meth:`readable` may be awaited, by one task.
    """

    def __init__(self, connected: UdpSocket, dscp: int) -> None:
        """Mark what is sent with ``dscp``. Raises ProbeError with blame ``local``."""
        self.peer = connected.peer
        self.departures: list[Departure] = []
        self.refusals = 0
        self.refusal: ProbeError | None = None  # the last ICMP error about a packet of ours
        self._sock = connected.sock
        self._errors = RECVERR[socket.AddressFamily(self._sock.family)]
        self._stamped = True
        self._ready: asyncio.Future[None] | None = None  # what readable() waits for
        flags = STAMP_SENDING | STAMP_BY_KERNEL | STAMP_NUMBERED | STAMP_ONLY
        try:
            watch(self._sock)
            mark(self._sock, dscp)
            self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
        except OSError as error:
            raise local_fault(error) from error

    def send(self, payload: bytes, wall: int) -> None:
        """Send one packet, made at ``wall`` (nanoseconds since 1970). Raises ProbeError, ours."""
        self._read_notices()  # the kernel would refuse this packet for what an earlier one met
        self.departures.append(Departure(wall, monotonic_ns()))
        for last in (False, True):
            try:
                self._sock.send(payload)
            except OSError as error:
                self._stamped = False  # the kernel's numbers and ours may have parted
                if error.errno not in FROM_THE_PATH or last:
                    raise local_fault(error) from error
                self._read_notices()
            else:
                self._read_notices()  # where nothing queues the packet, its stamp is there
                return

    def __enter__(self) -> Self:
        # Once for all packets: to begin and end listening for each costs more than all the rest.
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._wake)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._sock.fileno())

    async def readable(self, seconds: float) -> None:
        """Return when something has come, or after so many seconds."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        alarm = loop.call_later(seconds, self._wake)
        try:
            await self._ready
        finally:
            alarm.cancel()
            self._ready = None

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def arrivals(self) -> Iterator[Arrival]:
        """What has come, at most BATCH packets. Raises ProbeError with blame ``local``."""
        for _ in range(BATCH):
            self._read_notices()
            try:
                arrival = receive(self._sock, PACKET_MAX)
            except OSError as error:
                if error.errno not in FROM_THE_PATH:
                    raise local_fault(error) from error
                continue  # the error queue tells it once more, with what it is about
            if arrival is None:
                return
            yield arrival

    def _read_notices(self) -> None:
        for _ in range(NOTICES_AT_ONCE):
            try:
                _, ancillary, _, _ = self._sock.recvmsg(0, NOTICE_BYTES, socket.MSG_ERRQUEUE)
            except OSError:  # none is left
                return
            self._notice({(level, kind): value for level, kind, value in ancillary})

    def _notice(self, told: dict[tuple[int, int], bytes]) -> None:
        notice = told.get(self._errors, b"")
        stamp = told.get((socket.SOL_SOCKET, SO_TIMESTAMPING), b"")
        number = stamp_number(notice)
        if number is not None and len(stamp) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
            self._departed(number, seconds * 1_000_000_000 + nanoseconds)
        elif len(notice) >= _NOTICE.size:
            code, origin = _NOTICE.unpack_from(notice)
            if origin in _ICMP:
                self.refusals += 1
                self.refusal = remote_fault(OSError(code, os.strerror(code)))

    def _departed(self, number: int, stamp: int) -> None:
        if not self._stamped or number >= len(self.departures):
            return
        departure = self.departures[number]
        behind = stamp - departure.wall
        if 0 <= behind < min(LATE_STAMP, wall_ns() - departure.wall + 1):
            departure.wall += behind
            departure.monotonic += behind
