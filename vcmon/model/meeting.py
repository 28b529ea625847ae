"""Meetings of Centre and Regions: who is to join, who can, and who was there.

All times are wall seconds (UTC), lengths seconds. A *meeting* is what was planned, once or again
and again; a *sitting* is one time that it takes place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

CHECKPOINTS = (3600.0, 1800.0, 600.0, 0.0)
"""Seconds before the start at which the roll is called and kept, unless a meeting says else."""


class Readiness(StrEnum):
    """Whether a province can join, as the page and the metrics say it."""

    READY = "siap"
    AT_RISK = "berisiko"
    NOT_READY = "tidak_siap"
    UNMEASURED = "belum_terukur"


class Doubt(StrEnum):
    """Why a province is not plainly ready; a closed set."""

    NONE = "none"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    DEEP_CHECK = "deep_check"  # a check that was run for the meeting failed
    DEGRADED = "degraded"
    LOSS = "loss"
    JITTER = "jitter"
    RTT = "rtt"
    CHANGED = "changed"  # it was down within the calm that is asked for
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"  # nobody looked, or nothing could be seen
    BLIND = "blind"  # our own side is down


class Origin(StrEnum):
    """Where a meeting was planned."""

    SETTINGS = "settings"
    PERSON = "person"
    CALENDAR = "calendar"  # an .ics file


@dataclass(frozen=True, slots=True)
class Seat:
    """A province on the roster."""

    province: str  # slug
    required: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What a province must keep to be ready. None: the limit of its link's quality class."""

    loss: float | None = None  # 0 to 1
    jitter: float | None = None  # seconds
    rtt: float | None = None  # seconds
    window: float = 900.0  # seconds before the verdict that loss, jitter and RTT are judged over
    calm: float = 1800.0  # seconds without having been down


@dataclass(frozen=True, slots=True)
class Moved:
    """One sitting of a series that takes place at another time."""

    original: float  # the start that the rule gives
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Meeting:
    """What was planned. ``rule`` is a recurrence rule (RFC 5545), read in ``zone``; "" for once."""

    id: str  # [a-z0-9-]{1,40}: in addresses and labels
    title: str
    start: float  # the first time
    seconds: float
    seats: tuple[Seat, ...]
    organiser: str = ""
    room: str = ""  # endpoint id of the room or MCU that all join; "" for none of ours
    zone: str = "Asia/Jakarta"
    rule: str = ""
    excluded: tuple[float, ...] = ()  # starts of the rule that do not take place
    added: tuple[float, ...] = ()  # starts beside the rule
    moved: tuple[Moved, ...] = ()
    limits: Limits = Limits()
    checkpoints: tuple[float, ...] = CHECKPOINTS
    origin: Origin = Origin.SETTINGS
    uid: str = ""  # of the .ics event it came from
    author: str = ""
    cancelled_at: float | None = None  # nothing that begins after it takes place


@dataclass(frozen=True, slots=True)
class Sitting:
    """One time that a meeting takes place, ``[start, stop)``."""

    meeting: Meeting
    original: float  # the start that was first planned: names the sitting, wherever it is moved
    start: float
    stop: float

    @property
    def id(self) -> str:
        """``mingguan-20261123-0800``: the meeting and the first planned start in its zone."""
        local = datetime.fromtimestamp(self.original, ZoneInfo(self.meeting.zone))
        return f"{self.meeting.id}-{local:%Y%m%d-%H%M}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one province at one moment, with the figures it was said from."""

    province: str  # slug
    required: bool
    readiness: Readiness
    doubt: Doubt = Doubt.NONE
    endpoint: str = ""  # id of what is to blame, or of the parent that is down
    check: str = ""  # with DEEP_CHECK, its name
    since: float | None = None  # when the doubt began
    value: float | None = None  # with LOSS, JITTER, RTT: what was measured ...
    limit: float | None = None  # ... and what is allowed


@dataclass(frozen=True, slots=True)
class RollCall:
    """The verdicts of one sitting at one moment. Once kept, it never changes."""

    sitting: str  # its id
    at: float  # when it was called
    checkpoint: float | None  # seconds before the start; None: now, kept nowhere
    verdicts: tuple[Verdict, ...]  # required first, worst first
    room: Verdict | None = None  # of the room or MCU that all join

    @property
    def ready(self) -> int:
        """How many provinces are ready."""
        return sum(verdict.readiness is Readiness.READY for verdict in self.verdicts)

    @property
    def required_missing(self) -> int:
        """How many required provinces are not ready."""
        return sum(v.required and v.readiness is not Readiness.READY for v in self.verdicts)


class Presence(StrEnum):
    """What an officer found when calling a province."""

    PRESENT = "hadir"
    ABSENT = "tidak_hadir"
    LEFT = "keluar"


@dataclass(frozen=True, slots=True)
class Attendance:
    """One mark on the roll, by a person: appended, never changed; the last one counts."""

    sitting: str
    province: str
    at: float
    presence: Presence
    author: str  # who marked it
    officer: str = ""  # whom they spoke to
    note: str = ""
