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


_Entry = tuple[float, int, CheckId, int, bool]
"""When, an order that makes entries of one instant comparable, what, attempts, whether a slot."""


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
        self._slots[check] = slots
        self._push(_next(slots, now), check, 1, is_slot=True)
        if interval > SOON:
            self._push(now + phase(check, SOON), check, 1, is_slot=False)

    def remove(self, check: CheckId) -> None:
        """Strike a check; its entries die when their time comes."""
        self._slots.pop(check, None)

    def rerun(self, check: CheckId, at: float, attempts: int) -> None:
        """Enter one run out of turn."""
        if check in self._slots:
            self._push(at, check, attempts, is_slot=False)

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
            at, _, check, attempts, is_slot = heapq.heappop(heap)
            slots = self._slots.get(check)
            if slots is None or (is_slot and not _is_slot_of(at, slots)):
                continue  # removed, or re-entered with another interval
            missed = 0
            if is_slot:
                following = _next(slots, now)
                missed = max(0, round((following - at) / slots.interval) - 1)
                self._push(following, check, 1, is_slot=True)
            found = Due(check, at, attempts, missed, is_slot)
            before = due.get(check)
            due[check] = found if before is None else _both(before, found)
        return list(due.values())

    def _push(self, at: float, check: CheckId, attempts: int, *, is_slot: bool) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, check, attempts, is_slot))


def _next(slots: _Slots, now: float) -> float:
    """The first slot later than ``now``, from the whole number of intervals: no drift."""
    passed = math.floor((now - slots.first) / slots.interval) + 1
    at = slots.first + passed * slots.interval
    return at if at > now else at + slots.interval


def _is_slot_of(at: float, slots: _Slots) -> bool:
    turns = (at - slots.first) / slots.interval
    return abs(turns - round(turns)) < 1e-6
