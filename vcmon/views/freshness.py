"""Whether what we believe is still news: old green is never shown as green."""

from __future__ import annotations

from vcmon.model.endpoint import measuring
from vcmon.model.result import Outcome
from vcmon.model.status import CheckStatus, EndpointStatus, Snapshot, State
from vcmon.views.sources import Sources

STALE_AFTER = 30.0
"""Seconds: three of the default intervals. A picture older than this tells nothing of now."""


def is_stale(sources: Sources, snapshot: Snapshot) -> bool:
    """Whether the picture is too old to be believed, or what makes it has stopped.

    A new picture comes with every result, so it may be as old as the shortest interval; where all
    checks run seldom, three of those are waited for.
    """
    if not sources.alive():
        return True
    age = sources.wall() - snapshot.at
    if age <= STALE_AFTER:
        return False
    endpoints = (one.endpoint for province in snapshot.provinces for one in province.endpoints)
    intervals = (check.interval for endpoint in endpoints for check in endpoint.checks)
    return age > 3 * min(intervals, default=float("inf"))


def believed(state: State, stale: bool) -> State:
    """The state to tell: what is stale is unknown."""
    return State.UNKNOWN if stale else state


def is_current(status: CheckStatus, stale: bool) -> bool:
    """Whether the last run of a check still speaks of now."""
    return not (stale or status.stale)


def mos_of(status: EndpointStatus, stale: bool) -> float | None:
    """The MOS that a G.711 call would have here (an estimate, G.107), 1 to 4.5.

    None where too little was measured, and while the check that measures it isn't answered.
    """
    by = measuring(status.endpoint.checks)
    for each in status.checks:
        if each.check is by:
            answered = each.outcome is Outcome.UP and is_current(each, stale)
            return status.quality.mos if answered else None
    return None
