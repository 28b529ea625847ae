"""STAMP: a stream of test packets to a reflector; delay, loss, jitter and marks of each direction.

RFC 8762 unauthenticated, with the class of service of RFC 8972; TWAMP-light reflectors serve too.
"""

from __future__ import annotations

import secrets

from vcmon.clock import wall_ns
from vcmon.config.params import StampParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Echo, Reason, Result
from vcmon.net.clock_quality import clock_error
from vcmon.net.deadline import Deadline
from vcmon.net.icmp_burst import clock_skew
from vcmon.net.marked import Arrival
from vcmon.net.udp_stream import UdpStream
from vcmon.probes.base import Tools
from vcmon.probes.directions import FIRST, Exchange, counts_itself, one_way, streams
from vcmon.probes.dns import udp_socket
from vcmon.wire.stamp import ErrorEstimate, Reply, Request, encode_request, parse_reply, to_ntp

PACING_SHARE = 0.5
"""Sending takes at most this share of the time, as with ICMP."""

CLOSERS = 5
"""Packets sent after the stream while its last one is unanswered: the next answer tells how many
arrived before it, and in which direction the others were lost."""

SILENT_PAUSE = 0.6
"""Seconds between closers while nothing has come back: a round trip over a GEO satellite."""

PAUSE_MIN = 0.2  # seconds that a packet may come later than those after it
PAUSE_TRIPS = 1.5

REFUSALS = 2
"""One ICMP error may be forged, or come while the reflector restarts; two before any answer are
believed."""

ANSWERS_MAX = 4
"""Answers taken a packet: who sends more is no reflector, and must not eat our core."""

CLOCK_STEP = 1_000_000  # nanoseconds by which wall and monotonic clock may part while we measure


async def probe(check: Check[StampParams], tools: Tools) -> Result:
    """UP when a test packet was answered; ``tools.streams`` tells of each direction.

    Raises ProbeError: ``timeout`` where nothing came back (a cut of either direction looks alike),
    ``refused`` and its like by ICMP, ``protocol`` where the answers are not to our packets.
    """
    async with udp_socket(check, check.params.port, tools) as (sock, _):
        session = _Session(UdpStream(sock, check.params.dscp), check.params)
        try:
            with tools.phase("stream"), session.stream:
                await session.run(tools.deadline)
        finally:
            tools.echo = session.echo()
        if not session.exchanges:
            raise session.failure(tools.deadline)
    session.describe(tools)
    return tools.up(check)


class _Session:
    """One stream: what was sent, and what came back."""

    def __init__(self, stream: UdpStream, params: StampParams) -> None:
        self.exchanges: list[Exchange] = []  # in the order of arrival, those of duplicates too
        self.stream = stream
        self._params = params
        self._ssid = secrets.randbelow(0xFFFF) + 1
        self._error = clock_error()
        self._skew = clock_skew()
        self._stamps: list[int] = []  # as on the wire, by number from FIRST on
        self._answered: set[int] = set()
        self._ttls: set[int] = set()  # ours, as the reflector saw them
        self._hops_back: int | None = None
        self._theirs = ErrorEstimate()
        self._ignored = 0
        self._nonsense: ProbeError | None = None

    async def run(self, deadline: Deadline) -> None:
        """The whole stream, its closers, and the wait for what is still under way."""
        packets = self._params.packets
        begun = deadline.elapsed()
        spacing = self._params.spacing
        if packets > 1:
            spacing = min(spacing, PACING_SHARE * deadline.remaining() / (packets - 1))
        for number in range(packets):
            await self._listen(begun + number * spacing - deadline.elapsed(), deadline)
            if self._refused():
                return
            self._send()
        closers = CLOSERS
        while (left := deadline.remaining()) > 0.0:
            await self._listen(min(left, self._pause()) if closers else left, deadline)
            if self._refused() or len(self._stamps) in self._answered:
                return
            if closers:
                closers -= 1
                self._send()
        self._take_all()

    def echo(self) -> Echo:
        """The stream as a burst of echo requests."""
        firsts: dict[int, float] = {}
        for each in self.exchanges:
            firsts.setdefault(each.number, each.trip / 1e9)
        return Echo(
            sent=len(self._stamps),
            received=len(firsts),
            duplicates=len(self.exchanges) - len(firsts),
            rtts=tuple(firsts[number] for number in sorted(firsts)),
        )

    def failure(self, deadline: Deadline) -> ProbeError:
        """Why there is no answer."""
        told = self.stream.refusal or self._nonsense
        if told is not None:
            return told
        text = f"none of {len(self._stamps)} test packets to {self.stream.peer} came back"
        return deadline.expired(f"{text}: cut in either direction, or no reflector there")

    def describe(self, tools: Tools) -> None:
        """Put into ``tools`` what the answers tell."""
        steady = abs(clock_skew() - self._skew) < CLOCK_STEP
        tools.streams = streams(len(self._stamps), self.exchanges, steady=steady)
        counts = counts_itself(self.exchanges)
        tools.detail["reflector"] = "stateful" if counts else "stateless"
        if self._ttls:
            tools.detail["ttl_forward"] = min(self._ttls)
        if self._hops_back is not None:
            tools.detail["ttl_backward"] = self._hops_back
        untrusted = self._untrusted(steady)
        if untrusted:
            tools.detail["one_way"] = f"not told: {untrusted}"
            return
        there, back = one_way(self.exchanges)
        tools.detail["forward_ms"] = round(there * 1000, 3)
        tools.detail["backward_ms"] = round(back * 1000, 3)
        error = self._error.seconds + self._theirs.seconds
        tools.detail["clock_error_ms"] = round(error * 1000, 3)

    def _untrusted(self, steady: bool) -> str:
        if not steady:
            return "our clock was set meanwhile"
        if not self._error.trusted:
            return "our clock is not known to be synchronised"
        if not self._theirs.trusted:
            return "the reflector's clock is not known to be synchronised"
        return "the reflector's clock is PTP's" if self._theirs.ptp else ""

    def _pause(self) -> float:
        if not self.exchanges:
            return SILENT_PAUSE
        longest = max(each.raw_trip for each in self.exchanges) / 1e9
        return max(PAUSE_MIN, PAUSE_TRIPS * longest)

    def _refused(self) -> bool:
        return not self.exchanges and self.stream.refusals >= REFUSALS

    def _send(self) -> None:
        wall = wall_ns()
        self._stamps.append(to_ntp(wall))
        number = len(self._stamps) - 1 + FIRST
        request = Request(number, self._stamps[-1], self._error, self._ssid)
        packet = encode_request(request, self._params.size, self._params.dscp)
        self.stream.send(packet, wall)

    async def _listen(self, seconds: float, deadline: Deadline) -> None:
        """Take answers for so long, or until everything is answered."""
        until = deadline.elapsed() + seconds
        while True:
            self._take_all()
            left = until - deadline.elapsed()
            if left <= 0.0 or self._whole():
                return
            await self.stream.readable(left)

    def _whole(self) -> bool:
        complete = len(self._answered) == len(self._stamps) >= self._params.packets
        return complete or self._refused()

    def _take_all(self) -> None:
        for arrival in self.stream.arrivals():
            if len(self.exchanges) + self._ignored >= ANSWERS_MAX * (len(self._stamps) + 1):
                continue
            try:
                self._take(arrival, parse_reply(arrival.data))
            except ProbeError as error:
                self._nonsense = error
                self._ignored += 1

    def _take(self, arrival: Arrival, reply: Reply) -> None:
        index = reply.sender_sequence - FIRST
        known = 0 <= index < len(self._stamps) and self._stamps[index] == reply.sender_sent
        if not known or reply.ssid not in (0, self._ssid):
            text = f"expected an answer to one of our test packets from {self.stream.peer}, "
            text += "found one to something else: what listens there is no STAMP reflector"
            raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
        self._answered.add(reply.sender_sequence)
        self._theirs = reply.error
        self._hops_back = arrival.ttl
        if reply.ttl is not None:
            self._ttls.add(reply.ttl)
        self.exchanges.append(
            Exchange(
                number=reply.sender_sequence,
                reflected=reply.sequence,
                left=self.stream.departures[index].wall,
                arrived=reply.received,
                returned=reply.sent,
                back=arrival.stamp,
                dscp_there=reply.dscp,
                dscp_back=arrival.dscp,
            )
        )
