"""The way to an address, traced through routers in namespaces of their own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.fakes.chain import Chain, chain
from tests.fakes.figures import record
from tests.fakes.netns import NO_GROUP
from vcmon.clock import SystemClock
from vcmon.errors import ProbeError
from vcmon.model.path import Change, Route, compare
from vcmon.model.result import Blame, Reason
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.trace import HOPS_MAX, Patience, Traced, trace

ETH_P_ALL = 3  # what we send is seen by taps of every protocol only
NOBODY = 61200  # a uid and gid without any capability
SILENT = """chain mute { type filter hook output priority 0;
    icmp type { time-exceeded, destination-unreachable } drop
    icmpv6 type { time-exceeded, destination-unreachable } drop; }"""


@pytest.fixture(scope="module")
def country() -> Iterator[Chain]:
    with chain(4) as made:
        made.monitor.call(traced, made.end6)  # so that all know their neighbours
        yield made


@pytest.fixture(autouse=True)
def whole(country: Chain) -> None:
    """Each test begins without rules."""
    for number in range(1, 5):
        country.mend(number)


def traced(address: str, seconds: float = 5.0) -> tuple[Traced, float]:
    """A trace on a loop of its own, and the seconds that it took."""

    async def main() -> tuple[Traced, float]:
        clock = SystemClock()
        deadline = Deadline(clock, LoopLag(clock), seconds)
        return await trace(address, deadline, Patience()), deadline.elapsed()

    return asyncio.run(main())


def traced_all(wanted: tuple[str, ...]) -> list[Traced]:
    """Traces side by side."""

    async def main() -> list[Traced]:
        clock = SystemClock()
        lag = LoopLag(clock)
        return list(await asyncio.gather(*(trace(a, Deadline(clock, lag, 5.0)) for a in wanted)))

    return asyncio.run(main())


def addresses(found: Traced) -> list[str | None]:
    return [hop.address for hop in found.hops]


def route(found: Traced, *, healthy: bool) -> Route:
    return Route("e", "10.81.4.2", 0.0, healthy, found.hops, found.reached, found.why)


@pytest.mark.parametrize("user", [0, NOBODY])
@pytest.mark.parametrize("version", [4, 6])
def test_each_router_is_found(country: Chain, version: int, user: int) -> None:
    """Every router in its place and then the host, in no time, with no right but to ping."""
    end = country.end if version == 4 else country.end6
    found, seconds = country.monitor.call(traced, end, user=user)
    assert addresses(found) == [country.address(n, version) for n in range(1, 6)]
    assert (found.reached, found.why) == (True, Reason.OK)
    assert [hop.lost for hop in found.hops] == [0] * 5
    assert all(hop.rtt is not None and 0 < hop.rtt < 0.5 for hop in found.hops)
    assert found.sent <= 10  # the hops, and what was under way beyond the host
    assert seconds < 2.0


def test_with_a_raw_socket_too(country: Chain) -> None:
    """Where only RAW sockets are allowed the trace finds the same."""
    country.monitor.sysctl("net.ipv4.ping_group_range", NO_GROUP)
    try:
        four, _ = country.monitor.call(traced, country.end)
        six, _ = country.monitor.call(traced, country.end6)
    finally:
        country.monitor.sysctl("net.ipv4.ping_group_range", "0 2147483647")
    assert addresses(four) == [country.address(n) for n in range(1, 6)]
    assert addresses(six) == [country.address(n, 6) for n in range(1, 6)]


def test_a_cut_way_ends_where_it_is_cut(country: Chain) -> None:
    """Behind a router that forwards nothing the trace stops, and the two ways tell where."""
    ends = (country.end, country.end6)
    before = country.monitor.call(traced_all, ends)
    country.cut(2)
    for old, now, version in zip(
        before, country.monitor.call(traced_all, ends), (4, 6), strict=True
    ):
        assert addresses(now) == [country.address(n, version) for n in (1, 2)]
        assert (now.reached, now.why) == (False, Reason.TIMEOUT)
        verdict = compare(route(old, healthy=True), route(now, healthy=False))
        assert verdict.change is Change.STOPS
        assert verdict.stops_after == country.address(2, version)
        assert verdict.went_on_to == country.address(3, version)


def test_a_silent_router_does_not_stop_it(country: Chain) -> None:
    """A router that sends no ICMP is a gap in the list, with all its tries lost."""
    country.rules(3, SILENT)
    found, _ = country.monitor.call(traced, country.end)
    told = [country.address(n) for n in range(1, 6)]
    assert addresses(found) == [*told[:2], None, *told[3:]]
    assert found.hops[2].lost == 3
    assert found.reached


def test_a_refusal_ends_it_with_its_reason(country: Chain) -> None:
    """A router that says "prohibited" is the end of the way, at once, with what it said."""
    country.rules(
        2,
        """chain forward { type filter hook forward priority 0;
        ip daddr 10.81.4.2 reject with icmp admin-prohibited; }""",
    )
    found, seconds = country.monitor.call(traced, country.end)
    assert set(addresses(found)) == {country.address(1), country.address(2)}
    assert (found.reached, found.why) == (False, Reason.FILTERED)
    assert seconds < 2.0


def test_loss_on_the_way_is_not_the_end_of_it(country: Chain) -> None:
    """A fifth of the packets lost each way: whoever answers one of the tries is found."""
    country.rules(
        1,
        """chain forward { type filter hook forward priority 0;
        numgen random mod 100 < 20 drop; }""",
    )
    found, _ = country.monitor.call(traced, country.end)
    assert found.reached  # nine packets may get there, each thrice


def test_a_dead_address_costs_no_more_than_promised(country: Chain) -> None:
    """Nobody at all answers: a handful of packets, never more than 90, and no hop."""
    country.rules(1, SILENT, "chain forward { type filter hook forward priority 0; policy drop; }")
    found, seconds = country.monitor.call(traced, country.end)
    assert (found.hops, found.reached, found.why) == ((), False, Reason.TIMEOUT)
    assert found.sent == 24 <= HOPS_MAX * 3
    passed = seconds < 4.0
    record("path-dead", f"{seconds:.1f} s, {found.sent} packets", "<= 5 s, <= 90 packets", passed)
    assert passed


def flow(address: str) -> tuple[set[bytes], set[int]]:
    """What a trace's packets have in common on the wire (identifier and checksum), and their
    times to live.
    """
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as tap:
        tap.bind(("far", ETH_P_ALL))
        tap.settimeout(0.2)
        traced(address)
        seen, ttls = set(), set()
        with suppress(TimeoutError):
            while True:
                packet = tap.recv(2048)
                if packet[0] >> 4 == 4 and packet[9] == 1 and packet[20] == 8:  # echo requests
                    seen.add(packet[22:26])
                    ttls.add(packet[8])
    return seen, ttls


def test_every_packet_is_of_one_flow(country: Chain) -> None:
    """One identifier and one checksum: a router that shares load by flow sends all one way."""
    seen, ttls = country.monitor.call(flow, country.end)
    assert len(seen) == 1
    assert ttls >= {1, 2, 3, 4, 5}


def refusal(address: str) -> tuple[Reason, Blame]:
    try:
        traced(address)
    except ProbeError as error:
        return error.reason, error.blame
    raise AssertionError("it was traced")


def test_no_route_of_ours_is_our_own_fault(country: Chain) -> None:
    """Where our own machine has no route there is no trace, and nobody else is blamed."""
    assert country.monitor.call(refusal, "10.99.9.9") == (Reason.NO_ROUTE, Blame.LOCAL)


def test_it_ends_at_its_deadline(country: Chain) -> None:
    """A trace of a dead way with half a second ends after half a second."""
    country.cut(1)
    _, seconds = country.monitor.call(traced, country.end, 0.5)
    assert seconds < 1.5
