"""The scribe writes what waits, and heals the file; without a thread, in virtual time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory import DOWN, UP, interval, spans
from vcmon.history import upkeep
from vcmon.history.backlog import Backlog
from vcmon.history.schema import MIGRATIONS
from vcmon.history.scribe import Rules, Scribe, kind_of
from vcmon.history.store import Store
from vcmon.model.memory import Deed, Incident, Interval, Maintenance, Remark, Sample
from vcmon.model.result import Reason
from vcmon.model.status import State

A, B = "province:aceh", "province:bali"
HUB = Incident(3, "endpoint:hub", 100.0, 101.0, None, Reason.TIMEOUT)

Make = Callable[..., Scribe]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    made: list[Scribe] = []

    def scribe(**more: object) -> Scribe:
        rules = Rules(tmp_path / "m.db", reserve=4096, busy=0.0)
        one = Scribe(replace(rules, **more), clock)  # type: ignore[arg-type]  # passed on as they are
        made.append(one)
        return one

    yield scribe
    for one in made:
        one.close()


def batch(clock: FakeClock, *changes: Interval) -> Backlog:
    backlog = Backlog()
    for change in changes:
        backlog.change(change)
    backlog.heartbeat = clock.wall()
    return backlog


def now(clock: FakeClock, state: State, series: str = A) -> Interval:
    return interval(series, clock.wall(), state)


def stored(path: Path, series: str = A) -> list[State]:
    store = Store.open(path, write=False)
    found = [state for _, _, state in spans(store, series)]
    store.close()
    return found


def test_a_batch_is_written_in_one_go(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Changes, incidents and heartbeat are there when write returns, and the figures say so."""
    scribe = make()
    todo = batch(clock, now(clock, UP), now(clock, DOWN, B))
    todo.incident(HUB)
    scribe.write(todo)
    assert stored(tmp_path / "m.db") == [UP]
    assert stored(tmp_path / "m.db", B) == [DOWN]
    figures = scribe.figures
    assert (figures.up, figures.waiting, figures.dropped) == (True, 0, 0)
    assert figures.written_at == clock.wall()
    assert figures.size > 0


def test_a_lock_keeps_what_waits(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """While somebody else holds the file facts wait; then they are written in their order."""
    scribe = make()
    scribe.write(batch(clock, now(clock, UP)))
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for state in (DOWN, UP, DOWN):
        clock.forward(1)
        scribe.write(batch(clock, now(clock, state)))
    assert (scribe.figures.up, scribe.figures.waiting) == (False, 3)
    assert scribe.figures.failures == {"locked": 3}
    assert scribe.figures.written_at == clock.wall() - 3
    other.execute("ROLLBACK")
    other.close()
    scribe.write()
    assert (scribe.figures.up, scribe.figures.waiting) == (True, 0)
    assert stored(tmp_path / "m.db") == [UP, DOWN, UP, DOWN]


def test_one_fact_that_cannot_be_written_costs_only_itself(
    make: Make, clock: FakeClock, tmp_path: Path
) -> None:
    """A fact that SQLite refuses is dropped and counted; all others of its batch are written."""
    scribe = make()
    todo = batch(clock, now(clock, UP), interval("province:\ud800", clock.wall(), UP))
    todo.change(interval(B, clock.wall(), DOWN))
    todo.sample([Sample(A, clock.wall(), 2**70), Sample(A, clock.wall(), 5)])
    todo.incident(replace(HUB, id=2**70))
    todo.incident(HUB)
    scribe.write(todo)
    assert scribe.figures.dropped == 3
    assert scribe.figures.up
    assert (stored(tmp_path / "m.db"), stored(tmp_path / "m.db", B)) == ([UP], [DOWN])
    clock.forward(1)
    scribe.write(batch(clock, now(clock, DOWN)))
    assert stored(tmp_path / "m.db") == [UP, DOWN]
    assert scribe.figures.dropped == 3


def test_a_newer_file_is_left_alone(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """A file of a newer vcmon is neither written nor put aside: facts wait, the log says why."""
    path = tmp_path / "m.db"
    Store.open(path).close()
    file = sqlite3.connect(path)
    file.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    file.close()
    before = path.read_bytes()
    scribe = make()
    scribe.write(batch(clock, now(clock, UP)))
    assert path.read_bytes() == before
    assert scribe.figures.failures == {"refused": 1}
    assert (scribe.figures.up, scribe.figures.waiting) == (False, 1)
    assert scribe.recovered is None


def test_a_file_that_cannot_be_opened_is_tried_now_and_then(
    make: Make, clock: FakeClock, tmp_path: Path
) -> None:
    """Between two tries to open it some seconds pass, however many batches come."""
    scribe = make(path=tmp_path / "later" / "m.db")
    for _ in range(9):
        clock.forward(1)
        scribe.write(batch(clock, now(clock, UP)))
    assert scribe.figures.failures == {"unreachable": 2}
    (tmp_path / "later").mkdir()
    clock.forward(5)
    scribe.write(batch(clock, now(clock, DOWN)))
    assert scribe.figures.up
    assert stored(tmp_path / "later" / "m.db") == [UP, DOWN]


def test_a_corrupt_file_is_replaced_at_once(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Garbage is put aside, and the batch that met it is in the new file."""
    path = tmp_path / "m.db"
    path.write_bytes(b"\x5a" * 8192)
    scribe = make()
    scribe.write(batch(clock, now(clock, UP)))
    assert scribe.figures.up
    assert (scribe.figures.begun_anew, scribe.figures.failures) == (1, {"corrupt": 1})
    assert stored(path) == [UP]
    (aside,) = tmp_path.glob("m.db.corrupt-*")
    assert aside.read_bytes() == b"\x5a" * 8192


def test_a_new_file_is_told_what_is(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """After the file was lost for good the new one knows all that goes on, since it began."""
    path = tmp_path / "m.db"
    scribe = make()
    began = clock.wall()
    todo = batch(clock, now(clock, UP), now(clock, DOWN, B))
    todo.incident(HUB)
    todo.incident(replace(HUB, id=4, stop=200.0))
    scribe.write(todo)
    clock.forward(100)
    scribe.write(batch(clock, now(clock, DOWN)))
    for name in upkeep.companions(path):
        name.unlink(missing_ok=True)
    Store.open(path).close()  # an empty one in its place
    clock.forward(100)
    scribe.write(batch(clock))
    store = Store.open(path, write=False)
    assert spans(store, A) == [(began + 100, None, DOWN)]
    assert spans(store, B) == [(began, None, DOWN)]
    assert store.open_incidents() == [HUB]
    assert store.heartbeat() == clock.wall()
    store.close()


def test_a_second_look_finds_what_is_missing(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Each five minutes the file is read with fresh eyes; what is not as written goes."""
    scribe = make()
    scribe.write(batch(clock, now(clock, UP)))
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("DELETE FROM interval")
    other.close()
    clock.forward(300)
    scribe.write(batch(clock))
    assert scribe.figures.begun_anew == 1
    scribe.write(batch(clock))
    assert stored(tmp_path / "m.db") == [UP]


def test_what_people_say_is_noticed(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """What another process appends is known with the next batch; else nothing is read."""
    scribe = make()
    todo = batch(clock)
    todo.incident(HUB)
    scribe.write(todo)
    before = scribe.said
    scribe.write(batch(clock))
    assert scribe.said is before
    other = Store.open(tmp_path / "m.db")
    ack = Remark(clock.wall(), "Budi", Deed.ACK)
    other.remark(3, ack)
    other.plan(Maintenance(0, A, "Serat", clock.wall(), 60.0))
    other.close()
    scribe.write(batch(clock))
    assert scribe.said.incidents == (replace(HUB, remarks=(ack,)),)
    assert [each.title for each in scribe.said.maintenance] == ["Serat"]


def test_the_night_tidies_up(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Pruned, compared, mended and backed up; the reserve is held."""
    path, backup = tmp_path / "m.db", tmp_path / "m.db.backup"
    keep = upkeep.Keep(facts=10 * 86_400.0)
    scribe = make(backup=backup, keep=keep)
    scribe.write(batch(clock, now(clock, UP)))
    for _ in range(20):
        clock.forward(86_400)
        scribe.write(batch(clock, now(clock, DOWN), now(clock, UP, B)))
        clock.forward(60)
        scribe.write(batch(clock, now(clock, UP)))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("UPDATE day SET up = 1")
    other.close()
    scribe.tend()
    assert scribe.figures.up
    assert len(stored(path)) < 25
    assert stored(backup) == stored(path)
    assert (tmp_path / "m.db.reserve").stat().st_size == 4096
    store = Store.open(path, write=False)
    assert list(upkeep.disagreements(store, clock.wall(), keep, lambda *_: None)) == []
    store.close()


def test_the_night_finds_rot(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """A file that the nightly check finds corrupt is put aside before it is backed up."""
    path, backup = tmp_path / "m.db", tmp_path / "m.db.backup"
    scribe = make(backup=backup)
    scribe.write(batch(clock, now(clock, UP)))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA writable_schema = ON")
    other.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'interval_open'")
    other.execute("PRAGMA schema_version = 99")
    other.close()
    scribe.tend()
    scribe.write(batch(clock, now(clock, DOWN)))
    assert scribe.figures.begun_anew == 1
    assert not backup.exists()
    assert scribe.figures.up
    assert stored(path)[-1] is DOWN


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError(28, "x"), "io"), (sqlite3.OperationalError("x"), "io")],
)
def test_every_trouble_has_a_word(error: sqlite3.Error | OSError, kind: str) -> None:
    """An error without a code of SQLite's is told as trouble with the disk."""
    assert kind_of(error) == kind


def test_a_rotten_file_that_cannot_be_put_aside_ends_nothing(
    make: Make, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrupt on a disk that is read-only at once: told, kept, and written when it may."""
    scribe = make()
    scribe.write(batch(clock, now(clock, UP)))

    def refuses(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(upkeep, "quarantine", refuses)
    scribe._treated(sqlite3.DatabaseError("database disk image is malformed"))
    scribe._note()
    assert not scribe.figures.up
    monkeypatch.undo()
    clock.forward(60)
    scribe.write(batch(clock, now(clock, DOWN)))
    assert [state for *_, state in spans(Store.open(tmp_path / "m.db", write=False), A)][-1] is DOWN
