"""The board's books: tracks, provinces and how they hang together; kept across reloads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from vcmon.config.settings import QualityClass, Settings
from vcmon.model.baseline import Baseline
from vcmon.model.endpoint import Check, CheckId, Endpoint, measuring
from vcmon.model.province import Province
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.model.status import Standing, State
from vcmon.state.credit import Credit
from vcmon.state.guard import ProvinceView
from vcmon.state.rollup import NO_DATA
from vcmon.state.track import Track, Watch

RISING, LAG_MAX = 40.0, 15.0
"""Seconds that time may wait for the end of an outage to be confirmed, and for a run to be over:
together less than what counts as a gap in which nobody looked (credit.GAP)."""

FALL_WINDOW = 20.0
"""Seconds: provinces that fell within two default intervals fell together (rule 6)."""

UP = Outcome.UP  # an enum's own lookup is slow, and each result asks

SPOILT = frozenset({Reason.STALL, Reason.BUG, Reason.BLIND})
"""Local faults that say nothing about our uplink."""


@dataclass(slots=True)
class Contact:
    """When (monotonic) a province last answered, and when our own side last failed towards it."""

    last_up: float = float("-inf")
    local_fault: float = float("-inf")


@dataclass(slots=True)
class Inventory:
    """Everything the board keeps, by name. ``members`` is in the official order of provinces."""

    endpoints: dict[str, Endpoint]
    provinces: Mapping[str, Province]
    tracks: dict[str, Track]
    members: dict[str, list[Track]]
    watches: dict[CheckId, Watch]
    children: dict[str, list[str]]
    standings: dict[str, Standing]
    credits: dict[str, Credit]
    contacts: dict[str, Contact]
    ever_up: bool = False
    baselines: dict[str, Baseline] = field(default_factory=dict)  # by endpoint id

    @classmethod
    def of(cls, settings: Settings, now: float, old: Inventory | None) -> Inventory:
        """The books for these settings; what ``old`` knows of unchanged things is taken over."""
        endpoints = {endpoint.id: endpoint for endpoint in settings.endpoints}
        tracks = {e.id: _track(e, settings, old) for e in settings.endpoints}
        slugs = sorted(
            {endpoint.province for endpoint in settings.endpoints},
            key=lambda slug: settings.provinces[slug].code,
        )
        members: dict[str, list[Track]] = {slug: [] for slug in slugs}
        children: dict[str, list[str]] = {}
        for track in tracks.values():
            members[track.endpoint.province].append(track)
            for parent in track.endpoint.depends_on:
                children.setdefault(parent, []).append(track.endpoint.id)
        kept = old.standings if old else {}
        credit = old.credits if old else {}
        contacts = old.contacts if old else {}
        books = cls(
            endpoints=endpoints,
            provinces=settings.provinces,
            tracks=tracks,
            members=members,
            watches={w.check.id: w for t in tracks.values() for w in t.watches.values()},
            children=children,
            standings={slug: kept.get(slug, NO_DATA) for slug in slugs},
            credits={slug: credit.get(slug) or Credit(now) for slug in slugs},
            contacts={slug: contacts.get(slug) or Contact() for slug in slugs},
            ever_up=old.ever_up if old else False,
        )
        for slug, tracks_of in members.items():
            books.credits[slug].lag = _longest(tracks_of)
        books.set_normal(old.baselines if old else {})
        return books

    def note(self, slug: str, result: Result, now: float) -> None:
        """Remember when the province answered, or our own side failed towards it."""
        contact = self.contacts[slug]
        if result.outcome is UP:
            contact.last_up = max(contact.last_up, result.started)
            self.ever_up = True
        elif result.blame is Blame.LOCAL and result.reason not in SPOILT:
            contact.local_fault = now

    def maintain(self, series: frozenset[str]) -> None:
        """Mark the endpoints that are under maintenance, and no other."""
        for name, track in self.tracks.items():
            maintained = f"endpoint:{name}" in series
            if track.maintenance is not maintained:
                track.maintenance, track.status = maintained, None

    def set_normal(self, baselines: Mapping[str, Baseline | None]) -> None:
        """Hold these endpoints against their own baselines; None: nothing is normal for it."""
        for name, normal in baselines.items():
            if (track := self.tracks.get(name)) is None:
                continue
            track.set_normal(normal)
            if normal is None:
                self.baselines.pop(name, None)
            else:
                self.baselines[name] = normal

    def cause(self, endpoint_id: str) -> Standing:
        """The endpoint's own standing, as what depends on it should see it.

        One whose dead parent has just come back is still counted as lost by that parent.
        """
        track = self.tracks[endpoint_id]
        return track.own if track.released is None else track.shown

    def below(self, endpoint_id: str) -> Iterator[Track]:
        """Every endpoint that depends on this one, near or far, each once."""
        seen: set[str] = set()
        queue = list(self.children.get(endpoint_id, ()))
        while queue:
            child = queue.pop()
            if child not in seen:
                seen.add(child)
                queue.extend(self.children.get(child, ()))
                yield self.tracks[child]

    def above(self, endpoint: Endpoint) -> Iterator[Track]:
        """Everything that this endpoint depends on, near or far, each once."""
        seen: set[str] = set()
        queue = list(endpoint.depends_on)
        while queue:
            parent = queue.pop()
            if parent not in seen:
                seen.add(parent)
                queue.extend(self.endpoints[parent].depends_on)
                yield self.tracks[parent]

    def witnesses(self, track: Track) -> Iterator[CheckId]:
        """The checks whose answer tells what a first failure of this endpoint means."""
        for watch in track.watches.values():
            if not watch.belief.suspect and not watch.check.params.gentle:
                yield watch.check.id
        for parent in self.above(track.endpoint):
            for watch in parent.watches.values():
                asked = watch.check.decides and not watch.check.params.gentle
                if asked and watch.belief.outcome is not Outcome.DOWN:
                    yield watch.check.id

    def parents_unsettled(self, track: Track, onset: float) -> bool:
        """Whether something above is suspect, or has not been heard since the failures began."""
        for parent in self.above(track.endpoint):
            if parent.own.state is State.DOWN:
                continue
            for watch in parent.watches.values():
                if not watch.check.decides:
                    continue
                if watch.belief.suspect or watch.fresh_at < onset:
                    return True
        return False

    def province_views(self, now: float, suspects: Iterable[CheckId]) -> list[ProvinceView]:
        """The provinces that were not already down, as the guard looks at them."""
        falling = self.undecided(suspects)
        views = []
        for slug, contact in self.contacts.items():
            if self.standings[slug].state in {State.DOWN, State.UNREACHABLE}:
                continue
            onset = max(falling.get(slug, float("-inf")), contact.local_fault)
            falls = now - onset <= FALL_WINDOW and contact.last_up < onset
            views.append(ProvinceView(contact.last_up, falls))
        return views

    def undecided(self, suspects: Iterable[CheckId]) -> dict[str, float]:
        """Province -> monotonic start of its oldest unconfirmed failure, deciding checks only."""
        oldest: dict[str, float] = {}
        for check in suspects:
            watch = self.watches[check]
            slug, streak = watch.check.province, watch.belief.streak
            if streak is not None and watch.check.decides:
                begun = streak.first.started
                oldest[slug] = min(begun, oldest.get(slug, begun))
        return oldest

    def rising(self, slug: str, now: float) -> float | None:
        """Monotonic start of the province's oldest unconfirmed recovery; None without one."""
        begun = (
            watch.belief.streak_started
            for track in self.members[slug]
            for watch in track.watches.values()
            if watch.check.decides and watch.belief.recovers
        )
        return min((at for at in begun if now - at < RISING), default=None)


def _longest(tracks: Iterable[Track]) -> float:
    """Seconds that a run of what decides may take, as far as the counters wait for it."""
    watches = (watch.check for track in tracks for watch in track.watches.values())
    return min(LAG_MAX, max((check.timeout for check in watches if check.decides), default=0.0))


def _track(endpoint: Endpoint, settings: Settings, old: Inventory | None) -> Track:
    """A track for the endpoint, with everything the old one knew of checks that are the same."""
    limits = settings.quality.get(endpoint.medium) or settings.quality.get("") or QualityClass()
    before = old.tracks.get(endpoint.id) if old else None
    measure = measuring(endpoint.checks)
    fresh = Track(endpoint, limits, {check.id.name: Watch(check) for check in endpoint.checks})
    fresh.measure = measure.id.name if measure is not None else ""
    if before is None or before.endpoint.province != endpoint.province:
        return fresh
    for name, watch in fresh.watches.items():
        known = before.watches.get(name)
        if known is not None:
            watch.tally = known.tally
            if _same_peer(known.check, watch.check):
                watch.belief, watch.last = known.belief, known.last
                watch.fresh_at, watch.silent = known.fresh_at, known.silent
                watch.failed = known.failed
    if before.endpoint.address == endpoint.address:
        fresh.loss, fresh.quality = before.loss, before.quality
        fresh.packets = before.packets
        fresh.quality_fault = before.quality_fault
        fresh.own, fresh.shown, fresh.fell_blind = before.own, before.shown, before.fell_blind
        fresh.onset = before.onset
        fresh.flaps = before.flaps
    return fresh


def _same_peer(old: Check[object], new: Check[object]) -> bool:
    """Whether both ask the same thing of the same address; how often may differ."""
    return (old.kind, old.address, old.params) == (new.kind, new.address, new.params)
