"""What we believe: the immutable picture that every view reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vcmon.model import emodel
from vcmon.model.endpoint import Check, CheckId, Endpoint
from vcmon.model.province import Province
from vcmon.model.result import Blame, Direction, Outcome, Reason, Result


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
    rtt: float = 0.0  # with RTT: seconds, where that is far above ...
    usual: float = 0.0  # ... what is usual here; 0: it is above its class's limit only


MOS_PACKETS = 30
"""Packets without which no MOS is told: a minute of bursts. One lost of five is no 20 % loss."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Loss (0..1), RTT and jitter (seconds) over the last minutes; None: not measured.

    ``loss`` and ``jitter`` are those of round trips. Where a stream of packets told the directions
    apart, each is added up beside it.
    """

    loss: float | None = None
    rtt: float | None = None
    jitter: float | None = None
    sent: int = 0  # packets that loss was measured with
    usual: float | None = None  # seconds; the RTT that is normal here, by the last days
    forward: Direction | None = None  # from us to the endpoint
    backward: Direction | None = None

    @property
    def mos(self) -> float | None:
        """What a G.711 call would be worth here, 1 to 4.5 (G.107): an estimate; None: too little
        was measured.

        By the worse direction where both are known, else on a path taken to be symmetric.
        """
        if self.rtt is None or self.jitter is None or self.loss is None:
            return None
        if self.sent < MOS_PACKETS:
            return None
        loss, jitter = emodel.one_way(self.loss), self.jitter
        if self.forward is not None and self.backward is not None:
            both = self.forward, self.backward
            loss = max(each.loss or 0.0 for each in both)
            jitter = max((e.jitter for e in both if e.jitter is not None), default=jitter)
        return emodel.estimated_mos(self.rtt, jitter, loss)


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """What is believed of one check: ``outcome`` is committed, ``last`` is the raw last run.

    ``failed`` are its last few runs that were not UP, oldest first, however long ago.
    """

    check: Check[Any]
    outcome: Outcome
    reason: Reason
    since: float
    failing: int = 0  # DOWN results in a row, not yet or already committed
    last: Result | None = None
    stale: bool = False
    failed: tuple[Result, ...] = ()


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
