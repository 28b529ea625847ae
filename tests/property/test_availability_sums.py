"""Whatever happened: every millisecond is counted once, and the figure is never too good."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.remembered import REASONS
from vcmon.history.availability import Terms, availability, floor_percent
from vcmon.history.spans import Ruler, Spans, merged, overlap, total, without
from vcmon.model.memory import Counted, Interval
from vcmon.model.status import State

WIDE = 100_000
"""Milliseconds of the world that is tried: short, so that everything meets everything."""

moments = st.integers(-WIDE // 2, WIDE + WIDE // 2)
spans = st.lists(st.tuples(moments, moments), max_size=6).map(merged)
intervals = st.lists(
    st.builds(
        lambda start, length, state: Interval(
            "x",
            start / 1000,
            None if length is None else (start + length) / 1000,
            state,
            REASONS[state],
        ),
        moments,
        st.none() | st.integers(0, WIDE // 3),
        st.sampled_from(State),
    ),
    max_size=12,
)
rules = st.builds(
    lambda hours, maintenance, left_out, shortest, until: Terms(
        0, WIDE, hours, maintenance, left_out, shortest, until
    ),
    spans,
    spans,
    spans,
    st.integers(0, WIDE // 4),
    st.none() | moments,
)


def by_hand(one: Spans, other: Spans) -> tuple[set[int], set[int]]:
    """The milliseconds of both, one by one."""
    return (
        {at for start, stop in one for at in range(start, stop)},
        {at for start, stop in other for at in range(start, stop)},
    )


small = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6).map(merged)


@given(small, small, st.integers(-5, 65), st.integers(-5, 65))
def test_spans_are_sets(one: Spans, other: Spans, start: int, stop: int) -> None:
    """Overlap, difference and measure are those of sets of milliseconds."""
    first, second = by_hand(one, other)
    assert by_hand(overlap(one, other), without(one, other)) == (first & second, first - second)
    assert total(one) == len(first)
    assert Ruler(one).within(start, stop) == len(first & set(range(start, stop)))


@given(intervals, rules)
@settings(max_examples=300)
def test_everything_adds_up(states: list[Interval], terms: Terms) -> None:
    """The counts are the whole span, none is below nought, the share lies in 0 to 1."""
    figure = availability(states, terms)
    assert sum(figure.milliseconds.values()) == WIDE
    assert min(figure.milliseconds.values()) >= 0
    assert figure.ratio is None or 0 <= figure.ratio <= 1
    assert figure.coverage is None or 0 <= figure.coverage <= 1
    assert sum(each.counted for each in figure.outages) == figure.bad
    assert figure.count == sum(not each.short for each in figure.outages)


@given(intervals, rules, st.integers(0, WIDE))
@settings(max_examples=300)
def test_two_halves_are_the_whole(states: list[Interval], terms: Terms, cut: int) -> None:
    """Cut anywhere, the two parts' counts add up to those of the whole."""
    until = WIDE if terms.until is None else terms.until
    rest = (terms.hours, terms.maintenance, terms.left_out, terms.shortest, until)
    whole = availability(states, Terms(0, WIDE, *rest))
    left = availability(states, Terms(0, cut, *rest))
    right = availability(states, Terms(cut, WIDE, *rest))
    for each in Counted:
        parts = left.milliseconds[each] + right.milliseconds[each]
        assert parts == whole.milliseconds[each]


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_what_is_told_is_never_above_the_truth(good: int, bad: int) -> None:
    """The cut figure is at most the true one, and less than a hundredth of a per cent below it."""
    share = Fraction(good, good + bad)
    whole, hundredths = floor_percent(share)
    told = Fraction(whole * 100 + hundredths, 10_000)
    assert told <= share < told + Fraction(1, 10_000)
