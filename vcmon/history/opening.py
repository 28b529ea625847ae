"""Opens the memory of another process, or of one that has stopped, to read it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from vcmon.errors import HistoryError, StartError
from vcmon.history.store import Store


def open_memory(path: Path) -> Store:
    """The memory in this file, to be read; whoever opens it closes it.

    Raises StartError, which says why it can't be read.
    """
    if not path.is_file():
        raise StartError(f"no memory at {path}: vcmon run makes it (history.path in the settings)")
    try:
        return Store.open(path, write=False)
    except (sqlite3.Error, OSError, HistoryError) as error:
        raise StartError(f"the memory at {path} can't be read: {error}") from error
