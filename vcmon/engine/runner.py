"""One run of one check: always a Result, whatever the probe does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from vcmon.clock import Clock
from vcmon.errors import ProbeError, origin
from vcmon.model.endpoint import Check
from vcmon.model.result import SILENT, Blame, Outcome, Reason, Result
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.heartbeats import Heartbeats
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Begin, Probe, Tools

GRACE = 0.05
"""Seconds over its timeout after which a probe that ignores its deadline is cut off, at the next
pulse of the loop."""

POSTPONEMENT = 0.25
"""Seconds that a run gets after a stall of ours to take what has arrived meanwhile."""

HEDGE_DELAY = 0.3
"""Seconds between the attempts of a confirming run: four fit a 2 s timeout, and each has a
round trip over a GEO satellite before the next begins to matter."""

RESERVED_FDS = 128
"""Descriptors left to the pages, the disk and the event loop."""

FDS_PER_RUN = 4
"""Sockets that one run may hold at most: the attempts of a confirming run."""

log = structlog.get_logger("vcmon.engine")


def runs_allowed(open_files: int) -> int:
    """How many runs may hold sockets at a time under a limit of so many descriptors."""
    return max(8, (open_files - RESERVED_FDS) // FDS_PER_RUN)


@dataclass(slots=True)
class _Attempt:
    """One call of a probe, and when it must be over."""

    deadline: Deadline
    ends: float = field(init=False)  # monotonic seconds
    cut_off: bool = False
    overdue: bool = False  # at the last look
    postponed: bool = False

    def __post_init__(self) -> None:
        self.ends = self.deadline.started + self.deadline.seconds + GRACE

    def is_over(self, now: float) -> bool:
        """Whether two looks in turn found the deadline passed, the later one GRACE too.

        At one look alone a loop that is late runs the deadline's own timer in the same turn: the
        probe keeps to it, but hasn't yet been let.
        """
        before, self.overdue = self.overdue, now >= self.ends - GRACE
        return before and now >= self.ends


@dataclass(slots=True)
class Runner:
    """Runs checks; holds what their probes share."""

    clock: Clock
    lag: LoopLag
    pinger: Pinger
    resolver: Resolver
    probes: Mapping[str, Probe]
    slots: asyncio.Semaphore
    begins: Mapping[str, Begin] = field(default_factory=dict)
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    stopping: bool = False
    _attempts: dict[asyncio.Task[Any], _Attempt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lag.watchers.append(self._cut_off_overdue)

    def begin(self, check: Check[Any], done: Callable[[Result], None]) -> bool:
        """As :meth:`run` with one attempt, without a task; ``done`` gets the one result.

        False where the check can't be run so: then nothing has happened. ``done`` may be called
        before this returns, where not even a packet could be sent.
        """
        begin = self.begins.get(check.kind)
        if begin is None:
            return False
        deadline = Deadline(self.clock, self.lag, check.timeout)
        tools = self._tools(deadline)

        def told(verdict: Callable[[], Result]) -> None:
            try:
                result = verdict()
            except ProbeError as error:
                result = _failed(check, tools, error)
            except Exception as bug:  # noqa: BLE001  as in _attempt
                result = _failed(check, tools, _bug(bug))
            done(_unless_stalled(result, deadline))

        try:
            return begin(check, tools, told)
        except ProbeError as error:
            done(_failed(check, tools, error))
        except Exception as bug:  # noqa: BLE001  as in _attempt
            done(_failed(check, tools, _bug(bug)))
        return True

    async def run(self, check: Check[Any], attempts: int = 1) -> Result:
        """One result within ``check.timeout`` (and GRACE): the first UP of so many attempts.

        Raises CancelledError only while stopping.
        """
        if check.kind == "icmp":
            return await self._run(check, attempts)
        async with self.slots:
            return await self._run(check, attempts)

    async def _run(self, check: Check[Any], attempts: int) -> Result:
        deadline = Deadline(self.clock, self.lag, check.timeout)
        if attempts == 1:
            return await self._attempt(check, deadline)
        return await self._hedged(check, attempts, deadline)

    async def _hedged(self, check: Check[Any], attempts: int, deadline: Deadline) -> Result:
        """Staggered attempts, until one is UP, one is answered otherwise, or all are silent."""
        running: set[asyncio.Task[Result]] = set()
        failed: Result | None = None
        launched = 0
        try:
            while True:
                time_left = deadline.remaining() > HEDGE_DELAY
                if launched == 0 or (launched < attempts and time_left):
                    running.add(asyncio.create_task(self._attempt(check, deadline)))
                    launched += 1
                elif not running:
                    break
                wait = HEDGE_DELAY if launched < attempts else None
                done, running = await asyncio.wait(
                    running, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    result = task.result()
                    if result.outcome is not Outcome.DOWN or result.reason not in SILENT:
                        return result
                    failed = failed or result
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        assert failed is not None  # the first attempt is always launched
        return failed

    async def _attempt(self, check: Check[Any], deadline: Deadline) -> Result:
        tools = self._tools(deadline)
        task = asyncio.current_task()
        assert task is not None
        attempt = self._attempts[task] = _Attempt(deadline)
        try:
            result = await self.probes[check.kind](check, tools)
        except ProbeError as error:
            result = _failed(check, tools, error)
        except asyncio.CancelledError:
            if attempt.cut_off:
                task.uncancel()
                result = _failed(check, tools, _overran(deadline))
            elif task.cancelling():
                raise
            else:
                result = _failed(check, tools, _bug(asyncio.CancelledError()))
        except BaseException as bug:  # noqa: BLE001  a probe may raise even SystemExit: it costs one run
            result = _failed(check, tools, _bug(bug))
        finally:
            del self._attempts[task]
        return _unless_stalled(result, deadline)

    def _tools(self, deadline: Deadline) -> Tools:
        at, heartbeats = self.clock.wall(), self.heartbeats
        return Tools(self.clock, self.pinger, self.resolver, deadline, at, heartbeats=heartbeats)

    def _cut_off_overdue(self, now: float) -> None:
        """End the attempts whose probes ignore their deadline; one look serves them all."""
        for task, attempt in self._attempts.items():
            if not attempt.is_over(now):
                continue
            if attempt.deadline.stalled() and not attempt.postponed:
                # The loop was late, so the answer may lie in the socket: let it be read first.
                attempt.postponed = True
                attempt.ends = now + POSTPONEMENT
            elif not attempt.cut_off:
                attempt.cut_off = True
                task.cancel()


def _failed(check: Check[Any], tools: Tools, error: ProbeError) -> Result:
    if error.reason is Reason.BUG:
        bug = error.__cause__ or error
        log.error("probe bug", check=str(check.id), bug=repr(bug)[:200], where=origin(bug))
    theirs = error.blame in {Blame.REMOTE, Blame.PATH}
    tools.detail.setdefault("message", error.text)
    outcome = Outcome.DOWN if theirs else Outcome.UNKNOWN
    return tools.result(check, outcome, error.reason, error.blame)


def _overran(deadline: Deadline) -> ProbeError:
    if deadline.stalled():
        return deadline.expired("")
    text = f"the probe ignored its deadline of {deadline.seconds:g} s; please report this bug"
    return ProbeError(Reason.BUG, Blame.LOCAL, text)


def _bug(bug: BaseException) -> ProbeError:
    text = f"a bug in vcmon: {type(bug).__name__}: {bug}"
    error = ProbeError(Reason.BUG, Blame.LOCAL, text)
    error.__cause__ = bug
    return error


def _unless_stalled(result: Result, deadline: Deadline) -> Result:
    """The result, or ``stall`` if our loop lagged too much for it to prove anything.

    An echo that came back is proven by the kernel's own stamps.
    """
    if result.outcome is Outcome.UP and result.echo is not None:
        return result
    if result.outcome is Outcome.UNKNOWN or not deadline.stalled():
        return result
    return result._replace(outcome=Outcome.UNKNOWN, reason=Reason.STALL, blame=Blame.LOCAL)
