"""When paths are traced: once an incident, once a day, and never more than promised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.figures import record
from tests.fakes.inventory import endpoint
from vcmon.clock import SystemClock
from vcmon.engine.tracing import DAY, PROVING, Bounds, Tracer
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Endpoint
from vcmon.model.path import Route
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State, Transition

UP, DOWN, UNREACHABLE, UNKNOWN = State.UP, State.DOWN, State.UNREACHABLE, State.UNKNOWN
AGAIN = 900.0


@dataclass
class Desk:
    """A tracer without a network, whose traces take as long as the test says."""

    endpoints: list[Endpoint]
    clock: FakeClock | SystemClock = field(default_factory=FakeClock)
    takes: float = 0.0
    reached: bool = True
    fault: Exception | None = None
    traced: list[str] = field(default_factory=list)
    kept: list[Route] = field(default_factory=list)
    now: int = 0
    at_once: int = 0

    def __post_init__(self) -> None:
        self.tracer = Tracer(self.clock, self.survey, self.kept.append, Bounds(again=AGAIN))
        self.tracer.load(self.endpoints, enabled=True, daily=True)

    async def survey(self, endpoint: Endpoint, healthy: bool) -> Route:
        self.traced.append(endpoint.id)
        self.now += 1
        self.at_once = max(self.at_once, self.now)
        await asyncio.sleep(self.takes)
        self.now -= 1
        if self.fault:
            raise self.fault
        why = Reason.OK if self.reached else Reason.TIMEOUT
        return Route(endpoint.id, "192.0.2.1", 0.0, healthy, (), self.reached, why)

    def become(self, state: State, *names: str) -> None:
        """These endpoints change their state."""
        standing = Standing(state, Reason.OK)
        for name in names:
            self.tracer.transition(Transition(f"endpoint:{name}", standing, standing, 0.0, 0.0))

    def drain(self) -> list[tuple[str, bool]]:
        """Whose turn it is within the next minutes."""
        found = []
        for _ in range(600):
            while turn := self.tracer.next():
                found.append((turn[0].id, turn[1]))
            self.forward(0.5)
        return found

    def forward(self, seconds: float) -> None:
        assert isinstance(self.clock, FakeClock)
        self.clock.forward(seconds)


def desk(*names: str) -> Desk:
    return Desk([endpoint(name) for name in names])


def settled(*names: str) -> Desk:
    """All of them well for long, and each traced while it was."""
    made = desk(*names)
    made.become(UP, *names)
    assert sorted(made.drain()) == [(name, True) for name in sorted(names)]
    made.forward(AGAIN)
    return made


def test_what_falls_is_traced_once() -> None:
    """One trace while it stays down, whatever it is called in between."""
    it = settled("a", "b")
    it.become(DOWN, "a")
    assert it.drain() == [("a", False)]
    for state in (UNKNOWN, DOWN, UNREACHABLE, DOWN):
        it.become(state, "a")
    it.forward(2 * AGAIN)
    it.become(DOWN, "a")
    assert it.drain() == []


def test_what_comes_back_for_a_moment_is_the_same_incident() -> None:
    """A fall within ``incidents.reopen`` of the last has had its trace; a later one gets one."""
    it = settled("a")
    traces = 0
    for _ in range(50):  # flapping for four hours
        it.become(DOWN, "a")
        traces += len(it.drain())
        it.become(UP, "a")
        it.forward(AGAIN - 310)
    record("path-once", f"{traces} of 50 falls", "1 trace for one incident", traces == 1)
    assert traces == 1
    it.forward(AGAIN)
    it.become(DOWN, "a")
    assert it.drain() == [("a", False)]


def test_nobody_is_traced_behind_what_is_down() -> None:
    """Unreachable and unknown explain themselves; only what is down is traced."""
    it = settled("a", "b")
    it.become(UNREACHABLE, "a")
    it.become(UNKNOWN, "b")
    assert it.drain() == []


def test_a_country_that_falls_costs_no_more_than_promised() -> None:
    """Of 38 falls at once twenty are traced, twelve a minute, parents first; others are counted."""
    routers = [endpoint(f"r{n}") for n in range(4)]
    codecs = [endpoint(f"c{n}", depends_on=(f"r{n % 4}",)) for n in range(34)]
    it = Desk([*codecs, *routers])
    it.become(DOWN, *(each.id for each in codecs), *(each.id for each in routers))
    begun: list[float] = []
    order: list[str] = []
    for _ in range(600):
        while turn := it.tracer.next():
            begun.append(it.clock.monotonic())
            order.append(turn[0].id)
        it.forward(0.5)
    assert set(order[:4]) == {"r0", "r1", "r2", "r3"}
    assert order[4:] == [f"c{n}" for n in range(16)]
    a_minute = max(sum(at <= each < at + 60 for each in begun) for at in begun)
    told = f"{len(order)} traces, {a_minute} a minute, {it.tracer.skipped} left out"
    passed = (len(order), a_minute, it.tracer.skipped) == (20, 12, 18)
    record("path-storm", told, "20, 12 and 18 of 38 falls at once", passed)
    assert passed


async def test_two_at_a_time() -> None:
    """However many wait, two traces run; one that has a bug, or can't be made, harms no other."""
    names = [f"e{n}" for n in range(38)]
    for fault in (None, ProbeError(Reason.NO_ROUTE, Blame.LOCAL, "no route"), ValueError("bug")):
        it = Desk([endpoint(name) for name in names], SystemClock(), takes=0.02, fault=fault)
        it.become(DOWN, *names)
        running = asyncio.create_task(it.tracer.run())
        until = it.clock.monotonic() + 10.0
        while len(it.traced) < 12 and it.clock.monotonic() < until:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.7)  # a thirteenth would have begun by now
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (len(it.traced), it.at_once) == (12, 2)
        assert len(it.kept) == (0 if fault else 12)


def test_the_day_is_spread() -> None:
    """A thousand endpoints are each traced once a day, and hardly two in the same minute."""
    names = [f"e{n}" for n in range(1000)]
    it = desk(*names)
    it.become(UP, *names)
    while it.drain():
        pass  # the first one since the start
    turns: list[tuple[int, str]] = []
    start = it.clock.monotonic()
    while it.clock.monotonic() < start + DAY:
        it.forward(60.0)
        while turn := it.tracer.next():
            turns.append((int(it.clock.monotonic() // 3600), turn[0].id))
    assert sorted(name for _, name in turns) == sorted(names)
    hours = [hour for hour, _ in turns]
    assert max(hours.count(hour) for hour in set(hours)) < 75  # 42 on average


def test_a_clock_that_was_ahead_costs_a_day_at_the_most() -> None:
    """Set back by a year, and by a day once more, each endpoint still has its turn within a day."""
    it = desk("a", "b")
    assert isinstance(it.clock, FakeClock)
    it.clock.step_wall(365 * DAY)
    load(it, "a", "b")
    it.become(UP, "a", "b")
    it.drain()
    for back in (365 * DAY, DAY):
        it.clock.step_wall(-back)
        it.drain()
        turns = 0
        for _ in range(1440 * 2):
            it.forward(60.0)
            while it.tracer.next():
                turns += 1
        assert 2 <= turns <= 4


def test_only_what_is_well_shows_the_healthy_way() -> None:
    """What is down when its hour comes is traced as soon as it is well again."""
    it = settled("a")
    it.become(DOWN, "a")
    it.drain()
    it.forward(DAY)
    assert it.drain() == []
    it.become(UP, "a")
    assert it.drain() == [("a", True)]


async def kept_after(it: Desk, *later: State) -> list[Route]:
    """What is kept of a healthy trace after these changes and a minute."""
    it.become(UP, "a")
    running = asyncio.create_task(it.tracer.run())
    await asyncio.sleep(0.05)
    it.forward(1.0)
    for state in later:
        it.become(state, "a")
    it.forward(PROVING + 1)
    it.tracer.next()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return it.kept


async def test_a_way_that_was_just_cut_is_no_healthy_one() -> None:
    """A trace that did not arrive counts as healthy only if the endpoint stays well after it."""
    for reached, later, count in ((True, (), 1), (False, (), 1), (False, (DOWN, UP), 0)):
        it = desk("a")
        it.reached = reached
        kept = [route for route in await kept_after(it, *later) if route.healthy]
        assert len(kept) == count


@pytest.mark.parametrize(("enabled", "daily"), [(False, True), (True, False)])
def test_it_can_be_switched_off(enabled: bool, daily: bool) -> None:
    """Without ``path.trace`` nothing is traced; without ``path.daily`` nothing that is well."""
    it = desk("a")
    it.tracer.load(it.endpoints, enabled=enabled, daily=daily)
    it.become(UP, "a")
    it.forward(DAY + AGAIN)
    it.become(DOWN, "a")
    assert it.drain() == ([("a", False)] if enabled else [])


def test_a_reload_keeps_what_is_known() -> None:
    """What stays keeps its turn and its trace; what left is forgotten, whatever it waited for."""
    it = settled("a", "b", "c")
    it.become(DOWN, "a", "b")
    load(it, "b", "c")
    assert it.drain() == [("b", False)]
    load(it, "a", "b", "c")
    it.become(DOWN, "b")
    assert it.drain() == []


def load(it: Desk, *names: str) -> Iterable[Endpoint]:
    it.endpoints = [endpoint(name) for name in names]
    it.tracer.load(it.endpoints, enabled=True, daily=True)
    return it.endpoints
