"""Any bytes whatever as SDP, RTP, RTCP or SIP of a call: a value, or the documented error.

``VCMON_EXAMPLES=100000 pytest --timeout=1500 tests/property/test_call_parsers.py`` is the long run.
"""

from __future__ import annotations

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import dialog, rtp, sdp
from vcmon.wire.media import MediaSession
from vcmon.wire.rtp import (
    Block,
    Report,
    RtpPacket,
    encode_report,
    encode_rtp,
    parse_rtcp,
    parse_rtp,
)
from vcmon.wire.sdp import CODECS

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "200"))
thorough = settings(max_examples=EXAMPLES, deadline=None)

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
u64 = st.integers(0, 2**64 - 1)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A valid one with a few bytes cut out, put in or turned."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(data)


@given(st.binary(max_size=300) | mutated(sdp.SEEDS))
@thorough
def test_sdp_is_an_answer_or_an_error(data: bytes) -> None:
    """One value or one documented exception."""
    sdp.one(data)


@given(st.binary(max_size=300) | mutated(rtp.SEEDS))
@thorough
def test_media_is_counted_or_refused(data: bytes) -> None:
    """RTP and RTCP from anybody leave figures that are possible."""
    rtp.one(data)


@given(st.binary(max_size=64) | mutated(dialog.SEEDS))
@thorough
def test_call_is_bounded_and_ended(data: bytes) -> None:
    """In whatever order a peer answers, every leg has its ACK and its BYE."""
    dialog.one(data)


@given(
    st.builds(RtpPacket, st.integers(0, 127), u16, u32, u32, st.binary(max_size=200), st.booleans())
)
@thorough
def test_packets_come_back(packet: RtpPacket) -> None:
    """Reading is the inverse of writing."""
    assert parse_rtp(encode_rtp(packet)) == packet


blocks = st.builds(Block, u32, u8, st.integers(-(2**23), 2**23 - 1), u32, u32, u32, u32)


@given(st.builds(Report, u32, st.lists(blocks, max_size=31).map(tuple), u64, u32, u32, u32))
@thorough
def test_reports_come_back(report: Report) -> None:
    """Reading is the inverse of writing, whatever the fields hold."""
    assert parse_rtcp(encode_report(report, "name")) == (report,)


@given(st.integers(0, 65_535), st.sets(st.integers(1, 600)), st.integers(0, 2**32))
@thorough
def test_loss_is_exact_for_any_losses_and_order(first: int, lost: set[int], seed: int) -> None:
    """Whatever is lost, repeated or late by up to 50 packets: the loss is counted to the packet."""
    dice = random.Random(seed)
    sent = [n for n in range(602) if n not in lost]
    shuffled = sorted(sent, key=lambda n: n + (dice.random() * 50 if 0 < n < 550 else 0))
    media = MediaSession(CODECS[0], 7, 0, 0, 0, 0, "c")
    for number in [shuffled[0], *shuffled, *dice.sample(shuffled[-50:], 3)]:
        packet = RtpPacket(0, (first + number) & 0xFFFF, number * 160, 9, b"")
        media.take_rtp(encode_rtp(packet), number * 20_000_000)
    back = media.backward
    assert back is not None
    assert (back.sent, back.received) == (602, len(sent))
