"""What a sounding of the path's MTU concludes, without a network."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.figures import record
from vcmon.net.mtu import CHANCE, PAUSE, ROUNDS_MAX, SMALL, Ledger, chance

SIZES = (1228, 1328, 1428, 1500)
ROUND_TRIP = 0.64  # both ways of a link that loses a fifth each way


def sounded(passes: int, share: float, dice: random.Random) -> tuple[Ledger, int]:
    """The ledger after a sounding of a link that lets ``share`` of packets up to ``passes``
    through, and how many rounds it took.
    """
    ledger, number = Ledger(SIZES), 0
    for round_ in range(ROUNDS_MAX):
        for size in (SMALL, *ledger.open(), SMALL):
            number += 1
            ledger.note(number, size, round_ * PAUSE)
            if size <= passes and dice.random() < share:
                ledger.answered(number)
        found = ledger.found(1e9)
        if found.received and all(
            found.vanished and size >= found.vanished for size in ledger.open()
        ):
            return ledger, round_ + 1
    return ledger, ROUNDS_MAX


@given(st.integers(0, 60), st.integers(0, 40), st.data())
def test_the_chance_is_fishers(sent: int, large: int, data: st.DataObject) -> None:
    """The share of all ways to deal the answers in which no large packet gets one."""
    received = data.draw(st.integers(0, sent))
    ways = Fraction(comb(sent, received), comb(sent + large, received))
    assert chance((sent, received), large) == pytest.approx(float(ways))
    assert 0 < chance((sent, received), large) <= 1


@pytest.mark.parametrize(("share", "name"), [(1.0, "no loss"), (ROUND_TRIP, "20 % each way")])
def test_loss_makes_no_black_hole(share: float, name: str) -> None:
    """Of 20,000 soundings of a path without one, with loss or none, none finds one."""
    dice = random.Random(7)
    found = [sounded(9000, share, dice)[0].found(1e9) for _ in range(20_000)]
    false = sum(each.vanished > 0 for each in found)
    told = f"{false} of {len(found)}"
    record(f"path-mtu, {name}", told, "0 false black holes", false == 0)
    assert false == 0
    assert all(each.passed == 1500 for each in found[:100] if share == 1.0)


@pytest.mark.parametrize(("share", "most"), [(1.0, 10), (ROUND_TRIP, ROUNDS_MAX)])
def test_a_black_hole_is_found(share: float, most: int) -> None:
    """What vanishes from 1,300 bytes on is found: in ten rounds without loss, else as a rule."""
    dice = random.Random(8)
    runs = [sounded(1300, share, dice) for _ in range(200)]
    found = [ledger.found(1e9).vanished for ledger, _ in runs]
    assert found.count(1328) >= 0.9 * len(runs)
    assert set(found) <= {0, 1328, 1428, 1500}
    assert max(rounds for _, rounds in runs) <= most


def test_a_line_that_was_cut_meanwhile_is_no_black_hole() -> None:
    """Small packets of the first round answered, then nothing at all: that is loss, not size."""
    ledger = Ledger(SIZES)
    for number in range(1, 150):
        size = SMALL if number % 3 else 1500
        ledger.note(number, size, 0.0)
    ledger.answered(1)
    ledger.answered(2)
    assert ledger.found(9.0).vanished == 0


def test_what_a_router_says_explains_the_larger_ones() -> None:
    """ "Fragmentation needed" settles what is larger; what fits must still be seen to pass."""
    ledger = Ledger(SIZES)
    ledger.too_big(1500, 1400)
    assert ledger.open() == [1328, 1228]
    ledger.too_big(1428, 0)  # one that names no MTU
    assert ledger.told == 1400
    ledger.too_big(1428, 70_000)  # nonsense: it was refused, so it doesn't fit
    assert ledger.told == 1400
    ledger.note(1, 1328, 0.0)
    ledger.answered(1)
    assert ledger.open() == []


def test_what_may_still_come_back_is_not_lost() -> None:
    """A packet counts as lost after its time only, and as answered whenever it comes."""
    ledger = Ledger((1500,))
    for number in range(1, 41):
        ledger.note(number, SMALL if number <= 25 else 1500, 5.0)
    for number in range(1, 26):
        ledger.answered(number)
    assert ledger.found(5.1).vanished == 0
    assert ledger.found(7.0).vanished == 1500
    assert chance((25, 25), 15) < CHANCE
    ledger.answered(30)
    assert (ledger.found(8.0).vanished, ledger.found(8.0).passed) == (0, 1500)
