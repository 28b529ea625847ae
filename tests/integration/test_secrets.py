"""Secrets of checks in a real run: used, picked up by a reload, and shown nowhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.process import Monitor, free_port, running, write_settings
from tests.fakes.turn_peers import LONG_TERM, PASSWORD, USER, coturn

WRONG = "CANARY-of-a-wrong-password"
KEYS = """
defaults: {{interval: 1s, timeout: 800ms, confirm: {{retry: 300ms, up: 2, up_gap: 500ms}}}}
checks:
  good: {{kind: turn, port: {port}, username: {user}, password_file: good.secret, {times}}}
  wrong: {{kind: turn, port: {port}, username: {user}, password_file: wrong.secret, {times}}}
  shared: {{kind: turn, port: {port}, secret_file: wrong.secret, {times}}}
"""
TIMES = "interval: 1s, timeout: 800ms"
PAGES = ("/", "/en/", "/metrics", "/api/v1/status", "/api/v1/incidents", "/provinsi/aceh",
         "/api/v1/openapi.json", "/feed.atom", "/-/reload")  # fmt: skip


def keep(path: Path, secret: str) -> None:
    path.touch(0o600)
    path.write_text(f"{secret}\n")


def command(*words: str) -> str:
    """Everything that a command says."""
    done = subprocess.run(
        [sys.executable, "-m", "vcmon", *words], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.catalogue("T43")
def test_secrets_are_used_and_shown_nowhere(tmp_path: Path) -> None:
    """Right or wrong: no page, metric, log, command, error or file of ours holds a secret (T43)."""
    port = free_port()
    keep(tmp_path / "good.secret", PASSWORD)
    keep(tmp_path / "wrong.secret", WRONG)
    with coturn(tmp_path / "coturn", LONG_TERM) as server:
        extra = KEYS.format(port=server.plain, user=USER, times=TIMES)
        endpoints = [f"{name},aceh,turn,127.0.0.1,{name}," for name in ("good", "wrong", "shared")]
        config = write_settings(tmp_path, endpoints, port=port, extra=extra)
        with running(config, port) as monitor:
            monitor.wait_for("good", "up", 5)
            for name in ("wrong", "shared"):
                monitor.wait_for(name, "down", 6)
                assert monitor.endpoints()[name]["reason"] == "auth"
            told = _everything(monitor, config)
            keep(tmp_path / "wrong.secret", PASSWORD)
            monitor.signal(signal.SIGHUP)
            monitor.wait_for("wrong", "up", 6)
            (tmp_path / "wrong.secret").write_text("")
            told += monitor.post("/-/reload")[1] + command("check", str(config))
            assert monitor.state("wrong") == "up", "the old settings stay in force"
            assert monitor.stop() == 0
            told += monitor.log.read_text()
        assert server.allocations_left() == 0
    files = [each.read_bytes().decode("latin-1") for each in tmp_path.glob("vcmon.db*")]
    everywhere = "".join((told, *files))
    assert "expected a secret in the first line" in everywhere
    found = [secret for secret in (PASSWORD, WRONG) if secret in everywhere]
    record("T43 of checks", f"{len(found)} of 2 secrets found", "0", not found)
    assert found == []


def _everything(monitor: Monitor, config: Path) -> str:
    told = [monitor.get(page)[1] for page in PAGES]
    where = ("--config", str(config))
    commands = (("probe", "good", *where, "--json"), ("probe", "wrong", *where))
    with ThreadPoolExecutor(2) as pool:
        told += pool.map(lambda words: command(*words), commands)
    assert '"evidence": "allocation"' in "".join(told)
    assert "verdict: wrong is DOWN" in "".join(told)
    return "".join(told)
