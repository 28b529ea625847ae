"""One audio stream in both directions and what it measures (RFC 3550), sans-I/O.

Our packets are silence that carries marks in its quietest bit, so that an echo of them is known;
of what the peer sends nothing is kept but counts and times. All times are monotonic nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vcmon.model.result import Direction
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
from vcmon.wire.sdp import Codec

RATE = 8_000
"""Timestamp units a second (PCMU, PCMA)."""

SAMPLES = 160
"""Samples, and bytes, of a packet: 20 ms."""

SOURCES_MAX = 4
"""Sources counted; a call has one, and a second one after a transfer."""

REMEMBERED = 512
"""Packets and reports of ours whose sending time is remembered: 10 s, more than any echo takes."""

RTTS_MAX = 64
"""Round trips kept; reports come every few seconds."""

DROPOUT_MAX, MISORDER_MAX = 3_000, 100
"""Jumps of the sequence number that are loss, and lateness (RFC 3550 A.1); others are a restart."""

NONCE_BITS, COUNTER_BITS = 64, 32

RTT_MAX = 60_000_000_000
"""Nanoseconds; a peer that claims a longer round trip tells nonsense."""


@dataclass(slots=True)
class Reception:
    """What came from one source: RFC 3550 A.1, A.3 and A.8, and duplicates told apart."""

    base: int
    highest: int = 0  # extended
    received: int = 0  # each packet once
    duplicates: int = 0
    jitter: float = 0.0  # units of the timestamp
    skipped: int = 0  # sequence numbers that a restart of the source jumped over
    _seen: int = 0  # bit n: packet highest - n came
    _transit: int = 0
    _restart: int = -1

    @classmethod
    def begin(cls, packet: RtpPacket, at: int) -> Reception:
        """From the first packet on."""
        source = cls(packet.sequence, packet.sequence)
        source.received = source._seen = 1
        source._transit = _units(at) - packet.timestamp
        return source

    @property
    def expected(self) -> int:
        """Packets that were sent between the first and the last that came."""
        return self.highest - self.base + 1 - self.skipped

    def take(self, packet: RtpPacket, at: int) -> None:
        """Count one more."""
        ahead = (packet.sequence - self.highest) & 0xFFFF
        if ahead == 0 or ahead >= 0x10000 - MISORDER_MAX:
            back = -ahead & 0xFFFF
            if self._seen >> back & 1 or self.highest - back < self.base:
                self.duplicates += 1  # or older than all: not ours to count
                return
            self._seen |= 1 << back
        elif ahead < DROPOUT_MAX or packet.sequence == self._restart:
            if packet.sequence == self._restart:
                self.skipped += ahead - 1  # the one that announced the restart was left out
            self.highest += ahead
            self._seen = (self._seen << min(ahead, MISORDER_MAX + 1) | 1) & (
                (1 << MISORDER_MAX + 1) - 1
            )
            self._restart = -1
        else:
            self._restart = (packet.sequence + 1) & 0xFFFF
            return
        self.received += 1
        transit = _units(at) - packet.timestamp
        difference = (transit - self._transit + (1 << 31) & 0xFFFF_FFFF) - (1 << 31)
        self._transit = transit
        self.jitter += (abs(difference) - self.jitter) / 16


@dataclass(slots=True)
class Heard:
    """What the peer's reports say of our packets."""

    reports: int = 0
    at: int = 0  # when the last report came
    highest: int | None = None  # the last of our packets that it got, from 0 on
    lost: int = 0
    jitter: float = 0.0  # seconds


@dataclass(slots=True)
class MediaSession:
    """The stream. ``ssrc``, ``sequence``, ``timestamp`` and ``nonce`` are random numbers.

    ``epoch`` is added to monotonic nanoseconds to make wall time.
    """

    codec: Codec
    ssrc: int
    sequence: int  # of the first packet, 16 bits
    timestamp: int  # of the first packet, 32 bits
    nonce: int  # 64 bits
    epoch: int
    cname: str
    sent: int = 0
    echoed: int = 0
    foreign: int = 0  # datagrams that were no packets of this stream
    first_at: int | None = None
    last_at: int | None = None
    dscp: int | None = None  # of the last packet that came
    loops: list[float] = field(default_factory=list)  # seconds from mark to echo
    rtts: list[float] = field(default_factory=list)  # seconds, by RTCP
    heard: Heard = field(default_factory=Heard)
    sources: dict[int, Reception] = field(default_factory=dict)
    own_jitter: float = 0.0  # seconds, by which our own sending was uneven
    _own_transit: int | None = None
    _sent_at: dict[int, int] = field(default_factory=dict)  # by counter
    _reported_at: dict[int, int] = field(default_factory=dict)  # by LSR
    _their_report: dict[int, tuple[int, int]] = field(default_factory=dict)  # LSR, when it came
    _intervals: dict[int, tuple[int, int]] = field(default_factory=dict)  # expected, received

    # ---- what we send

    def packet(self, now: int) -> bytes:
        """The next packet of ours."""
        counter = self.sent
        self.sent += 1
        _remember(self._sent_at, counter, now)
        self._note_own(counter, now)
        zero, one = self.codec.zero, self.codec.one
        bits = f"{self.nonce:0{NONCE_BITS}b}{counter:0{COUNTER_BITS}b}"
        marks = bytes(one if bit == "1" else zero for bit in bits)
        return encode_rtp(
            RtpPacket(
                self.codec.payload_type,
                (self.sequence + counter) & 0xFFFF,
                (self.timestamp + counter * SAMPLES) & 0xFFFF_FFFF,
                self.ssrc,
                marks + bytes([zero]) * (SAMPLES - len(marks)),
                marker=counter == 0,
            )
        )

    def report(self, now: int) -> bytes:
        """What we sent, and what we got of the peer."""
        ntp = ntp_of(now + self.epoch)
        _remember(self._reported_at, middle(ntp), now)
        blocks = tuple(self._block(ssrc, source, now) for ssrc, source in self.sources.items())
        elapsed = (now - self._first_sent(now)) * RATE // 1_000_000_000
        timestamp = (self.timestamp + elapsed) & 0xFFFF_FFFF
        octets = self.sent * SAMPLES
        return encode_report(
            Report(self.ssrc, blocks, ntp, timestamp, self.sent, octets), self.cname
        )

    def goodbye(self, now: int) -> bytes:
        """The last report of ours."""
        return self.report(now) + encode_goodbye(self.ssrc)

    def _first_sent(self, now: int) -> int:
        return next(iter(self._sent_at.values()), now)

    def _note_own(self, counter: int, now: int) -> None:
        transit = now - counter * SAMPLES * 1_000_000_000 // RATE
        if self._own_transit is not None:
            difference = abs(transit - self._own_transit) / 1e9
            self.own_jitter += (difference - self.own_jitter) / 16
        self._own_transit = transit

    def _block(self, ssrc: int, source: Reception, now: int) -> Block:
        before_expected, before_received = self._intervals.get(ssrc, (0, 0))
        expected = source.expected - before_expected
        lost = expected - (source.received - before_received)
        self._intervals[ssrc] = source.expected, source.received
        fraction = min(255, 256 * lost // expected) if expected > 0 and lost > 0 else 0
        lsr, at = self._their_report.get(ssrc, (0, now))
        dlsr = (now - at) * 65_536 // 1_000_000_000
        highest = source.highest & 0xFFFF_FFFF
        total = source.expected - source.received
        jitter = int(source.jitter)
        return Block(ssrc, fraction, total, highest, jitter, lsr, min(dlsr, 0xFFFF_FFFF))

    # ---- what comes; each raises ProbeError where it is no RTP or RTCP

    def take_rtp(self, data: bytes, at: int, dscp: int | None = None) -> None:
        """Take in one datagram from the peer's media port."""
        packet = parse_rtp(data)
        if packet.payload_type != self.codec.payload_type:
            self.foreign += 1
            return
        source = self.sources.get(packet.ssrc)
        if source is not None:
            source.take(packet, at)
        elif len(self.sources) < SOURCES_MAX:
            self.sources[packet.ssrc] = Reception.begin(packet, at)
        else:
            self.foreign += 1
            return
        self.first_at = at if self.first_at is None else self.first_at
        self.last_at = at
        self.dscp = dscp
        self._look_for_mark(packet.payload, at)

    def take_rtcp(self, data: bytes, at: int) -> None:
        """Take in one datagram from the peer's control port."""
        for report in parse_rtcp(data):
            if report.ssrc == self.ssrc:
                continue  # our own, mirrored
            self.heard.reports += 1
            self.heard.at = at
            if report.ntp and (
                report.ssrc in self.sources or len(self._their_report) < SOURCES_MAX
            ):
                self._their_report[report.ssrc] = middle(report.ntp), at
            for block in report.blocks:
                if block.ssrc == self.ssrc:
                    self._take_block(block, at)

    def _take_block(self, block: Block, at: int) -> None:
        highest = (block.highest - self.sequence) & 0xFFFF
        if highest >= self.sent:
            return  # none yet, or none of ours
        self.heard.highest = highest
        self.heard.lost = max(0, block.lost)
        self.heard.jitter = block.jitter / RATE
        sent_at = self._reported_at.get(block.lsr) if block.lsr else None
        if sent_at is None or len(self.rtts) >= RTTS_MAX:
            return
        # DLSR is rounded, and the peer's clock is its own: a short path can come out below zero.
        rtt = max(0, at - sent_at - block.dlsr * 1_000_000_000 // 65_536)
        if rtt <= RTT_MAX:
            self.rtts.append(rtt / 1e9)

    def _look_for_mark(self, payload: bytes, at: int) -> None:
        marks = payload[: NONCE_BITS + COUNTER_BITS]
        if len(marks) < NONCE_BITS + COUNTER_BITS:
            return
        one = self.codec.one
        if set(marks) - {self.codec.zero, one}:
            return
        value = int("".join("1" if byte == one else "0" for byte in marks), 2)
        if value >> COUNTER_BITS != self.nonce:
            return
        sent_at = self._sent_at.pop(value & ((1 << COUNTER_BITS) - 1), None)
        if sent_at is not None:
            self.echoed += 1
            self.loops.append((at - sent_at) / 1e9)

    # ---- what it makes

    @property
    def backward(self) -> Direction | None:
        """From the peer to us; None where nothing came."""
        if not self.sources:
            return None
        main = max(self.sources.values(), key=lambda source: source.received)
        return Direction(
            sent=sum(source.expected for source in self.sources.values()),
            received=sum(source.received for source in self.sources.values()),
            jitter=main.jitter / RATE,
            dscp=self.dscp,
        )

    @property
    def forward(self) -> Direction | None:
        """From us to the peer, as far as its last report reaches; None without a report of it."""
        if self.heard.highest is None:
            return None
        sent = self.heard.highest + 1
        return Direction(sent, max(0, sent - self.heard.lost), self.heard.jitter)

    @property
    def is_mirrored(self) -> bool:
        """Whether the peer sends our own packets back, so that the directions are one."""
        return self.ssrc in self.sources

    @property
    def is_heard(self) -> bool:
        """Whether the peer is known to have got anything of ours."""
        return self.heard.highest is not None or self.echoed > 0 or self.is_mirrored


def _units(at: int) -> int:
    return at * RATE // 1_000_000_000


def _remember(times: dict[int, int], key: int, now: int) -> None:
    times[key] = now
    if len(times) > REMEMBERED:
        del times[next(iter(times))]
