"""Curves as paths of an SVG picture: round trips, jitter, loss, states, what nobody measured. Pure.

All is drawn run by run: what stays the same for a day is one stroke. The picture is WIDTH x HEIGHT
units and has no text: what it tells stands beside it, in words and in a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, log10
from operator import itemgetter

from vcmon.history.glance import Curve
from vcmon.history.rollup import RollUp
from vcmon.model.status import State

WIDTH, HEIGHT = 720, 116

TOP, FOOT = 3, 56
"""Between which round trips are drawn."""

JITTER_TOP, JITTER_FOOT = 62, 80
LOSS_TOP, LOSS_FOOT = 86, 104
STATE_TOP, STATE_FOOT = 108, 116

TOLD = 60.0
"""Seconds that a state must last to be what a slot is painted as: as on the bars of the page."""

LOSS_LEAST = 0.05
"""The loss axis shows at least so much: one packet of a thousand is no tower."""


@dataclass(frozen=True, slots=True)
class Strokes:
    """What to draw, as ``d`` of paths; "" for nothing. Axes in seconds and as a share."""

    mean: str
    peak: str  # the slowest round trip of each slot, cut at the axis
    jitter: str
    loss: str
    unmeasured: str
    states: tuple[tuple[State, str], ...]  # what was not up
    rtt_axis: float
    jitter_axis: float
    loss_axis: float


def rtt_of(slot: RollUp) -> float | None:
    """The slot's mean round-trip time, seconds."""
    return slot.rtt_sum / slot.rtt_n / 1e6 if slot.rtt_n else None


def jitter_of(slot: RollUp) -> float | None:
    """The slot's mean jitter, seconds."""
    return slot.jitter_sum / slot.jitter_n / 1e6 if slot.jitter_n else None


def loss_of(slot: RollUp) -> float | None:
    """The slot's lost share, 0 to 1."""
    return min(1.0, slot.lost / slot.sent) if slot.sent else None


def state_of(slot: RollUp, length: float) -> State:
    """The worst state of the slot that lasted, of so many seconds; UNKNOWN where half of them
    were not seen.
    """
    least = min(TOLD, length / 2)
    for state, seconds in (
        (State.DOWN, slot.down),
        (State.UNREACHABLE, slot.unreachable),
        (State.DEGRADED, slot.degraded),
    ):
        if seconds >= least > 0:
            return state
    return State.UNKNOWN if unseen(slot, length) else State.UP


def unseen(slot: RollUp, length: float) -> bool:
    """Whether half of the slot's seconds or more were not seen."""
    return slot.up + slot.degraded + slot.down + slot.unreachable <= length / 2


def axis(value: float) -> float:
    """The next of 1, 2, 5, 10 ... that is not below the value; 0 stays 0."""
    if value <= 0:
        return 0.0
    unit: float = 10.0 ** floor(log10(value))
    return next(step * unit for step in (1, 2, 5, 10) if step * unit >= value * 0.999999)


def strokes(curve: Curve) -> Strokes:
    """The picture of a curve."""
    slots = curve.slots
    means, jitters = [rtt_of(slot) for slot in slots], [jitter_of(slot) for slot in slots]
    rtt_axis, jitter_axis = _axis_of(means), _axis_of(jitters)
    losses = [loss_of(slot) for slot in slots]
    loss_axis = axis(max(LOSS_LEAST, *(each or 0.0 for each in losses)))
    peaks = [slot.rtt_max / 1e6 if slot.rtt_n else None for slot in slots]
    states = [state_of(slot, lasted(curve, slot)) for slot in slots]
    hatched = [unseen(slot, lasted(curve, slot)) for slot in slots]
    return Strokes(
        mean=_line([_height(each, rtt_axis, TOP, FOOT) for each in means]),
        peak=_line([_height(each, rtt_axis, TOP, FOOT) for each in peaks]),
        jitter=_line([_height(each, jitter_axis, JITTER_TOP, JITTER_FOOT) for each in jitters]),
        loss=_bars([_share(each, loss_axis) for each in losses]),
        unmeasured=_blocks(hatched, 0, HEIGHT),
        states=tuple(
            (state, _blocks([each is state for each in states], STATE_TOP, STATE_FOOT))
            for state in (State.DOWN, State.UNREACHABLE, State.DEGRADED)
            if state in states
        ),
        rtt_axis=rtt_axis,
        jitter_axis=jitter_axis,
        loss_axis=loss_axis,
    )


def lasted(curve: Curve, slot: RollUp) -> float:
    """Seconds of the slot that have passed."""
    return max(0.0, min(curve.step, curve.until - slot.start))


def _axis_of(means: Sequence[float | None]) -> float:
    """With some room above the highest."""
    return axis(max((each for each in means if each is not None), default=0.0) * 1.2)


def _height(value: float | None, most: float, top: int, foot: int) -> int | None:
    if value is None:
        return None
    return round(foot - (foot - top) * min(1.0, value / most if most else 0.0))


def _share(value: float | None, top: float) -> int | None:
    """Loss that there was is seen, however little."""
    return max(1, ceil((LOSS_FOOT - LOSS_TOP) * value / top)) if value else None


def _runs(values: Sequence[int | None]) -> Iterator[tuple[int, int, int | None]]:
    """From, to (units of the picture) and the value of each run."""
    for value, run in groupby(enumerate(values), key=itemgetter(1)):
        places = [place for place, _ in run]
        yield _x(places[0], len(values)), _x(places[-1] + 1, len(values)), value


def _x(place: int, count: int) -> int:
    return round(place * WIDTH / count)


def _line(heights: Sequence[int | None]) -> str:
    """Steps; a slot without a value breaks the line."""
    parts, drawing = [], False
    for start, stop, height in _runs(heights):
        if height is not None:
            parts.append(f"V{height}H{stop}" if drawing else f"M{start} {height}H{stop}")
        drawing = height is not None
    return "".join(parts)


def _bars(heights: Sequence[int | None]) -> str:
    return "".join(
        f"M{start} {LOSS_FOOT}V{LOSS_FOOT - height}H{stop}V{LOSS_FOOT}z"
        for start, stop, height in _runs(heights)
        if height is not None
    )


def _blocks(marked: Sequence[bool], top: int, foot: int) -> str:
    flags = [1 if each else None for each in marked]
    return "".join(
        f"M{start} {top}H{stop}V{foot}H{start}z" for start, stop, flag in _runs(flags) if flag
    )
