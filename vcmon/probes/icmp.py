"""ICMP echo: is the host there, and what do loss, delay and jitter look like?"""

from __future__ import annotations

from vcmon.config.params import IcmpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.icmp import Burst, BurstPlan
from vcmon.net.resolver import literal
from vcmon.probes.base import Told, Tools

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
    address = addresses[0]
    wait = tools.deadline.remaining()
    plan = paced(check.params, wait)
    with tools.phase("echo"):
        burst = await tools.pinger.burst(address, plan, patience(plan, wait))
    try:
        return _judged(check, tools, address, burst)
    except ProbeError:
        if len(addresses) > 1:
            tools.resolver.demote(check.address, address)
        raise


def begin(check: Check[IcmpParams], tools: Tools, tell: Told) -> bool:
    """The same for an address that needs no resolving, without a task: ``tell`` gets the verdict.

    False where it can't: the address is a name. Raises ProbeError where nothing can be sent.
    """
    if literal(check.address) is None:
        return False
    tools.phases["resolve"] = 0.0
    plan = paced(check.params, tools.deadline.seconds)

    def over(burst: Burst) -> None:
        tools.phases["echo"] = tools.deadline.elapsed()
        tell(lambda: _judged(check, tools, check.address, burst))

    tools.pinger.begin(check.address, plan, patience(plan, tools.deadline.seconds), over)
    return True


def patience(plan: BurstPlan, seconds: float) -> float:
    """How long each packet may wait, so that the last one's time ends with the run's."""
    return seconds - plan.spacing * (plan.packets - 1)


def _judged(check: Check[IcmpParams], tools: Tools, address: str, burst: Burst) -> Result:
    tools.detail["address"] = address
    tools.echo = burst.echo
    if burst.echo.received:
        return tools.up(check)
    if burst.offender:
        tools.detail["offender"] = burst.offender
    raise _failure(burst, address, tools)


def paced(params: IcmpParams, seconds: float) -> BurstPlan:
    """The burst as configured, sent closer together where ``seconds`` would not hold it."""
    gaps = params.packets - 1
    spacing = min(params.spacing, PACING_SHARE * seconds / gaps) if gaps else 0.0
    return BurstPlan(params.packets, spacing, params.size, params.dscp)


def _failure(burst: Burst, address: str, tools: Tools) -> ProbeError:
    if burst.fault is not None:
        return burst.fault
    seconds, resolving = tools.deadline.seconds, tools.phases["resolve"]
    if resolving > seconds / 2 and not tools.deadline.stalled():
        return ProbeError(
            Reason.DNS_FAILURE,
            Blame.LOCAL,
            f"expected the name to resolve at once, found it took {resolving:.1f} s "
            f"of {seconds:.1f} s: look at the resolver",
        )
    sent = burst.echo.sent
    return tools.deadline.expired(f"none of {sent} echo requests to {address} came back")
