"""What keeps the memory's file in shape: retention, room, backup, checks, quarantine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vcmon.history.base import ms
from vcmon.history.rollup import DAY, DAYS, FIVE_MINUTES, GRAINS, HOURS, Grain
from vcmon.history.schema import MIGRATIONS
from vcmon.history.store import Store

CHUNK = 5_000
"""Rows deleted in one transaction: some 10 ms, in which nothing else can be written."""

PAGES = 1_000
"""Pages (4 MiB) given back to the disk in one go."""

QUARANTINED = 3
"""Corrupt files that are kept: for somebody to look at, and not to fill the disk with."""

RESERVE_BYTES = 4 * 2**20
"""What the log may need while old rows are deleted on a full disk: four times its usual size."""

SCANT = 86400.0
"""Seconds of the finest roll-up that are kept when the disk is full."""

TABLES = (
    *("series", "cause", "pulse", "interval", "incident", "member", "remark"),
    *("maintenance", "maintenance_end", "frozen", "amendment", "audit"),
    *("healthy_route", "failing_route"),
    *("meeting", "sitting", "roll", "attendance"),
    *(grain.name for grain in GRAINS),
)

Progress = Callable[[int, int], None]
"""Called with (done, of how many)."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long, in seconds, each thing is kept."""

    facts: float = 5 * 366 * 86400.0  # intervals, incidents, and the roll-up of days
    hours: float = 400 * 86400.0
    five_minutes: float = 8 * 86400.0

    def of(self, grain: Grain) -> float:
        """How long the rows of a roll-up are kept."""
        return {FIVE_MINUTES: self.five_minutes, HOURS: self.hours, DAYS: self.facts}[grain]


# ---- retention


def prune(store: Store, now: float, keep: Keep) -> int:
    """Delete what is too old, in short transactions; the number of rows. Nothing that goes on,
    nothing that was frozen or signed.
    """
    gone = 0
    for grain in GRAINS:
        oldest = grain.slot(ms(now - keep.of(grain)))
        for _, series in store.numbered():
            where = f"{grain.name} WHERE series = ? AND slot < ?"
            gone += _delete(store, where, "slot", (series, oldest))
    limit = ms(now - keep.facts)
    for _, series in store.numbered():
        where = "interval WHERE series = ? AND start < ? AND stop <= ?"
        gone += _delete(store, where, "start", (series, limit, limit))
    return gone + _prune_incidents(store, limit) + store.prune_routes(now - keep.facts)


def _delete(store: Store, where: str, key: str, values: tuple[int, ...]) -> int:
    """Delete by the key's order in chunks."""
    gone = 0
    table = where.partition(" ")[0]
    while True:
        with store.transaction():
            # words of ours, values bound
            done = store.db.execute(
                f"DELETE FROM {table} WHERE series = ? AND {key} IN "  # noqa: S608
                f"(SELECT {key} FROM {where} ORDER BY {key} LIMIT {CHUNK})",
                (values[0], *values),
            ).rowcount
        gone += done
        if done < CHUNK:
            return gone


def _prune_incidents(store: Store, limit: int) -> int:
    rows = store.db.execute("SELECT id FROM incident WHERE stop < ? LIMIT ?", (limit, CHUNK))
    old = rows.fetchall()
    with store.transaction():
        for table, column in (("member", "incident"), ("remark", "incident"), ("incident", "id")):
            store.db.executemany(f"DELETE FROM {table} WHERE {column} = ?", old)  # noqa: S608
    return len(old)


def give_back(store: Store) -> None:
    """Give free pages back to the disk, a few megabytes a step, so that others may write."""
    free = _number(store, "freelist_count")
    for _ in range(0, free, PAGES):
        # execute() would take one step of it, and a step is a page
        store.db.executescript(f"PRAGMA incremental_vacuum({PAGES})")


def empty_log(store: Store) -> None:
    """Bring the log into the file, and give its room back to the disk."""
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _number(store: Store, pragma: str) -> int:
    return int(store.db.execute(f"PRAGMA {pragma}").fetchone()[0])


# ---- backup


def back_up(store: Store, to: Path) -> None:
    """A whole, compact copy at ``to``, which is replaced only when the copy is complete.

    Raises sqlite3.Error or OSError where it can't be written; what was at ``to`` then stays.
    """
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    try:
        store.db.execute("VACUUM INTO ?", (str(part),))
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


# ---- room on the disk


@dataclass(frozen=True, slots=True)
class Reserve:
    """A file that holds some room on the disk, to be let go of when there is none left."""

    path: Path
    size: int = RESERVE_BYTES

    def hold(self) -> bool:
        """Take the room, if it can be had; whether it is held."""
        with suppress(FileNotFoundError):
            if self.path.stat().st_size == self.size:
                return True
        try:
            with self.path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the room back to the disk."""
        with suppress(OSError):
            self.path.unlink()


# ---- a file that is broken, or gone


def companions(path: Path) -> tuple[Path, ...]:
    """The file, its log and its index of the log."""
    return tuple(path.with_name(path.name + ending) for ending in ("", "-wal", "-shm"))


def quarantine(path: Path, stamp: str) -> Path:
    """Put the file and its log aside under a name of their own; where the file is now."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for old, new in zip(companions(path), companions(aside), strict=True):
        with suppress(FileNotFoundError):
            old.replace(new)
    kept = sorted(path.parent.glob(f"{path.name}.corrupt-{'[0-9]' * 8}T{'[0-9]' * 6}"))
    for old in kept[:-QUARANTINED]:
        for each in companions(old):
            each.unlink(missing_ok=True)
    return aside


def salvage(corrupt: Path, store: Store) -> int:
    """Copy what can still be read of a corrupt file of the same version; the number of rows."""
    copied = 0
    with suppress(sqlite3.Error):
        old = sqlite3.connect(f"file:{quote(str(corrupt.absolute()))}?mode=ro", uri=True)
        try:
            if old.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
                copied = sum(_copy(old, store, table) for table in TABLES)
        finally:
            old.close()
    return copied


def _copy(old: sqlite3.Connection, store: Store, table: str) -> int:
    copied = 0
    with store.transaction(), suppress(sqlite3.Error):
        for row in old.execute(f"SELECT * FROM {table}"):  # noqa: S608  our own word
            marks = ", ".join("?" * len(row))
            store.db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)  # noqa: S608
            copied += 1
    return copied


def write_again(store: Store) -> None:
    """The open file was deleted: write what it holds, which is still there for us, to its place.

    Closes the store. Raises sqlite3.Error or OSError where that can't be done.
    """
    path = store.path
    try:
        back_up(store, path.with_name(f"{path.name}.again"))
    finally:
        store.close()
    for left in companions(path)[1:]:
        left.unlink(missing_ok=True)
    path.with_name(f"{path.name}.again").replace(path)


# ---- checks


def faults(store: Store) -> list[str]:
    """What SQLite finds wrong with the file, a line each; at most 100."""
    try:
        rows = store.db.execute("PRAGMA integrity_check(100)").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [text for (text,) in rows if text != "ok"]


def overlaps(store: Store) -> list[str]:
    """Every series in which two intervals overlap, or one that goes on is not the last."""
    rows = store.db.execute(
        """SELECT name, start, stop, next FROM (
            SELECT series, start, stop, lead(start) OVER (PARTITION BY series ORDER BY start) next
            FROM interval) JOIN series ON id = series
        WHERE next IS NOT NULL AND (stop IS NULL OR stop > next) LIMIT 100"""
    )
    return [f"{name}: {start} to {stop} overlaps {after}" for name, start, stop, after in rows]


def disagreements(store: Store, now: float, keep: Keep, progress: Progress) -> Iterator[str]:
    """Every roll-up whose times differ from the intervals, a line each."""
    series = store.numbered()
    for done, (name, number) in enumerate(series, 1):
        for grain in GRAINS:
            # a day's margin: what is about to be pruned may be gone in the one and not the other
            since = ms(now - keep.of(grain)) + DAY
            for slot in store.disagreements(number, grain, since):
                yield f"{name}: {grain.name} of {grain.start(slot) // 1000}"
        progress(done, len(series))


def rebuild(store: Store, now: float, keep: Keep, progress: Progress) -> None:
    """Make the times of all roll-ups anew from the intervals, a series a transaction."""
    end = store.rolled()
    series = store.numbered() if end is not None else []
    for done, (_, number) in enumerate(series, 1):
        assert end is not None
        with store.transaction():
            for grain in GRAINS:
                store.rebuild_series(number, grain, ms(now - keep.of(grain)), ms(end))
        progress(done, len(series))
