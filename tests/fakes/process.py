"""A real ``vcmon run`` on loopback, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 20.0
STOP_SECONDS = 10.0

HEADER = "id,province,role,address,checks,depends_on"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Patient(socketserver.BaseRequestHandler):
    """Holds a connection until the peer ends it."""

    def handle(self) -> None:
        with suppress(OSError):
            while self.request.recv(1024):
                pass


class Listener(socketserver.ThreadingTCPServer):
    """A TCP server that accepts everybody: what a ``tcp`` check finds up."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int = 0) -> None:
        super().__init__((address, port), _Patient)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        return str(self.server_address[0])

    def close(self) -> None:
        """Stop listening: the next connect is refused. Safe to call twice."""
        self.shutdown()
        self._thread.join()
        self.server_close()


@contextmanager
def listener(address: str = "127.0.0.1", port: int = 0) -> Iterator[Listener]:
    """A listener while the block lasts."""
    server = Listener(address, port)
    try:
        yield server
    finally:
        server.close()


def write_settings(directory: Path, rows: list[str], *, port: int, extra: str = "") -> Path:
    """Settings and inventory; returns the path of the former."""
    (directory / "inventory.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    config = directory / "vcmon.yaml"
    config.write_text(
        f"web:\n  listen: 127.0.0.1:{port}\ninclude: [inventory.csv]\n{extra}", "utf-8"
    )
    return config


@dataclass
class Monitor:
    """One running vcmon."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self._url(path)))

    def post(self, path: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self._url(path), method="POST"))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/api/v1/status")[1])
        return found

    def endpoints(self) -> dict[str, dict[str, Any]]:
        return {e["id"]: e for p in self.status()["provinces"] for e in p["endpoints"]}

    def state(self, endpoint: str) -> str:
        return str(self.endpoints()[endpoint]["state"])

    def wait_for(self, endpoint: str, state: str | Collection[str], seconds: float) -> float:
        """Seconds until the endpoint is in (one of) the state; fails when it takes longer."""
        wanted = {state} if isinstance(state, str) else set(state)
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if self.state(endpoint) in wanted:
                return time.monotonic() - begun
            time.sleep(0.1)
        raise AssertionError(
            f"{endpoint} is {self.state(endpoint)}, not {state}, after {seconds} s"
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@contextmanager
def running(config: Path, port: int, environ: Mapping[str, str] | None = None) -> Iterator[Monitor]:
    """vcmon on these settings until the block ends; it answers when the block begins."""
    log = config.parent / "vcmon.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "vcmon", "run", "--config", str(config)],
            stdout=out,
            stderr=out,
            env={**os.environ, **(environ or {})},
        )
    monitor = Monitor(process, port, log)
    try:
        _await_answer(monitor)
        yield monitor
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


def _await_answer(monitor: Monitor) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if monitor.process.poll() is not None:
            break
        with suppress(OSError):
            monitor.get("/-/healthy")
            return
        time.sleep(0.05)
    raise AssertionError(f"vcmon did not start: {monitor.log.read_text()}")
