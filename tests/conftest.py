"""What holds for every test: nothing blocks the event loop, nothing is left behind."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import blockbuster.blockbuster
import pytest
from blockbuster import BlockBuster, BlockingError

FDS = Path("/proc/self/fd")
GRACE = 1.0  # seconds in which transports that are closing may finish


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes hours; make soak runs it, make test does not")


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
