"""One run of one probe, without an engine: its verdict, whether it was returned or raised."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from vcmon.clock import Clock, SystemClock
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Probe, Tools


@dataclass(frozen=True)
class Seen:
    """A run's verdict."""

    outcome: Outcome
    reason: Reason
    impaired: bool
    tools: Tools
    text: str

    @property
    def verdict(self) -> tuple[Outcome, Reason, bool]:
        return self.outcome, self.reason, self.impaired

    def __getitem__(self, key: str) -> object:
        """One entry of the detail; None where there is none."""
        return self.tools.detail.get(key)


UP = (Outcome.UP, Reason.OK, False)


def impaired(reason: Reason) -> tuple[Outcome, Reason, bool]:
    return Outcome.UP, reason, True


def down(reason: Reason) -> tuple[Outcome, Reason, bool]:
    return Outcome.DOWN, reason, False


@contextlib.contextmanager
def tools_for(seconds: float, clock: Clock | None = None) -> Iterator[Tools]:
    """The tools of a run that may take so many seconds."""
    clock = clock or SystemClock()
    resolver = Resolver(clock)
    deadline = Deadline(clock, LoopLag(clock), seconds)
    try:
        yield Tools(clock, cast("Pinger", None), resolver, deadline, clock.wall())
    finally:
        resolver.close()


def check_of(
    kind: str, params: Any, address: str = "127.0.0.1", seconds: float = 2.0
) -> Check[Any]:
    return Check(CheckId("e", kind), "aceh", kind, address, params, 30.0, seconds, decides=True)


async def look(
    probe: Probe, check: Check[Any], clock: Clock | None = None
) -> Seen:  # fmt: skip
    """What one run of the probe says."""
    with tools_for(check.timeout, clock) as tools:
        try:
            result = await probe(check, tools)
        except ProbeError as error:
            local = error.blame is Blame.LOCAL
            outcome = Outcome.UNKNOWN if local else Outcome.DOWN
            return Seen(outcome, error.reason, False, tools, error.text)
    text = str(tools.detail.get("message", ""))
    return Seen(result.outcome, result.reason, result.impaired, tools, text)
