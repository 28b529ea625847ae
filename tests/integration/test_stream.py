"""The event stream over a real socket: first picture, changes, coming back, limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.fakes.browser import Browser, serving
from tests.fakes.snapshots import (
    PROVINCES,
    World,
    make_snapshot,
    mixed,
    province_status,
    uniform,
)
from tests.unit.views.test_stream import DOWN, without_aceh
from vcmon.model.status import Snapshot
from vcmon.views import stream


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: Any


@dataclass
class Listener:
    """Reads a stream as a browser does."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    async def next(self, *kinds: str) -> Event:
        """The next event of one of these kinds."""
        while True:
            fields: dict[str, str] = {}
            while line := (await self._line()).rstrip("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
            if fields.get("event") in kinds:
                return Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))

    async def _line(self) -> str:
        while True:
            line = (await self.reader.readuntil(b"\n")).decode()
            if not line.endswith("\r\n"):  # else the head of a chunk, or its end
                return line


@asynccontextmanager
async def listening(browser: Browser, last: str = "", header: str = "") -> AsyncIterator[Listener]:
    reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
    more = [f"Last-Event-ID: {last}"] if last else []
    lines = [f"GET {stream.PATH} HTTP/1.1", "Host: localhost", *more, *filter(None, [header])]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    try:
        yield Listener(reader, writer, head)
    finally:
        writer.transport.abort()


def change(world: World, number: int) -> None:
    """Aceh falls, or rises."""
    made = without_aceh() if number % 2 else uniform()
    world.snapshot = replace(made, version=100 + number)


async def test_whole_picture_first_then_changes() -> None:
    """38 provinces and the Centre at once; then only what became different, within a second."""
    world = World(uniform())
    async with serving(world) as browser, listening(browser) as listener:
        assert "200 OK" in listener.head
        assert "text/event-stream; charset=utf-8" in listener.head
        first = await listener.next("snapshot", "delta")
        assert first.kind == "snapshot"
        assert len(first.data["provinces"]) == 39
        change(world, 1)
        begun = asyncio.get_running_loop().time()
        then = await listener.next("snapshot", "delta")
        assert asyncio.get_running_loop().time() - begun < 1
        assert then.kind == "delta"
        assert [one["slug"] for one in then.data["provinces"]] == ["aceh"]
        assert then.id != first.id


async def test_who_comes_back_gets_what_it_missed() -> None:
    """From the last event it names on, nothing twice; another process's numbers mean nothing."""
    world = World(uniform())
    async with serving(world) as browser:
        async with listening(browser) as listener:
            seen = await listener.next("snapshot")
            change(world, 1)
            missed = await listener.next("delta")
        async with listening(browser, seen.id) as listener:
            again = await listener.next("snapshot", "delta")
            assert (again.kind, again.id, again.data) == ("delta", missed.id, missed.data)
        async with listening(browser, missed.id) as listener:
            change(world, 2)
            assert (await listener.next("snapshot", "delta")).kind == "delta"
        for unknown in ("1.000-1", "x", f"{missed.id}9", "-", f"{missed.id[:-1]}\u0661"):
            async with listening(browser, unknown) as listener:
                assert (await listener.next("snapshot", "delta")).kind == "snapshot"


async def test_signs_of_life_come_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the server's time and the data's, so that a page can tell silence from quiet."""
    monkeypatch.setattr(stream, "ALIVE_EVERY_NS", 50_000_000)
    async with serving(World(mixed())) as browser, listening(browser) as listener:
        for _ in range(3):
            alive = await listener.next("alive")
            assert set(alive.data) == {"now", "data_at"}


async def test_one_too_many_is_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit 503 with Retry-After; a place that is given back is free at once."""
    monkeypatch.setattr(stream, "READERS_MAX", 2)
    async with serving(World(mixed())) as browser, listening(browser):
        async with listening(browser) as second:
            await second.next("snapshot")
            refused = await browser.ask(stream.PATH)
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "30"
        for _ in range(50):
            await asyncio.sleep(0.02)
            async with listening(browser) as third:
                if "200 OK" in third.head:
                    return
        pytest.fail("the place was never given back")


def wordy(number: int) -> Snapshot:
    """A change of every province, 40 kB long."""
    standing = replace(DOWN, parent=f"{number}-" + "x" * 1000)
    return replace(
        make_snapshot(province_status(one, standing) for one in PROVINCES.values()),
        version=100 + number,
    )


async def test_reader_that_never_reads_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it doesn't read is not kept, the others hear everything, and in the end it is gone."""
    monkeypatch.setattr(stream, "WRITE_TIME", 0.3)
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.005)
    world = World(uniform())
    async with serving(world) as browser, listening(browser) as deaf, listening(browser) as good:
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await good.next("snapshot")
        for number in range(250):  # 10 MB: more than the kernel holds for one
            world.snapshot = wordy(number)
            assert (await good.next("delta", "snapshot")).kind == "delta"
        await asyncio.sleep(0.4)
        deaf.writer.transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await deaf.next("the end")
