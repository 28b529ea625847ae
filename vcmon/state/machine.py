"""The confirmation machine of one check: pure, no clock, no I/O.

    committed ──result of the same outcome──▶ committed, streak cleared
        │
        └──result against it──▶ streak grows ──confirmed──▶ the other outcome, onset backdated

    UNKNOWN results (our own faults) neither confirm nor clear anything.

A streak of DOWN confirms when it is long enough *and* loss alone can't explain it
(``state/loss.py``). A streak of UP confirms when it is long enough and spans ``up_gap``. From
the very beginning, when nothing is known, one UP is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vcmon.config.settings import Confirm
from vcmon.model.result import SILENT, Blame, Outcome, Reason, Result
from vcmon.state.loss import FALSE_DOWN_LOG

UP = Outcome.UP  # an enum's own lookup is slow, and each result asks


@dataclass(frozen=True, slots=True)
class Streak:
    """Results in a row against what is committed."""

    outcome: Outcome
    count: int
    first: Result
    latest: Result
    silence_log: float = 0.0  # log chance that loss explains all of them
    answer: Result | None = None  # the latest of them that was not mere silence


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one check; ``since`` and ``known_at`` are wall seconds."""

    outcome: Outcome = Outcome.UNKNOWN
    reason: Reason = Reason.NO_DATA
    blame: Blame = Blame.NONE
    since: float = 0.0  # when it happened
    known_at: float = 0.0  # when we knew
    streak: Streak | None = None
    impaired: bool = False
    against: int = 0  # UP results in a row that say otherwise of ``impaired``
    failing: int = 0  # DOWN results in a row
    silent: int = 0  # DOWN results without any answer in a row

    @property
    def suspect(self) -> bool:
        """Whether DOWN results wait for their confirmation."""
        return self.streak is not None and self.streak.outcome is Outcome.DOWN

    @property
    def recovers(self) -> bool:
        """Whether what is DOWN was UP again, and waits for its confirmation."""
        streak, was = self.streak, self.outcome
        return streak is not None and streak.outcome is UP and was is Outcome.DOWN

    @property
    def streak_started(self) -> float:
        """Monotonic start of the streak's first run; infinity without a streak."""
        return self.streak.first.started if self.streak is not None else float("inf")


def observe(belief: Belief, result: Result, silence_log: float = 0.0) -> Belief:
    """The belief after one more result; nothing is committed yet.

    ``silence_log``: log of the chance that this run was DOWN by packet loss alone.
    """
    if result.outcome is Outcome.UNKNOWN or says_nothing_new(belief, result):
        return belief
    impaired, against = _impaired(belief, result)
    seen = replace(
        belief,
        impaired=impaired,
        against=against,
        failing=belief.failing + 1 if result.outcome is Outcome.DOWN else 0,
        silent=belief.silent + 1 if _is_silence(result) else 0,
    )
    if result.outcome is belief.outcome:
        if _is_silence(result) and seen.silent < SILENT_RUNS and belief.reason not in SILENT:
            return replace(seen, streak=None)
        return replace(seen, streak=None, reason=_reason(seen, result), blame=result.blame)
    streak = belief.streak
    if streak is None or streak.outcome is not result.outcome:
        streak = Streak(result.outcome, 0, result, result)
    log = streak.silence_log + silence_log
    answer = streak.answer if _is_silence(result) else result
    grown = replace(streak, count=streak.count + 1, latest=result, silence_log=log, answer=answer)
    return replace(seen, streak=grown)


def says_nothing_new(belief: Belief, result: Result) -> bool:
    """Whether this is the common case: up as before, with nothing pending."""
    return (
        result.outcome is UP
        and belief.outcome is UP
        and belief.streak is None
        and result.impaired is belief.impaired
        and belief.against == 0
        and result.reason is belief.reason
        and belief.failing == 0
    )


def confirmed(belief: Belief, rules: Confirm, companions_log: float = 0.0) -> bool:
    """Whether the streak is proof enough to be committed.

    ``companions_log``: the same log chance of the endpoint's other checks that are silent now; a
    path that is silent to all of them is cut, however lossy it was.
    """
    streak = belief.streak
    if streak is None:
        return False
    if streak.outcome is Outcome.UP:
        if belief.outcome is Outcome.UNKNOWN:
            return True
        spans = streak.latest.started - streak.first.started >= rules.up_gap
        return streak.count >= rules.up and spans
    return streak.count >= rules.down and streak.silence_log + companions_log <= FALSE_DOWN_LOG


def commit(belief: Belief, known_at: float) -> Belief:
    """The belief with its streak committed, the onset backdated to the streak's first result."""
    streak = belief.streak
    if streak is None:
        return belief
    told = streak.latest
    if streak.answer is not None and belief.silent < SILENT_RUNS:
        told = streak.answer
    return replace(
        belief,
        outcome=streak.outcome,
        reason=_reason(belief, told),
        blame=told.blame,
        since=streak.first.at,
        known_at=known_at,
        streak=None,
    )


SILENT_RUNS = 3
"""So many silent runs in a row take the place of an answer as the reason: on a lossy link a refusal
gets lost now and then, and it says more than silence does."""


def _is_silence(result: Result) -> bool:
    return result.outcome is Outcome.DOWN and result.reason in SILENT


def forget_streak(belief: Belief) -> Belief:
    """The belief without its unconfirmed failures: they happened while we were blind."""
    return replace(belief, streak=None, failing=0) if belief.suspect else belief


IMPAIRED_RUNS = 2
"""So many runs in a row make an endpoint degraded, and sound again: one 503 is no news."""


def is_impaired(belief: Belief) -> bool:
    """Whether an UP check has been impaired for long enough to say so."""
    return belief.outcome is Outcome.UP and belief.impaired


def _impaired(belief: Belief, result: Result) -> tuple[bool, int]:
    """(impaired, results against it) after one more result; only an answer says anything."""
    if result.outcome is not Outcome.UP:
        return belief.impaired, belief.against
    against = belief.against + 1 if result.impaired is not belief.impaired else 0
    return (not belief.impaired, 0) if against >= IMPAIRED_RUNS else (belief.impaired, against)


def _reason(belief: Belief, result: Result) -> Reason:
    """What to name: the latest reason, but an impairment stays named while it lasts."""
    if result.outcome is Outcome.UP and belief.impaired and not result.impaired:
        return belief.reason
    return result.reason
