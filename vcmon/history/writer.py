"""The thread that writes, and how the event loop hands over to it without ever waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from queue import Empty, SimpleQueue

from vcmon.clock import Clock
from vcmon.history.backlog import Backlog, Change
from vcmon.history.intervals import Recovered
from vcmon.history.people import Said
from vcmon.history.scribe import Rules, Scribe
from vcmon.model.figures import HistoryFigures
from vcmon.model.memory import Incident, Sample
from vcmon.model.path import Route

IDLE = 5.0
"""Seconds without a batch after which the thread looks at the file all the same."""


class _Task(Enum):
    TEND = "tend"
    STOP = "stop"


class Writer:
    """What the recorder writes to. Everything returns at once; call it on the event loop.

    A tick's facts are handed over whole. While the thread is busy (a slow disk, a lock) they
    gather here, within the same bound as there.
    """

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._scribe = Scribe(rules, clock)
        self._backlog = Backlog(rules.most)
        self._dropped = 0  # of all backlogs that were handed over
        self._handed: SimpleQueue[Backlog | _Task] = SimpleQueue()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vcmon-history", daemon=True)

    # ---- on the loop

    def start(self) -> None:
        """Begin; the file is opened by the thread."""
        self._thread.start()

    def opened(self, seconds: float) -> bool:
        """Wait until the first try to open the file is over: whether it is. Not for the loop."""
        return self._opened.wait(seconds)

    def change(self, change: Change) -> None:
        self._backlog.change(change)

    def trim(self, at: float) -> None:
        self._backlog.trim(at)

    def incident(self, incident: Incident) -> None:
        self._backlog.incident(incident)

    def sample(self, samples: Iterable[Sample]) -> None:
        self._backlog.sample(samples)

    def route(self, route: Route) -> None:
        self._backlog.route(route)

    def beat(self, at: float) -> None:
        """The tick is over: what it brought becomes one transaction."""
        self._backlog.heartbeat = at
        if self._handed.empty():
            batch, self._backlog = self._backlog, Backlog(self._rules.most)
            self._dropped += batch.dropped
            self._handed.put(batch)

    def tend(self) -> None:
        """Have the nightly work done."""
        self._handed.put(_Task.TEND)

    def stop(self, seconds: float) -> bool:
        """Write what is left and end; whether it was done in time. Not for the loop."""
        if self._thread.ident is None:
            return True  # never started: there was something else in the way
        self._handed.put(self._backlog)
        self._handed.put(_Task.STOP)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def recovered(self) -> Recovered | None:
        """What the file told when it was opened first; None until then."""
        return self._scribe.recovered

    @property
    def last_incident(self) -> int:
        """The largest number of an incident in the file, once ``recovered`` is there."""
        return self._scribe.last_incident

    @property
    def said(self) -> Said:
        """What people said; the same object until somebody says more."""
        return self._scribe.said

    def figures(self) -> HistoryFigures:
        """What is counted, both of the thread and of what waits for it here."""
        theirs, ours = self._scribe.figures, self._backlog
        dropped = theirs.dropped + self._dropped + ours.dropped
        up = theirs.up and (self._thread.ident is None or self._thread.is_alive())
        return replace(theirs, up=up, waiting=theirs.waiting + len(ours), dropped=dropped)

    # ---- in the thread

    def _run(self) -> None:
        self._scribe.write()
        self._opened.set()
        while (batch := self._take()) is not _Task.STOP:
            if isinstance(batch, _Task):
                self._scribe.tend()
            else:
                self._scribe.write(batch)
        self._scribe.close()

    def _take(self) -> Backlog | _Task | None:
        try:
            return self._handed.get(timeout=IDLE)
        except Empty:
            return None


class Inline:
    """The same without a thread: every beat is written before it returns. For virtual time."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self.scribe = Scribe(rules, clock)
        self.scribe.write()
        self._backlog = Backlog(rules.most)

    def change(self, change: Change) -> None:
        self._backlog.change(change)

    def trim(self, at: float) -> None:
        self._backlog.trim(at)

    def incident(self, incident: Incident) -> None:
        self._backlog.incident(incident)

    def sample(self, samples: Iterable[Sample]) -> None:
        self._backlog.sample(samples)

    def beat(self, at: float) -> None:
        self._backlog.heartbeat = at
        batch, self._backlog = self._backlog, Backlog(self._rules.most)
        self.scribe.write(batch)

    @property
    def recovered(self) -> Recovered | None:
        return self.scribe.recovered

    @property
    def last_incident(self) -> int:
        return self.scribe.last_incident

    @property
    def said(self) -> Said:
        return self.scribe.said

    def figures(self) -> HistoryFigures:
        return self.scribe.figures
