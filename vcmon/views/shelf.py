"""The memory as the views have it: never on the event loop, and never more than a few at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import structlog

from vcmon.errors import HistoryError
from vcmon.history.store import Store
from vcmon.views.crew import AGAIN, Crew
from vcmon.views.refusal import Refusal
from vcmon.views.site import Seldom
from vcmon.views.sources import Sources

T = TypeVar("T")

THREADS = 2
"""One that reads much must not hold up the other; more would take the processor from the probes."""

WAITING_MAX = 16
"""Questions under way and waiting: at some milliseconds each nobody waits for a second."""

log = structlog.get_logger("vcmon.views")


class Shelf:
    """Opens the memory anew for each question: its file may have been replaced meanwhile."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._crew = Crew("vcmon-shelf", THREADS, WAITING_MAX)
        self._seldom = Seldom()

    def close(self) -> None:
        """Give back the threads."""
        self._crew.close()

    async def read(self, work: Callable[[Store], T]) -> T:
        """What ``work`` makes of the memory, in a thread. Raises Refusal, and what work raises."""
        return await self._do(self._sources.open_store, work)

    async def write(self, work: Callable[[Store], T]) -> T:
        """The same with a memory that can be written to."""
        return await self._do(self._sources.open_to_write, work)

    async def _do(self, opens: Callable[[], Store | None], work: Callable[[Store], T]) -> T:
        try:
            return await self._crew.do(partial(_with, opens, work))
        except (HistoryError, OSError, sqlite3.Error) as error:
            if self._seldom(type(error).__name__):
                log.warning("the memory can't be asked", error=str(error))
            unavailable = HTTPStatus.SERVICE_UNAVAILABLE
            raise Refusal(unavailable, "the memory can't be used now; try again", AGAIN) from error


def _with(opens: Callable[[], Store | None], work: Callable[[Store], T]) -> T:
    store = opens()
    if store is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "this vcmon keeps no memory (history.path is '')")
    try:
        return work(store)
    finally:
        store.close()
