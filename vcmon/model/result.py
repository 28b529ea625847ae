"""What one run of a check found."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from statistics import fmean, median
from types import MappingProxyType
from typing import NamedTuple

from vcmon.model.endpoint import CheckId

Detail = Mapping[str, str | int | float | bool]
NOTHING: Mapping[str, float] = MappingProxyType({})
NO_DETAIL: Detail = MappingProxyType({})


class Outcome(StrEnum):
    """Three values: a fault of our own is never somebody's outage."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Blame(StrEnum):
    """Whose fault it is. Only REMOTE and PATH may make DOWN."""

    NONE = "none"
    REMOTE = "remote"
    PATH = "path"
    LOCAL = "local"


class Reason(StrEnum):
    """Why; a closed set, so that it can be a metric label."""

    OK = "ok"
    # nothing, or a refusal, came back
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    NET_UNREACHABLE = "net_unreachable"
    HOST_UNREACHABLE = "host_unreachable"
    TTL_EXCEEDED = "ttl_exceeded"
    FILTERED = "filtered"
    MTU = "mtu"  # large packets vanish on the way
    # names
    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_FAILURE = "dns_failure"
    # TLS
    TLS_HANDSHAKE = "tls_handshake"
    TLS_CERTIFICATE = "tls_certificate"
    TLS_CERTIFICATE_EXPIRED = "tls_certificate_expired"
    TLS_CERTIFICATE_NOT_YET_VALID = "tls_certificate_not_yet_valid"
    TLS_CERTIFICATE_HOSTNAME = "tls_certificate_hostname"
    TLS_CERTIFICATE_SELF_SIGNED = "tls_certificate_self_signed"
    TLS_CERTIFICATE_UNTRUSTED = "tls_certificate_untrusted"
    TLS_CERTIFICATE_WEAK = "tls_certificate_weak"
    TLS_CERTIFICATE_EXPIRING = "tls_certificate_expiring"
    # it answered, but not as it should
    PROTOCOL = "protocol"
    STATUS = "status"
    CONTENT = "content"
    AUTH = "auth"
    BUSY = "busy"
    # our own faults: always UNKNOWN
    STALL = "stall"
    NO_ROUTE = "no_route"
    FD_EXHAUSTED = "fd_exhausted"
    BUFFERS = "buffers"
    PERMISSION = "permission"
    BUG = "bug"
    # what state makes of several results
    SERVICE = "service"
    LOSS = "loss"
    JITTER = "jitter"
    RTT = "rtt"
    PARENT = "parent"
    PARTIAL = "partial"
    ON_BACKUP = "on_backup"
    FLAPPING = "flapping"
    STALE = "stale"
    BLIND = "blind"
    GAP = "gap"  # nobody looked: a restart, a suspended machine, a step of the clock
    NO_DATA = "no_data"


SILENT = frozenset({Reason.TIMEOUT})
"""Reasons that lost packets can cause; every other one is an answer of some sort."""


class Echo(NamedTuple):
    """What a burst of echo requests brought back."""

    sent: int
    received: int
    duplicates: int = 0
    late: int = 0
    rtts: tuple[float, ...] = ()  # seconds, in sending order

    @property
    def loss(self) -> float:
        """Lost share of what was sent, 0 to 1; 0 packets sent is no measurement, not 0 % loss."""
        return (self.sent - self.received) / self.sent if self.sent else float("nan")

    @property
    def rtt(self) -> float | None:
        """Median round-trip time in seconds; None where nothing came back."""
        rtts = self.rtts
        if len(rtts) == 1:  # what most bursts of a large inventory are; median() costs ten times it
            return rtts[0]
        return median(rtts) if rtts else None

    @property
    def jitter(self) -> float | None:
        """Mean difference of neighbouring round-trip times, seconds (cf. RFC 3393's IPDV)."""
        if len(self.rtts) < 2:
            return None
        return fmean(abs(b - a) for a, b in zip(self.rtts, self.rtts[1:], strict=False))


class Direction(NamedTuple):
    """One direction of a measured stream of packets; ``forward`` is from us to the endpoint."""

    sent: int
    received: int
    jitter: float | None = None  # seconds, RFC 3550
    dscp: int | None = None  # as it arrived; None: nobody could see it

    @property
    def loss(self) -> float | None:
        """Lost share of what was sent, 0 to 1; None where nothing was sent."""
        return max(0, self.sent - self.received) / self.sent if self.sent else None


class Streams(NamedTuple):
    """What a stream of packets said of each direction; None: it can't be told apart."""

    forward: Direction | None = None
    backward: Direction | None = None


class Result(NamedTuple):
    """What one run of a check found.

    A named tuple, as one is made for every probe: a frozen dataclass takes three times as long.
    """

    check: CheckId
    outcome: Outcome
    reason: Reason
    blame: Blame
    at: float  # wall seconds when the run began
    started: float  # monotonic seconds when the run began
    duration: float  # seconds
    phases: Mapping[str, float] = NOTHING  # seconds each
    impaired: bool = False  # UP, but not as it should be: the endpoint is degraded
    echo: Echo | None = None
    transmissions: int = 1  # how many sendings the answer took: more than 1 is loss
    certificate_expiry: float | None = None  # wall seconds
    detail: Detail = NO_DETAIL  # for people; text, hostile
    streams: Streams | None = None
