"""A crowd at the door: readers of the stream, the silent, the endless, and who never reads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.browser import serving
from tests.fakes.figures import record
from tests.fakes.process import Monitor, free_port, listener, running, write_settings
from tests.fakes.snapshots import World, mixed
from vcmon.views import site, web

EVENTS = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
ENDLESS = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "

SMALL = 4096
"""Bytes that a client takes in which does not read: the rest stays with the server."""

ON_TIME = 0.05
"""Seconds: a probe that starts so late is on time (the timetable looks every 50 ms)."""


@dataclass
class Crowd:
    """Connections to one port, held until :meth:`leave`."""

    port: int
    readers: list[socket.socket] = field(default_factory=list)
    bad: list[socket.socket] = field(default_factory=list)

    async def come(self, events: int, silent: int, deaf: int) -> None:
        """So many readers of the stream; half of the silent have begun a header; the deaf ask
        for metrics and never read.
        """
        for _ in range(events):
            self.readers.append(await self._connect(EVENTS))
        for number in range(silent):
            self.bad.append(await self._connect(ENDLESS if number % 2 else b""))
        for _ in range(deaf):
            self.bad.append(await self._connect(SCRAPE, SMALL))

    async def _connect(self, said: bytes, room: int = 0) -> socket.socket:
        it = socket.socket()
        if room:
            it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        it.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(it, ("127.0.0.1", self.port))
        if said:
            await loop.sock_sendall(it, said)
        return it

    def drain(self) -> int:
        """Read what has come for the readers; how many of them are still served."""
        return sum(map(_is_served, self.readers))

    def leave(self) -> None:
        """Hang up."""
        for it in (*self.readers, *self.bad):
            it.close()


def _is_served(it: socket.socket) -> bool:
    try:
        while True:
            if not it.recv(65536):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def held_by_server(port: int, theirs: Iterable[socket.socket]) -> int:
    """How many of these connections the server still holds, by the kernel's own table."""
    ports = set()
    for it in theirs:
        with contextlib.suppress(OSError):
            ports.add(it.getsockname()[1])
    found = [
        each
        for each in psutil.net_connections("tcp")
        if each.laddr
        and each.laddr.port == port
        and each.raddr
        and each.raddr.port in ports
        and each.status == psutil.CONN_ESTABLISHED
    ]
    return len(found)


@asynccontextmanager
async def crowd(port: int) -> AsyncIterator[Crowd]:
    """Nobody yet; all of them go when the block ends."""
    it = Crowd(port)
    try:
        yield it
    finally:
        it.leave()


async def test_crowd_in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits a thirtieth as long: of 200 bad ones none is left, of 50 readers none is lost."""
    for name, seconds in (("FIRST_ANSWER_TIME", 1.2), ("SWEEP_EVERY", 0.2), ("IDLE_TIME", 1.0)):
        monkeypatch.setattr(site, name, seconds)
    monkeypatch.setattr(web, "ANSWER_TIME", 1.0)
    async with serving(World(mixed()).counted()) as browser, crowd(browser.port) as people:
        await people.come(events=50, silent=100, deaf=100)
        until = asyncio.get_running_loop().time() + 10
        while held_by_server(browser.port, people.bad):
            assert asyncio.get_running_loop().time() < until
            people.drain()
            await asyncio.sleep(0.2)
        assert people.drain() == 50
        assert (await browser.ask("/metrics")).status == 200


# ---- the whole of it, with a process of its own


def lateness(monitor: Monitor) -> Sequence[tuple[float, float]]:
    """How many probes started at most so late, by bucket."""
    _, text = monitor.get("/metrics")
    found = [
        (float(sample.labels["le"]), sample.value)
        for family in text_string_to_metric_families(text)
        if family.name == "vcmon_schedule_lateness_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket")
    ]
    assert found
    return found


def p99(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> float:
    """Seconds that 99 of 100 probes between two scrapes were late at the most, by its bucket."""
    grown = [(limit, b - a) for (limit, a), (_, b) in zip(before, after, strict=True)]
    return next(limit for limit, count in grown if count >= 0.99 * grown[-1][1])


@pytest.mark.catalogue("T33")
@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_probes_do_not_feel_a_crowd(tmp_path: Path) -> None:
    """T33: 500 readers, 500 silent or endless, 100 deaf: after 60 s no bad one is open, and
    probes were as punctual as before.
    """
    port = free_port()
    with listener() as server:
        rows = [f"codec-{n:03},aceh,codec,{server.address},tcp:{server.port}," for n in range(200)]
        config = write_settings(tmp_path, rows, port=port)
        with running(config, port) as monitor:
            await asyncio.sleep(15)
            begun = await asyncio.to_thread(lateness, monitor)
            await asyncio.sleep(60)
            calm = await asyncio.to_thread(lateness, monitor)
            async with crowd(port) as people:
                await people.come(events=500, silent=500, deaf=100)
                for _ in range(60):
                    people.drain()
                    await asyncio.sleep(1)
                left, served = held_by_server(port, people.bad), people.drain()
                after = await asyncio.to_thread(lateness, monitor)
    quiet, crowded = p99(begun, calm), p99(calm, after)
    unchanged = crowded <= max(quiet, ON_TIME)
    figure = f"{left} of 600 left, {served} of 500 served, p99 {quiet} s, then {crowded} s"
    record("T33", figure, "0 left, p99 unchanged", left == 0 and unchanged)
    assert (left, served) == (0, 500)
    assert unchanged, figure
