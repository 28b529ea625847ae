"""One run: always a result, whatever the probe does, and never late."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.fakes.figures import record
from tests.fakes.inventory import check
from tests.fakes.workshop import workshop
from vcmon.engine.runner import GRACE, runs_allowed
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.deadline import LoopLag, next_whole
from vcmon.probes.base import Probe, Tools

SIP = check("aceh-codec", "sip", timeout=0.3)


def stall(seconds: float) -> None:
    """Block the loop, as a long computation would."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def raising(error: BaseException) -> Probe:
    async def probe(check: Check[Any], tools: Tools) -> Result:
        with tools.phase("request"):
            await asyncio.sleep(0)
        raise error

    return probe


def answering(after: float) -> Probe:
    async def probe(check: Check[Any], tools: Tools) -> Result:
        await tools.deadline.run(asyncio.sleep(after), "no answer")
        return tools.up(check)

    return probe


async def ran(probe: Probe, attempts: int = 1) -> Result:
    async with workshop({"sip": probe}) as runner:
        return await runner.run(SIP, attempts)


async def test_an_answer_is_up() -> None:
    """A probe that says up is up, with its duration."""
    result = await ran(answering(0.01))
    assert (result.outcome, result.reason, result.check) == (Outcome.UP, Reason.OK, SIP.id)
    assert 0.01 <= result.duration < 0.2


@pytest.mark.parametrize(
    ("blame", "outcome"),
    [(Blame.REMOTE, Outcome.DOWN), (Blame.PATH, Outcome.DOWN), (Blame.LOCAL, Outcome.UNKNOWN)],
)
async def test_only_their_faults_make_down(blame: Blame, outcome: Outcome) -> None:
    """Rule 1: a fault of ours is unknown, never down; what was measured until then is kept."""
    result = await ran(raising(ProbeError(Reason.RESET, blame, "cut\x1b[31m")))
    assert (result.outcome, result.reason, result.blame) == (outcome, Reason.RESET, blame)
    assert "request" in result.phases


@pytest.mark.parametrize(
    "bug",
    [ValueError("x"), KeyError("x"), RecursionError(), asyncio.CancelledError(), SystemExit(3),
     KeyboardInterrupt(), MemoryError(), StopAsyncIteration()],
    ids=lambda bug: type(bug).__name__,
)  # fmt: skip
@pytest.mark.catalogue("T03")
async def test_a_bug_costs_one_run(bug: BaseException) -> None:
    """T03: whatever a probe raises becomes UNKNOWN(bug), and the process lives on."""
    result = await ran(raising(bug))
    assert (result.outcome, result.reason, result.blame) == (
        Outcome.UNKNOWN,
        Reason.BUG,
        Blame.LOCAL,
    )


async def test_the_deadline_is_kept() -> None:
    """T04: a peer that never answers is timeout, DOWN, on time."""
    result = await ran(answering(60))
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.TIMEOUT)
    over = result.duration - SIP.timeout
    record("T04-run", f"{over * 1000:.1f} ms over", "<= 100 ms", passed=over <= 0.1)
    assert over <= 0.1


async def test_a_probe_that_ignores_its_deadline_is_cut_off() -> None:
    """A probe with a bug in its waiting is ended, which is our fault, not theirs, and is logged."""

    async def deaf(check: Check[Any], tools: Tools) -> Result:
        await asyncio.sleep(60)
        return tools.up(check)

    with capture_logs() as logged:
        result = await ran(deaf)
    assert (result.outcome, result.reason) == (Outcome.UNKNOWN, Reason.BUG)
    assert [(entry["event"], entry["check"]) for entry in logged] == [("probe bug", str(SIP.id))]
    assert result.duration <= SIP.timeout + GRACE + 0.1


@pytest.mark.parametrize(("after", "stalled"), [(0.04, 0.07), (-0.005, 0.08)])
async def test_a_late_loop_does_not_cut_off_who_keeps_to_the_deadline(
    after: float, stalled: float
) -> None:
    """Silence is theirs, though deadline and grace were both found over at one look."""
    silent = check("e", "sip", timeout=1.0)
    loop = asyncio.get_running_loop()

    async def probe(check: Check[Any], tools: Tools) -> Result:
        loop.call_later(0.99, stall, stalled)  # short of a tenth of the timeout
        await tools.deadline.run(asyncio.sleep(60), "no answer")
        return tools.up(check)

    async with workshop({"sip": probe}) as runner:
        # from here on the pulse is known to beat so many seconds after the deadline
        await asyncio.sleep(next_whole(loop.time(), LoopLag.PERIOD) - after - loop.time())
        result = await runner.run(silent)
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.TIMEOUT)


@pytest.mark.catalogue("T14")
async def test_our_own_stall_proves_nothing() -> None:
    """T14: a run during which the loop was blocked is UNKNOWN(stall), up or down."""

    async def blocked(check: Check[Any], tools: Tools) -> Result:
        stall(0.4)
        await tools.deadline.run(asyncio.sleep(5), "no answer")
        return tools.up(check)

    async def blocked_but_answered(check: Check[Any], tools: Tools) -> Result:
        stall(0.1)
        await asyncio.sleep(0.06)
        return tools.up(check)

    for probe in (blocked, blocked_but_answered):
        result = await ran(probe)
        assert (result.outcome, result.reason, result.blame) == (
            Outcome.UNKNOWN,
            Reason.STALL,
            Blame.LOCAL,
        )


async def test_an_answer_in_the_socket_is_taken_after_a_stall() -> None:
    """A reply that came in time is not thrown away because we looked late."""

    async def probe(check: Check[Any], tools: Tools) -> Result:
        answered = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.05, answered.set_result, None)
        asyncio.get_running_loop().call_later(0.02, stall, 0.5)
        await tools.deadline.run(answered, "no answer")
        tools.detail["taken"] = True
        return tools.up(check)

    result = await ran(probe)
    assert result.detail["taken"] is True
    assert result.outcome is not Outcome.DOWN


async def test_a_confirming_run_takes_the_first_answer() -> None:
    """Of four staggered attempts the one that gets through wins, within the one deadline."""
    calls = 0

    async def lossy(check: Check[Any], tools: Tools) -> Result:
        nonlocal calls
        calls += 1
        await tools.deadline.run(asyncio.sleep(0.01 if calls == 2 else 60), "no answer")
        return tools.up(check)

    async with workshop({"sip": lossy}) as runner:
        result = await runner.run(check("e", "sip", timeout=2.0), 4)
    assert (result.outcome, calls) == (Outcome.UP, 2)
    assert result.duration < 0.6


async def test_a_timeout_too_short_for_hedges_still_makes_one_attempt() -> None:
    """With less time than the delay between two attempts there is one, not none."""
    async with workshop({"sip": answering(60)}) as runner:
        result = await runner.run(check("e", "sip", timeout=0.1), 4)
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.TIMEOUT)


async def test_a_refusal_needs_no_second_attempt() -> None:
    """An answer of any sort ends a confirming run at once; silence takes all attempts."""
    calls = 0

    async def refused(check: Check[Any], tools: Tools) -> Result:
        nonlocal calls
        calls += 1
        raise ProbeError(Reason.REFUSED, Blame.REMOTE, "refused")

    async with workshop({"sip": refused}) as runner:
        result = await runner.run(check("e", "sip", timeout=2.0), 4)
    assert (result.reason, calls) == (Reason.REFUSED, 1)

    async with workshop({"sip": answering(60)}) as runner:
        result = await runner.run(check("e", "sip", timeout=1.0), 4)
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.TIMEOUT)
    assert result.duration <= 1.1


async def test_stopping_is_no_bug() -> None:
    """A run that is cancelled from outside ends as cancelled."""
    async with workshop({"sip": answering(60)}) as runner:
        task = asyncio.create_task(runner.run(SIP))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_sockets_are_bounded_by_the_descriptors() -> None:
    """A quarter of what is left, and never none."""
    assert runs_allowed(1024) == 224
    assert runs_allowed(64) == 8
