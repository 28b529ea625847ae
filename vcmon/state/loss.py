"""How likely loss alone explains that nothing came back: pure arithmetic, no state.

A link that loses a fifth of its packets each way still carries a conference, badly; it is not an
outage. A silent run proves an outage only as far as chance can't explain it, so the number of
silent runs that commit ``down`` grows with the loss that the link is known to have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vcmon.model.endpoint import Check
from vcmon.model.result import Outcome, Result

ANSWERED_LOG = math.log(1e-3)
"""What one refusal, reset or wrong answer weighs: loss does not forge those, but a restarting
server sends one or two."""

FALSE_DOWN_LOG = math.log(2e-8)
"""One false ``down`` a month over 38 provinces is 1e-7 a run at a run every 10 s; a fifth of it
leaves room for several checks on an endpoint."""

LOSS_CAP = 0.5
"""Above this a link is counted as if at it: a dead link must commit within a minute, however
lossy it was before."""

PRIOR_LOST, PRIOR_SENT = 0.5, 20.0
"""Before anything is measured a link is taken to lose 2.5 %."""

HALF_LIFE = 120.0
"""Seconds after which an observation weighs half: a new loss must show within a minute or two."""

EXCHANGES = {
    "tcp": 1, "sip-tcp": 2, "tls": 2, "http": 2, "https": 3, "sip-tls": 3, "sips": 3,
    "stun-tcp": 2, "stun-tls": 3, "turn-tcp": 3, "turn-tls": 4,
    "health": 3, "bosh": 3, "websocket": 4,
}  # fmt: skip
"""Round trips in a row that a run over TCP needs; each has about two tries in the timeout. By
kind, or by kind and transport where that is a parameter."""

DATAGRAM_EXCHANGES = {"turn": 2}
"""Round trips in a row of a run over UDP that needs more than one; they share the timeout."""

MTU_TRIES = 10
"""Small packets that a run of kind ``mtu`` sends before it gives up (five rounds of two)."""

BURSTS = frozenset({"icmp", "stamp"})
"""Kinds whose run is many packets, of which one answer is enough."""

SYN_RETRY = 1.0  # seconds: Linux's first retransmission of a SYN, doubling


@dataclass(slots=True)
class Loss:
    """Decayed counts of what an endpoint's checks sent and lost, at monotonic second ``at``."""

    sent: float = 0.0
    lost: float = 0.0
    at: float = 0.0

    def add(self, now: float, sent: float, lost: float) -> None:
        """Take one more observation in."""
        if now > self.at:
            fade = 0.5 ** ((now - self.at) / HALF_LIFE)
            self.sent *= fade
            self.lost *= fade
            self.at = now
        self.sent += sent
        self.lost += lost

    @property
    def ratio(self) -> float:
        """Expected round-trip loss, 0 to LOSS_CAP."""
        return min(LOSS_CAP, (self.lost + PRIOR_LOST) / (self.sent + PRIOR_SENT))


def _over_tcp(check: Check[Any]) -> int | None:
    transport = getattr(check.params, "transport", "")
    return EXCHANGES.get(f"{check.kind}-{transport}", EXCHANGES.get(check.kind))


def exchanges(check: Check[Any]) -> int:
    """Round trips in a row that one run needs, until it knows what it asks for."""
    return _over_tcp(check) or DATAGRAM_EXCHANGES.get(check.kind, 1)


def tries(check: Check[Any]) -> int:
    """How many packets one run may send before it gives up on the first answer."""
    if check.kind in BURSTS:
        return int(check.params.packets)
    if check.kind == "mtu":
        return MTU_TRIES
    if check.kind == "heartbeat":
        return 0
    seconds = check.timeout
    if _over_tcp(check):
        first_retry = SYN_RETRY
    else:
        params, default = check.params, 0.5 if check.kind == "dns" else SYN_RETRY
        first_retry = float(getattr(params, "t1", getattr(params, "rto", default)))
        seconds /= exchanges(check)
    # retransmissions at t, 3t, 7t, ...: the k-th is sent at (2^k - 1) t
    return 1 + int(math.log2(max(1.0, seconds / first_retry + 1)) - 1e-9)


def silence_log(check: Check[Any], loss: float) -> float:
    """Log of the chance that one run of ``check`` is silent by a round-trip loss ``loss`` alone.

    A heartbeat that is missing weighs as an answer does: its sender has tried again all through
    the grace, seven times in 45 s; that loss eats them all is less likely than any bound here.
    """
    if check.kind == "heartbeat":
        return ANSWERED_LOG
    lost_once = min(max(loss, 1e-6), LOSS_CAP) ** tries(check)
    count = exchanges(check)
    return math.log1p(-((1 - lost_once) ** count)) if count > 1 else math.log(lost_once)


def observed(result: Result) -> tuple[int, int]:
    """(sent, lost) packets that an UP result tells of; (0, 0) for any other, and where none was."""
    if result.outcome is not Outcome.UP:
        return 0, 0
    if result.echo is not None:
        return result.echo.sent, result.echo.sent - result.echo.received
    return result.transmissions, max(0, result.transmissions - 1)
