"""Connections that never get as far as an answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.browser import serving
from tests.fakes.snapshots import World, mixed
from vcmon.views import site


@pytest.fixture
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for what takes thirty-five."""
    monkeypatch.setattr(site, "FIRST_ANSWER_TIME", 0.6)
    monkeypatch.setattr(site, "SWEEP_EVERY", 0.1)


@pytest.mark.usefixtures("_in_haste")
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_who_never_asks_is_hung_up_on(begun: bytes) -> None:
    """Silent, or with headers that never end: a hundred of them are gone in time."""
    async with serving(World(mixed())) as browser:
        held = [await asyncio.open_connection("127.0.0.1", browser.port) for _ in range(100)]
        for _, writer in held:
            writer.write(begun)
        ends = [await asyncio.wait_for(reader.read(), 2) for reader, _ in held]
        assert set(ends) == {b""}
        for _, writer in held:
            writer.transport.abort()


@pytest.mark.usefixtures("_in_haste")
async def test_who_was_answered_is_left_alone() -> None:
    """A reader of the event stream, and one that waits for its next question."""
    async with serving(World(mixed())) as browser:
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(1.0)
        assert (await browser.ask("/-/ready")).status == 200
        assert b"event: snapshot" in await reader.read(65536)
        assert not reader.at_eof()
        writer.transport.abort()
