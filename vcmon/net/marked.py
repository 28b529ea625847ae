"""UDP packets with what the kernel knows of each: when it came, its DSCP, its TTL, its target.

Linux only. Shared by who sends a measured stream and by who reflects it.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, NamedTuple

from vcmon.clock import wall_ns
from vcmon.net.udp import SO_TIMESTAMPNS, receive_stamp

Ancillary = tuple[int, int, bytes]

# From the kernel's headers; the socket module of Python 3.11 does not name them all.
IP_TTL = 2
IP_PKTINFO = 8
IP_RECVTTL = 12
IP_RECVTOS = 13
IPV6_PKTINFO = 50
IPV6_HOPLIMIT = 52
IPV6_TCLASS = 67

_WATCHED = {
    socket.AF_INET: (socket.IPPROTO_IP, (IP_RECVTOS, IP_RECVTTL, IP_PKTINFO)),
    socket.AF_INET6: (
        socket.IPPROTO_IPV6,
        (socket.IPV6_RECVTCLASS, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVPKTINFO),
    ),
}
_TOS = {(socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, IPV6_TCLASS)}
_TTL = {(socket.IPPROTO_IP, IP_TTL), (socket.IPPROTO_IPV6, IPV6_HOPLIMIT)}
_PKTINFO = {(socket.IPPROTO_IP, IP_PKTINFO), (socket.IPPROTO_IPV6, IPV6_PKTINFO)}

_INT = struct.Struct("@i")
_PKTINFO4 = struct.Struct("@i4s4s")
_PKTINFO6 = struct.Struct("@16si")

ANCILLARY_BYTES = 256  # a stamp, TOS, TTL and the target of IPv6 take 136
LINK_LOCAL = b"\xfe\x80"


class Arrival(NamedTuple):
    """One packet as it arrived."""

    data: bytes
    source: Any  # as recvmsg gives it
    stamp: int  # the kernel's, nanoseconds since 1970
    dscp: int | None
    ttl: int | None
    target: Ancillary | None  # with it an answer comes from where we were asked


def tell_dscp(sock: socket.socket) -> None:
    """Have the kernel tell how each packet that comes is marked. Raises OSError."""
    level, (option, *_) = _WATCHED[socket.AddressFamily(sock.family)]
    sock.setsockopt(level, option, 1)


def watch(sock: socket.socket) -> None:
    """Have the kernel tell of each packet what :class:`Arrival` holds. Raises OSError."""
    level, options = _WATCHED[socket.AddressFamily(sock.family)]
    for option in options:
        sock.setsockopt(level, option, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def mark(sock: socket.socket, dscp: int) -> None:
    """Send with this DSCP and a TTL of 255 from now on. Raises OSError."""
    mark_dscp(sock, dscp)
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)


def mark_dscp(sock: socket.socket, dscp: int) -> None:
    """Send with this DSCP (RFC 2474) from now on. Raises OSError."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, dscp << 2)


def marking(family: int, dscp: int) -> Ancillary:
    """What gives one packet its DSCP."""
    if family == socket.AF_INET:
        return socket.IPPROTO_IP, socket.IP_TOS, _INT.pack(dscp << 2)
    return socket.IPPROTO_IPV6, IPV6_TCLASS, _INT.pack(dscp << 2)


def receive(sock: socket.socket, size: int) -> Arrival | None:
    """The next packet, cut to ``size`` bytes; None where none waits. Raises OSError."""
    try:
        data, ancillary, _, source = sock.recvmsg(size, ANCILLARY_BYTES)
    except BlockingIOError:
        return None
    ttl = target = None
    for level, kind, value in ancillary:
        if (level, kind) in _TTL and value:
            ttl = _number(value) & 0xFF
        elif (level, kind) in _PKTINFO:
            target = _from_there(level, kind, value)
    stamp = receive_stamp(ancillary) or wall_ns()
    return Arrival(data, source, stamp, dscp_of(ancillary), ttl, target)


def dscp_of(ancillary: list[Ancillary]) -> int | None:
    """How a packet was marked; None where the kernel does not say."""
    marks = [value for level, kind, value in ancillary if (level, kind) in _TOS and value]
    return _number(marks[-1]) >> 2 & 0x3F if marks else None


def _number(value: bytes) -> int:
    return int(_INT.unpack_from(value)[0]) if len(value) >= _INT.size else value[0]


def _from_there(level: int, kind: int, value: bytes) -> Ancillary | None:
    """The interface is left to the routes, but for link-local addresses: alone they say nothing."""
    if kind == IP_PKTINFO and len(value) >= _PKTINFO4.size:
        _, local, _ = _PKTINFO4.unpack_from(value)
        return level, kind, _PKTINFO4.pack(0, local, bytes(4))
    if kind == IPV6_PKTINFO and len(value) >= _PKTINFO6.size:
        local, interface = _PKTINFO6.unpack_from(value)
        return level, kind, _PKTINFO6.pack(local, interface if local[:2] == LINK_LOCAL else 0)
    return None
