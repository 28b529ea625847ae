"""Curves in words: the picture, the sentence that stands for it, and the table behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vcmon.history.glance import Curve, Curves, together
from vcmon.history.rollup import RollUp
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.charts import (
    Strokes,
    jitter_of,
    lasted,
    loss_of,
    rtt_of,
    state_of,
    strokes,
    unseen,
)
from vcmon.views.day_words import date
from vcmon.views.tongue import Tongue

HOUR, DAY = 3600.0, 86_400.0


class Cells(NamedTuple):
    """One row of the table."""

    at: str
    rtt: str
    peak: str
    jitter: str
    loss: str
    state: State
    word: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One curve as the page shows it."""

    key: str
    title: str
    told: str  # what the picture shows, for who doesn't see it
    strokes: Strokes
    rtt_axis: str
    jitter_axis: str
    loss_axis: str
    begins: str
    ends: str
    rows: tuple[Cells, ...]  # newest first


def pictures_of(curves: Curves, zone: ZoneInfo, t: Tongue) -> list[Picture]:
    """The last hour, day and 90 days."""
    return [
        _picture(("jam", t.say("Satu jam terakhir")), curves.hour, zone, t),
        _picture(("hari", t.say("24 jam terakhir")), curves.day, zone, t),
        _picture(("90hari", t.say("90 hari terakhir")), curves.quarter, zone, t),
    ]


def _picture(named: tuple[str, str], curve: Curve, zone: ZoneInfo, t: Tongue) -> Picture:
    drawn = strokes(curve)
    first, now = curve.slots[0].start, curve.until
    days = curve.step >= DAY
    return Picture(
        key=named[0],
        title=named[1],
        told=summary(curve, t),
        strokes=drawn,
        rtt_axis=t.milliseconds(drawn.rtt_axis) if drawn.rtt_axis else words.NOTHING,
        jitter_axis=t.milliseconds(drawn.jitter_axis) if drawn.jitter_axis else words.NOTHING,
        loss_axis=t.percent(drawn.loss_axis),
        begins=date(first, t) if days else t.day(first, now, zone),
        ends=t.say("hari ini") if days else t.day(now, now, zone),
        rows=tuple(_rows(curve, zone, t)),
    )


def summary(curve: Curve, t: Tongue) -> str:
    """``RTT rata-rata 43 ms (41 ms sampai 52 ms), puncak 120 ms; jitter rata-rata 2 ms, tertinggi
    9 ms; hilang 0,1 %; terputus 2 jam``.
    """
    slots = curve.slots
    means = [rtt for rtt in map(rtt_of, slots) if rtt is not None]
    whole = together(slots)
    parts = []
    if (mean := rtt_of(whole)) is not None:
        low, high = t.milliseconds(min(means)), t.milliseconds(max(means))
        figures = {"mean": t.milliseconds(mean), "peak": t.milliseconds(whole.rtt_max / 1e6)}
        parts.append(t.say(words.SPREAD, low=low, high=high, **figures))
    if (jitter := jitter_of(whole)) is not None:
        most = max(each for each in map(jitter_of, slots) if each is not None)
        figures = {"mean": t.milliseconds(jitter), "peak": t.milliseconds(most)}
        parts.append(t.say("jitter rata-rata {mean}, tertinggi {peak}", **figures))
    if (loss := loss_of(whole)) is not None:
        parts.append(t.say(words.LOST_SHARE, share=t.percent(loss)))
    for state, seconds in (
        (State.DOWN, whole.down),
        (State.UNREACHABLE, whole.unreachable),
        (State.DEGRADED, whole.degraded),
    ):
        if seconds >= 1:
            parts.append(f"{t.state(state).lower()} {t.lasting(seconds)}")
    blank = sum(unseen(slot, lasted(curve, slot)) for slot in slots)
    if blank:
        parts.append(t.say("tidak terukur {age}", age=t.lasting(blank * curve.step)))
    return "; ".join(parts)


def _rows(curve: Curve, zone: ZoneInfo, t: Tongue) -> Iterator[Cells]:
    length = curve.step if len(curve.slots) < 100 else HOUR
    for start, slots in _coarser(curve.slots, length):
        one = together(slots)
        state = state_of(one, max(0.0, min(length, curve.until - start)))
        rtt = rtt_of(one)
        yield Cells(
            at=date(start, t) if length >= DAY else t.day(start, curve.until, zone),
            rtt=t.milliseconds(rtt),
            peak=words.NOTHING if rtt is None else t.milliseconds(one.rtt_max / 1e6),
            jitter=t.milliseconds(jitter_of(one)),
            loss=t.percent(loss_of(one)),
            state=state,
            word=t.state(state),
        )


def _coarser(slots: Sequence[RollUp], length: float) -> Iterator[tuple[float, list[RollUp]]]:
    """Slots of one hour together, newest first; all zones here are whole hours from UTC."""
    if length >= DAY:
        yield from ((slot.start, [slot]) for slot in reversed(slots))
        return
    for _, group in groupby(reversed(slots), key=lambda slot: slot.start // length):
        those = list(group)[::-1]
        yield those[0].start, those
