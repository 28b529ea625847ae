"""One non-blocking ICMP socket with kernel receive stamps and the kernel's error queue.

Linux only. icmplib opens the socket, unprivileged (DGRAM: the kernel fills in identifier and
checksum) where ``net.ipv4.ping_group_range`` allows it, else RAW; its ping functions are not used.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from icmplib.exceptions import (
    ICMPSocketError,
    SocketPermissionError,
)
from icmplib.sockets import (
    ICMPv4Socket,
    ICMPv6Socket,
)

from vcmon.clock import wall_ns
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.faults import local_fault
from vcmon.wire import icmp

Mode = Literal["dgram", "raw"]
Destination = tuple[str, int] | tuple[str, int, int, int]

# From the kernel's headers; the socket module of Python 3.11 does not name them.
SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40
SO_MEMINFO = 55
SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32
SK_MEMINFO_DROPS = 8  # index into the words of SO_MEMINFO
IP_MTU_DISCOVER = 10
IPV6_MTU_DISCOVER = 23
PMTUDISC_DONT = 0
IP_RECVERR = 11
IPV6_RECVERR = 25
SOL_RAW = 255
ICMP_FILTER = 1
ICMP6_FILTER = 1
SO_EE_ORIGIN_ICMP = 2
SO_EE_ORIGIN_ICMP6 = 3

BUFFER_BYTES = 4 << 20
"""Holds about 10,000 small packets: a second of replies at the largest load we promise."""

RECEIVE_BYTES = 96  # the longest IPv4 header, the ICMP header and our nonce; the rest is filler
ANCILLARY_BYTES = 128  # a stamp and a drop count take 56
ERROR_ANCILLARY_BYTES = 256  # with the extended error and the offender's address
ERRORS_AT_ONCE = 4096  # a flood of ICMP errors must not hold the loop; the rest waits

_TIMESPEC = struct.Struct("@qq")
_COUNT = struct.Struct("@I")
_EXTENDED_ERROR = struct.Struct("@IBBBBII")
_ADDRESS_FAMILY = struct.Struct("@H")


class Arrival(NamedTuple):
    """One packet as the kernel received it; ``stamp`` is wall-clock nanoseconds."""

    reply: icmp.Reply | None
    source: str
    stamp: int


class ExtendedError(NamedTuple):
    """What ``struct sock_extended_err`` says of an ICMP error."""

    kind: int
    code: int
    offender: str


class NetworkError(NamedTuple):
    """An ICMP error that quotes an echo request to ``destination``."""

    quote: icmp.Quote
    destination: str
    error: ExtendedError


class EchoSocket:
    """Sends echo requests, gives back replies and ICMP errors; never blocks."""

    def __init__(self, holder: ICMPv4Socket | ICMPv6Socket, mode: Mode) -> None:
        self._holder = holder  # closes the socket when collected
        self.sock: socket.socket = holder.sock
        self.mode: Mode = mode
        self.family = self.sock.family
        self.dialect = icmp.V4 if self.family == socket.AF_INET else icmp.V6
        self.identifier = 0
        self.dropped = 0  # replies the kernel threw away because our queue was full
        self._headed = mode == "raw" and self.family == socket.AF_INET
        self._dscp = 0
        self._prepare()
        self._recvmsg = self.sock.recvmsg
        self._sendto = self.sock.sendto

    def _prepare(self) -> None:
        sock = self.sock
        sock.settimeout(0.0)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        # Fragments are welcome: a path with a smaller MTU is not an outage.
        if self.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT)
        self._enlarge(SO_RCVBUFFORCE, socket.SO_RCVBUF)
        self._enlarge(SO_SNDBUFFORCE, socket.SO_SNDBUF)
        if self.mode == "raw":
            self._filter()
            self.identifier = int.from_bytes(os.urandom(2), "big")
        else:
            sock.bind(("", 0))
            self.identifier = sock.getsockname()[1]

    def _enlarge(self, force: int, option: int) -> None:
        # Beyond net.core.rmem_max only with CAP_NET_ADMIN; overflow is noticed in any case.
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)
        except PermissionError:
            self.sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)

    def _filter(self) -> None:
        if self.family == socket.AF_INET:
            mask = struct.pack("@I", ~(1 << self.dialect.reply) & 0xFFFFFFFF)
            self.sock.setsockopt(SOL_RAW, ICMP_FILTER, mask)
            return
        words = [0xFFFFFFFF] * 8
        words[self.dialect.reply // 32] &= ~(1 << self.dialect.reply % 32)
        self.sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("@8I", *words))

    def close(self) -> None:
        """Close; nothing may be called after."""
        self._holder.close()

    def mark(self, dscp: int) -> None:
        """Give what is sent from now on this DSCP (RFC 2474); raises OSError."""
        if dscp == self._dscp:
            return
        if self.family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        else:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        self._dscp = dscp

    def request(self, sequence: int, body: bytes) -> bytes:
        """The bytes of an echo request, ready for :meth:`send`."""
        packet = icmp.echo_request(self.dialect.request, self.identifier, sequence, body)
        return icmp.checksummed(packet) if self._headed else packet

    def send(self, packet: bytes, destination: Destination) -> None:
        """Hand one packet to the kernel.

        Raises OSError; mind that the kernel also raises here what an *earlier* packet met on its
        way, as long as :meth:`errors` has not been read.
        """
        self._sendto(packet, destination)

    def warm(self, destination: Destination) -> None:
        """Bring the way into the kernel into the caches: call it before a stamp, after a rest.

        Measured: the stamp then stands 11 us nearer to the wire.
        """
        if self.mode == "dgram":  # which refuses an empty message at once; RAW would send it
            with suppress(OSError):
                self._sendto(b"", destination)

    def receive(self) -> Arrival | None:
        """The next packet; None when none waits. Raises OSError for a pending network error."""
        try:
            data, ancillary, _, source = self._recvmsg(RECEIVE_BYTES, ANCILLARY_BYTES)
        except BlockingIOError:
            return None
        stamp = 0
        for level, kind, value in ancillary:
            if level != socket.SOL_SOCKET:
                continue
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(value)
                stamp = seconds * 1_000_000_000 + nanoseconds
            elif kind == SO_RXQ_OVFL:
                self.dropped = _COUNT.unpack(value)[0]
        if self._headed:
            data = icmp.ipv4_payload(data)
        return Arrival(icmp.parse_reply(data, self.dialect), source[0], stamp or wall_ns())

    def errors(self) -> Iterator[NetworkError | None]:
        """All ICMP errors that wait, None for one that quotes no echo request.

        Reading them clears the error that the kernel would raise at the next call.
        """
        for _ in range(ERRORS_AT_ONCE):
            try:
                data, ancillary, _, destination = self._recvmsg(
                    RECEIVE_BYTES, ERROR_ANCILLARY_BYTES, socket.MSG_ERRQUEUE
                )
            except BlockingIOError:
                return
            yield self._network_error(data, ancillary, destination)

    def _network_error(
        self, data: bytes, ancillary: list[tuple[int, int, bytes]], destination: Any
    ) -> NetworkError | None:
        quote = icmp.parse_quote(data, self.dialect)
        for level, kind, value in ancillary:
            if (level, kind) in _RECVERR:
                error = parse_extended_error(value)
                if quote is not None and error is not None and destination:
                    return NetworkError(quote, destination[0], error)
        return None

    def count_drops(self) -> int:
        """How many replies our full queue has cost so far, told even when none came after."""
        # The count that SO_RXQ_OVFL gives rides on the next packet only.
        with suppress(OSError, struct.error):
            words = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64)
            self.dropped = _COUNT.unpack_from(words, SK_MEMINFO_DROPS * _COUNT.size)[0]
        return self.dropped


_RECVERR = frozenset({(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)})


def parse_extended_error(value: bytes) -> ExtendedError | None:
    """The ICMP error in an IP_RECVERR or IPV6_RECVERR message; None where it holds none.

    The offender is "" where the kernel names none. Never raises.
    """
    if len(value) < _EXTENDED_ERROR.size:
        return None
    _, origin, kind, code, *_ = _EXTENDED_ERROR.unpack_from(value)
    if origin not in (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6):
        return None
    return ExtendedError(kind, code, _sockaddr(value[_EXTENDED_ERROR.size :]))


def _sockaddr(raw: bytes) -> str:
    if len(raw) < _ADDRESS_FAMILY.size:
        return ""
    (family,) = _ADDRESS_FAMILY.unpack_from(raw)
    if family == socket.AF_INET and len(raw) >= 8:
        return socket.inet_ntop(socket.AF_INET, raw[4:8])
    if family == socket.AF_INET6 and len(raw) >= 24:
        return socket.inet_ntop(socket.AF_INET6, raw[8:24])
    return ""


def open_socket(family: socket.AddressFamily) -> EchoSocket:
    """DGRAM where the system allows it, else RAW.

    Raises ProbeError, blame LOCAL: ``permission`` with what to do, or why there is no socket.
    """
    opener = ICMPv4Socket if family == socket.AF_INET else ICMPv6Socket
    faults = []
    modes: tuple[Mode, ...] = ("dgram", "raw")
    for mode in modes:
        try:
            return EchoSocket(opener(address=None, privileged=mode == "raw"), mode)
        except SocketPermissionError:
            faults.append(_not_permitted())
        except ICMPSocketError as exc:
            cause = exc.__context__  # icmplib keeps the errno nowhere else
            faults.append(local_fault(cause if isinstance(cause, OSError) else OSError(str(exc))))
        except OSError as exc:
            faults.append(local_fault(exc))
    raise min(faults, key=lambda fault: fault.reason is not Reason.PERMISSION)


def _not_permitted() -> ProbeError:
    group = os.getgid()
    return ProbeError(
        Reason.PERMISSION,
        Blame.LOCAL,
        "expected the right to open ICMP sockets, found none: allow our group with "
        f"`sysctl -w net.ipv4.ping_group_range='{group} {group}'`, or give vcmon.service "
        "AmbientCapabilities=CAP_NET_RAW",
    )


def destination_of(address: str) -> tuple[socket.AddressFamily, Destination]:
    """The family of an IP literal and what ``sendto`` takes for it, in canonical spelling.

    An IPv6 literal may carry a zone (``fe80::1%eth0``). Raises ProbeError ``bug`` for what is no
    literal (a name here would be looked up while the loop waits), ``no_route`` for an unknown zone.
    """
    try:
        if ":" not in address:
            socket.inet_pton(socket.AF_INET, address)
            return socket.AF_INET, (address, 0)
        host, _, zone = address.partition("%")
        host = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host))
    except (OSError, ValueError):
        raise ProbeError(
            Reason.BUG, Blame.LOCAL, f"expected an IP address, found {address!r}: resolve it first"
        ) from None
    return socket.AF_INET6, (host, 0, 0, _zone_index(zone))


def _zone_index(zone: str) -> int:
    if not zone:
        return 0
    if zone.isdecimal():
        return int(zone)
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        raise ProbeError(
            Reason.NO_ROUTE, Blame.LOCAL, f"expected a network interface, found no {zone!r}"
        ) from None
