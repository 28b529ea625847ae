"""Loss, RTT and jitter of a link over the last minutes, against its class: pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import NamedTuple

from vcmon.config.settings import QualityClass
from vcmon.model.result import Echo, Reason
from vcmon.model.status import Quality

WINDOW = 30
"""Bursts looked at: five minutes at the default interval."""

RECENT = 6
"""Bursts whose RTT and jitter are judged: a minute; a median of fewer jumps about."""

LOST_AT_LEAST = 3
"""Lost packets without which no loss is called: two in five minutes happen on any link."""


class Burst(NamedTuple):
    """One echo burst, measured once."""

    sent: int
    received: int
    rtt: float | None
    jitter: float | None


@dataclass(slots=True)
class QualityWindow:
    """The last bursts of one endpoint; one writer."""

    bursts: deque[Burst] = field(default_factory=lambda: deque(maxlen=WINDOW))
    sent: int = 0
    received: int = 0

    def add(self, echo: Echo) -> None:
        """Take one burst in; a silent one counts once an answer after it proves it to be loss."""
        if len(self.bursts) == WINDOW:
            oldest = self.bursts[0]
            self.sent -= oldest.sent
            self.received -= oldest.received
        self.bursts.append(Burst(echo.sent, echo.received, echo.rtt, echo.jitter))
        self.sent += echo.sent
        self.received += echo.received

    def is_suspect(self, limits: QualityClass) -> bool:
        """Whether it is worth asking for a fault: a cheap test that misses none."""
        if self.sent - self.received >= LOST_AT_LEAST:
            return True
        last = self.bursts[-1] if self.bursts else None
        if last is None or last.rtt is None:
            return False
        return last.rtt > limits.rtt or (last.jitter is not None and last.jitter > limits.jitter)

    def measure(self) -> Quality:
        """Loss over the window; RTT and jitter as medians of the last minute's bursts."""
        if not self.bursts:
            return Quality()
        recent = list(islice(reversed(self.bursts), RECENT))
        rtts = [burst.rtt for burst in recent if burst.rtt is not None]
        jitters = [burst.jitter for burst in recent if burst.jitter is not None]
        return Quality(
            loss=(self.sent - self.received) / self.sent,
            rtt=median(rtts) if rtts else None,
            jitter=median(jitters) if jitters else None,
        )

    def fault(self, limits: QualityClass) -> Reason | None:
        """The first limit of the class that is exceeded, or None."""
        quality = self.measure()
        lost = self.sent - self.received
        if quality.loss is not None and lost >= LOST_AT_LEAST and quality.loss > limits.loss:
            return Reason.LOSS
        if len(self.bursts) < RECENT:
            return None
        if quality.jitter is not None and quality.jitter > limits.jitter:
            return Reason.JITTER
        if quality.rtt is not None and quality.rtt > limits.rtt:
            return Reason.RTT
        return None
