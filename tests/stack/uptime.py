"""Uptime out of ``vcmon_province_state_seconds_total`` against the outages that were made.

Prometheus looks every 15 s and each outage lasts 3 to 12 s, so most of them begin and end between
two scrapes. vcmon looks every half second: an edge is known to within that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dashboards.stack.settings import Timing
from tests.lab.campaign import Planned, carry_out
from tests.lab.cuts import Kind, drop_site
from tests.lab.judge import Injected
from tests.lab.rig import Province
from tests.lab.soak import Report
from tests.stack.ask import all_up, query
from tests.stack.recipes import beside_blackbox, production
from tests.stack.stage import Stage

PROVINCES = 6
SLOT = 130.0  # seconds in which each province has one outage
SHORTEST, LONGEST = 3.0, 12.0
EDGE = 30.0  # seconds of quiet at both ends: two scrapes
LOOKS = {
    "interval": "500ms",
    "timeout": "400ms",
    "confirm": {"retry": "300ms", "up_gap": "500ms"},
}
LIMIT = 0.1  # points

LOST = 'vcmon_province_state_seconds_total{job="vcmon", state=~"down|unreachable"}'
KNOWN = 'vcmon_province_state_seconds_total{job="vcmon", state!="unknown"}'


def outages(rng: random.Random, provinces: Sequence[Province], seconds: float) -> list[Planned]:
    """One outage in each slot of each province, anywhere in it."""
    made = []
    slots = int((seconds - 2 * EDGE) // SLOT)
    for province in provinces:
        for slot in range(slots):
            length = rng.uniform(SHORTEST, LONGEST)
            # well apart from the next slot's, so that each is a story of its own
            start = EDGE + slot * SLOT + rng.uniform(0, SLOT - length - 20)
            made.append(Planned(Kind(drop_site), province, start, start + length))
    return made


def truth(done: Sequence[Injected], slug: str, seconds: float) -> float:
    """Uptime in percent, by what was done."""
    lost = sum(one.healed - one.at for one in done if one.cut.slug == slug)
    return 100 * (1 - lost / seconds)


def uptime(rng: random.Random, report: Report, directory: Path, seconds: float) -> None:
    """Make outages for so many seconds, then ask Prometheus. Raises LabError, StackError."""
    recipe = replace(production(), defaults=LOOKS, timing=Timing("15s", "10s", "15s"))
    stage = Stage(directory, recipe, PROVINCES)
    beside_blackbox(stage)
    with stage:
        all_up(stage, 120.0)
        time.sleep(EDGE)
        planned = outages(rng, stage.country.provinces, seconds)
        begun = time.monotonic()
        done = carry_out(stage.country, planned, seconds, stage.prometheus.check)
        window = f"[{time.monotonic() - begun:.0f}s]"
        lost = f"sum by (province) (increase({LOST}{window}))"
        known = f"sum by (province) (increase({KNOWN}{window}))"
        found = _by_province(stage, f"100 * (1 - {lost} / {known})")
        gauge = f'avg by (province) (avg_over_time(probe_success{{recipe="usual"}}{window}))'
        sampled = _by_province(stage, f"100 * {gauge}")
    slugs = [province.slug for province in stage.country.provinces]
    _tell(report, {slug: truth(done, slug, seconds) for slug in slugs}, found, sampled)


def _by_province(stage: Stage, promql: str) -> dict[str, float]:
    return {labels["province"]: value for labels, value in query(stage, promql)}


def _tell(
    report: Report, true: dict[str, float], found: dict[str, float], sampled: dict[str, float]
) -> None:
    for slug, value in true.items():
        theirs = f"blackbox {sampled[slug]:.3f}"
        print(f"    {slug:<20} truth {value:.3f}  vcmon {found[slug]:.3f}  {theirs}")
    worst = max(abs(found[slug] - value) for slug, value in true.items())
    off = max(abs(sampled[slug] - value) for slug, value in true.items())
    report.tell("stack.uptime.vcmon.worst", f"{worst:.3f} pt", f"<= {LIMIT} pt", worst <= LIMIT)
    report.tell("stack.uptime.blackbox.worst", f"{off:.3f} pt", "-", passed=True)
