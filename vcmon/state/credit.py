"""Seconds in each state: the honest source of uptime, for a counter that can't be taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

from vcmon.model.status import State

GAP = 60.0
"""Seconds without a single tick: the process was frozen or the machine slept, nobody looked."""


def _zero() -> dict[State, float]:
    return dict.fromkeys(State, 0.0)


@dataclass(slots=True)
class Credit:
    """The seconds of one province; ``until`` is how far (monotonic) they have been given out.

    They are given out ``lag`` seconds late: a run is told when it is over, and counts from when it
    began.
    """

    until: float
    lag: float = 0.0
    seconds: dict[State, float] = field(default_factory=_zero)

    def advance(self, now: float, state: State, undecided_since: float | None) -> None:
        """Give the time up to now to ``state``; time under what is not yet decided waits."""
        told = now - self.lag
        self._give(state, told if undecided_since is None else min(told, undecided_since))

    def change(self, onset: float, old: State) -> None:
        """The state changed at ``onset``: what lies before it belongs to the old state."""
        self._give(old, onset)

    def _give(self, state: State, until: float) -> None:
        if until > self.until:
            looked = until - self.until <= GAP
            self.seconds[state if looked else State.UNKNOWN] += until - self.until
            self.until = until
