"""The timing wheel against a plain sorted list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vcmon.net.wheel import Wheel

ENTRIES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 999)), max_size=40)


@given(ENTRIES, st.integers(-1, 21), st.integers(1, 50))
def test_what_is_due_comes_oldest_first(
    entries: list[tuple[int, int]], tick: int, most: int
) -> None:
    """What waits for a tick until now is taken, in order, as many as asked for; the rest stays."""
    wheel: Wheel[int] = Wheel()
    for due, item in entries:
        wheel.put(due, item)
    ordered = [item for _, item in sorted(entries, key=lambda entry: entry[0])]
    count = sum(due <= tick for due, _ in entries)
    expected = ordered[: min(count, most)]
    assert wheel.take(tick, most) == expected
    assert expected + wheel.take(21, 100) == ordered


@given(ENTRIES, st.sets(st.integers(0, 999)))
def test_the_timer_is_set_for_who_still_waits(
    entries: list[tuple[int, int]], over: set[int]
) -> None:
    """The first tick is that of the first item that is not over; an empty wheel has none."""
    wheel: Wheel[int] = Wheel()
    for due, item in entries:
        wheel.put(due, item)
    assert wheel.first(over.__contains__) == min(
        (due for due, item in entries if item not in over), default=None
    )
    wheel.clear()
    assert wheel.first(over.__contains__) is None
    assert wheel.take(99, 99) == []
