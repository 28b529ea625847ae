"""What one province's page tells of the past: measurements, availability, incidents, ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vcmon.config.settings import Settings
from vcmon.history.availability import Availability
from vcmon.history.base import ms
from vcmon.history.paths import Pair
from vcmon.history.people import FAR, Wanted
from vcmon.history.report import Desk, count_span
from vcmon.history.rollup import DAYS, FIVE_MINUTES, NOTHING, Grain, RollUp, Times, times
from vcmon.history.store import Store
from vcmon.model.memory import Incident
from vcmon.model.path import Route

DAY = 86_400.0

SPAN = 90 * DAY
"""How far back the page looks."""

INCIDENTS = 10
"""The newest of the province; the list of incidents has all."""

TRACED, PAIRS = 30, 3
"""Endpoints whose failing ways are looked for, and ways that are told: the newest."""


class Curve(NamedTuple):
    """Measurements slot by slot, without a hole: what nobody measured is a slot of zeros."""

    step: float  # seconds
    until: float  # wall seconds: the last slot goes on
    slots: tuple[RollUp, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """One endpoint's last hour, day and 90 days."""

    hour: Curve
    day: Curve
    quarter: Curve


@dataclass(frozen=True, slots=True)
class Glance:
    """What is remembered of one province."""

    figure: Availability  # of the last 90 days
    incidents: tuple[Incident, ...]  # newest first
    more: bool  # there are older ones within 90 days
    days: Curve  # the province's last 90, day by day
    curves: Curves | None  # of the endpoint that was asked for
    pairs: tuple[Pair, ...]  # failing ways, newest first
    healthy: Route | None  # the way to the endpoint that was asked for, when it was well


def read_glance(store: Store, settings: Settings, slug: str, endpoint: str, now: float) -> Glance:
    """What the page of ``slug`` needs, with the curves of one of its endpoints ("" for none).

    Raises sqlite3.Error. Not for the loop.
    """
    names = [each.id for each in settings.endpoints if each.province == slug]
    subjects = (f"province:{slug}", *(f"endpoint:{name}" for name in names))
    found = store.find(Wanted(now - SPAN, FAR, INCIDENTS + 1, subjects=subjects))
    figure = count_span(Desk(store, settings, now), settings.provinces[slug], now - SPAN, now)
    return Glance(
        figure,
        tuple(found[:INCIDENTS]),
        len(found) > INCIDENTS,
        read_days(store, f"province:{slug}", now),
        read_curves(store, f"endpoint:{endpoint}", now) if endpoint else None,
        _newest(store, names, now),
        store.healthy_route(endpoint) if endpoint else None,
    )


def _newest(store: Store, names: Sequence[str], now: float) -> tuple[Pair, ...]:
    latest = (store.failing_routes(name, now - SPAN, FAR)[:1] for name in names[:TRACED])
    pairs = sorted((pair for each in latest for pair in each), key=lambda pair: -pair.now.at)
    return tuple(pairs[:PAIRS])


def read_curves(store: Store, series: str, now: float) -> Curves:
    """The series' last hour and day by five minutes, and its last 90 days. Raises sqlite3.Error."""
    day = _minutes(store, series, now)
    return Curves(day._replace(slots=day.slots[-12:]), day, read_days(store, series, now))


def _minutes(store: Store, series: str, now: float) -> Curve:
    grain = FIVE_MINUTES
    rows = _by_slot(store, series, grain, now, grain.slot(ms(now)) - 287)
    return Curve(grain.width / 1000, now, _as_of_now(store, series, (grain, now), rows))


def read_days(store: Store, series: str, now: float) -> Curve:
    """The series' last 90 days. Raises sqlite3.Error."""
    rows = _by_slot(store, series, DAYS, now, DAYS.slot(ms(now)) - 89)
    today = _as_of_now(store, series, (DAYS, now), rows[-1:])
    return Curve(DAYS.width / 1000, now, (*rows[:-1], *today))


def _by_slot(store: Store, series: str, grain: Grain, now: float, first: int) -> list[RollUp]:
    held = {row.start: row for row in store.totals(series, grain, grain.start(first) / 1000, now)}
    starts = (grain.start(slot) / 1000 for slot in range(first, grain.slot(ms(now)) + 1))
    return [held.get(start, RollUp(start)) for start in starts]


def _as_of_now(
    store: Store, series: str, until: tuple[Grain, float], rows: Sequence[RollUp]
) -> tuple[RollUp, ...]:
    """The rows with their states out of the intervals: roll-ups are some minutes behind."""
    grain, now = until
    begin, number = ms(rows[0].start), store.known_series(series)
    known = (
        {} if number is None else times(store.spans(number, begin, ms(now)), grain, begin, ms(now))
    )
    return tuple(_in_states(row, known.get(grain.slot(ms(row.start)), NOTHING)) for row in rows)


def _in_states(row: RollUp, each: Times) -> RollUp:
    up, degraded, down, unreachable, unknown = (milliseconds / 1000 for milliseconds in each)
    return row._replace(
        up=up, degraded=degraded, down=down, unreachable=unreachable, unknown=unknown
    )


def together(slots: Sequence[RollUp]) -> RollUp:
    """Several slots as one, from the first's start."""
    sums = RollUp._make(sum(column) for column in zip(*slots, strict=True))
    return sums._replace(start=slots[0].start, rtt_max=max(slot.rtt_max for slot in slots))
