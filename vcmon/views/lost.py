"""Whose outages are whose, for rules that page once a cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vcmon.history.facts import CENTRE, Facts
from vcmon.history.grouping import FEWEST, Fall, explain
from vcmon.model.memory import Incident
from vcmon.model.status import EndpointStatus, ProvinceStatus, Snapshot, State
from vcmon.readiness.rollcall import conference
from vcmon.views.exposition import Family, labels
from vcmon.views.freshness import believed

LOST_INFO = Family(
    "vcmon_province_lost_info",
    "gauge",
    "1 while the province is down or unreachable, with the owner of its outage: itself, "
    "an endpoint, or the group that fell together.",
)
ENDPOINT_MAINTENANCE = Family(
    "vcmon_endpoint_maintenance_active",
    "gauge",
    "1 while the endpoint is under planned maintenance; absent otherwise.",
)
PROVINCES_BEHIND = Family(
    "vcmon_endpoint_provinces_behind",
    "gauge",
    "Other provinces with an endpoint whose way leads over this one; absent where there is none.",
)
SUSPECTED_GROUP = Family(
    "vcmon_province_suspected_group_info",
    "gauge",
    "1 while the province has just gone down and seems to fall with others of this group, not all "
    "of which are confirmed.",
)

LOST = frozenset({State.DOWN, State.UNREACHABLE})


def lost(snapshot: Snapshot, incidents: Sequence[Incident], *, stale: bool) -> str:
    """A sample for each lost province: at most one each, so at most 39."""
    owners = _owners(incidents)
    return LOST_INFO.head() + "".join(
        LOST_INFO.line(labels({"province": slug, "owner": owner}), 1)
        for status in snapshot.provinces
        if believed(status.standing.state, stale) in LOST
        for slug in (status.province.slug,)
        for owner in (owners.get(slug) or _cause(status),)
    )


def _owners(incidents: Sequence[Incident]) -> Mapping[str, str]:
    """The owner of the incident that each lost province belongs to, by slug."""
    return {
        member.subject.removeprefix("province:"): incident.owner
        for incident in incidents
        for member in incident.members
        if member.stop is None and member.subject.startswith("province:")
    }


def _cause(status: ProvinceStatus) -> str:
    """As far as the state alone tells it: incidents are written up a moment later."""
    parent = status.standing.parent
    return f"endpoint:{parent}" if parent else f"province:{status.province.slug}"


def maintained(snapshot: Snapshot) -> Iterator[str]:
    """A sample for each endpoint under maintenance, a province a piece."""
    yield ENDPOINT_MAINTENANCE.head()
    for province in snapshot.provinces:
        yield "".join(
            ENDPOINT_MAINTENANCE.line(
                labels({"province": province.province.slug, "endpoint": status.endpoint.id}), 1
            )
            for status in province.endpoints
            if status.maintenance
        )


def behind(facts: Facts) -> str:
    """A sample for each endpoint that other provinces depend on, near or far."""
    provinces: dict[str, set[str]] = {}
    for name, fact in facts.endpoints.items():
        for parent in facts.above(name):
            if facts.endpoints[parent].province != fact.province:
                provinces.setdefault(parent, set()).add(fact.province)
    return PROVINCES_BEHIND.head() + "".join(
        PROVINCES_BEHIND.line(
            labels({"province": facts.endpoints[parent].province, "endpoint": parent}), len(others)
        )
        for parent, others in sorted(provinces.items())
    )


def suspected(snapshot: Snapshot, facts: Facts, together: float) -> str:
    """A sample for each province that seems to fall with its group; ``together`` are seconds."""
    fall = _fall(snapshot, facts, together)
    return SUSPECTED_GROUP.head() + "".join(
        SUSPECTED_GROUP.line(labels({"province": slug, "group": fall.owner}), 1)
        for status in snapshot.provinces
        if status.standing.state is State.DOWN
        for slug in (status.province.slug,)
        if fall is not None and slug in fall.provinces
    )


def _fall(snapshot: Snapshot, facts: Facts, together: float) -> Fall | None:
    fell: set[str] = set()
    before: set[str] = set()
    for status in snapshot.provinces:
        lost, slug = status.standing.state in LOST, status.province.slug
        if status.standing.state is State.DOWN and snapshot.at - status.standing.since <= together:
            fell.add(slug)
        elif lost:
            before.add(slug)
        elif _is_falling(status):
            fell.add(slug)
    fell.discard(CENTRE)
    if len(fell) < FEWEST:
        return None
    return explain(frozenset(fell), frozenset(before), facts.groups)


def _is_falling(status: ProvinceStatus) -> bool:
    """Whether nothing there has answered its last run: it would be lost if that were confirmed."""
    return bool(status.endpoints) and all(map(_fails, conference(status)))


def _fails(it: EndpointStatus) -> bool:
    failing = any(check.failing for check in it.checks if check.check.decides)
    return failing or it.standing.state in LOST
