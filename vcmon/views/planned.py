"""Planned maintenance in words: what is on, and what begins soon. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vcmon.model.memory import Occasion
from vcmon.model.province import Province
from vcmon.views import words
from vcmon.views.tongue import Tongue

SHOWN = 8
"""Occasions on the page; a week with more of them is told by the API."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One occasion in words."""

    on: bool
    what: str  # ``Papua: Penggantian router``
    when: str  # ``28 Nov 22.00 WIT sampai 29 Nov 02.00 WIT``


def planned_of(
    occasions: Sequence[Occasion], provinces: Mapping[str, Province], now: float, tongue: Tongue
) -> Iterator[Planned]:
    """The occasions that have not ended, in their order, in the window's own zone."""
    for each in occasions:
        if each.stop <= now:
            continue
        it = each.maintenance
        zone = ZoneInfo(it.zone)
        start, stop = tongue.day(each.start, now, zone), tongue.day(each.stop, now, zone)
        what = f"{scope_words(it.scope, provinces, tongue)}: {words.clean(it.title)}"
        yield Planned(each.start <= now, what, f"{start} {tongue.say(words.UNTIL)} {stop}")


def scope_words(scope: str, provinces: Mapping[str, Province], tongue: Tongue) -> str:
    """What a window is for."""
    kind, _, name = scope.partition(":")
    if kind == "province" and name in provinces:
        return tongue.province(provinces[name])
    return words.clean(f"{tongue.say(words.SCOPES.get(kind, kind))} {name}".strip(), 80)
