"""What happens to the country: a seeded script of outages, losses, blind spells and accidents.

All times are monotonic seconds of the simulation. Edges of one province are at least ``APART``
seconds from each other: two outages twenty seconds apart are one to any monitor that asks every
ten seconds, and which of both is right is not what is asked here.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from tests.fakes.simulation import Weather
from tests.simulator.country import CANARIES, HUB, ISLAND, PROVINCES, codec, router
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Reason

APART = 120.0
BEGIN = 1_000.0  # monotonic second at which the simulation begins
QUIET = 300.0  # seconds at either end in which nothing happens

FINE = Weather()
CUT = Weather(cut=True)
REFUSED = Weather(answer=Reason.REFUSED)
NO_ROUTE = Weather(local=Reason.NO_ROUTE)
NO_BUFFERS = Weather(local=Reason.BUFFERS)


class Kind(StrEnum):
    """What kind of thing happens."""

    CODEC = "codec"  # the codec is silent
    SERVICE = "service"  # it answers ping, but not SIP
    ROUTER = "router"  # the router, and with it the codec
    BLIP = "blip"  # a router for less than half a minute
    FLAPPING = "flapping"  # a codec, again and again
    FAULT = "fault"  # our own probes of one province fail: nothing is known of it
    LOSS = "loss"  # the way to the codec loses packets
    ISLAND = "island"  # all routers of an island group at once
    HUB = "hub"  # the Centre's router, and everything behind it
    UPLINK = "uplink"  # our own side: everything and the canaries
    LOCAL = "local"  # our own side, and we know it: no route


RATES = {
    Kind.CODEC: 2.0,
    Kind.SERVICE: 1.5,
    Kind.ROUTER: 2.5,
    Kind.BLIP: 1.0,
    Kind.FLAPPING: 0.04,
    Kind.LOSS: 0.4,
    Kind.FAULT: 0.2,
}
"""A month and province. 270 outages a month in the whole country."""

COMMON_RATES = {Kind.ISLAND: 1.5, Kind.HUB: 0.5, Kind.UPLINK: 2.0, Kind.LOCAL: 1.0}
"""A month, for the country."""

RESTARTS, STEPS, WINDOWS = 2.0, 2.0, 6.0
"""Restarts of vcmon, steps of the wall clock, maintenance windows: a month."""

AMIDST = 1.5
"""Restarts, and blind spells, in the middle of some outage: a month of each, on top."""

STEP_SIZES = (-3600.0, -60.0, -3.0, 3.0, 90.0, 3600.0)

MONTH = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Spell:
    """One thing that happens, to so many checks, for so long."""

    kind: Kind
    start: float
    stop: float
    provinces: tuple[str, ...]  # () for everything
    weather: Weather

    def checks(self) -> Iterator[CheckId]:
        """The checks that it touches; of everything nothing is listed."""
        for slug in self.provinces:
            if self.kind not in {Kind.SERVICE, Kind.LOSS, Kind.CODEC, Kind.FLAPPING}:
                yield CheckId(router(slug), "icmp")
            if self.kind is not Kind.SERVICE:
                yield CheckId(codec(slug), "icmp")
            yield CheckId(codec(slug), "sip")


@dataclass(frozen=True, slots=True)
class Restart:
    """vcmon dies at ``at`` and is back ``down`` seconds later."""

    at: float
    down: float


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock jumps."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Planned:
    """A maintenance window over one province."""

    slug: str
    start: float
    stop: float


@dataclass
class Script:
    """Everything that happens from BEGIN to ``end``."""

    seed: int
    end: float
    slugs: tuple[str, ...]
    spells: list[Spell] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)


DARK = frozenset({Kind.UPLINK, Kind.LOCAL})
"""Spells of our own side: what happens in them can't be known."""


@dataclass
class _Author:
    """Writes a script; keeps edges apart."""

    script: Script
    rng: Random
    busy: float = 1.0
    edges: dict[str, list[float]] = field(default_factory=dict)

    def free(self, slugs: Iterable[str], *times: float) -> bool:
        return all(self._free(self.edges.setdefault(s, []), t) for s in slugs for t in times)

    @staticmethod
    def _free(edges: list[float], at: float) -> bool:
        index = bisect_right(edges, at)
        nearest = [abs(edge - at) for edge in edges[max(0, index - 1) : index + 1]]
        return min(nearest, default=math.inf) >= APART

    def take(self, slugs: Iterable[str], *times: float) -> None:
        for slug in slugs:
            for at in times:
                insort(self.edges.setdefault(slug, []), at)

    def moment(self) -> float:
        return self.rng.uniform(BEGIN + QUIET, self.script.end - QUIET)

    def lasting(self, kind: Kind) -> float:
        """Seconds: half of all outages are over in six minutes, one in a hundred takes hours."""
        if kind is Kind.BLIP:
            return self.rng.uniform(1.0, 29.0)
        if kind is Kind.LOSS:
            return self.rng.uniform(300.0, 1500.0)
        if kind is Kind.FAULT:
            return self.rng.uniform(20.0, 600.0)
        if kind in DARK:
            return min(7200.0, max(3.0, self.rng.lognormvariate(math.log(180), 1.3)))
        return min(43_200.0, max(30.0, self.rng.lognormvariate(math.log(360), 1.5)))

    def count(self, a_month: float) -> int:
        expected = a_month * self.busy * (self.script.end - BEGIN) / MONTH
        return int(expected) + (self.rng.random() < expected % 1)

    def common(self) -> None:
        """What happens to many at once, and to ourselves."""
        everyone = self.script.slugs
        for kind, rate in COMMON_RATES.items():
            for _ in range(self.count(rate)):
                where = self._island() if kind is Kind.ISLAND else everyone
                weather = NO_ROUTE if kind is Kind.LOCAL else CUT
                start = self.moment()
                stop = start + self.lasting(kind)
                if where and self.free(where, start, stop) and stop < self.script.end - QUIET:
                    self.take(where, start, stop)
                    self.script.spells.append(Spell(kind, start, stop, where, weather))
        for _ in range(self.count(RESTARTS)):
            at, down = self.moment(), self.rng.uniform(1.0, 200.0)
            if self.free(everyone, at, at + down):
                self.take(everyone, at, at + down)
                self.script.restarts.append(Restart(at, down))
        for _ in range(self.count(STEPS)):
            at = self.moment()
            if self.free(everyone, at):
                self.take(everyone, at)
                self.script.steps.append(Step(at, self.rng.choice(STEP_SIZES)))

    def amidst(self) -> None:
        """Restarts and blind spells while something is down: what is lost must stay so."""
        long = [s for s in self.script.spells if s.weather is CUT and s.stop - s.start > 1200]
        for number in range(2 * self.count(AMIDST) if long else 0):
            spell = self.rng.choice(long)
            at = self.rng.uniform(spell.start + 300, spell.stop - 600)
            stop = at + self.rng.uniform(5.0, 240.0)
            if not self.free(self.script.slugs, at, stop):
                continue
            self.take(self.script.slugs, at, stop)
            if number % 2:
                self.script.restarts.append(Restart(at, stop - at))
            else:
                dark = Spell(Kind.UPLINK, at, stop, self.script.slugs, CUT)
                self.script.spells.append(dark)

    def _island(self) -> tuple[str, ...]:
        name = self.rng.choice(sorted({ISLAND[slug] for slug in self.script.slugs}))
        return tuple(slug for slug in self.script.slugs if ISLAND[slug] == name)

    def own(self, slug: str) -> None:
        """What happens to one province."""
        for kind, rate in RATES.items():
            for _ in range(self.count(rate)):
                start = self.moment()
                for begin, end in self._times(kind, start):
                    if end < self.script.end - QUIET and self.free((slug,), begin, end):
                        self.take((slug,), begin, end)
                        self.script.spells.append(Spell(kind, begin, end, (slug,), self._of(kind)))

    def _times(self, kind: Kind, start: float) -> Iterator[tuple[float, float]]:
        if kind is not Kind.FLAPPING:
            yield start, start + self.lasting(kind)
            return
        for _ in range(self.rng.randint(4, 9)):
            stop = start + self.rng.uniform(120.0, 180.0)
            yield start, stop
            start = stop + self.rng.uniform(120.0, 180.0)

    def _of(self, kind: Kind) -> Weather:
        if kind is Kind.LOSS:
            return Weather(loss=self.rng.uniform(0.05, 0.36))
        if kind is Kind.FAULT:
            return NO_BUFFERS
        return REFUSED if kind is Kind.SERVICE and self.rng.random() < 0.5 else CUT


def written(
    seed: int, days: float, slugs: tuple[str, ...] = PROVINCES, *, busy: float = 1.0
) -> Script:
    """The script of this seed, the same one each time; ``busy`` times as much happens in it."""
    script = Script(seed, BEGIN + days * 86_400.0, slugs)
    author = _Author(script, Random(seed), busy)
    author.common()
    for slug in slugs:
        author.own(slug)
    author.amidst()
    for _ in range(author.count(WINDOWS)):
        start = author.moment()
        window = Planned(author.rng.choice(slugs), start, start + author.rng.uniform(600, 14_400))
        script.planned.append(window)
        # And one that an outage falls into, as maintenance is wont to have it.
        own = [spell for spell in script.spells if len(spell.provinces) == 1]
        if own:
            spell = author.rng.choice(own)
            start = spell.start - author.rng.uniform(0, 1200)
            window = Planned(spell.provinces[0], start, start + author.rng.uniform(600, 14_400))
            script.planned.append(window)
    script.spells.sort(key=lambda spell: spell.start)
    return script


Timeline = tuple[list[float], list[Weather]]


class World:
    """The weather of each check at each second, looked up in microseconds."""

    def __init__(self, script: Script) -> None:
        touched: dict[CheckId, list[Spell]] = {}
        everywhere: list[Spell] = []
        for spell in script.spells:
            if spell.kind in DARK:
                everywhere.append(spell)
                continue
            for check in spell.checks():
                touched.setdefault(check, []).append(spell)
            if spell.kind is Kind.HUB:
                touched.setdefault(CheckId(HUB, "icmp"), []).append(spell)
        self._dark = _timeline(everywhere)
        self._own = {check: _timeline(spells) for check, spells in touched.items()}
        self._canaries = {CheckId(f"canary:{address}", "canary") for address in CANARIES}

    def at(self, check: CheckId, now: float) -> Weather:
        """What the network does to the check at ``now``."""
        dark = _lookup(self._dark, now)
        if dark is not FINE:
            return dark
        own = self._own.get(check)
        return FINE if own is None else _lookup(own, now)


def _lookup(timeline: Timeline, now: float) -> Weather:
    return timeline[1][bisect_right(timeline[0], now)]


def _timeline(spells: list[Spell]) -> Timeline:
    """(edges, the weather before the first, between each, after the last); the worst one counts."""
    edges = sorted({edge for spell in spells for edge in (spell.start, spell.stop)})
    weathers = [FINE]
    active: list[Spell] = []
    later = sorted(spells, key=lambda spell: spell.start)
    begun = 0
    for edge in edges:
        active = [spell for spell in active if spell.stop > edge]
        while begun < len(later) and later[begun].start <= edge:
            active.append(later[begun])
            begun += 1
        weathers.append(max((s.weather for s in active), key=_badness, default=FINE))
    return edges, weathers


def _badness(weather: Weather) -> tuple[bool, bool, bool, float]:
    # What we can't ask hides what it would have answered.
    return weather.local is not None, weather.cut, weather.answer is not None, weather.loss
