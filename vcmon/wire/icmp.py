"""ICMP and ICMPv6 echo (RFC 792, RFC 4443): bytes in, values out; no sockets, no clock.

Every parser returns a value or None for bytes that are not what it looks for; none raises.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from vcmon.model.result import Reason

HEADER_SIZE = 8
NONCE_SIZE = 8
IPV4_HEADER_SIZE = 20  # without options

_HEADER = struct.Struct("!BBHHH")
_ECHO = struct.Struct("!BBHHH8s")
_pack_header = _HEADER.pack
_unpack_echo = _ECHO.unpack_from

_FILLER = b"vcmon echo request. "  # so that whoever captures a packet can tell whose it is


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between ICMP and ICMPv6."""

    request: int
    reply: int
    reasons: Mapping[tuple[int, int], Reason]  # an error's (type, code)


_V4_REASONS = {
    (3, 0): Reason.NET_UNREACHABLE,
    (3, 1): Reason.HOST_UNREACHABLE,
    (3, 2): Reason.REFUSED,
    (3, 3): Reason.REFUSED,
    (3, 6): Reason.NET_UNREACHABLE,  # destination network unknown
    (3, 7): Reason.HOST_UNREACHABLE,  # destination host unknown
    (3, 9): Reason.FILTERED,
    (3, 10): Reason.FILTERED,
    (3, 11): Reason.NET_UNREACHABLE,  # for this type of service
    (3, 12): Reason.HOST_UNREACHABLE,
    (3, 13): Reason.FILTERED,
    (11, 0): Reason.TTL_EXCEEDED,
    (11, 1): Reason.TTL_EXCEEDED,  # reassembly time exceeded
}
_V6_REASONS = {
    (1, 0): Reason.NET_UNREACHABLE,
    (1, 1): Reason.FILTERED,
    (1, 2): Reason.NET_UNREACHABLE,  # beyond the scope of the source address
    (1, 3): Reason.HOST_UNREACHABLE,
    (1, 4): Reason.REFUSED,
    (1, 5): Reason.FILTERED,  # source address failed ingress or egress policy
    (1, 6): Reason.NET_UNREACHABLE,  # reject route
    (3, 0): Reason.TTL_EXCEEDED,
    (3, 1): Reason.TTL_EXCEEDED,
}

V4 = Dialect(request=8, reply=0, reasons=MappingProxyType(_V4_REASONS))
V6 = Dialect(request=128, reply=129, reasons=MappingProxyType(_V6_REASONS))


class Reply(NamedTuple):
    """An echo reply; ``nonce`` is the first 8 bytes of its payload."""

    identifier: int
    sequence: int
    nonce: bytes


class Quote(NamedTuple):
    """Our own request as an ICMP error quotes it; ``nonce`` is empty where it was cut off."""

    identifier: int
    sequence: int
    nonce: bytes


def payload(nonce: bytes, size: int) -> bytes:
    """``size`` bytes (at least 8) that begin with the nonce."""
    return nonce + _filler(size)


@lru_cache(maxsize=64)  # sizes come from the settings, where few differ
def _filler(size: int) -> bytes:
    rest = max(0, size - NONCE_SIZE)
    return (_FILLER * (rest // len(_FILLER) + 1))[:rest]


def echo_request(kind: int, identifier: int, sequence: int, body: bytes) -> bytes:
    """An echo request whose checksum is zero: for sockets where the kernel fills it in."""
    return _pack_header(kind, 0, 0, identifier, sequence) + body


def checksummed(packet: bytes) -> bytes:
    """The ICMPv4 packet with its checksum filled in (RFC 1071).

    The field must be zero before.
    """
    return packet[:2] + checksum(packet).to_bytes(2, "big") + packet[4:]


def checksum(packet: bytes) -> int:
    """The Internet checksum of the bytes (RFC 1071)."""
    # 2**16 is 1 modulo 65,535, so the ones' complement sum of all words is one remainder.
    padded = packet if len(packet) % 2 == 0 else packet + b"\0"
    return -int.from_bytes(padded, "big") % 0xFFFF


def ipv4_payload(packet: bytes) -> bytes:
    """What follows the IPv4 header; empty where there is no whole header."""
    if len(packet) < IPV4_HEADER_SIZE or packet[0] >> 4 != 4:
        return b""
    header = (packet[0] & 0x0F) * 4
    return packet[header:] if header >= IPV4_HEADER_SIZE else b""


def parse_reply(packet: bytes, dialect: Dialect) -> Reply | None:
    """The echo reply; None where it is none, or too short to hold a nonce."""
    if len(packet) < HEADER_SIZE + NONCE_SIZE:
        return None
    kind, code, _, identifier, sequence, nonce = _unpack_echo(packet)
    if kind != dialect.reply or code != 0:
        return None
    return Reply(identifier, sequence, nonce)


def parse_quote(packet: bytes, dialect: Dialect) -> Quote | None:
    """The echo request that an ICMP error quotes (from its ICMP header on).

    RFC 792 only promises the first 8 bytes, so the nonce may be missing. None where no echo
    request is quoted.
    """
    if len(packet) < HEADER_SIZE:
        return None
    kind, code, _, identifier, sequence = _HEADER.unpack_from(packet)
    if kind != dialect.request or code != 0:
        return None
    nonce = packet[HEADER_SIZE : HEADER_SIZE + NONCE_SIZE]
    return Quote(identifier, sequence, nonce if len(nonce) == NONCE_SIZE else b"")
