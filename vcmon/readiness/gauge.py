"""What the links of a meeting measured over its window: a reading a minute, kept in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from vcmon.model.status import EndpointStatus, Quality

PERIOD = 60.0
"""Seconds between two readings: RTT and jitter are medians of a minute."""

READINGS = 60
"""Of one endpoint: an hour, the longest window that is worth a verdict."""

ENDPOINTS = 1_000
"""That are read: 38 provinces with 26 each. What comes after them is judged by its quality now."""


class Figures(NamedTuple):
    """Loss (0 to 1), jitter and RTT (seconds) over a window; None: not measured."""

    loss: float | None = None
    jitter: float | None = None
    rtt: float | None = None
    lost: int = 0  # packets that the loss was made of, about


class Reading(NamedTuple):
    """The quality of one endpoint at one wall second; loss is that of the worse direction."""

    at: float
    figures: Figures
    sent: int


def figures_of(quality: Quality) -> Figures:
    """The quality of the last minutes as figures."""
    loss, sent = _worse_loss(quality)
    return Figures(loss, quality.jitter, quality.rtt, round((loss or 0.0) * sent))


def _worse_loss(quality: Quality) -> tuple[float | None, int]:
    """Loss of the worse direction where they are told apart, with the packets it is of."""
    found = [(quality.loss, quality.sent)]
    found += [(d.loss, d.sent) for d in (quality.forward, quality.backward) if d is not None]
    known = [(loss, sent) for loss, sent in found if loss is not None]
    return max(known, default=(None, 0), key=lambda each: each[0] or 0.0)


class Gauge:
    """The readings of the endpoints that somebody is going to meet by; one writer."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[Reading]] = {}
        self._read_at: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether a period has passed since the last reading; after a step of the clock, too."""
        return self._read_at is None or not 0 <= now - self._read_at < PERIOD

    def read(self, statuses: Iterable[EndpointStatus], now: float) -> None:
        """Take a reading of these; what is not among them any more is forgotten."""
        kept: dict[str, deque[Reading]] = {}
        for status in statuses:
            if len(kept) == ENDPOINTS:
                break
            readings = self._readings.get(status.endpoint.id) or deque(maxlen=READINGS)
            # A clock that was set back: what was read in the future is of no time.
            while readings and readings[-1].at >= now:
                readings.pop()
            figures, sent = figures_of(status.quality), _worse_loss(status.quality)[1]
            readings.append(Reading(now, figures, sent))
            kept[status.endpoint.id] = readings
        self._readings, self._read_at = kept, now

    def figures(self, window: float, now: float) -> Mapping[str, Figures]:
        """Each endpoint over the last ``window`` seconds; those without a reading are left out."""
        found = {}
        for name, readings in self._readings.items():
            inside = [each for each in readings if now - window < each.at <= now]
            if inside:
                found[name] = _together(inside)
        return found


def _together(readings: list[Reading]) -> Figures:
    measured = [(r.figures.loss, r.sent) for r in readings if r.figures.loss is not None and r.sent]
    sent = sum(packets for _, packets in measured)
    loss = sum(share * packets for share, packets in measured) / sent if sent else None
    jitters = [r.figures.jitter for r in readings if r.figures.jitter is not None]
    rtts = [r.figures.rtt for r in readings if r.figures.rtt is not None]
    return Figures(
        loss,
        median(jitters) if jitters else None,
        median(rtts) if rtts else None,
        # Readings overlap: each counts the packets of some minutes. The most of any is sure.
        max((r.figures.lost for r in readings), default=0),
    )
