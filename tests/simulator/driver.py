"""Drives one vcmon through a script: everything near an event is played, quiet time is skipped.

Timetable, machine, guard, roll-up, board, incidents and maintenance are the product's own. Only
probes (``result_of``), clock and disk are replaced.

**What is skipped, and why it can't matter.** An endpoint is *settled* when the weather of all its
checks is constant and lossless, each check's belief says what that weather says, nothing is
pending (no streak, no run on its way, no release, no impaired or lossy link), and it is not
hidden by our own blindness. Every further result is then the one before again: the machine
returns the same belief, the board the same standing. All that such a result leaves behind is that
it was there: the time of the last answer (staleness, guard), the decayed count of what was sent
(loss), a clean burst (quality), and counters that nothing decides by. So a settled endpoint is not
probed until the next thing happens to it, or to something that it stands behind; then exactly
these traces are put where its runs would have left them, at the seconds of its timetable. Ticks
are left out while nothing waits for one. ``test_skipping`` plays the same script without
skipping: the changes are the same ones, to the microsecond.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Protocol

from tests.fakes.clock import EPOCH, FakeClock
from tests.fakes.simulation import result_of
from tests.simulator.country import CANARIES, all_checks
from tests.simulator.script import BEGIN, DARK, FINE, Kind, Restart, Script, Spell, Step, World
from tests.simulator.traces import leave_traces, runs_of, stale_at
from vcmon.config.settings import Settings
from vcmon.engine.schedule import Timetable, phase
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Outcome, Result
from vcmon.model.status import Snapshot, State, Transition
from vcmon.state.board import Board
from vcmon.state.track import Track, Watch

LOST = frozenset({State.DOWN, State.UNREACHABLE})
TICK = 0.5
LOOK = 2.5  # seconds between two looks whether something has settled
DARKENS = 45.0  # seconds after which nothing that is dark changes any more: all of it is stale
HOPELESS = 3 * 3600.0  # seconds in which everything but a lossy link settles

CANARY_IDS = tuple(CheckId(f"canary:{address}", "canary") for address in CANARIES)


class Memory(Protocol):
    """What the driver needs of a memory."""

    def take(self, event: Transition) -> None: ...
    def tick(self, wall: float, monotonic: float) -> None: ...
    def restart(self) -> None: ...


class Driver:
    """One vcmon in virtual time. ``skip`` False plays every single probe."""

    def __init__(
        self, settings: Settings, script: Script, memory: Memory, *, skip: bool = True
    ) -> None:
        self.settings = settings
        self.script = script
        self.memory = memory
        self.skip = skip
        self.world = World(script)
        self.clock = FakeClock(BEGIN, EPOCH - BEGIN)
        self.checks = all_checks(settings)
        self.inspect: Callable[[Spell], None] = lambda spell: None
        self.heard: Callable[[Result], None] = lambda result: None
        self.transitions: list[Transition] = []
        self.rounds = 0
        self.offsets = [(BEGIN, self.clock.offset)]  # (from monotonic, wall minus monotonic)
        self.played = 0.0  # seconds that were not skipped
        parents = {e.id: e.depends_on for e in settings.endpoints}
        self.above = {name: tuple(_above(name, parents)) for name in parents}
        self.edges = sorted(self._edges(), key=lambda edge: edge[0])
        self.canary_phases = {c: phase(c, self.checks[c].interval) for c in CANARY_IDS}
        self.dark = [(s.start, s.stop) for s in script.spells if s.kind in DARK]
        self._start()

    def _edges(self) -> Iterator[tuple[float, object, bool]]:
        for spell in self.script.spells:
            yield spell.start, spell, True
            yield spell.stop, spell, False
        for restart in self.script.restarts:
            yield restart.at, restart, True
        for step in self.script.steps:
            yield step.at, step, True

    def _start(self) -> None:
        now = self.clock.monotonic()
        self.board = Board(self.settings, self.clock, self._announce)
        self.tracks: dict[str, Track] = self.board._inventory.tracks
        self.timetable = Timetable(now)
        self.epoch = now
        self.entered: set[str] = set()
        self.watched: set[str] = set()
        self.left: dict[str, tuple[float, float]] = {}  # settled: (since, its stale_at)
        self.blinded: set[str] = set()  # those that settled in the dark: nothing answered them
        self.running: set[CheckId] = set()
        self.again: dict[CheckId, int] = {}
        self.done: list[tuple[float, int, Result, int]] = []
        self.order = 0
        self.canaries_watched = False
        self.next_tick = now
        self.next_look = now
        self.busy_since = now
        self._watch(self.tracks)
        self._watch_canaries()

    def _announce(self, change: Transition) -> None:
        self.transitions.append(change)
        self.memory.take(change)

    # ---- from event to event

    def plan(self, at: float, event: Callable[[], None]) -> None:
        """Have ``event`` happen at this monotonic second; before :meth:`run` only."""
        insort(self.edges, (at, event, True), key=lambda edge: edge[0])

    def look(self) -> Snapshot:
        """What a page would show: nothing that is skipped is out of date in it."""
        self._watch(self.tracks)
        self._watch_canaries()
        for track in self.tracks.values():
            track.status = None  # painted while it was skipped, it looks stale
        self.board._gallery.wrong.update(self.board._inventory.members)
        return self.board.snapshot()

    def ask(self, checks: Iterable[CheckId]) -> None:
        """Have these run out of turn, now."""
        for check in checks:
            if check in self.running:
                self.again[check] = 1
            else:
                self.timetable.rerun(check, self.clock.monotonic(), 1)

    def run(self, progress: Callable[[float], None] = lambda done: None) -> None:
        """Play the whole script."""
        for number, (at, event, begins) in enumerate(self.edges):
            self._until(at)
            self._happen(event, begins)
            if number % 100 == 0:
                progress((at - BEGIN) / (self.script.end - BEGIN))
        self._until(self.script.end)
        self.memory.tick(self.clock.wall(), self.clock.monotonic())
        progress(1.0)

    def _happen(self, event: object, begins: bool) -> None:
        if isinstance(event, Step):
            self.memory.tick(self.clock.wall(), self.clock.monotonic())
            self.clock.step_wall(event.seconds)
            self.offsets.append((self.clock.monotonic(), self.clock.offset))
            self.memory.tick(self.clock.wall(), self.clock.monotonic())
        elif isinstance(event, Restart):
            self.memory.tick(self.clock.wall(), self.clock.monotonic())
            self.clock.seconds = event.at + event.down
            self.memory.restart()
            self._start()
        elif isinstance(event, Spell):
            if not begins:
                self.inspect(event)
            if event.kind in DARK or event.kind is Kind.HUB:
                self._watch(self.tracks)
                self._watch_canaries()
            else:
                self._watch({check.endpoint for check in event.checks()})
        elif callable(event):
            event()

    def _until(self, end: float) -> None:
        """Play, or skip, up to the next event."""
        while True:
            now = self.clock.monotonic()
            if not self.watched and self.skip:
                wake = self._unstable_until()
                if wake >= end:
                    self.clock.seconds = max(now, end)
                    return
                # A little before: what ends at that very second has begun by then.
                self.clock.seconds = max(now, wake - TICK)
                self._watch(set(self.board._unstable))
                continue
            self.next_tick = min(self.next_tick, max(now, _grid(self._unstable_until())))
            finishing = self.done[0][0] if self.done else math.inf
            nearest = min(self.timetable.next_at(), self.next_tick, finishing)
            if nearest > end:
                self.clock.seconds = max(now, end)
                return
            self.clock.seconds = max(now, nearest)
            self.played += self.clock.seconds - now
            self._play()

    def _unstable_until(self) -> float:
        """When the next flapping endpoint may have calmed down."""
        rules = self.settings.flapping
        return min(
            (self.tracks[name].flaps.until(rules) for name in self.board._unstable),
            default=math.inf,
        )

    # ---- one instant

    def _play(self) -> None:
        now = self.clock.monotonic()
        if not self.canaries_watched:
            self._canaries_answered(now)
        while self.done and self.done[0][0] <= now:
            _, _, result, attempts = heapq.heappop(self.done)
            self._finish(result, attempts)
        for due in self.timetable.pop_due(now):
            if not self._is_watched(due.check):
                self.timetable.remove(due.check)
                self.entered.discard(due.check.endpoint)
                continue
            if due.check in self.running:
                if not due.in_turn:
                    self.again[due.check] = due.attempts
            else:
                self._probe(due.check, due.attempts)
        if now >= self.next_tick:
            self._tick(now)
        if self.skip and now >= self.next_look:
            self.next_look = now + LOOK
            self._settle(now)

    def _is_watched(self, check: CheckId) -> bool:
        if check.endpoint.startswith("canary:"):
            return self.canaries_watched
        return check.endpoint in self.watched

    def _tick(self, now: float) -> None:
        rules = self.settings.flapping
        self._watch({n for n in self.board._unstable if now >= self.tracks[n].flaps.until(rules)})
        self.board.tick()
        self.memory.tick(self.clock.wall(), now)
        waits = self.board._suspects or self._is_dark(now) or not self.skip
        pause = TICK if waits else 10 * TICK
        aged = min((track.stale_at for track in self._watched_tracks()), default=math.inf)
        following = math.floor(now / TICK) * TICK + TICK
        self.next_tick = max(following, min(following - TICK + pause, _grid(aged)))

    def _is_dark(self, now: float) -> bool:
        if self.board._eyes.uplink.blind or any(t.fell_blind for t in self._watched_tracks()):
            return True
        return any(start <= now < stop + DARKENS for start, stop in self.dark)

    def _watched_tracks(self) -> Iterator[Track]:
        return (self.tracks[name] for name in self.watched)

    def _probe(self, check_id: CheckId, attempts: int = 1) -> None:
        check, now = self.checks[check_id], self.clock.monotonic()
        weather = self.world.at(check_id, now)
        rng = Random(f"{self.script.seed}/{check_id}/{now}") if weather.loss else _NO_CHANCE
        result = result_of(check, weather, attempts, rng, self.clock)
        self.running.add(check_id)
        self.order += 1
        self.rounds += 1
        heapq.heappush(self.done, (now + result.duration, self.order, result, attempts))

    def _finish(self, result: Result, attempts: int) -> None:
        self.running.remove(result.check)
        self.heard(result)
        now = self.clock.monotonic()
        for check, at, hedges in self.board.record(result, attempts):
            if not self._is_watched(check):
                self._watch({check.endpoint})
            if check in self.running and at <= now:
                self.again[check] = hedges
            else:
                self.timetable.rerun(check, at, hedges)
        if self.board._suspects:
            self.next_tick = min(self.next_tick, math.floor(now / TICK) * TICK + TICK)
        if result.check in self.again:
            self._probe(result.check, self.again.pop(result.check))

    # ---- what is watched, and what is settled

    def _watch_canaries(self) -> None:
        if not self.canaries_watched:
            self.canaries_watched = True
            self._canaries_answered(self.clock.monotonic())
            for canary in CANARY_IDS:
                self.timetable.add(canary, self.checks[canary].interval, self.clock.monotonic())

    def _watch(self, names: object) -> None:
        """Probe these and what they stand behind, from now on."""
        now = self.clock.monotonic()
        if not self.watched:
            # What still stands in it are slots of what is settled; the same epoch gives the same.
            self.timetable = Timetable(self.epoch)
            self.entered.clear()
            self.busy_since = now
            self.next_tick = math.ceil(now / TICK) * TICK
            self.next_look = now + LOOK
        assert isinstance(names, set | dict)
        for name in names:
            for each in (name, *self.above[name]):
                if each not in self.watched:
                    self._enter(each, now)

    def _enter(self, name: str, now: float) -> None:
        self.watched.add(name)
        track = self.tracks[name]
        if name in self.left:
            since, stale = self.left.pop(name)
            if name not in self.blinded:
                runs = [runs_of(watch, self.epoch) for watch in track.watches.values()]
                contact = self.board._inventory.contacts[track.endpoint.province]
                contact.last_up = max(contact.last_up, leave_traces(track, runs, since, now))
                track.stale_at = stale_at(runs, stale, since, now)
                self.next_tick = min(self.next_tick, _grid(track.stale_at))
            self._resume(track, now)
            self.blinded.discard(name)
        if name not in self.entered:
            self.entered.add(name)
            for check in track.endpoint.checks:
                self.timetable.add(check.id, check.interval, now)

    def _resume(self, track: Track, now: float) -> None:
        """Runs that would be on their way by now began in the weather of their own second."""
        for watch in track.watches.values():
            runs = runs_of(watch, self.epoch)
            began = runs.started(now)
            if began + runs.duration > now and watch.check.id not in self.running:
                self.clock.seconds = began
                self._probe(watch.check.id)
                self.clock.seconds = now

    def _canaries_answered(self, now: float) -> None:
        """The canaries are settled, too: each answered at its last slot, if it was not dark."""
        for canary in CANARY_IDS:
            interval = self.checks[canary].interval
            first = self.epoch + self.canary_phases[canary]
            last = first + math.floor((now - 0.02 - first) / interval) * interval
            state = self.board._eyes._canaries.states[canary]
            if last > state.last_up and self.world.at(canary, last) is FINE:
                state.last_up = last

    def _settle(self, now: float) -> None:
        """Leave alone what is settled, unless something unsettled stands behind it."""
        if self.running:
            self.next_look = now + TICK  # a run on its way may still change something
        unsettled = {name for name in self.watched if not self._is_settled(name, now)}
        needed = unsettled.union(*(self.above[name] for name in unsettled))
        # What its parent will turn out to be may still change what a settled child is shown as.
        needed |= {name for name in self.watched if not unsettled.isdisjoint(self.above[name])}
        for name in self.watched - needed:
            self.left[name] = now, self.tracks[name].stale_at
            if self.tracks[name].shown.state is State.UNKNOWN:
                self.blinded.add(name)
            self.tracks[name].stale_at = math.inf
        self.watched &= needed
        if not self.watched:
            self.canaries_watched = False
        lossy = any(spell.kind is Kind.LOSS for spell in self._spells_at(now))
        if now - self.busy_since > HOPELESS and not lossy and self.watched:
            raise AssertionError(f"{sorted(self.watched)} never settle, since {self.busy_since}")

    def _spells_at(self, now: float) -> Iterator[Spell]:
        index = bisect_right(self.script.spells, now, key=lambda spell: spell.start)
        return (s for s in self.script.spells[max(0, index - 200) : index] if s.stop > now)

    def _is_settled(self, name: str, now: float) -> bool:
        track = self.tracks[name]
        if any(check.id in self.running for check in track.endpoint.checks):
            return False
        if any(start <= now < stop for start, stop in self.dark):
            began = max(start for start, _ in self.dark if start <= now)
            return now - began > DARKENS and track.shown.state is State.UNKNOWN
        return (
            track.released is None
            and (not track.fell_blind or track.shown.state in LOST)  # an answer clears it
            and track.quality_fault is None
            and not self.board._eyes.uplink.blind
            and track.shown.state is not State.UNKNOWN
            and all(self._says_the_weather(watch, now) for watch in track.watches.values())
        )

    def _says_the_weather(self, watch: Watch, now: float) -> bool:
        weather, belief = self.world.at(watch.check.id, now), watch.belief
        if weather.loss or weather.local is not None:
            return False
        down = weather.cut or weather.answer is not None
        said = Outcome.DOWN if down else Outcome.UP
        return belief.outcome is said and belief.streak is None and belief.against == 0


def _grid(at: float) -> float:
    """The first tick from ``at`` on."""
    return math.ceil(at / TICK) * TICK if math.isfinite(at) else at


class _NoChance(Random):
    """For weather without loss: nothing is thrown, and nothing is seeded, either."""

    def random(self) -> float:
        return 1.0


_NO_CHANCE: Random = _NoChance()


def _above(name: str, parents: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for parent in parents[name]:
        yield parent
        yield from _above(parent, parents)
