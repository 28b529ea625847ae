"""The TCP probe: against real listeners, and real networks broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hostile import (
    Seen,
    hang_up,
    in_own_network,
    mute,
    prober,
    says,
    serving,
)
from vcmon.clock import SystemClock
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.tcp import Stream, connect

PATIENCE = 0.1  # how far over its deadline a run may go, seconds

ERROR_TIME = 1.5
"""Seconds: over loopback an ICMP error comes back before connect() has let go of the socket, so the
kernel only minds the one that the second SYN gets, after 1 s."""


def _free_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


async def _seen(timeout: float = 1.0, **params: object) -> Seen:
    async with prober() as run:
        return await run.run("tcp", timeout, **params)


def _deadline(seconds: float) -> Deadline:
    return Deadline(SystemClock(), LoopLag(SystemClock()), seconds)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_listening_port_is_up(host: str) -> None:
    """UP, with the phases resolve and connect, the address, and one transmission."""
    with serving(mute, host=host) as port:
        seen = await _seen(port=port, address=host)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK)
    assert seen.result is not None
    assert set(seen.result.phases) == {"resolve", "connect"}
    assert seen.result.detail["address"] == host
    assert seen.result.transmissions == 1
    assert not seen.result.impaired
    assert seen.elapsed < 1.0  # a stall of our own has it run again


async def test_a_service_that_speaks_first_is_up_at_once() -> None:
    """A banner ends the watch: nothing hung up."""
    with serving(says(b"220 ready\r\n")) as port:
        seen = await _seen(port=port)
    assert seen.outcome is Outcome.UP
    assert seen.result is not None
    assert not seen.result.impaired


async def test_a_closed_port_is_refused_by_the_peer() -> None:
    """DOWN refused, blame REMOTE, at once."""
    seen = await _seen(port=_free_port())
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.REFUSED, Blame.REMOTE)
    assert seen.elapsed < 1.0  # a stall of our own has it run again
    assert "127.0.0.1 port" in seen.text


async def test_accepted_and_dropped_at_once_is_impaired() -> None:
    """What a firewall or balancer does for a dead service: UP, but degraded with `reset`."""
    with serving(hang_up) as port:
        seen = await _seen(port=port)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.RESET)
    assert seen.result is not None
    assert seen.result.impaired
    assert "dead service" in seen.text


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("drop", Reason.TIMEOUT),
        ("reject with icmp type host-unreachable", Reason.HOST_UNREACHABLE),
        ("reject with icmp type net-unreachable", Reason.NET_UNREACHABLE),
        ("reject with icmp type admin-prohibited", Reason.HOST_UNREACHABLE),
        ("reject with tcp reset", Reason.REFUSED),
    ],
)
def test_what_the_network_says_is_theirs(rule: str, reason: Reason) -> None:
    """Silence and ICMP errors that come back blame the path, a reset the peer: DOWN."""
    timeout = 0.4 if rule == "drop" else ERROR_TIME
    seen = in_own_network(
        lambda: _seen(timeout, port=5060),
        "nft add table ip t",
        "nft 'add chain ip t in { type filter hook input priority 0; }'",
        f"nft add rule ip t in tcp dport 5060 {rule}",
    )
    blame = Blame.REMOTE if reason is Reason.REFUSED else Blame.PATH
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, reason, blame)
    assert seen.elapsed < timeout + PATIENCE


def test_prohibited_over_ipv6_is_filtered() -> None:
    """ICMPv6 keeps "administratively prohibited" apart: DOWN filtered, blame PATH."""
    seen = in_own_network(
        lambda: _seen(ERROR_TIME, port=5060, address="::1"),
        "nft add table ip6 t",
        "nft 'add chain ip6 t in { type filter hook input priority 0; }'",
        "nft add rule ip6 t in tcp dport 5060 reject with icmpv6 type admin-prohibited",
    )
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.FILTERED, Blame.PATH)


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ("true", Reason.NO_ROUTE),
        ("ip route add unreachable 192.0.2.0/24", Reason.NO_ROUTE),
        ("ip route add blackhole 192.0.2.0/24", Reason.NO_ROUTE),
        ("ip route add prohibit 192.0.2.0/24", Reason.PERMISSION),
    ],
)
def test_what_our_own_machine_refuses_is_unknown(route: str, reason: Reason) -> None:
    """No route of ours is never their outage: UNKNOWN, blame LOCAL, and what to look at."""
    seen = in_own_network(lambda: _seen(0.4, port=5060, address="192.0.2.1"), route)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.UNKNOWN, reason, Blame.LOCAL)
    assert "look at" in seen.text


def test_lost_syns_show_as_transmissions() -> None:
    """The first SYN lost: UP after the kernel's 1 s, with 2 transmissions: that is loss."""

    async def look() -> Seen:
        with socket.create_server(("127.0.0.1", 5060)):
            return await _seen(2.0, port=5060)

    seen = in_own_network(
        look,
        "nft add table ip t",
        "nft 'add chain ip t in { type filter hook input priority 0; }'",
        "nft add rule ip t in tcp dport 5060 'tcp flags & (syn|ack) == syn' "
        "limit rate over 1/hour burst 1 packets accept",
        "nft add rule ip t in tcp dport 5060 'tcp flags & (syn|ack) == syn' drop",
    )
    assert seen.outcome is Outcome.UP
    assert seen.result is not None
    assert seen.result.transmissions == 2
    assert seen.result.phases["connect"] > 0.9


@contextlib.contextmanager
def _no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    spare: list[int] = []
    try:
        with contextlib.suppress(OSError):
            while True:
                spare.append(os.dup(0))
        yield
    finally:
        for number in spare:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_no_descriptor_left_is_our_own_fault() -> None:
    """EMFILE is UNKNOWN fd_exhausted, and says which limit to raise."""
    with serving(mute) as port:
        async with prober() as run:
            await run.run("tcp", port=port)  # all imports done
            await asyncio.sleep(0.1)  # and its descriptors free on both sides
            with _no_descriptors():
                seen = await run.run("tcp", port=port)
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, Reason.FD_EXHAUSTED)
    assert "LimitNOFILE" in seen.text


async def test_a_refusing_address_hands_over_to_the_next_at_once() -> None:
    """Two addresses, the first refuses: the second is used without waiting 250 ms."""
    with serving(mute, host="::1") as port:
        stream = await connect(("127.0.0.1", "::1"), port, _deadline(1.0))
        stream.close()
        await asyncio.sleep(0.05)
    assert stream.peer == "::1"


def test_a_silent_address_is_overtaken_after_250_ms() -> None:
    """Two addresses, the first silent: the second is tried beside it after 250 ms and wins."""

    async def race() -> tuple[str, float]:
        with socket.create_server(("127.0.0.1", 5060)):
            deadline = _deadline(2.0)
            stream = await connect(("127.0.0.9", "127.0.0.1"), 5060, deadline)
            stream.close()
            return stream.peer, deadline.elapsed()

    peer, elapsed = in_own_network(
        race,
        "nft add table ip t",
        "nft 'add chain ip t in { type filter hook input priority 0; }'",
        "nft add rule ip t in ip daddr 127.0.0.9 drop",
    )
    assert peer == "127.0.0.1"
    assert 0.24 < elapsed < 0.4


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (("192.0.2.1", "127.0.0.1"), Reason.REFUSED),  # no route there, refused here
        (("127.0.0.1", "192.0.2.1"), Reason.REFUSED),
        (("192.0.2.1", "192.0.2.2"), Reason.NO_ROUTE),
        (("192.0.2.1", "127.0.0.9"), Reason.TIMEOUT),
    ],
)
def test_several_addresses_fail_as_the_most_telling_one(
    addresses: tuple[str, ...], reason: Reason
) -> None:
    """A family we have no route for doesn't hide what the other family says."""

    async def fail() -> ProbeError:
        with pytest.raises(ProbeError) as caught:
            await connect(addresses, 5060, _deadline(0.4))
        return caught.value

    fault = in_own_network(
        fail,
        "nft add table ip t",
        "nft 'add chain ip t in { type filter hook input priority 0; }'",
        "nft add rule ip t in ip daddr 127.0.0.9 drop",
    )
    assert fault.reason is reason


async def _stream(port: int, seconds: float = 0.3) -> Stream:
    return await connect(("127.0.0.1",), port, _deadline(seconds))


async def test_reads_are_bounded_and_in_order() -> None:
    """read, readuntil and readexactly give what came, in order; the end of the stream is b""."""
    with serving(says(b"one\r\ntwo\r\nthree", then_close=True)) as port:
        stream = await _stream(port)
        assert await stream.readuntil(b"\r\n", 100) == b"one\r\n"
        assert await stream.readexactly(2) == b"tw"
        assert await stream.readuntil(b"\r\n", 100) == b"o\r\n"
        assert await stream.read(3) == b"thr"
        assert await stream.readexactly(2) == b"ee"
        assert await stream.read(10) == b""
        with pytest.raises(ProbeError) as caught:
            await stream.readuntil(b"\r\n", 100, "status line")
        assert caught.value.reason is Reason.RESET
        assert "status line" in caught.value.text
        stream.close()


async def test_a_line_over_its_limit_is_a_protocol_fault() -> None:
    """No separator within the limit: `protocol`, with the beginning of what came."""
    with serving(says(b"x" * 5000)) as port:
        stream = await _stream(port)
        with pytest.raises(ProbeError) as caught:
            await stream.readuntil(b"\r\n", 1000, "status line")
        stream.close()
    assert (caught.value.reason, caught.value.blame) == (Reason.PROTOCOL, Blame.REMOTE)
    assert "1000 bytes without an end of status line" in caught.value.text


async def test_silence_after_the_connect_is_their_timeout() -> None:
    """The connection stood, so the timeout is REMOTE's, and says what was waited for."""
    with serving(mute) as port:
        stream = await _stream(port, 0.2)
        with pytest.raises(ProbeError) as caught:
            await stream.read(10, "SIP answer")
        stream.close()
    assert (caught.value.reason, caught.value.blame) == (Reason.TIMEOUT, Blame.REMOTE)
    assert "SIP answer" in caught.value.text


async def test_a_peer_that_reads_nothing_can_not_hold_a_write() -> None:
    """Megabytes to a peer that never reads: timeout within the deadline, not a hang."""
    with serving(mute) as port:
        deadline = _deadline(0.3)
        stream = await connect(("127.0.0.1",), port, deadline)
        with pytest.raises(ProbeError) as caught:
            await stream.write(b"x" * (16 << 20))
        stream.close()
    assert (caught.value.reason, caught.value.blame) == (Reason.TIMEOUT, Blame.REMOTE)
    assert deadline.elapsed() < 0.3 + PATIENCE


async def test_cancelling_a_connect_leaves_no_socket() -> None:
    """The engine may stop at any time: every socket of a connect under way is closed."""
    with serving(mute) as port:
        (await _stream(port)).close()
        await asyncio.sleep(0.05)
        for turns in range(8):
            connecting = asyncio.ensure_future(connect(("127.0.0.1", "::1"), port, _deadline(1)))
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            await asyncio.wait({connecting})
            if not connecting.cancelled():
                connecting.result().close()
        await asyncio.sleep(0.05)
        ours = [sock for sock in _connected_to(port) if sock.startswith("127.0.0.1")]
    assert ours == []


def _connected_to(port: int) -> list[str]:
    """Local ends of this machine's TCP connections to ``port`` on 127.0.0.1."""
    wanted = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [f"127.0.0.1 {row[1]} {row[3]}" for row in rows if row[2] == wanted]
