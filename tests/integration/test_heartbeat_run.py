"""``vcmon run`` hears ``vcmon heartbeat``: two real processes, and one of them stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.figures import record
from tests.fakes.process import Monitor, free_port, running, write_settings
from vcmon.cli import cli
from vcmon.config.tokens import Role, fresh, write

INTERVAL, GRACE, RETRY, TIMEOUT = 1.0, 2.0, 0.5, 0.5
PROMISED = 2 * INTERVAL + GRACE + 3 * RETRY + 1.5
"""Seconds from the last heartbeat to `down`: as docs/settings.md counts it, and some for a busy
machine."""
SETTINGS = f"""
defaults: {{confirm: {{down: 3, retry: {RETRY}s, up: 2, up_gap: 1s}}}}
checks:
  heartbeat: {{kind: heartbeat, interval: {INTERVAL}s, grace: {GRACE}s, timeout: {TIMEOUT}s}}
"""
ROWS = ("a,papua,codec,10.20.30.40,heartbeat,", "b,maluku,codec,ruang.maluku.lan,heartbeat,")


@dataclass
class Place:
    """Where one monitor lives, with a token for each endpoint."""

    folder: Path
    config: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, name: str) -> Path:
        return self.folder / f"{name}.token"

    def keep(self, name: str, text: str) -> None:
        self.token(name).write_text(f"{text}\n")
        self.token(name).chmod(0o600)

    def report(self, name: str, token: str, url: str = "") -> Result:
        """``vcmon heartbeat``, in this process."""
        return CliRunner().invoke(cli, self.words(name, token, url))

    def words(self, name: str, token: str = "", url: str = "") -> list[str]:
        file = ["--token-file", str(self.token(token or name))]
        return ["heartbeat", url or self.url, "--endpoint", name, *file]

    @contextmanager
    def reporting(self, name: str, *more: str) -> Iterator[Path]:
        """``vcmon heartbeat --every 1s`` until the block ends; what it says goes to the file."""
        said = self.folder / f"{name}.said"
        command = [sys.executable, "-m", "vcmon", *self.words(name), "--every", "1s", *more]
        with said.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield said
        finally:
            process.terminate()
            process.wait(5)


def place_in(folder: Path) -> Place:
    port = free_port()
    config = write_settings(folder, list(ROWS), port=port, extra=SETTINGS)
    config.write_text(config.read_text().replace("web:\n", "web:\n  tokens_file: tokens\n"))
    place = Place(folder, config, port)
    roles = {"a": Role.HEARTBEAT, "b": Role.HEARTBEAT, "budi": Role.OPERATOR}
    made = {name: fresh(name, role) for name, role in roles.items()}
    write(folder / "tokens", [token for _, token in made.values()])
    for name, (text, _) in made.items():
        place.keep(name, text)
    place.keep("wrong", "vcmon_a.nothing-of-the-kind")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def never(monitor: Monitor, name: str, state: str, seconds: float) -> None:
    """Fails when the endpoint is in the state at any look within the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert monitor.state(name) != state
        time.sleep(0.1)


def incidents(monitor: Monitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(monitor.get("/api/v1/incidents")[1])["incidents"]
    return found


def within(seconds: float, holds: Callable[[], object]) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_it_comes_up_falls_silent_and_comes_back(place: Place) -> None:
    """Up by its reports, down within the promised time after the last, up again; who never
    reports is unknown at first and down then, and neither is the other's business."""
    with running(place.config, place.port) as monitor:
        assert monitor.state("a") == "unknown"
        with place.reporting("a") as said:
            monitor.wait_for("a", "up", 8)
            silent = monitor.endpoints()["b"]
            assert (silent["state"], silent["reason"]) in {
                ("unknown", "no_data"),
                ("down", "timeout"),
            }
        took = monitor.wait_for("a", "down", PROMISED + 2)
        record("heartbeat lost", f"down after {took:.1f} s", f"<= {PROMISED:g} s", took <= PROMISED)
        assert INTERVAL + GRACE - 1.1 <= took <= PROMISED
        assert monitor.endpoints()["a"]["reason"] == "timeout"
        monitor.wait_for("b", "down", PROMISED)
        within(5, lambda: [each for each in incidents(monitor) if each["owner"] == "endpoint:a"])
        (lost,) = (each for each in incidents(monitor) if each["owner"] == "endpoint:a")
        start, known = (datetime.fromisoformat(lost[key]) for key in ("start", "known_at"))
        assert GRACE < (known - start).total_seconds() < PROMISED - INTERVAL  # since it was due
        with place.reporting("a"):
            monitor.wait_for("a", "up", 3 * INTERVAL + 3)
            assert monitor.state("b") == "down"
        assert said.read_text() == "reporting every 1 s, expected every 1 s\n"
        metrics = monitor.get("/metrics")[1]
        assert (
            'vcmon_probe_failures_total{province="papua",endpoint="a",check="heartbeat"' in metrics
        )
        assert monitor.stop() == 0
    assert place.token("a").read_text().strip() not in monitor.log.read_text()


def test_restarts_reloads_and_stops_of_ours_are_nobodys_outage(place: Place) -> None:
    """Restarted, reloaded, and stopped for longer than a report may be late: never down."""
    with place.reporting("a") as said:
        with running(place.config, place.port) as monitor:
            monitor.wait_for("a", "up", 8)
            monitor.signal(signal.SIGHUP)
            never(monitor, "a", "down", 0.5)
            monitor.signal(signal.SIGSTOP)
            time.sleep(5.5)
            monitor.signal(signal.SIGCONT)
            never(monitor, "a", "down", 2)
            assert monitor.state("a") == "up"
            assert monitor.stop() == 0
        time.sleep(1)
        with running(place.config, place.port) as monitor:
            until = time.monotonic() + INTERVAL + GRACE + 1
            seen: set[str] = set()
            while time.monotonic() < until:
                seen.add(monitor.state("a"))
                time.sleep(0.1)
            assert seen <= {"unknown", "up"}
            assert monitor.state("a") == "up"
            assert monitor.stop() == 0
    lines = said.read_text().splitlines()
    assert lines[0].startswith(("not reported: 127.0.0.1", "reporting every 1 s"))
    assert any("refused" in line for line in lines)
    assert lines[-1].startswith(("reporting", "not reported"))


def test_exit_codes_and_words(place: Place) -> None:
    """0 reported; 2 wrong arguments or refused for good, at once; each says what to do."""
    with running(place.config, place.port) as monitor:
        well = place.report("a", "a")
        words = "a reported in; a report is expected every 1 s\n"
        assert (well.exit_code, well.stdout) == (0, words)
        within(4, lambda: monitor.state("a") == "up")
        for name, token, url, text in (
            ("a", "b", "", "403: the token is for b, not for a"),
            ("a", "budi", "", "403: reporting in needs a token of the role heartbeat"),
            ("a", "wrong", "", "401: wrong token"),
            ("c", "a", "", "404: no endpoint c with a check of the kind heartbeat"),
            ("a", "a", f"{place.url}/x", "404: nothing that we understand; is this the monitor's"),
        ):
            done = place.report(name, token, url)
            assert (done.exit_code, text in done.stderr) == (2, True), done.stderr
        assert monitor.stop() == 0


def test_it_tries_until_the_monitor_is_there(place: Place) -> None:
    """Begun before the monitor, it is heard as soon as that listens."""
    command = [sys.executable, "-m", "vcmon", *place.words("a"), "--within", "20s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        time.sleep(1.5)
        assert sender.poll() is None
        with running(place.config, place.port) as monitor:
            assert sender.wait(15) == 0
            monitor.wait_for("a", "up", 6)
