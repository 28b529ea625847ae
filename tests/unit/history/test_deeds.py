"""Deeds of people: written with their entry in the trail, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.clock import EPOCH
from tests.fakes.filled_memory import fill
from vcmon.history import deeds
from vcmon.history.deeds import Doer, NoSuchError, end, month_span, plan, say
from vcmon.history.people import Wanted
from vcmon.history.remarks import RefusedError
from vcmon.history.store import Store
from vcmon.model.memory import Cause, Deed, Entry, Maintenance, Remark

BUDI = Doer("budi", "shell")
ACK = Remark(EPOCH, "Budi", Deed.ACK, "on it", "IN-1")
WINDOW = Maintenance(0, "province:aceh", "Router", EPOCH + 3600, 7200, author="Budi")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    fill(tmp_path / "m.db", EPOCH)
    made = Store.open(tmp_path / "m.db")
    yield made
    made.close()


def trail(store: Store) -> list[Entry]:
    return store.trail(0, 1e11)


def test_a_remark_stands_with_its_entry_in_the_trail(store: Store) -> None:
    """What is said, by whom and by what right is there together."""
    assert say(store, 2, ACK, BUDI).acknowledged == ACK
    assert trail(store) == [Entry(EPOCH, "budi", "shell", "ack", "incident:2")]


@pytest.mark.parametrize(
    ("number", "remark", "why"),
    [
        (9, ACK, "no incident 9; the latest is 3"),
        (0, ACK, "no incident 0"),
        (2**80, ACK, "no incident 1208925819614629174706176"),
        (2, replace(ACK, author="VCMON"), "give your own name"),
        (2, Remark(EPOCH, "Budi", Deed.CLOSE, cause=Cause.CABLE), "goes on: 2 of its members"),
        (1, Remark(EPOCH, "Budi", Deed.CLOSE), "close it with one"),
    ],
)
def test_what_is_refused_leaves_no_trace(
    store: Store, number: int, remark: Remark, why: str
) -> None:
    """A refusal tells why and what would do; nothing is written, in the trail neither."""
    with pytest.raises((NoSuchError, RefusedError), match=why):
        say(store, number, remark, BUDI)
    assert trail(store) == []
    assert all(each.remarks == () for each in store.incidents(0, 1e11))


def test_a_window_is_planned_and_ended_once(store: Store) -> None:
    """It has a number, begins as told, ends when it is ended, and can't be ended twice."""
    planned = plan(store, WINDOW, BUDI, EPOCH)
    assert store.maintenance() == [planned] == [replace(WINDOW, id=1)]
    assert end(store, 1, BUDI, EPOCH + 4000).ended_at == EPOCH + 4000
    with pytest.raises(RefusedError, match="maintenance 1 is over: it was ended at 2026-11-1"):
        end(store, 1, BUDI, EPOCH + 4001)
    assert [(e.action, e.target) for e in trail(store)] == [
        ("plan", "maintenance:1"),
        ("end", "maintenance:1"),
    ]


@pytest.mark.parametrize("number", [0, 5, -1])
def test_ending_what_is_not_planned_tells_what_is(store: Store, number: int) -> None:
    """The message names the numbers that there are."""
    with pytest.raises(NoSuchError, match="none is planned"):
        end(store, number, BUDI, EPOCH)
    plan(store, WINDOW, BUDI, EPOCH)
    with pytest.raises(NoSuchError, match="there are 1 to 1"):
        end(store, number, BUDI, EPOCH)


def test_no_outage_becomes_maintenance_after_the_fact(store: Store) -> None:
    """A window may have begun a quarter of an hour ago, not earlier."""
    with pytest.raises(RefusedError, match="begins now or later"):
        plan(store, replace(WINDOW, start=EPOCH - 901), BUDI, EPOCH)
    assert plan(store, replace(WINDOW, start=EPOCH - 899), BUDI, EPOCH).id == 1


def test_a_window_that_never_comes_is_refused(store: Store) -> None:
    """A rule that ended before it began is told, not kept."""
    with pytest.raises(RefusedError, match="never takes place"):
        plan(store, replace(WINDOW, rule="FREQ=DAILY;UNTIL=20200101"), BUDI, EPOCH)


@pytest.mark.parametrize("author", ["", " \n", "vcmon", "x" * 81])
def test_a_window_has_a_planner(store: Store, author: str) -> None:
    """Nobody, this program, or a name without end plans nothing."""
    with pytest.raises(RefusedError, match="name"):
        plan(store, replace(WINDOW, author=author), BUDI, EPOCH)


def test_windows_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in a loop can't plan without end; windows that are over count no more."""
    monkeypatch.setattr(deeds, "WINDOWS_MAX", 2)
    for _ in range(2):
        plan(store, WINDOW, BUDI, EPOCH)
    with pytest.raises(RefusedError, match="there are 2 windows that are not over"):
        plan(store, WINDOW, BUDI, EPOCH)
    end(store, 1, BUDI, EPOCH)
    assert plan(store, WINDOW, BUDI, EPOCH).id == 3


def test_a_month_is_jakartas() -> None:
    """October 2026 begins at 17.00 UTC of 30 September; December ends in the next year."""
    assert month_span("2026-10") == (1_790_787_600.0, 1_790_787_600.0 + 31 * 86400)
    start, stop = month_span("2026-12")
    assert (stop - start) / 86400 == 31
    assert month_span("2028-02")[1] - month_span("2028-02")[0] == 29 * 86400


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-10", "2026-1", "1999-12", "٢٠٢٦-١٠", "2026-10-1"]
)
def test_what_is_no_month_is_told(text: str) -> None:
    """Whatever else is written is refused with what was expected."""
    with pytest.raises(ValueError, match="expected a month"):
        month_span(text)


def test_incidents_are_found_by_what_is_asked(store: Store) -> None:
    """Open ones, of a time, of a province, at most so many; the newest first."""

    def numbers(wanted: Wanted) -> list[int]:
        return [each.id for each in store.find(wanted)]

    assert numbers(Wanted()) == [2, 1, 3]
    assert numbers(Wanted(open=True)) == [2]
    assert numbers(Wanted(most=1)) == [2]
    assert numbers(Wanted(start=EPOCH - 86400)) == [2, 1]
    assert numbers(Wanted(stop=EPOCH - 86400)) == [3]
    assert numbers(Wanted(subjects=("province:bali",))) == [1]
    assert numbers(Wanted(subjects=("endpoint:a", "x'); DROP TABLE member; --"))) == [2, 3]
    assert numbers(Wanted(subjects=())) == []
