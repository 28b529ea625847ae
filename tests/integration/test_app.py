"""``vcmon run`` as an operator meets it: start, outage, reload, signals, end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.process import Listener, free_port, listener, running, write_settings

FAST = """
defaults: {interval: 1s, timeout: 500ms, confirm: {down: 3, retry: 500ms, up: 2, up_gap: 1s}}
"""


def row(name: str, server: Listener, province: str = "aceh", depends_on: str = "") -> str:
    return f"{name},{province},codec,{server.address},tcp:{server.port},{depends_on}"


def test_an_outage_and_its_end_are_told(tmp_path: Path) -> None:
    """A server that stops is down on the API, the page and the metrics; back up when it returns."""
    port = free_port()
    with listener("127.0.0.2") as server, listener("127.0.0.3") as other:
        config = write_settings(
            tmp_path, [row("a", server), row("b", other, "bali")], port=port, extra=FAST
        )
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            server.close()
            took = monitor.wait_for("a", "down", 8)
            assert took < 4
            assert monitor.endpoints()["a"]["reason"] == "refused"
            assert monitor.state("b") == "up"
            assert "terputus" in monitor.get("/")[1].lower()
            metrics = monitor.get("/metrics")[1]
            assert 'vcmon_province_state{province="aceh",state="down"} 1' in metrics
            assert 'vcmon_province_up{province="aceh"} 0' in metrics
            with listener(server.address, server.port):
                monitor.wait_for("a", "up", 8)


def test_maintenance_of_the_settings_is_shown_while_it_is_on(tmp_path: Path) -> None:
    """A window that is on lies over its province everywhere; a reload without it takes it away."""
    port = free_port()
    start = datetime.now(UTC) - timedelta(minutes=5)
    window = f"""{FAST}
maintenance:
  - {{scope: "province:aceh", title: Ganti router,
     start: "{start:%Y-%m-%d %H:%M}", duration: 1h, zone: UTC}}
"""
    with listener("127.0.0.2") as server, listener("127.0.0.3") as other:
        rows = [row("a", server), row("b", other, "bali")]
        config = write_settings(tmp_path, rows, port=port, extra=window)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            assert '"maintenance":1}' in monitor.get("/api/v1/status")[1]
            metrics = monitor.get("/metrics")[1]
            assert 'vcmon_maintenance_active{province="aceh"} 1' in metrics
            assert 'vcmon_maintenance_active{province="bali"} 0' in metrics
            assert "Aceh: Ganti router" in monitor.get("/")[1]
            write_settings(tmp_path, rows, port=port, extra=FAST)
            assert monitor.post("/-/reload")[0] == 200
            deadline = time.monotonic() + 3
            while '"maintenance":1}' in monitor.get("/api/v1/status")[1]:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert "Ganti router" not in monitor.get("/")[1]


def test_the_first_round_is_complete_within_one_interval(tmp_path: Path) -> None:
    """At the default interval every check has run, and ready says so, within 10 s of the start."""
    port = free_port()
    with listener() as server:
        rows = [row(f"e{n}", server) for n in range(100)]
        with running(write_settings(tmp_path, rows, port=port), port) as monitor:
            begun = time.monotonic()
            while monitor.get("/-/ready")[0] != 200:
                assert time.monotonic() - begun < 12
                time.sleep(0.1)
            took = time.monotonic() - begun
            assert {e["state"] for e in monitor.endpoints().values()} == {"up"}
    record("first round", f"{took:.1f} s", "<= 10 s + start", passed=took <= 11)


def test_a_reload_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """T11: a broken file changes nothing and says why; a good one keeps the state of the rest."""
    port = free_port()
    with listener("127.0.0.2") as server, listener("127.0.0.3") as other:
        config = write_settings(tmp_path, [row("a", server)], port=port, extra=FAST)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            since = monitor.endpoints()["a"]["since"]

            (tmp_path / "inventory.csv").write_text("id,province\nhalf a", "utf-8")
            code, text = monitor.post("/-/reload")
            assert code == 400
            assert "inventory.csv" in text
            assert list(monitor.endpoints()) == ["a"]
            assert "vcmon_config_last_reload_successful 0" in monitor.get("/metrics")[1]

            rows = [row("a", server), row("b", other, "bali")]
            write_settings(tmp_path, rows, port=port, extra=FAST)
            monitor.signal(signal.SIGHUP)
            deadline = time.monotonic() + 5
            while "b" not in monitor.endpoints() and time.monotonic() < deadline:
                time.sleep(0.05)
            monitor.wait_for("b", "up", 5)
            assert monitor.endpoints()["a"]["since"] == since
            assert "vcmon_config_last_reload_successful 1" in monitor.get("/metrics")[1]


def test_a_storm_of_reloads_loses_nothing(tmp_path: Path) -> None:
    """T11: 200 SIGHUPs, every other file broken: nothing is lost, nothing changes state."""
    port = free_port()
    good = tmp_path / "inventory.csv"
    with listener("127.0.0.2") as server:
        config = write_settings(
            tmp_path, [row(f"e{n}", server) for n in range(20)], port=port, extra=FAST
        )
        text = good.read_text("utf-8")
        with running(config, port) as monitor:
            for n in range(20):
                monitor.wait_for(f"e{n}", "up", 5)
            before = {name: e["since"] for name, e in monitor.endpoints().items()}
            for n in range(200):
                good.write_text(text if n % 2 else text[: n % 40], "utf-8")
                monitor.signal(signal.SIGHUP)
                time.sleep(0.01)
            good.write_text(text, "utf-8")
            assert monitor.post("/-/reload")[0] == 200
            time.sleep(2)
            after = {name: e["since"] for name, e in monitor.endpoints().items()}
    record("T11", f"{len(before.keys() ^ after.keys())} lost of 20", "0", passed=before == after)
    assert before == after


def test_frozen_and_thawed_is_a_gap(tmp_path: Path) -> None:
    """T15: SIGSTOP past staleness, then SIGCONT: nothing is down, and a real outage is found."""
    port = free_port()
    with listener("127.0.0.2") as server, listener("127.0.0.3") as dying:
        rows = [row("a", server), row("b", dying, "bali")]
        config = write_settings(tmp_path, rows, port=port, extra=FAST)
        with running(config, port) as monitor:
            monitor.wait_for("a", "up", 5)
            monitor.wait_for("b", "up", 5)
            monitor.signal(signal.SIGSTOP)
            time.sleep(8)
            dying.close()
            monitor.signal(signal.SIGCONT)
            monitor.wait_for("b", "down", 8)
            assert monitor.state("a") == "up"
            log = monitor.log.read_text()
    downs = [line for line in log.splitlines() if "new=down" in line and "endpoint:a " in line]
    record("T15", f"{len(downs)} false down", "0", passed=not downs)
    assert downs == []


def test_sigterm_is_clean_at_any_instant(tmp_path: Path) -> None:
    """SIGTERM ends vcmon with exit 0 and no traceback, whenever it comes."""
    with listener() as server:
        for delay in (0.0, 0.3, 1.1):
            port = free_port()
            rows = [row(f"e{n}", server) for n in range(30)]
            with running(write_settings(tmp_path, rows, port=port, extra=FAST), port) as monitor:
                time.sleep(delay)
                assert monitor.stop() == 0
                assert "Traceback" not in monitor.log.read_text()
                assert "destroyed" not in monitor.log.read_text()


def test_the_watchdog_is_fed_only_while_all_parts_move(tmp_path: Path) -> None:
    """A frozen vcmon falls silent to systemd; a running one is never silent for WatchdogSec."""
    port = free_port()
    path = tmp_path / "notify"
    with (
        listener() as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(str(path))
        manager.settimeout(5)
        environ = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        config = write_settings(tmp_path, [row("a", server)], port=port, extra=FAST)
        with running(config, port, environ) as monitor:
            said = [manager.recv(4096) for _ in range(5)]
            assert said[0] == b"READY=1"
            assert said[1:] == [b"WATCHDOG=1"] * 4
            monitor.signal(signal.SIGSTOP)
            drain(manager)
            manager.settimeout(2.5)
            with pytest.raises(TimeoutError):
                manager.recv(4096)


def drain(manager: socket.socket) -> None:
    """Read what was said before."""
    manager.settimeout(0.2)
    with suppress(TimeoutError):
        while True:
            manager.recv(4096)


def vcmon(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vcmon", *words],
        cwd=cwd, capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """The address and what to do, no traceback, and a code that systemd counts as a failure."""
    with listener() as server, listener() as taken:
        port = taken.port
        config = write_settings(tmp_path, [row("a", server)], port=port)
        ended = vcmon("run", "--config", str(config), cwd=tmp_path)
    assert ended.returncode not in {0, 2}
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_descriptors_running_out_are_our_fault(tmp_path: Path) -> None:
    """T16: with far too few descriptors nothing is down, and a real outage is still found."""
    port = free_port()
    with listener("127.0.0.2") as server, listener("127.0.0.3") as dying:
        rows = [row(f"e{n}", server) for n in range(60)] + [row("b", dying, "bali")]
        config = write_settings(tmp_path, rows, port=port, extra=FAST)
        with running(config, port) as monitor:
            monitor.wait_for("b", "up", 5)
            subprocess.run(
                ["prlimit", "--pid", str(monitor.process.pid), "--nofile=24:"], check=True
            )
            time.sleep(4)
            subprocess.run(
                ["prlimit", "--pid", str(monitor.process.pid), "--nofile=1024:"], check=True
            )
            dying.close()
            monitor.wait_for("b", "down", 10)
            downs = monitor.log.read_text().count("new=down")
    record("T16", f"{downs - 2} false down", "0", passed=downs == 2)
    assert downs == 2  # the endpoint b and its province
