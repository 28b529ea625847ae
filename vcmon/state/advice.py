"""What should run again out of turn, and when: pure but for a watch's count of stalls."""

from __future__ import annotations

from typing import NamedTuple

from vcmon.config.settings import Confirm
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Outcome, Result
from vcmon.state.track import Track, Watch

HEDGES = 4
"""Attempts a confirming run makes, the first answer wins: one lost SYN must not look like an
outage. Four bring 36 % round-trip loss below one false alarm a month for a TCP connect."""

HEDGE_AT_MOST = 200
"""Above so many suspects at once runs are not hedged: that many do not fall by loss."""

STALL_RERUNS = 3
"""Runs spoilt by our own stall are repeated at once so often, then wait for their slot."""


class Rerun(NamedTuple):
    """Advice to the engine: run this check again, out of turn."""

    check: CheckId
    at: float  # monotonic seconds
    attempts: int = 1


def again_after_stall(watch: Watch, now: float) -> tuple[Rerun, ...]:
    """At once, a few times; who is disturbed by a run waits for the next in turn."""
    watch.stalls += 1
    again = watch.stalls <= STALL_RERUNS and not watch.check.params.gentle
    return (Rerun(watch.check.id, now),) if again else ()


def own_rerun(
    track: Track, watch: Watch, result: Result, rules: Confirm, suspects: int
) -> Rerun | None:
    """The same check again, to confirm what it found; several attempts where it is suspect."""
    gentle = watch.check.params.gentle
    at = retry_wanted(watch, rules, result)
    if at is None and track.released is not None and not gentle:
        at = result.started + rules.retry
    if at is None:
        return None
    hedged = watch.belief.suspect and suspects <= HEDGE_AT_MOST and not gentle
    return Rerun(result.check, at, HEDGES if hedged else 1)


def retry_wanted(watch: Watch, rules: Confirm, result: Result) -> float | None:
    """The monotonic second at which this check should run again out of turn, or None."""
    belief = watch.belief
    gentle = float(watch.check.params.gentle)
    if belief.suspect:
        return result.started + max(rules.retry, gentle)
    streak = belief.streak
    if streak is not None and streak.outcome is Outcome.UP and streak.count == 1:
        return streak.first.started + max(rules.up_gap, gentle)
    return None
