"""The disk fails in every way, with the real file, thread and disk: nobody waits, all heals."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.figures import record
from tests.fakes.memory import DOWN, Country, agrees, inline, no_packets, threaded, transition
from tests.fakes.small_disk import small_disk
from vcmon.history import upkeep
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.model.result import Reason
from vcmon.model.status import State, Uplink

DAY = 86_400.0

AT_ONCE = 0.05
"""Seconds that a tick may take on a busy machine; a tick that waited for the disk takes longer."""

RESERVE = 256 * 1024
"""Bytes: more than the log of a fresh file, as 4 MiB are more than the longest log."""


def rules(directory: Path, most: int = 10_000) -> Rules:
    return Rules(directory / "m.db", most=most, reserve=RESERVE, retry=0.05, busy=0.3)


def sound(path: Path) -> list[str]:
    store = Store.open(path, write=False)
    found = [*upkeep.faults(store), *upkeep.overlaps(store)]
    store.close()
    return found


def healed(name: str, country: Country, path: Path, *, dropped: int = 0) -> None:
    """It writes again, what is written is what is, and no tick ever waited."""
    country.until(lambda figures: figures.up and figures.waiting == 0)
    kept = agrees(path, country.live) and sound(path) == []
    quick = country.slowest < AT_ONCE
    figure = (
        f"0 of {country.ticks} ticks waited (slowest {country.slowest * 1000:.2f} ms), "
        f"{dropped} facts dropped and counted, healed"
    )
    record(name, figure, "0 waited, healed", kept and quick)
    assert kept
    assert quick, country.slowest


@pytest.mark.catalogue("T28")
def test_a_full_disk_drops_the_oldest_and_says_so(tmp_path: Path) -> None:
    """On a full disk the newest facts are kept within the bound, the others counted; it heals."""
    with small_disk(tmp_path / "disk") as disk:
        path = disk.path / "m.db"
        with threaded(rules(disk.path, most=50)) as country:
            country.flap(5)
            country.until(lambda figures: figures.up and figures.waiting == 0)
            before = Store.open(path, write=False)
            known = len(before.intervals("endpoint:e0", 0, 1e11))
            before.close()
            end = time.monotonic() + 20
            while country.figures().dropped < 100:
                disk.fill()
                country.flap(20)
                assert time.monotonic() < end, country.figures()
            assert not country.figures().up
            assert country.figures().failures["full"] > 0
            disk.empty()
            country.until(lambda figures: figures.up and figures.waiting == 0)
            dropped = country.figures().dropped
            country.flap(3)
            healed("T28 disk full", country, path, dropped=dropped)
            store = Store.open(path, write=False)
            after = store.intervals("endpoint:e0", 0, 1e11)
            store.close()
            assert len(after) > known
            assert Reason.GAP in {each.reason for each in after}  # what was dropped is no state


@pytest.mark.catalogue("T28")
def test_the_reserve_makes_room_for_pruning(tmp_path: Path) -> None:
    """On a full disk the reserve is let go of, which is enough to write on for a while."""
    with small_disk(tmp_path / "disk") as disk:
        reserve = disk.path / "m.db.reserve"
        with threaded(rules(disk.path)) as country:
            country.flap(2)
            country.until(lambda figures: figures.up and figures.waiting == 0)
            assert reserve.stat().st_size == RESERVE
            disk.fill()
            end = time.monotonic() + 20
            while reserve.exists():
                country.flap(5)
                assert time.monotonic() < end
            country.until(lambda figures: figures.up and figures.waiting == 0)
            assert agrees(disk.path / "m.db", country.live)


@pytest.mark.catalogue("T29")
def test_a_lock_of_somebody_else_is_waited_for(tmp_path: Path) -> None:
    """While another process holds the file facts wait, none is dropped, and all are written."""
    path = tmp_path / "m.db"
    with threaded(rules(tmp_path)) as country:
        country.flap(2)
        country.until(lambda figures: figures.up and figures.waiting == 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        country.flap(5)
        country.until(lambda figures: figures.failures.get("locked", 0) > 1)
        assert country.figures().waiting > 0
        other.execute("COMMIT")
        other.close()
        healed("T29 locked", country, path)
        assert country.figures().dropped == 0


@pytest.mark.soak
@pytest.mark.catalogue("T29")
def test_a_lock_of_a_minute_is_waited_for(tmp_path: Path) -> None:
    """The same for 60 s, with the default patience."""
    path = tmp_path / "m.db"
    with threaded(Rules(path)) as country:
        country.flap(2)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            country.flap(1)
            time.sleep(0.5)
        other.execute("COMMIT")
        other.close()
        healed("T29 locked 60 s", country, path)
        assert country.figures().dropped == 0


@pytest.mark.catalogue("T29")
def test_a_read_only_disk_is_waited_for(tmp_path: Path) -> None:
    """While the disk is read-only facts wait; once it is writable they are written."""
    with small_disk(tmp_path / "disk") as disk:
        path = disk.path / "m.db"
        with threaded(rules(disk.path)) as country:
            country.flap(2)
            country.until(lambda figures: figures.up and figures.waiting == 0)
        disk.read_only(yes=True)
        with threaded(rules(disk.path)) as country:
            country.flap(5)
            country.until(lambda figures: sum(figures.failures.values()) > 1)
            assert not country.figures().up
            disk.read_only(yes=False)
            healed("T29 read-only", country, path)


@pytest.mark.catalogue("T29")
@pytest.mark.parametrize("endings", [("",), ("", "-wal", "-shm"), ("", "-shm")])
def test_a_deleted_file_is_written_again(tmp_path: Path, endings: tuple[str, ...]) -> None:
    """A deleted file is there again within a tick, with all that it held."""
    path = tmp_path / "m.db"
    with threaded(rules(tmp_path)) as country:
        country.flap(20)
        country.until(lambda figures: figures.up and figures.waiting == 0)
        store = Store.open(path, write=False)
        before = store.intervals("endpoint:e0", 0, 1e11)[:-1]
        store.close()
        for ending in endings:
            path.with_name(path.name + ending).unlink()
        country.flap(3)
        country.until(lambda figures: figures.begun_anew == 1)
        healed("T29 deleted", country, path)
    store = Store.open(path, write=False)
    after = store.intervals("endpoint:e0", 0, 1e11)
    store.close()
    assert after[: len(before)] == before


@pytest.mark.catalogue("T29")
def test_a_replaced_file_is_taken_over(tmp_path: Path) -> None:
    """A backup put in place of the file is used: what it doesn't know is a gap, then what is."""
    path, copy = tmp_path / "m.db", tmp_path / "copy.db"
    with threaded(rules(tmp_path)) as country:
        country.flap(3)
        country.until(lambda figures: figures.up and figures.waiting == 0)
        store = Store.open(path, write=False)
        upkeep.back_up(store, copy)
        store.close()
        country.flap(3)
        country.until(lambda figures: figures.up and figures.waiting == 0)
        copy.replace(path)
        country.flap(1)
        healed("T29 replaced", country, path)


@pytest.mark.catalogue("T29")
def test_a_corrupt_file_is_put_aside(tmp_path: Path) -> None:
    """A file that turned to garbage is quarantined, and a new one knows what is at once."""
    path = tmp_path / "m.db"
    with threaded(rules(tmp_path)) as country:
        country.flap(3)
        country.until(lambda figures: figures.up and figures.waiting == 0)
    path.write_bytes(b"\x5a" * path.stat().st_size)
    with threaded(rules(tmp_path)) as country:
        country.flap(3)
        country.until(lambda figures: figures.begun_anew == 1)
        healed("T29 corrupt", country, path)
    assert len(list(tmp_path.glob("m.db.corrupt-*[0-9]"))) == 1


@pytest.mark.catalogue("T29")
def test_a_file_that_rots_while_it_is_open_is_put_aside(tmp_path: Path) -> None:
    """Garbage under a running writer is found when the file is next read, and put aside."""
    path = tmp_path / "m.db"
    with threaded(rules(tmp_path)) as country:
        country.flap(200)
        country.until(lambda figures: figures.up and figures.waiting == 0)
        other = sqlite3.connect(path)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.write(b"\x5a" * path.stat().st_size)
        other.close()
        country.flap(3)
        country.until(lambda figures: figures.begun_anew > 0)
        healed("T29 rotten", country, path)


@pytest.mark.catalogue("T29")
def test_an_unwritable_place_does_not_stop_the_monitor(tmp_path: Path) -> None:
    """Where the directory is missing facts wait, within the bound, until it is made."""
    where = tmp_path / "later"
    with threaded(rules(where, most=50)) as country:
        country.flap(20)
        country.until(lambda figures: figures.failures.get("unreachable", 0) > 1)
        assert country.figures().dropped > 0
        where.mkdir()
        healed("T29 no directory", country, where / "m.db", dropped=country.figures().dropped)


@pytest.mark.catalogue("T30")
def test_log_and_file_are_bounded(tmp_path: Path) -> None:
    """The log shrinks back after a long read; 90 days of fake time leave what is to be kept."""
    clock, path = FakeClock(), tmp_path / "m.db"
    keep = upkeep.Keep(facts=60 * DAY, hours=10 * DAY, five_minutes=2 * DAY)
    recorder, sink = inline(path, clock, keep=keep)
    reader = Store.open(path, write=False)
    log = path.with_name("m.db-wal")
    longest, sizes = 0, []
    for hour in range(90 * 24):
        clock.forward(30)
        for place in range(4):
            state = DOWN if (hour + place) % 2 else State.UP
            recorder.transition(transition(f"endpoint:e{place}", state, clock.wall()))
        recorder.tick(Uplink(), no_packets)
        for _ in range(59):
            clock.forward(60)
        if hour == 24:
            reader.db.execute("BEGIN")
            reader.open_intervals()  # from now on nothing can be brought into the file
        if hour == 240:
            longest = log.stat().st_size
            reader.close()
        if hour % 24 == 0:
            sink.scribe.tend()
            sizes.append(path.stat().st_size)
    after = log.stat().st_size
    assert after <= 4 * 2**20
    assert max(sizes[75:]) <= max(sizes[60:75]) * 1.1  # once full it grows no more
    sink.scribe.close()
    store = Store.open(path, write=False)
    (oldest, *_) = store.intervals("endpoint:e0", 0, 1e11)
    assert oldest.stop is not None
    assert oldest.stop >= clock.wall() - 61 * DAY
    assert not [*upkeep.faults(store), *upkeep.overlaps(store)]
    store.close()
    figure = (
        f"log {longest / 1e6:.1f} MB while read, {after / 1e6:.1f} MB after; "
        f"file {max(sizes) / 1e6:.1f} MB in 90 days"
    )
    record("T30", figure, "log <= 4.2 MB after, file steady", passed=True)
