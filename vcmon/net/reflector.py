"""A stateful STAMP reflector (RFC 8762) without I/O: who is answered, with what, and how often.

It must be of no use to whoever means ill. It answers allowed senders only, never more bytes than it
was sent, at a bounded rate, and never an answer: two reflectors can't be set upon each other.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Generic, NamedTuple, TypeVar

from vcmon.errors import ProbeError
from vcmon.wire.stamp import (
    ErrorEstimate,
    Reflection,
    Request,
    brings_back,
    encode_reply,
    parse_request,
    wanted_dscp,
)

K = TypeVar("K")
V = TypeVar("V")

Network = IPv4Network | IPv6Network

SENDERS_RATE = 500
"""Answers a second to one sender: two checks whose confirming runs overlap send 400."""

OVERALL_SHARE = 4
"""All senders together get so many times the rate of one: none can take it all."""

BURST_SECONDS = 0.2
"""A sender's packets bunch up by so much on a busy path; more at once is no measurement."""

SESSIONS_MAX = 4096
"""A vantage begins one session every ten seconds a check; the oldest goes first, and one that is in
use is never the oldest."""

SENDERS_MAX = 4096  # buckets; a sender that was forgotten begins with a full one

IDLE = 60.0
"""Seconds without a packet after which a session is over; a stream has ended long before."""

UNKNOWN_CLOCK = ErrorEstimate()  # until somebody asks the kernel

SYSTEM_PORTS = 1024
"""Senders use ephemeral ports. From below come the services that answer whatever they get (echo,
chargen, DNS, other reflectors): by a forged source they would be set upon us."""


class Refusal(StrEnum):
    """Why a packet is not answered; a closed set."""

    STRANGER = "stranger"  # the sender is not allowed
    PORT = "port"  # it comes from a service, not from a sender
    MALFORMED = "malformed"  # no test packet by its size
    RATE = "rate"  # this sender asks too often
    OVERALL = "overall"  # all senders together do
    LOOP = "loop"  # it is an answer to an answer of ours
    UNSENT = "unsent"  # the kernel did not take the answer


class Kept(Generic[K, V]):
    """The last so many things used, by key; the one unused for longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def use(self, key: K) -> V | None:
        """What is kept under ``key``."""
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: K, item: V) -> V:
        """Keep ``item``; gives it back."""
        self._items[key] = item
        if len(self._items) > self._limit:
            self._items.popitem(last=False)
        return item

    def oldest(self) -> tuple[K, V] | None:
        """What has been unused for longest."""
        return next(iter(self._items.items()), None)

    def drop(self, key: K) -> None:
        """Forget it."""
        del self._items[key]


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate; a full one holds a burst."""

    rate: float  # a second
    tokens: float
    at: float  # monotonic seconds

    def take(self, now: float) -> bool:
        """Whether one may go now."""
        full = max(1.0, self.rate * BURST_SECONDS)
        self.tokens = min(full, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


def bucket(rate: float, now: float) -> Bucket:
    """A full bucket."""
    return Bucket(rate, rate * BURST_SECONDS, now)


class SessionKey(NamedTuple):
    """What a session is told by: RFC 8762 and RFC 8972 section 3."""

    host: str
    port: int
    ssid: int


@dataclass(slots=True)
class Session:
    """One sender's stream: how many of its packets were answered."""

    used: float  # monotonic seconds
    answered: int = 0


class Packet(NamedTuple):
    """One packet as it arrived."""

    data: bytes
    host: str
    port: int
    received: int  # nanoseconds since 1970, the kernel's
    dscp: int
    ttl: int


class Answer(NamedTuple):
    """A packet that will be answered; :meth:`encode` makes the answer at the last moment."""

    packet: Packet
    request: Request
    seen: Reflection
    dscp: int

    def encode(self, sent: int) -> bytes:
        """The bytes, leaving at ``sent`` (nanoseconds since 1970); as many as came."""
        return encode_reply(self.packet.data, self.request, self.seen, sent)


@dataclass(slots=True)
class Reflector:
    """Judges each packet; everything that it remembers is bounded."""

    allowed: tuple[Network, ...]
    rate: float  # answers a second to one sender
    ports: frozenset[int] = frozenset()  # our own: whoever answers from there is one of us
    error: ErrorEstimate = UNKNOWN_CLOCK
    answered: int = 0
    refused: Counter[Refusal] = field(default_factory=Counter)
    sessions: Kept[SessionKey, Session] = field(default_factory=lambda: Kept(SESSIONS_MAX))
    senders: Kept[str, Bucket] = field(default_factory=lambda: Kept(SENDERS_MAX))
    _overall: Bucket | None = None

    def judge(self, packet: Packet, now: float) -> Answer | None:
        """The answer to a packet at monotonic second ``now``; None where it gets none (counted)."""
        verdict = self._judged(packet, now)
        if isinstance(verdict, Refusal):
            self.refused[verdict] += 1
            return None
        self.answered += 1
        return verdict

    def unsent(self) -> None:
        """The kernel did not take an answer."""
        self.answered -= 1
        self.refused[Refusal.UNSENT] += 1

    def counters(self) -> dict[str, int]:
        """What was done so far, for one line of a log."""
        told = {f"not_{refusal}": self.refused[refusal] for refusal in Refusal}
        return {"answered": self.answered, **told, "sessions": len(self.sessions)}

    def _judged(self, packet: Packet, now: float) -> Answer | Refusal:
        request = self._read(packet)
        if isinstance(request, Refusal):
            return request
        if not self._sender(packet.host, now).take(now):
            return Refusal.RATE
        if not self._everybody(now).take(now):
            return Refusal.OVERALL
        number = self._count(SessionKey(packet.host, packet.port, request.ssid), now)
        seen = Reflection(number, packet.received, self.error, packet.ttl, packet.dscp)
        wanted = wanted_dscp(packet.data)
        return Answer(packet, request, seen, packet.dscp if wanted is None else wanted)

    def _read(self, packet: Packet) -> Request | Refusal:
        if not is_allowed(packet.host, self.allowed):
            return Refusal.STRANGER
        if packet.port < SYSTEM_PORTS or packet.port in self.ports:
            return Refusal.PORT
        try:
            request = parse_request(packet.data)
        except ProbeError:
            return Refusal.MALFORMED
        return Refusal.LOOP if brings_back(packet.data, packet.received) else request

    def _sender(self, host: str, now: float) -> Bucket:
        return self.senders.use(host) or self.senders.put(host, bucket(self.rate, now))

    def _everybody(self, now: float) -> Bucket:
        if self._overall is None:
            self._overall = bucket(self.rate * OVERALL_SHARE, now)
        return self._overall

    def _count(self, key: SessionKey, now: float) -> int:
        while (oldest := self.sessions.oldest()) and now - oldest[1].used > IDLE:
            self.sessions.drop(oldest[0])
        session = self.sessions.use(key) or self.sessions.put(key, Session(now))
        number = session.answered
        session.answered, session.used = number + 1, now
        return number


@lru_cache(maxsize=4096)  # more senders than anybody allows; a flood of forged ones is judged anew
def is_allowed(host: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address as the kernel gives it lies in one of the networks."""
    address = ip_address(host.partition("%")[0])
    return any(address.version == net.version and address in net for net in networks)
