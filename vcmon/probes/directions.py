"""What the answers to a stream of test packets say of each direction: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from vcmon.model.result import Direction, Streams

FIRST = 1
"""The first packet's number. 0 is never sent: a reflector that counts for itself (it begins with 0)
gives itself away by that, while to anybody else it looks like a first packet that was lost."""


class Exchange(NamedTuple):
    """One test packet and an answer to it.

    Times in nanoseconds: ``left`` and ``back`` of our clock, ``arrived`` and ``returned`` of the
    reflector's.
    """

    number: int
    reflected: int  # the reflector's own number, or ours once more
    left: int
    arrived: int
    returned: int
    back: int
    dscp_there: int | None = None  # as our packet arrived
    dscp_back: int | None = None  # as the answer arrived

    @property
    def raw_trip(self) -> int:
        """Nanoseconds from the sending to the answer."""
        return max(0, self.back - self.left)

    @property
    def trip(self) -> int:
        """The same without the reflector's processing time, where what it says of that can be."""
        processing = self.returned - self.arrived
        return self.raw_trip - processing if 0 <= processing <= self.raw_trip else self.raw_trip


def counts_itself(exchanges: Iterable[Exchange]) -> bool:
    """Whether the reflector numbers its answers (stateful) instead of repeating our numbers."""
    return any(each.reflected != each.number for each in exchanges)


def streams(sent: int, exchanges: Sequence[Exchange], *, steady: bool = True) -> Streams:
    """Both directions, out of every answer to ``sent`` packets in the order of their arrival.

    What came after the last answered packet was lost somewhere, nobody knows where: it is in
    neither. Without a reflector that counts, lost packets can't be told apart: both counts are 0
    then (no measurement). ``steady``: our wall clock was not set meanwhile.
    """
    if not exchanges:
        return Streams()
    there, back = _counted(sent, exchanges)
    longest = max(each.raw_trip for each in exchanges)
    forward = sorted({(each.arrived, each.left) for each in exchanges}) if steady else []
    backward = sorted({(each.back, each.returned) for each in exchanges}) if steady else []
    return Streams(
        Direction(*there, jitter(forward, longest), _usual(e.dscp_there for e in exchanges)),
        Direction(*back, jitter(backward, longest), _usual(e.dscp_back for e in exchanges)),
    )


def _counted(sent: int, exchanges: Sequence[Exchange]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(sent, received) there and back."""
    answered = {each.number for each in exchanges}
    if not counts_itself(exchanges):
        whole = (sent, sent) if len(answered) == sent else (0, 0)
        return whole, whole
    numbers = {each.reflected for each in exchanges}
    first, last = min(numbers), max(numbers)
    begun, ended = FIRST, max(answered)
    if any(each.reflected > each.number - FIRST for each in exchanges):
        begun = min(answered)  # it had counted others before: only between two answers we can tell
    else:
        first = 0
    reflected = last - first + 1
    told_twice = len({(each.number, each.reflected) for each in exchanges}) > len(numbers)
    if told_twice or not len(numbers) <= reflected <= 2 * sent:
        return (0, 0), (0, 0)  # it began anew, or makes its numbers up
    asked = ended - begun + 1
    return (asked, min(asked, reflected)), (reflected, len(numbers))


def jitter(times: Sequence[tuple[int, int]], longest: int) -> float | None:
    """Interarrival jitter (RFC 3550 section 6.4.1), in seconds; None: it can't be told.

    ``times`` are (received, sent) in nanoseconds by two clocks, in the order of arrival. No packet
    can be later than another by more than the ``longest`` round trip: then a clock was set.
    """
    if len(times) < 2:
        return None
    estimate = 0.0
    for (before, left_before), (after, left_after) in pairwise(times):
        change = abs((after - before) - (left_after - left_before))
        if change > longest:
            return None
        estimate += (change - estimate) / 16
    return estimate / 1e9


def one_way(exchanges: Sequence[Exchange]) -> tuple[float, float]:
    """Median delays there and back in seconds: true as far as both clocks are."""
    there = median(each.arrived - each.left for each in exchanges)
    back = median(each.back - each.returned for each in exchanges)
    return there / 1e9, back / 1e9


def _usual(values: Iterable[int | None]) -> int | None:
    seen = Counter(value for value in values if value is not None)
    return seen.most_common(1)[0][0] if seen else None
