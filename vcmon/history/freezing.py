"""Freezes the months that are due: once each, by the rules that were in force then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from vcmon.config.settings import Settings
from vcmon.history.frozen import pages_due
from vcmon.history.report import Desk
from vcmon.history.store import Store


def freeze_due(path: Path, settings: Settings, now: float) -> tuple[str, ...]:
    """Freeze what is due in the memory at ``path``; the months that were. Waits for the disk.

    Raises sqlite3.Error or HistoryError; what was frozen before that stays so.
    """
    frozen = []
    with closing(Store.open(path, make=False)) as store:
        for month, pages in pages_due(Desk(store, settings, now)).items():
            try:
                store.freeze(month, pages, now)
            except sqlite3.IntegrityError:
                continue  # another vcmon on the same file was first
            frozen.append(month)
    return tuple(frozen)
