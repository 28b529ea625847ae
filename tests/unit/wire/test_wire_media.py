"""A stream and its figures, against RFC 3550's own definitions."""

from __future__ import annotations

import random

import pytest

from vcmon.errors import ProbeError
from vcmon.wire.media import SAMPLES, MediaSession, Reception
from vcmon.wire.rtp import Block, Report, RtpPacket, encode_report, encode_rtp, middle, parse_rtcp
from vcmon.wire.rtp import parse_rtp as read
from vcmon.wire.sdp import CODECS

MS = 1_000_000
FAR = 0xFA7


def session(codec: int = 0, sequence: int = 65_500) -> MediaSession:
    return MediaSession(
        codec=CODECS[codec],
        ssrc=7,
        sequence=sequence,
        timestamp=0xFFFF_FF00,
        nonce=0x0123456789ABCDEF,
        epoch=1_795_000_000_000 * MS,
        cname="c",
    )


def far(number: int, ssrc: int = FAR, kind: int = 0) -> bytes:
    """The packet of that number from a peer that begins at 65,530."""
    timestamp = number * SAMPLES & 0xFFFF_FFFF
    return encode_rtp(RtpPacket(kind, (65_530 + number) & 0xFFFF, timestamp, ssrc, b"\xff" * 160))


def heard(media: MediaSession, numbers: list[int], late: dict[int, int] | None = None) -> None:
    for number in numbers:
        media.take_rtp(far(number), number * 20 * MS + (late or {}).get(number, 0))


def test_lost_late_and_repeated_packets_are_told_apart() -> None:
    """Across the turn of the sequence number: one lost, one late, two twice."""
    media = session()
    heard(media, [0, 1, 2, 4, 3, 3, 5, 7, 8, 8])
    back = media.backward
    assert back is not None
    assert (back.sent, back.received) == (9, 8)
    assert media.sources[FAR].duplicates == 2


def test_random_loss_is_counted_exactly() -> None:
    """A thousand packets, some lost, neighbours exchanged: to the packet."""
    dice = random.Random(1)
    numbers = [n for n in range(3000) if n in (0, 2999) or dice.random() > 0.05]
    lost = 3000 - len(numbers)
    for at in range(10, len(numbers) - 10, 7):
        numbers[at], numbers[at + 1] = numbers[at + 1], numbers[at]
    media = session()
    heard(media, numbers)
    back = media.backward
    assert back is not None
    assert (back.sent, back.sent - back.received) == (3000, lost)


def test_jitter_is_rfc_3550s() -> None:
    """J += (|D| - J) / 16 over transit times, in seconds; a constant delay is none."""
    media = session()
    late = {n: (n % 2) * 16 * MS for n in range(200)}
    heard(media, list(range(200)), late)
    expected = 0.0
    for _ in range(199):
        expected += (0.016 - expected) / 16
    assert media.backward is not None
    assert media.backward.jitter == pytest.approx(expected, abs=1e-6)
    steady = session()
    heard(steady, list(range(200)), dict.fromkeys(range(200), 300 * MS))
    assert steady.backward is not None
    assert steady.backward.jitter == 0


def test_source_that_begins_anew_is_no_loss() -> None:
    """A jump of the sequence number over 3,000 is a restart, once a second packet confirms it."""
    media = session()
    heard(media, [*range(10), *range(20_000, 20_010)])
    back = media.backward
    assert back is not None
    assert (back.sent, back.received) == (19, 19)


def test_stray_packet_is_not_counted() -> None:
    """One packet far away, another kind of payload, a fifth source: none of them is the stream."""
    media = session()
    heard(media, [0, 1, 30_000, 2])
    media.take_rtp(far(3, kind=13), 60 * MS)
    for ssrc in range(100, 110):
        media.take_rtp(far(0, ssrc=ssrc), 0)
    assert media.sources[FAR].expected == media.sources[FAR].received == 3
    assert len(media.sources) == 4
    with pytest.raises(ProbeError):
        media.take_rtp(b"\0\1\0\0", 0)


@pytest.mark.parametrize("codec", [0, 1])
def test_marks_are_known_again_and_quiet(codec: int) -> None:
    """An echo of our packet is ours, once, with the time it took; the audio is the quietest."""
    media, other = session(codec), session(codec)
    other.nonce ^= 1
    packets = [media.packet(n * 20 * MS) for n in range(5)]
    loudest = {0: {0xFF, 0xFE}, 1: {0xD5, 0x55}}[codec]  # 0 and 8 of 32,768; 8 and -8
    assert all(set(read(packet).payload) <= loudest for packet in packets)
    assert len({read(packet).payload for packet in packets}) == 5
    for packet in (packets[3], packets[3], other.packet(0)):
        echo = encode_rtp(read(packet)._replace(ssrc=FAR))
        media.take_rtp(echo, 100 * MS)
    assert (media.echoed, media.loops) == (1, [0.04])
    assert not media.is_mirrored
    media.take_rtp(packets[4], 100 * MS)
    assert media.is_mirrored


def test_packets_go_on_across_the_turns() -> None:
    """Sequence number and timestamp turn over; the marker stands on the first packet only."""
    media = session()
    packets = [read(media.packet(n * 20 * MS)) for n in range(100)]
    assert [p.sequence for p in packets] == [(65_500 + n) & 0xFFFF for n in range(100)]
    assert packets[2].timestamp == (0xFFFF_FF00 + 320) & 0xFFFF_FFFF
    assert [p.marker for p in packets] == [True] + [False] * 99
    assert media.own_jitter == 0


def report_on(media: MediaSession, at: int, **block: int) -> None:
    """The peer's receiver report about us."""
    values = {"fraction": 0, "lost": 0, "highest": 0, "jitter": 0, "lsr": 0, "dlsr": 0}
    told = Block(media.ssrc, **{**values, **block})
    media.take_rtcp(encode_report(Report(FAR, (told,), 1 << 32, 0, 0, 0), "far"), at)


def test_round_trip_is_what_the_report_took() -> None:
    """A - LSR - DLSR of the very report that is named; below zero is zero, nonsense is none."""
    media = session()
    media.packet(0)
    (mine,) = parse_rtcp(media.report(1000 * MS))
    lsr = middle(mine.ntp)
    report_on(media, 1165 * MS, highest=65_500, lsr=lsr, dlsr=65_536 // 10)
    assert media.rtts == [pytest.approx(0.065, abs=1e-4)]
    report_on(media, 1005 * MS, highest=65_500, lsr=lsr, dlsr=65_536)
    assert media.rtts[1] == 0.0
    report_on(media, 1165 * MS, highest=65_500, lsr=0)
    report_on(media, 1165 * MS, highest=65_500, lsr=lsr ^ 1)
    report_on(media, 100_000 * MS, highest=65_500, lsr=lsr)
    assert len(media.rtts) == 2


def test_forward_is_what_the_peer_reports() -> None:
    """Up to the highest that it had, less what it lost; nothing claimed is more than was sent."""
    media = session()
    for n in range(100):
        media.packet(n * 20 * MS)
    assert (media.forward, media.is_heard) == (None, False)
    report_on(media, 0, highest=65_499)  # none of ours
    assert media.forward is None
    report_on(media, 0, highest=65_536 + 43, lost=4, jitter=80)  # 80 packets on, one turn
    assert _forward(media) == (80, 76, 0.01)
    report_on(media, 0, highest=65_536 + 63, lost=-3)
    assert _forward(media) == (100, 100, 0.0)
    report_on(media, 0, highest=65_536 + 64)  # never sent
    assert _forward(media) == (100, 100, 0.0)


def _forward(media: MediaSession) -> tuple[int, int, float | None]:
    assert media.forward is not None
    return media.forward.sent, media.forward.received, media.forward.jitter


def test_our_report_tells_what_came() -> None:
    """Loss, highest, jitter and the time since the peer's report stand in ours."""
    media = session()
    heard(media, [0, 1, 3])
    media.take_rtcp(encode_report(Report(FAR, (), 0x1122_3344_5566_7788, 0, 0, 0), "f"), 50 * MS)
    (report,) = parse_rtcp(media.report(1050 * MS))
    (block,) = report.blocks
    assert (block.ssrc, block.lost, block.fraction) == (FAR, 1, 64)
    assert block.highest == 65_533
    assert (block.lsr, block.dlsr) == (0x3344_5566, 65_536)
    assert parse_rtcp(media.goodbye(1060 * MS))[0].blocks[0].fraction == 0


def test_uneven_sending_of_our_own_is_known() -> None:
    """When our loop was late, our own jitter says so."""
    media = session()
    for n in range(50):
        media.packet(n * 20 * MS + (n % 2) * 15 * MS)
    assert media.own_jitter > 0.012


def test_memory_is_bounded() -> None:
    """An hour of packets and reports keeps no more than ten seconds of times."""
    media = session()
    for n in range(5000):
        media.packet(n * 20 * MS)
        media.report(n * 20 * MS)
    assert len(media._sent_at) <= 512
    assert len(media._reported_at) <= 512


def test_first_packet_is_one() -> None:
    """A source of one packet: one expected, one received."""
    source = Reception.begin(read(far(0)), 0)
    assert (source.expected, source.received) == (1, 1)
