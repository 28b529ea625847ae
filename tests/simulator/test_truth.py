"""What was recorded is what happened; and a bug in what decides does not go unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.country import ISLAND, PROVINCES
from tests.simulator.ledger import Ledger
from tests.simulator.trial import Trial
from vcmon.history.book import Book, Draft
from vcmon.model.status import Standing, State
from vcmon.state import board, guard, machine, rollup
from vcmon.state.track import Watch


@pytest.mark.parametrize("seed", range(2))
def test_a_month_is_recorded_as_it_was(seed: int, tmp_path: Path) -> None:
    """No outage of 30 s missed, none invented, every edge, incident and share as it was."""
    verdict = Trial(seed, 30, file=tmp_path / "memory.db" if seed else None).run()
    assert verdict.wrong == []
    assert verdict.outages > 400
    assert verdict.owners > 100
    assert verdict.planned > 0


def one_failure_is_enough(patch: pytest.MonkeyPatch) -> None:
    def confirmed(belief: machine.Belief, rules: Any, log: float = 0.0) -> bool:
        return belief.suspect or machine.confirmed(belief, rules, log)

    patch.setattr(board, "confirmed", confirmed)


def nothing_is_backdated(patch: pytest.MonkeyPatch) -> None:
    def commit(belief: machine.Belief, known_at: float) -> machine.Belief:
        return replace(machine.commit(belief, known_at), since=known_at)

    patch.setattr(board, "commit", commit)


def our_own_blindness_is_theirs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "is_blind", lambda canaries, provinces: False)
    patch.setattr(guard, "may_commit", lambda onset, now, canaries, provinces: True)


def nothing_depends_on_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(board, "true_parent", lambda endpoint, endpoints, own: None)


def nothing_grows_old(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watch, "is_stale", lambda self, now: False)


def the_dark_is_called_down(patch: pytest.MonkeyPatch) -> None:
    def settle(previous: Standing, proposed: Standing, known_at: float) -> Standing:
        new = rollup.settle(previous, proposed, known_at)
        hidden = previous.state is State.UNKNOWN and new.state is State.DOWN
        return replace(new, since=previous.since + 0.001) if hidden else new

    patch.setattr(board, "settle", settle)


def a_restart_forgets_what_was_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Book, "of", classmethod(lambda cls, incidents: cls()))


def nothing_falls_together(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("vcmon.history.incidents.explain", lambda fell, before, groups: None)


def incidents_never_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draft, "leave", lambda self, subject, at: None)


def a_gap_ends_an_incident(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "vcmon.history.incidents.WELL", frozenset(State) - {State.DOWN, State.UNREACHABLE}
    )


def a_step_of_the_clock_is_no_gap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "_gap", lambda self, start, stop: None)


def maintenance_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trial, "_maintained", lambda self, subject, at: False)


Mutant = Callable[[pytest.MonkeyPatch], None]
MUTANTS: tuple[Mutant, ...] = (
    one_failure_is_enough,
    nothing_is_backdated,
    our_own_blindness_is_theirs,
    nothing_depends_on_anything,
    nothing_grows_old,
    the_dark_is_called_down,
    a_restart_forgets_what_was_down,
    nothing_falls_together,
    incidents_never_end,
    a_gap_ends_an_incident,
    a_step_of_the_clock_is_no_gap,
    maintenance_is_not_asked,
)
SEEDS, DAYS, BUSY = (7, 5), 20.0, 3.0
SOME = tuple(slug for slug in PROVINCES if ISLAND[slug] in {"Papua", "Kalimantan"})
"""Two islands with everything happening to them: enough for each bug to matter."""


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_bug_nothing_is_wrong(seed: int) -> None:
    """The scripts that the bugs below are looked for in are recorded as they were."""
    assert Trial(seed, DAYS, SOME, BUSY).run().wrong == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_bug_is_seen(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bug, put in on purpose, is told by the judge."""
    mutant(monkeypatch)
    assert any(Trial(seed, DAYS, SOME, BUSY).run().wrong for seed in SEEDS)
