"""The arithmetic of silence."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.fakes.inventory import check
from tests.fakes.results import down, result, up
from vcmon.config.asks import Asks
from vcmon.model.endpoint import Check
from vcmon.model.result import Echo, Outcome
from vcmon.state.loss import (
    FALSE_DOWN_LOG,
    HALF_LIFE,
    LOSS_CAP,
    Loss,
    observed,
    silence_log,
    tries,
)

ROUND_TRIP = 0.36  # 20 % each way


def asked(of: Check[Any]) -> Asks:
    found: Asks = of.params.asks(of.timeout)
    return found


def measured(sent: int, lost: int) -> Loss:
    loss = Loss()
    loss.add(0, sent, lost)
    return loss


@pytest.mark.parametrize(
    ("kind", "timeout", "count"),
    [("icmp", 2, 5), ("sip", 2, 3), ("sip", 1.5, 2), ("sip", 1.6, 3), ("dns", 2, 3), ("tcp", 2, 2),
     ("sips", 2, 2), ("tcp", 3.5, 3), ("stun", 2, 3), ("turn", 4, 3), ("turn", 2, 2),
     ("mtu", 10, 10), ("stamp", 4, 50), ("h323", 2, 2)],
)  # fmt: skip
def test_how_often_a_run_asks(kind: str, timeout: float, count: int) -> None:
    """Packets in a burst, T1 and RTO doubling (in each exchange's share), the kernel's SYNs."""
    assert tries(check("e", kind, timeout=timeout)) == count


@pytest.mark.parametrize(
    ("kind", "chance"),
    [("icmp", ROUND_TRIP**5), ("sip", ROUND_TRIP**3), ("tcp", ROUND_TRIP**2),
     ("https", 1 - (1 - ROUND_TRIP**2) ** 3), ("stun", ROUND_TRIP**3),
     ("turn", 1 - (1 - ROUND_TRIP**2) ** 2)],
)  # fmt: skip
def test_the_chance_of_a_silent_run(kind: str, chance: float) -> None:
    """A run is silent when every packet of one of its exchanges is lost."""
    assert math.exp(silence_log(check("e", kind), ROUND_TRIP)) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("kind", "transport", "count"),
    [("stun", "tcp", 2), ("stun", "tls", 3), ("turn", "udp", 2), ("turn", "tcp", 3),
     ("turn", "tls", 4), ("sip", "udp", 1), ("sip", "tcp", 2), ("sip", "tls", 3)],
)  # fmt: skip
def test_exchanges_go_by_the_transport(kind: str, transport: str, count: int) -> None:
    """A connection and its handshake come before the first question."""
    wanted = check("e", kind, transport=transport)
    assert asked(wanted).exchanges == count
    assert tries(wanted) == (2 if transport != "udp" or kind == "turn" else 3)


def test_what_h323_asks_decides_how_often() -> None:
    """RAS is asked again by our own timer; a call needs an answer beside the connection."""
    assert tries(check("e", "h323", ras="grq")) == 3
    call = check("e", "h323", setup=True)
    assert asked(call) == Asks(2, 2)
    assert asked(check("e", "h323")).exchanges == 1
    assert (call.params.gentle, check("e", "h323", ras="irq").params.gentle) == (30.0, 0.0)


@pytest.mark.parametrize(
    "kind",
    [
        "icmp",
        "sip",
        "tcp",
        "sip-tcp",
        "tls",
        "https",
        "sips",
        "dns",
        "stun",
        "turn",
        "stamp",
        "h323",
    ],
)
def test_three_runs_prove_a_cut_on_a_clean_link(kind: str) -> None:
    """On a link without loss the default three confirmations are enough for every kind."""
    clean = measured(60, 0).ratio
    first, again = silence_log(check("e", kind), clean), 4 * silence_log(check("e", kind), clean)
    assert first + 2 * again <= FALSE_DOWN_LOG


def test_observations_fade() -> None:
    """After one half-life an observation weighs half."""
    loss = measured(100, 50)
    loss.add(HALF_LIFE, 0, 0)
    assert (loss.sent, loss.lost) == (50, 25)


def test_the_ratio_is_capped() -> None:
    """However dead a link is, it counts as losing half: its outage must still be told."""
    assert measured(1000, 1000).ratio == LOSS_CAP


def test_what_results_tell() -> None:
    """Bursts tell their loss, retransmissions tell one packet each, failures nothing."""
    echo = Echo(5, 3)
    assert observed(result(Outcome.UP, echo=echo)) == (5, 2)
    assert observed(up()) == (1, 0)
    assert observed(down()) == (0, 0)
