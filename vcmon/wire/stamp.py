"""STAMP test packets (RFC 8762, RFC 8972), unauthenticated: bytes in, values out; no sockets.

Answers of TWAMP-light reflectors (RFC 5357 appendix I) have the same layout and are read too, the
short ones of 38 and 41 bytes included. Whatever the bytes, reading them gives a value or raises
ProbeError ``protocol``; nothing else, and in bounded time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

PORT = 862

BASE = 44
"""Bytes of a test packet and of its answer, without extensions (RFC 8762 section 4.2.1)."""

SIZE_MAX = 1472
"""Bytes; what an Ethernet frame takes in IPv4. Longer test packets would measure fragments."""

REQUEST_MIN = 41
"""Bytes; a TWAMP-light sender's with its padding. To a shorter one no whole answer would fit."""

REPLY_MIN = 38
"""Bytes of the shortest answers in the field: all up to the sender's own error estimate."""

TLV_UNRECOGNIZED, TLV_MALFORMED = 0x80, 0x40  # flags, RFC 8972 section 4
TLV_PADDING, TLV_CLASS_OF_SERVICE = 1, 4
TLV_HEADER = 4
COS_SIZE = 4
TLVS_MAX = 16  # no sender has a use for more; the rest is left as it came

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
NANOSECONDS = 1_000_000_000
ECHO_WINDOW = 60 * NANOSECONDS
"""Moments of our own clock that a packet brings back are ours for so long: an answer that takes a
minute has no sender left that waits for it."""

_REQUEST = struct.Struct("!IQHH")
_REPLY = struct.Struct("!IQHHQIQH")  # up to the sender's error estimate
_TLV = struct.Struct("!BBH")
_COS = struct.Struct("!HH")
_MOMENTS = struct.Struct("!Q4xQ")  # of a reply: received, and the sender's own stamp
_RECEIVED_AT = 16
_TTL_AT = 40


class ErrorEstimate(NamedTuple):
    """How good the clock is that made a packet's timestamps (RFC 4656 section 4.1.2)."""

    synchronised: bool = False
    ptp: bool = False  # timestamps are PTP's, not NTP's
    scale: int = 0
    multiplier: int = 1

    @property
    def seconds(self) -> float:
        """The error that the clock admits to."""
        return float(self.multiplier * 2.0 ** (self.scale - 32))

    @property
    def trusted(self) -> bool:
        """Whether the clock is synchronised; one that names no error (0 is forbidden) is not."""
        return self.synchronised and self.multiplier > 0

    def encode(self) -> int:
        """The sixteen bits."""
        return self.synchronised << 15 | self.ptp << 14 | self.scale << 8 | self.multiplier


def error_estimate(bits: int) -> ErrorEstimate:
    """What sixteen bits say."""
    return ErrorEstimate(bool(bits >> 15), bool(bits >> 14 & 1), bits >> 8 & 0x3F, bits & 0xFF)


def estimate_of(seconds: float, *, synchronised: bool) -> ErrorEstimate:
    """The smallest estimate that is not less than ``seconds``; 2**39 seconds at the most."""
    units = max(1, min(-int(-seconds * 2**32 // 1), 255 << 63))
    scale = max(0, units.bit_length() - 8)
    multiplier = -(-units >> scale)
    if multiplier > 255:  # rounding up has carried
        scale, multiplier = scale + 1, 128
    return ErrorEstimate(synchronised, ptp=False, scale=min(scale, 63), multiplier=multiplier)


def to_ntp(nanoseconds: int) -> int:
    """64 bits of NTP time of nanoseconds since 1970, rounded to the nearest."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    fraction = ((rest << 32) + NANOSECONDS // 2) // NANOSECONDS
    return (((seconds + NTP_EPOCH) << 32) + fraction) & 0xFFFF_FFFF_FFFF_FFFF


def from_ntp(stamp: int) -> int:
    """Nanoseconds since 1970; a clear top bit is the era that begins in 2036 (RFC 4330)."""
    seconds = (stamp >> 32) + (0 if stamp >> 63 else 1 << 32) - NTP_EPOCH
    return seconds * NANOSECONDS + ((stamp & 0xFFFF_FFFF) * NANOSECONDS + (1 << 31) >> 32)


def from_ptp(stamp: int) -> int:
    """Nanoseconds since PTP's epoch of a truncated PTP timestamp (RFC 8186)."""
    return (stamp >> 32) * NANOSECONDS + (stamp & 0xFFFF_FFFF)


class Request(NamedTuple):
    """A test packet as its sender made it."""

    sequence: int
    sent: int  # 64 bits, as on the wire
    error: ErrorEstimate
    ssid: int  # tells sessions apart (RFC 8972 section 3)


class Reply(NamedTuple):
    """A test packet as a reflector answered it. Times in nanoseconds of the reflector's clock."""

    sequence: int  # of the reflector
    sent: int
    error: ErrorEstimate
    ssid: int
    received: int
    sender_sequence: int
    sender_sent: int  # 64 bits, as on the wire
    ttl: int | None = None  # of our packet, as it arrived; None: the answer is too short
    dscp: int | None = None  # of our packet, as it arrived; None: the reflector doesn't say


class Reflection(NamedTuple):
    """What a reflector has to say of one test packet. Times in nanoseconds since 1970."""

    sequence: int
    received: int
    error: ErrorEstimate
    ttl: int
    dscp: int


def encode_request(request: Request, size: int, dscp: int) -> bytes:
    """A test packet of ``size`` bytes (at least 44).

    Where they fit it asks for the DSCP that it arrived with, and for an answer that is marked
    ``dscp`` (RFC 8972 section 4.4); the rest is padding.
    """
    head = _REQUEST.pack(request.sequence, request.sent, request.error.encode(), request.ssid)
    packet = head.ljust(BASE, b"\0")
    if size - len(packet) >= TLV_HEADER + COS_SIZE:
        packet += _TLV.pack(TLV_UNRECOGNIZED, TLV_CLASS_OF_SERVICE, COS_SIZE)
        packet += _COS.pack(dscp << 10, 0)
    room = size - len(packet) - TLV_HEADER
    if room >= 0:
        packet += _TLV.pack(TLV_UNRECOGNIZED, TLV_PADDING, room)
    return packet.ljust(size, b"\0")


def parse_request(data: bytes) -> Request:
    """The test packet in ``data``. Raises ProbeError ``protocol``.

    A TWAMP sender has padding where STAMP has the session's id and then zeros: random as it may be,
    it must not make a session of every packet. Its ``ssid`` is 0.
    """
    if not REQUEST_MIN <= len(data) <= SIZE_MAX:
        raise _wrong(f"a test packet of {REQUEST_MIN} to {SIZE_MAX} bytes", data)
    sequence, sent, error, ssid = _REQUEST.unpack_from(data)
    padded = any(data[_RECEIVED_AT:BASE])
    return Request(sequence, sent, error_estimate(error), 0 if padded else ssid)


def parse_reply(data: bytes) -> Reply:
    """The answer in ``data``. Raises ProbeError ``protocol``."""
    if len(data) < REPLY_MIN:
        raise _wrong(f"an answer of at least {REPLY_MIN} bytes", data)
    sequence, sent, error, ssid, received, number, sender_sent, _ = _REPLY.unpack_from(data)
    estimate = error_estimate(error)
    read = from_ptp if estimate.ptp else from_ntp
    return Reply(
        sequence=sequence,
        sent=read(sent),
        error=estimate,
        ssid=ssid,
        received=read(received),
        sender_sequence=number,
        sender_sent=sender_sent,
        ttl=data[_TTL_AT] if len(data) > _TTL_AT else None,
        dscp=_arrived_dscp(data),
    )


def wanted_dscp(data: bytes) -> int | None:
    """The DSCP that a test packet wants its answer marked with; None: it doesn't say."""
    for at, flags, kind, length in _tlvs(data):
        if kind == TLV_CLASS_OF_SERVICE and flags & TLV_UNRECOGNIZED and length == COS_SIZE:
            return data[at + TLV_HEADER] >> 2
    return None


def encode_reply(data: bytes, request: Request, seen: Reflection, sent: int) -> bytes:
    """The answer to the test packet ``data``, leaving at ``sent``: exactly as long as ``data``."""
    head = _REPLY.pack(
        seen.sequence & 0xFFFF_FFFF,
        to_ntp(sent),
        seen.error.encode(),
        request.ssid,
        to_ntp(seen.received),
        request.sequence,
        request.sent,
        request.error.encode(),
    )
    base = (head + bytes((0, 0, seen.ttl, 0, 0, 0)))[: len(data)]
    return base if len(data) <= BASE else base + _extensions(data, seen.dscp)


def brings_back(data: bytes, now: int) -> bool:
    """Whether a test packet is an answer to an answer of ours: two reflectors must not play ball.

    Where a test packet is zero or padding, a reflector's answer to us holds our own stamp, and an
    echo of our answer the moment at which we received: either within the last minute of our clock
    (``now``, nanoseconds since 1970) is no accident, whatever the peer's clock says.
    """
    if len(data) < REQUEST_MIN:
        return False
    return any(
        moment and -NANOSECONDS <= now - from_ntp(moment) <= ECHO_WINDOW
        for moment in _MOMENTS.unpack_from(data, _RECEIVED_AT)
    )


def _arrived_dscp(data: bytes) -> int | None:
    for at, flags, kind, length in _tlvs(data):
        understood = not flags & (TLV_UNRECOGNIZED | TLV_MALFORMED)
        if kind == TLV_CLASS_OF_SERVICE and understood and length == COS_SIZE:
            asked: int = _COS.unpack_from(data, at + TLV_HEADER)[0]
            return asked >> 4 & 0x3F
    return None


def _tlvs(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(offset, flags, type, length) of the whole extensions that follow the base packet."""
    at = BASE
    for _ in range(TLVS_MAX):
        if at + TLV_HEADER > len(data):
            return
        flags, kind, length = _TLV.unpack_from(data, at)
        if at + TLV_HEADER + length > len(data):
            return
        yield at, flags, kind, length
        at += TLV_HEADER + length


def _extensions(data: bytes, dscp: int) -> bytes:
    """What follows the base packet, as a reflector gives it back.

    A sender of RFC 8972 sets U in every extension; what has none is TWAMP's padding, left alone.
    """
    out = bytearray(data[BASE:])
    end = BASE
    for at, flags, kind, length in _tlvs(data):
        end = at + TLV_HEADER + length
        if not flags & TLV_UNRECOGNIZED:
            return bytes(out)
        if kind == TLV_CLASS_OF_SERVICE and length == COS_SIZE:
            asked, reserved = _COS.unpack_from(data, at + TLV_HEADER)
            kept = asked & 0xFC0F
            _COS.pack_into(out, at - BASE + TLV_HEADER, kept | dscp << 4, reserved)
        elif kind == TLV_CLASS_OF_SERVICE:
            out[at - BASE] |= TLV_MALFORMED
        if kind in (TLV_CLASS_OF_SERVICE, TLV_PADDING):
            out[at - BASE] &= ~TLV_UNRECOGNIZED & 0xFF
    runs_over = end + TLV_HEADER <= len(data) and data[end] & TLV_UNRECOGNIZED
    if runs_over and end + TLV_HEADER + _TLV.unpack_from(data, end)[2] > len(data):
        out[end - BASE] |= TLV_MALFORMED
    return bytes(out)


def _wrong(expected: str, data: bytes) -> ProbeError:
    text = f"expected {expected} (STAMP, RFC 8762), found {len(data)} bytes"
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
