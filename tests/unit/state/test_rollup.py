"""From checks to endpoints to provinces."""

from __future__ import annotations

import pytest

from tests.fakes.inventory import endpoint
from tests.fakes.results import down
from vcmon.model.endpoint import Endpoint, Role
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import Standing, State
from vcmon.state.machine import Belief, observe
from vcmon.state.quality import Fault
from vcmon.state.rollup import (
    View,
    endpoint_standing,
    province_standing,
    settle,
    true_parent,
    with_parent,
)

UP = Belief(Outcome.UP, Reason.OK, since=10)
OK = Standing(State.UP, Reason.OK, since=10)
GONE = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, since=50)


def failed(reason: Reason, since: float = 50, blame: Blame = Blame.PATH) -> Belief:
    return Belief(Outcome.DOWN, reason, blame, since=since)


def deciding(belief: Belief, *, stale: bool = False) -> View:
    return View(belief, decides=True, stale=stale)


def supporting(belief: Belief, *, stale: bool = False) -> View:
    return View(belief, decides=False, stale=stale)


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.REFUSED, Reason.RESET])
def test_ping_answers_but_the_service_does_not(reason: Reason) -> None:
    """A codec that answers ping but not SIP is down with reason service, and it is to blame."""
    standing = endpoint_standing([supporting(UP), deciding(failed(reason))], None)
    assert standing == Standing(State.DOWN, Reason.SERVICE, Blame.REMOTE, 50)


@pytest.mark.parametrize(
    ("reason", "told"), [(Reason.REFUSED, Reason.SERVICE), (Reason.TIMEOUT, Reason.TIMEOUT)]
)
def test_one_silent_burst_beside_a_refusal_is_no_doubt(reason: Reason, told: Reason) -> None:
    """A host that refuses is there, whatever one burst says; one that is silent may be going."""
    burst = observe(UP, down(60), -5.0)
    assert burst.suspect
    assert endpoint_standing([supporting(burst), deciding(failed(reason))], None).reason is told


def test_a_wrong_answer_keeps_its_own_reason() -> None:
    """What the service said wrong is more than that it is gone."""
    views = [supporting(UP), deciding(failed(Reason.PROTOCOL, blame=Blame.REMOTE))]
    assert endpoint_standing(views, None).reason is Reason.PROTOCOL


def test_sip_answers_but_ping_does_not() -> None:
    """A codec that answers SIP but not ping is up."""
    views = [supporting(failed(Reason.TIMEOUT)), deciding(UP)]
    assert endpoint_standing(views, None).state is State.UP


def test_nothing_answers() -> None:
    """Both silent: the check's own reason, not the service's."""
    views = [supporting(failed(Reason.TIMEOUT)), deciding(failed(Reason.TIMEOUT))]
    assert endpoint_standing(views, None).reason is Reason.TIMEOUT


def test_every_deciding_check_must_be_up() -> None:
    """One deciding check down is down, since the earliest of them."""
    views = [
        deciding(UP),
        deciding(failed(Reason.REFUSED, 70)),
        deciding(failed(Reason.STATUS, 60)),
    ]
    standing = endpoint_standing(views, None)
    assert (standing.state, standing.since, standing.reason) == (State.DOWN, 60, Reason.STATUS)


def test_stale_is_never_green() -> None:
    """An old answer says nothing, and an old failure resolves nothing into up."""
    assert endpoint_standing([deciding(UP, stale=True)], None).state is State.UNKNOWN
    assert endpoint_standing([deciding(UP, stale=True)], None).reason is Reason.STALE
    assert (
        endpoint_standing([deciding(failed(Reason.TIMEOUT), stale=True)], None).state
        is State.UNKNOWN
    )
    assert endpoint_standing([deciding(Belief())], None).reason is Reason.NO_DATA
    assert endpoint_standing([supporting(UP)], None).state is State.UNKNOWN


def test_quality_degrades_only_what_is_up() -> None:
    """Loss on a live link is degraded; a dead one is down, whatever its loss was."""
    assert endpoint_standing([deciding(UP)], Fault(Reason.LOSS)).state is State.DEGRADED
    assert (
        endpoint_standing([deciding(failed(Reason.TIMEOUT))], Fault(Reason.LOSS)).state
        is State.DOWN
    )


HUB = endpoint("hub", "icmp", province="pusat", role=Role.ROUTER)
ROUTER = endpoint("router", "icmp", role=Role.ROUTER, depends_on=("hub",))
SECOND = endpoint("second", "icmp", role=Role.ROUTER)
CODEC = endpoint("codec", depends_on=("router",))
DUAL = endpoint("dual", depends_on=("router", "second"))
ALL = {e.id: e for e in (HUB, ROUTER, SECOND, CODEC, DUAL)}


def parent_of(who: Endpoint, *down: str) -> str | None:
    return true_parent(who, ALL, lambda name: GONE if name in down else OK)


def test_the_true_parent_is_the_farthest_dead_one() -> None:
    """A dead hub behind a dead-looking router is named, not the router."""
    assert parent_of(CODEC, "hub", "router") == "hub"
    assert parent_of(CODEC, "router") == "router"
    assert parent_of(CODEC) is None


def test_one_whole_way_is_enough() -> None:
    """With two ways in, both must be broken before the parents are to blame."""
    assert parent_of(DUAL, "router") is None
    assert parent_of(DUAL, "router", "second") == "router"


def test_only_a_down_endpoint_becomes_unreachable() -> None:
    """An endpoint that answers is up, whatever its parent says of itself."""
    assert with_parent(OK, "hub") == OK
    assert with_parent(GONE, None) == GONE
    behind = with_parent(GONE, "hub")
    assert (behind.state, behind.parent, behind.since) == (State.UNREACHABLE, "hub", 50)


def rolled(*members: tuple[Endpoint, Standing]) -> Standing:
    return province_standing(members, lambda name: ALL[name].province)


def codec(name: str, role: Role = Role.CODEC) -> Endpoint:
    return endpoint(name, role=role)


def test_one_of_two_is_degraded_none_is_down() -> None:
    """A province can join as long as one conference endpoint is up."""
    a, b = codec("a"), codec("b", Role.ROOM)
    assert rolled((a, OK), (b, OK)).state is State.UP
    partial = rolled((a, OK), (b, GONE))
    assert (partial.state, partial.reason) == (State.DEGRADED, Reason.PARTIAL)
    later = Standing(State.DOWN, Reason.REFUSED, since=80)
    assert rolled((a, GONE), (b, later)) == later


def test_a_router_alone_does_not_decide() -> None:
    """A router that ignores ping beside a live codec is no outage of the province."""
    assert rolled((ROUTER, GONE), (CODEC, OK)).state is State.UP
    assert rolled((ROUTER, GONE)).state is State.DOWN


def test_the_cause_outside_makes_unreachable_inside_makes_down() -> None:
    """A dead hub elsewhere is not this province's fault; its own dead router is."""
    assert rolled((CODEC, with_parent(GONE, "hub"))).state is State.UNREACHABLE
    own = rolled((CODEC, with_parent(GONE, "router")))
    assert (own.state, own.parent) == (State.DOWN, "router")


def test_unknown_is_not_called_down() -> None:
    """While one of two endpoints is unknown and the other down, the province is unknown."""
    unknown = Standing(State.UNKNOWN, Reason.STALE)
    assert rolled((codec("a"), GONE), (codec("b"), unknown)).state is State.UNKNOWN
    assert rolled().state is State.UNKNOWN


def test_on_backup_is_degraded() -> None:
    """A live province whose primary link is lost while the backup carries it is degraded."""
    link, backup = codec("link", Role.LINK), codec("backup", Role.LINK_BACKUP)
    standing = rolled((CODEC, OK), (link, GONE), (backup, OK))
    assert (standing.state, standing.reason) == (State.DEGRADED, Reason.ON_BACKUP)
    assert rolled((CODEC, OK), (link, GONE), (backup, GONE)).state is State.UP


@pytest.mark.parametrize("state", [State.UP, State.DEGRADED])
def test_the_end_of_an_outage_is_backdated_whatever_follows(state: State) -> None:
    """A lossy link that comes back was back when it first answered, not when we were sure."""
    before = Standing(State.DOWN, Reason.TIMEOUT, since=100, known_at=106)
    assert settle(before, Standing(state, Reason.LOSS, since=400), 410).since == 400


def test_what_recovers_lossy_knows_since_when() -> None:
    """The degraded standing of an endpoint carries the onset of its deciding checks."""
    standing = endpoint_standing([deciding(UP)], Fault(Reason.LOSS))
    assert (standing.state, standing.since) == (State.DEGRADED, 10)


@pytest.mark.parametrize("state", [State.DOWN, State.UNREACHABLE])
def test_what_was_lost_before_nobody_could_look_keeps_its_onset(state: State) -> None:
    """An outage that goes on behind our own blindness began before it."""
    blind = Standing(State.UNKNOWN, Reason.BLIND, since=300, known_at=300)
    assert settle(blind, Standing(state, Reason.TIMEOUT, since=100), 400).since == 100
    assert settle(blind, Standing(state, Reason.TIMEOUT, since=350), 400).since == 350
    assert settle(blind, Standing(State.UP, Reason.OK, since=100), 400).since == 400


def test_times_follow_the_state() -> None:
    """The same state keeps its onset; a new one is backdated, but never before the last."""
    before = Standing(State.UP, Reason.OK, since=100, known_at=101)
    again = settle(before, Standing(State.UP, Reason.OK, since=400), 401)
    assert (again.since, again.known_at) == (100, 101)
    fallen = settle(before, Standing(State.DOWN, Reason.TIMEOUT, since=390), 396)
    assert (fallen.since, fallen.known_at) == (390, 396)
    assert settle(before, Standing(State.DOWN, Reason.TIMEOUT, since=50), 396).since == 100
    assert settle(before, Standing(State.UNKNOWN, Reason.STALE), 396).since == 396
    degraded = settle(before, Standing(State.DEGRADED, Reason.LOSS), 396)
    assert degraded.since == 396
    assert settle(degraded, Standing(State.UP, Reason.OK, since=100), 500).since == 500
