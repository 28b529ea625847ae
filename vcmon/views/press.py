"""Text into the bytes of an answer: in slices, gzipped, kept while nothing has changed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web

from vcmon.clock import monotonic_ns

SLICE_NS = 2_000_000
"""Nanoseconds of rendering before the loop may serve its probes."""

PACK_AT_LEAST = 1024
"""Bytes: below, gzip saves less than a packet."""

PACK_IN_THREAD = 128 << 10
"""Bytes: up to here gzip takes less than a slice of rendering."""


@dataclass(frozen=True, slots=True)
class Body:
    """An answer's bytes, plain and gzipped; ``packed`` is empty where that isn't worth it."""

    plain: bytes
    packed: bytes


async def slices(parts: Iterable[str]) -> AsyncIterator[bytes]:
    """The parts, joined to what a slice of work brings; between two slices the loop runs."""
    held: list[str] = []
    begun = monotonic_ns()
    for part in parts:
        held.append(part)
        if monotonic_ns() - begun > SLICE_NS:
            # Names are cleaned where they are written; "replace" keeps a page that missed one.
            yield "".join(held).encode("utf-8", "replace")
            held.clear()
            await asyncio.sleep(0)
            begun = monotonic_ns()
    yield "".join(held).encode("utf-8", "replace")


def pack(plain: bytes) -> bytes:
    """The bytes as gzip, without a time or name in its head."""
    packer = zlib.compressobj(6, wbits=31)
    return packer.compress(plain) + packer.flush()


class Press:
    """Renders bodies, one at a time of each sort, and keeps the last."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._key: object = None
        self._body = Body(b"", b"")
        self._lock = asyncio.Lock()

    async def body(self, key: object, parts: Callable[[], Iterable[str]]) -> Body:
        """The body for this key; readers of the same key share one rendering."""
        async with self._lock:
            if self._key != key:
                self._body = await self.render(parts())
                self._key = key
            return self._body

    async def render(self, parts: Iterable[str]) -> Body:
        """A body that is not kept."""
        plain = b"".join([part async for part in slices(parts)])
        if len(plain) < PACK_AT_LEAST:
            return Body(plain, b"")
        if len(plain) <= PACK_IN_THREAD:
            return Body(plain, pack(plain))
        loop = asyncio.get_running_loop()
        return Body(plain, await loop.run_in_executor(self._pool, pack, plain))


def accepts_gzip(request: web.Request) -> bool:
    """Whether the client takes gzip (RFC 9110 section 12.5.3; ``q=0`` refuses it)."""
    for item in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = item.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def answer(request: web.Request, body: Body, content_type: str, cache: str) -> web.Response:
    """The body as the client takes it."""
    packed = bool(body.packed) and accepts_gzip(request)
    response = web.Response(body=body.packed if packed else body.plain)
    response.headers.update(
        {"Content-Type": content_type, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    )
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response
