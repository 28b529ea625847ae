"""ICMP echo: is the host there, and what do loss, delay and jitter look like?"""

from __future__ import annotations

from vcmon.config.params import IcmpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.icmp import Burst, BurstPlan
from vcmon.probes.base import Tools

PACING_SHARE = 0.5
"""Sending takes at most this share of the time left, so that every packet waits for its reply at
least as long; a burst that would take longer is sent closer together."""


async def probe(check: Check[IcmpParams], tools: Tools) -> Result:
    """UP when at least one packet of the burst came back; the whole burst keeps to the deadline.

    Raises ProbeError: what an ICMP error said, a fault of our own, or ``timeout``, blame PATH.
    Silence after a name took longer to resolve than the packets had left is ``dns_failure``,
    blame LOCAL: it proves nothing about the host.
    """
    with tools.phase("resolve"):
        addresses = await tools.resolver.resolve(check.address, tools.deadline)
    address = tools.detail["address"] = addresses[0]
    try:
        return await _ping(check, tools, address)
    except ProbeError:
        if len(addresses) > 1:
            tools.resolver.demote(check.address, address)
        raise


async def _ping(check: Check[IcmpParams], tools: Tools, address: str) -> Result:
    wait = tools.deadline.remaining()
    plan = paced(check.params, wait)
    with tools.phase("echo"):
        burst = await tools.pinger.burst(address, plan, wait - plan.spacing * (plan.packets - 1))
    tools.echo = burst.echo
    if burst.echo.received:
        return tools.up(check)
    if burst.offender:
        tools.detail["offender"] = burst.offender
    raise _failure(burst, address, wait, tools)


def paced(params: IcmpParams, seconds: float) -> BurstPlan:
    """The burst as configured, sent closer together where ``seconds`` would not hold it."""
    gaps = params.packets - 1
    spacing = min(params.spacing, PACING_SHARE * seconds / gaps) if gaps else 0.0
    return BurstPlan(params.packets, spacing, params.size, params.dscp)


def _failure(burst: Burst, address: str, wait: float, tools: Tools) -> ProbeError:
    if burst.fault is not None:
        return burst.fault
    if wait < tools.deadline.seconds / 2 and not tools.deadline.stalled():
        return ProbeError(
            Reason.DNS_FAILURE,
            Blame.LOCAL,
            f"expected the name to resolve at once, found it took {tools.phases['resolve']:.1f} s "
            f"of {tools.deadline.seconds:.1f} s: look at the resolver",
        )
    sent = burst.echo.sent
    return tools.deadline.expired(f"none of {sent} echo requests to {address} came back")
