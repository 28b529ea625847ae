"""The sender of heartbeats: one report, tried until the monitor has heard it or time is up."""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass

from vcmon.clock import Clock, SystemClock
from vcmon.commands.memory import tell
from vcmon.commands.target import ATTEMPT, RefusedError, Target, read_token
from vcmon.config.text import printable
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.faults import clean
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Tools
from vcmon.probes.exchange import Answer, Request, exchange, url_of
from vcmon.wire.jsontext import value_at

PAUSE_FIRST, PAUSE_MAX = 0.5, 2.0
"""Seconds between attempts, doubling, each half to one and a half times that: when a monitor comes
back, its thousands of senders must not all come in the same moment."""

ANSWER_MAX = 4_096
"""Bytes read of the answer; it has 60."""

FINAL = frozenset({301, 302, 307, 308, 400, 401, 403, 404, 405, 415, 501})
"""Statuses that no further attempt would change: a redirect is not followed, with a token."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Reports to one target; the resolver keeps the monitor's last good address."""

    target: Target
    clock: Clock
    resolver: Resolver

    async def report(self) -> float:
        """Report in, and again until the monitor has heard; how often it expects that, in seconds.

        Raises RefusedError where it never will, or the last attempt's ProbeError once ``within``
        is over.
        """
        until, pause = self.clock.monotonic() + self.target.within, PAUSE_FIRST
        while True:
            left = until - self.clock.monotonic()
            try:
                return _understood(await self._attempt(min(ATTEMPT, left)))
            except ProbeError:
                wait = pause * random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
                if self.clock.monotonic() + wait >= until:
                    raise
            await asyncio.sleep(wait)
            pause = min(PAUSE_MAX, 2 * pause)

    async def _attempt(self, seconds: float) -> Answer:
        check, deadline = self.target.check, Deadline(self.clock, LoopLag(self.clock), seconds)
        tools = Tools(self.clock, Pinger(), self.resolver, deadline, self.clock.wall())
        token = await asyncio.to_thread(read_token, self.target.token_file)
        headers = {"Authorization": f"Bearer {token}"}
        request = Request(url_of(check), "POST", headers, wanted=_any, body_limit=ANSWER_MAX)
        return await exchange(check, request, tools)


def _any(_status: int) -> bool:
    return True  # a refusal's body says why


def _understood(answer: Answer) -> float:
    if answer.status == 200:
        period = value_at(answer.body, "expected_every_s")
        if isinstance(period, int | float):
            return float(period)
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, "the answer is not a vcmon's")
    text = f"the monitor answered {answer.status}: {_said(answer)}"
    if answer.status in FINAL:
        raise RefusedError(text)
    raise ProbeError(Reason.STATUS, Blame.REMOTE, text)


def _said(answer: Answer) -> str:
    try:
        return clean(str(value_at(answer.body, "error")), 200)
    except ProbeError:
        return "nothing that we understand; is this the monitor's URL?"


async def run(target: Target) -> None:
    """Report once, or again and again. Raises what :meth:`Reporter.report` raises, if once."""
    clock = SystemClock()
    resolver = Resolver(clock)
    try:
        reporter = Reporter(target, clock, resolver)
        await (_keep_reporting(reporter) if target.every else _report_once(reporter))
    finally:
        resolver.close()


async def _report_once(reporter: Reporter) -> None:
    period, name = await reporter.report(), reporter.target.check.id.endpoint
    tell(f"{name} reported in; a report is expected every {period:g} s")


async def _keep_reporting(reporter: Reporter) -> None:
    """Until stopped; only what changes is told, so that the journal stays short."""
    clock, every, told = reporter.clock, reporter.target.every, ""
    slot = clock.monotonic()
    while True:
        try:
            period = await reporter.report()
            late = " (too seldom)" if every > period else ""
            news = f"reporting every {every:g} s, expected every {period:g} s{late}"
        except (RefusedError, ProbeError) as error:
            news = f"not reported: {getattr(error, 'text', str(error))}"
        if news != told:
            told = news
            stream = sys.stderr if news.startswith("not") else sys.stdout
            stream.write(f"{printable(news)}\n")
            stream.flush()
        now = clock.monotonic()
        slot += every * max(1.0, (now - slot) // every)  # no drift
        await asyncio.sleep(max(0.0, slot - now))
