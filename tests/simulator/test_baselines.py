"""A year of 38 links that are busy by day, and what is said to be far off among them.

``VCMON_BASELINE_DAYS=365 pytest -s tests/simulator/test_baselines.py`` is the long run: a minute.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.fakes.figures import record
from vcmon.history.baselines import DAYS, baseline
from vcmon.model.baseline import Baseline
from vcmon.model.result import Echo
from vcmon.state.normal import ceiling
from vcmon.state.quality import UNUSUAL_FROM, UNUSUAL_UNTIL, WINDOW, QualityWindow

SIMULATED_DAYS = int(os.environ.get("VCMON_BASELINE_DAYS", "35"))
SLOT = 300
SLOTS_A_DAY = 288
LEARNT_EVERY = 72  # slots: six hours; the daemon looks each hour, which changes little

KINDS = (
    *[(0.005, 0.060, 0.006)] * 20,  # fibre: least and most RTT, what a typical busy hour adds
    *[(0.050, 0.120, 0.015)] * 8,  # submarine
    *[(0.570, 0.620, 0.030)] * 5,  # GEO satellite
    *[(0.050, 0.120, 0.040)] * 5,  # mobile
)
LEBARAN = range(80, 90)
HOLIDAYS = frozenset(Random(5).sample(range(365), 16)) | frozenset(LEBARAN)
"""Days of the year on which offices are closed, beside Saturdays and Sundays."""


@dataclass
class Link:
    """One link: a base, and a queue that grows in office hours and in the evening.

    How much differs from link to link (0.4 to 2.5 times, mostly), from day to day (0.6 to 1.7) and
    within minutes (0.6 to 1.6, slowly); on a closed day it is a quarter. Each burst has noise of
    its own, and one in a hundred is late by up to half a second.
    """

    number: int
    base: float = 0.0
    busy: float = 0.0
    random: Random = field(default_factory=Random)
    today: float = 0.0
    drift: float = 0.0

    def __post_init__(self) -> None:
        self.random = Random(self.number)
        least, most, busy = KINDS[self.number]
        self.base = self.random.uniform(least, most)
        self.busy = busy * self.random.lognormvariate(0, 0.6)

    def queue(self, slot: int) -> float:
        """Seconds that these five minutes add; to be asked slot by slot."""
        day, within = divmod(slot, SLOTS_A_DAY)
        if within == 0 or slot == 0:
            closed = day % 7 >= 5 or day % 365 in HOLIDAYS
            self.today = self.busy * self.random.lognormvariate(0, 0.25) * (0.25 if closed else 1)
        hour = within / 12
        office = math.sin(math.pi * (hour - 7) / 10) if 7 < hour < 17 else 0.0
        evening = 0.6 * math.sin(math.pi * (hour - 18) / 5) if 18 < hour < 23 else 0.0
        self.drift = 0.9 * self.drift + self.random.gauss(0, 0.1)
        return self.today * max(office, evening) * math.exp(self.drift)

    def burst(self, queue: float) -> float:
        """The median round-trip time of one burst, seconds."""
        late = self.random.uniform(0.05, 0.5) if self.random.random() < 0.01 else 0.0
        noise = self.random.expovariate(1 / 0.002)
        return self.base + queue * self.random.uniform(0.5, 1.5) + noise + late

    def mean(self, queue: float) -> float:
        """The mean of five minutes of such bursts, seconds."""
        return (
            self.base + queue * self.random.gauss(1, 0.05) + 0.002 + 0.0055 * self.random.random()
        )


@dataclass
class Judged:
    """What was said to be far off of one link: the day and the minutes of each time."""

    times: list[list[int]] = field(default_factory=list)
    on: bool = False

    def take(self, slot: int, above: int) -> None:
        """Five minutes with so many bursts above the ceiling, judged as a window judges them."""
        was, self.on = self.on, above >= (UNUSUAL_UNTIL if self.on else UNUSUAL_FROM)
        if self.on and not was:
            self.times.append([slot // SLOTS_A_DAY, 0])
        if self.on:
            self.times[-1][1] += SLOT // 60


def lived(link: Link, days: int) -> Iterator[tuple[int, float, Baseline | None]]:
    """Slot by slot: its number, its queue, and what is normal by then."""
    seen: list[tuple[float, float]] = []
    normal: Baseline | None = None
    for slot in range(days * SLOTS_A_DAY):
        if slot % LEARNT_EVERY == 0:
            seen = seen[-DAYS * SLOTS_A_DAY :]
            normal = baseline(seen, slot * SLOT)
        queue = link.queue(slot)
        yield slot, queue, normal
        seen.append((slot * SLOT, link.mean(queue)))


def judged(link: Link, days: int) -> Judged:
    found = Judged()
    for slot, queue, normal in lived(link, days):
        top = ceiling(normal)
        # where even a burst that is half as late again is below, sixteen of thirty are not above
        if found.on or link.base + 1.5 * queue + 0.01 > top:
            found.take(slot, sum(link.burst(queue) > top for _ in range(WINDOW)))
    return found


def test_busy_hours_do_not_cry_wolf() -> None:
    """Of 38 links by day and night fewer than one time in 300 link-days is called far off.

    Not counted are the first work days after ten days of holidays, when a busy hour is news.
    """
    ordinary, holiday, minutes = 0, 0, 0
    for number in range(len(KINDS)):
        for day, lasted in judged(Link(number), SIMULATED_DAYS).times:
            after = LEBARAN.stop <= day % 365 < LEBARAN.stop + DAYS
            holiday, ordinary = holiday + after, ordinary + (not after)
            minutes += lasted
    days = len(KINDS) * SIMULATED_DAYS
    share = minutes / (days * 1440)
    figure = f"{ordinary} (and {holiday} after Lebaran) in {days} link-days, {share:.4%} of time"
    record("baselines, false", figure, "<= 1 in 300 link-days", ordinary <= days / 300)
    assert ordinary <= days / 300


def rerouted(number: int, at: int, more: float) -> tuple[int, int]:
    """Bursts until a way that is longer is called far off, and hours until it is normal."""
    link = Link(number)
    days = [(slot * SLOT, link.mean(link.queue(slot))) for slot in range(at)]
    window = QualityWindow()
    window.set_normal(baseline(days, at * SLOT))
    for _ in range(WINDOW):
        window.add(Echo(1, 1, rtts=(link.burst(link.queue(at)),)))
    assert window.above < UNUSUAL_FROM
    bursts = 0
    while window.above < UNUSUAL_FROM:
        assert bursts < WINDOW, "not found"
        bursts += 1
        window.add(Echo(1, 1, rtts=(link.burst(link.queue(at)) + more,)))
    for slot in range(at, at + DAYS * SLOTS_A_DAY):
        days.append((slot * SLOT, link.mean(link.queue(slot)) + more))
        if slot % 12 == 0:
            window.set_normal(baseline(days, (slot + 1) * SLOT))
        if window.ceiling > link.base + more + 0.02:
            return bursts, (slot - at) // 12
    pytest.fail("never normal again")


def test_a_detour_is_found_and_learnt() -> None:
    """100 ms more on fibre are far off after 16 bursts, and normal on the third day."""
    found = [rerouted(number, 21 * SLOTS_A_DAY + 30 * number, 0.1) for number in range(6)]
    slowest, hours = max(b for b, _ in found), sorted(h for _, h in found)
    figure = f"+100 ms told after {slowest} bursts, normal after {hours[0]} to {hours[-1]} hours"
    held = slowest <= 20 and 48 <= hours[0] <= hours[-1] <= 72
    record("baselines, detour", figure, "<= 20 bursts (200 s), 48 to 72 hours", held)
    assert held, figure
