"""The file: its tables, the pragmas it is opened with, and migrations that go forward only.

Times are whole milliseconds since 1970 (UTC), durations milliseconds, round-trip times
microseconds. Words that repeat (series, and reason with blame and parent) are kept once, by number.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from vcmon.errors import HistoryError
from vcmon.model.status import State

APPLICATION = 0x76636D6E
"""``vcmn`` in the file's header: a file of somebody else is never taken for ours."""

BUSY_SECONDS = 5.0
"""As long as a person's command may hold the file; the writer's thread waits, nobody else."""

WAL_PAGES = 256
"""Pages (1 MiB) after which the log is brought into the file: a small log fits on a full disk."""

WAL_BYTES = 4 * 2**20
"""What is left of the log's file after a large transaction."""

CODES = {
    State.UP: 0,
    State.DEGRADED: 1,
    State.DOWN: 2,
    State.UNREACHABLE: 3,
    State.UNKNOWN: 4,
}
"""How a state is written. Never changed: files of years ago say it so."""

STATES = {code: state for state, code in CODES.items()}

_ROLL_UP = """
CREATE TABLE {name} (
    series INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    up INTEGER NOT NULL DEFAULT 0,
    degraded INTEGER NOT NULL DEFAULT 0,
    down INTEGER NOT NULL DEFAULT 0,
    unreachable INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    rtt_sum INTEGER NOT NULL DEFAULT 0,
    rtt_n INTEGER NOT NULL DEFAULT 0,
    rtt_max INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (series, slot)
) WITHOUT ROWID;
"""

_STAYS = """
CREATE TRIGGER {table}_stays BEFORE {what} ON {table}
BEGIN SELECT RAISE(ABORT, '{table}: what was written stays'); END;
"""

_FIRST = (
    """
CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE cause (
    id INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    blame TEXT NOT NULL,
    parent TEXT NOT NULL,  -- an endpoint's id, or ''
    UNIQUE (reason, blame, parent)
);

CREATE TABLE interval (
    series INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER CHECK (stop > start),  -- NULL: it goes on
    state INTEGER NOT NULL,
    cause INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    PRIMARY KEY (series, start)
) WITHOUT ROWID;
CREATE UNIQUE INDEX interval_open ON interval (series) WHERE stop IS NULL;

CREATE TABLE pulse (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    heartbeat INTEGER,  -- all that happened before it is written
    rolled INTEGER  -- roll-ups agree with the intervals before it
);
INSERT INTO pulse (one) VALUES (1);

CREATE TABLE incident (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    start INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    stop INTEGER,
    reason TEXT NOT NULL,
    reopened INTEGER NOT NULL,
    merged_into INTEGER
);
CREATE INDEX incident_start ON incident (start);
CREATE INDEX incident_open ON incident (id) WHERE stop IS NULL;

CREATE TABLE member (
    incident INTEGER NOT NULL,
    subject TEXT NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER,
    PRIMARY KEY (incident, subject, start)
) WITHOUT ROWID;

CREATE TABLE remark (
    id INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    deed TEXT NOT NULL,
    text TEXT NOT NULL,
    ticket TEXT NOT NULL,
    cause TEXT NOT NULL,  -- '' without one
    UNIQUE (incident, at, author, deed, text, ticket, cause)
);

CREATE TABLE maintenance (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    title TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    zone TEXT NOT NULL,
    rule TEXT NOT NULL,
    author TEXT NOT NULL
);
CREATE TABLE maintenance_end (
    id INTEGER PRIMARY KEY,
    maintenance INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    author TEXT NOT NULL
);

CREATE TABLE frozen (
    month TEXT NOT NULL,
    name TEXT NOT NULL,
    page TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (month, name)
) WITHOUT ROWID;

CREATE TABLE amendment (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL,
    series TEXT NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    milliseconds INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    outages INTEGER NOT NULL,
    signature TEXT NOT NULL
);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL
);
""",
    *(_ROLL_UP.format(name=name) for name in ("five_minutes", "hour", "day")),
    *(
        _STAYS.format(table=table, what="UPDATE")
        for table in ("remark", "maintenance", "maintenance_end", "frozen", "amendment", "audit")
    ),
    # Old remarks go with their old incidents; what was signed or frozen never goes.
    *(
        _STAYS.replace("_stays", "_is_kept").format(table=table, what="DELETE")
        for table in ("frozen", "amendment")
    ),
)

_ROUTES = """
CREATE TABLE healthy_route (
    endpoint TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    told TEXT NOT NULL  -- JSON, see paths.py
) WITHOUT ROWID;

CREATE TABLE failing_route (
    endpoint TEXT NOT NULL,
    at INTEGER NOT NULL,
    told TEXT NOT NULL,
    before TEXT,  -- the healthy one as it was then
    PRIMARY KEY (endpoint, at)
) WITHOUT ROWID;
"""

_JITTER = """
ALTER TABLE {name} ADD COLUMN jitter_sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE {name} ADD COLUMN jitter_n INTEGER NOT NULL DEFAULT 0;
"""

_MEETINGS = (
    """
CREATE TABLE meeting (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    over INTEGER,  -- nothing of it goes on after it; NULL: without end
    told TEXT NOT NULL  -- JSON, see meetings.py
);
CREATE INDEX meeting_name ON meeting (name, version);

CREATE TABLE sitting (
    version INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    told TEXT NOT NULL,
    UNIQUE (id, start)  -- moved, it is kept anew
);
CREATE INDEX sitting_start ON sitting (start);

CREATE TABLE roll (
    sitting TEXT NOT NULL,
    start INTEGER NOT NULL,  -- that it was called for: of a sitting that is moved, anew
    checkpoint INTEGER NOT NULL,
    at INTEGER NOT NULL,
    told TEXT NOT NULL,
    PRIMARY KEY (sitting, start, checkpoint)
) WITHOUT ROWID;

CREATE TABLE attendance (
    id INTEGER PRIMARY KEY,
    sitting TEXT NOT NULL,
    province TEXT NOT NULL,
    at INTEGER NOT NULL,
    presence TEXT NOT NULL,
    author TEXT NOT NULL,
    officer TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX attendance_sitting ON attendance (sitting);
""",
    *(
        trigger.format(table=table, what=what)
        for trigger, what in (
            (_STAYS, "UPDATE"),
            (_STAYS.replace("_stays", "_is_kept"), "DELETE"),
        )
        for table in ("meeting", "sitting", "roll", "attendance")
    ),
)

MIGRATIONS = (
    "".join(_FIRST),
    _ROUTES,
    "".join(_JITTER.format(name=name) for name in ("five_minutes", "hour", "day")),
    "".join(_MEETINGS),
)
"""Each brings a file one version further; none is ever changed once it was released."""


def connect(path: Path, *, write: bool = True, make: bool = True) -> sqlite3.Connection:
    """The file, opened and, with ``write``, brought up to date.

    Where there is none, it is made with ``write`` and ``make``: only the one that owns the memory
    may, or its file would be taken for replaced.

    Raises HistoryError for a file that a newer vcmon wrote or that isn't ours, sqlite3.Error for
    what the disk or the file itself refuses.
    """
    mode = ("rwc" if make else "rw") if write else "ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # it moves from the thread that opens it to the one that uses it
        uri=True,
    )
    try:
        _refuse_foreign(connection, path)
        if write:
            _set_up(connection)
            _migrate(connection)
        elif _version(connection) < len(MIGRATIONS):
            raise HistoryError(f"{path} is of an older vcmon, or empty: 'vcmon run' brings it up")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    # Only before the first table: later it would take a VACUUM of the whole file.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit survives a kill of ours; a power cut may take the last ones, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    if not ours and (version or connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise HistoryError(f"{path} is not a memory of vcmon: name another file")
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"{path} was written by a newer vcmon (version {version} of the file; this one knows "
            f"{len(MIGRATIONS)}): install that vcmon again, or name another file"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(_version(connection), len(MIGRATIONS)):
            _run(connection, MIGRATIONS[number])
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Every statement of the script, within the transaction (executescript would commit it)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
