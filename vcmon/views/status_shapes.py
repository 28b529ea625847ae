"""What ``/api/v1/status`` and ``/api/v1/provinces/<slug>`` tell, as models for OpenAPI.

The answers themselves are written piece by piece (``api.py``): with 10,000 endpoints a model
of each would stop the loop. Tests hold each answer against these.
"""

from __future__ import annotations

from vcmon.model.endpoint import Role
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import State
from vcmon.views.shapes import Shape


class DirectionShape(Shape):
    """One direction of a measured stream of packets."""

    sent: int
    received: int
    loss: float | None  # share from 0 to 1; null: it can't be told apart from the other's
    jitter_ms: float | None  # RFC 3550
    dscp: int | None  # as it arrived


class StreamsShape(Shape):
    """Both directions of a measured stream; ``forward`` is from us to the endpoint."""

    forward: DirectionShape | None
    backward: DirectionShape | None


class CheckShape(Shape):
    """One check and its last run."""

    name: str
    kind: str
    outcome: Outcome
    reason: Reason
    at: str | None
    duration_ms: float | None
    rtt_ms: float | None
    loss: float | None  # share from 0 to 1
    jitter_ms: float | None
    streams: StreamsShape | None


class StandingShape(Shape):
    """What something is, since when, and why."""

    state: State
    since: str | None
    reason: Reason
    blame: Blame
    parent: str | None  # the endpoint that is the true cause


class EndpointShape(StandingShape):
    """One endpoint with its checks."""

    id: str
    role: Role
    checks: tuple[CheckShape, ...]


class ProvinceHeadShape(StandingShape):
    """A province without its endpoints."""

    slug: str
    code: str
    name: str
    maintenance: bool


class ProvinceShape(ProvinceHeadShape):
    """A monitored province."""

    endpoints: tuple[EndpointShape, ...]


class CountsShape(Shape):
    """Provinces by state; ``maintenance`` counts the overlay, beside the states."""

    up: int
    degraded: int
    down: int
    unreachable: int
    unknown: int
    maintenance: int


class StatusShape(Shape):
    """The whole picture at one moment."""

    generated_at: str | None
    version: str
    revision: int  # grows with every change
    vantage: str
    blind: bool  # our own side is broken
    counts: CountsShape
    provinces: tuple[ProvinceShape, ...]


class LastShape(Shape):
    """What the last run found, believed or not."""

    outcome: Outcome
    reason: Reason
    blame: Blame
    impaired: bool


class CheckDetailShape(CheckShape):
    """One check in detail."""

    since: str | None
    interval_ms: float | None
    failing: int
    stale: bool
    last: LastShape | None
    phases: dict[str, float | None]  # milliseconds
    certificate_expiry: str | None
    detail: dict[str, str | float | bool | None]


class LaneShape(Shape):
    """One direction of a link, lately."""

    loss: float | None
    jitter_ms: float | None


class QualityShape(Shape):
    """What was measured lately: of round trips, and of each direction where a stream told it."""

    rtt_ms: float | None
    usual_rtt_ms: float | None  # what is normal here, by the last days
    loss: float | None
    jitter_ms: float | None
    mos: float | None  # estimated: what a G.711 call would be worth here, 1 to 4.5 (G.107)
    forward: LaneShape | None  # from the vantage to the endpoint
    backward: LaneShape | None


class EndpointDetailShape(StandingShape):
    """One endpoint in detail, with what the inventory says of it."""

    id: str
    role: Role
    known_at: str | None
    maintenance: bool  # planned work is on; the state is the true one
    address: str
    site: str
    medium: str
    provider: str
    contact: str
    depends_on: tuple[str, ...]
    quality: QualityShape
    checks: tuple[CheckDetailShape, ...]


class ProvinceDetailShape(ProvinceHeadShape):
    """One province in detail; without endpoints it is not monitored."""

    generated_at: str | None
    known_at: str | None
    iso: str
    name_en: str
    capital: str
    timezone: str
    island: str
    latitude: float
    longitude: float
    endpoints: tuple[EndpointDetailShape, ...]
