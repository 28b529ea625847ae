"""What is asked before a roll, and what may be kept waiting for."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.rolls import SLUG, status_of, with_check
from tests.fakes.snapshots import (
    NOW,
    UP,
    check_status,
    make_check,
    make_result,
    make_snapshot,
)
from vcmon.config.params_talk import CallParams
from vcmon.model.endpoint import CheckId
from vcmon.model.opening import Opening
from vcmon.model.result import Outcome, Reason
from vcmon.model.status import CheckStatus, EndpointStatus
from vcmon.readiness.questions import APART, Answers, Moment, questions, seats, settled

CODEC = f"{SLUG}-codec"
MOMENT = Moment(NOW, 5000.0, 600.0)
CODEC_STATUS = status_of(UP).endpoints[1]


def calling(started: float = 1000.0, opening: Opening | None = None) -> CheckStatus:
    plain = make_check(CODEC, SLUG, "sip", decides=False)
    params = CallParams(always=True)
    check = replace(plain, id=CheckId(CODEC, "call"), kind="call", params=params, opening=opening)
    last = make_result(check, Outcome.UP, Reason.OK)._replace(started=started)
    return replace(check_status(check), last=last)


def with_call(call: CheckStatus) -> EndpointStatus:
    return replace(CODEC_STATUS, checks=(*CODEC_STATUS.checks, call))


def names(status: EndpointStatus, moment: Moment = MOMENT) -> list[str]:
    return [each.check.name for each in questions([status], moment)]


def test_who_is_asked() -> None:
    """What decides, and what else runs seldom; not what explains each ten seconds."""
    assert names(CODEC_STATUS) == ["sip"]
    seldom = [
        replace(each, check=replace(each.check, interval=600.0)) for each in CODEC_STATUS.checks
    ]
    assert names(replace(CODEC_STATUS, checks=tuple(seldom))) == ["icmp", "sip"]


@pytest.mark.parametrize(
    ("started", "before", "asked"),
    [
        (4700.0, 600.0, True),
        (4700.1, 600.0, False),
        (1000.0, 300.0, True),
        (1000.0, 299.9, False),
        (1000.0, 0.0, False),
    ],
)
def test_nobody_is_disturbed_twice_or_late(started: float, before: float, asked: bool) -> None:
    """A test call is made again after five minutes only, and not within five of the start."""
    found = names(with_call(calling(started)), Moment(NOW, 5000.0, before))
    assert ("call" in found) is asked


def test_a_call_keeps_to_its_hours() -> None:
    """Outside of the hours of its profile it is not made for a meeting either."""
    zone = ZoneInfo("Asia/Jakarta")
    night, morning = (Opening(((a, b),), zone) for a, b in ((1320, 300), (540, 600)))
    assert names(with_call(calling(opening=night))) == ["sip"]
    assert names(with_call(calling(opening=morning))) == ["sip", "call"]  # it is 09.41
    asked = questions([with_call(calling()), with_call(calling())], MOMENT)
    assert [each.after for each in asked if each.check.name == "call"] == [0.0, APART]


def test_answers_are_those_that_were_asked_for() -> None:
    """Only of what was asked, begun since it was asked; the last one counts."""
    check = CODEC_STATUS.checks[1].check
    up = make_result(check, Outcome.UP, Reason.OK)._replace(started=10.0)
    answers = Answers()
    answers.take(up)
    assert answers.found == {}
    answers.listen([check.id], 10.0)
    answers.take(up._replace(started=9.99))
    answers.take(up._replace(check=CheckId(CODEC, "icmp")))
    assert not answers.complete()
    answers.take(up._replace(outcome=Outcome.DOWN))
    answers.take(up)
    assert answers.complete()
    assert answers.found == {check.id: up}
    answers.listen((), 0.0)
    assert answers.found == {}
    assert answers.complete()


@pytest.mark.parametrize(
    ("failing", "outcome", "is_settled"),
    [(0, Outcome.UP, True), (1, Outcome.UP, False), (3, Outcome.DOWN, True)],
)
def test_a_streak_is_waited_for(failing: int, outcome: Outcome, is_settled: bool) -> None:
    """What has failed is waited for until it is confirmed or refuted; what only explains is not."""
    changed = with_check(CODEC_STATUS, "sip", failing=failing, outcome=outcome)
    assert settled([replace(CODEC_STATUS, checks=changed)]) is is_settled
    aside = with_check(CODEC_STATUS, "icmp", failing=failing, outcome=outcome)
    assert settled([replace(CODEC_STATUS, checks=aside)])


def test_who_joins() -> None:
    """The conference endpoints of the roster, and the room once, wherever it stands."""
    snapshot = make_snapshot([status_of(UP)])
    assert [each.endpoint.id for each in seats(snapshot, {SLUG})] == [CODEC]
    assert [each.endpoint.id for each in seats(snapshot, {SLUG}, CODEC)] == [CODEC]
    assert [each.endpoint.id for each in seats(snapshot, (), CODEC)] == [CODEC]
    assert list(seats(snapshot, {"bali"})) == []
