"""The memory's file, read and written; synchronous, one connection, one thread at a time.

What the machine found (intervals, incidents, roll-ups) one writer writes; what people say
is appended by anybody. Times outside are wall seconds, inside whole milliseconds.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Self

from vcmon.history.meetings import Meetings
from vcmon.history.paths import Paths
from vcmon.history.people import FAR, REMEMBERED, People, Said
from vcmon.history.schema import connect
from vcmon.history.totals import Totals


class Store(Totals, People, Paths, Meetings):
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

    def said(self, now: float) -> Said:
        """What the daemon has to know of what people said."""
        return Said(
            incidents=tuple(self.incidents(now - REMEMBERED, FAR)),
            maintenance=tuple(self.maintenance()),
            meetings=tuple(self.current_meetings(now - REMEMBERED)),
        )

    def close(self) -> None:
        """Let go of the file; the last one out brings the log into it."""
        self.db.close()
