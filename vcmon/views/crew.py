"""Threads for what must not be done on the event loop: few, and with few waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from vcmon.views.refusal import Refusal

T = TypeVar("T")

AGAIN = {"Retry-After": "2"}
"""Seconds after which somebody who was sent away may try again."""


class Crew:
    """So many threads, and so many pieces of work under way or waiting."""

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._places = threading.BoundedSemaphore(most)

    def close(self) -> None:
        """Give back the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def do(self, work: Callable[[], T]) -> T:
        """What ``work`` gives, from a thread. Raises what it raises, and Refusal when full."""
        if not self._places.acquire(blocking=False):
            busy = HTTPStatus.SERVICE_UNAVAILABLE
            raise Refusal(busy, "too many questions at once; try again", AGAIN)
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._places.release()
            raise
        # When the thread is done, not when the client is gone: its work is what is bounded.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
