"""Ninety days as one small picture a province. Pure, and written once for each reading.

One path a kind, run by run: 38 of them weigh a twentieth of an element for each day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from vcmon.history.availability import floor_percent
from vcmon.history.ninety import SHOWN, Day, Ninety
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.tongue import Tongue

HEIGHT = 20
"""Units of the picture; a day is one unit wide."""

LEAST = 3
"""Units: a minute of outage must be seen, too."""

Step = tuple[int, int]
"""From which unit, counted from above, and how high."""

NOTHING: Step = (HEIGHT, 0)

_PICTURE = Markup(
    '<svg class="bar" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">'
    "<title>{}</title>{}</svg>"
)
_PATH = Markup('<path {} d="{}"/>')
_LOST, _POOR = Markup('class="down"'), Markup('class="degraded"')
_HATCH = Markup('fill="url(#hatch)"')


def pictures(found: Mapping[str, Ninety], tongue: Tongue) -> Mapping[str, Markup]:
    """The picture of each province, by slug."""
    return {slug: picture(each, tongue) for slug, each in found.items()}


def picture(it: Ninety, tongue: Tongue) -> Markup:
    """Ninety days; what was well is the ground, the rest stands on it or hangs into it."""
    paths = (
        _PATH.format(kind, path(steps))
        for kind, steps in (
            (_LOST, [_fault(day, State.DOWN) for day in it.days]),
            (_POOR, [_fault(day, State.DEGRADED) for day in it.days]),
            (_HATCH, [_unseen(day) for day in it.days]),
        )
        if any(high for _, high in steps)
    )
    return _PICTURE.format(SHOWN, HEIGHT, told(it, tongue), Markup("").join(paths))


def path(steps: Sequence[Step]) -> str:
    """The steps as the ``d`` of one path; equal neighbours are one."""
    return "".join(_runs(steps))


def _runs(steps: Sequence[Step]) -> Iterator[str]:
    x = 0
    for (top, high), same in groupby(steps):
        wide = len(list(same))
        if high:
            yield f"M{x} {top}h{wide}v{high}h-{wide}z"
        x += wide


def _fault(day: Day, kind: State) -> Step:
    if day.worst is not kind:
        return NOTHING
    high = max(LEAST, round(day.share * HEIGHT))
    return HEIGHT - high, high


def _unseen(day: Day) -> Step:
    if not day.unknown:
        return NOTHING
    room = HEIGHT - _fault(day, day.worst)[1] if day.worst in _FAULTS else HEIGHT
    return 0, min(room, max(LEAST, round(day.unknown * HEIGHT)))


_FAULTS = frozenset({State.DOWN, State.DEGRADED})


def told(it: Ninety, tongue: Tongue) -> str:
    """``90 hari: 99,41 %; 3 hari terputus; terlama 4 jam 12 mnt (12 Jul)``."""
    if it.ratio is None:
        return tongue.say("90 hari: tidak ada data")
    whole, cents = floor_percent(it.ratio)
    share = f"{whole}{tongue.comma}{cents:02d} %"
    if not it.lost:
        return tongue.say("90 hari: {share}; tidak pernah terputus", share=share)
    local = words.local_time(it.longest_at, words.WIB)
    date = f"{local.day} {tongue.say(words.MONTHS[local.month - 1])}" if local else words.NOTHING
    return tongue.say(
        "90 hari: {share}; {n} hari terputus; terlama {longest} ({date})",
        share=share,
        n=it.lost,
        longest=tongue.lasting(it.longest),
        date=date,
    )
