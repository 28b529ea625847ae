"""The timetable: when each check is due. Pure; the time is always handed in.

A check's slots lie at ``phase + k * interval`` from the timetable's epoch on, the phase being a
hash of its id: no drift, no herd at the start, the same spread after each restart. Reruns out of
turn stand beside the slots and move none of them.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from vcmon.model.endpoint import CheckId


def phase(check: CheckId, interval: float) -> float:
    """Seconds into its interval at which a check is due, the same on every machine."""
    digest = blake2b(f"{check.endpoint}\0{check.name}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") / 2**64 * interval


SOON = 60.0
"""Seconds within which a new check runs for the first time, however seldom it runs: nobody waits
ten minutes to know whether it works, and the first round of all ends."""


class Due(NamedTuple):
    """A run that is due. ``slot`` is when it should have begun, ``missed`` whole slots before."""

    check: CheckId
    slot: float
    attempts: int
    missed: int = 0
    in_turn: bool = True  # False: a rerun only


def _both(first: Due, second: Due) -> Due:
    return Due(
        first.check,
        first.slot,
        max(first.attempts, second.attempts),
        first.missed + second.missed,
        first.in_turn or second.in_turn,
    )


@dataclass(slots=True)
class _Slots:
    interval: float
    first: float  # monotonic second of slot 0
    turn: int = 0  # number of the slot that is entered

    @property
    def at(self) -> float:
        """When it is due, from the whole number of intervals: no drift."""
        return self.first + self.turn * self.interval

    def advance(self, now: float) -> int:
        """On to the first slot later than ``now``; how many were left out."""
        before = self.turn
        self.turn += 1
        if self.at <= now:
            self.turn = math.floor((now - self.first) / self.interval) + 1
            if self.at <= now:
                self.turn += 1
        return self.turn - before - 1


_Entry = tuple[float, int, CheckId, int, _Slots | None]
"""When, an order that makes entries of one instant comparable, what, attempts, its slots (None: a
rerun). Slots that are no longer the check's own make an entry void."""


class Timetable:
    """Slots and reruns of all checks, in one heap; all times are monotonic seconds."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch
        self._slots: dict[CheckId, _Slots] = {}
        self._heap: list[_Entry] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[CheckId]:
        return iter(self._slots)

    def add(self, check: CheckId, interval: float, now: float) -> None:
        """Enter a check; its first slot comes within one interval from now, a first run by SOON."""
        slots = _Slots(interval, self._epoch + phase(check, interval))
        slots.turn = math.floor((now - slots.first) / interval)
        slots.advance(now)
        self._slots[check] = slots
        self._push(slots.at, check, 1, slots)
        if interval > SOON:
            self._push(now + phase(check, SOON), check, 1, None)

    def remove(self, check: CheckId) -> None:
        """Strike a check; its entries die when their time comes."""
        self._slots.pop(check, None)

    def rerun(self, check: CheckId, at: float, attempts: int) -> None:
        """Enter one run out of turn."""
        if check in self._slots:
            self._push(at, check, attempts, None)

    def next_at(self) -> float:
        """When the next entry is due; infinity for an empty timetable."""
        return self._heap[0][0] if self._heap else math.inf

    def pop_due(self, now: float) -> list[Due]:
        """Everything due by ``now``, each check once; slots that passed wholly are counted.

        After a stall a check runs once, not once a missed slot.
        """
        due: dict[CheckId, Due] = {}
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, check, attempts, slots = heap[0]
            known = self._slots.get(check)
            if known is None or (slots is not None and slots is not known):
                heapq.heappop(heap)
                continue  # removed, or re-entered with another interval
            missed = 0
            if slots is None:
                heapq.heappop(heap)
            else:
                missed = slots.advance(now)
                self._order += 1
                heapq.heapreplace(heap, (slots.at, self._order, check, 1, slots))
            found = Due(check, at, attempts, missed, slots is not None)
            before = due.get(check)
            due[check] = found if before is None else _both(before, found)
        return list(due.values())

    def _push(self, at: float, check: CheckId, attempts: int, slots: _Slots | None) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, check, attempts, slots))
