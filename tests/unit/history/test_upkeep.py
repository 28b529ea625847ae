"""Retention, room, backup, quarantine, salvage: each by itself, on a real file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.clock import EPOCH
from tests.fakes.memory import DOWN, UP, interval, spans
from vcmon.history import upkeep
from vcmon.history.rollup import DAYS, FIVE_MINUTES, HOURS
from vcmon.history.store import Store
from vcmon.model.memory import Deed, Incident, Member, Remark
from vcmon.model.result import Reason

A = "province:aceh"
DAY = 86_400.0
KEEP = upkeep.Keep(facts=100 * DAY, hours=20 * DAY, five_minutes=2 * DAY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    opened.close()


def lived(store: Store, days: int) -> float:
    """So many days of two changes; the wall second at their end."""
    for day in range(days):
        store.put(interval(A, EPOCH + day * DAY, UP))
        store.put(interval(A, EPOCH + day * DAY + 3600, DOWN))
    now = EPOCH + days * DAY
    store.beat(now)
    store.roll(now)
    return now


def test_each_thing_is_kept_as_long_as_wanted(store: Store) -> None:
    """Old roll-ups and intervals go, each after its own time; what goes on stays for ever."""
    now = lived(store, 130)
    assert upkeep.prune(store, now, KEEP) > 0
    for grain, days in ((FIVE_MINUTES, 2), (HOURS, 20), (DAYS, 100)):
        rows = store.totals(A, grain, 0, 1e11)
        assert now - days * DAY - grain.width / 1000 <= rows[0].start <= now - days * DAY
    found = spans(store, A)
    assert found[0][1] is not None
    assert found[0][1] > now - 100 * DAY
    assert len(found) in {200, 201}
    upkeep.prune(store, now + 500 * DAY, KEEP)
    assert [stop for _, stop, _ in spans(store, A)] == [None]
    assert upkeep.prune(store, now + 500 * DAY, KEEP) == 0


def test_old_incidents_go_with_all_of_them(store: Store) -> None:
    """An incident that ended long ago is deleted with members and remarks; an open one never is."""
    old = Incident(1, "endpoint:hub", EPOCH, EPOCH, EPOCH + 60, Reason.TIMEOUT,
                   (Member(A, EPOCH, EPOCH + 60),), 0,
                   (Remark(EPOCH, "Budi", Deed.NOTE, "x"),))  # fmt: skip
    store.put_incident(old)
    store.put_incident(replace(old, id=2, stop=None))
    store.freeze("2026-10", {A: "{}"}, EPOCH)
    upkeep.prune(store, EPOCH + 101 * DAY, KEEP)
    assert [each.id for each in store.incidents(0, 1e11)] == [2]
    left = store.db.execute("SELECT DISTINCT incident FROM remark").fetchall()
    assert left == [(2,)]
    assert store.frozen("2026-10") is not None


def test_room_is_given_back(store: Store) -> None:
    """After pruning the file gets smaller, without a VACUUM of the whole."""
    now = lived(store, 60)
    upkeep.empty_log(store)
    before = store.path.stat().st_size
    upkeep.prune(store, now + 300 * DAY, KEEP)
    upkeep.give_back(store)
    upkeep.empty_log(store)
    assert store.path.stat().st_size < before / 2
    assert upkeep.faults(store) == []


def test_a_backup_is_whole_or_not_there(store: Store, tmp_path: Path) -> None:
    """It replaces the older one only when it is complete, and is a memory like any other."""
    lived(store, 3)
    copy = tmp_path / "copy.db"
    upkeep.back_up(store, copy)
    other = Store.open(copy)
    assert spans(other, A) == spans(store, A)
    assert other.db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    other.close()
    with pytest.raises(sqlite3.OperationalError):
        upkeep.back_up(store, tmp_path / "nowhere" / "copy.db")
    before = copy.read_bytes()
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        upkeep.back_up(store, copy)
    assert copy.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_the_reserve_takes_real_room(tmp_path: Path) -> None:
    """It holds blocks of the disk, not a hole; what can't be had is not left half there."""
    reserve = upkeep.Reserve(tmp_path / "r", 1 << 20)
    assert reserve.hold()
    assert reserve.hold()
    assert reserve.path.stat().st_blocks * 512 >= 1 << 20
    reserve.release()
    reserve.release()
    assert not reserve.path.exists()
    assert not upkeep.Reserve(tmp_path / "r", 1 << 60).hold()
    assert not reserve.path.exists()
    assert not upkeep.Reserve(tmp_path / "no" / "r", 1).hold()


def test_quarantine_keeps_the_newest_three(tmp_path: Path) -> None:
    """Corrupt files are put aside with their logs; they can't fill the disk."""
    path = tmp_path / "m.db"
    for day in range(1, 6):
        path.write_bytes(b"x")
        path.with_name("m.db-wal").write_bytes(b"y")
        aside = upkeep.quarantine(path, f"2026110{day}T000000")
        assert aside.read_bytes() == b"x"
        assert not path.exists()
    left = sorted(each.name for each in tmp_path.iterdir())
    days = ("3", "4", "5")
    assert left == [f"m.db.corrupt-2026110{d}T000000{e}" for d in days for e in ("", "-wal")]


def test_what_can_be_read_is_salvaged(store: Store, tmp_path: Path) -> None:
    """Of a file with rotten pages everything that can still be read is copied over."""
    lived(store, 200)
    store.freeze("2026-10", {A: "{}"}, EPOCH)
    store.put_incident(Incident(5, "endpoint:hub", EPOCH, EPOCH, None, Reason.TIMEOUT))
    upkeep.empty_log(store)
    whole = len(spans(store, A))
    store.close()
    rotten = tmp_path / "rotten.db"
    pages = bytearray((tmp_path / "m.db").read_bytes())
    middle = len(pages) // 2 // 4096 * 4096
    pages[middle : middle + 8 * 4096] = b"\x5a" * (8 * 4096)
    rotten.write_bytes(pages)
    fresh = Store.open(tmp_path / "fresh.db")
    assert upkeep.salvage(rotten, fresh) > whole
    assert fresh.frozen("2026-10") == {A: "{}"}
    assert fresh.incident(5) is not None
    assert spans(fresh, A)
    assert upkeep.faults(fresh) == []
    fresh.close()


def test_garbage_gives_nothing(store: Store, tmp_path: Path) -> None:
    """A file that is no database at all is salvaged of nothing, without an error."""
    (tmp_path / "garbage").write_bytes(b"\x5a" * 9000)
    assert upkeep.salvage(tmp_path / "garbage", store) == 0
    assert store.series() == []


def test_overlaps_are_found(store: Store) -> None:
    """An interval that reaches into the next one is told with its series."""
    store.put(interval(A, EPOCH, UP))
    store.put(interval(A, EPOCH + 10, DOWN))
    assert upkeep.overlaps(store) == []
    store.db.execute("UPDATE interval SET stop = stop + 1 WHERE stop IS NOT NULL")
    (line,) = upkeep.overlaps(store)
    assert line.startswith(f"{A}: ")
