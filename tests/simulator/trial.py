"""One script, played and judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.clock import EPOCH
from tests.simulator.country import HUB, PROVINCES, codec, country, router
from tests.simulator.driver import Driver
from tests.simulator.judge import EXACT, NEAR, Verdict, judge
from tests.simulator.ledger import Ledger
from tests.simulator.remembered import Remembered
from tests.simulator.script import BEGIN, DARK, Kind, Script, Spell, written
from vcmon.history.facts import Facts
from vcmon.history.incidents import Rules
from vcmon.history.maintenance import Cover, occasions
from vcmon.model.memory import Cause, Incident, Maintenance
from vcmon.model.status import State

OFFSET = EPOCH - BEGIN
ALONE = 1200.0  # seconds before it in which nothing else happened: else it is a recurrence
LONG_ENOUGH = 60.0
JUDGED = frozenset({Kind.CODEC, Kind.SERVICE, Kind.ROUTER, Kind.ISLAND, Kind.HUB})
BEHIND = frozenset({Kind.ROUTER, Kind.ISLAND, Kind.HUB})
GROUP = 3  # provinces that make an island's fall


def windows(script: Script) -> list[Maintenance]:
    """The script's maintenance, as people planned it on the wall."""
    return [
        Maintenance(n, f"province:{w.slug}", "x", w.start + OFFSET, w.stop - w.start)
        for n, w in enumerate(script.planned, 1)
    ]


@dataclass
class Trial:
    """One seed; ``run`` gives the verdict."""

    seed: int
    days: float
    slugs: tuple[str, ...] = PROVINCES
    busy: float = 1.0
    file: Path | None = None  # remember in this file, as the daemon does; None: in RAM
    verdict: Verdict = field(default_factory=Verdict)
    took: float = 0.0  # seconds of real time

    def __post_init__(self) -> None:
        self.script = written(self.seed, self.days, self.slugs, busy=self.busy)
        settings = country(self.slugs)
        facts = Facts.of(settings)
        planned = occasions(windows(self.script), EPOCH - 1, self.script.end + OFFSET)
        self.cover = Cover(planned, facts)
        self.ledger: Ledger | Remembered = Ledger(Rules(facts, maintained=self._maintained))
        if self.file is not None:
            self.ledger = Remembered(settings, self._maintained, self.file)
        self.driver = Driver(settings, self.script, self.ledger)
        if isinstance(self.ledger, Remembered):
            self.ledger.begin(self.driver.clock)
        self.driver.inspect = self._inspect

    def run(self, progress: Callable[[float], None] = lambda done: None) -> Verdict:
        """Play it, judge it."""
        began = time.perf_counter()
        self.driver.run(progress)
        self.took = time.perf_counter() - began
        judge(self.driver, self.ledger, self.verdict)
        return self.verdict

    def _maintained(self, subject: str, at: float) -> bool:
        return any(start <= at < stop for start, stop in self.cover.spans(subject))

    def _is_planned(self, province: str, at: float) -> bool:
        """The truth of it, out of the script."""
        slug = province.removeprefix("province:")
        return any(w.slug == slug and w.start <= at - OFFSET < w.stop for w in self.script.planned)

    # ---- incidents, at the last second of what caused them

    def _inspect(self, spell: Spell) -> None:
        if spell.kind not in JUDGED or not self._is_alone(spell):
            return
        self.verdict.incidents += 1
        slug = spell.provinces[0]
        incident = self.ledger.home(f"province:{slug}")
        told = f"seed {self.seed}, {spell.kind} of {slug} at {spell.start:.0f}"
        if incident is None:
            self.verdict.blame(f"{told}: no incident is open")
            return
        self._whose(spell, incident, told)
        self._since(spell, incident, told)
        self._shown(spell, told)
        if spell.kind in {Kind.CODEC, Kind.SERVICE, Kind.ROUTER}:
            self._suggestion(spell, incident, told)

    def _is_alone(self, spell: Spell) -> bool:
        if spell.stop - spell.start < LONG_ENOUGH:
            return False
        touched = set(spell.provinces)
        for other in self.script.spells:
            if other is spell or other.kind is Kind.LOSS:
                continue
            if other.kind in DARK:
                edges = (spell.start, spell.stop)
                if any(other.start - NEAR < edge < other.stop + NEAR for edge in edges):
                    return False
            elif not touched.isdisjoint(other.provinces) and (
                other.start < spell.stop and other.stop > spell.start - ALONE
            ):
                return False
        moments = [(r.at, r.at + r.down) for r in self.script.restarts]
        moments += [(s.at - 4000, s.at + 4000) for s in self.script.steps]  # wall times double
        return not any(
            begin - NEAR < edge < end + NEAR
            for begin, end in moments
            for edge in (spell.start, spell.stop)
        )

    def _whose(self, spell: Spell, incident: Incident, told: str) -> None:
        slug = spell.provinces[0]
        owner = f"endpoint:{codec(slug)}"
        if spell.kind is Kind.HUB:
            owner = f"endpoint:{HUB}"
        elif spell.kind is Kind.ISLAND and len(spell.provinces) >= GROUP:
            owner = f"island:{self.driver.settings.provinces[slug].island}"
        elif spell.kind in BEHIND:
            owner = f"endpoint:{router(slug)}"
        self.verdict.owners += 1
        if incident.owner != owner:
            self.verdict.blame(f"{told}: the incident belongs to {incident.owner}, not {owner}")
        grouped = spell.kind is Kind.HUB or len(spell.provinces) >= GROUP
        for each in spell.provinces if grouped else ():
            if self.ledger.book.where.get(f"province:{each}") != incident.id:
                self.verdict.blame(f"{told}: {each} is not in the same incident")

    def _since(self, spell: Spell, incident: Incident, told: str) -> None:
        offset = max(o for o in self.driver.offsets if o[0] <= spell.start)[1]
        off = incident.start - (spell.start + offset)
        if not -1.0 <= off <= EXACT + 1.0:
            self.verdict.blame(f"{told}: the incident begins {off:+.1f} s off")

    def _shown(self, spell: Spell, told: str) -> None:
        state = self.driver.tracks[codec(spell.provinces[0])].shown.state
        right = State.UNREACHABLE if spell.kind in BEHIND else State.DOWN
        if state not in {right, State.UNKNOWN}:
            self.verdict.blame(f"{told}: the codec is shown {state}, not {right}")

    def _suggestion(self, spell: Spell, incident: Incident, told: str) -> None:
        province = f"province:{spell.provinces[0]}"
        onset = incident.start
        edges = {self._is_planned(province, at) for at in (onset - 30, onset, onset + 60)}
        if len(edges) > 1 or incident.reopened:
            return
        self.verdict.planned += edges == {True}
        if (incident.suggested is Cause.PLANNED) is not edges.pop():
            self.verdict.blame(f"{told}: suggested {incident.suggested}")
