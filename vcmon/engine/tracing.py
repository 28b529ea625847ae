"""When the way to an endpoint is traced: once when it falls, once a day while it is well.

Tracing explains, it never judges: nothing here changes a state. It is bounded so that a country
that falls all at once costs no more than a few packets a second.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

import structlog

from vcmon.clock import Clock
from vcmon.errors import ProbeError, origin
from vcmon.model.endpoint import Endpoint
from vcmon.model.path import Route
from vcmon.model.status import State, Transition
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.resolver import Resolver
from vcmon.net.trace import trace

TRACE_SECONDS = 5.0
"""A trace ends then, however it stands; on a cut path it has as a rule ended after 3."""

LOOK = 0.5
"""Seconds between two looks at what is to be traced: what falls together is then there together,
so that parents come first."""

PROVING = 60.0
"""Seconds for which an endpoint must stay well after a trace that did not reach it: what doesn't
answer pings is never reached, but a way that was just cut is no example of a healthy one."""

DAY = 86_400.0

LOST = frozenset({State.DOWN, State.UNREACHABLE})
WELL = frozenset({State.UP, State.DEGRADED})

log = structlog.get_logger("vcmon.path")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is traced at most."""

    at_once: int = 2
    a_minute: int = 12  # traces begun; 90 packets each at the most, as a rule some 15
    waiting: int = 20  # fallen endpoints that wait for theirs; further ones are left out
    again: float = 900.0  # seconds for which it must have been well to be a new incident


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Traces one endpoint now."""

    clock: Clock
    lag: LoopLag
    resolver: Resolver

    async def survey(self, endpoint: Endpoint, healthy: bool) -> Route:
        """The way to it. Raises ProbeError, blame LOCAL, where it can't be traced."""
        at = self.clock.wall()
        deadline = Deadline(self.clock, self.lag, TRACE_SECONDS)
        address = (await self.resolver.resolve(endpoint.address, deadline))[0]
        found = await trace(address, deadline)
        return Route(endpoint.id, address, at, healthy, found.hops, found.reached, found.why)


Survey = Callable[[Endpoint, bool], Awaitable[Route]]
"""Endpoint, and whether it is well."""


class Tracer:
    """Decides which endpoint is traced when; ``run`` does it."""

    def __init__(
        self, clock: Clock, survey: Survey, sink: Callable[[Route], None], bounds: Bounds
    ) -> None:
        self._clock = clock
        self._survey = survey
        self._sink = sink
        self.bounds = bounds
        self._endpoints: dict[str, Endpoint] = {}
        self._children: dict[str, int] = {}  # how many depend on it
        self._daily = False
        self._states: dict[str, State] = {}
        self._well_since: dict[str, float] = {}  # monotonic
        self._met: set[str] = set()  # were well since our start
        self._traced: set[str] = set()  # fell, and had its trace (or its place in the queue)
        self._fallen: dict[str, None] = {}  # wait for their trace, in the order in which they fell
        self._due: dict[str, None] = {}  # well ones that wait for theirs
        self._calendar: list[tuple[float, str]] = []  # when the daily ones are due, wall seconds
        self._begun: deque[float] = deque()  # monotonic, of the last minute
        self._held: deque[tuple[float, Route]] = deque()  # when begun (monotonic), see PROVING
        self.skipped = 0  # fallen endpoints that were left out

    def load(self, endpoints: Iterable[Endpoint], *, enabled: bool, daily: bool) -> None:
        """Take new settings into force; what is known of those that stay is kept."""
        self._endpoints = {each.id: each for each in endpoints} if enabled else {}
        self._daily = daily
        known = self._endpoints
        self._children = dict.fromkeys(known, 0)
        for endpoint in known.values():
            for parent in endpoint.depends_on:
                if parent in known:
                    self._children[parent] += 1
        self._states = {id_: it for id_, it in self._states.items() if id_ in known}
        self._well_since = {id_: at for id_, at in self._well_since.items() if id_ in known}
        self._fallen = {id_: None for id_ in self._fallen if id_ in known}
        self._due = {id_: None for id_ in self._due if id_ in known}
        self._traced &= known.keys()
        self._met &= known.keys()
        self._calendar = []
        if daily:
            self._plan(self._clock.wall())

    def _plan(self, wall: float) -> None:
        self._calendar = [(_next_turn(name, wall), name) for name in self._endpoints]
        heapq.heapify(self._calendar)

    def transition(self, change: Transition) -> None:
        """A subject changed its state."""
        kind, _, name = change.subject.partition(":")
        if kind != "endpoint" or name not in self._endpoints:
            return
        state, now = change.new.state, self._clock.monotonic()
        self._states[name] = state
        if state in WELL:
            self._fallen.pop(name, None)
            self._well_since.setdefault(name, now)
            if name not in self._met and self._daily:
                self._due[name] = None  # something to hold its next fall against
            self._met.add(name)
        elif state in LOST:
            if now - self._well_since.pop(name, now) >= self.bounds.again:
                self._traced.discard(name)  # it is a new incident
            if state is State.DOWN and name not in self._traced:
                self._fell(name)

    def _fell(self, name: str) -> None:
        self._traced.add(name)
        self._fallen[name] = None
        if len(self._fallen) > self.bounds.waiting:
            left_out = max(self._fallen, key=self._rank)
            del self._fallen[left_out]
            self.skipped += 1
            log.warning("not traced: too many fell at once", endpoint=left_out)

    def _rank(self, name: str) -> tuple[int, int]:
        """Lowest first: what most depend on, then what fell first."""
        return -self._children[name], list(self._fallen).index(name)

    def next(self) -> tuple[Endpoint, bool] | None:
        """Whose turn it is, and whether it is well; None while it is nobody's. It counts as begun.

        At most ``a_minute`` are given out within a minute.
        """
        now = self._clock.monotonic()
        self._release(now)
        while self._begun and self._begun[0] <= now - 60.0:
            self._begun.popleft()
        if len(self._begun) >= self.bounds.a_minute:
            return None
        found = self._first()
        if found is not None:
            self._begun.append(now)
        return found

    def _first(self) -> tuple[Endpoint, bool] | None:
        if self._fallen:
            name = min(self._fallen, key=self._rank)
            del self._fallen[name]
            return self._endpoints[name], False
        wall = self._clock.wall()
        if self._calendar and self._calendar[0][0] > wall + DAY:
            self._plan(wall)  # the clock was ahead when it was made, and was set back
        while self._calendar and self._calendar[0][0] <= wall:
            name = heapq.heappop(self._calendar)[1]
            heapq.heappush(self._calendar, (_next_turn(name, wall), name))
            self._due[name] = None
        for name in self._due:
            if self._states.get(name) in WELL:
                del self._due[name]
                return self._endpoints[name], True
        return None

    async def run(self) -> None:
        """Trace, for good: at most ``at_once`` at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.bounds.at_once):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            found = self.next()
            if found is None:
                await asyncio.sleep(LOOK)
            else:
                await self._trace(*found)

    async def _trace(self, endpoint: Endpoint, healthy: bool) -> None:
        begun = self._clock.monotonic()
        try:
            route = await self._survey(endpoint, healthy)
        except ProbeError as error:
            log.warning("not traced", endpoint=endpoint.id, why=error.text)
        except Exception as bug:  # noqa: BLE001  it explains only: nothing may die of it
            log.error("trace bug", endpoint=endpoint.id, bug=repr(bug)[:200], where=origin(bug))  # noqa: TRY400  one line is enough
        else:
            if route.healthy and not route.reached:
                self._held.append((begun, route))
            else:
                self._sink(route)

    def _release(self, now: float) -> None:
        """Remember what was held back, where the endpoint has been well ever since."""
        while self._held and self._held[0][0] + PROVING <= now:
            begun, route = self._held.popleft()
            name = route.endpoint
            if self._states.get(name) in WELL and self._well_since.get(name, now) <= begun:
                self._sink(route)


def _next_turn(name: str, now: float) -> float:
    """The next wall second of the endpoint's own time of day: the day's work is spread evenly."""
    digest = blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
    phase = int.from_bytes(digest, "big") / 2**64 * DAY
    turn = now - now % DAY + phase
    return turn if turn > now else turn + DAY
