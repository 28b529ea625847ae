"""Writes what waits, and heals what is in the way; synchronous, for one thread of its own.

    waits ──written──▶ up          the next batch is one transaction
      │
      ├─ locked, read-only, unreachable ──▶ keep, try again with the next batch
      ├─ disk full ──▶ let go of the reserve, delete what is old, try again
      ├─ corrupt ──▶ quarantine, begin a new file
      ├─ deleted ──▶ write it again out of the file that is still open, or begin a new one
      └─ a fact that can't be written ──▶ drop that one, say so

A new file is told at once what every series is, since when, and which incidents go on.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from vcmon.clock import Clock
from vcmon.errors import HistoryError
from vcmon.history import upkeep
from vcmon.history.backlog import MOST, Backlog, End
from vcmon.history.intervals import Recovered
from vcmon.history.people import Said
from vcmon.history.rollup import FIVE_MINUTES
from vcmon.history.store import Store
from vcmon.model.figures import HistoryFigures
from vcmon.model.memory import Incident, Interval

log = structlog.get_logger("vcmon.history")


@dataclass(frozen=True, slots=True)
class Rules:
    """How the memory is kept."""

    path: Path
    keep: upkeep.Keep = field(default_factory=upkeep.Keep)
    backup: Path | None = None
    most: int = MOST  # facts that may wait
    reserve: int = upkeep.RESERVE_BYTES
    retry: float = 5.0  # seconds between two tries to open a file that can't be opened
    busy: float = 5.0  # seconds that a lock of somebody else is waited for


class Scribe:
    """Owns the file. ``write`` never raises: what can't be written waits, or is counted."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._store: Store | None = None
        self._inode = (0, 0)
        self._open_after = float("-inf")  # monotonic
        self._pending = Backlog(rules.most)
        self._current: dict[str, Interval] = {}  # what is written and goes on, by series
        self._incidents: dict[int, Incident] = {}  # likewise
        self._data_version = -1
        self._rolled_slot = -1
        self._failures: Counter[str] = Counter()
        self._anew = 0
        self._trouble = ""
        self._corrupt: Path | None = None  # a quarantined file that may hold readable rows
        self._reserve = upkeep.Reserve(
            rules.path.with_name(f"{rules.path.name}.reserve"), rules.reserve
        )
        self.figures = HistoryFigures(wanted=True)
        self.recovered: Recovered | None = None  # what the first file told; None until then
        self.last_incident = 0  # the largest number that it had given to an incident
        self.said = Said()  # what people said, as of the last write

    # ---- in

    def write(self, batch: Backlog | None = None) -> None:
        """Write all that waits, in one transaction; what fails is kept, within the bound."""
        if batch is not None:
            self._pending.absorb(batch)
            self.figures = replace(self.figures, waiting=len(self._pending))  # it may take long
        anew = self._anew
        self._guarded(self._write)
        if self._anew > anew and self._trouble:
            self._guarded(self._write)  # the new file needn't wait for the next batch

    def tend(self) -> None:
        """The nightly work: retention, room, agreement of the roll-ups, backup, reserve."""
        self._guarded(self._tend)

    def close(self) -> None:
        """Let go of the file; what it tells by then is complete."""
        if self._store is not None:
            with suppress(sqlite3.Error):
                self._store.close()
            self._store = None
        self._reserve.release()

    # ---- writing

    def _write(self) -> None:
        store = self._opened()
        if store is None:
            return
        self._flush(store)
        self._look_around(store)
        self._well()

    def _flush(self, store: Store) -> None:
        try:
            with store.transaction():
                self._pending.write(store)
        except sqlite3.DatabaseError as error:
            if not isinstance(error, POISON):
                raise
            self._one_by_one(store)
        except (ValueError, OverflowError):
            self._one_by_one(store)
        self._remember()

    def _one_by_one(self, store: Store) -> None:
        """One of the facts can't be written: find it, so that the others are."""
        pending = self._pending
        sound = Backlog(self._rules.most, pending.trim_to, dropped=pending.dropped)
        sound.heartbeat = pending.heartbeat
        for fact in pending.single():
            try:
                with store.transaction():
                    fact.write(store)
            except (*POISON, ValueError, OverflowError) as error:
                sound.dropped += 1
                log.error("history: a fact can't be written", error=str(error))  # noqa: TRY400  the fact is wrong, not we
            else:
                sound.changes.extend(fact.changes)
                sound.incidents |= fact.incidents
        self._pending = sound

    def _remember(self) -> None:
        """What is written now, for the day on which it has to be written again."""
        pending = self._pending
        if pending.trim_to is not None:
            at = pending.trim_to
            self._current = {s: i for s, i in self._current.items() if i.start <= at}
        for change in pending.in_order():
            if isinstance(change, End):
                self._current.pop(change.series, None)
            else:
                self._current[change.series] = change
        for incident in pending.incidents.values():
            self._incidents[incident.id] = incident
            if incident.stop is not None:
                del self._incidents[incident.id]
        self._pending = Backlog(self._rules.most, dropped=pending.dropped)
        self._pending.heartbeat = pending.heartbeat

    def _look_around(self, store: Store) -> None:
        """What others have written, and every five minutes the roll-ups and a look at the file."""
        version = store.data_version()
        if version != self._data_version:
            self._data_version, self.said = version, store.said(self._clock.wall())
        heartbeat = self._pending.heartbeat
        if heartbeat is None:
            return
        slot = FIVE_MINUTES.slot(int(heartbeat * 1000))
        if slot != self._rolled_slot:
            store.roll(heartbeat)
            self._rolled_slot = slot
            self._look_with_fresh_eyes()
            self._reserve.hold()

    def _look_with_fresh_eyes(self) -> None:
        """Read what we believe is written over a connection that has nothing in its cache."""
        reader = Store.open(self._rules.path, write=False)
        try:
            found = reader.open_intervals()
        finally:
            reader.close()
        if found.keys() != self._current.keys():
            raise CorruptError("what goes on is not what was written")

    # ---- the file

    def _opened(self) -> Store | None:
        """The store, opened if it has to be; None while it is not yet time to try again."""
        store = self._store
        if store is not None and not self._is_still_there(store):
            store = self._store = None
        if store is not None:
            return store
        if self._clock.monotonic() < self._open_after:
            self._note()
            return None
        self._open_after = self._clock.monotonic() + self._rules.retry
        store = Store.open(self._rules.path)
        try:
            store.db.execute(f"PRAGMA busy_timeout = {int(self._rules.busy * 1000)}")
            self._inode = _inode(self._rules.path)
            self._greet(store)
        except BaseException:
            store.close()
            raise
        self._store, self._open_after = store, float("-inf")
        return store

    def _greet(self, store: Store) -> None:
        """Close what an earlier run left open; tell a file what we know that it may not know."""
        if self._corrupt is not None:
            upkeep.salvage(self._corrupt, store)
            self._corrupt = None
        with store.transaction():
            recovered = store.recover(self._clock.wall())
            for interval in self._current.values():
                store.put(interval)
            for incident in self._incidents.values():
                store.put_incident(incident)
        if self.recovered is None:
            self.last_incident = store.last_incident()
            self._current = dict(recovered.current)
            self._data_version = store.data_version()
            self.said = store.said(self._clock.wall())
            self.recovered = recovered
        self._reserve.hold()

    def _is_still_there(self, store: Store) -> bool:
        try:
            if _inode(self._rules.path) == self._inode:
                return True
        except FileNotFoundError:
            self._anew += 1
            log.error("history: the file was deleted; it is written again", path=str(store.path))  # noqa: TRY400  no bug of ours
            with suppress(sqlite3.Error, OSError):
                upkeep.write_again(store)
        else:
            log.warning("history: the file was replaced; the new one is used", path=str(store.path))
        with suppress(sqlite3.Error):
            store.close()
        return False

    # ---- trouble

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except HistoryError as error:
            self._ill("refused", error)
        except (sqlite3.Error, OSError) as error:
            self._treated(error)
        except Exception as bug:
            # The thread lives on, or nothing would ever be written again.
            log.exception("history: a bug of ours")
            self._ill("bug", bug)
            self._let_go()
        self._note()

    def _treated(self, error: sqlite3.Error | OSError) -> None:
        try:
            self._treat(error)
        except Exception as worse:  # noqa: BLE001  as on a disk that rots and is read-only at once
            self._ill(kind_of(worse) if isinstance(worse, OSError) else "bug", worse)
            self._let_go()

    def _treat(self, error: sqlite3.Error | OSError) -> None:
        kind = kind_of(error)
        self._ill(kind, error)
        if kind == "full":
            self._make_room()
        elif kind == "corrupt":
            self._begin_anew()
        elif kind != "locked":
            self._let_go()

    def _ill(self, kind: str, error: BaseException) -> None:
        self._failures[kind] += 1
        if self._trouble != kind:
            self._trouble = kind
            log.error(
                "history: can't write; it is kept in memory and tried again",
                kind=kind, error=str(error), path=str(self._rules.path),
            )  # fmt: skip

    def _well(self) -> None:
        if self._trouble:
            self._trouble = ""
            log.info("history: writes again", path=str(self._rules.path))

    def _let_go(self) -> None:
        if self._store is not None:
            with suppress(sqlite3.Error):
                self._store.close()
            self._store = None

    def _make_room(self) -> None:
        """The disk is full: the reserve is for deleting what is old, which makes room within."""
        self._reserve.release()
        store = self._store
        if store is None:
            return
        with suppress(sqlite3.Error):
            now, keep = self._clock.wall(), self._rules.keep
            upkeep.empty_log(store)
            if upkeep.prune(store, now, keep) == 0:
                # the finest roll-up is the least worth, and can be had again from the intervals
                scant = upkeep.Keep(keep.facts, keep.hours, upkeep.SCANT)
                upkeep.prune(store, now, scant)
            upkeep.empty_log(store)

    def _begin_anew(self) -> None:
        self._let_go()
        stamp = datetime.fromtimestamp(self._clock.wall(), UTC).strftime("%Y%m%dT%H%M%S")
        self._corrupt = upkeep.quarantine(self._rules.path, stamp)
        self._anew += 1
        self._open_after = float("-inf")
        log.error("history: corrupt; a new file is begun", quarantined=str(self._corrupt))

    # ---- upkeep

    def _tend(self) -> None:
        store = self._opened()
        if store is None:
            return
        now, keep = self._clock.wall(), self._rules.keep
        upkeep.prune(store, now, keep)
        upkeep.give_back(store)
        if found := upkeep.faults(store):
            raise CorruptError("; ".join(found[:5]))
        if next(upkeep.disagreements(store, now, keep, lambda *_: None), None):
            log.warning("history: roll-ups did not agree with the intervals; made anew")
            upkeep.rebuild(store, now, keep, lambda *_: None)
        if self._rules.backup is not None:
            upkeep.back_up(store, self._rules.backup)
        self._reserve.hold()

    def _note(self) -> None:
        pending = self._pending
        self.figures = HistoryFigures(
            wanted=True,
            up=self._store is not None and not self._trouble,
            written_at=self.figures.written_at if self._trouble else pending.heartbeat or 0.0,
            waiting=len(pending),
            dropped=pending.dropped,
            failures=dict(self._failures),
            begun_anew=self._anew,
            size=sum(_size(path) for path in upkeep.companions(self._rules.path)),
        )


class CorruptError(sqlite3.DatabaseError):
    """The file does not hold what was written to it."""


POISON = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)
"""Errors of one fact, not of the file or the disk."""

KINDS = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
}


def kind_of(error: sqlite3.Error | OSError) -> str:
    """What is in the way: one word of a closed set, so that it can be a metric's label."""
    if isinstance(error, CorruptError):
        return "corrupt"
    code = getattr(error, "sqlite_errorcode", None)
    return "io" if code is None else KINDS.get(code & 0xFF, "io")


def _inode(path: Path) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116  with every batch: no Path objects
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
