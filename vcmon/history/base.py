"""What every part of the store shares: the connection, milliseconds, and words kept by number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from vcmon.model.result import Blame, Reason


def ms(seconds: float) -> int:
    """Wall seconds as the file has them."""
    return round(seconds * 1000)


def ms_or_none(seconds: float | None) -> int | None:
    return None if seconds is None else ms(seconds)


def seconds(milliseconds: int) -> float:
    """What the file has as wall seconds."""
    return milliseconds / 1000


def seconds_or_none(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else seconds(milliseconds)


Cause = tuple[Reason, Blame, str]
"""Reason, blame, and the endpoint id of the parent or ''."""


class Base:
    """The connection, and the numbers of the words that were met so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.db = connection
        # As many as there are series, and reasons times parents: both belong to the inventory.
        self._series: dict[str, int] = {}
        self._causes: dict[Cause, int] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing; within another one, a part of that."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            # numbers that it gave out don't hold
            self._series.clear()
            self._causes.clear()
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # SQLite has done it by itself where the disk was full
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def data_version(self) -> int:
        """A number that changes when somebody else has written."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def known_series(self, name: str) -> int | None:
        """The series' number, or None for one that was never written."""
        number = self._series.get(name)
        if number is None:
            row = self.db.execute("SELECT id FROM series WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            number = self._series[name] = int(row[0])
        return number

    def number_of(self, name: str) -> int:
        """The series' number, given now if it has none."""
        number = self.known_series(name)
        if number is None:
            made = self.db.execute("INSERT INTO series (name) VALUES (?)", (name,))
            number = self._series[name] = _id(made)
        return number

    def cause_of(self, cause: Cause) -> int:
        """The number of a cause, given now if it has none."""
        number = self._causes.get(cause)
        if number is None:
            row = self.db.execute(
                "SELECT id FROM cause WHERE reason = ? AND blame = ? AND parent = ?", cause
            ).fetchone()
            if row is None:
                made = self.db.execute(
                    "INSERT INTO cause (reason, blame, parent) VALUES (?, ?, ?)", cause
                )
                number = _id(made)
            else:
                number = int(row[0])
            self._causes[cause] = number
        return number


def _id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
