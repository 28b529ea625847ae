"""Answers kept for a moment, so that many readers who come together cost one piece of work."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from vcmon.clock import monotonic_ns

T = TypeVar("T")


class Kept(Generic[T]):
    """The last ``most`` answers, each for so many seconds; made one at a time."""

    def __init__(self, seconds: float, most: int) -> None:
        self._life = int(seconds * 1e9)
        self._most = most
        self._made: OrderedDict[Hashable, tuple[int, T]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The answer of this key, made anew where it is missing or old. Raises what making does."""
        async with self._lock:
            found = self._made.get(key)
            if found is None or monotonic_ns() - found[0] >= self._life:
                found = monotonic_ns(), await make()
                self._made[key] = found
                self._made.move_to_end(key)
                while len(self._made) > self._most:
                    self._made.popitem(last=False)
            return found[1]
