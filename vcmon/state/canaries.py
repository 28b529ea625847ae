"""The canaries: addresses near us that must answer while our own side works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vcmon.config.params import IcmpParams, TcpParams
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Outcome, Result
from vcmon.state.guard import CanaryView

INTERVAL, TIMEOUT = 2.0, 1.0
"""Seconds. The verdict on ourselves must be there before three failures of theirs are: 4 s."""

FAILURES = 2
"""Runs in a row without an answer after which a canary is dead."""

NAME = "canary"
"""The check name of a canary; the endpoint part is ``canary:`` and its address."""


def canary_checks(addresses: Sequence[str]) -> tuple[Check[Any], ...]:
    """One check for each address: ``host`` by ICMP, ``host:port`` or ``[v6]:port`` by TCP."""
    return tuple(_check(address) for address in addresses)


def _check(address: str) -> Check[Any]:
    host, port = split_port(address)
    return Check(
        id=CheckId(f"canary:{address}", NAME),
        province="",
        kind="tcp" if port else "icmp",
        address=host,
        params=TcpParams(port=port) if port else IcmpParams(packets=3),
        interval=INTERVAL,
        timeout=TIMEOUT,
        decides=True,
    )


def split_port(address: str) -> tuple[str, int]:
    """(host, port) of ``host``, ``host:port``, ``v6`` or ``[v6]:port``; port 0: none given."""
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        return host, int(port.removeprefix(":") or 0)
    if address.count(":") == 1:
        host, _, port = address.partition(":")
        return host, int(port)
    return address, 0


@dataclass(slots=True)
class _Canary:
    last_up: float = float("-inf")
    failures: int = 0
    failing_since: float = 0.0


@dataclass(slots=True)
class Canaries:
    """What each canary last said; written by the board."""

    states: dict[CheckId, _Canary] = field(default_factory=dict)

    @classmethod
    def of(cls, addresses: Sequence[str]) -> Canaries:
        return cls({check.id: _Canary() for check in canary_checks(addresses)})

    def reload(self, addresses: Sequence[str]) -> Canaries:
        """The same for new addresses; what is known of the old ones is kept."""
        fresh = Canaries.of(addresses)
        return Canaries({check: self.states.get(check, new) for check, new in fresh.states.items()})

    def knows(self, check: CheckId) -> bool:
        return check in self.states

    def record(self, result: Result) -> None:
        """Any answer is proof; no answer, for whatever reason, is not."""
        canary = self.states[result.check]
        if result.outcome is Outcome.UP:
            canary.last_up = max(canary.last_up, result.started)
            canary.failures = 0
            return
        if canary.failures == 0:
            canary.failing_since = result.started
        canary.failures += 1

    def view(self) -> CanaryView:
        """All of them together: one that answers proves the uplink."""
        if not self.states:
            return CanaryView()
        dead = [c.failing_since for c in self.states.values() if c.failures >= FAILURES]
        all_dead = len(dead) == len(self.states)
        return CanaryView(
            configured=True,
            last_up=max(c.last_up for c in self.states.values()),
            failing_since=max(dead) if all_dead else None,
        )
