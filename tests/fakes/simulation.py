"""Timetable and board driven by a virtual clock and a scripted world: hours in seconds.

Everything that decides is the product's own; only probes and sockets are replaced by ``World``.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fakes.clock import FakeClock
from vcmon.config.settings import Settings
from vcmon.engine.schedule import Timetable
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Echo, Outcome, Reason, Result
from vcmon.model.status import State, Transition
from vcmon.state.board import Board
from vcmon.state.canaries import canary_checks
from vcmon.state.loss import tries

HEDGE_DELAY = 0.3


@dataclass(frozen=True)
class Weather:
    """What the network does to one check at one moment."""

    loss: float = 0.0  # round-trip loss
    answer: Reason | None = None  # a DOWN reason that comes back at once
    cut: bool = False  # nothing comes back
    local: Reason | None = None  # our own fault


World = Callable[[Check[Any], float], Weather]


def result_of(
    check: Check[Any], weather: Weather, attempts: int, rng: Random, at: FakeClock
) -> Result:
    """The result of one run (with hedges) in this weather."""

    def make(
        outcome: Outcome, reason: Reason, blame: Blame, duration: float, **more: Any
    ) -> Result:
        return Result(check.id, outcome, reason, blame, at.wall(), at.monotonic(), duration, **more)

    if weather.local is not None:
        return make(Outcome.UNKNOWN, weather.local, Blame.LOCAL, 0.001)
    if weather.cut:
        return make(Outcome.DOWN, Reason.TIMEOUT, Blame.PATH, check.timeout)
    if weather.answer is not None:
        return make(Outcome.DOWN, weather.answer, Blame.REMOTE, 0.02)
    for attempt in range(attempts):
        won = _attempt(check, weather.loss, rng)
        if won is not None:
            sent, received = won
            echo = Echo(sent, received, rtts=(0.02,) * received) if check.kind == "icmp" else None
            took = 0.02 + attempt * HEDGE_DELAY
            return make(Outcome.UP, Reason.OK, Blame.NONE, took, echo=echo,
                        transmissions=1 if echo else sent)  # fmt: skip
    return make(Outcome.DOWN, Reason.TIMEOUT, Blame.PATH, check.timeout)


def _attempt(check: Check[Any], loss: float, rng: Random) -> tuple[int, int] | None:
    """(sent, received) of one attempt, or None when all was lost."""
    if check.kind == "icmp":
        received = sum(rng.random() >= loss for _ in range(check.params.packets))
        return (check.params.packets, received) if received else None
    sent = 0
    for _ in range(check.params.asks(check.timeout).exchanges):
        for _ in range(tries(check)):
            sent += 1
            if rng.random() >= loss:
                break
        else:
            return None
    return sent - check.params.asks(check.timeout).exchanges + 1, 1


@dataclass
class Simulation:
    """One vcmon in virtual time."""

    settings: Settings
    world: World
    seed: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    transitions: list[Transition] = field(default_factory=list)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.board = Board(self.settings, self.clock, self.transitions.append)
        self.timetable = Timetable(self.clock.monotonic())
        checks = [c for e in self.settings.endpoints for c in e.checks]
        self.checks = {c.id: c for c in [*checks, *canary_checks(self.settings.canaries)]}
        for c in self.checks.values():
            self.timetable.add(c.id, c.interval, self.clock.monotonic())
        self.running: dict[CheckId, int] = {}
        self.again: dict[CheckId, int] = {}
        self.done: list[tuple[float, int, Result, int]] = []
        self.order = 0
        self.next_tick = self.clock.monotonic()

    def run(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        end = self.clock.monotonic() + seconds
        while True:
            finishing = self.done[0][0] if self.done else math.inf
            nearest = min(self.timetable.next_at(), self.next_tick, finishing)
            if nearest > end:
                self.clock.seconds = end
                return
            self.clock.seconds = max(self.clock.seconds, nearest)
            self._step()

    def _step(self) -> None:
        now = self.clock.monotonic()
        while self.done and self.done[0][0] <= now:
            _, _, result, attempts = heapq.heappop(self.done)
            self._finish(result, attempts)
        for due in self.timetable.pop_due(now):
            if due.check in self.running:
                if not due.in_turn:
                    self.again[due.check] = due.attempts
            else:
                self._start(due.check, due.attempts)
        if now >= self.next_tick:
            self.board.tick()
            self.next_tick = now + 0.5

    def _start(self, check_id: CheckId, attempts: int) -> None:
        check = self.checks[check_id]
        weather = self.world(check, self.clock.monotonic())
        result = result_of(check, weather, attempts, self.rng, self.clock)
        self.running[check_id] = attempts
        self.order += 1
        self.rounds += 1
        done_at = self.clock.monotonic() + result.duration
        heapq.heappush(self.done, (done_at, self.order, result, attempts))

    def _finish(self, result: Result, attempts: int) -> None:
        del self.running[result.check]
        for check, at, hedges in self.board.record(result, attempts):
            if check in self.running and at <= self.clock.monotonic():
                self.again[check] = hedges
            else:
                self.timetable.rerun(check, at, hedges)
        if result.check in self.again:
            self._start(result.check, self.again.pop(result.check))

    def state(self, subject: str) -> State:
        """The state of ``province:slug`` or ``endpoint:id`` now."""
        kind, _, name = subject.partition(":")
        for province in self.board.snapshot().provinces:
            if kind == "province" and province.province.slug == name:
                return province.standing.state
            for endpoint in province.endpoints:
                if kind == "endpoint" and endpoint.endpoint.id == name:
                    return endpoint.standing.state
        raise KeyError(subject)

    def changes(self, subject: str, state: State) -> list[Transition]:
        """The transitions of the subject into the state."""
        return [t for t in self.transitions if t.subject == subject and t.new.state is state]
