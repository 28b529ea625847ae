"""One question over UDP, asked again by schedule, answered by one datagram.

The socket is connected, so that the kernel drops what comes from another address or port and
hands us the ICMP errors that quote our own datagrams. Round trips end at the kernel's receive
stamp: a busy loop of ours adds nothing to them.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.net.deadline import Deadline
from vcmon.net.faults import local_fault, remote_fault

T = TypeVar("T")

DATAGRAM_MAX = 65_535
"""Bytes; IP has no longer datagram."""

BATCH = 32
"""Datagrams read before other tasks have their turn."""

IGNORED_MAX = 1_000
"""Datagrams that don't match, then nothing more is parsed: a flood must not eat our core."""

SENDINGS_MAX = 16
"""More requests than this within one timeout would be a flood of ours."""

PAUSE_MIN = 0.05
"""Seconds; retransmitting faster than this would be a burst, not a second try."""

REFUSED_PAUSE = 0.1
"""Seconds from the first ICMP refusal to the one extra try."""

CLOCK_STEP = 1_000_000
"""Nanoseconds by which wall and monotonic time may differ before the wall clock was stepped."""

SO_TIMESTAMPNS = 35  # Linux; the socket module has no name for it
_TIMESPEC = struct.Struct("@ll")

RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),  # IP_RECVERR
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),  # IPV6_RECVERR
}
"""Without it Linux tells a UDP socket of refused ports only, and keeps "host unreachable" from a
router to itself: the check would wait out its timeout for what is already known."""

FROM_THE_PATH = frozenset(
    {
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENOPROTOOPT,
        errno.EPROTO,
        errno.ENONET,
        errno.EACCES,
        errno.EMSGSIZE,
    }
)
"""What the kernel makes of an ICMP error on a connected socket (icmp_err_convert)."""


@dataclass(frozen=True, slots=True)
class Retransmission:
    """When an unanswered request is sent again: after ``first`` seconds, doubling up to ``cap``.

    The defaults are T1 and T2 of RFC 3261; over a GEO satellite ``first`` is to be 1.5 round
    trips or more.
    """

    first: float = 0.5
    cap: float = 4.0

    def pauses(self) -> Iterator[float]:
        """Seconds from each sending to the next."""
        pause = max(self.first, PAUSE_MIN)
        for _ in range(SENDINGS_MAX):
            yield min(pause, self.cap)
            pause *= 2


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """The datagram that answered."""

    value: T  # what ``matches`` made of it
    transmissions: int  # requests sent until it came
    rtt: float | None  # seconds; None after a retransmission: which one was answered? (Karn)
    ignored: int  # datagrams before it that did not match


class _Conversation(Generic[T]):
    """What was sent and received so far."""

    def __init__(
        self, sock: socket.socket, payload: bytes, matches: Callable[[bytes], T | None]
    ) -> None:
        self._sock = sock
        self._payload = payload
        self._matches = matches
        self._sent_wall = 0
        self._sent_monotonic = 0
        self._refused = 0  # the sending that was refused last
        self.sent = 0
        self.ignored = 0
        self.refusal: ProbeError | None = None
        self.nonsense: ProbeError | None = None  # what ``matches`` said of a datagram

    def send(self) -> None:
        self.sent += 1
        self._sent_wall, self._sent_monotonic = wall_ns(), monotonic_ns()
        try:
            self._sock.send(self._payload)
        except ConnectionRefusedError as error:  # an ICMP error that came since the last drain
            self._note(error.errno)
        except OSError as error:
            raise local_fault(error) from error

    def drain(self) -> Reply[T] | None:
        """The matching reply among what lies in the socket; at most BATCH datagrams are read."""
        for _ in range(BATCH):
            try:
                data, ancillary, flags, _ = self._sock.recvmsg(DATAGRAM_MAX, 64)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno not in FROM_THE_PATH:
                    raise local_fault(error) from error
                self._note(error.errno)
                continue
            if self.ignored >= IGNORED_MAX:
                continue
            value = None if flags & socket.MSG_TRUNC else self._judge(data)
            if value is not None:
                return Reply(value, self.sent, self._round_trip(ancillary), self.ignored)
            self.ignored += 1
        return None

    def _judge(self, data: bytes) -> T | None:
        try:
            return self._matches(data)
        except ProbeError as error:
            self.nonsense = error
            return None

    def _note(self, number: int | None) -> None:
        """Remember a refusal; the second sending that is refused ends the conversation.

        One ICMP error may be forged by whoever sees or guesses the ports, or come while the peer
        restarts: it alone is no outage, and an answer outweighs it.
        """
        if not number:
            return
        self.refusal = remote_fault(OSError(number, errno.errorcode.get(number, "ICMP error")))
        if self._refused and self._refused != self.sent:
            raise self.refusal
        self._refused = self.sent

    def _round_trip(self, ancillary: list[tuple[int, int, bytes]]) -> float | None:
        if self.sent != 1:
            return None
        elapsed = monotonic_ns() - self._sent_monotonic
        stepped = abs(wall_ns() - self._sent_wall - elapsed) > CLOCK_STEP
        stamp = None if stepped else _receive_stamp(ancillary)
        return max(0, elapsed if stamp is None else stamp - self._sent_wall) / 1e9


def _receive_stamp(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """CLOCK_REALTIME nanoseconds at which the kernel took the datagram in."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None


class UdpSocket:
    """A UDP socket connected to one peer; a context manager that closes it."""

    def __init__(self, address: str, port: int) -> None:
        """Connect to ``address``, an IP literal, a zone id allowed.

        Raises ProbeError with blame ``local``: nothing was sent yet, so nothing is the peer's.
        """
        try:
            info = socket.getaddrinfo(
                address,
                port,
                type=socket.SOCK_DGRAM,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            family, kind, protocol, _, sockaddr = info[0]
            self._sock = socket.socket(family, kind, protocol)
        except OSError as error:
            raise local_fault(error) from error
        try:
            self._sock.settimeout(0.0)
            self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._sock.setsockopt(*RECVERR[family], 1)
            self._sock.connect(sockaddr)
        except OSError as error:
            self._sock.close()
            raise local_fault(error) from error
        self.peer = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._sock.close()

    @property
    def local(self) -> tuple[str, int]:
        """Our own address and port, as the peer's network sees them unless a NAT is between."""
        host, port = self._sock.getsockname()[:2]
        return str(host), int(port)

    async def request(
        self,
        payload: bytes,
        matches: Callable[[bytes], T | None],
        retransmission: Retransmission,
        deadline: Deadline,
    ) -> Reply[T]:
        """Send ``payload`` until a datagram answers for which ``matches`` gives a value.

        Datagrams for which it gives None, or raises ProbeError, are ignored and counted. Raises
        ProbeError: ``refused`` and its like when two sendings were refused by ICMP, or one and
        then silence; what ``matches`` raised when nothing better came; else ``timeout``; a local
        fault (no route, no buffers) at once; ``stall`` when our own loop was late.
        """
        conversation = _Conversation(self._sock, payload, matches)
        for pause in retransmission.pauses():
            conversation.send()
            reply = await self._listen(conversation, pause, deadline)
            if reply is not None:
                return reply
            if deadline.remaining() <= 0.0:
                break
        else:
            reply = await self._listen(conversation, deadline.remaining(), deadline)
            if reply is not None:
                return reply
        raise self._silence(conversation, deadline)

    async def _listen(
        self, conversation: _Conversation[T], pause: float, deadline: Deadline
    ) -> Reply[T] | None:
        due = min(deadline.elapsed() + pause, deadline.seconds)
        hurried = conversation.refusal is not None
        while True:
            # The socket is read before the clock: a reply that is there is taken, however late.
            reply = conversation.drain()
            if reply is not None:
                return reply
            if conversation.refusal is not None and not hurried:
                hurried = True
                due = min(due, deadline.elapsed() + REFUSED_PAUSE)
            left = due - deadline.elapsed()
            if left <= 0.0:
                return None
            await self._readable(left)

    async def _readable(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(self._sock, _settle, ready)
        try:
            await asyncio.wait({ready}, timeout=seconds)
        finally:
            loop.remove_reader(self._sock)

    def _silence(self, conversation: _Conversation[T], deadline: Deadline) -> ProbeError:
        for error in (conversation.refusal, conversation.nonsense):
            if error is not None:
                return error
        text = f"no answer from {self.peer} to {conversation.sent} requests"
        if conversation.ignored:
            text += f", {conversation.ignored} datagrams that answer something else"
        return deadline.expired(text)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
