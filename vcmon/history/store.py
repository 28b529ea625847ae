"""The memory's file, read and written; synchronous, one connection, one thread at a time.

What the machine found (intervals, incidents, roll-ups) one writer writes; what people say
is appended by anybody. Times outside are wall seconds, inside whole milliseconds.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Self

from vcmon.history.paths import Paths
from vcmon.history.people import People
from vcmon.history.schema import connect
from vcmon.history.totals import Totals


class Store(Totals, People, Paths):
    """One open file. Every call may raise sqlite3.Error: the disk has the last word."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection)
        self.path = path

    @classmethod
    def open(cls, path: Path, *, write: bool = True, make: bool = True) -> Self:
        """The file at ``path``, brought up to date with ``write``, made with ``make`` as well.

        Raises HistoryError for a file that isn't ours or of a newer vcmon.
        """
        return cls(connect(path, write=write, make=make), path)

    def close(self) -> None:
        """Let go of the file; the last one out brings the log into it."""
        self.db.close()
