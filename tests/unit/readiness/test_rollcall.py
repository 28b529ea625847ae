"""The roll says ``siap`` only of who can join, and of everybody else why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.rolls import (
    SLUG,
    answers_of,
    incident,
    make_sitting,
    snapshot_of,
    status_of,
    verdict,
    with_check,
    with_codec,
)
from tests.fakes.snapshots import NOW, PROVINCES, UP, check_status, make_check, province_status
from vcmon.config.params_talk import CallParams
from vcmon.config.settings import QUALITY_CLASSES
from vcmon.model.endpoint import CheckId
from vcmon.model.meeting import Doubt, Limits, Readiness, Seat, Verdict
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import ProvinceStatus, Quality, Standing, State
from vcmon.readiness.gauge import Figures
from vcmon.readiness.rollcall import ORDER, Evidence, call, missed

CODEC = f"{SLUG}-codec"
DOWN = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 754, NOW - 748)
AWAY = Standing(State.UNREACHABLE, Reason.PARENT, Blame.PATH, NOW - 90, NOW - 84, "hub")
NOTHING = Standing(State.UNKNOWN, Reason.NO_DATA, Blame.LOCAL)
BLIND = Standing(State.UNKNOWN, Reason.BLIND, Blame.LOCAL)
LOSSY = Standing(State.DEGRADED, Reason.LOSS, Blame.PATH, NOW - 3700, NOW - 3690)
BACKUP = Standing(State.DEGRADED, Reason.ON_BACKUP, Blame.PATH, NOW - 3700, NOW - 3690)


def said(found: Verdict) -> tuple[Readiness, Doubt]:
    return found.readiness, found.doubt


def test_one_that_is_well_is_ready() -> None:
    """A province that is up, has answered and was long calm has no doubt."""
    assert verdict(status_of(UP)) == Verdict(SLUG, True, Readiness.READY)
    answers = answers_of([status_of(UP)])
    assert verdict(status_of(UP), answers=answers) == Verdict(SLUG, True, Readiness.READY)


@pytest.mark.parametrize(
    ("standing", "facts", "expected"),
    [
        (DOWN, {}, (Readiness.NOT_READY, Doubt.DOWN)),
        (DOWN, {"blind": True}, (Readiness.NOT_READY, Doubt.DOWN)),
        (AWAY, {}, (Readiness.NOT_READY, Doubt.UNREACHABLE)),
        (NOTHING, {}, (Readiness.UNMEASURED, Doubt.UNKNOWN)),
        (BLIND, {}, (Readiness.UNMEASURED, Doubt.BLIND)),
        (UP, {"blind": True}, (Readiness.UNMEASURED, Doubt.BLIND)),
        (UP, {"fresh": False}, (Readiness.UNMEASURED, Doubt.UNKNOWN)),
        (DOWN, {"fresh": False}, (Readiness.UNMEASURED, Doubt.UNKNOWN)),
        (LOSSY, {}, (Readiness.AT_RISK, Doubt.LOSS)),
        (BACKUP, {}, (Readiness.AT_RISK, Doubt.DEGRADED)),
        (UP, {"planned": frozenset({f"province:{SLUG}"})}, (Readiness.AT_RISK, Doubt.MAINTENANCE)),
        (UP, {"planned": frozenset({"province:bali"})}, (Readiness.READY, Doubt.NONE)),
    ],
)
def test_each_state_has_its_verdict(
    standing: Standing, facts: dict[str, Any], expected: tuple[Readiness, Doubt]
) -> None:
    """What is down is never ready, and what nobody sees is neither ready nor down."""
    assert said(verdict(status_of(standing), **facts)) == expected


def test_who_is_to_blame() -> None:
    """The endpoint that is down, or the parent that is; and since when."""
    found = verdict(status_of(DOWN))
    assert (found.endpoint, found.since) == (CODEC, NOW - 754)
    assert (verdict(status_of(AWAY)).endpoint, verdict(status_of(AWAY)).since) == ("hub", NOW - 90)


def test_who_is_not_watched_is_unmeasured() -> None:
    """A province without endpoints, or that the snapshot does not know, was never looked at."""
    empty = ProvinceStatus(PROVINCES[SLUG], UP, ())
    assert said(verdict(empty)) == (Readiness.UNMEASURED, Doubt.UNKNOWN)
    other = province_status(PROVINCES["bali"])
    assert said(verdict(other)) == (Readiness.UNMEASURED, Doubt.UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"failing": 1}, (Readiness.AT_RISK, Doubt.UNCONFIRMED)),
        ({"stale": True, "outcome": Outcome.UNKNOWN}, (Readiness.UNMEASURED, Doubt.UNKNOWN)),
        ({"outcome": Outcome.UNKNOWN}, (Readiness.UNMEASURED, Doubt.UNKNOWN)),
    ],
)
def test_one_that_does_not_answer_now(
    changes: dict[str, Any], expected: tuple[Readiness, Doubt]
) -> None:
    """A first failure is a doubt before it is confirmed; a stale check proves nothing."""
    status = status_of(UP)
    status = with_codec(status, checks=with_check(status.endpoints[1], "sip", **changes))
    assert said(verdict(status)) == expected
    supporting = with_codec(
        status_of(UP), checks=with_check(status_of(UP).endpoints[1], "icmp", failing=3)
    )
    assert said(verdict(supporting)) == (Readiness.READY, Doubt.NONE)


def test_a_called_roll_counts_answers_only() -> None:
    """At a checkpoint an endpoint has answered since it was asked, or is not ready."""
    status = status_of(UP)
    assert said(verdict(status, answers={})) == (Readiness.UNMEASURED, Doubt.UNKNOWN)
    failed = answers_of([status], Outcome.DOWN)
    assert said(verdict(status, answers=failed)) == (Readiness.AT_RISK, Doubt.UNCONFIRMED)
    ours = answers_of([status], Outcome.UNKNOWN)
    assert said(verdict(status, answers=ours)) == (Readiness.UNMEASURED, Doubt.UNKNOWN)


def test_a_second_codec_is_enough_to_join_but_at_risk() -> None:
    """With one of two codecs silent the province can join, and that is worth a word."""
    status = status_of(UP)
    _, codec = status.endpoints
    other = replace(codec, endpoint=replace(codec.endpoint, id="aceh-codec-2"))
    silent = replace(other, checks=with_check(other, "sip", failing=2))
    both = replace(status, endpoints=(*status.endpoints, silent))
    found = verdict(both)
    assert (*said(found), found.endpoint) == (Readiness.AT_RISK, Doubt.UNCONFIRMED, "aceh-codec-2")


def test_a_failed_test_call_is_not_ready() -> None:
    """Where every way to join failed its deep check nobody can be heard; where one did, at risk."""
    status = status_of(UP)
    codec = status.endpoints[1]
    check = replace(
        make_check(CODEC, SLUG, "sip", decides=False),
        id=CheckId(CODEC, "call"), kind="call", params=CallParams(always=True),
    )  # fmt: skip
    failed = check_status(check, Outcome.DOWN, Reason.TIMEOUT)
    calling = with_codec(status, checks=(*codec.checks, failed))
    found = verdict(calling)
    assert said(found) == (Readiness.NOT_READY, Doubt.DEEP_CHECK)
    assert (found.endpoint, found.check, found.since) == (CODEC, "call", failed.since)
    other = replace(codec, endpoint=replace(codec.endpoint, id="aceh-codec-2"))
    both = replace(calling, endpoints=(*calling.endpoints, other))
    assert said(verdict(both)) == (Readiness.AT_RISK, Doubt.DEEP_CHECK)
    old = with_codec(status, checks=(*codec.checks, replace(failed, stale=True)))
    assert said(verdict(old)) == (Readiness.READY, Doubt.NONE)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (NOW - 1800.001, Doubt.NONE),
        (NOW - 1800, Doubt.NONE),
        (NOW - 1799.999, Doubt.CHANGED),
        (NOW - 1, Doubt.CHANGED),
    ],
)
def test_calm_is_asked_for(stop: float, expected: Doubt) -> None:
    """One that was down within the calm is at risk, since it came back; to the millisecond."""
    found = verdict(status_of(UP), incidents=[incident(NOW - 9000, stop)])
    assert found.doubt is expected
    assert found.since == (stop if expected is Doubt.CHANGED else None)
    other = verdict(status_of(UP), incidents=[incident(NOW - 9000, stop, "bali")])
    assert other.doubt is Doubt.NONE


@pytest.mark.parametrize(
    ("figures", "doubt"),
    [
        (Figures(loss=0.01, lost=5), Doubt.NONE),
        (Figures(loss=0.0101, lost=5), Doubt.LOSS),
        (Figures(loss=0.0101, lost=2), Doubt.NONE),  # two packets are no loss
        (Figures(jitter=0.030), Doubt.NONE),
        (Figures(jitter=0.0301), Doubt.JITTER),
        (Figures(rtt=0.3), Doubt.NONE),
        (Figures(rtt=0.301), Doubt.RTT),
        (Figures(), Doubt.NONE),
    ],
)
def test_the_limits_of_the_class(figures: Figures, doubt: Doubt) -> None:
    """Over the limit of its link's class it is at risk, with the figure and the limit."""
    found = verdict(status_of(UP), figures={CODEC: figures})
    assert found.doubt is doubt
    if doubt is not Doubt.NONE:
        assert found.value in figures
        own = QUALITY_CLASSES["fibre"]
        assert found.limit in (own.loss, own.jitter, own.rtt)


def test_the_limits_of_the_meeting_go_before() -> None:
    """A meeting may ask for more or for less than the class; without figures quality counts."""
    strict = make_sitting(limits=Limits(rtt=0.04))
    found = verdict(status_of(UP), strict)
    assert (found.doubt, found.value, found.limit) == (Doubt.RTT, 0.043, 0.04)
    patient = make_sitting(limits=Limits(loss=0.5))
    poor = status_of(UP, quality=Quality(0.4, 0.043, 0.001, sent=150))
    assert said(verdict(poor)) == (Readiness.AT_RISK, Doubt.LOSS)
    assert said(verdict(poor, patient)) == (Readiness.READY, Doubt.NONE)


def test_the_room_has_a_verdict_of_its_own() -> None:
    """The room that all join is judged beside the provinces; one that we lack is unmeasured."""
    status = status_of(DOWN)
    roll = call(make_sitting(room=CODEC), NOW, None, Evidence(snapshot_of(status)))
    assert roll.room is not None
    assert (*said(roll.room), roll.room.endpoint) == (Readiness.NOT_READY, Doubt.DOWN, CODEC)
    roll = call(make_sitting(room="gone"), NOW, None, Evidence(snapshot_of(status)))
    assert roll.room is not None
    assert said(roll.room) == (Readiness.UNMEASURED, Doubt.UNKNOWN)
    assert call(make_sitting(), NOW, None, Evidence(snapshot_of(status))).room is None


@pytest.mark.parametrize("size", [34, 38])
def test_the_whole_roster_is_called(size: int) -> None:
    """Required before optional, worst first, each seat once, in the roster's order where equal."""
    slugs = [slug for slug in PROVINCES if slug != "pusat"][:size]
    seats = tuple(Seat(slug, required=place % 2 == 0) for place, slug in enumerate(slugs))
    standings = [UP, DOWN, NOTHING, LOSSY]
    statuses = [
        province_status(PROVINCES[slug], standings[place // 2 % 4])
        for place, slug in enumerate(slugs)
    ]
    sitting = make_sitting(*seats)
    roll = call(sitting, NOW, 600.0, Evidence(snapshot_of(*statuses)))
    assert sorted(each.province for each in roll.verdicts) == sorted(slugs)
    ranks = [(not each.required, ORDER.index(each.readiness)) for each in roll.verdicts]
    assert ranks == sorted(ranks)
    assert roll.ready == sum(each.standing is UP for each in statuses)
    assert (roll.sitting, roll.at, roll.checkpoint) == (sitting.id, NOW, 600.0)
    assert roll.start == sitting.start
    assert not roll.missed
    assert missed(sitting, NOW, 600.0).missed


STANDINGS = st.builds(
    Standing,
    st.sampled_from(State),
    st.sampled_from(Reason),
    st.just(Blame.PATH),
    st.floats(NOW - 9000, NOW),
)
CHECKS = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(Outcome),
        "failing": st.integers(0, 3),
        "stale": st.booleans(),
    }
)


@given(
    STANDINGS,
    CHECKS,
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, *Outcome]),
)
def test_never_ready_by_mistake(
    standing: Standing, changes: dict[str, Any], blind: bool, fresh: bool, answer: Outcome | None
) -> None:
    """Whatever comes together: down, stale, unknown, blind or unanswered is never ``siap``."""
    status = status_of(standing)
    codec = replace(status.endpoints[1], standing=standing)
    status = replace(status, endpoints=(status.endpoints[0], codec))
    status = with_codec(status, checks=with_check(codec, "sip", **changes))
    answers = None if answer is None else answers_of([status], answer)
    found = verdict(status, blind=blind, fresh=fresh, answers=answers)
    well = (
        standing.state is State.UP
        and not blind
        and fresh
        and changes == {"outcome": Outcome.UP, "failing": 0, "stale": False}
        and answer in {None, Outcome.UP}
    )
    assert (found.readiness is Readiness.READY) is well
    assert (found.doubt is Doubt.NONE) is well
    if standing.state in {State.DOWN, State.UNREACHABLE} and fresh:
        assert found.readiness is Readiness.NOT_READY
