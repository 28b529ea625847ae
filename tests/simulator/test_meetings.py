"""What was said at T-10 is who could join at T0; and a bug in how it is said does not go unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.figures import record
from tests.simulator import meetings
from tests.simulator.country import ISLAND, PROVINCES
from tests.simulator.meetings import AGREED, BEFORE, DAY, FIRST, Agreement, Weekly
from tests.simulator.script import BEGIN, CUT, Kind, Script, Spell, written
from vcmon.readiness import rollcall
from vcmon.readiness.questions import Answers

SOME = tuple(slug for slug in PROVINCES if ISLAND[slug] in {"Papua", "Kalimantan"})


def test_a_fortnight_of_daily_meetings() -> None:
    """99 % of verdicts hold without a later fault, and none that was down is called ``siap``."""
    found = Weekly(written(3, 15, SOME), every=DAY / 3).run()
    figure = f"{found.share:.2%} of {found.judged}, {len(found.called_ready)} of {found.lost} lost"
    held = found.share >= AGREED and not found.called_ready
    record("meetings, fortnight", figure, ">= 99 %, 0 lost called siap", held)
    assert held, found
    assert found.meetings - found.not_called > 35


def close(*befores: float) -> Agreement:
    """One meeting; a province each is cut so many seconds before its roll, for five minutes."""
    script = Script(0, BEGIN + 2 * DAY, SOME)
    for slug, before in zip(SOME, befores, strict=False):
        start = FIRST - BEFORE - before
        script.spells.append(Spell(Kind.CODEC, start, start + 300.0, (slug,), CUT))
    script.spells.sort(key=lambda spell: spell.start)
    return Weekly(script).run()


BEFORES = (0.0, 0.3, 1.0, 2.5, 5.0, 9.9, 30.0, 290.0, 299.0)


def test_what_fell_a_moment_ago_is_not_ready() -> None:
    """Cut a second before the roll, or back a second after it: nobody is called ``siap``."""
    found = close(*BEFORES)
    assert (found.lost, found.called_ready) == (len(BEFORES), [])
    assert found.slowest <= 25.0


def nobody_is_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(meetings, "questions", lambda statuses, moment: ())
    patch.setattr(Answers, "found", property(lambda self: None))
    patch.setattr(meetings, "settled", lambda statuses: True)


def a_first_failure_is_nothing(patch: pytest.MonkeyPatch) -> None:
    yes = rollcall._Answer.YES
    patch.setattr(rollcall._Court, "_answer", lambda self, status: yes)
    patch.setattr(meetings, "settled", lambda statuses: True)


Mutant = Callable[[pytest.MonkeyPatch], Any]


@pytest.mark.parametrize("mutant", [nobody_is_asked, a_first_failure_is_nothing])
def test_a_bug_is_seen(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bug, put in on purpose, calls somebody ready who was down."""
    mutant(monkeypatch)
    assert close(*BEFORES).called_ready
