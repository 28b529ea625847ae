"""A router between two namespaces, on a TUN device in each, that delays what it forwards.

It keeps the exact truth of what it read and wrote, by its own clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fakes.netns import CLONE_NEWNET, Netns
from tests.fakes.tunrouter import DEVICE, IFF_TUN_NO_PI, SPIN, TUNSETIFF

LEFT, RIGHT = "10.88.0.1", "10.88.0.2"
RTP_LENGTH = 200  # bytes of an IP packet that carries 20 ms of G.711


@dataclass(frozen=True)
class Delays:
    """Seconds on the way to the right and back; ``jitter`` (uniform, either way) for audio only."""

    there: float
    back: float
    jitter: float = 0.0


class Passed(NamedTuple):
    """One UDP packet that went through."""

    to_right: bool
    length: int  # of the IP packet
    payload: bytes  # of the UDP datagram, its first 12 bytes
    read: int  # monotonic nanoseconds
    written: int


@dataclass
class DelayRouter:
    """A running router; :meth:`stop` gives what went through."""

    pipe: Connection

    def stop(self) -> list[Passed]:
        self.pipe.send("stop")
        if not self.pipe.poll(10):
            pytest.fail("the router did not give its truth")
        passed: list[Passed] = self.pipe.recv()
        return passed


@contextlib.contextmanager
def delay_router(left: Netns, right: Netns, delays: Delays) -> Iterator[DelayRouter]:
    """A router between the two, which are 10.88.0.1 and 10.88.0.2 then."""
    child = left.spawn(_main, right.name, delays)
    try:
        if not child.pipe.poll(10) or child.pipe.recv() != "devices":
            pytest.fail("the router did not start")
        for space, address in ((left, LEFT), (right, RIGHT)):
            space.ip("addr", "add", f"{address}/24", "dev", DEVICE)
            space.ip("link", "set", DEVICE, "up")
        child.pipe.send("go")
        yield DelayRouter(child.pipe)
    finally:
        child.process.kill()
        child.process.join()


def _main(pipe: Connection, right: str, delays: Delays) -> None:
    first = _device()
    with Path(f"/run/netns/{right}").open() as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    second = _device()
    pipe.send("devices")
    pipe.recv()
    engine = _Engine((first, second), delays)
    engine.run(pipe)
    pipe.send(engine.passed)


def _device() -> int:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN_NO_PI))
    return tun


@dataclass
class _Engine:
    tuns: tuple[int, int]
    delays: Delays
    passed: list[Passed] = field(default_factory=list)
    queue: list[tuple[float, int, bool, bytes, int]] = field(default_factory=list)
    serial: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(77))

    def run(self, pipe: Connection) -> None:
        while True:
            wait = self.queue[0][0] - time.monotonic() - SPIN if self.queue else 1.0
            ready, _, _ = select.select((*self.tuns, pipe.fileno()), (), (), max(0.0, wait))
            if pipe.fileno() in ready:
                return
            for tun in ready:
                self._read(tun, to_right=tun == self.tuns[0])
            self._write()

    def _read(self, tun: int, *, to_right: bool) -> None:
        for _ in range(32):
            try:
                packet = os.read(tun, 4096)
            except BlockingIOError:
                return
            at = time.monotonic_ns()
            delay = self.delays.there if to_right else self.delays.back
            if len(packet) == RTP_LENGTH:
                delay += self.random.uniform(-self.delays.jitter, self.delays.jitter)
            self.serial += 1
            heapq.heappush(self.queue, (at / 1e9 + delay, self.serial, to_right, packet, at))

    def _write(self) -> None:
        while self.queue and self.queue[0][0] <= time.monotonic() + SPIN:
            due, _, to_right, packet, read = heapq.heappop(self.queue)
            while time.monotonic() < due:
                pass
            written = time.monotonic_ns()
            os.write(self.tuns[1 if to_right else 0], packet)
            if packet[0] == 0x45 and packet[9] == 17:
                self.passed.append(Passed(to_right, len(packet), packet[28:40], read, written))
