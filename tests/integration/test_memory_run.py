"""``vcmon run`` and its memory: killed, restarted, without a place to write, and tended by hand."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.process import Listener, Monitor, free_port, listener, running, write_settings
from vcmon.history.store import Store
from vcmon.model.memory import Interval
from vcmon.model.result import Reason
from vcmon.model.status import State

FAST = """
defaults: {interval: 1s, timeout: 500ms, confirm: {down: 3, retry: 500ms, up: 2, up_gap: 1s}}
"""
DEAD = tuple(f"d{n}" for n in range(10))


def row(name: str, server: Listener, province: str = "aceh") -> str:
    return f"{name},{province},codec,{server.address},tcp:{server.port},"


def remembered(path: Path, series: str) -> list[Interval]:
    store = Store.open(path, write=False)
    found = store.intervals(series, 0, 1e11)
    store.close()
    return found


def metric(monitor: Monitor, name: str) -> float:
    lines = monitor.get("/metrics")[1].splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def onsets(monitor: Monitor) -> dict[str, float]:
    found = monitor.endpoints()
    return {name: datetime.fromisoformat(found[name]["since"]).timestamp() for name in DEAD}


@pytest.mark.catalogue("T12")
def test_a_restart_in_an_outage_does_not_forget_it(tmp_path: Path) -> None:
    """kill -9 while ten are down: after the restart all ten are down since the same second."""
    port = free_port()
    with ExitStack() as servers:
        well = servers.enter_context(listener("127.0.0.2"))
        dying = servers.enter_context(listener("127.0.0.3"))
        rows = [row("a", well, "bali"), *(row(name, dying) for name in DEAD)]
        config = write_settings(tmp_path, rows, port=port, extra=FAST)
        with running(config, port) as monitor:
            for name in ("a", *DEAD):
                monitor.wait_for(name, "up", 5)
            dying.close()
            for name in DEAD:
                monitor.wait_for(name, "down", 8)
            before = onsets(monitor)
            until = time.time()
            while metric(monitor, "vcmon_history_written_timestamp_seconds") < until:
                time.sleep(0.05)
            monitor.signal(signal.SIGKILL)
            monitor.process.wait()
        ended = time.time()
        time.sleep(1.5)
        with running(config, port) as monitor:
            for name in DEAD:
                monitor.wait_for(name, "down", 8)
            after = onsets(monitor)
            blips = monitor.log.read_text().count("new=up") - 2  # a and bali
            assert monitor.stop() == 0
    kept = sum(abs(after[name] - before[name]) < 0.0015 for name in DEAD)  # ms, cut or rounded
    record("T12", f"{kept} of 10 onsets kept, {blips} up blips", "10 of 10, 0", kept == 10)
    assert kept == 10
    assert blips == 0
    for name in DEAD:
        found = remembered(tmp_path / "vcmon.db", f"endpoint:{name}")
        states = [each.state for each in found]
        assert states == [State.UP, State.DOWN, State.UNKNOWN, State.DOWN]
        gap = found[2]
        assert gap.reason is Reason.GAP
        assert ended - 1.5 < gap.start <= ended
        assert gap.stop is not None
        assert gap.stop > ended + 1.5  # nothing reaches back over the gap


def test_the_monitor_runs_without_a_place_to_write(tmp_path: Path) -> None:
    """Where the memory can't be written vcmon starts, probes, and says so; it heals by itself."""
    port = free_port()
    later = tmp_path / "later"
    with listener("127.0.0.2") as server:
        extra = FAST + f"history: {{path: {later}/vcmon.db}}\n"
        config = write_settings(tmp_path, [row("a", server)], port=port, extra=extra)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            assert metric(monitor, "vcmon_history_up") == 0
            assert "kind=unreachable" in monitor.log.read_text()
            later.mkdir()
            end = time.monotonic() + 10
            while metric(monitor, "vcmon_history_up") == 0:
                assert time.monotonic() < end
                time.sleep(0.1)
            assert monitor.stop() == 0
    assert [each.state for each in remembered(later / "vcmon.db", "endpoint:a")] == [State.UP]


def test_no_memory_is_no_file(tmp_path: Path) -> None:
    """With history.path "" nothing is written, and nothing is missing."""
    port = free_port()
    with listener("127.0.0.2") as server:
        extra = FAST + "history: {path: ''}\n"
        config = write_settings(tmp_path, [row("a", server)], port=port, extra=extra)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            assert monitor.get("/metrics")[1].count("\nvcmon_history_writes_dropped_total 0") == 1
            assert monitor.stop() == 0
    assert list(tmp_path.glob("vcmon.db*")) == []


def test_the_file_is_tended_beside_a_running_vcmon(tmp_path: Path) -> None:
    """check, rebuild and backup work while vcmon writes; a fault is told, with exit code 1."""
    port = free_port()
    with listener("127.0.0.2") as server:
        config = write_settings(tmp_path, [row("a", server)], port=port, extra=FAST)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            for words in (["check"], ["rebuild"], ["backup", str(tmp_path / "copy.db")]):
                done = history(config, *words)
                assert (done.returncode, done.stderr) == (0, ""), done
            assert metric(monitor, "vcmon_history_up") == 1
            assert monitor.stop() == 0
    assert remembered(tmp_path / "copy.db", "endpoint:a")[0].state is State.UP
    file = sqlite3.connect(tmp_path / "vcmon.db")
    file.execute("INSERT INTO interval SELECT series, start - 1, start + 1, 2, cause, start"
                 " FROM interval")  # fmt: skip
    file.commit()
    file.close()
    done = history(config, "check")
    assert done.returncode == 1
    assert "overlaps" in done.stdout


def history(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vcmon", "history", *words, "--config", str(config)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
