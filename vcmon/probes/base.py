"""What every probe is given, and what it gives back.

A probe is ``async def probe(check, tools) -> Result``. It returns a verdict by :meth:`Tools.up` (or
:meth:`Tools.impaired`), and *raises* ProbeError for everything else: the runner makes the Result
of it, with the phases that were measured until then. It keeps to ``tools.deadline`` at each step
that waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from vcmon.clock import Clock
from vcmon.model.endpoint import Check
from vcmon.model.result import (
    NO_DETAIL,
    Blame,
    Echo,
    Outcome,
    Reason,
    Result,
    Streams,
)
from vcmon.net.deadline import Deadline
from vcmon.net.heartbeats import Heartbeats
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver


class Phase:
    """Adds the seconds spent inside the block to its phase."""

    __slots__ = ("_begun", "_clock", "_name", "_phases")

    def __init__(self, clock: Clock, phases: dict[str, float], name: str) -> None:
        self._clock = clock
        self._phases = phases
        self._name = name

    def __enter__(self) -> None:
        self._begun = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        spent = self._clock.monotonic() - self._begun
        self._phases[self._name] = self._phases.get(self._name, 0.0) + spent


@dataclass(slots=True)
class Tools:
    """One run's hands: the shared sockets and pools, and this run's own deadline and phases."""

    clock: Clock
    pinger: Pinger
    resolver: Resolver
    deadline: Deadline
    at: float  # wall seconds of the start
    phases: dict[str, float] = field(default_factory=dict)
    detail: dict[str, str | int | float | bool] = field(default_factory=dict)
    transmissions: int = 1
    echo: Echo | None = None
    streams: Streams | None = None
    certificate_expiry: float | None = None
    heartbeats: Heartbeats = field(default_factory=Heartbeats)

    def phase(self, name: str) -> Phase:
        """Measure one step of the run, in seconds; a failed step is measured too."""
        return Phase(self.clock, self.phases, name)

    def up(self, check: Check[Any]) -> Result:
        """The check found what it looked for."""
        return self.result(check, Outcome.UP, Reason.OK, Blame.NONE)

    def impaired(self, check: Check[Any], reason: Reason, text: str) -> Result:
        """It serves, but not as it should: the endpoint is degraded with this reason."""
        self.detail["message"] = text
        return self.result(check, Outcome.UP, reason, Blame.REMOTE, impaired=True)

    def result(
        self,
        check: Check[Any],
        outcome: Outcome,
        reason: Reason,
        blame: Blame,
        *,
        impaired: bool = False,
    ) -> Result:
        """Everything this run gathered, as a Result."""
        # By place: by name it would cost twice as much, and each run makes one.
        return Result(
            check.id,
            outcome,
            reason,
            blame,
            self.at,
            self.deadline.started,
            self.deadline.elapsed(),
            self.phases,
            impaired,
            self.echo,
            self.transmissions,
            self.certificate_expiry,
            self.detail or NO_DETAIL,
            self.streams,
        )


Probe = Callable[[Check[Any], Tools], Awaitable[Result]]

Told = Callable[[Callable[[], Result]], None]
"""Takes the verdict of a run that had no task of its own: it returns, or raises as a probe does."""

Begin = Callable[[Check[Any], Tools, Told], bool]
"""Starts a run without a task, which is most of what a small probe costs; False: not this one."""
