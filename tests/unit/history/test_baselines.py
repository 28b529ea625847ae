"""What is normal for a link, from its last days: not moved by a bad one, nor for long by a move."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.filled_memory import fill_round_trips
from vcmon.errors import HistoryError
from vcmon.history.baselines import DAY, SCALE, SLOTS_LEAST, baseline, read_baselines
from vcmon.history.store import Store
from vcmon.model.baseline import Baseline

NOW = 1_795_401_667.0
SLOT = 300.0


def minutes(rtt: Callable[[float], float], days: float = 7) -> Iterator[tuple[float, float]]:
    """Five minutes up to NOW; ``rtt`` is asked by how many days ago they were."""
    for number in range(int(days * 288), 0, -1):
        at = NOW - SLOT * number + 1
        yield at, rtt((NOW - at) / DAY)


def test_a_steady_link_is_its_own_normal() -> None:
    """Where nothing ever changes, usual and high are the same and nothing is spread."""
    assert baseline(minutes(lambda _: 0.062), NOW) == Baseline(0.062, 0.062, 0.0)


def test_busy_hours_are_high_not_usual() -> None:
    """Six hours a day at 100 ms leave 62 usual and make 100 the high."""
    found = baseline(minutes(lambda ago: 0.100 if ago % 1 < 0.25 else 0.062), NOW)
    assert found == Baseline(0.062, 0.100, 0.0)


def test_half_an_hour_a_day_is_no_busy_hour() -> None:
    """Six five minutes of 288 are above a day's high, a seventh is in it."""
    assert _high_with(6) == 0.062
    assert _high_with(7) == 0.100


def _high_with(high: int) -> float:
    found = baseline(minutes(lambda ago: 0.100 if (ago % 1) * 288 < high + 0.5 else 0.062), NOW)
    assert found is not None
    return found.high


def test_a_weekend_is_not_what_is_normal() -> None:
    """Two quiet days of seven, and a holiday beside them, leave the high of work days."""
    quiet = {0, 1, 4}
    found = baseline(
        minutes(lambda ago: 0.100 if ago % 1 < 0.25 and int(ago) not in quiet else 0.062), NOW
    )
    assert found is not None
    assert found.high == 0.100


@pytest.mark.parametrize(("moved", "high"), [(2 + 6 / 288, 0.062), (2 + 7 / 288, 0.162)])
def test_a_move_is_normal_on_the_third_day(moved: float, high: float) -> None:
    """100 ms more are far off for two days and half an hour, then they are how this link is."""
    found = baseline(minutes(lambda ago: 0.162 if ago < moved else 0.062), NOW)
    assert found is not None
    assert (found.high, found.spread) == (high, 0.0)


def test_the_spread_is_that_of_the_days() -> None:
    """Highs of 60, 62 ... 72 ms: the five busiest lie 2 ms apart, so 2 is their deviation."""
    found = baseline(minutes(lambda ago: 0.060 + 0.002 * int(ago)), NOW)
    assert found is not None
    assert found.high == pytest.approx(0.068)
    assert found.spread == pytest.approx(SCALE * 0.002)


def test_too_few_days_teach_nothing() -> None:
    """Five days with half of their five minutes make a normal; one less, or one slot, does not."""
    whole = list(minutes(lambda _: 0.062, 4))
    fifth = [(NOW - 5 * DAY + SLOT * number + 1, 0.062) for number in range(SLOTS_LEAST)]
    assert baseline(whole, NOW) is None
    assert baseline([*fifth, *whole], NOW) is not None
    assert baseline([*fifth[1:], *whole], NOW) is None
    assert baseline([], NOW) is None


def test_what_is_older_or_yet_to_come_does_not_count() -> None:
    """A week and no more: days before it, and what a clock that was ahead stamped, are left out."""
    old = [(NOW - 7 * DAY - SLOT * n, 9.0) for n in range(1, 400)]
    ahead = [(NOW + 60 + SLOT * n, 9.0) for n in range(400)]
    assert baseline([*old, *minutes(lambda _: 0.062), *ahead], NOW) == Baseline(0.062, 0.062, 0.0)


def test_the_memory_is_read_by_five_minutes(tmp_path: Path) -> None:
    """Means of what was sampled, in seconds; nothing for who is unknown or was never answered."""
    path = tmp_path / "m.db"
    fill_round_trips(path, "a", NOW, lambda _: 0.0625)
    store = Store.open(path)
    rows = store.round_trips("endpoint:a", NOW - 3600, NOW)
    assert store.round_trips("endpoint:nobody", 0, NOW) == []
    store.close()
    assert [rtt for _, rtt in rows] == [0.0625] * 11  # the last five minutes go on
    assert all(NOW - 3600 <= at < NOW and at % 300 == 0 for at, _ in rows)
    assert read_baselines(path, ["a", "nobody"], NOW) == {
        "a": Baseline(0.0625, 0.0625, 0.0),
        "nobody": None,
    }


def test_no_file_is_told() -> None:
    """Where there is no memory, or not ours, the caller hears of it."""
    with pytest.raises((sqlite3.Error, HistoryError)):
        read_baselines(Path("/nonexistent/m.db"), ["a"], NOW)


async def test_reading_a_country_stops_nobody(tmp_path: Path) -> None:
    """38 endpoints over eight days take half a second of a thread, and the loop goes on."""
    path = tmp_path / "m.db"
    names = [f"e{number}" for number in range(38)]
    await asyncio.to_thread(_fill, path, names)
    begun, ticks = time.perf_counter(), 0
    reading = asyncio.create_task(asyncio.to_thread(read_baselines, path, names, NOW))
    worst, last = 0.0, begun
    while not reading.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        worst, last, ticks = max(worst, now - last), now, ticks + 1
    took = time.perf_counter() - begun
    assert len(await reading) == 38
    each = took / 38 * 1000
    record("baselines", f"{each:.1f} ms a link of 8 days, loop {worst * 1000:.0f} ms late at worst",
           "<= 20 ms a link", each <= 20)  # fmt: skip
    assert each <= 20
    assert ticks > 5


def _fill(path: Path, names: list[str]) -> None:
    for name in names:
        fill_round_trips(path, name, NOW, lambda _: 0.062)
