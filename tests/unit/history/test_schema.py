"""The file: how it is opened, what it refuses, what it never lets be changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.fakes.clock import EPOCH
from vcmon.errors import HistoryError
from vcmon.history import schema, upkeep
from vcmon.history.rollup import GRAINS
from vcmon.history.schema import CODES, MIGRATIONS, connect
from vcmon.history.store import Store
from vcmon.model.memory import Sample
from vcmon.model.status import State


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_is_set_up_for_years(tmp_path: Path) -> None:
    """Incremental vacuum before the first table, a log beside the file, synced at checkpoints."""
    connection = connect(tmp_path / "m.db")
    assert pragma(connection, "auto_vacuum") == 2
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 1
    assert pragma(connection, "busy_timeout") == 5000
    assert pragma(connection, "user_version") == len(MIGRATIONS)
    connection.close()


def test_every_state_has_a_code_of_its_own() -> None:
    """Codes are never changed: files of years ago are read by them."""
    assert {state.value: code for state, code in CODES.items()} == {
        "up": 0, "degraded": 1, "down": 2, "unreachable": 3, "unknown": 4,
    }  # fmt: skip
    assert set(CODES) == set(State)


def test_names_with_marks_are_files_too(tmp_path: Path) -> None:
    """A path is a path, whatever a URI would make of it."""
    path = tmp_path / "a b?mode=ro#%41.db"
    Store.open(path).close()
    assert path.exists()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file that a newer vcmon wrote is left alone, with a word on what to do."""
    path = tmp_path / "m.db"
    connection = connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(HistoryError, match="newer vcmon"):
        connect(path)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Another program's database is never written into."""
    path = tmp_path / "m.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(HistoryError, match="not a memory of vcmon"):
        connect(path)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """A reader neither makes a file nor brings one up to date."""
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "no.db", write=False)
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "empty.db").execute("PRAGMA user_version = 0").close()
    (tmp_path / "empty.db").touch()
    with pytest.raises(HistoryError, match="older vcmon, or empty"):
        connect(tmp_path / "empty.db", write=False)


def test_migrations_go_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an older version gets each later step, once, and keeps what it holds."""
    path = tmp_path / "m.db"
    store = Store.open(path)
    store.beat(EPOCH)
    store.close()
    later = ("ALTER TABLE pulse ADD COLUMN more INTEGER;\n", "UPDATE pulse SET more = 7;\n")
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, *later))
    for _ in range(2):
        store = Store.open(path)
        assert store.db.execute("SELECT more FROM pulse").fetchone() == (7,)
        assert store.heartbeat() == EPOCH
        store.close()


def test_a_file_of_before_jitter_is_brought_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What version 2 counted stays, without jitter; what is measured from now on has it."""
    path = tmp_path / "m.db"
    monkeypatch.setattr(schema, "MIGRATIONS", MIGRATIONS[:2])
    old = connect(path)
    old.execute("INSERT INTO series VALUES (1, 'endpoint:a')")
    for grain in GRAINS:
        slot = grain.slot(int(EPOCH * 1000))
        old.execute(
            f"INSERT INTO {grain.name} (series, slot, up, sent, rtt_sum, rtt_n, rtt_max)"
            f" VALUES (1, {slot}, 60000, 5, 100, 5, 30)"
        )
    old.close()
    monkeypatch.undo()
    store = Store.open(path)
    store.add_samples([Sample("endpoint:a", EPOCH, 5, 0, 100, 5, 40, jitter_sum=9, jitter_n=4)])
    for grain in GRAINS:
        (row,) = store.totals("endpoint:a", grain, EPOCH - 90_000, EPOCH + 1)
        assert row[1:] == (60, 0, 0, 0, 0, 10, 0, 200, 10, 40, 9, 4)
    assert upkeep.faults(store) == []
    store.close()


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that fails half-way leaves the file as it was, version and all."""
    path = tmp_path / "m.db"
    Store.open(path).close()
    broken = "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n"
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(sqlite3.OperationalError):
        Store.open(path)
    monkeypatch.undo()
    store = Store.open(path)
    assert store.db.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []
    store.close()


def test_a_series_goes_on_once(tmp_path: Path) -> None:
    """The file itself refuses a second interval that goes on, and one that ends before it began."""
    connection = connect(tmp_path / "m.db")
    insert = "INSERT INTO interval VALUES (1, ?, ?, 0, 0, 0)"
    connection.execute(insert, (10, None))
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(insert, (20, None))
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(insert, (30, 30))
    connection.close()
