"""``vcmon demo`` as a user runs it: the page tells the script's faults, and all of it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.lab_client import service_of
from vcmon.lab.country import BACKBONES, CENTRE
from vcmon.lab.script import SETTLE, faults_at, province_states
from vcmon.model.status import State

SEED = 5
ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Demo:
    """A running demo; ``begun`` is when it said that its page can be opened."""

    process: subprocess.Popen[str]
    port: int
    begun: float
    children: list[psutil.Process]

    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def status(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/status"
        with urllib.request.urlopen(url, timeout=5) as reply:
            found: dict[str, Any] = json.load(reply)
        return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        return int(ours.getsockname()[1])


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "vcmon", "demo", "--port", str(port), "--seed", str(SEED)]


@contextmanager
def running_demo(directory: Path) -> Iterator[Demo]:
    port = free_port()
    log = directory.parent / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command(port),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(directory)},
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"open http://127.0.0.1:{port}/")
            children = psutil.Process(process.pid).children(recursive=True)
            yield Demo(process, port, time.monotonic(), children)
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the demo keeps its temporary files."""
    found = tmp_path / "tmp"
    found.mkdir()
    return found


def ends_cleanly(demo: Demo, number: signal.Signals, directory: Path) -> None:
    demo.process.send_signal(number)
    assert demo.process.wait(10) == 0
    assert len(demo.children) == 1
    assert not any(child.is_running() for child in demo.children)
    assert list(directory.iterdir()) == []


@pytest.mark.timeout(120)
def test_the_page_tells_what_the_script_does(directory: Path) -> None:
    """Half a minute after the start each province's state is the script's; a dead hub is named."""
    with running_demo(directory) as demo:
        time.sleep(SETTLE + 10.0)
        status = demo.status()
        now = demo.seconds()
        moments = [faults_at(SEED, now - ago / 2) for ago in range(int(2 * SETTLE))]
        expected = [province_states(faults) for faults in moments]
        told = {province["slug"]: province for province in status["provinces"]}
        settled = {s for s in expected[0] if len({states[s] for states in expected}) == 1}
        wrong = {
            slug: (told[slug]["state"], expected[0][slug])
            for slug in settled
            if told[slug]["state"] != expected[0][slug]
        }
        assert not wrong
        assert len(settled) >= 36
        assert not status["blind"]
        seen = {told[slug]["state"] for slug in settled - {CENTRE}}
        assert seen >= {State.UP, State.DOWN, State.DEGRADED, State.UNREACHABLE}
        parents = {p["parent"] for p in told.values() if p["state"] == State.UNREACHABLE}
        assert parents <= set(BACKBONES.values())
        ends_cleanly(demo, signal.SIGTERM, directory)


def test_ctrl_c_ends_everything(directory: Path) -> None:
    """Ctrl-C ends vcmon and its country, and leaves no file and no process."""
    with running_demo(directory) as demo:
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            try:
                demo.status()
            except OSError:
                time.sleep(0.1)
            else:
                break
        ends_cleanly(demo, signal.SIGINT, directory)


def test_a_country_that_cannot_start_is_told(directory: Path) -> None:
    """Where a port of the country is taken the demo ends at once, says why, and cleans up."""
    host, service = service_of("pusat-mcu")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind((host.address, service.port))
        ended = subprocess.run(
            command(free_port()),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(directory)},
            timeout=20,
            check=False,
        )
    assert ended.returncode not in {0, None}
    assert "can't listen on 127.100.0.10:5060/udp" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(directory.iterdir()) == []
