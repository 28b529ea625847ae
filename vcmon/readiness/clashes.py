"""Which sittings fall on a holiday or under maintenance of those who are to join; pure, but for
:func:`days_off_of`, which reads the calendars of ``holidays``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

from vcmon.history.base import ms
from vcmon.history.facts import Facts
from vcmon.history.hours import days_off
from vcmon.history.maintenance import DAY, occasions, under
from vcmon.model.meeting import Meeting, Sitting
from vcmon.model.memory import Maintenance, Occasion
from vcmon.readiness.agenda import sittings

AHEAD = 90 * DAY
"""Seconds ahead that are looked through: a weekly meeting's clash is told in time to move it."""

CLASHES = 200
"""Told at once: a daily meeting under a maintenance of three months, and as much again."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A sitting that is better held at another time: under ``occasion``, or on ``holiday``."""

    sitting: Sitting
    holiday: str = (
        ""  # its name in Bahasa Indonesia, "(perkiraan)" where the state has yet to set it
    )
    occasion: Occasion | None = None
    provinces: tuple[str, ...] = ()  # of the roster, that the occasion touches
    room: bool = False  # it touches the room that all join


def clashes(
    meetings: Iterable[Meeting], windows: Iterable[Maintenance], facts: Facts, now: float
) -> tuple[Clash, ...]:
    """Every clash within :data:`AHEAD`, in order of the sittings. Not for the event loop."""
    coming = sittings(meetings, now, now + AHEAD)
    planned = occasions(windows, now, now + AHEAD)
    return _in_order(
        on_holidays(coming, days_off_of(coming)), under_maintenance(coming, planned, facts)
    )


def under_windows(
    meetings: Iterable[Meeting], windows: Iterable[Maintenance], facts: Facts, now: float
) -> tuple[Clash, ...]:
    """As :func:`clashes`, without the holidays: what planning a window brings about."""
    coming = sittings(meetings, now, now + AHEAD)
    return _in_order(under_maintenance(coming, occasions(windows, now, now + AHEAD), facts))


def _in_order(*those: Iterable[Clash]) -> tuple[Clash, ...]:
    found = sorted(chain(*those), key=lambda each: (each.sitting.start, each.sitting.id))
    return tuple(found[:CLASHES])


def on_holidays(those: Iterable[Sitting], closed: Mapping[date, str]) -> Iterator[Clash]:
    """Each sitting that begins on a day that is off, on its own clock."""
    for each in those:
        if name := closed.get(_day(each)):
            yield Clash(each, holiday=name)


def days_off_of(those: Sequence[Sitting]) -> Mapping[date, str]:
    """The holidays and days of collective leave from the first to the last of these sittings."""
    if not those:
        return {}
    low, high = min(each.start for each in those), max(each.start for each in those)
    return days_off(ms(low - DAY), ms(high + DAY), ZoneInfo("Asia/Jakarta"))


def under_maintenance(
    those: Iterable[Sitting], planned: Sequence[Occasion], facts: Facts
) -> Iterator[Clash]:
    """Each sitting and occasion that overlap, where the occasion touches one of the roster: itself,
    one of its endpoints, or what they stand behind.
    """
    touched: dict[Maintenance, frozenset[str]] = {}
    for each in those:
        for occasion in planned:
            if occasion.start >= each.stop or occasion.stop <= each.start:
                continue
            window = occasion.maintenance
            if window not in touched:
                touched[window] = under([occasion], facts)
            places = frozenset(map(partial(_place, facts), touched[window]))
            slugs = tuple(s.province for s in each.meeting.seats if s.province in places)
            room = bool(each.meeting.room) and f"endpoint:{each.meeting.room}" in touched[window]
            if slugs or room:
                yield Clash(each, occasion=occasion, provinces=slugs, room=room)


def _place(facts: Facts, series: str) -> str:
    kind, _, name = series.partition(":")
    return facts.endpoints[name].province if kind == "endpoint" else name


def _day(it: Sitting) -> date:
    return datetime.fromtimestamp(it.start, ZoneInfo(it.meeting.zone)).date()
