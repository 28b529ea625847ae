"""From a cut to the right phone, once: the real chain, seconds where production has minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.stack.ask import all_up
from tests.stack.play import Patience, play
from tests.stack.recipes import quick
from tests.stack.scenes import SCENES, one_vantage_wrong, province_stopped
from tests.stack.stage import Stage

SOME = 13  # provinces: those whose fate is another's, and some that have nothing to do with it
LONE = (0, 1, 2, 11, 12)  # of these; taken in turn, as one that falls again soon is flapping


def rehearse(stage: Stage, number: int) -> list[str]:
    """Play one scene; its figures are kept, its problems given."""
    make = SCENES[number]
    lone = [one for at, one in enumerate(stage.country.provinces) if at in LONE]
    scene = make(stage, lone[number % len(lone)])
    outcome = play(stage, scene, Patience())
    took = f"{outcome.paged:.1f} s, resolved {outcome.resolved:.1f} s"
    told = f"told {outcome.tellings} x and {outcome.resolves} x"
    figure = f"{took}, {told}" if scene.pages else "none"
    limit = "one page, one resolve" if scene.pages else "no page"
    record(f"stack.scene.{make.__name__}", figure, limit, not outcome.problems)
    return outcome.problems


@pytest.mark.timeout(120)
def test_in_short(tmp_path: Path) -> None:
    """A service that stops is one page and one resolve; one vantage that is wrong is none."""
    with Stage(tmp_path, quick(tmp_path), provinces=2) as stage:
        all_up(stage, 30.0)
        chosen = [SCENES.index(make) for make in (province_stopped, one_vantage_wrong)]
        problems = [problem for number in chosen for problem in rehearse(stage, number)]
    assert problems == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One chain for all the scenes, as each leaves it well."""
    directory = tmp_path_factory.mktemp("stack")
    with Stage(directory, quick(directory), SOME) as made:
        all_up(made, 60.0)
        yield made


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(len(SCENES)), ids=[make.__name__ for make in SCENES])
def test_scene(stage: Stage, number: int) -> None:
    """What is done brings about just the pages that it must, each once, each resolved."""
    assert rehearse(stage, number) == []
