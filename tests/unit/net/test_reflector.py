"""The reflector's judgement: who is answered, how often, and that it is of no use for ill."""

from __future__ import annotations

import random
from ipaddress import ip_network

import pytest

from vcmon.net.clock_quality import clock_error, judged
from vcmon.net.reflector import (
    BURST_SECONDS,
    IDLE,
    OVERALL_SHARE,
    SENDERS_MAX,
    SESSIONS_MAX,
    Packet,
    Reflector,
    Refusal,
)
from vcmon.wire.stamp import ErrorEstimate, Request, encode_request, parse_reply, to_ntp

NOW = 1_795_522_199_000_000_000


def reflector(rate: float = 500.0, *networks: str) -> Reflector:
    allowed = networks or ("192.0.2.0/24", "2001:db8::/64")
    return Reflector(tuple(map(ip_network, allowed)), rate, frozenset({18_620}))


def packet(
    host: str = "192.0.2.1", port: int = 40_000, *, ssid: int = 1, size: int = 172
) -> Packet:
    request = Request(1, to_ntp(NOW), ErrorEstimate(), ssid)
    return Packet(encode_request(request, size, 46)[:size], host, port, NOW, 34, 61)


def numbers(ours: Reflector, asked: list[Packet]) -> list[int]:
    answers = [ours.judge(each, 0.0) for each in asked]
    return [parse_reply(a.encode(NOW)).sequence for a in answers if a is not None]


def test_sessions_are_counted_apart() -> None:
    """Address, port and SSID each make another session, which begins with 0."""
    asked = [
        packet(),
        packet(),
        packet(port=40_001),
        packet(ssid=2),
        packet("192.0.2.2"),
        packet("2001:db8::1"),
        packet(),
    ]
    assert numbers(reflector(), asked) == [0, 1, 0, 0, 0, 0, 2]


def test_a_twamp_sender_is_one_session() -> None:
    """Random padding where STAMP has the session's id makes no session of each packet."""
    chance = random.Random(1)
    asked = [
        packet()._replace(data=packet().data[:14] + chance.randbytes(27 + 100)) for _ in range(5)
    ]
    ours = reflector()
    assert numbers(ours, asked) == [0, 1, 2, 3, 4]
    assert len(ours.sessions) == 1


def test_an_answer_tells_what_arrived() -> None:
    """Marks, TTL and moments as the kernel gave them; the answer is marked as the sender wants."""
    answer = reflector().judge(packet(), 0.0)
    assert answer is not None
    assert answer.dscp == 46
    reply = parse_reply(answer.encode(NOW + 7))
    assert (reply.dscp, reply.ttl, reply.received, reply.sent) == (34, 61, NOW, NOW + 7)
    plain = reflector().judge(packet(size=44), 0.0)
    assert plain is not None
    assert plain.dscp == 34  # mirrored where nothing was wanted


@pytest.mark.parametrize(
    "host", ["192.0.3.1", "10.0.0.1", "127.0.0.1", "::1", "2001:db8:0:1::1", "fe80::1%eth0"]
)
def test_strangers_get_nothing(host: str) -> None:
    """Who is not in an allowed network is not answered, and counted."""
    ours = reflector()
    assert ours.judge(packet(host), 0.0) is None
    assert ours.refused[Refusal.STRANGER] == 1
    assert len(ours.senders) == len(ours.sessions) == 0  # nor remembered


@pytest.mark.parametrize("port", [7, 19, 53, 862, 1023, 18_620])
def test_services_get_nothing(port: int) -> None:
    """Answers to a forged source would set a service upon us, or us upon another reflector."""
    ours = reflector()
    assert ours.judge(packet(port=port), 0.0) is None
    assert ours.refused[Refusal.PORT] == 1


def test_two_reflectors_don_t_play_ball() -> None:
    """A forged packet between two reflectors, on any ports, is answered once or twice, not ever."""
    one, two = reflector(), reflector()
    ball = packet("192.0.2.2", 50_000)
    for bounces in range(10):
        ours = (one, two)[bounces % 2]
        answer = ours.judge(ball, 0.0)
        if answer is None:
            break
        ball = Packet(answer.encode(NOW), "192.0.2.1", 50_000, NOW + 1000, 0, 60)
    assert bounces <= 2
    assert one.refused[Refusal.LOOP] + two.refused[Refusal.LOOP] == 1


def test_a_flood_is_answered_at_the_rate_only() -> None:
    """100,000 packets a second for two seconds get two seconds' worth of answers, and one burst."""
    ours = reflector(500.0)
    asked = packet()
    for tick in range(200_000):
        ours.judge(asked, tick / 100_000)
    assert 500 * 2 - 1 <= ours.answered <= 500 * (2 + BURST_SECONDS)
    assert ours.refused[Refusal.RATE] == 200_000 - ours.answered


def test_many_senders_share_what_there_is() -> None:
    """All together get four times the rate of one; one flood leaves three quarters to others."""
    ours = reflector(100.0)
    for tick in range(20_000):
        ours.judge(packet(f"192.0.2.{tick % 40 + 1}"), tick / 20_000)
    assert ours.answered <= 100 * OVERALL_SHARE * (1 + BURST_SECONDS)
    assert ours.refused[Refusal.OVERALL] > 0
    ours = reflector(100.0)
    for tick in range(10_000):
        ours.judge(packet(), tick / 10_000)
        if tick % 200 == 0:  # 50 a second, as a stream
            assert ours.judge(packet("192.0.2.2"), tick / 10_000) is not None


def test_memory_is_bounded() -> None:
    """Forged sessions and senders push out the oldest, never one that is in use."""
    ours = Reflector((ip_network("0.0.0.0/0"),), 1e9)
    for number in range(3 * SESSIONS_MAX):
        host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        assert ours.judge(packet(host, ssid=number & 0xFFFF), 0.0) is not None
        if number % 1000 == 0:
            assert numbers(ours, [packet("192.0.2.9")]) == [number // 1000]
    assert len(ours.sessions) == SESSIONS_MAX
    assert len(ours.senders) == SENDERS_MAX


def test_sessions_end() -> None:
    """A minute without a packet ends a session; its number begins anew, its place is free."""
    ours = reflector()
    assert numbers(ours, [packet(), packet(port=40_001)]) == [0, 0]
    answer = ours.judge(packet(), IDLE + 1.0)
    assert answer is not None
    assert answer.seen.sequence == 0
    assert len(ours.sessions) == 1


@pytest.mark.parametrize("size", [0, 1, 14, 40, 1473])
def test_no_test_packet(size: int) -> None:
    """What is too short for an answer of its length, or too long, gets none."""
    ours = reflector()
    assert ours.judge(packet()._replace(data=bytes(size)), 0.0) is None
    assert ours.refused[Refusal.MALFORMED] == 1


def test_what_was_not_sent_is_not_counted() -> None:
    """An answer that the kernel did not take is no answer."""
    ours = reflector()
    assert ours.judge(packet(), 0.0) is not None
    ours.unsent()
    counted = ours.counters()
    assert (counted["answered"], counted["not_unsent"], counted["sessions"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("state", "status", "trusted"),
    [(0, 0x2001, True), (5, 0x2001, False), (0, 0x40, False), (-1, 0, False)],
)
def test_the_kernel_s_word_on_our_clock(state: int, status: int, *, trusted: bool) -> None:
    """Synchronised only where the kernel says so, with the largest error that it admits to."""
    found = judged(state, status, 1500)
    assert found.trusted is trusted
    if state >= 0:
        assert 0.0015 <= found.seconds < 0.00152
    assert clock_error().multiplier > 0
