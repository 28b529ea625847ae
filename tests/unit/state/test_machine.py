"""The confirmation machine, at its exact edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from tests.fakes.clock import EPOCH
from tests.fakes.results import down, result, unknown, up
from vcmon.config.settings import Confirm
from vcmon.model.result import Outcome, Reason, Result
from vcmon.state.loss import FALSE_DOWN_LOG
from vcmon.state.machine import Belief, commit, confirmed, forget_streak, is_impaired, observe

RULES = Confirm()
SURE = FALSE_DOWN_LOG / 3  # three of these are exactly enough


def believe(results: Sequence[Result], log: float = SURE, belief: Belief | None = None) -> Belief:
    """What the machine believes after these results, committing whenever it may."""
    belief = belief or Belief()
    for each in results:
        belief = observe(belief, each, log if each.outcome is Outcome.DOWN else 0.0)
        if confirmed(belief, RULES):
            belief = commit(belief, EPOCH + each.started + each.duration)
    return belief


def test_the_first_answer_is_believed_at_once() -> None:
    """From the very beginning one UP is enough: a fresh start shows no amber country."""
    belief = believe([up(5)])
    assert (belief.outcome, belief.since) == (Outcome.UP, EPOCH + 5)


def test_two_failures_are_not_an_outage_three_are() -> None:
    """DOWN commits on the third failure in a row, backdated to the first."""
    assert believe([up(0), down(10), down(12)]).outcome is Outcome.UP
    belief = believe([up(0), down(10), down(12), down(14)])
    assert belief.outcome is Outcome.DOWN
    assert belief.since == EPOCH + 10
    assert belief.known_at == pytest.approx(EPOCH + 14.02)
    assert belief.reason is Reason.TIMEOUT


def test_an_answer_between_clears_the_streak() -> None:
    """Failures must be in a row."""
    assert believe([up(0), down(10), down(12), up(14), down(24), down(26)]).outcome is Outcome.UP


def test_our_own_faults_neither_confirm_nor_clear() -> None:
    """UNKNOWN between failures leaves the streak as it is, and never adds to it."""
    results = [up(0), down(10), unknown(12), down(14), unknown(16), unknown(18)]
    assert believe(results).outcome is Outcome.UP
    assert believe([*results, down(20)]).outcome is Outcome.DOWN


@pytest.mark.parametrize(("gap", "outcome"), [(9.999, Outcome.DOWN), (10.0, Outcome.UP)])
def test_recovery_needs_ten_seconds(gap: float, outcome: Outcome) -> None:
    """UP commits when two answers are at least 10 s apart, backdated to the first."""
    fallen = believe([up(0), down(10), down(12), down(14)])
    belief = believe([up(20), up(20 + gap)], belief=fallen)
    assert belief.outcome is outcome
    if outcome is Outcome.UP:
        assert belief.since == EPOCH + 20


def test_one_failure_restarts_the_recovery() -> None:
    """A failure between two answers begins the recovery anew."""
    fallen = believe([up(0), down(10), down(12), down(14)])
    assert believe([up(20), down(25), up(31)], belief=fallen).outcome is Outcome.DOWN


def test_chance_must_be_ruled_out() -> None:
    """Three silent runs on a lossy link are no proof; enough of them are."""
    weak = FALSE_DOWN_LOG / 5
    silent = [down(10 + 2 * n) for n in range(5)]
    assert believe([up(0), *silent[:4]], weak).outcome is Outcome.UP
    assert believe([up(0), *silent], weak).outcome is Outcome.DOWN


def test_silent_companions_add_to_the_proof() -> None:
    """What the endpoint's other checks hear counts too."""
    belief = Belief(outcome=Outcome.UP)
    for n in range(3):
        belief = observe(belief, down(10 + 2 * n), math.log(0.1))
    assert not confirmed(belief, RULES, companions_log=0.0)
    assert confirmed(belief, RULES, companions_log=FALSE_DOWN_LOG)


def test_down_from_the_start_needs_confirmation_too() -> None:
    """What was never up is not down after one failure."""
    assert believe([down(0), down(2)]).outcome is Outcome.UNKNOWN
    assert believe([down(0), down(2), down(4)]).outcome is Outcome.DOWN


def test_blindness_forgets_failures_but_not_outages() -> None:
    """Unconfirmed failures are dropped; a committed outage stays."""
    suspect = believe([up(0), down(10), down(12)])
    assert not forget_streak(suspect).suspect
    fallen = believe([up(0), down(10), down(12), down(14)])
    assert forget_streak(fallen) == fallen


def test_impairment_takes_two_runs_each_way() -> None:
    """One 503 is no news; two are, and it takes two sound answers to end it."""
    sick = [result(Outcome.UP, n, Reason.STATUS, impaired=True) for n in range(2)]
    assert not is_impaired(believe([up(0), sick[0]]))
    assert not is_impaired(believe([up(0), sick[0], up(1), sick[1]]))
    belief = believe([up(0), *sick])
    assert is_impaired(belief)
    assert belief.reason is Reason.STATUS
    assert is_impaired(believe([up(3)], belief=belief))
    assert believe([up(3)], belief=belief).reason is Reason.STATUS
    assert not is_impaired(believe([up(3), up(4)], belief=belief))


def reasons(*outcomes: Reason) -> list[Result]:
    """A result that is up, then these failures two seconds apart."""
    return [up(0), *(down(10 + 2 * n, reason) for n, reason in enumerate(outcomes))]


REFUSED, SILENCE = Reason.REFUSED, Reason.TIMEOUT


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((REFUSED, SILENCE, SILENCE), REFUSED),  # the refusals of the last two got lost
        ((SILENCE, SILENCE, REFUSED), REFUSED),
        ((SILENCE, SILENCE, SILENCE), SILENCE),
        ((REFUSED, REFUSED, REFUSED, SILENCE, SILENCE), REFUSED),
        ((REFUSED, REFUSED, REFUSED, SILENCE, SILENCE, SILENCE), SILENCE),  # now it is cut
        ((REFUSED, REFUSED, REFUSED, Reason.RESET), Reason.RESET),  # another answer counts at once
    ],
)
def test_an_answer_says_more_than_silence(found: tuple[Reason, ...], told: Reason) -> None:
    """What was answered is the reason, until three runs in a row bring nothing."""
    assert believe(reasons(*found)).reason is told
