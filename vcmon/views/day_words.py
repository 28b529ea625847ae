"""A province's days in words: the table behind its bar. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import groupby
from typing import NamedTuple

from vcmon.history.glance import Curve
from vcmon.history.rollup import RollUp
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.charts import lasted, state_of
from vcmon.views.tongue import Tongue

LEAST = 1.0
"""Seconds below which nothing is told: they are rounded down."""


class Days(NamedTuple):
    """One row: a day, or several in a row of which there is nothing to tell apart."""

    key: str
    when: str  # "28 Nov", "1 Nov sampai 12 Nov"
    state: State
    word: str
    lost: str
    degraded: str
    unseen: str


def days_of(curve: Curve, t: Tongue) -> list[Days]:
    """Newest first."""
    newest_first = curve.slots[::-1]
    return [
        _row(curve, list(run), t)
        for _, run in groupby(newest_first, key=lambda slot: _likeness(curve, slot))
    ]


class _Time(NamedTuple):
    """Seconds of one day."""

    lost: float
    degraded: float
    unseen: float


def _time(curve: Curve, slot: RollUp) -> _Time:
    lost = slot.down + slot.unreachable
    unseen = max(0.0, lasted(curve, slot) - slot.up - slot.degraded - lost)
    return _Time(lost, slot.degraded, unseen)


def _likeness(curve: Curve, slot: RollUp) -> Hashable:
    """Equal for days that are told in one row: well throughout, or seen by nobody."""
    time = _time(curve, slot)
    if max(time) < LEAST:
        return State.UP
    return State.UNKNOWN if time.unseen >= lasted(curve, slot) > LEAST else slot.start


def _row(curve: Curve, run: list[RollUp], t: Tongue) -> Days:
    first, last = run[-1], run[0]
    state = state_of(first, lasted(curve, first))
    lost, degraded, unseen = (sum(column) for column in zip(*_times(curve, run), strict=True))
    when = date(first.start, t)
    return Days(
        key=f"h{int(first.start)}",
        when=when if first is last else f"{when} {t.say(words.UNTIL)} {date(last.start, t)}",
        state=state,
        word=t.state(state),
        lost=_lasting(lost, t),
        degraded=_lasting(degraded, t),
        unseen=_lasting(unseen, t),
    )


def _times(curve: Curve, run: list[RollUp]) -> Iterator[_Time]:
    return (_time(curve, slot) for slot in run)


def _lasting(seconds: float, t: Tongue) -> str:
    return t.lasting(seconds) if seconds >= LEAST else words.NOTHING


def date(at: float, t: Tongue) -> str:
    """``28 Nov``: days are Jakarta's, whatever the province's clock says."""
    local = words.local_time(at, words.WIB)
    return f"{local.day} {t.say(words.MONTHS[local.month - 1])}" if local else words.NOTHING
