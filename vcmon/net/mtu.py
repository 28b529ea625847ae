"""How large a packet may be on the way to an address: sounded with whole packets of several sizes.

A path MTU black hole lets small packets through, and large ones vanish without the ICMP message
that would make their sender use smaller ones: signalling works, the picture freezes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from vcmon.model.result import Reason
from vcmon.net.deadline import Deadline
from vcmon.net.scout import Scout

SMALL = 84
"""Bytes of the small packets that the large ones are held against: a plain ping's size."""

ROUNDS_MAX = 30
"""A path without a black hole passes the first. One is proved by ten, at 36 % loss of round trips
by 22 on average, and within thirty in 98 of 100 runs."""

SILENT_ROUNDS = 5
"""Rounds of which nothing came back: nobody is there, and no size can be told."""

FIRST_WAIT = 1.0
"""Seconds for the first round's answers, which as a rule settle all; a satellite needs 0.7."""

PAUSE = 0.2
"""Seconds between later rounds: some 30 kbyte/s at the most."""

PATIENCE = 1.5
"""Seconds after which a packet counts as lost."""

CHANCE = 1e-7
"""So unlikely must it be that loss alone took every large packet: with a round every ten minutes
over 38 endpoints it is less than one false alarm in years, also at 20 % loss each way."""


class PathMtu(NamedTuple):
    """What a sounding found; sizes are bytes of whole IP packets, 0 for none."""

    passed: int  # the largest that was answered
    told: int  # at most so much fits, says a router on the way
    vanished: int  # the smallest that vanishes, beyond chance and without a word: a black hole
    sent: int  # small ones whose fate is known ...
    received: int  # ... and those of them that were answered
    own: int = 0  # the smallest that our own interface did not take
    refusal: Reason | None = None  # what a router said of all of them, where none was answered


def chance(small: tuple[int, int], large: int) -> float:
    """How likely it is that loss alone took all of ``large`` packets, small or not.

    ``small`` is (sent, received) of those sent between them. Fisher's exact test: it holds for
    every loss rate, without one being assumed.
    """
    sent, received = small
    return math.comb(sent, received) / math.comb(sent + large, received)


@dataclass(slots=True)
class Ledger:
    """What was sent and what became of it; pure, times are handed in."""

    sizes: tuple[int, ...]  # bytes of whole packets
    told: int = 0
    own: int = 0
    _sent: dict[int, tuple[int, float]] = field(default_factory=dict)  # number: size, when
    _answered: set[int] = field(default_factory=set)
    _passed: int = 0

    def note(self, number: int, size: int, now: float) -> None:
        """A packet was sent."""
        self._sent[number] = (size, now)

    def answered(self, number: int) -> None:
        """It came back."""
        self._answered.add(number)
        self._passed = max(self._passed, self._sent[number][0])

    def too_big(self, size: int, mtu: int) -> None:
        """A router refused a packet of this size; ``mtu`` fits (0: it didn't say)."""
        fits = min(mtu or size, size - 1)  # what a router says is text from outside
        self.told = min(self.told or fits, fits)

    def too_big_for_us(self, size: int) -> None:
        """Our own interface refused it."""
        self.own = min(self.own or size, size)

    def open(self) -> list[int]:
        """The sizes that are neither known to pass nor known not to fit, largest first."""
        fits = min(self.told or math.inf, self.own - 1 if self.own else math.inf)
        return [size for size in sorted(self.sizes, reverse=True) if self._passed < size <= fits]

    def found(self, now: float) -> PathMtu:
        """What is known by now; packets that may still come back are left out."""
        known = [
            (number, size)
            for number, (size, at) in self._sent.items()
            if number in self._answered or now - at >= PATIENCE
        ]
        sent = Counter(size for _, size in known)
        received = sum(number in self._answered for number, size in known if size == SMALL)
        small = (sent[SMALL], received)
        vanished = [size for size in self.open() if chance(small, sent[size]) < CHANCE]
        return PathMtu(self._passed, self.told, min(vanished, default=0), *small, self.own)


async def sound(address: str, sizes: Iterable[int], deadline: Deadline) -> PathMtu:
    """Sound the way to ``address``, an IP literal, with packets of these sizes (bytes, whole).

    Ends as soon as every size is known to pass, not to fit, or to vanish; else at the deadline or
    after ROUNDS_MAX rounds. Raises ProbeError, blame LOCAL, where nothing can be sent.
    """
    with Scout(address) as scout:
        scout.forbid_fragments()
        sounding = _Sounding(scout, Ledger(tuple(sizes)))
        for round_ in range(ROUNDS_MAX):
            sounding.send_round(deadline.elapsed())
            wait = PAUSE if round_ else FIRST_WAIT
            if await sounding.settled(deadline, min(deadline.elapsed() + wait, deadline.seconds)):
                break
            if round_ + 1 >= SILENT_ROUNDS and not sounding.heard:
                break
            if deadline.remaining() <= 0.0:
                break
        else:
            await sounding.settled(deadline, min(deadline.elapsed() + PATIENCE, deadline.seconds))
        return sounding.found(deadline.elapsed())


class _Sounding:
    """One sounding under way."""

    def __init__(self, scout: Scout, ledger: Ledger) -> None:
        self._scout = scout
        self._ledger = ledger
        self._sizes: dict[int, int] = {}  # by packet number
        self._refusal: Reason | None = None
        self.heard = False

    def send_round(self, now: float) -> None:
        """Small, large ones, small: what befalls the path for a moment befalls both.

        While nobody has answered a first round, only small ones knock.
        """
        large = self._ledger.open() if self.heard or not self._sizes else []
        for size in (SMALL, *large, SMALL):
            number = self._scout.send(size - self._scout.header)
            if number is None:
                self._ledger.too_big_for_us(size)
            else:
                self._sizes[number] = size
                self._ledger.note(number, size, now)

    async def settled(self, deadline: Deadline, until: float) -> bool:
        """Listen until then, or until all is known: whether it is."""
        while True:
            left = until - deadline.elapsed()
            for answer in await self._scout.listen(left):
                if answer.reason is Reason.OK:
                    self.heard = True
                    self._ledger.answered(answer.number)
                elif answer.too_big_for is not None:
                    self._ledger.too_big(self._sizes[answer.number], answer.too_big_for)
                else:
                    self._refusal = answer.reason
            found = self._ledger.found(deadline.elapsed())
            if self._is_settled(found):
                return True
            if left <= 0.0:
                return False

    def _is_settled(self, found: PathMtu) -> bool:
        """A small one must have come back, or nobody knows whether anybody is there."""
        return self.heard and all(
            found.vanished and size >= found.vanished for size in self._ledger.open()
        )

    def found(self, now: float) -> PathMtu:
        """What is known in the end."""
        return self._ledger.found(now)._replace(refusal=None if self.heard else self._refusal)
