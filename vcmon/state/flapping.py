"""When an endpoint that falls and rises again and again is called unstable; pure.

It begins with so many changes within the window, and ends when fewer than ``calm`` are left in
it: with one threshold for both it would flap itself. Only changes between lost (down,
unreachable) and not lost count; what is unknown in between is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vcmon.config.settings import Flapping
from vcmon.model.result import Reason
from vcmon.model.status import Standing, State

REMEMBERED = 1_000
"""Changes kept at most: in the longest window, a day, one every minute and a half."""

LOST = frozenset({State.DOWN, State.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Flaps:
    """The changes of one endpoint, lately."""

    times: tuple[float, ...] = ()  # monotonic seconds, oldest first
    flapping: bool = False
    lost: bool | None = None  # when it was last known to be anything; None: it never was

    def until(self, rules: Flapping) -> float:
        """Monotonic second at which the next look may see something else; infinity for never."""
        return self.times[0] + rules.window if self.times else float("inf")


STEADY = Flaps()


def noted(flaps: Flaps, state: State, now: float) -> Flaps:
    """After the endpoint was found in ``state`` at ``now``."""
    lost = state in LOST
    if state is State.UNKNOWN or flaps.lost is lost:
        return flaps
    if flaps.lost is None:
        return replace(flaps, lost=lost)
    return Flaps((*flaps.times, now)[-REMEMBERED:], flaps.flapping, lost)


def looked(flaps: Flaps, now: float, rules: Flapping) -> Flaps:
    """At ``now``: a change exactly ``window`` seconds old is out of it."""
    if not flaps.times and not flaps.flapping:
        return flaps
    times = tuple(at for at in flaps.times if now - at < rules.window)
    flapping = len(times) >= (rules.calm if flaps.flapping else rules.changes)
    return replace(flaps, times=times, flapping=flapping)


def overlaid(standing: Standing, flaps: Flaps, rules: Flapping) -> Standing:
    """The standing as it is shown: not well while it flaps. What is lost stays lost."""
    if not flaps.flapping or standing.state is not State.UP:
        return standing
    return replace(
        standing,
        state=State.DEGRADED,
        reason=Reason.FLAPPING,
        changes=len(flaps.times),
        within=rules.window,
    )
