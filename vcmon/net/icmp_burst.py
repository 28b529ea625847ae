"""One burst of echo requests under way: what was sent, what came back, and how that is judged.

No socket is touched here; :class:`vcmon.net.icmp.Pinger` does the sending and the waiting.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from vcmon.clock import monotonic_ns, wall_ns
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Echo, Reason
from vcmon.net.icmp_socket import Departure, Destination, EchoSocket, ExtendedError
from vcmon.wire import icmp

STEP_NS = 1_000_000  # wall and monotonic clock part by less than this in any timeout by slewing
CLOCK_GAP_NS = 20_000  # a pair of clock readings further apart is read again
REMEMBERED = 10.0  # seconds that an ended burst's packets are still known as late or duplicate
ANSWERED_REMEMBERED = 2.0  # where all were answered: only duplicates can come, and those come soon
SEQUENCES = 1 << 16
MAX_KNOWN = 3 * SEQUENCES // 4  # packets known at once; the rest keeps the next free one near
RANDOM_BYTES = 4096  # a system call for each nonce would cost as much as matching a reply
STAMP_NUMBERS = 1 << 32
STAMPS_AWAITED = 256  # sent packets whose stamp a driver may still owe us; some give none
LATE_STAMP_NS = 1_000_000_000  # a stamp further behind our own is another packet's


class BurstPlan(NamedTuple):
    """How many echo requests, how far apart (seconds), how large (payload bytes), which DSCP."""

    packets: int
    spacing: float
    size: int
    dscp: int = 0


class Burst(NamedTuple):
    """What came back; ``fault`` says why nothing did, where more is known than silence.

    ``fault`` is an ICMP error from the network (``offender`` sent it) or a local fault.
    """

    echo: Echo
    fault: ProbeError | None
    offender: str


Tell = Callable[[Burst], None]
"""Is told the outcome once, when the burst has ended."""


def nobody(_: Burst) -> None:
    """Is told of what nobody waits for any more."""


class Packet:
    """One echo request under way: when it was sent (both clocks), and how it went."""

    __slots__ = ("failed", "late", "mono", "rtt", "run", "sequence", "wall")

    def __init__(self, run: Run, sequence: int, wall: int, mono: int) -> None:
        self.run = run
        self.sequence = sequence
        self.wall = wall
        self.mono = mono
        self.rtt = -1  # nanoseconds; -1: no answer in time
        self.late = False
        self.failed = False  # an ICMP error came back for it

    def departed(self, stamp: int) -> None:
        """The kernel's own stamp of the sending; it stands nearer to the wire than ours."""
        behind = stamp - self.wall
        # later than now it would be if the wall clock was stepped in between
        if 0 <= behind < min(LATE_STAMP_NS, monotonic_ns() - self.mono + CLOCK_GAP_NS):
            self.wall += behind
            self.mono += behind


class Run:
    """One burst under way."""

    __slots__ = (
        "address",
        "awaiting",
        "body",
        "destination",
        "drops",
        "due",
        "duplicates",
        "ended",
        "lane",
        "late",
        "local",
        "network",
        "nonce",
        "offender",
        "packets",
        "plan",
        "received",
        "tell",
        "timeout",
        "unsent",
    )

    def __init__(
        self, lane: Lane, destination: Destination, plan: BurstPlan, timeout: float, tell: Tell
    ) -> None:
        self.lane = lane
        self.destination = destination
        self.address = destination[0]
        self.plan = plan
        self.timeout = timeout
        self.tell = tell
        self.nonce = lane.nonce()
        self.body = icmp.payload(self.nonce, plan.size)
        self.packets: list[Packet] = []
        self.unsent = plan.packets
        self.awaiting = plan.packets  # neither answered nor refused yet, the unsent included
        self.due = 0.0  # loop time of the next sending
        self.received = 0
        self.duplicates = 0
        self.late = 0
        self.drops = lane.socket.dropped
        self.local: ProbeError | None = None
        self.network: ProbeError | None = None
        self.offender = ""
        self.ended = False

    def burst(self) -> Burst:
        """The outcome, as it stands now."""
        rtts = tuple([packet.rtt / 1e9 for packet in self.packets if packet.rtt >= 0])
        echo = Echo(len(self.packets), self.received, self.duplicates, self.late, rtts)
        if self.received:
            return Burst(echo, None, "")
        if self.network is not None:
            return Burst(echo, self.network, self.offender)
        return Burst(echo, self.local, "")


class Lane:
    """One family's socket, and which packet each of its sequence numbers stands for."""

    def __init__(self, socket: EchoSocket) -> None:
        self.socket = socket
        self.packets: dict[int, Packet] = {}
        self.sent_at = 0  # monotonic nanoseconds
        self._next = int.from_bytes(os.urandom(2), "big")
        self._ended: deque[tuple[float, Run]] = deque()
        self._answered: deque[tuple[float, Run]] = deque()  # ended with every packet answered
        self.reserved = 0  # packets of bursts under way that are still to be sent
        self._random = b""
        self._spent = 0  # bytes of it
        self._stamped = 0  # packets sent that asked for a stamp
        self.unstamped: dict[int, Packet] = {}  # those whose stamp is still to come

    def nonce(self) -> bytes:
        """Bytes that nobody can guess."""
        begin = self._spent
        if begin >= len(self._random):
            self._random, begin = os.urandom(RANDOM_BYTES), 0
        self._spent = begin + icmp.NONCE_SIZE
        return self._random[begin : self._spent]

    def has_room(self, number: int, now: float) -> bool:
        """Whether so many more may be sent; forgets what ended long ago, or must make room."""
        most = MAX_KNOWN - number - self.reserved
        self._forget(self._answered, now - ANSWERED_REMEMBERED, most)
        self._forget(self._ended, now - REMEMBERED, most)
        return len(self.packets) <= most

    def _forget(self, ended: deque[tuple[float, Run]], before: float, most: int) -> None:
        while ended and (ended[0][0] < before or len(self.packets) > most):
            packets = ended.popleft()[1].packets
            for packet in packets:
                del self.packets[packet.sequence]
            packets.clear()  # packet and run point at each other: free them without the collector

    def free_sequence(self) -> int:
        """The next sequence number that no known packet has, for one that was reserved.

        There is one: what is known and what is reserved are together at most MAX_KNOWN.
        """
        sequence = self._next
        while sequence in self.packets:
            sequence = (sequence + 1) % SEQUENCES
        self._next = (sequence + 1) % SEQUENCES
        return sequence

    def await_stamp(self, packet: Packet) -> None:
        """The packet was sent with the wish for a stamp."""
        if len(self.unstamped) >= STAMPS_AWAITED:
            self.unstamped.clear()
        self.unstamped[self._stamped] = packet
        self._stamped = (self._stamped + 1) % STAMP_NUMBERS

    def departed(self, departure: Departure) -> None:
        """A stamp came for one of the packets."""
        packet = self.unstamped.pop(departure.number, None)
        if packet is not None:
            packet.departed(departure.stamp)

    def count_stamps_anew(self) -> None:
        """A send failed, so our count and the kernel's may have parted."""
        self.unstamped.clear()
        self._stamped = 0
        self.socket.count_stamps_anew()

    def retire(self, run: Run, now: float) -> Tell:
        """The run is over; what still comes for it is late or a duplicate. Who is to be told."""
        whole = run.received == len(run.packets)
        (self._answered if whole else self._ended).append((now, run))
        # Thousands are remembered: they must not keep the bodies, and all that who is told holds.
        tell, run.tell, run.body = run.tell, nobody, b""
        return tell


def round_trip(wall: int, mono: int, stamp: int, skew: int) -> int:
    """Nanoseconds from the sending at ``wall`` (= ``mono``) to the kernel's receive ``stamp``.

    ``skew`` is wall minus monotonic clock now. Where it has moved since the sending, the wall
    clock was stepped in between, and the step is taken out. Where the kernel's stamp and our
    clock plainly disagree (one of them is faked) the time since the sending is told instead.
    Never negative.
    """
    plain = stamp - wall
    elapsed = monotonic_ns() - mono
    step = skew - (wall - mono)
    steady = -STEP_NS < step < STEP_NS
    for told in (plain,) if steady else (plain - step, plain):
        if (-STEP_NS if steady else 0) <= told <= elapsed + STEP_NS:
            return max(told, 0)
    return max(elapsed, 0)


def clock_skew() -> int:
    """Wall minus monotonic clock, read without a pause between the two."""
    for _ in range(4):
        before = monotonic_ns()
        skew = wall_ns() - before
        if monotonic_ns() - before < CLOCK_GAP_NS:
            break
    return skew


def network_fault(reason: Reason, error: ExtendedError) -> ProbeError:
    blame = Blame.REMOTE if reason is Reason.REFUSED else Blame.PATH
    words = reason.value.replace("_", " ")
    said = f"{words}, says {error.offender or 'a router'}"
    return ProbeError(reason, blame, f"{said} (ICMP type {error.kind} code {error.code})")


def overflow_fault() -> ProbeError:
    return ProbeError(
        Reason.BUFFERS,
        Blame.LOCAL,
        "our ICMP receive queue overflowed, so silence proves nothing: raise net.core.rmem_max "
        "or probe fewer targets at once",
    )


def crowded_fault() -> ProbeError:
    return ProbeError(
        Reason.BUFFERS,
        Blame.LOCAL,
        f"expected at most {MAX_KNOWN} echo requests under way, found more: "
        "probe fewer targets or wait less long for each",
    )


def spoilt_fault(bug: Exception) -> ProbeError:
    text = f"expected the ICMP sockets to work, found {type(bug).__name__}: {bug}"
    return ProbeError(Reason.BUG, Blame.LOCAL, text)


def closed_fault() -> ProbeError:
    return ProbeError(Reason.BUG, Blame.LOCAL, "expected an open pinger, found a closed one")
