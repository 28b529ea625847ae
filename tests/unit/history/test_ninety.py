"""Ninety days of a province: what colours a day, and what the figures say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.fakes.remembered import wib
from vcmon.history.ninety import NOTHING_SEEN, SHOWN, Day, ninety, read_ninety
from vcmon.history.rollup import RollUp
from vcmon.history.store import Store
from vcmon.model.memory import Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State

NOW = wib(2026, 11, 23, 12, 0)
TODAY = wib(2026, 11, 23, 0, 0)
DAY = 86400.0


def last(row: RollUp) -> Day:
    """What this row makes of today at noon."""
    return ninety([row], (), NOW, NOW).days[-1]


@pytest.mark.parametrize(
    ("row", "day"),
    [
        (RollUp(TODAY, up=43_200), Day(State.UP, 1.0, 0.0)),
        (RollUp(TODAY, up=43_141, down=59), Day(State.UP, 43_141 / 43_200, 0.0)),
        (RollUp(TODAY, up=43_140, down=60), Day(State.DOWN, 60 / 43_200, 0.0)),
        (RollUp(TODAY, up=43_140, down=30, unreachable=30), Day(State.DOWN, 60 / 43_200, 0.0)),
        (RollUp(TODAY, up=21_600, degraded=21_500, down=100), Day(State.DOWN, 100 / 43_200, 0.0)),
        (RollUp(TODAY, up=21_600, degraded=21_600), Day(State.DEGRADED, 0.5, 0.0)),
        (RollUp(TODAY, up=21_600, unknown=21_600), Day(State.UP, 0.5, 0.5)),
        (RollUp(TODAY, up=21_600), Day(State.UP, 0.5, 0.5)),
        (RollUp(TODAY, unknown=43_200), NOTHING_SEEN),
        (RollUp(TODAY), NOTHING_SEEN),
    ],
)
def test_worst_state_of_a_minute_colours_the_day(row: RollUp, day: Day) -> None:
    """A minute is enough, a second less is not; what nobody saw is never well."""
    assert last(row) == day


def test_days_without_a_row_were_not_seen() -> None:
    """Ninety days, the oldest first, and only today was watched."""
    found = ninety([RollUp(TODAY, up=43_200)], (), NOW, NOW)
    assert found.days == (*[NOTHING_SEEN] * (SHOWN - 1), Day(State.UP, 1.0, 0.0))


def test_what_is_not_rolled_up_yet_is_not_unknown() -> None:
    """Today counts as far as the roll-ups go: no hatch for the last minutes."""
    found = ninety([RollUp(TODAY, up=43_200)], (), NOW + 300, NOW)
    assert found.days[-1] == Day(State.UP, 1.0, 0.0)


def test_availability_is_exact() -> None:
    """Degraded is available, unreachable is not, unknown is neither."""
    row = RollUp(TODAY, up=1000, degraded=500, down=250, unreachable=250, unknown=9000)
    assert ninety([row], (), NOW, NOW).ratio == Fraction(3, 4)
    assert ninety([RollUp(TODAY, unknown=9000)], (), NOW, NOW).ratio is None


def test_read_from_the_memory(tmp_path: Path) -> None:
    """Down, then unreachable without a break is one outage; what goes on counts up to the roll."""
    store = Store.open(tmp_path / "m.db")
    began = NOW - 10 * DAY
    for at, state in (
        (began, State.UP),
        (began + DAY, State.DOWN),
        (began + DAY + 600, State.UNREACHABLE),
        (began + DAY + 4000, State.UP),
        (NOW - 900, State.DOWN),
    ):
        store.put(Interval("province:aceh", at, None, state, Reason.OK, Blame.NONE, known_at=at))
    store.roll(NOW)
    store.close()
    found = read_ninety(tmp_path / "m.db", ["province:aceh", "province:bali"], NOW)
    assert set(found) == {"province:aceh"}
    aceh = found["province:aceh"]
    assert (aceh.lost, aceh.longest, aceh.longest_at) == (2, 4000.0, began + DAY)
    assert aceh.ratio == 1 - Fraction(4900, 864_000)
    assert [day.worst for day in aceh.days[-11:]].count(State.DOWN) == 2
    assert aceh.days[:79] == (NOTHING_SEEN,) * 79
