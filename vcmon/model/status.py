"""What we believe: the immutable picture that every view reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vcmon.model.endpoint import Check, CheckId, Endpoint
from vcmon.model.province import Province
from vcmon.model.result import Blame, Outcome, Reason, Result


class State(StrEnum):
    """State of an endpoint or province; maintenance is an overlay, never a state."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


SEVERITY: Mapping[State, int] = {
    State.DOWN: 0,
    State.UNREACHABLE: 1,
    State.DEGRADED: 2,
    State.UNKNOWN: 3,
    State.UP: 4,
}
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, why, whose fault, when it began and when we knew (both wall seconds)."""

    state: State
    reason: Reason
    blame: Blame = Blame.NONE
    since: float = 0.0
    known_at: float = 0.0
    parent: str | None = None  # endpoint id of the true cause
    changes: int = 0  # with FLAPPING: so many changes ...
    within: float = 0.0  # ... in so many seconds


@dataclass(frozen=True, slots=True)
class Quality:
    """Loss (0..1), RTT and jitter (seconds) over the last minutes; None: not measured."""

    loss: float | None = None
    rtt: float | None = None
    jitter: float | None = None


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """What is believed of one check: ``outcome`` is committed, ``last`` is the raw last run."""

    check: Check[Any]
    outcome: Outcome
    reason: Reason
    since: float
    failing: int = 0  # DOWN results in a row, not yet or already committed
    last: Result | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    endpoint: Endpoint
    standing: Standing
    checks: tuple[CheckStatus, ...]
    quality: Quality = Quality()
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class ProvinceStatus:
    province: Province
    standing: Standing
    endpoints: tuple[EndpointStatus, ...]
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Uplink:
    """Our own side: ``up`` is None while nothing is known of it."""

    up: bool | None = None
    blind: bool = False
    since: float = 0.0  # wall seconds of the last change of ``blind``


@dataclass(frozen=True, slots=True)
class Transition:
    """The immutable record of one change: when it happened, and when we knew."""

    subject: str  # "province:aceh" or "endpoint:aceh-codec"
    old: Standing
    new: Standing
    at: float
    noticed_at: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything believed at one moment. ``version`` grows with every change."""

    version: int
    at: float  # wall seconds
    uplink: Uplink
    provinces: tuple[ProvinceStatus, ...]  # in the official order of their codes
    by_check: Mapping[CheckId, CheckStatus] = field(default_factory=dict)

    def counts(self) -> Counter[State]:
        """How many provinces are in each state."""
        return Counter(province.standing.state for province in self.provinces)
