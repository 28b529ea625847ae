"""Any bytes as RTP and RTCP, read alone and by a whole session: a value or ProbeError."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.media import MediaSession
from vcmon.wire.rtp import (
    Block,
    Report,
    RtpPacket,
    encode_goodbye,
    encode_report,
    encode_rtp,
    parse_rtcp,
    parse_rtp,
)
from vcmon.wire.sdp import CODECS

SEEDS = (
    encode_rtp(RtpPacket(0, 1, 160, 7, b"\xff" * 160)),
    encode_report(Report(9, (Block(7, 1, -2, 3, 4, 5, 6),), 1 << 40, 1, 2, 3), "c")
    + encode_goodbye(9),
    bytes.fromhex("b2000001 00000002 00000003 0000000000000000 bede0001 00000000 616263 000003"),
)


def session() -> MediaSession:
    """A stream that has begun."""
    media = MediaSession(CODECS[0], 7, 0, 0, 0, 0, "c")
    media.packet(0)
    media.report(0)
    return media


def one(data: bytes) -> None:
    """Read ``data`` as both, whole and cut into datagrams; nothing but ProbeError is raised."""
    for read in (parse_rtp, parse_rtcp):
        error = _refusal(read, data)
        if error is not None:
            assert (error.reason, error.blame) == (Reason.PROTOCOL, Blame.REMOTE)
            assert len(error.text) < 200
    media = session()
    for at, piece in enumerate((data, data[12:], data[:12] + data[24:], data)):
        _refusal(partial(media.take_rtp, at=at * 20_000_000), piece)
        _refusal(partial(media.take_rtcp, at=at * 20_000_000), piece)
    usable(media)


def _refusal(read: Callable[[bytes], object], data: bytes) -> ProbeError | None:
    try:
        read(data)
    except ProbeError as error:
        return error
    return None


def usable(media: MediaSession) -> None:
    """Every figure can be asked for, and is possible; our own report can be made of it."""
    for way in (media.forward, media.backward):
        if way is not None:
            assert 0 <= way.received <= way.sent
            assert 0.0 <= (way.loss or 0.0) <= 1.0
            assert (way.jitter or 0.0) >= 0.0
    assert all(0.0 <= rtt <= 60.0 for rtt in media.rtts)
    assert len(media.sources) <= 4
    parse_rtcp(media.goodbye(10**9))


TARGET = Target(one, SEEDS)
