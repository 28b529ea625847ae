"""Is it them, or is it us? Pure rules that keep our own blindness from becoming their outage.

A ``down`` may be committed only with a proof that our own side worked after the failures began:
a canary answered, or enough of the other provinces did. Without such a proof it waits for the
next answers, for a bounded time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROOF_DELAY = 1.0
"""Seconds after the first failed run began: until then its own reply might have been on the way,
so an answer to somebody else proves nothing about now."""

ALIVE_SHARE = 0.4
"""When more of the provinces than this answer, our uplink works (rule 6: 60 % fell together)."""

FEWEST_PROVINCES = 5
"""With fewer, 'most of them fell together' says nothing: one router can be all there is."""

HOLD_LIMIT = 30.0
"""Seconds that a commit waits for its proof: three rounds at the default interval."""


@dataclass(frozen=True, slots=True)
class CanaryView:
    """What the canaries say; times are monotonic seconds."""

    configured: bool = False
    last_up: float = float("-inf")  # start of the last run that any of them answered
    failing_since: float | None = None  # all of them fail since


@dataclass(frozen=True, slots=True)
class ProvinceView:
    """A province that was not already down: when it last answered, and whether it is falling."""

    last_up: float
    falling: bool


def may_commit(
    onset: float, now: float, canaries: CanaryView, provinces: Sequence[ProvinceView]
) -> bool:
    """Whether failures that began at ``onset`` may be called theirs."""
    proof = onset + PROOF_DELAY
    if canaries.last_up >= proof:
        return True
    if not canaries.configured and len(provinces) < FEWEST_PROVINCES:
        return True
    if _alive_share(provinces, proof) > ALIVE_SHARE:
        return True
    return now - onset > HOLD_LIMIT and canaries.failing_since is None


def is_blind(canaries: CanaryView, provinces: Sequence[ProvinceView]) -> bool:
    """Whether what falls now must be our own side."""
    if canaries.configured:
        since = canaries.failing_since
        return since is not None and _alive_share(provinces, since + PROOF_DELAY) <= ALIVE_SHARE
    if len(provinces) < FEWEST_PROVINCES:
        return False
    return sum(view.falling for view in provinces) >= (1 - ALIVE_SHARE) * len(provinces)


def sees_again(
    blind_since: float, now: float, canaries: CanaryView, provinces: Sequence[ProvinceView]
) -> bool:
    """Whether our own side works again after a blind spell."""
    proof = blind_since + PROOF_DELAY
    if canaries.last_up >= proof:
        return True
    if canaries.configured and canaries.failing_since is None:
        return True
    if _alive_share(provinces, proof) > ALIVE_SHARE:
        return True
    # A few answer and the rest stay silent for three rounds: those few prove the uplink.
    answered = [view.last_up for view in provinces if view.last_up >= proof]
    return bool(answered) and now - min(answered) > HOLD_LIMIT


def _alive_share(provinces: Sequence[ProvinceView], since: float) -> float:
    if not provinces:
        return 0.0
    return sum(view.last_up >= since for view in provinces) / len(provinces)
