"""The memory as the daemon has it: recorder and writer together, or nothing where it is off."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from vcmon.clock import Clock
from vcmon.config.settings import History, Settings
from vcmon.errors import HistoryError, ReportError
from vcmon.history.backlog import Change
from vcmon.history.baselines import read_baselines
from vcmon.history.desk import Desk
from vcmon.history.facts import Facts
from vcmon.history.freezing import freeze_due
from vcmon.history.intervals import Recovered
from vcmon.history.maintenance import Agenda
from vcmon.history.meetings import combined
from vcmon.history.ninety import Ninety, read_ninety
from vcmon.history.people import Said
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.upkeep import Keep
from vcmon.history.writer import Writer
from vcmon.model.figures import HistoryFigures
from vcmon.model.meeting import Meeting
from vcmon.model.memory import Incident, Sample
from vcmon.model.path import Route
from vcmon.state.board import Board

OPEN_SECONDS = 2.0
"""So long the start waits for the file, to know what was down before; then it goes on without."""

STOP_SECONDS = 5.0
"""So long the end waits for the last write; systemd gives ten."""

LEARN_AT_ONCE = 50
"""Endpoints whose days are read in one go: some 70 ms of a thread."""

LEARN_PAUSE = 0.25
"""Seconds between two of those: 10,000 endpoints take a quarter of a core for a minute."""

LOOK_BACK_AT_ONCE = 5
"""Provinces whose ninety days are read in one go: some milliseconds of a thread."""

NOTHING_SAID = Said()

log = structlog.get_logger("vcmon.history")


class Nowhere:
    """Where the memory goes when the settings want none."""

    recovered: Recovered | None = Recovered()
    last_incident = 0
    said = NOTHING_SAID

    def change(self, change: Change) -> None: ...
    def trim(self, at: float) -> None: ...
    def incident(self, incident: Incident) -> None: ...
    def sample(self, samples: Iterable[Sample]) -> None: ...
    def route(self, route: Route) -> None: ...
    def beat(self, at: float) -> None: ...


def rules(settings: History) -> Rules:
    """How the settings want the memory kept."""
    path = Path(settings.path)
    return Rules(
        path=path,
        keep=Keep(settings.keep, settings.keep_hours, settings.keep_minutes),
        backup=path.with_name(f"{path.name}.backup") if settings.backup else None,
    )


@dataclass(slots=True)
class Keeper:
    """Ties the recorder to the board before it and to the writer behind it."""

    recorder: Recorder
    writer: Writer | None
    desk: Desk
    agenda: Agenda
    _clock: Clock
    _sink: Writer | Nowhere = field(repr=False)
    path: Path | None = None
    ninety: Mapping[str, Ninety] = field(default_factory=dict)  # days by province's slug
    _settings: Settings | None = None
    _said: Said = NOTHING_SAID

    @classmethod
    def of(cls, settings: History, clock: Clock) -> Keeper:
        """What these settings want; nothing is opened yet."""
        writer = Writer(rules(settings), clock) if settings.path else None
        sink, agenda = writer or Nowhere(), Agenda()
        desk = Desk(agenda.maintained, clock.wall())
        path = Path(settings.path) if settings.path else None
        recorder = Recorder(sink, clock, desk.decide, desk.set_back)
        return cls(recorder, writer, desk, agenda, clock, sink, path)

    def open_store(self, *, write: bool = False) -> Store | None:
        """The file for somebody else, to read or to append to; None without a memory.

        Raises HistoryError and sqlite3.Error. Not for the loop.
        """
        if self.path is None:
            return None
        return Store.open(self.path, write=write, make=False)

    def start(self) -> None:
        """Have the file opened, and wait for it a moment. Not for the loop."""
        if self.writer is not None:
            self.writer.start()
            self.writer.opened(OPEN_SECONDS)

    def tick(self, board: Board) -> None:
        """What this tick of the board brought becomes one transaction."""
        self._listen(board)
        board.set_maintenance(self.agenda.look(self._clock.wall()))
        self.recorder.tick(board.uplink, board.packets)

    def _listen(self, board: Board) -> None:
        told, said = self._sink.recovered, self._sink.said
        if told is not None and not self.recorder.adopted:
            self.desk.adopt(said, self._sink.last_incident)
            board.remember(self.recorder.adopt(told, board.standings().keys()))
        if told is not None and said is not self._said:
            self._said = said
            self.desk.heard(said)
            self._plan()

    def meetings(self) -> tuple[Meeting, ...]:
        """What is planned now, by the settings and by people; in memory."""
        planned = () if self._settings is None else self._settings.meetings
        return combined(planned, self._said.meetings)

    def _plan(self) -> None:
        if self._settings is not None:
            windows = (*self._settings.maintenance, *self._said.maintenance)
            self.agenda.load(windows, Facts.of(self._settings))

    def reloaded(self, settings: Settings, board: Board) -> None:
        """Board and memory have new settings."""
        self._settings = settings
        self._plan()
        self.desk.load(settings, Facts.of(settings))
        self.recorder.reconcile(board.standings())
        self.recorder.note_incidents(self.desk.retire(self._clock.wall()))

    async def tend(self) -> None:
        """Have the nightly work done; it takes its time, in threads of its own."""
        if self.writer is None or self._settings is None:
            return
        self.writer.tend()
        path, now = Path(self._settings.history.path), self._clock.wall()
        try:
            months = await asyncio.to_thread(freeze_due, path, self._settings, now)
        except (sqlite3.Error, HistoryError, ReportError) as error:
            log.error("no month was frozen; tomorrow night again", problem=str(error))  # noqa: TRY400  the text says all
        else:
            log.info("months frozen", months=" ".join(months) or "none was due")

    def route(self, route: Route) -> None:
        """An endpoint's way was traced; it is written with the next tick."""
        self._sink.route(route)

    async def learn(self, board: Board) -> None:
        """Tell the board what is normal for each link by its last days; read in threads.

        A few at a time, as each is held against what was measured of it, on the loop. Where the
        memory can't be read, what was normal stays so.
        """
        if self.path is None or self._settings is None:
            return
        names = [endpoint.id for endpoint in self._settings.endpoints]
        try:
            for first in range(0, len(names), LEARN_AT_ONCE):
                await asyncio.sleep(LEARN_PAUSE if first else 0)
                some, now = names[first : first + LEARN_AT_ONCE], self._clock.wall()
                board.set_baselines(await asyncio.to_thread(read_baselines, self.path, some, now))
        except (sqlite3.Error, HistoryError) as error:
            log.warning("what is usual could not be read; in an hour again", problem=str(error))

    async def look_back(self) -> None:
        """Read the last ninety days of each province, in threads; the pages have them from memory.

        Where the memory can't be read, what was read before stays.
        """
        if self.path is None or self._settings is None:
            return
        slugs = sorted({endpoint.province for endpoint in self._settings.endpoints})
        now, found = self._clock.wall(), dict[str, Ninety]()
        try:
            for first in range(0, len(slugs), LOOK_BACK_AT_ONCE):
                await asyncio.sleep(LEARN_PAUSE if first else 0)
                some = {f"province:{each}": each for each in slugs[first:][:LOOK_BACK_AT_ONCE]}
                told = await asyncio.to_thread(read_ninety, self.path, tuple(some), now)
                found |= {some[name]: each for name, each in told.items()}
        except (sqlite3.Error, HistoryError) as error:
            log.warning("the last days could not be read; in an hour again", problem=str(error))
        else:
            self.ninety = found

    def last_words(self, board: Board) -> None:
        """We are about to stop: hand over what is left."""
        self.recorder.last_words(board.packets)

    def stop(self) -> bool:
        """Write what is left and close the file: whether that was done. Not for the loop."""
        return self.writer is None or self.writer.stop(STOP_SECONDS)

    def figures(self) -> HistoryFigures:
        """What is counted of the memory."""
        return HistoryFigures() if self.writer is None else self.writer.figures()
