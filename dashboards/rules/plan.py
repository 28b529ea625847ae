"""Every number in the rules: the objective, the voters, the durations. One place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(duration: str) -> float:
    """``"90s"`` to 90.0; raises ValueError for what Prometheus would not take."""
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration)
    if found is None:
        raise ValueError(f"duration: expected one like 5s, 10m or 3d, found {duration!r}")
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class Windows:
    """What the recorded ratios look back over; their names are those of production."""

    ratio5m: str = "5m"
    ratio30m: str = "30m"
    ratio1h: str = "1h"
    ratio6h: str = "6h"
    ratio3d: str = "3d"
    ratio30d: str = "30d"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long something must hold before it is told.

    ``province`` may be nothing: three failed tries, our own side proved, the parents asked, and a
    majority of vantages stand behind it before the first sample says ``down``.
    """

    province: str = "0s"
    contested: str = "15s"  # a vantage still blames something else: vcmon's own hold for parents
    centre: str = "5s"
    blind: str = "15s"  # longer than centre: while the last vantages go blind there's one page
    prober: str = "30s"
    quorum: str = "30s"
    degraded: str = "5m"
    calm: str = "5m"  # well for so long, or what comes and goes goes on: one message, not ten
    unknown: str = "3m"
    stalled: str = "2m"
    reload: str = "1m"
    history: str = "5m"
    certificate: str = "10m"
    conflict: str = "30m"
    burn: str = "2m"
    meeting: str = "30s"  # a minute matters, a restart of one vantage does not


@dataclass(frozen=True, slots=True)
class Plan:
    """One set of rules."""

    name: str = "production"
    objective: Decimal = Decimal("99.5")  # percent of the time, maintenance left out
    voters: int = 2  # vantages without whose word nothing is known
    evaluation: str = "5s"  # of what pages; as often as vcmon is scraped
    slow: str = "1m"  # of the budget
    waits: Waits = Waits()
    windows: Windows = Windows()
    memory: str = "6h"  # how long a last word is kept while nobody says another
    planned: str = "10m"  # how long a vantage's word of maintenance outlives the vantage
    edge: str = "30s"  # down so long before and after a window's end: it outlasted the window
    told: str = "35m"  # an outage that was paged keeps budget alerts quiet; over the short windows
    young: str = "1d"  # with less to look back at, a minute is a large share of what is known
    flaps: str = "30m"
    flaps_changes: int = 4  # two outages and two recoveries; more than a bad cable's one
    stale: str = "60s"  # rounds: six at the default interval
    lag: float = 0.5  # seconds; 20 ms is what vcmon promises
    expiry: str = "14d"
    meeting: str = "30m"  # before its start, from which on whoever is missing is told
    fast: Decimal = Decimal("14.4")  # of the budget's rate: 2 % of 30 days in an hour
    slow_burn: Decimal = Decimal(6)  # 5 % in six hours
    slowest_burn: Decimal = Decimal(1)  # 10 % in three days
    grafana: str = "https://grafana.example"
    runbooks: str = "https://vcmon.example/docs/runbooks"

    def __post_init__(self) -> None:
        if self.voters < 1:
            raise ValueError(f"voters: expected 1 or more, found {self.voters}")
        for duration in (self.evaluation, self.slow, self.told):
            seconds(duration)
        if not 0 < self.objective < 100:
            raise ValueError(f"objective: expected a percentage under 100, found {self.objective}")
        if seconds(self.told) <= seconds(self.windows.ratio30m):
            raise ValueError(f"told: expected more than {self.windows.ratio30m}, found {self.told}")

    def budget(self, times: Decimal) -> str:
        """The share of time that burns the budget so many times too fast, as PromQL."""
        share = (times * (100 - self.objective) / 100).normalize()
        return f"{share:f}"


PRODUCTION = Plan()

TEST = Plan(
    name="test",
    evaluation="1s",
    slow="1s",
    waits=Waits(
        province="0s",
        contested="5s",
        centre="2s",
        blind="6s",
        prober="3s",
        quorum="6s",
        degraded="5s",
        calm="5s",
        unknown="5s",
        stalled="5s",
        reload="2s",
        history="5s",
        certificate="2s",
        conflict="5s",
        burn="2s",
        meeting="2s",
    ),
    windows=Windows("5s", "15s", "30s", "60s", "90s", "120s"),
    memory="10m",
    planned="1m",
    edge="4s",
    told="20s",
    young="30s",
    flaps="60s",
    stale="10s",
    expiry="1d",
    meeting="60s",
)
"""Seconds where production has minutes, so that a test sees every rule live."""

PROFILES = {plan.name: plan for plan in (PRODUCTION, TEST)}


def of(profile: str, **changes: object) -> Plan:
    """A profile with single values changed; raises KeyError, TypeError, ValueError."""
    return replace(PROFILES[profile], **changes)  # type: ignore[arg-type]
