"""The demo country meets: the roll names whom the script broke, the minutes say when."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.process import Monitor, free_port, running
from vcmon.clock import SystemClock
from vcmon.history.store import Store
from vcmon.lab.country import CENTRE
from vcmon.lab.demo import country_process, first_meeting, write_settings
from vcmon.lab.script import faults_at, faults_between, province_states
from vcmon.model.meeting import Readiness, RollCall
from vcmon.model.status import State

SEED = 5
LOST = frozenset({State.DOWN, State.UNREACHABLE})
QUICK = "defaults: {interval: 1s, timeout: 1s, confirm: {retry: 500ms, up_gap: 2s}}\n"
NOTICED = 7.0
"""Seconds at that pace until a fault is confirmed: three failures that take 2 s each."""

TO_THE_SECOND = 2.5
"""Seconds: an interval of one, a timeout of two in which a run may hang when the fault ends."""

SHORT = 8.0
"""Seconds: what is over before it can be confirmed is no outage."""


def told(config: Path, before: str, after: str) -> None:
    """Change the demo's settings."""
    text = config.read_text("utf-8")
    assert before in text
    config.write_text(text.replace(before, after), "utf-8")


def kept(directory: Path, sitting: str) -> list[RollCall]:
    store = Store.open(directory / "vcmon.db", write=False, make=False)
    try:
        return store.rolls(sitting)
    finally:
        store.close()


def name_of(begins: float) -> str:
    return time.strftime("demo-%Y%m%d-%H%M", time.gmtime(begins + 7 * 3600))


def wait_for(directory: Path, sitting: str, rolls: int, seconds: float) -> list[RollCall]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (directory / "vcmon.db").exists() and len(found := kept(directory, sitting)) >= rolls:
            return found
        time.sleep(0.2)
    raise AssertionError(f"no {rolls} rolls within {seconds} s")


def assert_names(roll: RollCall, at: float) -> int:
    """The roll, called at this second of the script, names exactly whom it broke.

    Who changed within the last seconds may be either; how many were sure.
    """
    moments = [at - ago / 4 for ago in range(int(4 * NOTICED) + 1)]
    states = [province_states(faults_at(SEED, max(0.0, moment))) for moment in moments]
    sure = 0
    for verdict in roll.verdicts:
        now = {each[verdict.province] in LOST for each in states}
        if len(now) > 1:
            continue
        sure += 1
        lost = now == {True}
        assert (verdict.readiness is Readiness.NOT_READY) is lost, (verdict, at)
        if lost:
            assert verdict.doubt in {"down", "unreachable"}
    return sure


def test_the_roll_names_whom_the_script_broke(tmp_path: Path) -> None:
    """13 seconds after the start the roll is called: exactly those are not ready."""
    clock, port = SystemClock(), free_port()
    with country_process(tmp_path, SEED) as begun:
        born = begun + clock.wall() - clock.monotonic()
        begins = math.ceil((born + 30) / 60) * 60.0
        config = write_settings(tmp_path, port, begins)
        before = int((begins - born - 13.0) * 1000)
        told(config, "checkpoints: [4m, 2m, 1m, 0s]", f"checkpoints: [{before}ms]")
        told(config, "canaries:", f"{QUICK}canaries:")
        told(config, "t1: 1s", "t1: 1s\n    interval: 2s\n    timeout: 2s")
        with running(config, port):
            (roll,) = wait_for(tmp_path, name_of(begins), 1, 30)
    sure = assert_names(roll, roll.at - born)
    assert sure >= 34
    assert roll.room is not None
    assert roll.room.readiness is Readiness.READY
    assert {each.readiness for each in roll.verdicts} >= {Readiness.NOT_READY, Readiness.READY}


Span = tuple[float, float]


def lost_by_script(low: float, high: float) -> dict[str, list[Span]]:
    """When each province was lost within, in seconds of the script; clipped by nothing."""
    faults = faults_between(SEED, low - 300, high + 300)
    edges = sorted({edge for each in faults for edge in (each.begin, each.end)} | {0.0})
    found: dict[str, list[Span]] = {}
    for start, stop in pairwise(edges):
        states = province_states(faults_at(SEED, (start + stop) / 2))
        for slug, state in states.items():
            if state not in LOST or slug == CENTRE:
                continue
            spans = found.setdefault(slug, [])
            if spans and spans[-1][1] == start:
                spans[-1] = spans[-1][0], stop
            else:
                spans.append((start, stop))
    return {
        slug: inside
        for slug, spans in found.items()
        if (inside := [each for each in spans if each[0] < high and each[1] > low])
    }


def outages(monitor: Monitor, sitting: str, born: float) -> dict[str, list[Span]]:
    """What the minutes say, in seconds of the script."""
    status, text = monitor.get(f"/rapat/{sitting}/berita-acara.json")
    assert status == 200, text
    return {
        row["province"]: [
            (_seconds(each["start"]) - born, _seconds(each["stop"]) - born)
            for each in row["outage_list"]
        ]
        for row in json.loads(text)["provinces"]
        if row["outage_list"]
    }


def _seconds(moment: str | None) -> float:
    return math.inf if moment is None else datetime.fromisoformat(moment).timestamp()


def off(script: dict[str, list[Span]], said: dict[str, list[Span]], high: float) -> Iterator[float]:
    """How far each edge of an outage is off; raises where one is missing or invented."""
    for slug in script.keys() | said.keys():
        truth = [s for s in script.get(slug, []) if s[1] - s[0] > SHORT and s[0] < high - SHORT]
        claims = said.get(slug, [])
        for span in truth:
            near = [each for each in claims if each[0] < span[1] and each[1] > span[0]]
            assert len(near) == 1, (slug, span, claims)
            yield near[0][0] - span[0]
            if span[1] < high - SHORT:
                yield near[0][1] - span[1]
        for claim in claims:
            real = script.get(slug, [])
            assert any(r[0] < claim[1] and r[1] > claim[0] for r in real), (slug, claim)


@pytest.mark.soak
@pytest.mark.timeout(700)
def test_the_minutes_match_the_script_to_the_second(tmp_path: Path) -> None:
    """The demo as it is, at an interval of one second: four rolls, and three minutes of meeting."""
    clock, port = SystemClock(), free_port()
    with country_process(tmp_path, SEED) as begun:
        born = begun + clock.wall() - clock.monotonic()
        begins = first_meeting(clock.wall())
        config = write_settings(tmp_path, port, begins)
        told(config, "duration: 20m", "duration: 3m")
        told(config, "canaries:", f"{QUICK}canaries:")
        told(config, "t1: 1s", "t1: 1s\n    interval: 2s\n    timeout: 2s")
        sitting = name_of(begins)
        with running(config, port) as monitor:
            rolls = wait_for(tmp_path, sitting, 4, 500)
            time.sleep(max(0.0, begins + 180 + 12 - clock.wall()))
            said = outages(monitor, sitting, born)
    assert [each.checkpoint for each in rolls] == [240.0, 120.0, 60.0, 0.0]
    sure = [assert_names(each, each.at - born) for each in rolls]
    script = lost_by_script(begins - born, begins - born + 180)
    edges = list(off(script, said, begins - born + 180))
    worst = max(abs(each) for each in edges)
    figure = f"{len(edges)} edges in {len(said)} provinces, at most {worst:.1f} s off; sure: {sure}"
    held = worst <= TO_THE_SECOND
    record("meeting, minutes against the script", figure, "<= 2.5 s at 1 s intervals", held)
    assert worst <= TO_THE_SECOND, edges
