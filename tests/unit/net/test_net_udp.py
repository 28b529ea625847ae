"""UDP requests: retransmitted by schedule, answered by the right peer, timed by the kernel."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.hostile import in_own_network
from tests.fakes.sip_peers import Address, UdpPeer, free_ports, silent, udp_peer
from vcmon.clock import SystemClock
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net import udp
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.udp import Reply, Retransmission, UdpSocket

QUICK = Retransmission(first=0.1)


def within(seconds: float) -> Deadline:
    clock = SystemClock()
    return Deadline(clock, LoopLag(clock), seconds)


def pong(data: bytes) -> str | None:
    return data.decode() if data.startswith(b"pong") else None


def echo(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.send(b"pong " + data, sender)


async def ask(
    port: int,
    seconds: float = 1.0,
    retransmission: Retransmission = QUICK,
    matches: Callable[[bytes], str | None] = pong,
) -> Reply[str]:
    with UdpSocket("127.0.0.1", port) as sock:
        return await sock.request(b"ping", matches, retransmission, within(seconds))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_answer_comes_with_its_round_trip(host: str) -> None:
    """One request, one answer: the time between is known, over IPv4 and IPv6."""
    with udp_peer(echo, host) as peer, UdpSocket(host, peer.port) as sock:
        assert sock.local[0] == host
        reply = await sock.request(b"ping", pong, QUICK, within(1.0))
    assert (reply.value, reply.transmissions, reply.ignored) == ("pong ping", 1, 0)
    assert reply.rtt is not None
    assert 0 < reply.rtt < 0.1


def test_default_schedule_fits_the_default_timeout() -> None:
    """T1 0.5 s, doubling, capped at T2 4 s (RFC 3261): 0, 0.5, 1.5, 3.5, 7.5, 11.5 ..."""
    pauses = list(Retransmission().pauses())
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 4.0]
    assert len(pauses) == udp.SENDINGS_MAX
    assert min(Retransmission(first=0.0).pauses()) >= udp.PAUSE_MIN


async def test_requests_go_out_at_0_and_half_and_one_and_a_half_seconds() -> None:
    """Within the default timeout of 2 s a silent peer is asked three times."""
    with udp_peer(silent) as peer:
        deadline = within(2.0)
        with pytest.raises(ProbeError) as caught, UdpSocket("127.0.0.1", peer.port) as sock:
            await sock.request(b"ping", pong, Retransmission(), deadline)
        assert (caught.value.reason, caught.value.blame) == (Reason.TIMEOUT, Blame.PATH)
        assert deadline.elapsed() == pytest.approx(2.0, abs=0.1)
        first = peer.received[0][0]
        sent = [at - first for at, _ in peer.received]
    assert sent == pytest.approx([0.0, 0.5, 1.5], abs=0.08)
    assert "3 requests" in caught.value.text


async def test_retransmitted_request_has_no_round_trip() -> None:
    """Which of two requests was answered? Nobody knows, so no time is told (Karn)."""

    def second(peer: UdpPeer, data: bytes, sender: Address) -> None:
        if len(peer.received) == 2:
            peer.send(b"pong", sender)

    with udp_peer(second) as peer:
        reply = await ask(peer.port)
    assert (reply.transmissions, reply.rtt) == (2, None)


async def test_what_does_not_match_is_ignored_and_counted() -> None:
    """Wrong answers before the right one do no harm."""

    def noisy(peer: UdpPeer, data: bytes, sender: Address) -> None:
        for junk in (b"", b"\xff" * 65_507, b"late pong"):
            peer.send(junk, sender)
        peer.send(b"pong", sender)

    with udp_peer(noisy) as peer:
        reply = await ask(peer.port)
    assert (reply.value, reply.ignored) == ("pong", 3)


async def test_what_is_not_understood_is_told_when_nothing_better_comes() -> None:
    """A peer that answers garbage is no silent one."""

    def picky(data: bytes) -> str | None:
        raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, "garbage")

    with udp_peer(echo) as peer, pytest.raises(ProbeError, match="garbage") as caught:
        await ask(peer.port, 0.25, matches=picky)
    assert caught.value.reason is Reason.PROTOCOL


async def test_answer_from_another_port_does_not_count() -> None:
    """The socket is connected: a stranger on the same host is not heard at all."""

    def elsewhere(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.stranger.sendto(b"pong", sender)

    with udp_peer(elsewhere) as peer, pytest.raises(ProbeError) as caught:
        await ask(peer.port, 0.3)
    assert caught.value.reason is Reason.TIMEOUT
    assert "answer something else" not in caught.value.text


async def test_flood_of_wrong_answers_is_not_parsed_for_ever() -> None:
    """After a thousand datagrams nothing more is looked at, and the deadline holds."""
    judged = []

    def count(data: bytes) -> str | None:
        judged.append(data)
        return None

    def flood(peer: UdpPeer, data: bytes, sender: Address) -> None:
        for _ in range(3_000):
            peer.send(b"junk", sender)

    with udp_peer(flood) as peer:
        begun = time.perf_counter()
        with pytest.raises(ProbeError):
            await ask(peer.port, 1.0, matches=count)
    assert len(judged) == udp.IGNORED_MAX
    assert time.perf_counter() - begun < 1.3


async def test_closed_port_is_refused_after_one_more_try() -> None:
    """Two refusals are DOWN within 0.1 s, long before the timeout."""
    deadline = within(2.0)
    with UdpSocket("127.0.0.1", free_ports().plain) as sock, pytest.raises(ProbeError) as caught:
        await sock.request(b"ping", pong, Retransmission(), deadline)
    assert (caught.value.reason, caught.value.blame) == (Reason.REFUSED, Blame.REMOTE)
    assert deadline.elapsed() == pytest.approx(0.1, abs=0.08)


async def test_one_refusal_then_an_answer_is_an_answer() -> None:
    """A daemon that restarts, or a forged ICMP error, makes no outage."""
    port = free_ports().plain
    with UdpSocket("127.0.0.1", port) as sock:
        asking = asyncio.ensure_future(sock.request(b"ping", pong, Retransmission(), within(2.0)))
        await asyncio.sleep(0.03)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            late.setblocking(False)
            data, sender = await asyncio.get_running_loop().sock_recvfrom(late, 100)
            late.sendto(b"pong", sender)
            reply = await asking
    assert (data, reply.value, reply.transmissions) == (b"ping", "pong", 2)


async def test_one_refusal_then_silence_is_refused() -> None:
    """What was said counts more than what was not: ICMP errors are rate limited."""
    port = free_ports().plain
    with UdpSocket("127.0.0.1", port) as sock:
        asking = asyncio.ensure_future(sock.request(b"ping", pong, Retransmission(), within(0.4)))
        await asyncio.sleep(0.03)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            with pytest.raises(ProbeError) as caught:
                await asking
    assert caught.value.reason is Reason.REFUSED


async def test_answer_that_lies_there_is_taken_however_late_we_look() -> None:
    """A loop that stalls past the deadline loses no answer, and adds nothing to its time."""
    with udp_peer(echo) as peer, UdpSocket("127.0.0.1", peer.port) as sock:
        asking = asyncio.ensure_future(sock.request(b"ping", pong, Retransmission(), within(0.2)))
        await asyncio.sleep(0)
        time.sleep(0.4)
        reply = await asking
    assert reply.rtt is not None
    assert reply.rtt < 0.1


def unanswerable(address: str, *setup: str) -> ProbeError:
    async def work() -> ProbeError:
        with pytest.raises(ProbeError) as caught, UdpSocket(address, 5060) as sock:
            await sock.request(b"ping", pong, QUICK, within(0.3))
        return caught.value

    return in_own_network(work, *setup)


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("true", Reason.NO_ROUTE),
        ("ip route add blackhole 192.0.2.0/24", Reason.NO_ROUTE),
        ("ip route add prohibit 192.0.2.0/24", Reason.PERMISSION),
        ("ip route add unreachable 192.0.2.0/24", Reason.NO_ROUTE),
    ],
)
def test_no_route_is_our_own_fault(setup: str, reason: Reason) -> None:
    """What our own kernel refuses was never sent: UNKNOWN, whoever the peer is."""
    error = unanswerable("192.0.2.1", setup)
    assert (error.reason, error.blame) == (reason, Blame.LOCAL)


def test_our_own_firewall_is_our_own_fault() -> None:
    """A packet dropped on our output hook is EPERM: UNKNOWN."""
    error = unanswerable(
        "192.0.2.1",
        "ip route add local 192.0.2.0/24 dev lo",
        "nft add table t; nft 'add chain t o {type filter hook output priority 0;}'; "
        "nft add rule t o udp dport 5060 drop",
    )
    assert (error.reason, error.blame) == (Reason.PERMISSION, Blame.LOCAL)


def test_firewall_of_theirs_is_the_path_s_fault() -> None:
    """ "Administratively prohibited" comes back as an ICMP error: not our fault."""
    error = unanswerable(
        "192.0.2.1",
        "ip route add local 192.0.2.0/24 dev lo",
        "nft add table t; nft 'add chain t i {type filter hook input priority 0;}'; "
        "nft add rule t i udp dport 5060 reject with icmp type admin-prohibited",
    )
    assert error.blame is Blame.PATH
    assert error.reason in {Reason.HOST_UNREACHABLE, Reason.FILTERED}


def test_without_descriptors_nothing_is_said_of_the_peer() -> None:
    """EMFILE is UNKNOWN."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ProbeError) as caught:
            UdpSocket("127.0.0.1", 5060)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (caught.value.reason, caught.value.blame) == (Reason.FD_EXHAUSTED, Blame.LOCAL)


async def test_what_is_no_address_is_our_own_fault() -> None:
    """A name, or the zone of an interface that isn't there, never becomes somebody's outage."""
    for address in ("codec.example", "fe80::1%nosuch"):
        with pytest.raises(ProbeError) as caught:
            UdpSocket(address, 5060)
        assert caught.value.blame is Blame.LOCAL


async def test_nothing_is_left_open() -> None:
    """Sockets and readers are gone after answers, timeouts and cancellations."""
    before = _open_sockets()
    with udp_peer(echo) as peer:
        await ask(peer.port)
        running = asyncio.ensure_future(ask(free_ports().plain, 5.0))
        await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert _open_sockets() == before


def _open_sockets() -> int:
    return sum(path.readlink().name.startswith("socket:") for path in _descriptors())


def _descriptors() -> list[Path]:
    return [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
