"""The timetable: no drift, no herd, missed slots counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.figures import record
from vcmon.engine.schedule import SOON, Timetable, phase
from vcmon.model.endpoint import CheckId

A, B = CheckId("a", "icmp"), CheckId("b", "icmp")


def test_phases_are_stable_and_spread() -> None:
    """The same check has the same phase on every machine; a thousand of them spread evenly."""
    assert phase(A, 10) == phase(A, 10)
    tenths = [int(phase(CheckId(f"e{n}", "icmp"), 10)) for n in range(1000)]
    assert all(60 <= tenths.count(n) <= 140 for n in range(10))


def test_no_drift_in_an_hour() -> None:
    """T06: an hour of 10 s slots, looked at late each time, stays on its grid."""
    table = Timetable(1000.0)
    table.add(A, 10.0, 1000.0)
    first = table.next_at()
    slots, now = [], 1000.0
    while now < 4600:
        now = table.next_at() + 0.37  # always late
        slots += [due.slot for due in table.pop_due(now)]
    drift = max(abs(slot - (first + 10 * n)) for n, slot in enumerate(slots))
    assert len(slots) in {360, 361}
    record("T06", f"drift {drift * 1000:.6f} ms in an hour", "0 ms", passed=drift < 1e-6)
    assert drift < 1e-6


def test_the_first_slot_comes_within_one_interval() -> None:
    """A check that is entered late does not wait for more than its interval."""
    for now in (1000.0, 1003.3, 5000.1):
        table = Timetable(1000.0)
        table.add(A, 10.0, now)
        assert now < table.next_at() <= now + 10


def test_what_runs_seldom_runs_soon_for_the_first_time() -> None:
    """A check of every ten minutes, or once a day, runs within a minute, and then at its slots."""
    for interval in (600.0, 86_400.0):
        table = Timetable(0.0)
        table.add(A, interval, 0.0)
        assert 0 < table.next_at() <= SOON
        runs = [due for now in range(int(interval) + 1) for due in table.pop_due(float(now))]
        assert [due.in_turn for due in runs] in ([False, True], [True])  # one, where both are


def test_a_stall_runs_a_check_once_and_counts_the_rest() -> None:
    """After 600 frozen seconds a check runs once; the slots in between are missed, not made up."""
    table = Timetable(0.0)
    table.add(A, 10.0, 0.0)
    (due,) = table.pop_due(600.0)
    assert due.missed == 59
    assert table.pop_due(600.0) == []
    assert 600 < table.next_at() <= 610


def test_reruns_move_no_slot() -> None:
    """A run out of turn stands beside the grid."""
    table = Timetable(0.0)
    table.add(A, 10.0, 0.0)
    slot = table.next_at()
    table.rerun(A, slot - 0.5, 4)
    (early,) = table.pop_due(slot - 0.1)
    assert (early.attempts, early.in_turn, early.missed) == (4, False, 0)
    (due,) = table.pop_due(slot)
    assert (due.slot, due.in_turn) == (slot, True)


def test_a_slot_and_a_rerun_at_once_are_one_run() -> None:
    """Both due: one run, in turn, with the rerun's attempts."""
    table = Timetable(0.0)
    table.add(A, 10.0, 0.0)
    slot = table.next_at()
    table.rerun(A, slot, 4)
    (due,) = table.pop_due(slot)
    assert (due.attempts, due.in_turn) == (4, True)


def test_removed_checks_never_come() -> None:
    """What was struck is neither due nor can it be rerun."""
    table = Timetable(0.0)
    table.add(A, 10.0, 0.0)
    table.add(B, 10.0, 0.0)
    table.remove(A)
    table.rerun(A, 1.0, 1)
    assert {due.check for due in table.pop_due(30.0)} == {B}
    assert list(table) == [B]


def test_an_empty_timetable_sleeps() -> None:
    """Nothing is due, ever."""
    assert Timetable(0.0).next_at() == math.inf
    assert Timetable(0.0).pop_due(1e9) == []


def test_a_changed_interval_replaces_the_grid() -> None:
    """After a reload with another interval the old slots are dead."""
    table = Timetable(0.0)
    table.add(A, 10.0, 0.0)
    table.add(A, 7.0, 0.0)
    seen = []
    now = 0.0
    while now < 70:
        now = table.next_at()
        seen += [due.slot for due in table.pop_due(now)]
    assert len([slot for slot in seen if slot <= 70]) == 10


@given(
    st.lists(st.floats(min_value=0.001, max_value=500), min_size=1, max_size=50),
    st.floats(min_value=0.5, max_value=3600),
)
def test_runs_and_missed_slots_add_up(steps: list[float], interval: float) -> None:
    """However irregularly it is looked at: runs + missed = slots that passed."""
    table = Timetable(0.0)
    table.add(A, interval, 0.0)
    first = table.next_at()
    now = runs = missed = 0.0
    for step in steps:
        now += step
        for due in table.pop_due(now):
            runs += 1
            missed += due.missed
    passed = math.floor((now - first) / interval + 1e-9) + 1 if now >= first else 0
    assert runs + missed == pytest.approx(passed, abs=1)
