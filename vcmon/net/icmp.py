"""Echo requests to every target over one socket per family.

Replies are matched by sequence, identifier, source address and an 8-byte nonce, and judged by the
kernel's receive stamp, however late the event loop looks. One heap and one timer pace and expire
all bursts: no task and no timer per packet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from operator import attrgetter

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.net.faults import local_fault
from vcmon.net.icmp_burst import (
    Burst,
    BurstPlan,
    Lane,
    Packet,
    Run,
    Tell,
    clock_skew,
    closed_fault,
    crowded_fault,
    network_fault,
    nobody,
    overflow_fault,
    round_trip,
    spoilt_fault,
)
from vcmon.net.icmp_socket import (
    Arrival,
    Departure,
    Mode,
    NetworkError,
    destination_of,
    open_socket,
)
from vcmon.net.wheel import Wheel

__all__ = ["Burst", "BurstPlan", "Pinger"]

TICK = 0.002
"""Seconds: the timer's grain. One wake-up then serves several bursts; a reply is judged by its
kernel stamp, so the grain costs no accuracy."""

READ_AT_ONCE = 512  # packets; then the loop gets its turn
READ_ALL = 16_384  # packets; more than the receive buffer can hold
SEND_AT_ONCE = 128  # packets sent between two looks at the replies, so that our queue holds them
EVENTS_AT_ONCE = 256  # bursts advanced or ended before the loop gets its turn
COLD_NS = 1_000_000
"""Nanoseconds without sending after which the way into the kernel is cold, and our own clock stands
tens of microseconds before the wire: such a packet asks for the kernel's stamp, which costs one
more system call. In a crowd that is one packet a batch."""

SEND_TRIES = 8  # each try first reads away the errors of earlier packets


class Pinger:
    """One non-blocking socket per family for every target.

    Counters, over all bursts: ``spoofed`` (replies and errors from the wrong address or with the
    wrong nonce), ``late``, ``duplicates``, ``unmatched`` (what answers nothing of ours), and
    ``overflowed`` (replies lost because our own receive queue was full).
    """

    def __init__(self) -> None:
        self.spoofed = 0
        self.late = 0
        self.duplicates = 0
        self.unmatched = 0
        self._lanes: dict[socket.AddressFamily, Lane] = {}
        self._faults: dict[socket.AddressFamily, ProbeError] = {}
        self._wheel: Wheel[Run] = Wheel()
        self._armed_for = 0
        self._timer: asyncio.TimerHandle | None = None
        self._runs: set[Run] = set()  # begun, and not told yet
        self._unread = 0  # packets sent since the last look at the replies
        self._over: list[Run] = []  # ended, and not told yet
        self._telling = False

    @property
    def overflowed(self) -> int:
        """Replies lost because our own receive queue was full."""
        return sum(lane.socket.dropped for lane in self._lanes.values())

    @property
    def in_flight(self) -> int:
        """Bursts that have not ended."""
        return len(self._runs)

    def mode(self, family: socket.AddressFamily) -> Mode | str:
        """How AF_INET or AF_INET6 is probed: ``dgram``, ``raw``, or "" where it can't be."""
        lane = self._lanes.get(family)
        return lane.socket.mode if lane else ""

    def open(self) -> None:
        """Open both families inside the running loop.

        Never raises: why a family can't be opened is told by :meth:`burst`.
        """
        self._loop = asyncio.get_running_loop()
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                lane = Lane(open_socket(family))
            except ProbeError as exc:
                self._faults[family] = exc
                continue
            self._lanes[family] = lane
            self._loop.add_reader(lane.socket.sock.fileno(), self._read, lane, READ_AT_ONCE)

    def close(self) -> None:
        """Close the sockets; a burst under way ends with a fault ``bug`` of our own."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lane in self._lanes.values():
            self._loop.remove_reader(lane.socket.sock.fileno())
            lane.socket.close()
        self._spoil(self._runs, closed_fault())
        self._tell()
        self._lanes.clear()
        self._wheel.clear()

    def begin(self, address: str, plan: BurstPlan, timeout: float, tell: Tell) -> Run:
        """Send ``plan.packets`` echo requests; each waits ``timeout`` seconds for its reply.

        ``tell`` is called once, never from within this call, as soon as every packet has its
        reply, its ICMP error or its silence. Raises ProbeError, blame LOCAL, when nothing can be
        sent at all: no permission (with what to do), no such family, too many packets under way,
        or ``address`` is no IP literal.
        """
        family, destination = destination_of(address)
        lane = self._lane(family)
        now = self._loop.time()
        if not lane.has_room(plan.packets, now):
            raise crowded_fault()
        run = Run(lane, destination, plan, timeout, tell)
        self._runs.add(run)
        lane.reserved += plan.packets
        run.due = now
        self._advance(run, now)
        return run

    def abandon(self, run: Run) -> None:
        """End the burst now, and tell nobody."""
        run.tell = nobody
        self._end(run)
        self._tell_soon()

    async def burst(self, address: str, plan: BurstPlan, timeout: float) -> Burst:
        """What :meth:`begin` tells, for who can wait.

        Raises ProbeError as it does, or ``bug`` when the pinger is closed meanwhile.
        """
        told = self._loop.create_future()
        run = self.begin(address, plan, timeout, lambda burst: _settle(told, burst))
        try:
            await asyncio.wait({told})
        finally:
            if not told.done():
                self.abandon(run)
        burst: Burst = told.result()
        if burst.fault is not None and not self._lanes:
            raise burst.fault
        return burst

    def _lane(self, family: socket.AddressFamily) -> Lane:
        lane = self._lanes.get(family)
        if lane is not None:
            return lane
        fault = self._faults.get(family) or closed_fault()
        raise ProbeError(fault.reason, fault.blame, fault.text)

    def _advance(self, run: Run, now: float) -> None:
        """Send what is due, then wait for the next sending, or for the replies."""
        if now - run.due > TICK:  # we were held up: keep the spacing, don't catch up
            run.due = now
        while True:
            run.unsent -= 1
            run.lane.reserved -= 1
            self._send(run)
            if not run.unsent:
                break
            run.due += run.plan.spacing
            if run.due > now:
                self._schedule(run, run.due)
                return
        if run.awaiting:
            self._schedule(run, run.lane.sent_at / 1e9 + run.timeout)
        else:
            self._end(run)

    def _send(self, run: Run) -> None:
        lane = run.lane
        echo = lane.socket
        sequence = lane.free_sequence()
        request = echo.request(sequence, run.body)
        stamped = monotonic_ns() - lane.sent_at > COLD_NS
        send = echo.send_stamped if stamped else echo.send
        failure: OSError | None = None
        for _ in range(SEND_TRIES):
            try:
                echo.mark(run.plan.dscp)
                wall = wall_ns()
                # Read second, so that a pause between the two looks like a step, and is corrected.
                mono = monotonic_ns()
                send(request, run.destination)
            except OSError as exc:
                failure = exc
                # It may be what an earlier packet met: that is told to whom it concerns.
                told = self._read_errors(lane)
                if stamped:  # it may also be that this kernel stamps no single packet
                    lane.count_stamps_anew()
                    stamped, send = False, echo.send
                elif not told:
                    break
            else:
                packet = lane.packets[sequence] = Packet(run, sequence, wall, mono)
                run.packets.append(packet)
                lane.sent_at = mono
                if stamped:
                    lane.await_stamp(packet)
                    self._read_errors(lane)  # where nothing queues the packet, its stamp is there
                self._unread += 1
                if self._unread >= SEND_AT_ONCE:
                    self._read(lane, READ_ALL)
                return
        run.awaiting -= 1
        if failure is not None:
            run.local = local_fault(failure)

    def _end(self, run: Run) -> None:
        if not run.ended:
            run.ended = True
            run.lane.reserved -= run.unsent
            self._over.append(run)
            if not self._telling:
                self._tell_soon()

    def _tell_soon(self) -> None:
        """Tell who waits, but from the loop: never in the middle of sending or reading."""
        if self._over and not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        over, self._over = self._over, []
        now = self._loop.time()
        for run in over:
            self._runs.discard(run)
            tell = run.lane.retire(run, now)
            try:
                tell(run.burst())
            except Exception as bug:  # noqa: BLE001  theirs; the other bursts must be told too
                self._loop.call_exception_handler({"message": "echo not taken", "exception": bug})

    # --- the one timer -----------------------------------------------------------------------

    def _schedule(self, run: Run, when: float) -> None:
        tick = int(-(-when // TICK))
        self._wheel.put(tick, run)
        if self._timer is None or tick < self._armed_for:
            self._arm()

    def _arm(self) -> None:
        """Set the timer for the first tick at which somebody still waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tick = self._wheel.first(attrgetter("ended"))
        if tick is not None:
            self._armed_for = tick
            self._timer = self._loop.call_at(tick * TICK, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        tick = max(int(now / TICK), self._armed_for)  # asyncio may be early by a clock's grain
        due = [run for run in self._wheel.take(tick, EVENTS_AT_ONCE) if not run.ended]
        silent = [run for run in due if not run.unsent]
        try:
            for run in due:
                if run.unsent:
                    self._advance(run, now)
            self._expire(silent)
        except Exception as bug:  # noqa: BLE001  theirs is lost, but nobody waits for ever
            self._spoil(due, spoilt_fault(bug))
        self._arm()

    def _spoil(self, runs: Iterable[Run], fault: ProbeError) -> None:
        for run in runs:
            if not run.ended:
                run.local = fault
                self._end(run)

    def _expire(self, runs: list[Run]) -> None:
        for lane in {run.lane for run in runs}:
            self._read(lane, READ_ALL)  # what came in time may still lie in the socket
        for run in runs:
            if run.ended:
                continue
            if run.lane.socket.count_drops() != run.drops:
                run.local = overflow_fault()
            self._end(run)

    # --- what comes back ---------------------------------------------------------------------

    def _read(self, lane: Lane, limit: int) -> None:
        self._unread = 0
        if lane.unstamped:
            self._read_errors(lane)
        receive = lane.socket.receive
        skew = clock_skew()
        match = self._match
        for number in range(limit):
            try:
                arrival = receive()
            except OSError:
                self._read_errors(lane)
                continue
            if arrival is not None:
                match(lane, arrival, skew)
                continue
            if number == 0:  # woken for the error queue alone
                self._read_errors(lane)
            return

    def _match(self, lane: Lane, arrival: Arrival, skew: int) -> None:
        reply, source, stamp = arrival
        packet = None if reply is None else lane.packets.get(reply[1])
        if reply is None or packet is None or reply[0] != lane.socket.identifier:
            self.unmatched += 1
            return
        run = packet.run
        if source != run.address or reply[2] != run.nonce:
            self.spoofed += 1
            return
        self._answered(packet, run, round_trip(packet.wall, packet.mono, stamp, skew))

    def _answered(self, packet: Packet, run: Run, rtt: int) -> None:
        if packet.rtt >= 0 or packet.late:
            self.duplicates += 1
            run.duplicates += 1
        elif run.ended or rtt > run.timeout * 1e9:
            packet.late = True
            self.late += 1
            run.late += 1
        else:
            packet.rtt = rtt
            run.received += 1
            if not packet.failed:
                run.awaiting -= 1
                if not run.awaiting:
                    self._end(run)

    def _read_errors(self, lane: Lane) -> int:
        number = 0
        for error in lane.socket.errors():
            number += 1
            if isinstance(error, Departure):
                lane.departed(error)
            elif error is None:
                self.unmatched += 1
            else:
                self._refused(lane, error)
        return number

    def _refused(self, lane: Lane, found: NetworkError) -> None:
        quote, destination, error = found.quote, found.destination, found.error
        packet = lane.packets.get(quote.sequence)
        if packet is None or quote.identifier != lane.socket.identifier:
            self.unmatched += 1
            return
        run = packet.run
        if destination != run.address or quote.nonce not in (b"", run.nonce):
            self.spoofed += 1
            return
        reason = lane.socket.dialect.reasons.get((error.kind, error.code))
        if reason is None or run.ended or packet.failed or packet.rtt >= 0:
            return
        packet.failed = True
        if run.network is None:
            run.network = network_fault(reason, error)
            run.offender = error.offender
        run.awaiting -= 1
        if not run.awaiting:
            self._end(run)


def _settle(told: asyncio.Future[Burst], burst: Burst) -> None:
    if not told.done():
        told.set_result(burst)
