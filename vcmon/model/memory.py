"""What is remembered: intervals of state, incidents and what people said of them, maintenance.

All times are wall seconds (UTC). An interval is half open, ``[start, stop)``; ``stop`` is None
while it goes on. A *series* is named like the subject of a Transition: ``province:aceh``,
``endpoint:aceh-codec``, and ``vantage:uplink`` for our own side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vcmon.model.result import Blame, Reason
from vcmon.model.status import State


@dataclass(frozen=True, slots=True)
class Interval:
    """One stretch of one state of one series; the truth that every figure is made from."""

    series: str
    start: float  # when it happened
    stop: float | None
    state: State
    reason: Reason
    blame: Blame = Blame.NONE
    parent: str | None = None  # endpoint id of the true cause
    known_at: float = 0.0  # when we knew that it had begun


VCMON = "vcmon"
"""The author of what vcmon itself remarks: never a person's judgement."""


class Cause(StrEnum):
    """Why there was an incident, as a person judged it; a closed set, so that it can be a label."""

    PROVIDER = "provider"
    CABLE = "cable"
    POWER = "power"
    DEVICE = "device"
    PLANNED = "planned"
    CENTRE = "centre"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Member:
    """A province or endpoint that an incident took with it, and for how long."""

    subject: str  # a series
    start: float
    stop: float | None


class Deed(StrEnum):
    """What a person did to an incident."""

    ACK = "ack"
    NOTE = "note"
    CAUSE = "cause"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person said of an incident: appended, never changed, never taken back."""

    at: float
    author: str
    deed: Deed
    text: str = ""
    ticket: str = ""  # with an acknowledgement
    cause: Cause | None = None  # with a cause or a close


@dataclass(frozen=True, slots=True)
class Incident:
    """One interval in which something was down, by its true cause, with all that fell with it.

    ``owner`` is what it belongs to: ``endpoint:<id>`` of the true parent, or the group that fell
    together: ``island:<name>``, ``provider:<name>``, ``medium:<name>``, ``country:``. (And
    ``province:<slug>`` where a province fell of which no endpoint is known to be down.)
    """

    id: int
    owner: str
    start: float  # the onset, when it happened
    known_at: float
    stop: float | None
    reason: Reason
    members: tuple[Member, ...] = ()
    reopened: int = 0  # times it came back within the window
    remarks: tuple[Remark, ...] = ()  # oldest first
    merged_into: int | None = None  # the incident that it turned out to be a part of

    @property
    def cause(self) -> Cause:
        """The last cause that a person gave it; UNKNOWN while nobody did."""
        return self._last_cause(of_vcmon=False)

    @property
    def suggested(self) -> Cause:
        """The cause that vcmon suggests (``planned``: it began under maintenance), or UNKNOWN."""
        return self._last_cause(of_vcmon=True)

    def _last_cause(self, *, of_vcmon: bool) -> Cause:
        said = (r.cause for r in reversed(self.remarks) if (r.author == VCMON) is of_vcmon)
        return next((cause for cause in said if cause), Cause.UNKNOWN)

    @property
    def acknowledged(self) -> Remark | None:
        """The latest acknowledgement, or None."""
        return next((r for r in reversed(self.remarks) if r.deed is Deed.ACK), None)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A planned window, once or again and again; an overlay: probing goes on under it.

    ``scope`` is ``province:<slug>``, ``endpoint:<id>``, ``provider:<name>`` or ``island:<name>``.
    ``rule`` is a recurrence rule of RFC 5545 ("FREQ=WEEKLY;BYDAY=SU"), "" for once; it is read in
    ``zone``, so that a window at 22.00 WIT stays at 22.00 WIT.
    """

    id: int  # 0: from the settings, not from the memory
    scope: str
    title: str
    start: float  # the first time
    seconds: float  # how long each time
    zone: str = "Asia/Jakarta"
    rule: str = ""
    author: str = ""
    ended_at: float | None = None  # called off, or ended early: nothing happens after it


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time that a maintenance window takes place."""

    maintenance: Maintenance
    start: float
    stop: float


class Counted(StrEnum):
    """What a moment is counted as in an availability figure; every moment is exactly one."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"  # nobody looked, or nothing could be seen
    SHORT = "short"  # an outage too short to count: counted as available
    EXCLUDED = "excluded"  # an outage by a cause that is left out
    MAINTENANCE = "maintenance"
    OUTSIDE = "outside"  # outside of the hours that count


@dataclass(frozen=True, slots=True)
class Amendment:
    """A signed correction of a frozen month: time that is moved from one count to another.

    ``signature`` is the SHA-256, in hex, over the signature before it and all the rest: what was
    frozen and every correction after it is held by the last one.
    """

    month: str  # "2026-10"
    series: str
    at: float
    author: str
    reason: str
    milliseconds: int  # moved, more than 0
    source: Counted
    target: Counted
    outages: int = 0  # added to the number of outages; negative takes away
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the audit trail: who did what to what."""

    at: float
    who: str
    role: str
    action: str
    target: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Packets of one endpoint since the last sample; times in whole microseconds.

    ``jitter_sum`` adds up by how much each round trip differed from the one before it in its
    burst; ``jitter_n`` of these differences there were.
    """

    series: str
    at: float
    sent: int = 0
    lost: int = 0
    rtt_sum: int = 0
    rtt_n: int = 0
    rtt_max: int = 0
    jitter_sum: int = 0
    jitter_n: int = 0
