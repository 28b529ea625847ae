"""Cuts over time: planned at random, made and undone, with the times written down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.lab.cuts import KINDS, Kind
from tests.lab.judge import Injected
from tests.lab.rig import Country, Province
from tests.lab.truth import Cut


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that each cut stands, and that its province is left alone afterwards."""

    hold: float = 32.0
    rest: float = 46.0
    phase: float = 10.0  # a random wait up to this before: any phase of the interval


@dataclass(frozen=True, slots=True)
class Planned:
    kind: Kind
    province: Province
    start: float  # seconds into the campaign
    stop: float


def plan(
    rng: random.Random,
    provinces: Sequence[Province],
    seconds: float,
    lanes: int,
    timing: Timing,
) -> list[Planned]:
    """Cuts in ``lanes`` that run side by side, each in provinces of its own.

    Every kind has its turn before one comes twice; what fits no province of a lane waits.
    """
    waiting: list[Kind] = []
    made: list[Planned] = []
    now = [rng.uniform(0, timing.phase) for _ in range(lanes)]
    while True:
        lane = min(range(lanes), key=now.__getitem__)
        stop = now[lane] + timing.hold
        if stop + timing.rest > seconds:
            return made
        if len(waiting) < lanes:
            waiting = [*rng.sample(KINDS, len(KINDS)), *waiting]
        mine = provinces[lane::lanes]
        kind = next(k for k in reversed(waiting) if any(map(k.fits, mine)))
        waiting.reverse()
        waiting.remove(kind)
        waiting.reverse()
        province = rng.choice([p for p in mine if kind.fits(p)])
        made.append(Planned(kind, province, now[lane], stop))
        now[lane] = stop + timing.rest + rng.uniform(0, timing.phase)


def carry_out(
    country: Country,
    planned: Iterable[Planned],
    seconds: float,
    alive: Callable[[], object],
) -> list[Injected]:
    """Make and undo the cuts in time, for ``seconds`` in all; ``alive`` raises if vcmon died."""
    begun = time.monotonic()
    done: list[Injected] = []
    standing: dict[int, Injected] = {}
    every = list(planned)
    starts = [(one.start, True, number) for number, one in enumerate(every)]
    stops = [(one.stop, False, number) for number, one in enumerate(every)]
    try:
        for at, start, number in sorted(starts + stops):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            alive()
            if start:
                one = every[number]
                standing[number] = inject(one.kind.make(country, one.province))
                done.append(standing[number])
            else:
                heal(standing.pop(number))
    finally:
        for injected in standing.values():
            heal(injected)
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    alive()
    return done


def inject(cut: Cut) -> Injected:
    """Make a cut; its time is that just before, so that no detection looks shorter than it was."""
    injected = Injected(cut, time.monotonic())
    cut.inject()
    return injected


def heal(injected: Injected) -> None:
    """Undo a cut; its time is that when all is well again."""
    injected.cut.heal()
    injected.healed = time.monotonic()
