"""Ways to endpoints as JSON: the one that fails and the healthy one, side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from vcmon.history.paths import Pair
from vcmon.model.memory import Incident
from vcmon.model.path import Change, Route, compare
from vcmon.model.result import Reason
from vcmon.views.path_words import sentence
from vcmon.views.shapes import IncidentShape, Shape, incident_shape
from vcmon.views.tongue import BAHASA, ENGLISH
from vcmon.views.words import rfc3339


class HopShape(Shape):
    """Who answered for one time to live; several addresses: packets take several ways there."""

    ttl: int
    addresses: tuple[str, ...]  # none: nobody answered, as a rule because it is not allowed to
    rtt_ms: float | None
    lost: int  # tries that nobody answered


class RouteShape(Shape):
    """One traceroute."""

    address: str
    at: str | None
    reached: bool  # the address itself answered
    why: Reason  # why not: timeout for silence, else what the last hop said
    hops: tuple[HopShape, ...]


class VerdictShape(Shape):
    """Where the way stops now and where it went before; addresses, ``null`` for none."""

    change: Change
    stops_after: str | None
    went_on_to: str | None
    common: str | None  # the last that both ways share
    instead: str | None  # the next one now, where they part
    text_id: str
    text_en: str


class PathShape(Shape):
    """The way to an endpoint that had fallen, and the one when it was well."""

    endpoint: str
    now: RouteShape
    before: RouteShape | None
    verdict: VerdictShape


class IncidentDetailShape(IncidentShape):
    """One incident, whole, with the ways to the endpoints that fell."""

    paths: tuple[PathShape, ...]  # newest first; of the first 50 endpoints that were traced


class EndpointPathShape(Shape):
    """The ways to one endpoint."""

    endpoint: str
    healthy: RouteShape | None  # the last one while it was well
    failing: tuple[PathShape, ...]  # newest first; the last 20


def route_shape(route: Route) -> RouteShape:
    """One way."""
    return RouteShape(
        address=route.address,
        at=rfc3339(route.at),
        reached=route.reached,
        why=route.why,
        hops=tuple(
            HopShape(
                ttl=hop.ttl,
                addresses=hop.addresses,
                rtt_ms=None if hop.rtt is None else round(hop.rtt * 1000, 3),
                lost=hop.lost,
            )
            for hop in route.hops
        ),
    )


def path_shape(pair: Pair) -> PathShape:
    """Two ways side by side, with what the comparison says."""
    found = compare(pair.before, pair.now)
    verdict = VerdictShape(
        change=found.change,
        stops_after=found.stops_after or None,
        went_on_to=found.went_on_to or None,
        common=found.common or None,
        instead=found.instead or None,
        text_id=sentence(found, BAHASA),
        text_en=sentence(found, ENGLISH),
    )
    return PathShape(
        endpoint=pair.now.endpoint,
        now=route_shape(pair.now),
        before=route_shape(pair.before) if pair.before else None,
        verdict=verdict,
    )


def incident_detail(incident: Incident, paths: Iterable[Pair]) -> IncidentDetailShape:
    """One incident with its ways."""
    told = dict(incident_shape(incident))
    return IncidentDetailShape(**told, paths=tuple(map(path_shape, paths)))


def endpoint_paths(
    endpoint: str, healthy: Route | None, failing: Iterable[Pair]
) -> EndpointPathShape:
    """What is remembered of the ways to one endpoint."""
    return EndpointPathShape(
        endpoint=endpoint,
        healthy=route_shape(healthy) if healthy else None,
        failing=tuple(map(path_shape, failing)),
    )
