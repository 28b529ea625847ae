"""Do large packets reach the endpoint, as video needs them, or vanish on the way?"""

from __future__ import annotations

from vcmon.config.params import MtuParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.mtu import PathMtu, sound
from vcmon.probes.base import Tools

HEADERS = 28
"""Bytes of the IPv4 and UDP (or ICMP) headers before a payload."""


async def probe(check: Check[MtuParams], tools: Tools) -> Result:
    """UP when every size passes or a router says which does; impaired when large ones vanish.

    Raises ProbeError when not even small packets are answered: a router's refusal or
    ``timeout``, blame PATH, or a fault of our own.
    """
    with tools.phase("resolve"):
        addresses = await tools.resolver.resolve(check.address, tools.deadline)
    address = addresses[0]
    tools.detail["address"] = address
    with tools.phase("sound"):
        found = await sound(
            address, [size + HEADERS for size in check.params.sizes], tools.deadline
        )
    if not found.received and not found.passed:
        if len(addresses) > 1:
            tools.resolver.demote(check.address, address)
        raise _silence(found, address, tools)
    return _judged(check, tools, found)


def _judged(check: Check[MtuParams], tools: Tools, found: PathMtu) -> Result:
    tools.detail["passed"] = found.passed
    if found.told:
        tools.detail["mtu"] = found.told
    if found.own:
        tools.detail["own_interface_below"] = found.own
    if not found.vanished:
        return tools.up(check)
    tools.detail["vanished"] = found.vanished
    tools.detail["message"] = (
        f"packets of {found.passed} bytes are answered, those of {found.vanished} and more vanish "
        "without a word: a path MTU black hole; have ICMP 'fragmentation needed' let through, or "
        "lower the MTU (MSS for TCP) at the tunnel"
    )
    return tools.result(check, Outcome.UP, Reason.MTU, Blame.PATH, impaired=True)


def _silence(found: PathMtu, address: str, tools: Tools) -> ProbeError:
    if found.refusal is not None:
        words = found.refusal.value.replace("_", " ")
        return ProbeError(found.refusal, Blame.PATH, f"{words}, says a router about {address}")
    return tools.deadline.expired(
        f"none of {found.sent} small echo requests to {address} came back"
    )
