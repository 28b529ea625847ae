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


UP = Outcome.UP  # an enum's own lookup is slow, and each result asks


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


def tries(check: Check[Any]) -> int:
    """How many packets one run may send before it gives up on the first answer."""
    return int(check.params.asks(check.timeout).tries)


def silence_log(check: Check[Any], loss: float) -> float:
    """Log of the chance that one run of ``check`` is silent by a round-trip loss ``loss`` alone.

    Where silence is no matter of luck (no packet of ours waits for an answer) it weighs as one.
    """
    asked = check.params.asks(check.timeout)
    if asked.tries == 0:
        return ANSWERED_LOG
    lost_once = min(max(loss, 1e-6), LOSS_CAP) ** asked.tries
    count = asked.exchanges
    return float(math.log1p(-((1 - lost_once) ** count)) if count > 1 else math.log(lost_once))


def observed(result: Result) -> tuple[int, int]:
    """(sent, lost) packets that an UP result tells of; (0, 0) for any other, and where none was."""
    if result.outcome is not UP:
        return 0, 0
    if (echo := result.echo) is not None:
        return echo.sent, echo.sent - echo.received
    return result.transmissions, max(0, result.transmissions - 1)
