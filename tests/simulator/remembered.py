"""The product's own memory under the simulator: recorder, desk, and a real SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.fakes.clock import FakeClock
from vcmon.config.settings import Settings
from vcmon.history.book import Book
from vcmon.history.desk import Desk
from vcmon.history.facts import Facts
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Inline
from vcmon.model.memory import Incident, Interval
from vcmon.model.status import Transition, Uplink
from vcmon.state.credit import GAP

LOOK = GAP / 2
"""Seconds between two looks at the clocks while the driver skips a quiet stretch: the daemon ticks
every half second; what it does in between, with nothing to write, is only to look."""


class Remembered:
    """As ``Ledger``, but nothing of it is the test's own."""

    def __init__(
        self, settings: Settings, maintained: Callable[[str, float], bool], path: Path
    ) -> None:
        self._settings = settings
        self._maintained = maintained
        self._path = path
        self.source = FakeClock()  # the driver's; set before the first change
        self._clock = FakeClock()

    def begin(self, source: FakeClock) -> None:
        """The first run, on the driver's clock."""
        self.source = source
        self._set_clock()
        self._open()

    def _set_clock(self) -> None:
        self._clock.seconds, self._clock.offset = self.source.seconds, self.source.offset

    def _open(self) -> None:
        sink = Inline(Rules(self._path, reserve=4096), self._clock)
        assert sink.recovered is not None
        desk = Desk(self._maintained, self._clock.wall())
        desk.load(self._settings, Facts.of(self._settings))
        desk.adopt(sink.said, sink.last_incident)
        self._recorder = Recorder(sink, self._clock, desk.decide, desk.set_back)
        self._recorder.adopt(sink.recovered, sink.recovered.current.keys())
        self._desk = desk

    def _catch_up(self) -> None:
        """Look at the clocks as often as the daemon would have to see no gap."""
        while self.source.seconds - self._clock.seconds > LOOK:
            self._clock.forward(LOOK)
            self._recorder._look_at_the_clocks()
        self._set_clock()

    def take(self, event: Transition) -> None:
        self._catch_up()
        self._recorder.transition(event)

    def tick(self, wall: float, monotonic: float) -> None:
        self._catch_up()
        assert (self._clock.wall(), self._clock.monotonic()) == (wall, monotonic)
        self._recorder.tick(Uplink(), lambda: iter(()))

    def restart(self) -> None:
        """Killed after the last tick; a new process finds the file."""
        self._set_clock()
        self._open()

    @property
    def book(self) -> Book:
        return self._desk._book

    @property
    def open(self) -> dict[str, Interval]:
        return {s: i for s, i in self._recorder.current().items() if ":" in s}

    @property
    def told(self) -> dict[int, Incident]:
        store = Store.open(self._path, write=False)
        found = {incident.id: incident for incident in store.incidents(0, 1e11)}
        store.close()
        return found

    def home(self, subject: str) -> Incident | None:
        self._flush()
        incident = self.book.where.get(subject)
        return None if incident is None else self.book.open[incident]

    def _flush(self) -> None:
        heard, self._recorder._heard = self._recorder._heard, []
        if heard:
            self._recorder.note_incidents(self._desk.decide(heard))

    def intervals(self, series: str, until: float) -> list[Interval]:
        """All of one series out of the file, in order, the open one cut at ``until``."""
        store = Store.open(self._path, write=False)
        found = store.intervals(series, 0, until)
        store.close()
        return [replace(i, stop=until) if i.stop is None else i for i in found]
