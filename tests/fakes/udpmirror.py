"""A TUN device that gives UDP back with source and destination swapped, late by what is told.

Whoever sends from ``HERE`` to ``THERE`` meets a server on ``HERE`` as if it stood behind a link:
both directions pass the device, each with a delay and a jitter of its own, and the exact truth of
both is kept. Addresses are swapped as a whole, so that every checksum stays right.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import NamedTuple

import pytest

from tests.fakes.netns import Child, Netns
from tests.fakes.tunrouter import DEVICE, IFF_TUN_NO_PI, SPIN, TUNSETIFF, stamping_tap

HERE, THERE = "10.78.0.1", "10.78.0.2"


@dataclass(frozen=True)
class Link:
    """How one direction delays, in seconds; the jitter is uniform, either way."""

    delay: float
    jitter: float = 0.0


class Passed(NamedTuple):
    """One packet that went through: the kernel's stamps of its coming and of its going on, in
    nanoseconds since 1970. Our own would have our own waiting for the CPU in them.
    """

    came: int
    left: int


@dataclass
class Passage:
    """All that went through, in the order of going on."""

    forward: list[Passed] = field(default_factory=list)
    backward: list[Passed] = field(default_factory=list)


class Mirror:
    """A running mirror; :meth:`stop` gives the truth."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def stop(self) -> Passage:
        """End it; what passed."""
        self._child.pipe.send("stop")
        if not self._child.pipe.poll(10):
            pytest.fail("the mirror did not give its truth")
        truth: Passage = self._child.pipe.recv()
        self._child.stop()
        return truth


@contextlib.contextmanager
def udp_mirror(space: Netns, port: int, forward: Link, backward: Link) -> Iterator[Mirror]:
    """A mirror in ``space``; what goes to ``port`` is ``forward``."""
    child = space.spawn(_main, port, forward, backward)
    try:
        if not child.pipe.poll(10) or child.pipe.recv() != "device":
            pytest.fail("the mirror did not start")
        space.ip("addr", "add", f"{HERE}/24", "dev", DEVICE)
        space.ip("link", "set", DEVICE, "up")
        child.pipe.send("go")
        child.pipe.recv()
        yield Mirror(child)
    finally:
        child.process.kill()
        child.process.join()


def _main(pipe: Connection, port: int, forward: Link, backward: Link) -> None:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN_NO_PI))
    pipe.send("device")
    pipe.recv()
    tap, chance = stamping_tap(), random.Random(78)
    pipe.send("ready")
    queue: list[tuple[int, bytes]] = []
    while True:
        wait = (queue[0][0] - time.monotonic_ns()) / 1e9 - SPIN if queue else 1.0
        ready, _, _ = select.select((tun, pipe.fileno()), (), (), max(0.0, wait))
        if pipe.fileno() in ready:
            break
        with contextlib.suppress(BlockingIOError):
            while ready:
                packet = os.read(tun, 4096)
                if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
                    continue
                link = forward if int.from_bytes(packet[22:24], "big") == port else backward
                late = link.delay + chance.uniform(-link.jitter, link.jitter)
                heapq.heappush(queue, (time.monotonic_ns() + round(late * 1e9), packet))
        while queue and queue[0][0] <= time.monotonic_ns() + SPIN * 1e9:
            due, packet = heapq.heappop(queue)
            while time.monotonic_ns() < due:
                pass
            os.write(tun, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])
    pipe.send(_passage(tap, port))


def _passage(tap: socket.socket, port: int) -> Passage:
    """Pairs what the tap saw: a packet that came is known again, as only its addresses differ."""
    passage = Passage()
    came: dict[bytes, int] = {}
    while True:
        try:
            packet, ancillary, _, _ = tap.recvmsg(2048, 128)
        except BlockingIOError:
            return passage
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            continue
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        stamp = seconds * 10**9 + nanoseconds
        if packet[12:16] == socket.inet_aton(HERE):
            came[packet[20:]] = stamp
        elif packet[20:] in came:
            there = int.from_bytes(packet[22:24], "big") == port
            passed = Passed(came[packet[20:]], stamp)
            (passage.forward if there else passage.backward).append(passed)
