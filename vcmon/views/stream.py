"""What changes, as server-sent events: the whole picture first, then only what became different.

A reader that comes back names the last event it had (``Last-Event-ID``) and gets what it missed,
or the whole picture where that is gone. A reader that is too slow loses its queue, not our memory:
it gets the whole picture as soon as it reads again. Before each event a reader must still be one
who may look: with the session that it was opened in the stream ends, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from vcmon.clock import monotonic_ns
from vcmon.config.provinces import CENTRE
from vcmon.model.status import ProvinceStatus, Snapshot, State
from vcmon.views.api import dumps
from vcmon.views.freshness import believed, is_stale
from vcmon.views.refusal import Refusal
from vcmon.views.sources import Sources
from vcmon.views.words import rfc3339

PATH = "/api/v1/events"

LOOK_EVERY = 0.2
"""Seconds between two looks at what is believed; a change must be seen within one."""

ALIVE_EVERY_NS = 5_000_000_000
"""Nanoseconds between two signs of life; a page calls its data stale after 30 s without."""

READERS_MAX = 600
"""Streams at once: half of the connections; the other half is for who asks and goes."""

QUEUE_MAX = 64
"""Events a reader may lag behind: a minute in which every second something happens."""

KEPT = 256
"""Past events for those who come back: longer than any reload of a page takes."""

WRITE_TIME = 20.0
"""Seconds one write may take; who doesn't read that long is hung up on."""

LIFE = 3600.0
"""Seconds of one stream: a browser asks again at once, and nothing is held for ever."""

RETRY_MS = 3000
"""Milliseconds after which a browser that lost us asks again."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}

Told = Mapping[str, Any]

Admits = Callable[[web.Request], Awaitable[bool]]
"""Whether whoever asked may still look."""


def province_of(status: ProvinceStatus, stale: bool) -> Told:
    """What a reader is told of one province."""
    standing = status.standing
    return {
        "slug": status.province.slug,
        "state": believed(standing.state, stale),
        "since": rfc3339(standing.since),
        "reason": standing.reason,
        "parent": standing.parent,
        "maintenance": status.maintenance,
    }


@dataclass(frozen=True, slots=True)
class Picture:
    """What was last told to everybody."""

    provinces: Mapping[str, Told]
    blind: bool
    stale: bool

    @classmethod
    def of(cls, snapshot: Snapshot, stale: bool) -> Picture:
        """Every province that something is monitored of."""
        watched = (status for status in snapshot.provinces if status.endpoints)
        told = {status.province.slug: province_of(status, stale) for status in watched}
        return cls(told, snapshot.uplink.blind, stale)

    def counts(self) -> Mapping[str, int]:
        """How many provinces (the Centre is none) are in each state."""
        states = [told["state"] for slug, told in self.provinces.items() if slug != CENTRE.slug]
        return {state: states.count(state) for state in State}

    def since(self, before: Picture) -> Mapping[str, Any] | None:
        """What is different from ``before``; None where nothing is."""
        if self == before:
            return None
        changed = [
            told for slug, told in self.provinces.items() if before.provinces.get(slug) != told
        ]
        gone = sorted(before.provinces.keys() - self.provinces.keys())
        return self._frame() | {"provinces": changed, "gone": gone}

    def whole(self) -> Mapping[str, Any]:
        """All of it."""
        return self._frame() | {"provinces": list(self.provinces.values())}

    def _frame(self) -> dict[str, Any]:
        return {"counts": self.counts(), "blind": self.blind, "stale": self.stale}


def encoded(kind: str, data: Mapping[str, Any], name: str = "") -> bytes:
    """One event of the HTML standard's event stream; JSON has no line ends to escape."""
    lines = [f"id: {name}"] if name else []
    return "\n".join([*lines, f"event: {kind}", f"data: {dumps(data)}", "", ""]).encode()


@dataclass(slots=True, eq=False)
class Reader:
    """One open stream: what waits for it."""

    transport: asyncio.BaseTransport
    waiting: deque[bytes] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False  # its queue ran over: it needs the whole picture

    def give(self, event: bytes) -> None:
        """Queue an event, or forget all of them where there are too many."""
        if len(self.waiting) >= QUEUE_MAX:
            self.waiting.clear()
            self.lost = True
        if not self.lost:
            self.waiting.append(event)
        self.woken.set()


def _hang_up(transport: asyncio.BaseTransport) -> None:
    if isinstance(transport, asyncio.Transport):
        transport.abort()


class Stream:
    """Looks at what is believed while somebody reads, and tells every reader what changed."""

    def __init__(self, sources: Sources, admits: Admits) -> None:
        self._sources = sources
        self._admits = admits
        self._asking = asyncio.Lock()  # one reader at a time: 600 at once would be refused
        self._readers: set[Reader] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._seen: object = None
        self._picture = Picture({}, blind=False, stale=True)
        self._data_at = 0.0  # wall seconds, of the last look
        self._past: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._number = 0
        self._alive_at = 0  # monotonic nanoseconds

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get(PATH, self.events)
        app.on_shutdown.append(self.close)

    async def close(self, _app: web.Application) -> None:
        """Let every reader go; browsers ask again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._part_with(self._readers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The stream, until the client goes."""
        if len(self._readers) >= READERS_MAX:
            text = f"{READERS_MAX} streams are open, which is all; ask again later"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": "30"})
        self._look()
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        if request.transport is None:
            raise ConnectionResetError
        missed = self._missed(request.headers.get("Last-Event-ID", ""))
        reader = Reader(request.transport, deque(missed))
        self._readers.add(reader)
        self._arm()
        try:
            await self._write(reader, response, b"retry: %d\n\n" % RETRY_MS)
            while reader in self._readers and await self._may_read(request):
                await self._pass_on(reader, response)
        finally:
            self._readers.discard(reader)
        return response

    async def _may_read(self, request: web.Request) -> bool:
        async with self._asking:
            return await self._admits(request)

    def wake(self) -> None:
        """Somebody may not look any more: every reader is asked again at once."""
        for reader in self._readers:
            reader.woken.set()

    async def _pass_on(self, reader: Reader, response: web.StreamResponse) -> None:
        if reader.lost:
            reader.lost = False
            reader.waiting.append(self._snapshot())
        events = b"".join(reader.waiting)
        reader.waiting.clear()
        reader.woken.clear()
        if events:
            await self._write(reader, response, events)
        else:
            await reader.woken.wait()

    async def _write(self, reader: Reader, response: web.StreamResponse, data: bytes) -> None:
        kill = asyncio.get_running_loop().call_later(WRITE_TIME, _hang_up, reader.transport)
        try:
            await response.write(data)
        finally:
            kill.cancel()

    # ---- what to tell

    def _arm(self) -> None:
        if self._timer is None and self._readers:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._part_with(reader for reader in self._readers if reader.transport.is_closing())
        self._look()
        self._arm()

    def _part_with(self, readers: Iterable[Reader]) -> None:
        for reader in tuple(readers):
            self._readers.discard(reader)
            reader.woken.set()

    def _look(self) -> None:
        """Tell what changed since the last look, and now and then that we live."""
        snapshot = self._sources.snapshot()
        self._data_at = snapshot.at
        stale = is_stale(self._sources, snapshot)
        seen = (snapshot.version, stale, id(self._sources.settings()))
        if seen != self._seen:
            self._seen = seen
            picture = Picture.of(snapshot, stale)
            changes = picture.since(self._picture)
            self._picture = picture
            if changes is not None:
                self._number += 1
                event = encoded("delta", self._dated(changes), self._name())
                self._past.append((self._number, event))
                self._tell(event)
        now = monotonic_ns()
        if now >= self._alive_at + ALIVE_EVERY_NS:
            self._alive_at = now
            self._tell(encoded("alive", self._dated({"now": rfc3339(self._sources.wall())})))

    def _tell(self, event: bytes) -> None:
        for reader in self._readers:
            reader.give(event)

    def _dated(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"data_at": rfc3339(self._data_at), **data}

    def _name(self) -> str:
        """Numbers begin anew with the process, so its start is part of the name."""
        return f"{self._sources.figures().started_at:.3f}-{self._number}"

    def _snapshot(self) -> bytes:
        return encoded("snapshot", self._dated(self._picture.whole()), self._name())

    def _missed(self, last: str) -> Iterator[bytes]:
        """What a reader that had ``last`` missed; the whole picture where that can't be told."""
        start, _, number = last.rpartition("-")
        known = start == self._name().rpartition("-")[0] and number.isascii() and number.isdigit()
        had = int(number[:12]) if known else -1
        oldest = self._past[0][0] if self._past else self._number + 1
        if not oldest - 1 <= had <= self._number:
            yield self._snapshot()
            return
        yield from (event for sequence, event in self._past if sequence > had)
