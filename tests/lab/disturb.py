"""What may happen to the monitor itself, with a real outage in the midst of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab.campaign import heal, inject
from tests.lab.cuts import drop_site, uplink_down
from tests.lab.inside import run
from tests.lab.judge import GRACE, Injected
from tests.lab.rig import Country, Province
from tests.lab.truth import UP, Cut, Expect
from tests.lab.watch import Monitor

FOUND_SECONDS = 40.0
"""An outage must be found this soon after the disturbance is over: 18 s, and a round before it."""

TOLD = frozenset({"down", "unreachable", "unknown"}) | UP


@dataclass(frozen=True, slots=True)
class Scene:
    """What a disturbance works on."""

    country: Country
    monitor: Monitor
    rng: random.Random
    freeze_seconds: float = 60.0


def stalls(scene: Scene) -> list[Injected]:
    """The loop stands still for 0.3 to 5 s, again and again, for two minutes."""

    def stall_for(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(scene.rng.uniform(1.0, 5.0))
            scene.monitor.freeze(scene.rng.uniform(0.3, 5.0))

    stall_for(30.0)
    with outage(scene, scene.country.provinces[0]) as found:
        stall_for(60.0)
    stall_for(30.0)
    return [found]


def frozen(scene: Scene) -> list[Injected]:
    """The process is stopped for long; the outage begins and stays while it sleeps."""
    pid = scene.monitor.pid
    run("kill", "-STOP", str(pid))
    try:
        time.sleep(scene.freeze_seconds / 2)
        standing = inject(drop_site(scene.country, scene.country.provinces[1]))
        time.sleep(scene.freeze_seconds / 2)
    finally:
        run("kill", "-CONT", str(pid))
    try:
        time.sleep(FOUND_SECONDS)
    finally:
        heal(standing)
    return [standing]


def clock_stepped(scene: Scene) -> list[Injected]:
    """The wall clock goes a day ahead, and a day back, with an outage after each step."""
    done = []
    # never behind the true time: libfaketime can't fake the kernel's receive stamps, so replies
    # would seem to have taken a day; on a real machine stamps and wall clock are stepped together
    for number, offset in ((2, "+1d"), (3, "+0"), (4, "+1d")):
        scene.monitor.set_clock(offset)
        time.sleep(scene.rng.uniform(0, 5))
        with outage(scene, scene.country.provinces[number]) as found:
            time.sleep(FOUND_SECONDS)
        done.append(found)
    return done


def no_descriptors(scene: Scene) -> list[Injected]:
    """Not one descriptor is free for a minute: TCP can't be probed, ping still can."""
    pid = scene.monitor.pid
    limit = run("prlimit", "-p", str(pid), "--nofile", "-o", "SOFT,HARD", "--noheadings").split()
    run("prlimit", "-p", str(pid), f"--nofile={descriptors_at_rest(pid) + 1}:{limit[1]}")
    try:
        with outage(scene, scene.country.provinces[5], ping_only=True) as found:
            time.sleep(60.0)
    finally:
        run("prlimit", "-p", str(pid), f"--nofile={':'.join(limit)}")
    return [found]


def descriptors_at_rest(pid: int) -> int:
    """The highest descriptor that a process holds between its probes."""
    found = []
    for _ in range(40):
        found.append(max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()))
        time.sleep(0.05)
    return min(found)


def own_link_down(scene: Scene) -> list[Injected]:
    """Our cable is out for 40 s; an outage that begins meanwhile is found once it is back."""
    ours = inject(uplink_down(scene.country))
    try:
        time.sleep(20.0)
        theirs = inject(drop_site(scene.country, scene.country.provinces[6]))
        time.sleep(20.0)
    finally:
        heal(ours)
    try:
        time.sleep(FOUND_SECONDS)
    finally:
        heal(theirs)
    return [ours, theirs]


Disturbance = Callable[[Scene], list[Injected]]

SCENES: tuple[Disturbance, ...] = (stalls, frozen, no_descriptors, own_link_down)
"""All but the clock, which needs a monitor of its own."""


@contextmanager
def outage(scene: Scene, province: Province, *, ping_only: bool = False) -> Iterator[Injected]:
    """A silent province for the time of the block."""
    cut = drop_site(scene.country, province)
    standing = inject(only_ping(cut) if ping_only else cut)
    try:
        yield standing
    finally:
        heal(standing)


def only_ping(cut: Cut) -> Cut:
    """The same cut, when only the router's own check can tell of it."""
    cause = cut.downs()[0]
    expect = {name: e if name == cause else Expect(TOLD) for name, e in cut.expect.items()}
    return replace(cut, expect=expect, province=Expect(TOLD))


def settle() -> None:
    """Wait until the last repair must show."""
    time.sleep(GRACE + 1.0)
