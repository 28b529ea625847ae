"""Traceroute by ICMP echo: who answers for each time-to-live on the way to an address.

Not icmplib's: that one blocks a thread for a minute on a dead path, asks hop after hop, and needs
RAW sockets. Echo rather than UDP, because what answers a ping answers it, no port is knocked at,
and most routers that share load look at ICMP's addresses only: the same way each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from vcmon.model.path import Hop
from vcmon.model.result import Reason
from vcmon.net.deadline import Deadline
from vcmon.net.scout import Answer, Scout

HOPS_MAX = 30
"""As every traceroute; no way across Indonesia and back is longer."""

ADDRESSES_MAX = 4
"""Addresses kept of one hop: a trace of one flow should meet one."""

SIZE = 32
"""Bytes of payload: what a router quotes of it tells our packets from others'."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a hop is asked; times in seconds.

    The defaults end a trace of a cut path in 3 s and find every hop behind a satellite (0.7 s).
    """

    tries: int = 3
    again: float = 0.7  # from one try to the next
    wait: float = 1.0  # after the last one
    spacing: float = 0.01  # between packets: no burst
    ahead: int = 8  # hops asked beyond the last that answered; as many silent ones end the trace


DEFAULT_PATIENCE = Patience()


class Traced(NamedTuple):
    """What a trace found, as in :class:`vcmon.model.path.Route`."""

    hops: tuple[Hop, ...]
    reached: bool
    why: Reason
    sent: int  # packets


@dataclass(slots=True)
class _Asked:
    """One time-to-live under way; times are seconds since the trace's begin."""

    due: float  # when to send next, or to give up
    tries: int = 0
    answered: set[int] = field(default_factory=set)  # packets' numbers
    addresses: list[str] = field(default_factory=list)
    rtt: float | None = None

    def is_open(self, patience: Patience, now: float) -> bool:
        return not self.answered and (self.tries < patience.tries or now < self.due)

    def hop(self, ttl: int) -> Hop:
        return Hop(ttl, tuple(self.addresses), self.rtt, self.tries - len(self.answered))


async def trace(address: str, deadline: Deadline, patience: Patience = DEFAULT_PATIENCE) -> Traced:
    """Who is on the way to ``address``, an IP literal; done at the deadline, however it stands.

    Sends at most HOPS_MAX times ``tries`` packets. Raises ProbeError, blame LOCAL, where nothing
    can be sent.
    """
    with Scout(address) as scout:
        tracing = _Tracing(scout, patience)
        while True:
            now = deadline.elapsed()
            due = tracing.send_due(now)
            if due is None or now >= deadline.seconds:
                break
            for answer in await scout.listen(min(due, deadline.seconds) - now):
                tracing.take(answer)
        for answer in await scout.listen(0.0):
            tracing.take(answer)
        return tracing.traced()


class _Tracing:
    """One trace under way."""

    def __init__(self, scout: Scout, patience: Patience) -> None:
        self._scout = scout
        self._patience = patience
        self._asked: dict[int, _Asked] = {}  # by ttl
        self._ttls: dict[int, int] = {}  # by packet number
        self._end = HOPS_MAX  # no hop behind it is of the way
        self._reached = False
        self._why = Reason.TIMEOUT

    def send_due(self, now: float) -> float | None:
        """Send what is due; when to look again, or None: everything has been answered or waited
        for.
        """
        self._widen(now)
        patience = self._patience
        waits = []
        for ttl, asked in self._asked.items():
            if ttl > self._end or not asked.is_open(patience, now):
                continue
            if asked.due <= now:
                self._send(ttl, asked, now)
            waits.append(asked.due)
        return min(waits, default=None)

    def _widen(self, now: float) -> None:
        """Ask further hops, but never far beyond the last one that answered."""
        answered = (ttl for ttl, asked in self._asked.items() if asked.answered)
        horizon = min(self._end, max(answered, default=0) + self._patience.ahead)
        for place, ttl in enumerate(range(len(self._asked) + 1, horizon + 1)):
            self._asked[ttl] = _Asked(due=now + place * self._patience.spacing)

    def _send(self, ttl: int, asked: _Asked, now: float) -> None:
        number = self._scout.send(SIZE, ttl)
        assert number is not None  # no interface is too small for it
        self._ttls[number] = ttl
        asked.tries += 1
        last = asked.tries == self._patience.tries
        asked.due = now + (self._patience.wait if last else self._patience.again)

    def take(self, answer: Answer) -> None:
        """Somebody answered one of the packets, maybe late."""
        ttl = self._ttls[answer.number]
        asked = self._asked[ttl]
        if answer.number in asked.answered or not answer.source:
            return
        if answer.too_big_for is not None:
            return  # our packets are small: it is nonsense
        asked.answered.add(answer.number)
        if asked.rtt is None:
            asked.rtt = answer.rtt
        if answer.source not in asked.addresses and len(asked.addresses) < ADDRESSES_MAX:
            asked.addresses.append(answer.source)
        if answer.reason is not Reason.TTL_EXCEEDED and ttl <= self._end:
            self._end = ttl
            self._reached = answer.source == self._scout.address
            self._why = Reason.OK if self._reached else answer.reason

    def traced(self) -> Traced:
        """How it stands."""
        hops = [asked.hop(ttl) for ttl, asked in sorted(self._asked.items()) if ttl <= self._end]
        while hops and not hops[-1].addresses:
            hops.pop()
        return Traced(tuple(hops), self._reached, self._why, self._scout.sent)
