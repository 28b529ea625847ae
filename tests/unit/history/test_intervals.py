"""Intervals: one that goes on, no hole, no overlap, nothing before the gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.clock import EPOCH
from tests.fakes.memory import DEGRADED, DOWN, UNKNOWN, UP, interval, spans
from vcmon.history import upkeep
from vcmon.history.intervals import gap
from vcmon.history.store import Store
from vcmon.model.memory import Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State

A = "province:aceh"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    assert upkeep.overlaps(opened) == []
    opened.close()


def put(store: Store, *changes: tuple[float, State]) -> None:
    for at, state in changes:
        store.put(interval(A, EPOCH + at, state))


def told(store: Store) -> list[tuple[float, float | None, State]]:
    """Start and stop in seconds after EPOCH."""
    return [
        (round(start - EPOCH, 3), None if stop is None else round(stop - EPOCH, 3), state)
        for start, stop, state in spans(store, A)
    ]


def test_an_interval_comes_back_whole(store: Store) -> None:
    """Everything of an interval is kept, times to the millisecond."""
    whole = Interval(A, EPOCH + 0.123, None, State.UNREACHABLE, Reason.PARENT, Blame.PATH,
                     "hub", EPOCH + 12.5)  # fmt: skip
    store.put(whole)
    assert store.intervals(A, EPOCH, EPOCH + 1) == [whole]
    assert store.open_intervals() == {A: whole}
    assert store.series() == [A]


def test_a_change_ends_what_went_on(store: Store) -> None:
    """The next state begins where the one before it ends."""
    put(store, (0, UP), (100, DOWN), (160, UP))
    assert told(store) == [(0, 100, UP), (100, 160, DOWN), (160, None, UP)]


def test_the_same_state_goes_on(store: Store) -> None:
    """The same state with the same cause, without a break, is one interval."""
    put(store, (0, UP), (100, UP))
    assert told(store) == [(0, None, UP)]
    store.put(replace(interval(A, EPOCH + 200, UP), reason=Reason.STATUS))
    assert len(told(store)) == 2


def test_what_lasted_no_time_never_was(store: Store) -> None:
    """A state that is replaced in the millisecond in which it began leaves no trace."""
    put(store, (0, UP), (100, DOWN), (100.0004, DEGRADED))
    assert told(store) == [(0, 100, UP), (100, None, DEGRADED)]
    put(store, (100, UP))
    assert told(store) == [(0, None, UP)]


def test_nothing_reaches_back(store: Store) -> None:
    """A change that is stamped before the current interval began replaces that one, no more."""
    put(store, (0, UP), (100, DOWN), (50, DEGRADED))
    assert told(store) == [(0, 100, UP), (100, None, DEGRADED)]


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, 1, [UP]), (99, 100, [UP]), (100, 101, [DOWN]), (50, 300, [UP, DOWN, DEGRADED]),
     (-10, 0, []), (500, 600, [DEGRADED]), (100, 200, [DOWN])],
)  # fmt: skip
def test_a_question_is_half_open(
    store: Store, start: float, stop: float, expected: list[State]
) -> None:
    """``[start, stop)`` finds what overlaps it, whole, and nothing that only touches it."""
    put(store, (0, UP), (100, DOWN), (200, DEGRADED))
    found = store.intervals(A, EPOCH + start, EPOCH + stop)
    assert [each.state for each in found] == expected
    assert store.intervals("province:bali", 0, 1e11) == []


def test_what_is_not_watched_any_more_ends(store: Store) -> None:
    """The end closes what went on; a later beginning leaves a hole in which nothing is known."""
    put(store, (0, UP))
    store.end(A, EPOCH + 50)
    store.end(A, EPOCH + 70)
    store.end("province:bali", EPOCH)
    put(store, (100, UP))
    assert told(store) == [(0, 50, UP), (100, None, UP)]
    store.end(A, EPOCH + 100)
    assert told(store) == [(0, 50, UP)]


def test_a_clock_set_back_takes_out_the_future(store: Store) -> None:
    """Nothing is stamped later than now; what went on then is to be told anew."""
    put(store, (0, UP), (100, DOWN), (200, UP))
    store.beat(EPOCH + 300)
    store.trim(EPOCH + 150)
    assert told(store) == [(0, 100, UP), (100, 150, DOWN)]
    assert store.heartbeat() == EPOCH + 150


def test_a_restart_is_a_gap(store: Store) -> None:
    """What an earlier run left open ends at its last heartbeat; from there on nobody looked."""
    put(store, (0, UP), (100, DOWN))
    store.beat(EPOCH + 130)
    found = store.recover(EPOCH + 500)
    assert told(store) == [(0, 100, UP), (100, 130, DOWN), (130, None, UNKNOWN)]
    assert found.current == {A: gap(A, EPOCH + 130)}
    assert found.onsets == {A: EPOCH + 100}


def test_an_onset_outlives_many_restarts(store: Store) -> None:
    """However often vcmon is restarted within an outage, its onset is the first one."""
    put(store, (0, UP), (100, DOWN))
    for start in (200, 300, 400):
        store.beat(EPOCH + start)
        assert store.recover(EPOCH + start + 10).onsets == {A: EPOCH + 100}
        put(store, (start + 20, DOWN))
    put(store, (450, UP))
    store.beat(EPOCH + 460)
    assert store.recover(EPOCH + 470).onsets == {}


def test_a_crash_before_any_verdict_is_one_gap(store: Store) -> None:
    """Restarts that saw nothing make the gap longer, not more of them."""
    put(store, (0, DOWN))
    store.beat(EPOCH + 100)
    for start in (150, 200):
        found = store.recover(EPOCH + start)
        store.beat(EPOCH + start + 1)
    assert told(store) == [(0, 100, DOWN), (100, None, UNKNOWN)]
    assert found.onsets == {A: EPOCH}


def test_a_clock_set_back_while_we_were_off(store: Store) -> None:
    """A heartbeat in the future is trimmed first: nothing begins after now."""
    put(store, (0, UP), (100, DOWN))
    store.beat(EPOCH + 200)
    store.recover(EPOCH + 50)
    assert told(store) == [(0, 50, UP)]
    assert store.heartbeat() == EPOCH + 50
