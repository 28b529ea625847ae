"""The secretary: knows who meets when, calls the roll at each checkpoint, and keeps it.

On the event loop; what is read from or written to the memory goes through threads. What it does is
decided by ``checkpoints.look`` from the wall clock and what is done; so it is the same after a
restart, a step of the clock, or a meeting that was moved or called off.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import structlog

from vcmon.clock import Clock
from vcmon.config.settings import QualityClass
from vcmon.engine.engine import Advice
from vcmon.errors import HistoryError
from vcmon.history.store import Store
from vcmon.model.endpoint import CheckId
from vcmon.model.meeting import Meeting, RollCall, Sitting
from vcmon.model.memory import Incident
from vcmon.model.result import Result
from vcmon.model.status import EndpointStatus, Snapshot
from vcmon.readiness.agenda import sitting, sittings
from vcmon.readiness.checkpoints import Key, Look, Point, key_of, look
from vcmon.readiness.gauge import Gauge
from vcmon.readiness.questions import Answers, Moment, questions, seats, settled
from vcmon.readiness.rollcall import Evidence, call, missed

DAY = 86_400.0

BACK, AHEAD = DAY, 2 * DAY
"""Seconds around now in which sittings are kept in mind: a day's marks, and what is planned
tomorrow."""

SITTINGS = 500
"""Kept in mind at most: a meeting every ten minutes for three days. More is a broken rule."""

RENEW = 600.0
"""Seconds after which the agenda is read again, for what has come near."""

LISTEN = 45.0
"""Seconds that a roll waits for answers: a test call takes 20, and 38 of them begin within ten."""

GLANCE = 0.5
"""Seconds between two looks whether all have answered."""

STEP = 1.0
"""Seconds by which the wall clock may drift from the monotonic one between two ticks."""

COMING = 4
"""Meetings that are told of beforehand: each is 38 provinces times four lines of metrics."""

READ_FROM = 3600.0
"""Seconds before its first checkpoint from which a meeting's links are read: the longest window."""

AGAIN = 60.0
"""Seconds after which a memory that could not be written is tried again."""

UNWRITTEN = 64
"""Rolls that wait for a memory that can't be written; the oldest are lost first, and said so."""

JOB = "roll-call"

log = structlog.get_logger("vcmon.readiness")


class Alarm(Protocol):
    """What the secretary needs of the calendar."""

    def at(self, wall: float, name: str, job: Callable[[], Awaitable[None]]) -> None: ...

    def clock_was_set(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Office:
    """What the secretary works with, as plain callables; none of them waits for anything."""

    meetings: Callable[[], tuple[Meeting, ...]]
    snapshot: Callable[[], Snapshot]
    fresh: Callable[[], bool]  # what makes the snapshot moves
    ask: Callable[[Iterable[Advice]], None]
    incidents: Callable[[], Sequence[Incident]]  # that go on, and that ended within the last day
    planned: Callable[[Iterable[str], float, float], frozenset[str]]  # series, within [low, high)
    quality: Callable[[], Mapping[str, QualityClass]]
    open_store: Callable[[], Store | None]  # to write; in a thread


@dataclass(slots=True)
class Secretary:
    """One instance; ``tick`` with the pulse, ``turn`` by the calendar."""

    clock: Clock
    calendar: Alarm
    office: Office
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    answers: Answers = field(default_factory=Answers)
    gauge: Gauge = field(default_factory=Gauge)
    _meetings: tuple[Meeting, ...] = ()
    _sittings: tuple[Sitting, ...] = ()
    _read_at: float | None = None  # wall seconds of the last look into the agenda
    _offset: float | None = None  # wall minus monotonic seconds
    _next_at: float = float("inf")
    _done: set[Key] = field(default_factory=set)
    _recalled: set[str] = field(default_factory=set)  # sittings whose kept rolls were read
    _unwritten: list[tuple[Sitting, RollCall]] = field(default_factory=list)
    _turning: asyncio.Lock = field(default_factory=asyncio.Lock)

    # ---- what the views ask

    def agenda(self) -> tuple[Meeting, ...]:
        """All that is planned, by the settings and by people."""
        return self.office.meetings()

    def coming(self) -> tuple[Sitting, ...]:
        """Those that are on or begin within a day, one of each meeting, at most ``COMING``."""
        now = self.clock.wall()
        found: dict[str, Sitting] = {}
        for each in self._sittings:
            if now < each.stop and each.start <= now + DAY:
                found.setdefault(each.meeting.id, each)
        return tuple(islice(found.values(), COMING))

    def roll(self, sitting_id: str) -> RollCall | None:
        """The roll as it would be called now, without a question; None for a sitting that is over
        or that there is none of.
        """
        near = (each for each in self._sittings if each.id == sitting_id)
        found = next(near, None) or sitting(self._meetings, sitting_id)
        now = self.clock.wall()
        if found is None or found.stop <= now:
            return None
        return call(found, now, None, self._evidence(found, now, None))

    # ---- keeping the time

    def tick(self) -> None:
        """Notice what changed: the agenda, the clock; and read the links of who is to meet."""
        wall, offset = self.clock.wall(), self.clock.wall() - self.clock.monotonic()
        if self._offset is not None and abs(offset - self._offset) > STEP:
            self.calendar.clock_was_set()
            self._read_at = None
        elif self._next_at < wall - STEP and not self._turning.locked():
            self.calendar.clock_was_set()  # suspended: its timer has slept, too
            self._read_at = None
        self._offset = offset
        meetings = self.office.meetings()
        aged = self._read_at is None or not 0 <= wall - self._read_at < RENEW
        if aged or meetings != self._meetings:
            self._meetings = meetings
            self._plan()
        if self._sittings and self.gauge.is_due(wall):
            self.gauge.read(self._to_be_read(wall), wall)

    async def turn(self) -> None:
        """Call every roll that is due, mark what was missed, and plan the next turn."""
        async with self._turning:
            await self._recall()
            while (found := self._look()).due or found.missed:
                now = self.clock.wall()
                for point in found.missed:
                    self._keep(point, missed(point.sitting, now, point.checkpoint))
                if found.due:
                    await self._call(found.due)
            await self._write()
        self._plan()

    def _plan(self) -> None:
        now = self.clock.wall()
        self._read_at = now
        found = sittings(self._meetings, now - BACK, now + AHEAD)
        if len(found) > SITTINGS:
            log.warning("too many sittings; the last are left out", sittings=len(found))
        self._sittings = found[:SITTINGS]
        known = {each.id for each in self._sittings}
        self._done = {key for key in self._done if key[0] in known}
        self._recalled &= known
        looked = self._look()
        self._next_at = now if looked.due or looked.missed else looked.next_at
        if self._unwritten:
            self._next_at = min(self._next_at, now + AGAIN)
        if self._next_at < float("inf"):
            self.calendar.at(self._next_at, JOB, self.turn)

    def _look(self) -> Look:
        return look(self._sittings, self.clock.wall(), self._done)

    # ---- calling

    async def _call(self, due: Sequence[Point]) -> None:
        """Ask all who are to join one of the sittings, once, and call the rolls by the answers.

        The roll is that of the moment in which it was asked: who has answered since was there.
        """
        wall, started = self.clock.wall(), self.clock.monotonic()
        asked = self._ask(due, Moment(wall, started, min(each.checkpoint for each in due)))
        while self.clock.monotonic() - started < LISTEN:
            await self.pause(GLANCE)
            if self.answers.complete() and settled(self._joining(due)):
                break
        found = self.answers.found
        self.answers.listen((), 0.0)
        for point in due:
            if point.sitting not in self._sittings:
                continue  # moved or called off meanwhile
            facts = self._evidence(point.sitting, wall, found)
            roll = call(point.sitting, wall, point.checkpoint, facts)
            self._keep(point, roll)
            log.info(
                "roll called",
                sitting=roll.sitting,
                checkpoint=point.checkpoint,
                ready=f"{roll.ready} of {len(roll.verdicts)}",
                required_missing=roll.required_missing,
                answered=f"{len(found)} of {asked}",
            )

    def _ask(self, due: Sequence[Point], moment: Moment) -> int:
        wanted = {q.check: q for q in questions(self._joining(due), moment)}
        self.answers.listen(wanted, moment.monotonic)
        self.office.ask(
            Advice(each.check, moment.monotonic + each.after, 1) for each in wanted.values()
        )
        return len(wanted)

    def _joining(self, due: Iterable[Point]) -> list[EndpointStatus]:
        return self._seats([each.sitting for each in due])

    def _seats(self, those: Iterable[Sitting]) -> list[EndpointStatus]:
        """The endpoints of all who are to join, each once."""
        snapshot = self.office.snapshot()
        found: dict[str, EndpointStatus] = {}
        for each in those:
            slugs = {seat.province for seat in each.meeting.seats}
            for status in seats(snapshot, slugs, each.meeting.room):
                found[status.endpoint.id] = status
        return list(found.values())

    def _to_be_read(self, now: float) -> list[EndpointStatus]:
        def near(each: Sitting) -> bool:
            first = max(each.meeting.checkpoints, default=0.0)
            return each.start - first - READ_FROM <= now < each.stop

        return self._seats(each for each in self._sittings if near(each))

    def _evidence(
        self, sitting: Sitting, now: float, answers: Mapping[CheckId, Result] | None
    ) -> Evidence:
        names = [f"province:{seat.province}" for seat in sitting.meeting.seats]
        office = self.office
        return Evidence(
            office.snapshot(),
            fresh=office.fresh(),
            answers=answers,
            figures=self.gauge.figures(sitting.meeting.limits.window, now),
            incidents=office.incidents(),
            planned=office.planned(names, now, sitting.stop),
            quality=office.quality(),
        )

    # ---- keeping

    def _keep(self, point: Point, roll: RollCall) -> None:
        self._done.add(point.key)
        self._unwritten.append((point.sitting, roll))
        if len(self._unwritten) > UNWRITTEN:
            lost = self._unwritten.pop(0)[1]
            log.error("a roll was lost: the memory can't be written", sitting=lost.sitting)

    async def _write(self) -> None:
        if not self._unwritten:
            return
        rolls = tuple(self._unwritten)
        try:
            await asyncio.to_thread(_write, self.office.open_store, rolls)
        except (sqlite3.Error, HistoryError) as error:
            log.warning("rolls are not written yet; at the next turn again", problem=str(error))
        else:
            del self._unwritten[: len(rolls)]

    async def _recall(self) -> None:
        """Know what an earlier run has called: nobody is asked twice, no roll is called anew."""
        now = self.clock.wall()
        begun = [
            each.id
            for each in self._sittings
            if each.id not in self._recalled
            and each.start - max(each.meeting.checkpoints, default=0.0) <= now
        ]
        if not begun:
            return
        try:
            kept = await asyncio.to_thread(_read, self.office.open_store, begun)
        except (sqlite3.Error, HistoryError) as error:
            # What is kept stays, whatever is called now: a roll is kept once.
            log.warning("kept rolls could not be read", problem=str(error))
        else:
            self._done.update(kept)
            self._recalled.update(begun)


def _write(
    open_store: Callable[[], Store | None], rolls: Iterable[tuple[Sitting, RollCall]]
) -> None:
    store = open_store()
    if store is None:
        return
    try:
        with store.transaction():
            for kept, roll in rolls:
                store.keep_sitting(kept)
                store.keep_roll(roll)
    finally:
        store.close()


def _read(open_store: Callable[[], Store | None], names: Iterable[str]) -> set[Key]:
    store = open_store()
    if store is None:
        return set()
    try:
        return {key_of(roll) for name in names for roll in store.rolls(name)}
    finally:
        store.close()
