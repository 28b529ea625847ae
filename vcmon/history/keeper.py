"""The memory as the daemon has it: recorder and writer together, or nothing where it is off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vcmon.clock import Clock
from vcmon.config.settings import History
from vcmon.history.backlog import Change
from vcmon.history.intervals import Recovered
from vcmon.history.people import Said
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.upkeep import Keep
from vcmon.history.writer import Writer
from vcmon.model.figures import HistoryFigures
from vcmon.model.memory import Incident, Sample
from vcmon.state.board import Board

OPEN_SECONDS = 2.0
"""So long the start waits for the file, to know what was down before; then it goes on without."""

STOP_SECONDS = 5.0
"""So long the end waits for the last write; systemd gives ten."""


class Nowhere:
    """Where the memory goes when the settings want none."""

    recovered: Recovered | None = Recovered()

    def change(self, change: Change) -> None: ...
    def trim(self, at: float) -> None: ...
    def incident(self, incident: Incident) -> None: ...
    def sample(self, samples: Iterable[Sample]) -> None: ...
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
    _sink: Writer | Nowhere = field(repr=False)

    @classmethod
    def of(cls, settings: History, clock: Clock) -> Keeper:
        """What these settings want; nothing is opened yet."""
        writer = Writer(rules(settings), clock) if settings.path else None
        sink = writer or Nowhere()
        return cls(Recorder(sink, clock), writer, sink)

    def start(self) -> None:
        """Have the file opened, and wait for it a moment. Not for the loop."""
        if self.writer is not None:
            self.writer.start()
            self.writer.opened(OPEN_SECONDS)

    def tick(self, board: Board) -> None:
        """What this tick of the board brought becomes one transaction."""
        told = self._sink.recovered
        if told is not None and not self.recorder.adopted:
            board.remember(self.recorder.adopt(told, board.standings().keys()))
        self.recorder.tick(board.snapshot().uplink, board.packets)

    def reloaded(self, board: Board) -> None:
        """The board has new settings."""
        self.recorder.reconcile(board.standings())

    async def tend(self) -> None:
        """Have the nightly work done; it takes its time, in its own thread."""
        if self.writer is not None:
            self.writer.tend()

    def last_words(self, board: Board) -> None:
        """We are about to stop: hand over what is left."""
        self.recorder.last_words(board.packets)

    def stop(self) -> bool:
        """Write what is left and close the file: whether that was done. Not for the loop."""
        return self.writer is None or self.writer.stop(STOP_SECONDS)

    @property
    def said(self) -> Said:
        """What people said, open incidents included; the same object until somebody says more."""
        return Said() if self.writer is None else self.writer.said

    @property
    def last_incident(self) -> int:
        """The largest number of an incident in the file, once it was opened; 0 without any."""
        return 0 if self.writer is None else self.writer.last_incident

    def figures(self) -> HistoryFigures:
        """What is counted of the memory."""
        return HistoryFigures() if self.writer is None else self.writer.figures()
