"""Sets of time as sorted, disjoint, half-open spans of whole milliseconds. Pure and exact."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

Span = tuple[int, int]
"""``[start, stop)`` in milliseconds since 1970-01-01 UTC."""

Spans = tuple[Span, ...]
"""Sorted; none touches the next, none is empty."""


def milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds: what is added up must not lose anything on the way."""
    return round(seconds * 1000)


def merged(spans: Iterable[Span]) -> Spans:
    """The union of any spans; empty ones are left out."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if stop <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)


def overlap(one: Spans, other: Spans) -> Spans:
    """What lies in both."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        (one_start, one_stop), (other_start, other_stop) = one[i], other[j]
        start = max(other_start, one_start)
        stop = min(other_stop, one_stop)
        if start < stop:
            found.append((start, stop))
        if one_stop < other_stop:
            i += 1
        else:
            j += 1
    return tuple(found)


def without(one: Spans, other: Spans) -> Spans:
    """What lies in the first, but not in the second."""
    found: list[Span] = []
    j = 0
    for start, stop in one:
        while j < len(other) and other[j][1] <= start:
            j += 1
        at, k = start, j
        while k < len(other) and other[k][0] < stop:
            if at < other[k][0]:
                found.append((at, other[k][0]))
            at = max(at, other[k][1])
            k += 1
        if at < stop:
            found.append((at, stop))
    return tuple(found)


def total(spans: Spans) -> int:
    """Milliseconds in all of them."""
    return sum(stop - start for start, stop in spans)


class Ruler:
    """Measures many stretches against the same spans, each in a few steps."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._starts = [start for start, _ in spans]
        self._before = [0, *accumulate(stop - start for start, stop in spans)]

    def within(self, start: int, stop: int) -> int:
        """Milliseconds of ``[start, stop)`` that lie in the spans."""
        return self._up_to(stop) - self._up_to(start) if start < stop else 0

    def _up_to(self, at: int) -> int:
        place = bisect_right(self._starts, at) - 1
        if place < 0:
            return 0
        start, stop = self._spans[place]
        return self._before[place] + min(at, stop) - start
