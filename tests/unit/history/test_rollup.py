"""Roll-ups: milliseconds in each state, by hand; packets; agreement with the intervals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.memory import DOWN, UP, interval
from vcmon.history import upkeep
from vcmon.history.rollup import DAYS, FIVE_MINUTES, GRAINS, HOURS, Span, times
from vcmon.history.store import Store
from vcmon.model.memory import Sample

A, CODEC = "province:aceh", "endpoint:aceh-codec"
NOON = datetime(2026, 10, 31, 12, tzinfo=UTC).timestamp()
KEEP = upkeep.Keep()


def quietly(_done: int, _of: int) -> None:
    pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    opened.close()


def test_times_are_cut_at_the_slots() -> None:
    """Each slot gets what lies in it: nothing twice, nothing lost, nothing beyond the question."""
    spans = [Span(0, 400_000, 0), Span(400_000, 500_000, 2), Span(700_000, None, 4)]
    found = times(spans, FIVE_MINUTES, 100_000, 950_000)
    assert found == {
        0: (200_000, 0, 0, 0, 0),
        1: (100_000, 0, 100_000, 0, 0),
        2: (0, 0, 0, 0, 200_000),
        3: (0, 0, 0, 0, 50_000),
    }


def test_a_slot_without_anything_is_left_out() -> None:
    """Where nothing is known there is no row, and so no coverage."""
    assert times([Span(0, 1, 0)], FIVE_MINUTES, 600_000, 900_000) == {}
    assert times([], DAYS, 0, 10**12) == {}


def test_a_day_is_a_day_in_jakarta() -> None:
    """The slot of 31 October WIB begins at 17.00 UTC on the 30th."""
    slot = DAYS.slot(int(NOON * 1000))
    begins = datetime.fromtimestamp(DAYS.start(slot) / 1000, UTC)
    assert begins == datetime(2026, 10, 30, 17, tzinfo=UTC)
    assert DAYS.start(slot + 1) - DAYS.start(slot) == 86_400_000


def test_a_roll_up_is_complete_to_the_last_five_minutes(store: Store) -> None:
    """What has not ended its five minutes waits; hour and day grow with each roll."""
    store.put(interval(A, NOON, UP))
    store.put(interval(A, NOON + 400, DOWN))
    store.beat(NOON + 1000)
    store.roll(NOON + 1000)
    (first, second, third) = store.totals(A, FIVE_MINUTES, NOON, NOON + 3600)
    assert (first.start, first.up, first.down) == (NOON, 300, 0)
    assert (second.up, second.down) == (100, 200)
    assert (third.up, third.down) == (0, 300)
    for grain in (HOURS, DAYS):
        (row,) = store.totals(A, grain, NOON - 86_400, NOON + 1)
        assert (row.up, row.down, row.unknown) == (400, 500, 0)
    assert store.rolled() == NOON + 900


def test_a_backdated_change_is_rolled_up_again(store: Store) -> None:
    """An onset that lies before the last roll changes what was rolled up."""
    store.put(interval(A, NOON, UP))
    store.roll(NOON + 600)
    store.put(interval(A, NOON + 540, DOWN))
    store.roll(NOON + 905)
    rows = store.totals(A, FIVE_MINUTES, NOON, NOON + 3600)
    assert [(row.up, row.down) for row in rows] == [(300, 0), (240, 60), (0, 300)]


def test_a_trim_takes_its_time_back(store: Store) -> None:
    """After a step back the roll-ups hold no second that has not happened."""
    store.put(interval(A, NOON, UP))
    store.roll(NOON + 86_400)
    store.trim(NOON + 700)
    store.put(interval(A, NOON + 700, DOWN))
    store.roll(NOON + 1200)
    rows = store.totals(A, FIVE_MINUTES, NOON, NOON + 90_000)
    assert [(row.up, row.down) for row in rows] == [(300, 0), (300, 0), (100, 200), (0, 300)]
    (day,) = store.totals(A, DAYS, NOON - 86_400, NOON + 90_000)
    assert (day.up, day.down) == (700, 500)


def test_packets_are_added_up(store: Store) -> None:
    """Samples of one slot are summed, jitter too; the longest round trip is the longest."""
    store.add_samples([Sample(CODEC, NOON, 5, 1, 80_000, 4, 30_000, 6_000, 3)])
    store.add_samples([Sample(CODEC, NOON + 299, 5, 0, 100_000, 5, 25_000, 1_000, 4),
                       Sample(CODEC, NOON + 300, 1, 1)])  # fmt: skip
    first, second = store.totals(CODEC, FIVE_MINUTES, NOON, NOON + 3600)
    assert first[6:] == (10, 1, 180_000, 9, 30_000, 7_000, 7)
    assert second[6:] == (1, 1, 0, 0, 0, 0, 0)
    (hour,) = store.totals(CODEC, HOURS, NOON, NOON + 1)
    assert hour[6:] == (11, 2, 180_000, 9, 30_000, 7_000, 7)


def test_rolling_up_leaves_packets_alone(store: Store) -> None:
    """Times are made anew, packets stay: they can't be had again."""
    store.add_samples([Sample(CODEC, NOON, 5, 1, 80_000, 4, 30_000)])
    store.put(interval(CODEC, NOON, UP))
    store.roll(NOON + 600)
    upkeep.rebuild(store, NOON + 600, KEEP, quietly)
    row = store.totals(CODEC, FIVE_MINUTES, NOON, NOON + 300)[0]
    assert (row.up, row.sent, row.rtt_max) == (300, 5, 30_000)


def test_a_disagreement_is_found_and_mended(store: Store) -> None:
    """A roll-up that says otherwise than the intervals is told, and made anew by a rebuild."""
    store.put(interval(A, NOON, UP))
    store.put(interval(A, NOON + 100_000, DOWN))
    store.roll(NOON + 200_000)
    now = NOON + 200_000
    assert list(upkeep.disagreements(store, now, KEEP, quietly)) == []
    for grain in GRAINS:
        slot = grain.slot(int((NOON + 90_000) * 1000))
        store.db.execute(f"UPDATE {grain.name} SET up = up - 1 WHERE slot = ?", (slot,))
    found = list(upkeep.disagreements(store, now, KEEP, quietly))
    assert [line.split()[1] for line in found] == ["five_minutes", "hour", "day"]
    before = HOURS.slot(int(NOON * 1000)) - 3
    store.db.execute("INSERT INTO hour (series, slot, down) VALUES (1, ?, 5)", (before,))
    assert len(list(upkeep.disagreements(store, now, KEEP, quietly))) == 4
    done: list[tuple[int, int]] = []
    upkeep.rebuild(store, now, KEEP, lambda a, b: done.append((a, b)))
    assert done == [(1, 1)]
    assert list(upkeep.disagreements(store, now, KEEP, quietly)) == []
