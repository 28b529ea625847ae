"""The Prometheus text format 0.0.4, written in slices.

prometheus-client's ``generate_latest`` takes 7 us a sample, in one piece, with the GIL held: two
seconds for 300,000 samples, in which no probe is served. Here a sample costs about half a
microsecond and the text comes in pieces of a fraction of a millisecond, so that the caller may let
the loop run between them. The samples of one family stand together, as the format asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite, isnan
from typing import TypeVar

from vcmon.model.figures import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BATCH = 64
"""Rows a piece: with the dearest family (18 lines a row) still below half a millisecond."""

Row = TypeVar("Row")

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}


def escape(text: str) -> str:
    """A label value: quotes, backslashes and line ends escaped, lone surrogates to U+FFFD.

    Everything else may stand in a label; a lone surrogate has no UTF-8 and would lose the page.
    """
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
    return text.translate(_ESCAPES)


def labels(pairs: Mapping[str, str]) -> str:
    """The pairs as they stand between the braces of a sample."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items())


def number(value: float) -> str:
    """A value as the format spells it: ``NaN``, ``+Inf``, ``-Inf``, or Python's own figures."""
    if isfinite(value):
        return repr(value)
    if isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name, type and what it tells."""

    name: str
    kind: str  # counter, gauge, histogram
    text: str

    def head(self) -> str:
        """The HELP and TYPE lines."""
        return f"# HELP {self.name} {self.text}\n# TYPE {self.name} {self.kind}\n"

    def line(self, inside: str, value: float) -> str:
        """One sample; ``inside`` is what :func:`labels` made, and may be empty."""
        row = f"{{{inside}}}" if inside else ""
        return f"{self.name}{row} {number(value)}\n"


class HistogramFamily:
    """A histogram with fixed bounds: all lines of one row by one formatting of one template."""

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self.family = Family(name, "histogram", text)
        buckets = [f'{name}_bucket{{\0,le="{number(b)}"}} %d\n' for b in (*bounds, float("inf"))]
        self._template = "".join([*buckets, f"{name}_sum{{\0}} %s\n{name}_count{{\0}} %d\n"])
        self._bare = self._template.replace("\0,", "").replace("{\0}", "")

    def lines(self, inside: str, histogram: Histogram) -> str:
        """The buckets (cumulative), the sum and the count of one row; ``inside`` may be empty."""
        counts = (*accumulate(histogram.counts),)
        # The count is the last bucket, not a figure of its own: the two can't contradict.
        figures = (*counts, number(histogram.total), counts[-1])
        if not inside:
            return self._bare % figures
        # Labels go in last: nothing that they hold is taken for a place to fill.
        return (self._template % figures).replace("\0", inside)


def table(
    family: Family, rows: Sequence[Row], lines: Callable[[Row], str], batch: int = BATCH
) -> Iterator[str]:
    """One family over all rows, in pieces of ``batch`` rows."""
    yield family.head()
    for first in range(0, len(rows), batch):
        yield "".join(map(lines, rows[first : first + batch]))
