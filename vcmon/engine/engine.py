"""The engine: starts every check at its time, hands each Result on, takes advice on reruns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import structlog

from vcmon.clock import Clock
from vcmon.engine.schedule import Due, Timetable
from vcmon.errors import origin
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.figures import EngineFigures
from vcmon.model.result import Result
from vcmon.net.deadline import next_whole

GRAIN = 0.05
"""Seconds between two looks at the timetable: one wake-up serves all that is due meanwhile, and
falls together with the loop's pulse. A wake-up costs as much as ten probes; a probe that is 50 ms
late is on time."""

IDLE = 1.0
"""Seconds of sleep at the longest: the engine's heartbeat, and how soon it sees a resume."""

log = structlog.get_logger("vcmon.engine")


class Advice(NamedTuple):
    """Run this check out of turn, at this monotonic second, with so many attempts."""

    check: CheckId
    at: float
    attempts: int


Sink = Callable[[Result, int], Iterable[tuple[CheckId, float, int]]]
"""Takes a result and how many attempts made it; returns advice."""


class Runs(Protocol):
    """What the engine needs of the runner."""

    stopping: bool

    def begin(self, check: Check[Any], done: Callable[[Result], None]) -> bool: ...

    async def run(self, check: Check[Any], attempts: int = 1) -> Result: ...


class Engine:
    """Keeps every check running; one bug costs one run of one check."""

    def __init__(self, clock: Clock, runner: Runs, sink: Sink, figures: EngineFigures) -> None:
        self._clock = clock
        self._runner = runner
        self._sink = sink
        self._figures = figures
        self._timetable = Timetable(clock.monotonic())
        self._checks: dict[CheckId, Check[Any]] = {}
        self._running: dict[CheckId, asyncio.Task[None] | None] = {}  # None: it needs no task
        self._again: dict[CheckId, int] = {}  # asked for while running
        self._round: set[CheckId] = set()  # still to come in this round
        self._sleeper: asyncio.Future[None] | None = None
        self._wakes_at = 0.0  # monotonic
        self.turned_at = clock.monotonic()  # heartbeat, monotonic

    def load(self, checks: Iterable[Check[Any]]) -> None:
        """Take the new set of checks; those that did not change keep their rhythm."""
        now = self._clock.monotonic()
        new = {check.id: check for check in checks}
        for check_id in self._checks.keys() - new.keys():
            self._timetable.remove(check_id)
            self._again.pop(check_id, None)
        for check_id, check in new.items():
            old = self._checks.get(check_id)
            if old is None or old.interval != check.interval:
                self._timetable.add(check_id, check.interval, now)
        self._checks = new
        self._round = self._whole_round()
        self._wake()

    def ask(self, questions: Iterable[Advice]) -> None:
        """Run these checks out of turn, too; what is not in the inventory, or has its hours and is
        outside of them, is left out.
        """
        for question in questions:
            self._take(question)

    async def run(self) -> None:
        """Run for ever; cancel to stop. No task of its is left behind."""
        try:
            while True:
                self._turn()
                await self._sleep()
        finally:
            await self._stop()

    def _turn(self) -> None:
        now = self._clock.monotonic()
        self.turned_at = now
        for due in self._timetable.pop_due(now):
            self._start(due, now)

    async def _sleep(self) -> None:
        now = self._clock.monotonic()
        seconds = min(IDLE, max(0.0, self._timetable.next_at() - now))
        loop = asyncio.get_running_loop()
        at = next_whole(loop.time() + seconds, GRAIN)
        self._wakes_at = now + at - loop.time()
        self._sleeper = loop.create_future()
        handle = loop.call_at(at, self._wake)
        try:
            await self._sleeper
        finally:
            handle.cancel()

    def _wake(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def _whole_round(self) -> set[CheckId]:
        """What must have run once before we can say that we looked: not what runs now and then."""
        return {name for name, check in self._checks.items() if not check.params.gentle}

    def _start(self, due: Due, now: float) -> None:
        check = self._checks.get(due.check)
        if check is not None and check.opening and not check.opening.is_open(self._clock.wall()):
            return  # its hours are over; its last result stands until they come again
        self._figures.missed += due.missed
        if due.check in self._running:
            # No overlap: a slot that finds its check still running is missed, a rerun follows it.
            self._figures.missed += due.in_turn
            if not due.in_turn:
                self._again[due.check] = due.attempts
            return
        self._figures.lateness.observe(max(0.0, now - due.slot))
        self._launch(due.check, due.attempts)

    def _launch(self, check_id: CheckId, attempts: int) -> None:
        check = self._checks.get(check_id)
        if check is None:
            return
        self._running[check_id] = None
        if attempts > 1 or not self._runner.begin(check, self._taken):
            self._running[check_id] = asyncio.create_task(self._one(check, attempts))

    def _taken(self, result: Result) -> None:
        if self._runner.stopping:
            return  # the pinger was closed under it
        try:
            self._hand_on(result, 1)
        finally:
            self._finish(result.check)

    async def _one(self, check: Check[Any], attempts: int) -> None:
        try:
            self._hand_on(await self._runner.run(check, attempts), attempts)
        except Exception as bug:  # noqa: BLE001  the runner's own: it costs this result, not the check
            self._lost(check.id, bug)
        except BaseException:
            self._running.pop(check.id, None)  # stopping: nothing follows
            raise
        self._finish(check.id)

    def _hand_on(self, result: Result, attempts: int) -> None:
        try:
            for advice in self._sink(result, attempts):
                self._take(Advice(*advice))
        except Exception as bug:  # noqa: BLE001  one behind the sink costs this result, not the check
            self._lost(result.check, bug)

    def _lost(self, check: CheckId, bug: Exception) -> None:
        fields = {"check": str(check), "bug": repr(bug)[:200], "where": origin(bug)}
        log.error("result lost", **fields)

    def _take(self, advice: Advice) -> None:
        if advice.check in self._running and advice.at <= self._clock.monotonic():
            self._again[advice.check] = max(advice.attempts, self._again.get(advice.check, 1))
            return
        self._timetable.rerun(advice.check, advice.at, advice.attempts)
        if advice.at < self._wakes_at:
            self._wake()

    def _finish(self, check_id: CheckId) -> None:
        self._running.pop(check_id, None)
        if self._again and check_id in self._again and not self._runner.stopping:
            self._launch(check_id, self._again.pop(check_id))
        self._round.discard(check_id)
        if not self._round:
            self._figures.last_round_at = self._clock.wall()
            self._round = self._whole_round()

    async def _stop(self) -> None:
        self._runner.stopping = True
        tasks = {task for task in self._running.values() if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
