"""What routers say of a UDP packet reaches the SIP and DNS probes as a reason."""

from __future__ import annotations

import pytest

from tests.fakes.hostile import Seen, in_own_network, prober
from vcmon.model.result import Blame, Outcome, Reason


async def _seen(kind: str, address: str) -> Seen:
    async with prober() as run:
        return await run.run(kind, 1.2, address=address)


@pytest.mark.parametrize("kind", ["sip", "dns"])
@pytest.mark.parametrize(
    ("rule", "reason", "blame"),
    [
        ("drop", Reason.TIMEOUT, Blame.PATH),
        ("reject with icmp type host-unreachable", Reason.HOST_UNREACHABLE, Blame.PATH),
        ("reject with icmp type net-unreachable", Reason.NET_UNREACHABLE, Blame.PATH),
        ("reject with icmp type port-unreachable", Reason.REFUSED, Blame.REMOTE),
    ],
)
def test_an_icmp_error_is_the_reason(kind: str, rule: str, reason: Reason, blame: Blame) -> None:
    """Silence is timeout; each ICMP error has its own reason, told long before the timeout."""
    seen = in_own_network(
        lambda: _seen(kind, "127.0.0.1"),
        "nft add table ip t",
        "nft 'add chain ip t in { type filter hook input priority 0; }'",
        f"nft add rule ip t in udp dport '{{ 53, 5060 }}' {rule}",
    )
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, reason, blame)
    if rule != "drop":
        assert seen.elapsed < 1.0


@pytest.mark.parametrize("kind", ["sip", "dns"])
def test_prohibited_over_ipv6_is_filtered(kind: str) -> None:
    """ICMPv6's "administratively prohibited" is filtered."""
    seen = in_own_network(
        lambda: _seen(kind, "::1"),
        "nft add table ip6 t",
        "nft 'add chain ip6 t in { type filter hook input priority 0; }'",
        "nft add rule ip6 t in udp dport '{ 53, 5060 }' reject with icmpv6 type admin-prohibited",
    )
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.FILTERED, Blame.PATH)
