"""From checks to endpoints to provinces: pure functions over what is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vcmon.model.endpoint import CONFERENCE_ROLES, Endpoint, Role
from vcmon.model.result import SILENT, Blame, Outcome, Reason
from vcmon.model.status import SEVERITY, Standing, State
from vcmon.state.machine import Belief, is_impaired
from vcmon.state.quality import Fault

NO_ANSWER = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.RESET})
"""With the host answering ping beside it, these mean that the service is gone, not the host."""


@dataclass(frozen=True, slots=True)
class View:
    """One check as the roll-up sees it."""

    belief: Belief
    decides: bool
    stale: bool
    degrades: bool = False  # down, it makes degraded what would be up though it doesn't decide


NO_DATA = Standing(State.UNKNOWN, Reason.NO_DATA)


def endpoint_standing(views: Sequence[View], quality_fault: Fault | None) -> Standing:
    """The endpoint by its own checks alone; what it depends on is looked at later.

    Down when any deciding check is down; up only when all of them are. ``service``: the host
    answers ping, the service does not answer.
    """
    deciding = [view for view in views if view.decides]
    down = [v.belief for v in deciding if v.belief.outcome is Outcome.DOWN and not v.stale]
    if down:
        return _down(min(down, key=lambda belief: belief.since), views)
    unsure = [v for v in deciding if v.stale or v.belief.outcome is Outcome.UNKNOWN]
    if unsure or not deciding:
        known = any(v.belief.outcome is not Outcome.UNKNOWN for v in unsure)
        return Standing(State.UNKNOWN, Reason.STALE if known else Reason.NO_DATA, Blame.LOCAL)
    since = max(v.belief.since for v in deciding)
    failed = next((v.belief for v in views if v.degrades and _has_failed(v)), None)
    if failed is not None:
        return Standing(State.DEGRADED, failed.reason, failed.blame, since)
    impaired = next((v.belief for v in views if is_impaired(v.belief) and not v.stale), None)
    if impaired is not None:
        return Standing(State.DEGRADED, impaired.reason, Blame.REMOTE, since)
    if quality_fault is not None:
        reason, rtt, usual = quality_fault
        return Standing(State.DEGRADED, reason, Blame.PATH, since, rtt=rtt, usual=usual)
    return Standing(State.UP, Reason.OK, Blame.NONE, since)


def _has_failed(view: View) -> bool:
    return view.belief.outcome is Outcome.DOWN and not view.stale


def _down(belief: Belief, views: Sequence[View]) -> Standing:
    # A refusal is an answer: then one silent burst of pings on a lossy link is no doubt.
    refused = belief.reason not in SILENT
    host_answers = any(
        not v.decides
        and not v.degrades  # a call of hours ago says nothing of the host now
        and not v.stale
        and v.belief.outcome is Outcome.UP
        and (refused or not v.belief.suspect)
        for v in views
    )
    standing = Standing(State.DOWN, belief.reason, belief.blame, belief.since)
    if host_answers and belief.reason in NO_ANSWER:
        return replace(standing, reason=Reason.SERVICE, blame=Blame.REMOTE)
    return standing


def true_parent(
    endpoint: Endpoint,
    endpoints: Mapping[str, Endpoint],
    own: Callable[[str], Standing],
) -> str | None:
    """The id of the farthest endpoint on the way that is down, or None if the way is whole.

    Of several ways (redundant parents) all must be broken: one whole way is enough to be reached.
    A parent that is itself unreachable passes on what it is unreachable by.
    """
    broken: list[str] = []
    for parent_id in endpoint.depends_on:
        parent = endpoints[parent_id]
        above = true_parent(parent, endpoints, own)
        if above is not None:
            broken.append(above)
        elif (standing := own(parent_id)).state in {State.DOWN, State.UNREACHABLE}:
            broken.append(standing.parent or parent_id)
        else:
            return None
    return broken[0] if broken else None


def with_parent(standing: Standing, parent: str | None) -> Standing:
    """A down endpoint behind a broken way is unreachable, and the parent is to blame."""
    if standing.state is not State.DOWN or parent is None:
        return standing
    return replace(
        standing, state=State.UNREACHABLE, reason=Reason.PARENT, blame=Blame.PATH, parent=parent
    )


def province_standing(
    members: Iterable[tuple[Endpoint, Standing]], province_of: Callable[[str], str]
) -> Standing:
    """The province by its conference endpoints, or by all where it has none.

    Up when all are; degraded when only some are, or a link runs on its backup; ``unreachable``
    when none is and the cause lies outside the province; ``down`` when it lies inside.
    """
    everything = list(members)
    conference = [(e, s) for e, s in everything if e.role in CONFERENCE_ROLES] or everything
    if not conference:
        return NO_DATA
    standings = [standing for _, standing in conference]
    alive = [s for s in standings if s.state in {State.UP, State.DEGRADED}]
    if alive:
        return _alive(standings, alive, everything)
    unknown = [s for s in standings if s.state is State.UNKNOWN]
    if unknown:
        return max(unknown, key=lambda standing: standing.since)
    return _none_alive(conference, province_of)


def _alive(
    standings: Sequence[Standing],
    alive: Sequence[Standing],
    everything: Sequence[tuple[Endpoint, Standing]],
) -> Standing:
    lost = [s for s in standings if s.state in {State.DOWN, State.UNREACHABLE}]
    if lost:
        first = min(lost, key=lambda standing: standing.since)
        return replace(first, state=State.DEGRADED, reason=Reason.PARTIAL)
    worst = min(alive, key=lambda standing: (SEVERITY[standing.state], standing.since))
    if worst.state is State.UP and (primary := _on_backup(everything)) is not None:
        return replace(primary, state=State.DEGRADED, reason=Reason.ON_BACKUP)
    if worst.state is State.UP:
        return max(alive, key=lambda standing: standing.since)
    return worst


def _on_backup(everything: Sequence[tuple[Endpoint, Standing]]) -> Standing | None:
    """The standing of a primary link that is lost while a backup link is up."""
    backup_up = any(e.role is Role.LINK_BACKUP and s.state is State.UP for e, s in everything)
    lost = [
        s
        for e, s in everything
        if e.role is Role.LINK and s.state in {State.DOWN, State.UNREACHABLE}
    ]
    return lost[0] if backup_up and lost else None


def _none_alive(
    conference: Sequence[tuple[Endpoint, Standing]], province_of: Callable[[str], str]
) -> Standing:
    # The province was lost when its last endpoint was: until then it was degraded.
    last = max((standing for _, standing in conference), key=lambda standing: standing.since)
    outside = [
        standing
        for endpoint, standing in conference
        if standing.parent is not None and province_of(standing.parent) != endpoint.province
    ]
    if len(outside) == len(conference):
        return replace(last, state=State.UNREACHABLE)
    inside = [s for _, s in conference if s not in outside]
    cause = max(inside, key=lambda standing: standing.since)
    return replace(cause, state=State.DOWN, since=last.since)


def settle(previous: Standing, proposed: Standing, known_at: float) -> Standing:
    """The proposed standing with its times: unchanged while the state is, never before the last.

    A loss is backdated as far as the last change allows, and so is its end, whether what is back
    is well or degraded; any other state that can't tell a later onset of its own (degraded after
    up, up again after it) begins now. What was lost before nobody could look, and still is, keeps
    its onset.
    """
    if proposed.state is previous.state:
        return replace(proposed, since=previous.since, known_at=previous.known_at)
    since = proposed.since
    lost = proposed.state in {State.DOWN, State.UNREACHABLE}
    if since <= previous.since and not (lost and previous.state is State.UNKNOWN):
        since = previous.since if proposed.state is State.DOWN else known_at
    return replace(proposed, since=min(known_at, since), known_at=known_at)
