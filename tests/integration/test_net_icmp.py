"""The pinger on real sockets, in network namespaces of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.fakes.netns import NO_GROUP, Netns, join, netns
from tests.fakes.tunrouter import ROUTER4, ROUTER6, Behaviour, tun_router
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Echo, Reason
from vcmon.net.icmp import Burst, BurstPlan, Pinger
from vcmon.net.icmp_burst import REMEMBERED

NOBODY = 61200  # a uid and gid without any capability
V4, V6 = socket.AF_INET, socket.AF_INET6
ONE = BurstPlan(packets=1, spacing=0.0, size=56)
FIVE = BurstPlan(packets=5, spacing=0.01, size=56)


@pytest.fixture
def space() -> Iterator[Netns]:
    with netns() as made:
        yield made


def with_pinger(job: Callable[[Pinger], Awaitable[object]]) -> object:
    """Run ``job`` on a loop with an open pinger."""

    async def main() -> object:
        pinger = Pinger()
        pinger.open()
        try:
            return await job(pinger)
        finally:
            pinger.close()

    return asyncio.run(main())


@dataclass(frozen=True)
class Told:
    """A Burst that can be sent through a pipe."""

    echo: Echo
    fault: tuple[Reason, Blame] | None
    offender: str


def told(found: Burst) -> Told:
    fault = (found.fault.reason, found.fault.blame) if found.fault else None
    return Told(found.echo, fault, found.offender)


def burst(address: str, plan: BurstPlan = FIVE, timeout: float = 1.0) -> Told:
    """One burst of a fresh pinger."""
    found = with_pinger(lambda pinger: pinger.burst(address, plan, timeout))
    assert isinstance(found, Burst)
    return told(found)


def modes() -> tuple[str, str]:
    async def job(pinger: Pinger) -> tuple[str, str]:
        return pinger.mode(V4), pinger.mode(V6)

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def refusal(address: str) -> tuple[Reason, Blame, str]:
    try:
        burst(address)
    except ProbeError as error:
        return error.reason, error.blame, error.text
    raise AssertionError("the burst was not refused")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.4.5.6", "::1"])
@pytest.mark.parametrize("user", [0, NOBODY])
def test_unprivileged_socket(space: Netns, address: str, user: int) -> None:
    """A process without capabilities pings over DGRAM where its group may; root does the same."""
    assert space.call(modes, user=user) == ("dgram", "dgram")
    found = space.call(burst, address, user=user)
    assert (found.echo.sent, found.echo.received, found.fault) == (5, 5, None)
    assert len(found.echo.rtts) == 5
    assert all(0 < rtt < 0.01 for rtt in found.echo.rtts)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_raw_where_dgram_is_forbidden(address: str) -> None:
    """With the kernel's default ping_group_range, root falls back to RAW and it works."""
    with netns(NO_GROUP) as space:
        assert space.call(modes) == ("raw", "raw")
        found = space.call(burst, address)
    assert (found.echo.sent, found.echo.received, found.fault) == (5, 5, None)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_neither_is_allowed(address: str) -> None:
    """Without any right the burst says what to do, and it is our own fault."""
    with netns(NO_GROUP) as space:
        assert space.call(modes, user=NOBODY) == ("", "")
        reason, blame, text = space.call(refusal, address, user=NOBODY)
    assert (reason, blame) == (Reason.PERMISSION, Blame.LOCAL)
    assert f"sysctl -w net.ipv4.ping_group_range='{NOBODY} {NOBODY}'" in text
    assert "AmbientCapabilities=CAP_NET_RAW" in text


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("none", Reason.NO_ROUTE),
        ("unreachable", Reason.NO_ROUTE),
        ("blackhole", Reason.NO_ROUTE),
        ("prohibit", Reason.PERMISSION),
    ],
)
@pytest.mark.parametrize("address", ["10.9.9.9", "fd99::9"])
def test_our_own_routes_are_our_own_fault(
    space: Netns, kind: str, reason: Reason, address: str
) -> None:
    """No route, or one that refuses, is LOCAL with nothing sent: never somebody's outage."""
    if kind != "none":
        space.ip("route", "add", kind, f"{address}/{'128' if ':' in address else '32'}")
    found = space.call(burst, address)
    assert found.fault == (reason, Blame.LOCAL)
    assert (found.echo.sent, found.echo.received) == (0, 0)


def test_ipv6_switched_off(space: Netns) -> None:
    """Where IPv6 is switched off, its targets are a fault of our own and IPv4 goes on."""
    space.sysctl("net.ipv6.conf.all.disable_ipv6", "1")
    assert space.call(burst, "127.0.0.1").echo.received == 5
    fault = space.call(burst, "fd77::1").fault
    assert fault is not None
    assert fault[1] is Blame.LOCAL


def test_name_is_refused(space: Netns) -> None:
    """A name is refused at once: looking it up would block the loop."""
    reason, blame, _ = space.call(refusal, "localhost")
    assert (reason, blame) == (Reason.BUG, Blame.LOCAL)


def test_arp_without_answer_is_the_path(space: Netns) -> None:
    """A neighbour that nobody is makes host_unreachable, blame PATH, though we say it ourselves."""
    with netns() as other:
        join(space, other, "10.8.0")
        found = space.call(burst, "10.8.0.77", ONE, 5.0)
    assert found.fault == (Reason.HOST_UNREACHABLE, Blame.PATH)
    assert found.offender == "10.8.0.1"


@pytest.mark.parametrize(
    ("error", "reason", "blame"),
    [
        ((3, 0), Reason.NET_UNREACHABLE, Blame.PATH),
        ((3, 1), Reason.HOST_UNREACHABLE, Blame.PATH),
        ((3, 3), Reason.REFUSED, Blame.REMOTE),
        ((3, 13), Reason.FILTERED, Blame.PATH),
        ((11, 0), Reason.TTL_EXCEEDED, Blame.PATH),
    ],
)
@pytest.mark.parametrize("groups", ["0 2147483647", NO_GROUP])
@pytest.mark.parametrize("quoted", [28, 576])
def test_icmp_errors_tell_why(
    error: tuple[int, int], reason: Reason, blame: Blame, groups: str, quoted: int
) -> None:
    """A router's error ends the burst at once, with its reason and who said so."""
    behaviour = Behaviour(error=error, quoted=quoted)
    with netns(groups) as space, tun_router(space, {"10.77.1.0/24": behaviour}):
        begun = time.monotonic()
        found = space.call(burst, "10.77.1.1", FIVE, 5.0)
    assert time.monotonic() - begun < 2.0
    assert found.fault == (reason, blame)
    assert found.offender == ROUTER4
    assert (found.echo.sent, found.echo.received) == (5, 0)


@pytest.mark.parametrize(
    ("error", "reason", "blame"),
    [
        ((1, 0), Reason.NET_UNREACHABLE, Blame.PATH),
        ((1, 1), Reason.FILTERED, Blame.PATH),
        ((1, 3), Reason.HOST_UNREACHABLE, Blame.PATH),
        ((1, 4), Reason.REFUSED, Blame.REMOTE),
        ((3, 0), Reason.TTL_EXCEEDED, Blame.PATH),
    ],
)
@pytest.mark.parametrize("groups", ["0 2147483647", NO_GROUP])
def test_icmpv6_errors_tell_why(
    error: tuple[int, int], reason: Reason, blame: Blame, groups: str
) -> None:
    """ICMPv6 errors have their own numbers and the same reasons."""
    with netns(groups) as space, tun_router(space, {"fd77::1:0/112": Behaviour(error=error)}):
        found = space.call(burst, "fd77::1:1", FIVE, 5.0)
    assert found.fault == (reason, blame)
    assert found.offender == ROUTER6


def neighbours_of_errors(rounds: int) -> list[tuple[str, int, int, str]]:
    """Bursts to a live host beside one that brings ICMP errors: (who, got, sent, why)."""

    async def job(pinger: Pinger) -> list[tuple[str, int, int, str]]:
        found = []
        for _ in range(rounds):
            together = [pinger.burst(host, FIVE, 1.0) for host in ("10.77.1.1", "10.77.2.1")]
            for host, result in zip(("bad", "good"), await asyncio.gather(*together), strict=True):
                why = str(result.fault.reason) if result.fault else ""
                found.append((host, result.echo.received, result.echo.sent, why))
        return found

    result = with_pinger(job)
    assert isinstance(result, list)
    return result


@pytest.mark.parametrize("groups", ["0 2147483647", NO_GROUP])
def test_pending_error_hits_no_other_target(groups: str) -> None:
    """The kernel raises an earlier packet's error at the next call: no other target pays for it."""
    behaviours = {"10.77.1.0/24": Behaviour(error=(3, 1)), "10.77.2.0/24": Behaviour()}
    with netns(groups) as space, tun_router(space, behaviours):
        found = space.call(neighbours_of_errors, 40)
    assert set(found) == {("bad", 0, 5, "host_unreachable"), ("good", 5, 5, "")}


def blocked_loop(address: str) -> Told:
    async def job(pinger: Pinger) -> Burst:
        await asyncio.sleep(0.1)  # the kernel switches its receive stamps on a moment after open
        task = asyncio.ensure_future(pinger.burst(address, ONE, 0.1))
        await asyncio.sleep(0)
        time.sleep(0.2)
        return await task

    found = with_pinger(job)
    assert isinstance(found, Burst)
    return told(found)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("groups", ["0 2147483647", NO_GROUP])
def test_blocked_loop_costs_no_accuracy(address: str, groups: str) -> None:
    """A loop blocked for 200 ms: the RTT is off by at most 0.2 ms and nothing is lost."""
    with netns(groups) as space:
        found = space.call(blocked_loop, address)
    assert found.echo.received == 1
    assert found.echo.rtts[0] < 0.0002


def silence() -> tuple[float, Told, list[int]]:
    async def job(pinger: Pinger) -> tuple[float, Told, list[int]]:
        begun = time.monotonic()
        result = await pinger.burst("10.77.9.9", FIVE, 0.2)
        took = time.monotonic() - begun
        task = asyncio.ensure_future(pinger.burst("10.77.9.9", FIVE, 5.0))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        counters = [pinger.spoofed, pinger.late, pinger.duplicates, pinger.unmatched]
        return took, told(result), [*counters, pinger.in_flight]

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_silence_and_cancellation(space: Netns) -> None:
    """A silent host is loss 1.0 after its time; a cancelled burst is not waited for."""
    with tun_router(space, {}):
        took, found, counters = space.call(silence)
    assert 0.24 <= took < 0.4
    assert (found.echo.sent, found.echo.loss, found.fault) == (5, 1.0, None)
    assert counters == [0, 0, 0, 0, 0]


def overflow() -> tuple[Reason | None, Blame | None, int]:
    """A burst whose replies do not fit into a tiny queue while the loop sleeps."""

    async def job(pinger: Pinger) -> tuple[Reason | None, Blame | None, int]:
        sock = pinger._lanes[V4].socket.sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        plan = BurstPlan(60, 0.0, 1400)
        crowd = [asyncio.ensure_future(pinger.burst("127.0.0.1", plan, 0.05))]
        await asyncio.sleep(0)
        crowd.append(asyncio.ensure_future(pinger.burst("127.0.0.2", ONE, 0.05)))
        fault = (await asyncio.gather(*crowd))[1].fault
        if fault is None:
            return None, None, pinger.overflowed
        return fault.reason, fault.blame, pinger.overflowed

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_overflow_is_our_own_fault(space: Netns) -> None:
    """Replies that our own full queue lost prove nothing about the host."""
    reason, blame, overflowed = space.call(overflow)
    assert (reason, blame) == (Reason.BUFFERS, Blame.LOCAL)
    assert overflowed > 0


def close_under_way() -> tuple[str, str]:
    async def job(pinger: Pinger) -> tuple[str, str]:
        task = asyncio.ensure_future(pinger.burst("10.77.9.9", ONE, 5.0))
        await asyncio.sleep(0.01)
        pinger.close()
        said = []
        for burst_ in (task, pinger.burst("10.77.9.9", ONE, 5.0)):
            try:
                await burst_
            except ProbeError as error:
                said.append(str(error.blame))
        return said[0], said[1]

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_close_ends_what_is_under_way(space: Netns) -> None:
    """Closing ends a waiting burst, and refuses the next, with a fault of our own."""
    with tun_router(space, {}):
        assert space.call(close_under_way) == ("local", "local")


def dscp_seen() -> list[int]:
    """The DSCP of what a RAW socket sees of two bursts."""
    tap = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    tap.settimeout(1.0)

    async def job(pinger: Pinger) -> list[int]:
        await pinger.burst("127.0.0.1", BurstPlan(1, 0.0, 56, dscp=46), 1.0)
        await pinger.burst("127.0.0.1", BurstPlan(1, 0.0, 56, dscp=0), 1.0)
        packets = [tap.recv(100) for _ in range(4)]
        return [packet[1] >> 2 for packet in packets if packet[20] == 8]

    found = with_pinger(job)
    tap.close()
    assert isinstance(found, list)
    return found


def test_dscp_is_each_bursts_own(space: Netns) -> None:
    """Bursts on one socket are marked each with its own DSCP."""
    assert space.call(dscp_seen) == [46, 0]


def crowd_and_memory(targets: int) -> tuple[int, int, int]:
    """(replies, packets known right after, packets known after they are forgotten)."""

    async def job(pinger: Pinger) -> tuple[int, int, int]:
        crowd = [pinger.burst(f"127.1.{i // 250}.{i % 250 + 1}", ONE, 2.0) for i in range(targets)]
        got = sum(result.echo.received for result in await asyncio.gather(*crowd))
        lane = pinger._lanes[V4]
        known = len(lane.packets)
        lane.has_room(1, asyncio.get_running_loop().time() + REMEMBERED + 1)
        return got, known, len(lane.packets)

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_crowd_at_once_loses_nothing(space: Netns) -> None:
    """5,000 bursts started together all get their replies, and are forgotten later."""
    assert space.call(crowd_and_memory, 5000, user=NOBODY) == (5000, 5000, 0)


def too_many() -> tuple[str, int]:
    async def job(pinger: Pinger) -> tuple[str, int]:
        plan = BurstPlan(1000, 0.0, 16)
        crowd = [asyncio.ensure_future(pinger.burst("10.77.9.9", plan, 9.0)) for _ in range(60)]
        done, waiting = await asyncio.wait(crowd, timeout=2.0)
        refused = [task.exception() for task in done]
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert all(isinstance(error, ProbeError) for error in refused)
        return str(getattr(refused[0], "reason", "")), len(pinger._lanes[V4].packets)

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_packets_under_way_are_bounded(space: Netns) -> None:
    """More packets under way than there are sequence numbers: refused as our own fault."""
    with tun_router(space, {}):
        reason, known = space.call(too_many)
    assert reason == "buffers"
    assert known <= 49_152


def without_stamps() -> Told:
    """A burst where the kernel refuses to stamp a single packet."""

    async def job(pinger: Pinger) -> Burst:
        echo = pinger._lanes[V4].socket

        def refuses(*_: object) -> int:
            raise OSError(errno.EINVAL, "no such option")

        echo._sendmsg = refuses
        await asyncio.sleep(0.1)
        return await pinger.burst("127.0.0.1", FIVE, 1.0)

    found = with_pinger(job)
    assert isinstance(found, Burst)
    return told(found)


def test_a_kernel_without_stamps_of_sending_is_no_fault(space: Netns) -> None:
    """Where a packet's sending can't be stamped, our own clock tells, and nothing is lost."""
    found = space.call(without_stamps)
    assert (found.echo.sent, found.echo.received, found.fault) == (5, 5, None)
    assert max(found.echo.rtts) < 0.01


def crowded_turn() -> tuple[int, int]:
    """(refused, known and reserved) when more is begun in one turn than there are numbers."""

    async def job(pinger: Pinger) -> tuple[int, int]:
        plan = BurstPlan(100, 0.02, 16)
        refused = 0
        for number in range(700):
            try:
                pinger.begin(f"127.1.{number // 250}.{number % 250 + 1}", plan, 5.0, lambda _: None)
            except ProbeError:
                refused += 1
        lane = pinger._lanes[V4]
        most = len(lane.packets) + lane.reserved
        await asyncio.sleep(0.3)
        return refused, max(most, len(lane.packets) + lane.reserved)

    found = with_pinger(job)
    assert isinstance(found, tuple)
    return found


def test_numbers_are_kept_for_what_is_still_to_be_sent(space: Netns) -> None:
    """700 bursts of 100 at once: what has no sequence number is refused, and nothing hangs."""
    refused, most = space.call(crowded_turn)
    assert refused == 700 - 491
    assert most <= 49_152


def broken_socket() -> list[str]:
    """What ten bursts are told when the socket fails in the middle of a turn."""

    async def job(pinger: Pinger) -> list[str]:
        told: list[str] = []
        for _ in range(10):
            pinger.begin(
                "127.0.0.1", FIVE, 1.0,
                lambda b: told.append(str(b.fault.reason) if b.fault else ""),
            )  # fmt: skip

        def fails(_: object) -> None:
            raise OSError(errno.ENOBUFS, "no buffers")

        pinger._lanes[V4].socket.mark = fails  # type: ignore[method-assign,assignment]
        pinger._lanes[V4].count_stamps_anew = fails  # type: ignore[method-assign,assignment]
        await asyncio.sleep(0.3)
        return [*told, str(pinger.in_flight)]

    found = with_pinger(job)
    assert isinstance(found, list)
    return found


def test_a_broken_socket_strands_nobody(space: Netns) -> None:
    """Every burst of a turn that failed is told of a fault of our own; none waits for ever."""
    *told, in_flight = space.call(broken_socket)
    assert in_flight == "0"
    assert len(told) == 10
