"""Holds what was recorded against what really happened."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.simulator.country import HUB, codec, router
from tests.simulator.driver import Driver
from tests.simulator.ledger import Ledger
from tests.simulator.remembered import Remembered
from tests.simulator.script import DARK, Kind, Script
from vcmon.history.availability import Terms, availability
from vcmon.history.maintenance import Span, Spans, intersect, merge
from vcmon.history.spans import milliseconds
from vcmon.model.endpoint import CheckId
from vcmon.model.memory import Interval
from vcmon.model.status import State

INTERVAL, TIMEOUT = 10.0, 2.0
CONFIRMATION = 18.0
"""Seconds: what the product promises at the longest from a cut to a committed ``down``."""

EXACT = INTERVAL + TIMEOUT
"""Seconds: an onset is the first run that failed, an end the first that was answered."""

LOSSY = INTERVAL + CONFIRMATION
"""Seconds, where packets were lost as well: a run that was lost by chance may stand before."""

NOT_MISSED = 30.0
"""Seconds: an outage of this length must be there."""

NEAR = 180.0
"""Seconds from a blind spell, a restart or a step: the edges of an outage can't be known there."""

GRAIN = 0.002
"""Seconds: the memory counts in whole milliseconds, and rounds."""

DARKENS = 45.0
"""Seconds until everything that was known is stale."""

POINTS = 1e-4
"""A hundredth of a percentage point of availability."""

LOST = frozenset({State.DOWN, State.UNREACHABLE})
WELL = frozenset({State.UP, State.DEGRADED})


class Clocks:
    """From monotonic seconds to wall seconds, over steps: the last pass of a wall second counts."""

    def __init__(self, offsets: Sequence[tuple[float, float]], end: float) -> None:
        self.pieces: list[tuple[float, float, float]] = []  # (from, to, offset), monotonic
        for number, (begin, offset) in enumerate(offsets):
            stop = offsets[number + 1][0] if number + 1 < len(offsets) else end
            # A later piece that begins earlier on the wall takes away the end of this one.
            walls = [later + its for later, its in offsets[number + 1 :]]
            stop = min([stop, *(wall - offset for wall in walls)])
            if stop > begin:
                self.pieces.append((begin, stop, offset))

    def spans(self, spans: Iterable[Span]) -> Spans:
        """The same time on the wall."""
        wanted = merge(spans)
        found: list[Span] = []
        for begin, stop, offset in self.pieces:
            inside = intersect(wanted, ((begin, stop),))
            found += [(start + offset, end + offset) for start, end in inside]
        return merge(found)

    def gaps(self) -> Spans:
        """Wall seconds that never were: the clock was set forward over them."""
        walls = [(begin + offset, stop + offset) for begin, stop, offset in self.pieces]
        return merge(
            (one[1], other[0]) for one, other in pairwise(walls) if other[0] - one[1] > 0.5
        )


@dataclass
class Verdict:
    """What the judge found; ``wrong`` tells each fault in words."""

    outages: int = 0
    recorded: int = 0
    incidents: int = 0
    onset_worst: float = 0.0
    end_worst: float = 0.0
    known_worst: float = 0.0
    points_worst: float = 0.0  # percentage points of availability
    owners: int = 0  # incidents whose owner was checked
    planned: int = 0  # ... whose suggestion was
    played: float = 0.0
    missed: int = 0
    false: int = 0
    wrong: list[str] = field(default_factory=list)

    def blame(self, what: str) -> None:
        self.wrong.append(what)


class Truth(NamedTuple):
    """One series as it was, on the wall."""

    lost: Spans
    dark: Spans  # nobody could know
    near: Spans  # where edges can't be known
    lossy: Spans


def judge(driver: Driver, ledger: Ledger | Remembered, verdict: Verdict) -> None:
    """Compare every series, and add what was found to the verdict."""
    script = driver.script
    clocks = Clocks(driver.offsets, script.end)
    end = driver.clock.wall()
    dark = _dark(script, clocks)
    steps = [at + offset for at, offset in driver.offsets[1:]]
    steps += [at + before for (_, before), (at, _) in pairwise(driver.offsets)]
    near = merge([(a - NEAR, b + NEAR) for a, b in (*dark, *((s, s + 0.001) for s in steps))])
    by_check = _by_check(script)
    for series, check in _series(script):
        spans = by_check.get(check, ([], [], []))
        own = clocks.spans(spans[2])
        hidden = merge((*dark, *own))
        there = merge((*near, *((a - NEAR, b + NEAR) for a, b in own)))
        truth = Truth(clocks.spans(spans[0]), hidden, there, clocks.spans(spans[1]))
        _compare(series, truth, ledger.intervals(series, end), verdict)
    verdict.recorded = len(ledger.told)
    verdict.played += driver.played
    _whole(driver, ledger, verdict)


def _dark(script: Script, clocks: Clocks) -> Spans:
    spells = [(s.start, s.stop) for s in script.spells if s.kind in DARK]
    dead = [(r.at, r.at + r.down) for r in script.restarts]
    return merge([*clocks.spans([*spells, *dead]), *clocks.gaps()])


def _by_check(script: Script) -> dict[CheckId, tuple[list[Span], list[Span], list[Span]]]:
    """Check -> (when it was lost, when it was lossy, when it could not be asked), monotonic."""
    found: dict[CheckId, tuple[list[Span], list[Span], list[Span]]] = {}
    for spell in script.spells:
        if spell.kind in DARK:
            continue
        hub = [CheckId(HUB, "icmp")] if spell.kind is Kind.HUB else []
        for check in (*spell.checks(), *hub):
            lost, lossy, hidden = found.setdefault(check, ([], [], []))
            where = {Kind.LOSS: lossy, Kind.FAULT: hidden}.get(spell.kind, lost)
            where.append((spell.start, spell.stop))
    return found


def _series(script: Script) -> Iterable[tuple[str, CheckId]]:
    """Each series with the check that decides it."""
    for slug in script.slugs:
        yield f"endpoint:{router(slug)}", CheckId(router(slug), "icmp")
        yield f"endpoint:{codec(slug)}", CheckId(codec(slug), "sip")
        yield f"province:{slug}", CheckId(codec(slug), "sip")
    yield f"endpoint:{HUB}", CheckId(HUB, "icmp")


def _compare(series: str, truth: Truth, recorded: Sequence[Interval], verdict: Verdict) -> None:
    def of(states: frozenset[State]) -> list[Interval]:
        return [each for each in recorded if each.state in states]

    _continuous(series, recorded, verdict)
    lost = merge((i.start, i.stop or i.start) for i in of(LOST))
    well = merge((i.start, i.stop or i.start) for i in of(WELL))
    known = {i.start: i.known_at for i in of(LOST)}
    _outages(series, truth, lost, known, verdict)
    for false in lost:
        if not intersect(merge((a - EXACT, b + LOSSY) for a, b in truth.lost), (false,)):
            verdict.false += 1
            verdict.blame(f"{series}: false outage {_told(false)}")
    sure = merge((a + DARKENS, b - GRAIN) for a, b in truth.dark if b - a > DARKENS + GRAIN)
    for states, word in ((well, "well"), (lost, "lost")):
        if seen := intersect(states, sure):
            verdict.blame(f"{series}: called {word} while nobody could know, {_told(seen[0])}")
    _availability(series, truth, recorded, verdict)


def _continuous(series: str, recorded: Sequence[Interval], verdict: Verdict) -> None:
    for one, other in pairwise(recorded):
        if one.stop != other.start:
            verdict.blame(f"{series}: a hole or an overlap at {one.stop}, next {other.start}")


def _outages(
    series: str, truth: Truth, lost: Spans, known: dict[float, float], verdict: Verdict
) -> None:
    starts = [span[0] for span in lost]
    for span in truth.lost:
        hidden = intersect((span,), truth.near)
        if sum(b - a for a, b in hidden):
            seen = _without(span, truth.near)
            if max((b - a for a, b in seen), default=0.0) >= 2 * NOT_MISSED:
                verdict.outages += 1
                if not intersect(lost, merge(seen)):
                    verdict.missed += 1
                    verdict.blame(f"{series}: missed {_told(span)}, though half hidden")
            continue
        must = span[1] - span[0] >= NOT_MISSED
        lossy = intersect(((span[0] - 300, span[1] + 300),), truth.lossy)
        bound = EXACT if must and not lossy else LOSSY
        found = intersect(lost, ((span[0] - bound, span[1] + bound),))
        verdict.outages += must
        if not found:
            if must:
                verdict.missed += 1
                verdict.blame(f"{series}: missed {_told(span)}")
            continue
        _edges(series, span, lost[_at(starts, found[0][0])], bound, verdict)
        noticed = known.get(lost[_at(starts, found[0][0])][0], 0.0) - span[0]
        verdict.known_worst = max(verdict.known_worst, noticed)
        if len(found) > 1:
            verdict.blame(f"{series}: {_told(span)} was recorded as {len(found)} outages")


def _at(starts: Sequence[float], at: float) -> int:
    index = bisect_left(starts, at)
    return index if index < len(starts) and starts[index] == at else index - 1


def _edges(series: str, span: Span, found: Span, bound: float, verdict: Verdict) -> None:
    onset, end = found[0] - span[0], found[1] - span[1]
    verdict.onset_worst = max(verdict.onset_worst, abs(onset))
    verdict.end_worst = max(verdict.end_worst, abs(end))
    if abs(onset) > bound or abs(end) > bound:
        verdict.blame(f"{series}: {_told(span)} off by {onset:+.1f} s and {end:+.1f} s")


def _without(span: Span, holes: Spans) -> list[Span]:
    """The parts of the span that lie in none of the holes."""
    left, parts = span[0], []
    for start, stop in intersect((span,), holes):
        parts.append((left, start))
        left = stop
    return [(a, b) for a, b in (*parts, (left, span[1])) if b > a]


def _availability(
    series: str, truth: Truth, recorded: Sequence[Interval], verdict: Verdict
) -> None:
    """The product's own figure over what was recorded, held against the truth."""
    start, stop = recorded[0].start, recorded[-1].stop or recorded[-1].start
    everything = ((start, stop),)
    unknown = intersect(truth.dark, everything)
    lit = [part for span in everything for part in _without(span, unknown)]
    really_lost = sum(b - a for a, b in intersect(truth.lost, merge(lit)))
    really = 1 - really_lost / sum(b - a for a, b in lit)
    whole = milliseconds(start), milliseconds(stop)
    figure = availability(recorded, Terms(*whole, (whole,)))
    told = float(figure.ratio) if figure.ratio is not None else float("nan")
    off = abs(told - really)
    verdict.points_worst = max(verdict.points_worst, 100 * off)
    if not off <= POINTS:
        verdict.blame(f"{series}: availability off by {100 * off:.4f} points")


def _whole(driver: Driver, ledger: Ledger | Remembered, verdict: Verdict) -> None:
    """What was written, replayed, is what the board believes; and the book is whole."""
    believed: dict[str, State] = {}
    for province in driver.board.snapshot().provinces:
        believed[f"province:{province.province.slug}"] = province.standing.state
        for status in province.endpoints:
            believed[f"endpoint:{status.endpoint.id}"] = status.standing.state
    for series, state in believed.items():
        current = ledger.open.get(series)
        if current is None or current.state is not state:
            verdict.blame(f"{series}: believed {state}, written {current and current.state}")
    owners = [incident.owner for incident in ledger.book.open.values()]
    if len(owners) != len(set(owners)):
        verdict.blame(f"two open incidents of one owner: {sorted(owners)}")
    lost = {series for series, state in believed.items() if state in LOST}
    if not lost <= ledger.book.where.keys():
        verdict.blame(f"lost, but in no incident: {sorted(lost - ledger.book.where.keys())}")
    if well := {s for s in ledger.book.where if believed.get(s) in WELL}:
        verdict.blame(f"well, but in an open incident: {sorted(well)}")


def _told(span: Span) -> str:
    return f"[{span[0]:.1f}, {span[1]:.1f}) of {span[1] - span[0]:.1f} s"
