"""RTP packets and RTCP reports (RFC 3550), sans-I/O.

Whatever the bytes, reading them gives a value or raises ProbeError ``protocol``.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

VERSION = 2

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203

PACKETS_MAX = 32
"""RTCP packets in one datagram; a compound one has two or three."""

_RTP = struct.Struct("!BBHII")
_RTCP = struct.Struct("!BBH")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IIIIII")
_U32 = struct.Struct("!I")


class RtpPacket(NamedTuple):
    """One packet of media."""

    payload_type: int
    sequence: int  # 16 bits
    timestamp: int  # 32 bits
    ssrc: int
    payload: bytes
    marker: bool = False


class Block(NamedTuple):
    """What one side says of the packets that it got from ``ssrc``."""

    ssrc: int
    fraction: int  # of 256, lost since the report before
    lost: int  # since the beginning; duplicates make it negative
    highest: int  # sequence number, its cycles in the upper 16 bits
    jitter: int  # in units of the timestamp
    lsr: int  # the middle 32 bits of the last sender report's time; 0: none yet
    dlsr: int  # 1/65536 s since then


class Report(NamedTuple):
    """A sender or receiver report."""

    ssrc: int
    blocks: tuple[Block, ...]
    ntp: int = 0  # 64 bits: when it was sent; 0 in a receiver report
    timestamp: int = 0
    packets: int = 0
    octets: int = 0


def encode_rtp(packet: RtpPacket) -> bytes:
    """A packet without padding, extension or contributing sources."""
    second = (packet.marker << 7) | packet.payload_type
    head = _RTP.pack(VERSION << 6, second, packet.sequence, packet.timestamp, packet.ssrc)
    return head + packet.payload


def parse_rtp(data: bytes) -> RtpPacket:
    """The packet that a datagram holds. Raises ProbeError ``protocol``."""
    if len(data) < _RTP.size or data[0] >> 6 != VERSION:
        raise _wrong("RTP packet", data)
    first, second, sequence, timestamp, ssrc = _RTP.unpack_from(data)
    start, end = _RTP.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:  # an extension header
        if start + 4 > end:
            raise _wrong("RTP packet", data)
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:  # padding, its length in the last byte
        padding = data[-1]
        if padding == 0:
            raise _wrong("RTP packet", data)
        end -= padding
    if start > end:
        raise _wrong("RTP packet", data)
    return RtpPacket(
        second & 0x7F, sequence, timestamp, ssrc, data[start:end], marker=bool(second >> 7)
    )


def encode_report(report: Report, cname: str) -> bytes:
    """A compound packet: a sender report (31 blocks at most) and our name, in ASCII."""
    blocks = b"".join(_block(block) for block in report.blocks)
    sender = _SENDER.pack(report.ntp, report.timestamp, report.packets, report.octets)
    body = _U32.pack(report.ssrc) + sender + blocks
    name = cname.encode("ascii")
    item = _U32.pack(report.ssrc) + bytes([1, len(name)]) + name + b"\0"
    item += b"\0" * (-len(item) % 4)
    return _packet(SENDER_REPORT, len(report.blocks), body) + _packet(SOURCE_DESCRIPTION, 1, item)


def encode_goodbye(ssrc: int) -> bytes:
    """A packet that says that ``ssrc`` is gone; to be sent behind a report."""
    return _packet(GOODBYE, 1, _U32.pack(ssrc))


def parse_rtcp(data: bytes) -> tuple[Report, ...]:
    """The sender and receiver reports of a compound packet; its other packets are skipped.

    Raises ProbeError ``protocol`` where one of its packets is cut or is none.
    """
    found: list[Report] = []
    at = 0
    for _ in range(PACKETS_MAX):
        if at == len(data) and at:
            break
        if at + 4 > len(data) or data[at] >> 6 != VERSION:
            raise _wrong("RTCP packet", data)
        first, kind, words = _RTCP.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if end > len(data) or not 192 <= kind <= 223:
            raise _wrong("RTCP packet", data)
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            found.append(_report(data[at + 4 : end], kind, first & 0x1F))
        at = end
    return tuple(found)


def ntp_of(nanoseconds: int) -> int:
    """The 64-bit NTP time of so many nanoseconds since 1970."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return ((seconds + 2_208_988_800) << 32 | (rest << 32) // 1_000_000_000) & 0xFFFF_FFFF_FFFF_FFFF


def middle(ntp: int) -> int:
    """The middle 32 bits, which name a sender report (LSR)."""
    return ntp >> 16 & 0xFFFF_FFFF


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _RTCP.pack(VERSION << 6 | count, kind, len(body) // 4) + body


def _block(block: Block) -> bytes:
    lost = max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFF_FFFF
    return _BLOCK.pack(
        block.ssrc, block.fraction << 24 | lost, block.highest, block.jitter, block.lsr, block.dlsr
    )


def _report(body: bytes, kind: int, count: int) -> Report:
    start = 4 + (_SENDER.size if kind == SENDER_REPORT else 0)
    if len(body) < start + count * _BLOCK.size:
        raise _wrong("RTCP report", body)
    blocks = tuple(_read_block(body, start + index * _BLOCK.size) for index in range(count))
    sender = _SENDER.unpack_from(body, 4) if kind == SENDER_REPORT else ()
    return Report(_U32.unpack_from(body)[0], blocks, *sender)


def _read_block(body: bytes, at: int) -> Block:
    ssrc, both, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, at)
    lost = both & 0xFF_FFFF
    signed = lost - (1 << 24) if lost >> 23 else lost
    return Block(ssrc, both >> 24, signed, highest, jitter, lsr, dlsr)


def _wrong(what: str, data: bytes) -> ProbeError:
    found = f"{len(data)} bytes that begin {data[:12].hex()}"
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected an {what}, found {found}")
