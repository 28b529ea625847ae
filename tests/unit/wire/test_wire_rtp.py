"""RTP and RTCP: bytes and back, and bytes that are none."""

from __future__ import annotations

import pytest

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.rtp import (
    Block,
    Report,
    RtpPacket,
    encode_goodbye,
    encode_report,
    encode_rtp,
    middle,
    ntp_of,
    parse_rtcp,
    parse_rtp,
)

PACKET = RtpPacket(8, 65_535, 0xFFFF_FF60, 0xDEADBEEF, b"\xd5" * 160, marker=True)
BLOCK = Block(0x01020304, 128, -5, 0x0001_0002, 40, 0x1234_5678, 65_536)
REPORT = Report(0xCAFEBABE, (BLOCK,), 0xE000_0000_8000_0000, 160, 3, 480)


def test_packet_is_read_back() -> None:
    """Encoding and reading are each other's inverse; the head is RFC 3550's, byte for byte."""
    data = encode_rtp(PACKET)
    assert data[:12] == bytes.fromhex("8088ffff ffffff60 deadbeef")
    assert parse_rtp(data) == PACKET


def test_sources_extension_and_padding_are_no_payload() -> None:
    """Contributing sources, a header extension and padding are cut off."""
    head = bytes.fromhex("b2000001 00000002 00000003") + bytes(8)  # P, X, two sources
    extension = bytes.fromhex("bede0001 00000000")
    assert parse_rtp(head + extension + b"abc" + b"\0\0\3").payload == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        encode_rtp(PACKET)[:11],
        b"\x40" + encode_rtp(PACKET)[1:],
        b"\0\x01\0\0" + b"\x21\x12\xa4\x42" + bytes(12),  # a STUN request lies there, too
        bytes.fromhex("8f000001 00000002 00000003"),  # fifteen sources, none there
        bytes.fromhex("90000001 00000002 00000003 0000ffff"),  # an extension longer than all
        bytes.fromhex("a0000001 00000002 00000003 00"),  # no padding that is announced
        bytes.fromhex("a0000001 00000002 00000003 ff"),
    ],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    """One error for whatever is none."""
    with pytest.raises(ProbeError) as caught:
        parse_rtp(data)
    assert (caught.value.reason, caught.value.blame) == (Reason.PROTOCOL, Blame.REMOTE)


def test_report_is_read_back() -> None:
    """A sender report with a negative loss, a name and a goodbye behind it."""
    data = encode_report(REPORT, "cname") + encode_goodbye(REPORT.ssrc)
    assert parse_rtcp(data) == (REPORT,)
    assert len(data) % 4 == 0


@pytest.mark.parametrize("length", range(8))
def test_name_of_any_length_is_padded(length: int) -> None:
    """The source description ends on a word."""
    assert parse_rtcp(encode_report(REPORT, "n" * length)) == (REPORT,)


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 27, 28, 51, 53])
def test_cut_report_is_refused(cut: int) -> None:
    """Every cut within a packet is seen, also blocks that are announced and not there."""
    with pytest.raises(ProbeError):
        parse_rtcp(encode_report(REPORT, "cname")[:cut])
    with pytest.raises(ProbeError):
        parse_rtcp(bytes.fromhex("9fc90001 00000001"))  # 31 blocks, none there


def test_times_are_ntp() -> None:
    """The epoch is 1900; the middle names a report."""
    assert ntp_of(0) == 2_208_988_800 << 32
    assert ntp_of(1_500_000_000) == (2_208_988_801 << 32) + (1 << 31)
    assert middle(0x1122_3344_5566_7788) == 0x3344_5566
