"""The ICMP probe against real sockets, in network namespaces of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.fakes.netns import NO_GROUP, Netns, netns
from tests.fakes.tunrouter import ROUTER4, Behaviour, tun_router
from vcmon.clock import SystemClock
from vcmon.config.params import IcmpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Echo, Outcome, Reason
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver, system_lookup
from vcmon.probes.base import Tools
from vcmon.probes.icmp import paced, probe

Lookup = Callable[[str], Sequence[str]]
ALIVE = {"10.77.1.0/24": Behaviour(delay=0.01)}


@dataclass(frozen=True)
class Told:
    """What one run said, fit for a pipe; ``outcome`` is None where it raised."""

    outcome: Outcome | None
    reason: Reason
    blame: Blame
    text: str
    elapsed: float
    echo: Echo | None
    phases: dict[str, float] = field(default_factory=dict)
    detail: dict[str, str | int | float | bool] = field(default_factory=dict)


async def run(check: Check[IcmpParams], tools: Tools) -> Told:
    outcome, text = None, ""
    try:
        result = await probe(check, tools)
        outcome, reason, blame = result.outcome, result.reason, result.blame
    except ProbeError as error:
        reason, blame, text = error.reason, error.blame, error.text
    phases, detail = dict(tools.phases), dict(tools.detail)
    return Told(outcome, reason, blame, text, tools.deadline.elapsed(), tools.echo, phases, detail)


def probed(
    address: str,
    timeout: float = 0.5,
    runs: int = 1,
    block: float = 0.0,
    lookup: Lookup = system_lookup,
) -> list[Told]:
    """Probe ``address`` so many times, one after the other; the loop is blocked in each."""

    async def main() -> list[Told]:
        clock = SystemClock()
        lag, pinger, resolver = LoopLag(clock), Pinger(), Resolver(clock, lookup)
        lag.start()
        pinger.open()
        check = Check(
            CheckId("e", "icmp"), "aceh", "icmp", address, IcmpParams(), 10.0, timeout, decides=True
        )
        found = []
        for _ in range(runs):
            deadline = Deadline(clock, lag, timeout)
            tools = Tools(clock, pinger, resolver, deadline, clock.wall())
            task = asyncio.ensure_future(run(check, tools))
            await asyncio.sleep(0.01)
            time.sleep(block)
            found.append(await task)
        lag.stop()
        resolver.close()
        pinger.close()
        return found

    return asyncio.run(main())


@pytest.fixture(scope="module")
def space() -> Iterator[Netns]:
    with netns() as made, tun_router(made, {**ALIVE, "10.77.2.0/24": Behaviour(error=(3, 13))}):
        yield made


def test_up(space: Netns) -> None:
    """A host that answers is UP, with its burst, its phases and the address that answered."""
    (found,) = space.call(probed, "10.77.1.1")
    assert (found.outcome, found.reason, found.blame) == (Outcome.UP, Reason.OK, Blame.NONE)
    assert found.echo is not None
    assert (found.echo.sent, found.echo.received) == (5, 5)
    assert found.echo.rtt is not None
    assert 0.01 <= found.echo.rtt < 0.02
    assert set(found.phases) == {"resolve", "echo"}
    assert found.detail == {"address": "10.77.1.1"}


def test_silence(space: Netns) -> None:
    """A silent host is a timeout, blame PATH, within the deadline, with its loss told."""
    (found,) = space.call(probed, "10.77.9.9")
    assert (found.outcome, found.reason, found.blame) == (None, Reason.TIMEOUT, Blame.PATH)
    assert "none of 5 echo requests to 10.77.9.9" in found.text
    assert 0.45 <= found.elapsed < 0.55
    assert found.echo is not None
    assert found.echo.loss == 1.0


def test_icmp_error(space: Netns) -> None:
    """An ICMP error is the reason, told early, with who said it."""
    (found,) = space.call(probed, "10.77.2.1", 2.0)
    assert (found.outcome, found.reason, found.blame) == (None, Reason.FILTERED, Blame.PATH)
    assert found.detail["offender"] == ROUTER4
    assert found.elapsed < 1.0


def test_no_route(space: Netns) -> None:
    """No route of our own is a local fault: never an outage."""
    (found,) = space.call(probed, "192.0.2.1")
    assert (found.outcome, found.reason, found.blame) == (None, Reason.NO_ROUTE, Blame.LOCAL)


def test_no_permission() -> None:
    """No right to open a socket is a local fault that says what to do."""
    with netns(NO_GROUP) as space:
        (found,) = space.call(probed, "127.0.0.1", user=61200)
    assert (found.outcome, found.reason, found.blame) == (None, Reason.PERMISSION, Blame.LOCAL)
    assert "ping_group_range" in found.text


def test_stalled_silence(space: Netns) -> None:
    """Silence while our own loop stalled is ``stall``: it proves nothing."""
    (found,) = space.call(probed, "10.77.9.9", 0.5, 1, 0.3)
    assert (found.outcome, found.reason, found.blame) == (None, Reason.STALL, Blame.LOCAL)


def test_stalled_answer(space: Netns) -> None:
    """A reply that came while our own loop stalled counts, with the RTT it had."""
    (found,) = space.call(probed, "10.77.1.1", 0.5, 1, 0.3)
    assert found.outcome is Outcome.UP
    assert found.echo is not None
    assert found.echo.rtt is not None
    assert found.echo.rtt < 0.02


def two_addresses(host: str) -> list[str]:
    return ["10.77.9.9", "10.77.1.1"]


def test_next_address_after_a_failure(space: Netns) -> None:
    """A name whose first address is silent is probed at its next address the next time."""
    first, second = space.call(probed, "codec.example", 0.5, 2, 0.0, two_addresses)
    assert (first.outcome, first.detail["address"]) == (None, "10.77.9.9")
    assert (second.outcome, second.detail["address"]) == (Outcome.UP, "10.77.1.1")


def slow_lookup(host: str) -> list[str]:
    time.sleep(0.35)
    return ["10.77.9.9"]


def test_slow_resolver_makes_no_outage(space: Netns) -> None:
    """When the resolver ate the time that packets need, silence is no outage."""
    (found,) = space.call(probed, "codec.example", 0.5, 1, 0.0, slow_lookup)
    assert (found.outcome, found.reason, found.blame) == (None, Reason.DNS_FAILURE, Blame.LOCAL)
    assert found.elapsed < 0.55


def test_pacing_keeps_to_the_deadline() -> None:
    """A burst too long for its deadline is sent closer together; a short one as configured."""
    assert paced(IcmpParams(), 2.0).spacing == 0.02
    long = paced(IcmpParams(packets=100), 2.0)
    assert long.spacing * 99 == pytest.approx(1.0)
    assert paced(IcmpParams(packets=1), 2.0).spacing == 0.0
    assert paced(IcmpParams(), 0.0).spacing == 0.0
