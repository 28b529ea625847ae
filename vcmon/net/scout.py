"""Numbered echo requests to one address over a socket of their own, and whoever answers them.

What traces a path or sounds its MTU needs what the Pinger's shared socket can't give: another
time-to-live or "don't fragment" for each packet. Unprivileged where pings are: routers' errors
come over the kernel's error queue (IP_RECVERR), so that no RAW socket is needed.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from types import TracebackType
from typing import NamedTuple, Self

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.model.result import Reason
from vcmon.net.faults import local_fault
from vcmon.net.icmp_burst import clock_skew, round_trip
from vcmon.net.icmp_socket import Arrival, NetworkError, destination_of, open_socket
from vcmon.wire import icmp

READ_AT_ONCE = 256
"""Packets; then the loop gets its turn: a RAW socket sees every reply that the machine gets."""

SEND_TRIES = 8
"""Each first reads away the errors of earlier packets, which the kernel raises at the next send."""

SENT_MAX = 1_000
"""Packets of one scout; a trace sends 90, a sounding some 200."""

SIZE_MIN = icmp.NONCE_SIZE + 2
"""Bytes of payload that hold our nonce and the number's complement."""

_TOO_BIG = {socket.AF_INET: (3, 4), socket.AF_INET6: (2, 0)}
"""ICMP type and code of "fragmentation needed" (RFC 1191) and "packet too big" (RFC 4443)."""


class Answer(NamedTuple):
    """What came back for one packet."""

    number: int
    source: str  # "" where the kernel doesn't say who sent an error
    rtt: float  # seconds
    reason: Reason  # OK for the reply itself, else what an ICMP error means
    too_big_for: int | None = None  # MTU of the link that the packet was too big for; 0: not said


class _Sent(NamedTuple):
    wall: int
    mono: int


class Scout:
    """Echo requests to one address; a context manager that closes the socket.

    Every packet has the same addresses, identifier and checksum, so that routers which share
    load by flow send all of them the same way (as Paris traceroute does).
    """

    def __init__(self, address: str) -> None:
        """Open the socket for ``address``, an IP literal. Raises ProbeError, blame LOCAL."""
        self._family, self._destination = destination_of(address)
        self.address = self._destination[0].partition("%")[0]  # as answers spell it
        self._echo = open_socket(self._family)
        self._nonce = os.urandom(icmp.NONCE_SIZE)
        self._sent: dict[int, _Sent] = {}
        self._heard: list[Answer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._echo.close()

    @property
    def header(self) -> int:
        """Bytes of the headers before a payload: IP's without options, and ICMP's."""
        return (20 if self._family == socket.AF_INET else 40) + icmp.HEADER_SIZE

    @property
    def sent(self) -> int:
        """Packets sent so far."""
        return len(self._sent)

    def forbid_fragments(self) -> None:
        """Send every packet whole from now on. Raises ProbeError, blame LOCAL."""
        try:
            self._echo.forbid_fragments()
        except OSError as error:
            raise local_fault(error) from error

    def send(self, size: int, ttl: int = 64) -> int | None:
        """Send one packet with ``size`` bytes of payload; its number.

        None: it is too big for our own interface. Raises ProbeError, blame LOCAL, where it
        can't be sent for another reason.
        """
        number = len(self._sent) + 1
        assert number <= SENT_MAX
        # The complement keeps the checksum the same whatever the number is.
        body = icmp.payload(self._nonce, size)
        body = body[:8] + (0xFFFF - number).to_bytes(2, "big") + body[SIZE_MIN:]
        packet = self._echo.request(number, body)
        for _ in range(SEND_TRIES):
            try:
                self._echo.limit_hops(ttl)
                sent = _Sent(wall_ns(), monotonic_ns())
                self._echo.send(packet, self._destination)
            except OSError as error:
                failure = error
                if not self._read_errors(clock_skew()):
                    break
            else:
                self._sent[number] = sent
                return number
        if failure.errno == errno.EMSGSIZE:
            return None
        raise local_fault(failure) from failure

    async def listen(self, seconds: float) -> list[Answer]:
        """What has come back since the last call; waits for it at most ``seconds``.

        The socket is read before the clock: what is there is taken, however late we look.
        """
        self._read()
        if not self._heard and seconds > 0.0:
            await self._readable(seconds)
            self._read()
        heard, self._heard = self._heard, []
        return heard

    async def _readable(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(self._echo.sock, _settle, ready)
        try:
            await asyncio.wait({ready}, timeout=seconds)
        finally:
            loop.remove_reader(self._echo.sock)

    def _read(self) -> None:
        skew = clock_skew()
        self._read_errors(skew)
        for _ in range(READ_AT_ONCE):
            try:
                arrival = self._echo.receive()
            except OSError:
                self._read_errors(skew)
                continue
            if arrival is None:
                return
            self._replied(arrival, skew)

    def _replied(self, arrival: Arrival, skew: int) -> None:
        reply, source, stamp = arrival
        sent = None if reply is None else self._sent.get(reply.sequence)
        if reply is None or sent is None or reply.identifier != self._echo.identifier:
            return
        source = source.partition("%")[0]
        if source == self.address and reply.nonce == self._nonce:
            rtt = round_trip(sent.wall, sent.mono, stamp, skew) / 1e9
            self._heard.append(Answer(reply.sequence, source, rtt, Reason.OK))

    def _read_errors(self, skew: int) -> int:
        """Take in what routers said; how many notices there were."""
        count = 0
        for notice in self._echo.errors():
            count += 1
            if isinstance(notice, NetworkError):
                self._refused(notice, skew)
        return count

    def _refused(self, found: NetworkError, skew: int) -> None:
        quote, error = found.quote, found.error
        sent = self._sent.get(quote.sequence)
        if sent is None or quote.identifier != self._echo.identifier:
            return
        if found.destination.partition("%")[0] != self.address:
            return
        if quote.nonce not in (b"", self._nonce):
            return
        rtt = round_trip(sent.wall, sent.mono, found.stamp or wall_ns(), skew) / 1e9
        if (error.kind, error.code) == _TOO_BIG[self._family]:
            told = Answer(quote.sequence, error.offender, rtt, Reason.FILTERED, error.info)
            self._heard.append(told)
            return
        reason = self._echo.dialect.reasons.get((error.kind, error.code))
        if reason is not None:
            self._heard.append(Answer(quote.sequence, error.offender, rtt, reason))


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
