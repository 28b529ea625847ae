"""Plays a scene on the chain, and holds what was heard against what may be heard."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab.truth import Cut
from tests.stack.ask import all_up
from tests.stack.ledger import Ledger, Page, over, subjects, told
from tests.stack.stage import Stage


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds; those of the quick recipe."""

    calm: float = 8.0  # in which no other one comes, nor a resolve
    resolve: float = 25.0
    well: float = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One act and its pages; ``during`` happens once they have been told.

    ``besides`` are names of alerts that what is done ``during`` may bring about, rightly.
    """

    cut: Cut
    pages: tuple[str, ...]
    besides: tuple[str, ...] = ()
    page_within: float = 25.0  # seconds
    during: tuple[Callable[[Stage], None], ...] = ()
    before: tuple[Callable[[Stage], None], ...] = ()
    after: tuple[Callable[[Stage], None], ...] = ()


@dataclass(slots=True)
class Outcome:
    """What was wrong, and how long it took."""

    problems: list[str] = field(default_factory=list)
    paged: float = math.nan  # seconds from the cut to the last page
    resolved: float = math.nan  # seconds from the repair to the last resolve
    tellings: int = 0  # of the page that one receiver heard most often
    resolves: int = 0


def play(stage: Stage, scene: Scene, patience: Patience) -> Outcome:
    """Act, and hold what is heard against what may be."""
    ledger, outcome = Ledger(stage.arrivals), Outcome()
    begun = time.monotonic()
    for prepare in scene.before:
        prepare(stage)
    at = time.monotonic()
    scene.cut.inject()
    healed = math.inf
    try:
        if scene.pages:
            found = ledger.wait(told(len(scene.pages)), scene.page_within, begun)
            outcome.paged = max((page.fired for page in found), default=math.nan) - at
        for act in scene.during:
            act(stage)
        time.sleep(patience.calm)
        found = counted(scene, ledger.pages(begun))
        early = [page.subject for page in found if page.resolved < math.inf]
        if early:
            outcome.problems.append(f"resolved while it lasts: {early}")
    finally:
        healed = time.monotonic()
        scene.cut.heal()
        for undo in scene.after:
            undo(stage)
    if scene.pages:
        found = counted(scene, ledger.wait(over, patience.resolve, begun))
        outcome.resolved = max((page.resolved for page in found), default=math.nan) - healed
    all_up(stage, patience.well)
    time.sleep(patience.calm)
    found = counted(scene, ledger.pages(begun))
    outcome.tellings = max((page.tellings for page in found), default=0)
    outcome.resolves = max((page.resolves for page in found), default=0)
    outcome.problems += heard(scene, found)
    return outcome


def counted(scene: Scene, found: list[Page]) -> list[Page]:
    """The pages without those that may come besides."""
    return [page for page in found if page.name not in scene.besides]


def heard(scene: Scene, found: list[Page]) -> list[str]:
    """Where the pages that came are not those that the scene allows, or came more than once."""
    problems = []
    if subjects(found) != sorted(scene.pages):
        problems.append(f"pages: expected {sorted(scene.pages)}, found {subjects(found)}")
    problems += [f"{p.subject} never resolved" for p in found if p.resolved == math.inf]
    often = [page for page in found if page.tellings > 1 or page.resolves > 1]
    problems += [f"{p.subject} told {p.tellings} x and {p.resolves} x" for p in often]
    return problems
