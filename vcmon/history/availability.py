"""The availability figure, exactly: every millisecond of a span is counted as one thing.

    availability = (up + degraded + short) / (up + degraded + short + down + unreachable)
    coverage     = counted / (counted + unknown), where counted is the denominator above

What goes before what: outside of the hours, maintenance, a cause that is left out, the state.
Whether an outage is too short to count is judged by its whole length, clipped by nothing: so a
month's end, a night or a maintenance window can't make a long outage short. Only what was down or
unreachable is left out by cause: a power cut takes no good minute out of the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from operator import attrgetter

from vcmon.history.spans import Ruler, Span, Spans, merged, milliseconds, overlap, total, without
from vcmon.model.memory import Counted, Interval
from vcmon.model.result import Reason
from vcmon.model.status import State

LOST = frozenset({State.DOWN, State.UNREACHABLE})
GOOD = (Counted.UP, Counted.DEGRADED, Counted.SHORT)
BAD = (Counted.DOWN, Counted.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is counted, and by which rules; all times in milliseconds (UTC)."""

    start: int
    stop: int
    hours: Spans  # within [start, stop)
    maintenance: Spans = ()
    left_out: Spans = ()  # when a cause that is left out was at work
    shortest: int = 0  # an outage of less than this counts as available
    until: int | None = None  # what is still open is known up to here; None: up to ``stop``


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch without a conference, as it was: clipped by nothing."""

    start: int
    stop: int | None  # None: it still goes on
    counted: int  # milliseconds of it that count as down or unreachable here
    reason: Reason
    parent: str | None = None  # endpoint id of the true cause
    short: bool = False  # too short to count


@dataclass(frozen=True, slots=True)
class Availability:
    """Milliseconds by what they are counted as (all keys are there), and the outages."""

    milliseconds: Mapping[Counted, int]
    outages: tuple[Outage, ...] = ()  # that touch the hours, the short ones too, in order
    count: int = 0  # outages that count
    longest: int = 0  # milliseconds that count of the longest outage

    @property
    def good(self) -> int:
        """The numerator: milliseconds available."""
        return sum(self.milliseconds[each] for each in GOOD)

    @property
    def bad(self) -> int:
        """Milliseconds of outage."""
        return sum(self.milliseconds[each] for each in BAD)

    @property
    def counted(self) -> int:
        """The denominator: milliseconds measured, and neither left out nor planned."""
        return self.good + self.bad

    @property
    def ratio(self) -> Fraction | None:
        """The availability, 0 to 1; None when nothing was measured."""
        return Fraction(self.good, self.counted) if self.counted else None

    @property
    def coverage(self) -> Fraction | None:
        """The share that was measured of what should have been; None when nothing should."""
        whole = self.counted + self.milliseconds[Counted.UNKNOWN]
        return Fraction(self.counted, whole) if whole else None

    @property
    def mttr(self) -> Fraction | None:
        """Mean time to repair, milliseconds: outage time by number of outages; None without any."""
        return Fraction(self.bad, self.count) if self.count else None


def availability(intervals: Iterable[Interval], terms: Terms) -> Availability:
    """What the intervals of one series amount to in ``terms``; they may come in any order.

    Intervals that only overlap the span must come whole, and those that touch them too: an outage
    has the length that they tell. Where two overlap, the later one is believed from its start on.
    What no interval tells is unknown.
    """
    line = _timeline(intervals, terms.stop if terms.until is None else terms.until)
    within = merged([(terms.start, terms.stop)])
    hours = overlap(terms.hours, within)
    planned = overlap(hours, terms.maintenance)
    rest = without(hours, planned)
    runs = [_Run.of(pieces) for pieces in _runs(line)]
    lost = merged((run.start, run.stop) for run in runs)
    left_out = overlap(overlap(rest, lost), terms.left_out)
    rest = without(rest, left_out)
    short = overlap(
        rest, merged((r.start, r.stop) for r in runs if r.stop - r.start < terms.shortest)
    )
    judged = without(rest, short)
    amounts = dict.fromkeys(Counted, 0)
    for state, spans in _by_state(line).items():
        amounts[Counted(state.value)] = total(overlap(judged, merged(spans)))
    amounts |= {
        Counted.SHORT: total(short),
        Counted.EXCLUDED: total(left_out),
        Counted.MAINTENANCE: total(planned),
        Counted.OUTSIDE: total(without(within, hours)),
    }
    known = merged((start, stop) for start, stop, _ in line)
    amounts[Counted.UNKNOWN] += total(without(judged, known))
    return _with_outages(amounts, runs, (rest, judged))


def _by_state(line: Iterable[_Piece]) -> Mapping[State, list[Span]]:
    found: dict[State, list[Span]] = {}
    for start, stop, each in line:
        found.setdefault(each.state, []).append((start, stop))
    return found


def _with_outages(
    amounts: Mapping[Counted, int], runs: Sequence[_Run], spans: tuple[Spans, Spans]
) -> Availability:
    rest, judged = Ruler(spans[0]), Ruler(spans[1])
    outages = [
        run.told(judged.within(run.start, run.stop))
        for run in runs
        if rest.within(run.start, run.stop)
    ]
    lengths = [each.counted for each in outages if each.counted]
    return Availability(amounts, tuple(outages), len(lengths), max(lengths, default=0))


_Piece = tuple[int, int, Interval]


def _timeline(intervals: Iterable[Interval], until: int) -> list[_Piece]:
    """The intervals in order, each ending where the next begins at the latest."""
    ordered = sorted(intervals, key=attrgetter("start"))
    starts = [milliseconds(each.start) for each in ordered]
    line = []
    for each, start, following in zip_longest(ordered, starts, starts[1:]):
        stop = until if each.stop is None else milliseconds(each.stop)
        if following is not None and following < stop:
            stop = following
        if start < stop:
            line.append((start, stop, each))
    return line


@dataclass(frozen=True, slots=True)
class _Run:
    """One outage: down and unreachable, one after the other without a break."""

    start: int
    stop: int
    open: bool
    first: Interval

    @classmethod
    def of(cls, pieces: Sequence[_Piece]) -> _Run:
        last = pieces[-1]
        return cls(pieces[0][0], last[1], last[2].stop is None, pieces[0][2])

    def told(self, counted: int) -> Outage:
        stop = None if self.open else self.stop
        first = self.first
        return Outage(self.start, stop, counted, first.reason, first.parent, short=not counted)


def _runs(line: Iterable[_Piece]) -> Iterable[list[_Piece]]:
    run: list[_Piece] = []
    for piece in line:
        if run and (piece[0] != run[-1][1] or piece[2].state not in LOST):
            yield run
            run = []
        if piece[2].state in LOST:
            run.append(piece)
    if run:
        yield run


def together(figures: Sequence[Availability]) -> Availability:
    """Several series as one: times and outages added up, the longest outage of any."""
    amounts = {each: sum(one.milliseconds[each] for one in figures) for each in Counted}
    count = sum(one.count for one in figures)
    return Availability(amounts, (), count, max((one.longest for one in figures), default=0))


def floor_percent(share: Fraction) -> tuple[int, int]:
    """Whole per cent and hundredths of a share, cut off: 0.999999 is (99, 99), never (100, 0)."""
    return divmod(share.numerator * 10_000 // share.denominator, 100)
