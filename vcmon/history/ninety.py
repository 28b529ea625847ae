"""The last ninety days of a series, as a page's bars tell them; made of the roll-up of days.

All time counts here, planned maintenance too: a bar shows what was, a report says what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from vcmon.history.base import ms
from vcmon.history.rollup import DAYS, RollUp, Span
from vcmon.history.schema import CODES
from vcmon.history.spans import Spans, merged
from vcmon.history.store import Store
from vcmon.model.status import State

SHOWN = 90
"""Days, today among them."""

SHORTEST = 60.0
"""Seconds of a day below which a state does not colour it."""

LOST = frozenset({CODES[State.DOWN], CODES[State.UNREACHABLE]})


class Day(NamedTuple):
    """One day of Jakarta's calendar; shares from 0 to 1, of today of what is over of it."""

    worst: State  # DOWN (unreachable, too), DEGRADED or UP, and UNKNOWN where nothing was seen
    share: float  # of the day in that state
    unknown: float  # share in which nobody saw


NOTHING_SEEN = Day(State.UNKNOWN, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Ninety:
    """Ninety days of one series."""

    days: tuple[Day, ...]  # oldest first; the last is today
    ratio: Fraction | None  # availability, 0 to 1; None where nothing was measured
    lost: int  # days with a minute or more without a conference
    longest: float = 0.0  # seconds of the longest outage that touches them, whole
    longest_at: float = 0.0  # wall seconds when it began


def ninety(rows: Iterable[RollUp], outages: Spans, now: float, until: float) -> Ninety:
    """The ninety days up to wall second ``now``, rolled up ``until``.

    ``outages`` are those that touch them, in milliseconds.
    """
    held = {DAYS.slot(ms(row.start)): row for row in rows}
    today = DAYS.slot(ms(now))
    slots = range(today - SHOWN + 1, today + 1)
    days = tuple(_day(held.get(slot), until - DAYS.start(slot) / 1000) for slot in slots)
    found = [held[slot] for slot in slots if slot in held]
    good = sum(ms(row.up) + ms(row.degraded) for row in found)
    bad = sum(ms(row.down) + ms(row.unreachable) for row in found)
    longest = max(outages, key=lambda span: span[1] - span[0], default=(0, 0))
    return Ninety(
        days,
        Fraction(good, good + bad) if good + bad else None,
        sum(day.worst is State.DOWN for day in days),
        (longest[1] - longest[0]) / 1000,
        longest[0] / 1000,
    )


def _day(row: RollUp | None, begun: float) -> Day:
    over = min(begun, DAYS.width / 1000)
    if row is None or over <= 0:
        return NOTHING_SEEN
    lost = row.down + row.unreachable
    seen = row.up + row.degraded + lost
    unknown = max(0.0, over - seen)
    blind = unknown / over if unknown >= SHORTEST else 0.0
    for state, seconds in ((State.DOWN, lost), (State.DEGRADED, row.degraded)):
        if seconds >= SHORTEST:
            return Day(state, min(1.0, seconds / over), blind)
    return Day(State.UP, min(1.0, row.up / over), blind) if seen >= SHORTEST else NOTHING_SEEN


def outages_of(spans: Iterable[Span], until: int) -> Spans:
    """What was lost without a break; what goes on does ``until`` a millisecond."""
    return merged(
        (span.start, until if span.stop is None else span.stop)
        for span in spans
        if span.state in LOST
    )


def read_ninety(path: Path, series: Sequence[str], now: float) -> Mapping[str, Ninety]:
    """Ninety days of each of these series, by name; those without any are left out.

    Raises HistoryError and sqlite3.Error. Not for the loop.
    """
    store = Store.open(path, write=False)
    try:
        until = min(now, store.rolled() or 0.0)
        first = DAYS.start(DAYS.slot(ms(now)) - SHOWN + 1)
        found = {}
        for name in series:
            number = store.known_series(name)
            if number is None:
                continue
            outages = outages_of(store.spans(number, first, ms(until)), ms(until))
            rows = store.totals(name, DAYS, first / 1000, until)
            if rows:
                found[name] = ninety(rows, outages, now, until)
        return found
    finally:
        store.close()
