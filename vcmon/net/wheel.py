"""A timing wheel: who waits for which tick. One timer then serves all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Items by tick (a whole number); putting one in costs no comparison with the others."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[T]] = {}
        self._ticks: list[int] = []  # a heap of the keys

    def put(self, tick: int, item: T) -> None:
        """Let the item wait for the tick."""
        waiting = self._waiting.get(tick)
        if waiting is None:
            self._waiting[tick] = [item]
            heapq.heappush(self._ticks, tick)
        else:
            waiting.append(item)

    def first(self, is_over: Callable[[T], bool]) -> int | None:
        """The first tick with an item that is not over; what is over before it is forgotten."""
        while self._ticks and all(map(is_over, self._waiting[self._ticks[0]])):
            del self._waiting[heapq.heappop(self._ticks)]
        return self._ticks[0] if self._ticks else None

    def take(self, tick: int, most: int) -> list[T]:
        """Take out at most so many items that wait for ticks up to this one, oldest first."""
        taken: list[T] = []
        while len(taken) < most and self._ticks and self._ticks[0] <= tick:
            key = self._ticks[0]
            waiting = self._waiting[key]
            room = most - len(taken)
            taken += waiting[:room]
            if len(waiting) > room:
                self._waiting[key] = waiting[room:]
            else:
                del self._waiting[heapq.heappop(self._ticks)]
        return taken

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
        self._ticks.clear()
