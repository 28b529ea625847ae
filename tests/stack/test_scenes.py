"""From a cut to the right phone, once: the real chain, seconds where production has minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.stack.ask import all_up
from tests.stack.recipes import quick
from tests.stack.scenes import Patience, Scene, play, scenes
from tests.stack.stage import Stage

IN_SHORT = ("province_stopped", "one_vantage_wrong")
SOME = 10  # provinces: the hub's five, and some that have nothing to do with it


def rehearse(stage: Stage, scene: Scene) -> list[str]:
    """Play one scene; its figures are kept, its problems given."""
    outcome = play(stage, scene, Patience())
    figure = f"{len(scene.pages)} pages, {outcome.paged:.1f} s; resolved {outcome.resolved:.1f} s"
    record(f"stack.scene.{scene.name}", figure, "just these", not outcome.problems)
    return outcome.problems


@pytest.mark.timeout(120)
def test_in_short(tmp_path: Path) -> None:
    """A service that stops is one page and one resolve; one vantage that is wrong is none."""
    with Stage(tmp_path, quick(tmp_path), provinces=2) as stage:
        all_up(stage, 30.0)
        played = {scene.name: scene for scene in scenes(stage)}
        problems = [problem for name in IN_SHORT for problem in rehearse(stage, played[name])]
    assert problems == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One chain for all the scenes, as each leaves it well."""
    directory = tmp_path_factory.mktemp("stack")
    with Stage(directory, quick(directory), SOME) as made:
        all_up(made, 60.0)
        yield made


@pytest.mark.soak
@pytest.mark.parametrize("number", range(16))
def test_scene(stage: Stage, number: int) -> None:
    """What is done brings about just the pages that it must, each once, each resolved."""
    scene = scenes(stage)[number]
    assert rehearse(stage, scene) == [], scene.name
