"""What holds for every test: nothing blocks the event loop, nothing is left behind."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import blockbuster.blockbuster
import pytest
from blockbuster import BlockBuster, BlockingError

from tests.fakes.figures import record

FDS = Path("/proc/self/fd")
GRACE = 1.0  # seconds in which transports that are closing may finish


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes hours; make soak runs it, make test does not")
    config.addinivalue_line("markers", "catalogue(*ids): keeps these promises of the catalogue")
    config.stash[TALLY] = Tally()


@dataclass
class Tally:
    """What the tests of this run found, by the catalogue's numbers."""

    tests: int = 0
    blocked: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


TALLY = pytest.StashKey[Tally]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count each test for the promises that it is marked with."""
    report = yield
    tally = item.config.stash[TALLY]
    if report.when == "call" or report.failed:
        ids = {name for mark in item.iter_markers("catalogue") for name in mark.args}
        (tally.failed if report.failed else tally.passed).update(ids)
        tally.tests += report.when == "call"
        tally.blocked += report.failed and "the event loop was blocked" in report.longreprtext
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write one figure for each promise: how many of its cases held."""
    tally = session.config.stash[TALLY]
    for name in sorted(tally.passed | tally.failed):
        held, all_cases = tally.passed[name], tally.passed[name] + tally.failed[name]
        record(f"{name} cases", f"{held} of {all_cases}", "all", held == all_cases)
    if tally.tests:
        figure = f"{tally.blocked} blocked loops in {tally.tests} tests"
        record("T36", figure, "0", tally.blocked == 0)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Tests that are coroutines clean up after themselves; the others have no loop to soil."""
    if name.startswith("test") and inspect.iscoroutinefunction(obj):
        pytest.mark.usefixtures("nothing_left_behind")(obj)


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which code of vcmon blocks the running event loop.

    A runner that turns every exception into a result would swallow the alarm: so each alarm is
    kept, too, and told at the end.
    """
    alarms: list[str] = []

    class AlarmError(BlockingError):
        def __init__(self, function: str) -> None:
            alarms.append(f"{function} called from {_caller()}")
            super().__init__(function)

    monkeypatch.setattr(blockbuster.blockbuster, "BlockingError", AlarmError)
    guard = BlockBuster("vcmon")
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()
    if alarms:
        pytest.fail("the event loop was blocked:\n  " + "\n  ".join(alarms), pytrace=False)


def _caller() -> str:
    """The innermost line of vcmon on the stack."""
    for frame in inspect.stack(context=0):
        if "/vcmon/" in frame.filename and "/tests/" not in frame.filename:
            return f"{frame.filename}:{frame.lineno}"
    return "?"


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fails a coroutine test that leaves tasks running or sockets open."""
    before = _sockets()
    yield
    until = time.monotonic() + GRACE
    while time.monotonic() < until and (_tasks() or _sockets() - before):
        await asyncio.sleep(0.01)
    left = [repr(task) for task in _tasks()] + sorted(_sockets() - before)
    if left:
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


def _tasks() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def _sockets() -> set[str]:
    """The open sockets, as ``socket:[inode]``."""
    found = set()
    for descriptor in FDS.iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # the descriptor of this very listing
    return {name for name in found if name.startswith("socket:")}
