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
from functools import lru_cache
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
SO_TIMESTAMPING = 37
SO_RXQ_OVFL = 40
SO_MEMINFO = 55
SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32
SK_MEMINFO_DROPS = 8  # index into the words of SO_MEMINFO
IP_MTU_DISCOVER = 10
IPV6_MTU_DISCOVER = 23
PMTUDISC_DONT = 0
PMTUDISC_PROBE = 3
IP_RECVERR = 11
IPV6_RECVERR = 25
SOL_RAW = 255
ICMP_FILTER = 1
ICMP6_FILTER = 1
SO_EE_ORIGIN_ICMP = 2
SO_EE_ORIGIN_ICMP6 = 3
SO_EE_ORIGIN_TIMESTAMPING = 4
STAMP_SENDING = 1 << 1  # the flags of SO_TIMESTAMPING: when a packet goes to the driver,
STAMP_RECEIVING = 1 << 3  # when one comes from it,
STAMP_BY_KERNEL = 1 << 4  # by the kernel's clock,
STAMP_NUMBERED = 1 << 7  # the stamps of sent packets counted from 0,
STAMP_ONLY = 1 << 11  # and without the packet
STAMPS = STAMP_RECEIVING | STAMP_BY_KERNEL | STAMP_NUMBERED | STAMP_ONLY

BUFFER_BYTES = 4 << 20
"""Holds about 10,000 small packets: a second of replies at the largest load we promise."""

RECEIVE_BYTES = 96  # the longest IPv4 header, the ICMP header and our nonce; the rest is filler
ANCILLARY_BYTES = 128  # a stamp and a drop count take 88
ERROR_ANCILLARY_BYTES = 256  # with the extended error and the offender's address
ERRORS_AT_ONCE = 4096  # a flood of ICMP errors must not hold the loop; the rest waits

_TIMESPEC = struct.Struct("@qq")
_COUNT = struct.Struct("@I")
_EXTENDED_ERROR = struct.Struct("@IBBBBII")
_ADDRESS_FAMILY = struct.Struct("@H")
_STAMP_THIS_ONE = [(socket.SOL_SOCKET, SO_TIMESTAMPING, struct.pack("@I", STAMP_SENDING))]


Arrival = tuple[icmp.Reply | None, str, int]
"""One packet as the kernel received it: the reply in it, its source, and the kernel's stamp in
wall-clock nanoseconds. A plain tuple: one is made for every packet."""


class ExtendedError(NamedTuple):
    """What ``struct sock_extended_err`` says of an ICMP error."""

    kind: int
    code: int
    offender: str
    info: int = 0  # the MTU of the next link, where a packet was too big for it


class NetworkError(NamedTuple):
    """An ICMP error that quotes an echo request to ``destination``."""

    quote: icmp.Quote
    destination: str
    error: ExtendedError
    stamp: int = 0  # when the kernel received it, wall-clock nanoseconds; 0: it doesn't say


class Departure(NamedTuple):
    """When the kernel gave a packet to the driver: its number among the stamped, and the stamp."""

    number: int  # from 0, modulo 2**32
    stamp: int  # wall-clock nanoseconds


class EchoSocket:
    """Sends echo requests, gives back replies, stamps and ICMP errors; never blocks."""

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
        self._sendmsg = self.sock.sendmsg

    def _prepare(self) -> None:
        sock = self.sock
        sock.settimeout(0.0)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, STAMPS)
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

    def limit_hops(self, ttl: int) -> None:
        """Let what is sent from now on live for so many hops; raises OSError."""
        if self.family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        else:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)

    def forbid_fragments(self) -> None:
        """Send every packet whole, whatever the kernel knows of the path's MTU; raises OSError.

        One that our own interface can't take is refused by :meth:`send` with EMSGSIZE.
        """
        if self.family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
        else:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)

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

    def send_stamped(self, packet: bytes, destination: Destination) -> None:
        """As :meth:`send`; :meth:`errors` then gives the packet's Departure, at once or soon.

        The stamp stands microseconds from the wire, however long we took from our own clock to
        the driver: cold caches and a core taken away cost 10 to 60 us, now and then milliseconds.
        """
        self._sendmsg([packet], _STAMP_THIS_ONE, 0, destination)

    def count_stamps_anew(self) -> None:
        """Let the next stamped packet be number 0 (a failed send may have used a number up)."""
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, STAMPS & ~STAMP_NUMBERED)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, STAMPS)

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
            if kind == SO_TIMESTAMPING:
                seconds, nanoseconds = _TIMESPEC.unpack_from(value)
                stamp = seconds * 1_000_000_000 + nanoseconds
            elif kind == SO_RXQ_OVFL:
                self.dropped = _COUNT.unpack(value)[0]
        if self._headed:
            data = icmp.ipv4_payload(data)
        return icmp.parse_reply(data, self.dialect), source[0], stamp or wall_ns()

    def errors(self) -> Iterator[NetworkError | Departure | None]:
        """What waits on the error queue: ICMP errors, stamps of what we sent, None for the rest.

        Reading them clears the error that the kernel would raise at the next call.
        """
        for _ in range(ERRORS_AT_ONCE):
            try:
                data, ancillary, _, destination = self._recvmsg(
                    RECEIVE_BYTES, ERROR_ANCILLARY_BYTES, socket.MSG_ERRQUEUE
                )
            except OSError:  # none is left, or none can be had now
                return
            yield self._noticed(data, ancillary, destination)

    def _noticed(
        self, data: bytes, ancillary: list[tuple[int, int, bytes]], destination: Any
    ) -> NetworkError | Departure | None:
        stamp, notice = 0, b""
        for level, kind, value in ancillary:
            if (level, kind) in _RECVERR:
                notice = value
            elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING):
                seconds, nanoseconds = _TIMESPEC.unpack_from(value)
                stamp = seconds * 1_000_000_000 + nanoseconds
        if stamp and (number := stamp_number(notice)) is not None:
            return Departure(number, stamp)
        error, quote = parse_extended_error(notice), icmp.parse_quote(data, self.dialect)
        if quote is not None and error is not None and destination:
            return NetworkError(quote, destination[0], error, stamp)
        return None

    def count_drops(self) -> int:
        """How many replies our full queue has cost so far, told even when none came after."""
        # The count that SO_RXQ_OVFL gives rides on the next packet only.
        with suppress(OSError, struct.error):
            words = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64)
            self.dropped = _COUNT.unpack_from(words, SK_MEMINFO_DROPS * _COUNT.size)[0]
        return self.dropped


_RECVERR = frozenset({(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)})


def stamp_number(value: bytes) -> int | None:
    """Which of the stamped packets a notice on the error queue is for; None: it is no stamp."""
    if len(value) < _EXTENDED_ERROR.size:
        return None
    _, origin, _, _, _, _, number = _EXTENDED_ERROR.unpack_from(value)
    return int(number) if origin == SO_EE_ORIGIN_TIMESTAMPING else None


def parse_extended_error(value: bytes) -> ExtendedError | None:
    """The ICMP error in an IP_RECVERR or IPV6_RECVERR message; None where it holds none.

    The offender is "" where the kernel names none. Never raises.
    """
    if len(value) < _EXTENDED_ERROR.size:
        return None
    _, origin, kind, code, _, info, _ = _EXTENDED_ERROR.unpack_from(value)
    if origin not in (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6):
        return None
    return ExtendedError(kind, code, _sockaddr(value[_EXTENDED_ERROR.size :]), info)


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
    # An interface may get another number at any time; an address stays what it is.
    return _read(address) if "%" in address else _remembered(address)


@lru_cache(maxsize=65_536)  # more addresses than can be under way
def _remembered(address: str) -> tuple[socket.AddressFamily, Destination]:
    return _read(address)


def _read(address: str) -> tuple[socket.AddressFamily, Destination]:
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
