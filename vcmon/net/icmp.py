"""Echo requests to every target over one socket per family.

Replies are matched by sequence, identifier, source address and an 8-byte nonce, and judged by the
kernel's receive stamp, however late the event loop looks. One heap and one timer pace and expire
all bursts: no task and no timer per packet.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
from itertools import count
from math import ceil

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.faults import local_fault
from vcmon.net.icmp_burst import (
    MAX_KNOWN,
    Burst,
    BurstPlan,
    Lane,
    Packet,
    Run,
    clock_skew,
    closed_fault,
    network_fault,
    overflow_fault,
    round_trip,
)
from vcmon.net.icmp_socket import Arrival, Mode, NetworkError, destination_of, open_socket

__all__ = ["Burst", "BurstPlan", "Pinger"]

TICK = 0.002
"""Seconds: the timer's grain. One wake-up then serves several bursts; a reply is judged by its
kernel stamp, so the grain costs no accuracy."""

READ_AT_ONCE = 512  # packets; then the loop gets its turn
READ_ALL = 16_384  # packets; more than the receive buffer can hold
SEND_AT_ONCE = 128  # packets sent between two looks at the replies, so that our queue holds them
EVENTS_AT_ONCE = 256  # bursts advanced or ended before the loop gets its turn
HEAP_SLACK = 1024  # ended bursts that may lie in the heap before it is swept
COLD_NS = 1_000_000  # nanoseconds without sending after which the caches have forgotten us
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
        self._heap: list[tuple[float, int, Run]] = []
        self._serial = count()
        self._timer: asyncio.TimerHandle | None = None
        self._in_flight = 0
        self._unread = 0  # packets sent since the last look at the replies

    @property
    def overflowed(self) -> int:
        """Replies lost because our own receive queue was full."""
        return sum(lane.socket.dropped for lane in self._lanes.values())

    @property
    def in_flight(self) -> int:
        """Bursts that have not ended."""
        return self._in_flight

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
        """Close the sockets; a burst under way raises ProbeError ``bug``."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lane in self._lanes.values():
            self._loop.remove_reader(lane.socket.sock.fileno())
            lane.socket.close()
            for packet in lane.packets.values():
                if not packet.run.done.done():
                    packet.run.done.set_exception(closed_fault())
        self._lanes.clear()
        self._heap.clear()

    async def burst(self, address: str, plan: BurstPlan, timeout: float) -> Burst:
        """Send ``plan.packets`` echo requests; each waits ``timeout`` seconds for its reply.

        Ends early when every packet has its reply or its ICMP error. Raises ProbeError, blame
        LOCAL, when nothing can be sent at all: no permission (with what to do), no such family,
        too many packets under way, or ``address`` is no IP literal.
        """
        family, destination = destination_of(address)
        lane = self._lane(family)
        if not lane.has_room(plan.packets, self._loop.time()):
            raise ProbeError(
                Reason.BUFFERS,
                Blame.LOCAL,
                f"expected at most {MAX_KNOWN} echo requests under way, found more: "
                "probe fewer targets or wait less long for each",
            )
        run = Run(lane, destination, plan, timeout)
        self._in_flight += 1
        try:
            run.due = self._loop.time()
            self._advance(run, run.due)
            self._arm()
            await run.done
        finally:
            self._in_flight -= 1
            self._end(run)
            lane.retire(run, self._loop.time())
        return run.burst()

    def _lane(self, family: socket.AddressFamily) -> Lane:
        lane = self._lanes.get(family)
        if lane is not None:
            return lane
        fault = self._faults.get(family)
        if fault is None:
            raise closed_fault()
        raise ProbeError(fault.reason, fault.blame, fault.text)

    def _advance(self, run: Run, now: float) -> None:
        """Send what is due, then wait for the next sending, or for the replies."""
        if now - run.due > TICK:  # we were held up: keep the spacing, don't catch up
            run.due = now
        while True:
            self._send(run)
            run.unsent -= 1
            if not run.unsent:
                break
            run.due += run.plan.spacing
            if run.due > now:
                self._schedule(run, run.due)
                return
        if run.awaiting:
            self._schedule(run, self._loop.time() + run.timeout)
        else:
            self._end(run)

    def _send(self, run: Run) -> None:
        lane = run.lane
        sequence = lane.free_sequence()
        request = lane.socket.request(sequence, run.body)
        if monotonic_ns() - lane.sent_at > COLD_NS:
            lane.socket.warm(run.destination)
        failure: OSError | None = None
        for _ in range(SEND_TRIES):
            try:
                lane.socket.mark(run.plan.dscp)
                wall = wall_ns()
                # Read second, so that a pause between the two looks like a step, and is corrected.
                mono = monotonic_ns()
                lane.socket.send(request, run.destination)
            except OSError as exc:
                failure = exc
                # It may be what an earlier packet met: that is told to whom it concerns.
                if not self._read_errors(lane):
                    break
            else:
                packet = lane.packets[sequence] = Packet(run, sequence, wall, mono)
                run.packets.append(packet)
                lane.sent_at = mono
                self._unread += 1
                if self._unread >= SEND_AT_ONCE:
                    self._read(lane, READ_ALL)
                return
        run.awaiting -= 1
        if failure is not None:
            run.local = local_fault(failure)

    def _end(self, run: Run) -> None:
        if run.ended:
            return
        run.ended = True
        if not run.done.done():
            run.done.set_result(None)

    # --- the one timer -----------------------------------------------------------------------

    def _schedule(self, run: Run, when: float) -> None:
        heapq.heappush(self._heap, (ceil(when / TICK) * TICK, next(self._serial), run))
        if len(self._heap) > 2 * self._in_flight + HEAP_SLACK:
            self._heap = [entry for entry in self._heap if not entry[2].ended]
            heapq.heapify(self._heap)

    def _arm(self) -> None:
        heap = self._heap
        while heap and heap[0][2].ended:
            heapq.heappop(heap)
        if not heap:
            return
        when = heap[0][0]
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._tick, when)

    def _tick(self, when: float) -> None:
        self._timer = None
        now = max(self._loop.time(), when)  # asyncio may be early by the clock's resolution
        heap = self._heap
        silent: list[Run] = []
        for _ in range(EVENTS_AT_ONCE):
            if not heap or heap[0][0] > now:
                break
            run = heapq.heappop(heap)[2]
            if run.ended:
                continue
            if run.unsent:
                self._advance(run, now)
            else:
                silent.append(run)
        self._expire(silent)
        self._arm()

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
        receive = lane.socket.receive
        skew = clock_skew()
        for number in range(limit):
            try:
                arrival = receive()
            except OSError:
                self._read_errors(lane)
                continue
            if arrival is not None:
                self._match(lane, arrival, skew)
                continue
            if number == 0:  # woken for the error queue alone
                self._read_errors(lane)
            return

    def _match(self, lane: Lane, arrival: Arrival, skew: int) -> None:
        reply, source, stamp = arrival
        if reply is None or reply.identifier != lane.socket.identifier:
            self.unmatched += 1
            return
        packet = lane.packets.get(reply.sequence)
        if packet is None:
            self.unmatched += 1
            return
        run = packet.run
        if source != run.address or reply.nonce != run.nonce:
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
                self._settled(run)

    def _settled(self, run: Run) -> None:
        run.awaiting -= 1
        if not run.awaiting:
            self._end(run)

    def _read_errors(self, lane: Lane) -> int:
        number = 0
        for error in lane.socket.errors():
            number += 1
            if error is None:
                self.unmatched += 1
            else:
                self._refused(lane, error)
        return number

    def _refused(self, lane: Lane, found: NetworkError) -> None:
        quote, destination, error = found
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
        self._settled(run)
