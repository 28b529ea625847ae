"""A meeting a week over a script: what was said ten minutes before, and who could really join.

Rolls are made by the product's own questions, answers, gauge and verdicts, over the driver's board
and incidents. The truth is the script's: a province can join while neither its codec nor what it
stands behind is cut, and the Centre's own side is not either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulator.country import country
from tests.simulator.driver import Driver
from tests.simulator.ledger import Ledger
from tests.simulator.script import BEGIN, DARK, Restart, Script, Spell
from vcmon.history.facts import Facts
from vcmon.history.incidents import Rules
from vcmon.model.meeting import Meeting, Readiness, Seat, Sitting, Verdict
from vcmon.readiness.checkpoints import LATE
from vcmon.readiness.gauge import Gauge
from vcmon.readiness.questions import Answers, Moment, questions, seats, settled
from vcmon.readiness.rollcall import Evidence, call
from vcmon.readiness.secretary import GLANCE, LISTEN

DAY, WEEK = 86_400.0, 7 * 86_400.0
BEFORE = 600.0  # seconds: T-10
LENGTH = 7200.0
AGREED = 0.99
FIRST = BEGIN + 1.37 * DAY  # monotonic second of the first meeting's start

CAN_JOIN = frozenset({Readiness.READY, Readiness.AT_RISK})


@dataclass
class Agreement:
    """What came of all province-meetings."""

    meetings: int = 0
    not_called: int = 0  # vcmon was off, or the simulated machine restarted in between
    judged: int = 0  # province-meetings without a fault after the roll
    agreed: int = 0  # siap or berisiko and could join, or neither and could not
    strictly: int = 0  # siap and could join, or not siap and could not
    later: int = 0  # province-meetings with a fault after the roll
    said: Counter[Readiness] = field(default_factory=Counter)
    lost: int = 0  # province-meetings that were down when the roll was called ...
    called_ready: list[str] = field(default_factory=list)  # ... and of these, those called siap
    slowest: float = 0.0  # seconds from the question to the verdict

    @property
    def share(self) -> float:
        return self.agreed / self.judged if self.judged else 1.0

    @property
    def strict_share(self) -> float:
        return self.strictly / self.judged if self.judged else 1.0


class Weekly:
    """Plays one script; a meeting each week, the first one on its second day."""

    def __init__(self, script: Script, *, every: float = WEEK) -> None:
        self.slugs = slugs = script.slugs
        self.script = script
        self.settings = country(slugs)
        self.ledger = Ledger(Rules(Facts.of(self.settings)))
        self.driver = Driver(self.settings, self.script, self.ledger)
        self.found = Agreement()
        self.gauge, self.answers = Gauge(), Answers()
        self.driver.heard = self.answers.take
        self.own = [spell for spell in self.script.spells if spell.kind not in DARK]
        self.dark = [spell for spell in self.script.spells if spell.kind in DARK]
        start = FIRST
        while start + 60 < self.script.end:
            self._plan(start)
            start += every
        for restart in self.script.restarts:
            self.driver.plan(restart.at + 1e-6, self._restarted)

    def run(self) -> Agreement:
        """All meetings of the script."""
        self.driver.run()
        return self.found

    def _restarted(self) -> None:
        self.gauge = Gauge()
        self.answers.listen((), 0.0)

    def _plan(self, start: float) -> None:
        roll = _Roll(self, start)
        for minute in range(16):
            self.driver.plan(start - BEFORE - 60.0 * minute, self._read)
        self.driver.plan(start - BEFORE + 1e-3, roll.ask)
        glances = int(LISTEN / GLANCE) + 1
        for number in range(1, glances):
            self.driver.plan(start - BEFORE + 1e-3 + number * GLANCE, roll.glance)
        self.driver.plan(start - BEFORE + 1e-3 + LISTEN + 1, roll.end)

    def _read(self) -> None:
        snapshot = self.driver.look()
        self.gauge.read(seats(snapshot, set(self.slugs)), self.driver.clock.wall())

    # ---- the truth

    def lost(self, slug: str, at: float) -> bool:
        """Whether the province could not join at this monotonic second."""
        if any(spell.start <= at < spell.stop for spell in self.dark):
            return True
        return any(
            self._loses(spell, slug) and spell.start <= at < spell.stop for spell in self.own
        )

    def changes(self, slug: str, low: float, high: float) -> bool:
        """Whether something begins to go wrong with it within ``(low, high]``."""
        mine = (spell for spell in self.own if self._loses(spell, slug))
        return any(low < spell.start <= high for spell in (*mine, *self.dark))

    def _loses(self, spell: Spell, slug: str) -> bool:
        bad = spell.weather.cut or spell.weather.answer is not None
        return bad and slug in spell.provinces


@dataclass
class _Roll:
    """One roll, from the question to what came of it."""

    week: Weekly
    start: float  # of the meeting, monotonic
    asked: tuple[float, float] | None = None  # wall and monotonic seconds
    over: bool = False

    def __post_init__(self) -> None:
        seats_ = tuple(Seat(slug) for slug in self.week.slugs)
        self.meeting = Meeting("mingguan", "Rapat", self.start, LENGTH, seats_)

    def ask(self) -> None:
        clock = self.week.driver.clock
        late = clock.monotonic() - (self.start - BEFORE)
        self.week.found.meetings += 1
        if late >= LATE:
            self.over = True
            self.week.found.not_called += 1
            return
        wall, now = self.asked = clock.wall(), clock.monotonic()
        statuses = list(seats(self.week.driver.look(), set(self.week.slugs)))
        wanted = [each.check for each in questions(statuses, Moment(wall, now, BEFORE))]
        self.week.answers.listen(wanted, now)
        self.week.driver.ask(wanted)

    def glance(self) -> None:
        if self.over or self.asked is None:
            return
        statuses = seats(self.week.driver.look(), set(self.week.slugs))
        if self.week.answers.complete() and settled(statuses):
            self.end()

    def end(self) -> None:
        if self.over or self.asked is None:
            return
        self.over = True
        if any(self._restarts()):
            self.week.found.not_called += 1
            return
        wall, began = self.asked
        sitting = Sitting(self.meeting, wall + BEFORE, wall + BEFORE, wall + BEFORE + LENGTH)
        ledger = self.week.ledger
        recent = [i for i in ledger.told.values() if i.stop is None or i.stop > wall - DAY]
        facts = Evidence(
            self.week.driver.look(),
            answers=self.week.answers.found,
            figures=self.week.gauge.figures(self.meeting.limits.window, wall),
            incidents=recent,
            quality=self.week.settings.quality,
        )
        roll = call(sitting, wall, BEFORE, facts)
        took = self.week.driver.clock.monotonic() - began
        self.week.found.slowest = max(self.week.found.slowest, took)
        for verdict in roll.verdicts:
            self._judge(verdict, began)

    def _restarts(self) -> Iterator[Restart]:
        assert self.asked is not None
        now = self.week.driver.clock.monotonic()
        yield from (r for r in self.week.script.restarts if self.asked[1] <= r.at <= now)

    def _judge(self, verdict: Verdict, at: float) -> None:
        found, slug = self.week.found, verdict.province
        found.said[verdict.readiness] += 1
        ready = verdict.readiness is Readiness.READY
        if self.week.lost(slug, at):
            found.lost += 1
            if ready:
                found.called_ready.append(f"{slug} at {at:.0f}")
        if self.week.changes(slug, at, self.start):
            found.later += 1
            return
        could = not self.week.lost(slug, self.start)
        found.judged += 1
        found.agreed += (verdict.readiness in CAN_JOIN) is could
        found.strictly += ready is could
