"""The sockets of a reflector: packets in, answers out, each with the kernel's stamps and marks."""

from __future__ import annotations

import asyncio
import socket
from typing import NamedTuple

from vcmon.clock import Clock, wall_ns
from vcmon.net.faults import local_fault
from vcmon.net.marked import Arrival, mark, marking, receive, watch
from vcmon.net.reflector import Packet, Reflector
from vcmon.wire.stamp import SIZE_MAX

BATCH = 32  # packets answered before others (signals, the watchdog) have their turn

BUFFER_BYTES = 1 << 20
"""Holds the packets of several streams while we are kept from the CPU; a flood fills any."""


class Listen(NamedTuple):
    """Where a reflector listens: an IP literal and a port."""

    host: str
    port: int


class ReflectorSocket:
    """One bound socket; answers as long as it is open."""

    def __init__(self, at: Listen, reflector: Reflector, clock: Clock) -> None:
        """Bind. Raises ProbeError with blame ``local``."""
        self._reflector = reflector
        self._clock = clock
        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        try:
            self._sock = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as error:
            raise local_fault(error) from error
        try:
            self._sock.settimeout(0.0)
            if family == socket.AF_INET6:
                self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            watch(self._sock)
            mark(self._sock, 0)
            self._sock.bind((at.host, at.port))
        except OSError as error:
            self._sock.close()
            raise local_fault(error) from error
        self.port = int(self._sock.getsockname()[1])

    def start(self) -> None:
        """Answer from now on, on the running loop."""
        asyncio.get_running_loop().add_reader(self._sock, self._answer_all)

    def close(self) -> None:
        """Answer nobody any more."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def _answer_all(self) -> None:
        for _ in range(BATCH):
            try:
                # one byte more than the longest: what is cut off must not pass for whole
                arrival = receive(self._sock, SIZE_MAX + 1)
            except OSError:  # an answer of ours was refused: nobody waits for it
                continue
            if arrival is None:
                return
            self._answer(arrival)

    def _answer(self, arrival: Arrival) -> None:
        host, port = arrival.source[:2]
        seen = (arrival.stamp, arrival.dscp or 0, arrival.ttl or 0)
        answer = self._reflector.judge(
            Packet(arrival.data, host, port, *seen), self._clock.monotonic()
        )
        if answer is None:
            return
        ancillary = [marking(self._sock.family, answer.dscp)]
        if arrival.target is not None:
            ancillary.append(arrival.target)
        try:
            self._sock.sendmsg([answer.encode(wall_ns())], ancillary, 0, arrival.source)
        except OSError:
            self._reflector.unsent()
