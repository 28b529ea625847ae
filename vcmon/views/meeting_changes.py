"""What changed while a sitting went on, in words: who dropped, and who came back. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vcmon.model.memory import Interval
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.meeting_past import Past
from vcmon.views.meeting_roll import Look

SHOWN = 100
"""Changes on the page, the latest; the minutes hold all of them."""

TOLD = frozenset({State.DOWN, State.UNREACHABLE, State.DEGRADED})
"""States that are a change worth telling; a gap in what was seen tells nothing of a province."""


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch in which a province was not well while the sitting went on."""

    key: str
    slug: str
    name: str
    glyph: str
    word: str
    start: str
    stop: str  # "" while it goes on
    lasting: str  # of it, within the sitting
    at: float  # wall seconds of what happened last: the newest stands first


def changes_of(past: Past, look: Look) -> list[Change]:
    """Everything that was lost or disturbed between the start and the end, the newest first."""
    found = sorted(_all(past, look), key=lambda each: -each.at)
    return found[:SHOWN]


def _all(past: Past, look: Look) -> Iterator[Change]:
    for slug, intervals in past.intervals.items():
        for interval in intervals:
            if interval.state in TOLD:
                yield _change(slug, interval, past, look)


def _change(slug: str, it: Interval, past: Past, look: Look) -> Change:
    sitting, tongue = past.sitting, look.tongue
    start, end = max(it.start, sitting.start), min(sitting.stop, look.now)
    stop = end if it.stop is None else min(it.stop, end)
    closed = it.stop is not None and it.stop <= end
    return Change(
        key=f"{slug}-{it.start:.3f}",
        slug=slug,
        name=look.name(slug),
        glyph=it.state.value,
        word=tongue.state(it.state),
        start=tongue.moment(it.start, look.now, words.WIB),
        stop=tongue.moment(stop, look.now, words.WIB) if closed else "",
        lasting=tongue.lasting(stop - start),
        at=stop if closed else start,
    )
