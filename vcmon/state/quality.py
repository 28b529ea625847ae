"""Loss, RTT and jitter of a link lately, against its class and its own normal: pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from statistics import median
from typing import NamedTuple

from vcmon.config.settings import QualityClass
from vcmon.model.baseline import Baseline
from vcmon.model.result import Echo, Reason, Streams
from vcmon.model.status import Quality
from vcmon.state.directions import LOST_AT_LEAST, Directions
from vcmon.state.normal import ceiling

WINDOW = 30
"""Bursts looked at: five minutes at the default interval."""

RECENT = 6
"""Bursts whose RTT and jitter are judged: a minute; a median of fewer jumps about."""

UNUSUAL_FROM, UNUSUAL_UNTIL = WINDOW // 2 + 1, WINDOW // 4
"""Bursts of the window above what is normal that make it far off: the median is. Fewer than the
other number end it, so that one at the edge doesn't come and go."""

TOLD_AGAIN = 0.1
"""Share by which an RTT that is told with its usual one must move to be told anew: each time the
province is painted again."""


class Burst(NamedTuple):
    """One echo burst, measured once."""

    sent: int
    received: int
    rtt: float | None
    jitter: float | None


class Fault(NamedTuple):
    """Why a link is degraded; with RTT what it is and what is usual, seconds, where that is so."""

    reason: Reason
    rtt: float = 0.0
    usual: float = 0.0


@dataclass(slots=True)
class QualityWindow:
    """The last bursts of one endpoint; one writer."""

    bursts: deque[Burst] = field(default_factory=lambda: deque(maxlen=WINDOW))
    sent: int = 0
    received: int = 0
    directions: Directions | None = None  # None until a stream told them apart
    normal: Baseline | None = None
    ceiling: float = inf  # seconds: above it a burst is far off what is normal
    above: int = 0  # bursts that are
    unusual: bool = False
    told: Fault | None = None

    def add(self, echo: Echo) -> None:
        """Take one burst in; a silent one counts once an answer after it proves it to be loss."""
        if len(self.bursts) == WINDOW:
            oldest = self.bursts[0]
            self.sent -= oldest.sent
            self.received -= oldest.received
            if oldest.rtt is not None and oldest.rtt > self.ceiling:
                self.above -= 1
        rtt = echo.rtt
        self.bursts.append(Burst(echo.sent, echo.received, rtt, echo.jitter))
        self.sent += echo.sent
        self.received += echo.received
        if rtt is not None and rtt > self.ceiling:
            self.above += 1

    def add_streams(self, streams: Streams, at: float, fresh: float) -> None:
        """Take in what a run at monotonic second ``at`` found of each direction; it is believed
        for so many seconds.
        """
        if self.directions is None:
            self.directions = Directions()
        self.directions.add(streams, at, fresh)

    def set_normal(self, normal: Baseline | None) -> None:
        """From now on this is normal; what was measured is judged by it, too."""
        if normal != self.normal:
            self.normal, self.ceiling = normal, ceiling(normal)
            rtts = (burst.rtt for burst in self.bursts)
            self.above = sum(rtt is not None and rtt > self.ceiling for rtt in rtts)

    def is_suspect(self, limits: QualityClass) -> bool:
        """Whether it is worth asking for a fault: a cheap test that misses none."""
        if self.sent - self.received >= LOST_AT_LEAST or self.above >= UNUSUAL_FROM:
            return True
        if self.directions is not None and self.directions.is_suspect(limits):
            return True
        last = self.bursts[-1] if self.bursts else None
        if last is None or last.rtt is None:
            return False
        return last.rtt > limits.rtt or (last.jitter is not None and last.jitter > limits.jitter)

    def measure(self, now: float) -> Quality:
        """Loss over the window; RTT and jitter as medians of the last minute's bursts."""
        streams = self.directions.measured(now) if self.directions is not None else Streams()
        if not self.bursts:
            return Quality(forward=streams.forward, backward=streams.backward)
        recent = list(islice(reversed(self.bursts), RECENT))
        rtts = [burst.rtt for burst in recent if burst.rtt is not None]
        jitters = [burst.jitter for burst in recent if burst.jitter is not None]
        return Quality(
            loss=(self.sent - self.received) / self.sent,
            rtt=median(rtts) if rtts else None,
            jitter=median(jitters) if jitters else None,
            sent=self.sent,
            usual=self.normal.usual if self.normal is not None else None,
            forward=streams.forward,
            backward=streams.backward,
        )

    def fault(self, limits: QualityClass, now: float) -> Fault | None:
        """The first limit that is exceeded, or None; the same object while it stays the same."""
        quality = self.measure(now)
        found = self._found(quality, limits, now)
        if found is None or self.told is None or not _is_told(found, self.told):
            self.told = found
        return self.told

    def fault_aside(self, limits: QualityClass, now: float) -> Fault | None:
        """The same by the directions alone: round trips are not measured any more."""
        aside = self.directions.fault(limits, now) if self.directions is not None else None
        return Fault(aside) if aside is not None else None

    def _found(self, quality: Quality, limits: QualityClass, now: float) -> Fault | None:
        unusual = self._is_unusual()
        aside = self.directions.fault(limits, now) if self.directions is not None else None
        lost = self.sent - self.received
        if aside is Reason.LOSS or (
            quality.loss is not None and lost >= LOST_AT_LEAST and quality.loss > limits.loss
        ):
            return Fault(Reason.LOSS)
        judged = len(self.bursts) >= RECENT
        if aside is Reason.JITTER or (
            judged and quality.jitter is not None and quality.jitter > limits.jitter
        ):
            return Fault(Reason.JITTER)
        if quality.rtt is not None and judged:
            return self._too_far(quality.rtt, limits, unusual=unusual)
        return None

    def _is_unusual(self) -> bool:
        self.unusual = self.above >= (UNUSUAL_UNTIL if self.unusual else UNUSUAL_FROM)
        return self.unusual

    def _too_far(self, rtt: float, limits: QualityClass, *, unusual: bool) -> Fault | None:
        """Told with the usual time where that says more than the class's limit."""
        if self.normal is not None and rtt > self.ceiling and (unusual or rtt > limits.rtt):
            return Fault(Reason.RTT, rtt, self.normal.usual)
        if rtt > limits.rtt:
            return Fault(Reason.RTT)
        # On its way back to normal: what was told stands till enough bursts are.
        told = self.told
        return told if unusual and told is not None and told.usual else None


def _is_told(found: Fault, told: Fault) -> bool:
    same = (found.reason, found.usual) == (told.reason, told.usual)
    return same and abs(found.rtt - told.rtt) <= TOLD_AGAIN * told.rtt
