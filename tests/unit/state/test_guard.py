"""Them or us: the guard at its exact edges."""

from __future__ import annotations

from vcmon.state.guard import (
    HOLD_LIMIT,
    PROOF_DELAY,
    CanaryView,
    ProvinceView,
    is_blind,
    may_commit,
    sees_again,
)

NO_CANARIES = CanaryView()
NEVER = float("-inf")


def provinces(alive: int, falling: int, silent: int = 0, at: float = 200.0) -> list[ProvinceView]:
    return (
        [ProvinceView(at, falling=False)] * alive
        + [ProvinceView(NEVER, falling=True)] * falling
        + [ProvinceView(NEVER, falling=False)] * silent
    )


def test_a_canary_heard_after_the_onset_is_proof() -> None:
    """Its answer must be to a question asked PROOF_DELAY after the first failure began."""
    early = CanaryView(configured=True, last_up=100 + PROOF_DELAY - 0.01)
    late = CanaryView(configured=True, last_up=100 + PROOF_DELAY)
    assert not may_commit(100, 104, early, provinces(0, 1, 9))
    assert may_commit(100, 104, late, provinces(0, 1, 9))


def test_without_canaries_others_must_answer() -> None:
    """More than 40 % of the other provinces heard since: ours is the only one that fell."""
    assert not may_commit(100, 104, NO_CANARIES, provinces(4, 6))
    assert may_commit(100, 104, NO_CANARIES, provinces(5, 5))


def test_a_few_provinces_need_no_vote() -> None:
    """With fewer than five provinces there is no crowd to ask."""
    assert may_commit(100, 104, NO_CANARIES, provinces(0, 4))
    assert not may_commit(100, 104, NO_CANARIES, provinces(0, 5))


def test_no_commit_waits_for_ever() -> None:
    """Without any verdict on ourselves an outage is told after HOLD_LIMIT."""
    assert not may_commit(100, 100 + HOLD_LIMIT, NO_CANARIES, provinces(0, 2, 8))
    assert may_commit(100, 100.1 + HOLD_LIMIT, NO_CANARIES, provinces(0, 2, 8))
    failing = CanaryView(configured=True, failing_since=99)
    assert not may_commit(100, 100.1 + HOLD_LIMIT, failing, provinces(0, 2, 8))


def test_sixty_per_cent_falling_is_us() -> None:
    """Six of ten falling together is our own side; five of ten are theirs."""
    assert is_blind(NO_CANARIES, provinces(4, 6))
    assert not is_blind(NO_CANARIES, provinces(5, 5))
    assert not is_blind(NO_CANARIES, provinces(0, 4))


def test_holding_canaries_make_it_theirs() -> None:
    """However many fall: while the canaries hold, it is real."""
    assert not is_blind(CanaryView(configured=True, last_up=200), provinces(0, 38))


def test_dead_canaries_among_the_living_are_just_dead() -> None:
    """Canaries that die while the provinces answer do not make us blind."""
    dead = CanaryView(configured=True, failing_since=150)
    assert is_blind(dead, provinces(2, 36))
    assert not is_blind(dead, provinces(36, 2))


def test_sight_returns_with_an_answer() -> None:
    """A canary, or most provinces, or a few for a while: each proves our side again."""
    back = CanaryView(configured=True, last_up=201)
    dead = CanaryView(configured=True, failing_since=150)
    assert sees_again(200, 205, back, provinces(0, 38))
    assert not sees_again(200, 205, dead, provinces(0, 38))
    assert sees_again(200, 205, NO_CANARIES, provinces(16, 22, at=203))
    assert not sees_again(200, 205, NO_CANARIES, provinces(2, 36, at=203))
    assert sees_again(200, 203.1 + HOLD_LIMIT, NO_CANARIES, provinces(2, 36, at=203))
