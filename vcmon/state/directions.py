"""Each direction of a link by itself, where a stream of packets told them apart: pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import NamedTuple

from vcmon.config.settings import QualityClass
from vcmon.model.result import Direction, Reason, Streams

SPAN = 300.0
"""Seconds of streams that are added up: as many as echo bursts at the default interval."""

MOST = 60
"""Runs within that: more would come oftener than every five seconds, and say no more."""

RECENT = 6
"""Runs whose jitter is judged: a minute at the default interval."""

LONG = 100
"""Packets of a stream that is judged without another: two seconds of a call."""

LOST_AT_LEAST = 3
"""Lost packets without which no loss is called, as with echo requests."""


class Piece(NamedTuple):
    """One run's packets in one direction; ``at`` is its monotonic second."""

    at: float
    sent: int
    received: int
    jitter: float | None


@dataclass(slots=True)
class Lane:
    """One direction over the last minutes; one writer."""

    pieces: deque[Piece] = field(default_factory=lambda: deque(maxlen=MOST))
    total: Direction | None = None  # of all pieces; jitter is the last minute's median
    peak: float = 0.0  # the largest jitter of that minute

    def add(self, direction: Direction, at: float) -> None:
        """Take one run in; the last one counts however seldom they come."""
        pieces = self.pieces
        pieces.append(Piece(at, direction.sent, direction.received, direction.jitter))
        while at - pieces[0].at > SPAN:
            pieces.popleft()
        jitters = [p.jitter for p in list(pieces)[-RECENT:] if p.jitter is not None]
        self.peak = max(jitters, default=0.0)
        self.total = Direction(
            sent=sum(piece.sent for piece in pieces),
            received=sum(min(piece.sent, piece.received) for piece in pieces),
            jitter=median(jitters) if jitters else None,
        )

    def is_suspect(self, limits: QualityClass) -> bool:
        """Whether it is worth asking for a fault."""
        total = self.total
        if total is None:
            return False
        return total.sent - total.received >= LOST_AT_LEAST or self.peak > limits.jitter

    def fault(self, limits: QualityClass) -> Reason | None:
        """The first limit of the class that this direction exceeds, or None."""
        total = self.total
        if total is None or total.loss is None:
            return None
        if total.sent - total.received >= LOST_AT_LEAST and total.loss > limits.loss:
            return Reason.LOSS
        enough = len(self.pieces) >= RECENT or total.sent >= LONG
        if enough and total.jitter is not None and total.jitter > limits.jitter:
            return Reason.JITTER
        return None


@dataclass(slots=True)
class Directions:
    """Both directions of one link."""

    forward: Lane = field(default_factory=Lane)
    backward: Lane = field(default_factory=Lane)
    until: float = -inf  # monotonic: from then on the last stream is too old to believe

    def add(self, streams: Streams, at: float, fresh: float) -> None:
        """Take in what a run at monotonic second ``at`` found; it is believed so many seconds."""
        if streams.forward is not None:
            self.forward.add(streams.forward, at)
        if streams.backward is not None:
            self.backward.add(streams.backward, at)
        self.until = max(self.until, at + fresh)

    def is_suspect(self, limits: QualityClass) -> bool:
        """Whether it is worth asking for a fault: a cheap test that misses none."""
        return self.forward.is_suspect(limits) or self.backward.is_suspect(limits)

    def fault(self, limits: QualityClass, now: float) -> Reason | None:
        """The worse direction's: loss in either goes before jitter in either."""
        if now > self.until:
            return None
        found = {self.forward.fault(limits), self.backward.fault(limits)}
        return next((each for each in (Reason.LOSS, Reason.JITTER) if each in found), None)

    def measured(self, now: float) -> Streams:
        """Both directions added up; None for what nobody measured lately."""
        if now > self.until:
            return Streams()
        return Streams(self.forward.total, self.backward.total)
