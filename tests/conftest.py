"""What holds for every test: nothing blocks the event loop, nothing is left behind."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import blockbuster.blockbuster
import pytest
from blockbuster import BlockBuster, BlockingError

from tests.fakes.figures import record

FDS = Path("/proc/self/fd")
TESTS = Path(__file__).parent
GRACE = 1.0  # seconds in which transports that are closing may finish


BUSY = (
    "browser/",
    "dashboards/",
    "fuzz/",
    "integration/test_acting.py",
    "integration/test_clash_pages.py",
    "integration/test_doorman.py",
    "integration/test_forms.py",
    "integration/test_heartbeat_gate.py",
    "integration/test_hostile_text.py",
    "integration/test_matrix.py",
    "integration/test_meeting_pages.py",
    "integration/test_memory_kill.py",
    "integration/test_memory_reports.py",
    "integration/test_no_ssrf.py",
    "integration/test_outside.py",
    "integration/test_page_memory.py",
    "integration/test_private.py",
    "integration/test_province_page.py",
    "integration/test_recall_paths.py",
    "integration/test_schemathesis.py",
    "integration/test_signing.py",
    "integration/test_stream.py",
    "integration/test_web_reports.py",
    "integration/test_web_tls.py",
    "property/",
    "simulator/",
    "unit/commands/test_incident.py",
    "unit/commands/test_meeting.py",
    "unit/commands/test_minutes_command.py",
    "unit/commands/test_passwd.py",
    "unit/commands/test_path.py",
    "unit/commands/test_reflect.py",
    "unit/commands/test_report_command.py",
    "unit/commands/test_token.py",
    "unit/config/",
    "unit/history/",
    "unit/lab/",
    "unit/model/",
    "unit/readiness/",
    "unit/state/",
    "unit/views/",
    "unit/wire/",
)
"""Tests that probe nothing and keep a processor busy: they run side by side."""

BESIDE = ("integration/test_lab_demo.py", "lab/test_country.py", "lab/test_rig.py", "stack/")
"""Minutes of waiting, in namespaces or at addresses of their own: they run beside those that wait,
too."""

WAITING = ("integration/", "unit/test_cli.py", "unit/test_systemd.py")
"""Tests that wait for their peers most of the time, but for what is ``ALONE``: a few of them don't
disturb each other, while one that keeps a processor busy would make our own loop stall."""

ALONE = (
    "integration/test_heartbeat_run.py",
    "integration/test_lab_country.py",  # addresses and ports that test_lab_demo.py has, too
    "integration/test_lab_meeting.py",  # likewise
    "integration/test_memory_disk.py",
    "integration/test_net_icmp.py",
    "integration/test_probe_call_paths.py",
    "integration/test_web.py",
)
"""Tests that measure to the millisecond, or take what the machine has once: nothing runs beside
them. So is whatever no other group has."""


def group_of(path: Path) -> str:
    """``busy``, ``beside``, ``waiting`` or ``alone``: with whom a test may run at the same time."""
    name = str(path.relative_to(TESTS)) if path.is_relative_to(TESTS) else ""
    if name.startswith(BUSY):
        return "busy"
    if name.startswith(BESIDE):
        return "beside"
    return "waiting" if name.startswith(WAITING) and not name.startswith(ALONE) else "alone"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes hours; make soak runs it, make test does not")
    for group in ("busy", "beside", "waiting", "alone"):
        config.addinivalue_line("markers", f"{group}: see group_of")
    config.addinivalue_line("markers", "catalogue(*ids): keeps these promises of the catalogue")
    if not hasattr(config, "workerinput"):  # whoever hands work out counts for all
        config.stash[TALLY] = Tally()
        config.pluginmanager.register(config.stash[TALLY])


@dataclass(eq=False)
class Tally:
    """What the tests of this run found, by the catalogue's numbers."""

    tests: int = 0
    blocked: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count each test for the promises that it is marked with."""
        if report.when != "call" and not report.failed:
            return
        ids = [str(name) for kind, name in report.user_properties if kind == "catalogue"]
        (self.failed if report.failed else self.passed).update(ids)
        self.tests += report.when == "call"
        self.blocked += report.failed and "the event loop was blocked" in report.longreprtext


TALLY = pytest.StashKey[Tally]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test what it is marked with to take along in its reports."""
    for item in items:
        ids = {name for mark in item.iter_markers("catalogue") for name in mark.args}
        item.user_properties.extend(("catalogue", name) for name in sorted(ids))
        item.add_marker(group_of(item.path))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write one figure for each promise: how many of its cases held."""
    tally = session.config.stash.get(TALLY, None)
    if tally is None:
        return
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
