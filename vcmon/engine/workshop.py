"""The workshop: what probing needs, opened together and closed together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from vcmon.clock import Clock
from vcmon.engine.runner import Runner, runs_allowed
from vcmon.engine.vitals import raise_open_files_limit
from vcmon.net.deadline import LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes import BEGINS, PROBES


@dataclass(slots=True)
class Workshop:
    """What probing needs: sockets, names, the loop's pulse, the runner."""

    lag: LoopLag
    pinger: Pinger
    resolver: Resolver
    runner: Runner

    @classmethod
    def open(cls, clock: Clock) -> Workshop:
        """Open it on the running loop."""
        lag, pinger, resolver = LoopLag(clock), Pinger(), Resolver(clock)
        lag.start()
        pinger.open()
        slots = asyncio.Semaphore(runs_allowed(raise_open_files_limit()))
        return cls(
            lag, pinger, resolver, Runner(clock, lag, pinger, resolver, PROBES, slots, BEGINS)
        )

    def close(self) -> None:
        self.pinger.close()
        self.resolver.close()
        self.lag.stop()
