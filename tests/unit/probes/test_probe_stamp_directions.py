"""What answers to a stream say of each direction, by packets laid out by hand."""

from __future__ import annotations

import random

import pytest

from vcmon.probes.directions import Exchange, counts_itself, jitter, one_way, streams

MS = 1_000_000
OFFSET = 5_000_000 * MS  # the reflector's clock is that far ahead


def travelled(sent: int, lost_there: set[int], lost_back: set[int]) -> list[Exchange]:
    """The answers to so many packets, 20 ms apart, of which some are lost."""
    found, count = [], 0
    for number in range(1, sent + 1):
        if number in lost_there:
            continue
        left = number * 20 * MS
        arrived = left + 10 * MS + OFFSET
        if number not in lost_back:
            returned = arrived + 2 * MS
            back = returned - OFFSET + 15 * MS
            found.append(Exchange(number, count, left, arrived, returned, back, 46, 0))
        count += 1
    return found


def counts(sent: int, exchanges: list[Exchange]) -> tuple[int | None, ...]:
    there, back = streams(sent, exchanges)
    assert there is not None
    assert back is not None
    return there.sent, there.received, back.sent, back.received


@pytest.mark.parametrize("seed", range(50))
def test_loss_of_each_direction(seed: int) -> None:
    """Up to the last answer the counts are the truth, whatever was lost, the first ones too."""
    chance = random.Random(seed)
    there = {n for n in range(1, 101) if chance.random() < chance.choice((0.0, 0.1, 0.4))}
    back = {n for n in range(1, 101) if n not in there and chance.random() < 0.2}
    exchanges = travelled(100, there, back)
    last = max(each.number for each in exchanges)
    arrived = last - len({n for n in there if n <= last})
    assert counts(100, exchanges) == (last, arrived, arrived, len(exchanges))


def test_only_the_way_back_is_lossy() -> None:
    """A single answer proves how many arrived before it."""
    exchanges = travelled(50, set(), set(range(1, 50)))
    assert len(exchanges) == 1
    assert counts(50, exchanges) == (50, 50, 50, 1)


def test_a_counter_that_had_begun_before() -> None:
    """Of a reflector that counts all sessions together we know what lies between two answers."""
    exchanges = [e._replace(reflected=e.reflected + 1000) for e in travelled(50, {3, 20}, {1, 30})]
    assert counts(50, exchanges) == (49, 47, 47, 46)


def test_a_reflector_that_began_anew() -> None:
    """Numbers that can't be are no measurement, rather than a wrong one."""
    exchanges = travelled(50, set(), set())
    anew = [e._replace(reflected=e.reflected % 20) for e in exchanges]
    assert counts(50, anew) == (0, 0, 0, 0)
    wild = [e._replace(reflected=e.reflected * 80_000_000) for e in exchanges]
    assert counts(50, wild) == (0, 0, 0, 0)


def test_a_stateless_reflector() -> None:
    """Lost packets can't be told apart; where none is lost, both directions are whole."""
    whole = [e._replace(reflected=e.number) for e in travelled(50, set(), set())]
    assert not counts_itself(whole)
    assert counts(50, whole) == (50, 50, 50, 50)
    assert counts(50, whole[:-1]) == (0, 0, 0, 0)


def test_duplicates_are_not_more_than_all() -> None:
    """An answer that comes twice is one; a request that came twice makes no loss negative."""
    exchanges = travelled(50, {9}, set())
    assert counts(50, exchanges + exchanges[:5]) == (50, 49, 49, 49)
    there, _ = streams(50, [e._replace(reflected=e.reflected * 2) for e in exchanges[:20]])
    assert there is not None
    assert there.loss == 0.0


def test_times_without_a_common_clock() -> None:
    """Processing time and the clocks' offset are in neither round trip nor jitter."""
    exchanges = travelled(50, set(), set())
    assert {each.trip for each in exchanges} == {25 * MS}
    there, back = streams(50, exchanges)
    assert there is not None
    assert back is not None
    assert (there.jitter, back.jitter) == (0.0, 0.0)
    assert (there.dscp, back.dscp) == (46, 0)
    assert one_way(exchanges) == pytest.approx((0.010 + OFFSET / 1e9, 0.015 - OFFSET / 1e9))


def test_impossible_processing_times_are_left_out() -> None:
    """A reflector that stamps backwards, or longer than it all took, is not believed."""
    (one,) = travelled(1, set(), set())
    assert one._replace(returned=one.arrived - 1).trip == 27 * MS
    assert one._replace(returned=one.arrived + 60_000 * MS).trip == 27 * MS


def test_jitter_by_the_book() -> None:
    """RFC 3550 section 6.4.1, step by step: J += (|D| - J) / 16."""
    times = [(100, 0), (236, 120), (336, 240)]
    assert jitter(times, 1000) == pytest.approx((16 / 16 + (20 - 1) / 16) / 1e9)
    assert jitter(times[:1], 1000) is None


def test_a_clock_that_was_set() -> None:
    """No jitter is made of a step of either clock."""
    exchanges = travelled(50, set(), set())
    stepped = [
        e._replace(arrived=e.arrived + 900 * MS, returned=e.returned + 900 * MS)
        if e.number > 25
        else e
        for e in exchanges
    ]
    there, back = streams(50, stepped)
    assert there is not None
    assert back is not None
    assert (there.jitter, back.jitter) == (None, None)
    assert streams(50, exchanges, steady=False).forward == there._replace()


def test_no_answer_no_direction() -> None:
    """Nothing came back: nothing is known of either direction."""
    assert streams(50, []) == (None, None)
