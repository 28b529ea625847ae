"""Skipping quiet time changes nothing: the same script, played probe by probe, says the same."""

from __future__ import annotations

import pytest

from tests.simulator.country import PROVINCES, country
from tests.simulator.driver import Driver
from tests.simulator.ledger import Ledger
from tests.simulator.script import written
from vcmon.history.facts import Facts
from vcmon.history.incidents import Rules

FEW = tuple(PROVINCES[number] for number in (0, 20, 32, 33, 34, 35))
"""Two provinces alone, and four of Papua."""


@pytest.mark.parametrize("seed", range(2))
def test_what_is_skipped_can_not_matter(seed: int) -> None:
    """Every change of four busy hours is the same, in order, in value, to the microsecond."""
    settings = country(FEW)
    script = written(seed, 0.15, FEW, busy=100)
    skipped, played = (
        Driver(settings, script, Ledger(Rules(Facts.of(settings))), skip=skip)
        for skip in (True, False)
    )
    skipped.run()
    played.run()
    assert skipped.rounds * 5 < played.rounds
    assert skipped.transitions == played.transitions
