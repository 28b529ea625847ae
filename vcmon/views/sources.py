"""What the views read from, as plain callables that app.py hands over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from vcmon.config.settings import Settings
from vcmon.history.memory import Memory
from vcmon.history.ninety import Ninety
from vcmon.history.store import Store
from vcmon.model.endpoint import CheckId
from vcmon.model.figures import EngineFigures, HistoryFigures, Tally
from vcmon.model.meeting import Meeting, RollCall, Sitting
from vcmon.model.memory import Cause, Incident, Occasion
from vcmon.model.status import Snapshot, State


def nobody_reports(_endpoint: str) -> float | None:
    """Of a vcmon that expects no heartbeats."""
    return None


def unheard(_endpoint: str) -> None:
    """What becomes of a heartbeat there."""


def never_called(_sitting: str) -> RollCall | None:
    """Of a vcmon that calls no roll."""
    return None


def no_memory() -> None:
    """The memory of a vcmon that has none."""
    return


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a view may look at, and the one thing that it may ask for: a reload."""

    settings: Callable[[], Settings]
    snapshot: Callable[[], Snapshot]
    tallies: Callable[[], Mapping[CheckId, Tally]]
    province_seconds: Callable[[], Mapping[str, Mapping[State, float]]]  # slug -> seconds a state
    figures: Callable[[], EngineFigures]
    ready: Callable[[], bool]  # the first round is complete
    alive: Callable[[], bool]  # engine and board have moved lately
    reload: Callable[[], Awaitable[str]]  # "" or what is wrong, one problem a line
    wall: Callable[[], float]
    history: Callable[[], HistoryFigures] = HistoryFigures  # without a memory: nothing counted
    planned: Callable[[], Sequence[Occasion]] = tuple  # maintenance that is on, or soon will be
    # Asked and read in a thread, once a report. None: switched off; raises where it can't be read.
    memory: Callable[[], Memory | None] = no_memory
    incidents: Callable[[], Sequence[Incident]] = tuple  # those that go on
    closed: Callable[[], Sequence[Incident]] = tuple  # ended within the last day, latest first
    ninety: Callable[[], Mapping[str, Ninety]] = dict  # the last days, by a province's slug
    begun: Callable[[], Mapping[Cause, int]] = dict  # incidents counted by cause
    open_store: Callable[[], Store | None] = no_memory  # the memory, to read; not for the loop
    open_to_write: Callable[[], Store | None] = no_memory  # likewise, to append what people say
    heartbeat_period: Callable[[str], float | None] = nobody_reports  # seconds; None: not expected
    heard: Callable[[str], None] = unheard  # an endpoint that is expected to has reported in
    agenda: Callable[[], Sequence[Meeting]] = tuple  # of the settings and of people, from memory
    coming: Callable[[], Sequence[Sitting]] = tuple  # on, or within a day: one a meeting, a few
    roll: Callable[[str], RollCall | None] = never_called  # of a sitting by its id, as of now
