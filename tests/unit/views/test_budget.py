"""How often somebody may be wrong."""

from __future__ import annotations

import pytest

from vcmon.views.budget import KEYS_MAX, Budget, peer_key


def test_a_burst_then_one_by_one() -> None:
    """So many at once, then as many as the time brings; each key by itself."""
    budget = Budget(3, 0.5)
    assert [budget.take("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    assert budget.take("b", 100.0) == 0.0
    assert budget.take("a", 101.0) == 1.0
    assert budget.take("a", 102.0) == 0.0
    assert [budget.take("a", 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_what_was_right_costs_nothing() -> None:
    """Given back, it can be taken again; never more than the burst."""
    budget = Budget(1, 0.5)
    for _ in range(10):
        assert budget.take("a", 0.0) == 0.0
        budget.give_back("a")
    budget.give_back("a")
    budget.give_back("nobody")
    assert [budget.take("a", 0.0) > 0 for _ in range(2)] == [False, True]


def test_peers_without_number_take_no_room() -> None:
    """The bucket that was used the longest ago is forgotten."""
    budget = Budget(1, 0.001)
    for n in range(KEYS_MAX * 2):
        budget.take(str(n), 0.0)
        budget.take("steady", 0.0)
    assert len(budget._buckets) == KEYS_MAX
    assert budget.take("steady", 0.0) > 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002::/64"),
        ("2001:db8:1:2::ffff", "20010db800010002::/64"),
        ("fe80::1%eth0", "fe80000000000000::/64"),
        ("", ""),
    ],
)
def test_a_network_of_one_customer_is_one_peer(address: str, key: str) -> None:
    """IPv4 by address, IPv6 by its 64 bits: who has one address has them all."""
    assert peer_key(address) == key
