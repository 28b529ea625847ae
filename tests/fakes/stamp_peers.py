"""STAMP reflectors: ours as a process, and others' behaviour in threads."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.needs import needs
from tests.fakes.netns import Netns
from vcmon.app import Workshop
from vcmon.clock import SystemClock
from vcmon.config.params import StampParams
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Result

COUNTED = re.compile(r"(\w+)=(\d+)(?= |$)")


@dataclass
class Reflecting:
    """A running ``vcmon reflect``."""

    process: subprocess.Popen[bytes]
    counters: dict[str, int] = field(default_factory=dict)  # filled when it has ended

    def line(self, patience: float = 10.0) -> str:
        """The next line of its log."""
        assert self.process.stderr is not None
        if not select.select([self.process.stderr], (), (), patience)[0]:
            pytest.fail("vcmon reflect says nothing")
        return self.process.stderr.readline().decode()

    def stop(self) -> None:
        """End it; what it counted."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=10)
        counted = said.decode().rpartition("event=counted")[2].strip()
        self.counters = {name: int(value) for name, value in COUNTED.findall(counted)}


@contextmanager
def reflecting(*options: str, space: Netns | None = None) -> Iterator[Reflecting]:
    """``vcmon reflect`` with these options, inside a namespace if one is given."""
    command = [sys.executable, "-m", "vcmon", "reflect", *options]
    if space is not None:
        command = [needs("ip", "iproute2"), "netns", "exec", space.name, *command]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, bufsize=0, env=os.environ | {"NO_COLOR": "1"}
    ) as process:
        running = Reflecting(process)
        try:
            while "event=reflecting" not in (begun := running.line(20.0)):
                assert 'event="not listening"' in begun, begun
            yield running
            if process.poll() is None:
                running.stop()
        finally:
            process.kill()


Answer = Callable[[bytes, int], bytes]
"""An answer to a request, which was the peer's so-many-th (from 0)."""


def light(data: bytes, count: int, length: int = 41) -> bytes:
    """A stateful TWAMP-light reflector's answer, cut to ``length`` bytes (RFC 5357 appendix I)."""
    stamp = struct.pack("!Q", int((time.time() + 2_208_988_800) * 2**32))
    head = struct.pack("!I", count) + stamp + b"\x00\x01\x00\x00" + stamp
    return (head + data[:14] + b"\x00\x00\xff")[:length]


def stateless(data: bytes, _count: int) -> bytes:
    """The same from one that repeats the sender's numbers."""
    return light(data, int.from_bytes(data[:4], "big"))


@contextmanager
def peer(answer: Answer | None, *, drop: int = 0, copies: int = 1) -> Iterator[int]:
    """A UDP peer on loopback, its port; None is silent, each ``drop``-th answer is lost."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        count = 0
        while not over.is_set():
            try:
                data, source = sock.recvfrom(4096)
            except TimeoutError:
                continue
            if answer is not None and not (drop and count % drop == drop - 1):
                for _ in range(copies):
                    sock.sendto(answer(data, count), source)
            count += 1

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(sock.getsockname()[1])
    finally:
        over.set()
        thread.join()
        sock.close()


def stamp_check(address: str, timeout: float = 4.0, **params: Any) -> Check[StampParams]:
    """A stamp check with these parameters."""
    wanted = StampParams(**params)
    return Check(
        CheckId("e", "stamp"), "aceh", "stamp", address, wanted, 10.0, timeout, decides=True
    )


def probed(check: Check[StampParams], runs: int = 1) -> list[Result]:
    """The results of so many runs, one after the other, by the product's own runner."""

    async def main() -> list[Result]:
        workshop = Workshop.open(SystemClock())
        try:
            return [await workshop.runner.run(check) for _ in range(runs)]
        finally:
            workshop.close()

    return asyncio.run(main())
