"""Which check of an endpoint its round trips are judged by."""

from __future__ import annotations

from vcmon.model.endpoint import Check, CheckId, measuring


def check(kind: str, name: str = "") -> Check[None]:
    return Check(CheckId("a", name or kind), "aceh", kind, "192.0.2.1", None, 10, 2, decides=True)


def test_one_check_measures() -> None:
    """Pings go before a reflector's answers, these before a call; the first of a kind counts."""
    icmp, stamp, call, sip = map(check, ("icmp", "stamp", "call", "sip"))
    assert measuring((sip, call, stamp, icmp)) is icmp
    assert measuring((sip, call, stamp)) is stamp
    assert measuring((sip, call)) is call
    assert measuring((sip,)) is None
    assert measuring((icmp, check("icmp", "icmp-besar"))) is icmp
