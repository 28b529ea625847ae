"""The engine on the real loop: nobody overtakes, overlaps, starves or dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.figures import record
from tests.fakes.inventory import check
from tests.fakes.results import result
from vcmon.clock import SystemClock
from vcmon.engine.engine import Engine
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.figures import EngineFigures
from vcmon.model.opening import DAY, Opening
from vcmon.model.result import Outcome, Result


@dataclass
class Script:
    """A runner that takes as long as the test says, and counts."""

    takes: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    runs: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    overlaps: int = 0
    at_once: int = 0
    attempts: list[int] = field(default_factory=list)

    def begin(self, check: Check[Any], done: Callable[[Result], None]) -> bool:
        return False

    async def run(self, check: Check[Any], attempts: int = 1) -> Result:
        name = check.id.endpoint
        self.runs[name] += 1
        self.now[name] += 1
        self.overlaps += self.now[name] > 1
        self.at_once = max(self.at_once, self.now.total())
        self.attempts.append(attempts)
        try:
            await asyncio.sleep(self.takes.get(name, 0.001))
        finally:
            self.now[name] -= 1
        return result(Outcome.UP)._replace(check=check.id)


def checks(count: int, interval: float = 0.2) -> list[Check[Any]]:
    return [check(f"e{n}", "sip", interval=interval) for n in range(count)]


async def run_for(engine: Engine, seconds: float) -> None:
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait({task})


def engine_with(
    runner: Script, figures: EngineFigures, advice: Iterable[tuple[CheckId, float, int]] = ()
) -> Engine:
    return Engine(SystemClock(), runner, lambda result, attempts: advice, figures)


async def test_every_check_runs_at_its_rate() -> None:
    """T06: as many runs as slots, no overlap, all within 250 ms of their slot."""
    script, figures = Script(), EngineFigures()
    engine = engine_with(script, figures)
    engine.load(checks(50))
    await run_for(engine, 2.05)
    assert all(9 <= runs <= 11 for runs in script.runs.values())
    assert script.overlaps == 0
    assert figures.last_round_at > 0
    late = sum(figures.lateness.counts[7:])
    record("T06-lateness", f"{late} of {script.runs.total()} over 250 ms", "0", passed=late == 0)
    assert late == 0


async def test_a_slow_check_overlaps_with_nothing() -> None:
    """A run longer than its interval: the slots it covers are missed and counted; others go on."""
    script, figures = Script(takes={"e0": 0.5}), EngineFigures()
    engine = engine_with(script, figures)
    engine.load(checks(5))
    await run_for(engine, 2.05)
    assert script.overlaps == 0
    assert 3 <= script.runs["e0"] <= 5
    assert figures.missed >= 4
    assert script.runs["e1"] >= 9


async def test_a_cold_start_makes_no_herd() -> None:
    """T21: a thousand checks start spread over their interval, the first round within one."""
    script, figures = Script(takes={f"e{n}": 0.05 for n in range(1000)}), EngineFigures()
    engine = engine_with(script, figures)
    engine.load(checks(1000, interval=2.0))
    await run_for(engine, 2.2)
    assert len(script.runs) == 1000
    record("T21", f"{script.at_once} of 1000 at once", "<= 100", passed=script.at_once <= 100)
    assert script.at_once <= 100
    assert figures.last_round_at > 0


async def test_a_broken_sink_costs_one_result() -> None:
    """A bug behind the engine loses that result and nothing else."""

    def sink(result: Result, attempts: int) -> tuple[()]:
        if result.check.endpoint == "e0":
            raise ValueError("a bug in the board")
        return ()

    script = Script()
    engine = Engine(SystemClock(), script, sink, EngineFigures())
    engine.load(checks(3))
    await run_for(engine, 1.05)
    assert script.runs["e0"] >= 4
    assert script.runs["e1"] >= 4


async def test_advice_is_taken() -> None:
    """A rerun comes when it was asked for, with its attempts, beside the slots."""
    script, clock = Script(), SystemClock()
    asked: list[CheckId] = []

    def sink(result: Result, attempts: int) -> Iterable[tuple[CheckId, float, int]]:
        if asked:
            return ()
        asked.append(result.check)
        return [(result.check, clock.monotonic() + 0.05, 4)]

    engine = Engine(clock, script, sink, EngineFigures())
    engine.load(checks(1, interval=1.0))
    await run_for(engine, 1.2)
    assert script.attempts.count(4) == 1
    assert script.runs["e0"] in {2, 3}  # one or two slots in 1.2 s, and the rerun


async def test_reload_keeps_the_rhythm() -> None:
    """What did not change goes on in its slots; what is gone runs no more; the new begins."""
    script = Script()
    engine = engine_with(script, EngineFigures())
    engine.load(checks(3))
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(0.5)
    before = script.runs["e0"]
    engine.load([*checks(1), check("new", "sip", interval=0.2)])
    gone = script.runs["e1"]
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.wait({task})
    assert script.runs["e1"] <= gone + 1
    assert script.runs["e0"] >= before + 2
    assert script.runs["new"] >= 2


async def test_stopping_leaves_no_task() -> None:
    """Cancelled in the middle of its runs, the engine has ended all of them when it returns."""
    script = Script(takes={f"e{n}": 30.0 for n in range(20)})
    engine = engine_with(script, EngineFigures())
    engine.load(checks(20))
    await run_for(engine, 0.4)
    assert script.now.total() == 0
    assert len(asyncio.all_tasks()) == 1


class Loud(Script):
    """A runner that needs no task: each run is over at once."""

    def begin(self, check: Check[Any], done: Callable[[Result], None]) -> bool:
        self.runs[check.id.endpoint] += 1
        done(result(Outcome.UP)._replace(check=check.id))
        return True


async def test_a_run_without_a_task_ends_whatever_follows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug behind the sink, and a log that can't be written: the check runs again in its turn."""

    def sink(result: Result, attempts: int) -> tuple[()]:
        raise ValueError("a bug in the board")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vcmon.engine.engine.log.error", full)
    loop, heard = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    script = Loud()
    engine = Engine(SystemClock(), script, sink, EngineFigures())
    engine.load(checks(1))
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.wait({task})
    assert engine._running == {}


async def test_check_outside_of_its_hours_is_not_run() -> None:
    """Neither in turn nor out of it, it counts as no miss, and the round is complete without it."""
    minute = int(SystemClock().wall() // 60 + 7 * 60) % DAY  # Jakarta has no summer time
    spans = {"shut": (minute + 60, minute + 120), "open": (minute - 60, minute + 60)}
    made = [
        replace(
            check(name, "call", interval=0.2, always=True),
            opening=Opening(((start % DAY, stop % DAY),), ZoneInfo("Asia/Jakarta")),
        )
        for name, (start, stop) in spans.items()
    ]
    script, figures = Script(), EngineFigures(started_at=0.0)
    again = (made[0].id, 0.0, 1)  # somebody wants it at once
    engine = Engine(SystemClock(), script, lambda result, attempts: [again], figures)
    engine.load([*made, check("sip", "sip", interval=0.2)])
    await run_for(engine, 0.7)
    assert script.runs["shut"] == 0
    assert script.runs["open"] >= 2
    assert figures.missed == 0
    assert figures.last_round_at > 0


async def test_round_does_not_wait_for_what_runs_once_an_hour() -> None:
    """We have looked once everything has run that runs often: a call may be an hour away."""
    figures = EngineFigures(started_at=0.0)
    engine = Engine(SystemClock(), Script(), lambda result, attempts: [], figures)
    engine.load([check("call", "call", interval=3600.0, always=True), *checks(2)])
    await run_for(engine, 0.5)
    assert figures.last_round_at > 0
