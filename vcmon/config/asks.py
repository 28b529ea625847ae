"""What every kind's parameters can tell, beside what they say: how a run asks, and how gently."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from vcmon.config.fields import Strict, duration
from vcmon.model.opening import Opening

SYN_RETRY = 1.0
"""Seconds: Linux's first retransmission of a SYN, doubling."""


class Asks(NamedTuple):
    """How often a run asks before it gives up on an answer: what loss would have to eat."""

    tries: int  # packets for one answer; 0: none of ours, so silence is no matter of luck
    exchanges: int = 1  # such answers, one after the other, until a run knows what it asks for


def over_udp(first: float, timeout: float, exchanges: int = 1) -> Asks:
    """Datagrams sent again after ``first`` seconds, doubling; exchanges share the timeout."""
    return Asks(_sendings(first, timeout / exchanges), exchanges)


def over_tcp(timeout: float, exchanges: int = 1) -> Asks:
    """The kernel's SYN and what follows it; each has about as many tries in the timeout."""
    return Asks(_sendings(SYN_RETRY, timeout), exchanges)


def _sendings(first: float, seconds: float) -> int:
    """Retransmissions at t, 3t, 7t, ...: the k-th is sent at (2^k - 1) t."""
    return 1 + int(math.log2(max(1.0, seconds / first + 1)) - 1e-9)


def unfit_pace(packets: int, spacing: float, timeout: float) -> Iterator[tuple[str, str]]:
    """What is sent at a pace must all be sent within the timeout."""
    burst = (packets - 1) * spacing
    if burst >= timeout:
        what = f"{packets} packets {duration(spacing)} apart take {duration(burst)}: "
        yield "packets", what + f"not less than the timeout of {duration(timeout)}"


class ProbeParams(Strict):
    """The parameters of one kind."""

    def asks(self, timeout: float, /) -> Asks:
        """How a run of so many seconds asks."""
        raise NotImplementedError

    def unfit(self, _interval: float, _timeout: float, /) -> Iterator[tuple[str, str]]:
        """What does not go together with such an interval and timeout, seconds: key and why."""
        yield from ()

    @property
    def opening(self) -> Opening | None:
        """When it may run; None: at any time."""
        return None

    @property
    def gentle(self) -> float:
        """Seconds at least from one run to the next out of turn, where runs disturb somebody.

        Above 0 they are confirmed at leisure, never with several attempts at once, and never as a
        witness of others.
        """
        return 0.0

    @property
    def degrades(self) -> bool:
        """Whether an endpoint is degraded while this check fails and does not decide."""
        return False
