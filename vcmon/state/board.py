"""The single writer of what is believed: results in, an immutable Snapshot out.

Runs on the event loop, never waits, never does I/O. Everything it decides it asks of pure
functions: ``machine`` (one check), ``guard`` (them or us), ``rollup`` (endpoint, province).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from vcmon.clock import Clock
from vcmon.config.settings import Settings
from vcmon.model.baseline import Baseline
from vcmon.model.endpoint import CheckId
from vcmon.model.figures import Tally
from vcmon.model.memory import Sample
from vcmon.model.result import Outcome, Reason, Result
from vcmon.model.status import ProvinceStatus, Snapshot, Standing, State, Transition, Uplink
from vcmon.state import flapping
from vcmon.state.advice import Rerun, again_after_stall, own_rerun
from vcmon.state.eyes import Eyes
from vcmon.state.gallery import Gallery
from vcmon.state.inventory import Inventory
from vcmon.state.machine import commit, confirmed, forget_streak
from vcmon.state.rollup import province_standing, settle, true_parent, with_parent
from vcmon.state.track import Track, outlasts, since_onset

ROLL_UP_AT_ONCE = 64
"""Endpoints up to which a province is rolled up at each change; a larger one waits for the tick,
or a cold start of 10,000 endpoints would look at each of them for each of them."""

PARENT_HOLD = 15.0
"""Seconds that an endpoint's ``down`` waits for the verdict on what it depends on."""

UP, UNKNOWN = Outcome.UP, State.UNKNOWN  # an enum's own lookup is slow, and each result asks


class Board:
    """What we believe of everything; one instance, one writer."""

    def __init__(
        self, settings: Settings, clock: Clock, on_transition: Callable[[Transition], None]
    ) -> None:
        self._clock = clock
        self._on_transition = on_transition
        self._eyes = Eyes(settings, clock.wall())
        self._gallery = Gallery()
        self._suspects: set[CheckId] = set()
        self._unrolled: set[str] = set()  # provinces whose endpoints changed
        self._onsets: dict[str, float] = {}  # slug -> when what was down before our start began
        self._inventory = Inventory.of(settings, clock.monotonic(), None)
        self._rules = settings.defaults.confirm
        self._flapping = settings.flapping
        self._unstable: set[str] = set()  # endpoints that flap
        self._maintained: frozenset[str] = frozenset()

    def load(self, settings: Settings) -> None:
        """Take new settings; everything is kept of checks that did not change."""
        self._inventory = Inventory.of(settings, self._clock.monotonic(), self._inventory)
        self._eyes.reload(settings)
        self._rules = settings.defaults.confirm
        self._flapping = settings.flapping
        self._unstable &= self._inventory.tracks.keys()
        known = self._inventory.watches
        self._suspects = {c for c in self._suspects if c in known and known[c].belief.suspect}
        self._gallery.take_down(self._inventory.members)
        now = self._clock.monotonic()
        for track in self._inventory.tracks.values():
            self._refresh(track, now)
        for slug in self._inventory.members:
            self._roll_up(slug, self._clock.wall())  # an endpoint that left may have decided it
        self._inventory.maintain(self._maintained)

    def set_baselines(self, baselines: Mapping[str, Baseline | None]) -> None:
        """From now on this is normal for these endpoints (by id), or None is known of them."""
        self._inventory.set_normal(baselines)

    def set_maintenance(self, series: frozenset[str]) -> None:
        """Lay maintenance over these series (``province:aceh``, ``endpoint:aceh-codec``), no other.

        An overlay: it changes no state, and nothing is probed less.
        """
        if series is not self._maintained:
            self._maintained = series
            self._inventory.maintain(series)
            self._gallery.wrong.update(self._inventory.members)

    def remember(self, onsets: Mapping[str, float]) -> None:
        """What was down when an earlier run ended, and since when (wall seconds), by subject.

        What is found down again, before it was found anything else, is shown since then. Nothing
        that is decided or announced looks at it: between the two nobody looked.
        """
        for subject, onset in onsets.items():
            kind, _, name = subject.partition(":")
            track = self._inventory.tracks.get(name) if kind == "endpoint" else None
            if track is not None and outlasts(track.shown.state, track.shown.state):
                track.onset, track.status = onset, None
                self._gallery.wrong.add(track.endpoint.province)
            standing = self._inventory.standings.get(name) if kind == "province" else None
            if standing is not None and outlasts(standing.state, standing.state):
                self._onsets[name] = onset
                self._gallery.wrong.add(name)

    # ---- results in

    def record(self, result: Result, attempts: int = 1) -> tuple[Rerun, ...]:
        """Believe one result (made by so many attempts). Returns what should run out of turn."""
        track = self._inventory.tracks.get(result.check.endpoint)
        if track is None or result.check.name not in track.watches:
            if self._eyes.takes(result):
                self._look_at_ourselves()
            return ()  # a canary's, or of a run on its way when its check was removed
        if result.outcome is not UP:
            result = self._eyes.corrected(result)
        return self._believe(track, result, attempts)

    def _believe(self, track: Track, result: Result, attempts: int) -> tuple[Rerun, ...]:
        now = self._clock.monotonic()
        watch = track.watches[result.check.name]
        fault, before = track.quality_fault, watch.belief
        track.note(watch, result, attempts)
        self._inventory.note(track.endpoint.province, result, now)
        if watch.check.decides:
            track.note_sight(result, blind=self._eyes.uplink.blind)
        quiet = (
            watch.belief is before
            and track.quality_fault is fault
            and track.released is None
            and not track.has_aged(now)
            and track.own.state is not UNKNOWN
        )
        if quiet:
            self._gallery.worn.add(track.endpoint.province)
            if result.outcome is UP and before.streak is None and not watch.stalls:
                return ()  # nothing to mark, to decide or to advise: most results end here
        self._mark_suspect(result.check, suspect=watch.belief.suspect)
        if not quiet:
            self._decide(track, result.check, now)
            self._refresh(track, now)
            self._gallery.wrong.add(track.endpoint.province)
        return self._advice(track, result, before.suspect, now)

    def _mark_suspect(self, check: CheckId, *, suspect: bool) -> None:
        if suspect:
            self._suspects.add(check)
        else:
            self._suspects.discard(check)

    def _advice(
        self, track: Track, result: Result, was_suspect: bool, now: float
    ) -> tuple[Rerun, ...]:
        watch = track.watches[result.check.name]
        if result.reason is Reason.STALL:
            return again_after_stall(watch, now)
        watch.stalls = 0
        own = own_rerun(track, watch, result, self._rules, len(self._suspects))
        if own is None:
            return ()
        if was_suspect or not watch.belief.suspect:
            return (own,)
        # The first failure: ask its companions and what it depends on, now.
        return (own, *(Rerun(check, now) for check in self._inventory.witnesses(track)))

    # ---- decisions

    def _decide(self, track: Track, check: CheckId, now: float) -> None:
        """Commit the check's streak if it is proof, and if nothing forbids it."""
        watch = track.watches[check.name]
        belief = watch.belief
        if not confirmed(belief, self._rules, track.companions_log(check.name)):
            return
        if belief.suspect and not self._permitted(track, belief.streak_started, now):
            return
        watch.belief = commit(belief, self._clock.wall())
        track.status = None
        if watch.belief.outcome is Outcome.DOWN:
            track.fell_blind = False
        self._mark_suspect(check, suspect=False)

    def _permitted(self, track: Track, onset: float, now: float) -> bool:
        if now - onset < PARENT_HOLD and self._inventory.parents_unsettled(track, onset):
            return False
        views = self._inventory.province_views(now, self._suspects)
        return self._eyes.may_commit(onset, now, views)

    def tick(self) -> None:
        """Look at what time alone changes: staleness, held commits, blindness, seconds."""
        now = self._clock.monotonic()
        self._look_at_ourselves()
        for check in tuple(self._suspects):
            track = self._inventory.tracks[check.endpoint]
            self._decide(track, check, now)
            if check not in self._suspects:
                self._refresh(track, now)
        for track in self._inventory.tracks.values():
            if now >= track.stale_at and track.has_aged(now):
                track.status = None
                self._refresh(track, now)
        for name in tuple(self._unstable):
            track = self._inventory.tracks[name]
            if now >= track.flaps.until(self._flapping):
                self._refresh(track, now)
        self._roll_up_the_rest()
        self._credit(now)
        if self._gallery.tend(now):
            self._hang(now)

    def _look_at_ourselves(self) -> None:
        now, ever_up = self._clock.monotonic(), self._inventory.ever_up
        views = self._inventory.province_views(now, self._suspects)
        if self._eyes.look(now, self._clock.wall(), views, ever_up=ever_up):
            self._forget_suspects(now)

    def _forget_suspects(self, now: float) -> None:
        """What is falling now falls with our own side: unknown, until it answers or is refuted."""
        for check in tuple(self._suspects):
            track = self._inventory.tracks[check.endpoint]
            watch = track.watches[check.name]
            watch.belief = forget_streak(watch.belief)
            watch.silent = 0  # our silence is not the link's loss
            track.fell_blind = track.fell_blind or watch.check.decides
            track.status = None
            self._refresh(track, now)
        self._suspects.clear()

    # ---- roll-up

    def _refresh(self, track: Track, now: float) -> None:
        """Bring the endpoint's standing, and that of all that depends on it, up to date."""
        known_at = self._clock.wall()
        before = track.own.state, track.shown.state
        track.own = settle(track.own, track.judge(now), known_at)
        self._show(track, known_at)
        if before != (track.own.state, track.shown.state):
            for below in self._inventory.below(track.endpoint.id):
                self._show(below, known_at)

    def _show(self, track: Track, known_at: float) -> None:
        inventory = self._inventory
        parent = None
        if track.own.state is State.DOWN:
            parent = true_parent(track.endpoint, inventory.endpoints, inventory.cause)
        proposed = with_parent(track.own, parent)
        if self._waits_for_release(track, proposed):
            proposed = replace(proposed, state=State.UNREACHABLE, reason=Reason.PARENT)
            proposed = replace(proposed, parent=track.shown.parent)
        proposed = self._as_unstable(track, proposed)
        shown = settle(track.shown, proposed, known_at)
        if shown == track.shown:
            return
        if shown.state is not track.shown.state:
            self._announce(f"endpoint:{track.endpoint.id}", track.shown, shown)
            if not outlasts(track.shown.state, shown.state):
                track.onset = None
        track.shown = shown
        track.status = None
        slug = track.endpoint.province
        self._gallery.wrong.add(slug)
        if len(self._inventory.members[slug]) <= ROLL_UP_AT_ONCE:
            self._roll_up(slug, known_at)
        else:
            self._unrolled.add(slug)

    def _as_unstable(self, track: Track, proposed: Standing) -> Standing:
        now, rules = self._clock.monotonic(), self._flapping
        track.flaps = flapping.looked(flapping.noted(track.flaps, proposed.state, now), now, rules)
        if track.flaps.flapping:
            self._unstable.add(track.endpoint.id)
        else:
            self._unstable.discard(track.endpoint.id)
        return flapping.overlaid(proposed, track.flaps, rules)

    def _waits_for_release(self, track: Track, proposed: Standing) -> bool:
        """Whether an endpoint whose dead parent is back may still be on its own way back.

        Without this every recovery of a parent would show its children as down for the seconds
        that their own recovery takes to confirm. It takes as many new failures as any ``down``.
        """
        if proposed.state is not State.DOWN or track.shown.state is not State.UNREACHABLE:
            track.released = None
            return False
        if track.released is None:
            track.released = track.failing
        if track.failing >= track.released + self._rules.down:
            track.released = None
            return False
        return True

    def _roll_up(self, slug: str, known_at: float) -> None:
        inventory = self._inventory
        old = inventory.standings[slug]
        proposed = province_standing(
            [(track.endpoint, track.shown) for track in inventory.members[slug]],
            lambda endpoint_id: inventory.endpoints[endpoint_id].province,
        )
        new = settle(old, proposed, known_at)
        inventory.standings[slug] = new
        if new.state is not old.state:
            onset = self._clock.monotonic() - max(0.0, known_at - new.since)
            inventory.credits[slug].change(onset, old.state)
            self._announce(f"province:{slug}", old, new)
            if not outlasts(old.state, new.state):
                self._onsets.pop(slug, None)

    def _roll_up_the_rest(self) -> None:
        for slug in self._unrolled & self._inventory.members.keys():
            self._roll_up(slug, self._clock.wall())
        self._unrolled.clear()

    def _announce(self, subject: str, old: Standing, new: Standing) -> None:
        # What was lost before nobody could look keeps its onset; the time between stays unknown.
        hidden = old.state is State.UNKNOWN and new.since <= old.since
        at = new.known_at if hidden else new.since
        self._on_transition(Transition(subject, old, new, at, new.known_at))

    def _credit(self, now: float) -> None:
        falling = self._inventory.undecided(self._suspects)
        for slug, credit in self._inventory.credits.items():
            state = self._inventory.standings[slug].state
            held = falling.get(slug)
            if state is not State.UP and (rising := self._inventory.rising(slug, now)) is not None:
                held = rising if held is None else min(held, rising)
            credit.advance(now, state, held)

    # ---- what the views read

    @property
    def uplink(self) -> Uplink:
        """Our own side."""
        return self._eyes.uplink

    def snapshot(self) -> Snapshot:
        """Everything believed now; the same object until something changes.

        A change of state is in it at once, what changes no state within DETAILS_AT_WORST.
        """
        now = self._clock.monotonic()
        self._gallery.visit(now)
        return self._hang(now)

    def _hang(self, now: float) -> Snapshot:
        if (current := self._gallery.is_current(self.uplink)) is not None:
            return current
        self._roll_up_the_rest()
        members, times = self._inventory.members, (now, self._clock.wall())
        return self._gallery.hang(members, self._paint, times, self.uplink)

    def _paint(self, slug: str) -> ProvinceStatus:
        now, inventory = self._clock.monotonic(), self._inventory
        return ProvinceStatus(
            province=inventory.provinces[slug],
            standing=since_onset(inventory.standings[slug], self._onsets.get(slug)),
            endpoints=tuple(track.view(now) for track in inventory.members[slug]),
            maintenance=f"province:{slug}" in self._maintained,
        )

    def tallies(self) -> Mapping[CheckId, Tally]:
        """The live counters of every check; read them on the loop."""
        return {check: watch.tally for check, watch in self._inventory.watches.items()}

    def packets(self) -> Iterator[Sample]:
        """What each endpoint sent since it was last asked; counted anew as each is asked.

        To be drawn a few hundred at a time, on the loop: 500 take a millisecond.
        """
        for track in tuple(self._inventory.tracks.values()):
            if track.packets.sent:
                yield track.packets.take(f"endpoint:{track.endpoint.id}", self._clock.wall())

    def standings(self) -> Mapping[str, Standing]:
        """What every subject is now, as it was announced last."""
        found = {f"endpoint:{id_}": t.shown for id_, t in self._inventory.tracks.items()}
        found |= {f"province:{slug}": s for slug, s in self._inventory.standings.items()}
        return found

    def province_seconds(self) -> Mapping[str, Mapping[State, float]]:
        """Seconds in each state since the start, by province."""
        return {slug: credit.seconds for slug, credit in self._inventory.credits.items()}
