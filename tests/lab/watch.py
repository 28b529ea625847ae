"""Runs ``vcmon run`` inside the monitor's namespace and writes down what its API tells."""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.lab.inside import LabError, call_inside, enter, inside
from tests.lab.judge import Change, Seen
from tests.lab.rig import CANARIES, Country, Province, endpoint

PORT = 9838
POLL_SECONDS = 0.25
API_SECONDS = 2.0  # a frozen monitor must not hold the watcher for longer
START_SECONDS = 30.0  # python, imports and 38 provinces on a busy machine: some 3 s
STOP_SECONDS = 10.0
ROOT = Path(__file__).parents[2]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

Row = tuple[str, str, str, str, str, str]  # id, province, role, address, checks, depends_on


@dataclass(frozen=True, slots=True)
class Options:
    """How the monitor is set up; the defaults are vcmon's own."""

    interval: str = "10s"
    nofile: int = 0  # 0: as it is
    faketime: bool = False


def rows_of(province: Province) -> list[Row]:
    """A province as an office would keep it: codec and platform behind a router."""
    router = endpoint(province, "router")
    codec, platform = endpoint(province, "codec"), endpoint(province, "platform")
    return [
        (router, province.slug, "router", province.router, "icmp", ""),
        (codec, province.slug, "codec", province.codec, " ".join(province.mix), router),
        (platform, province.slug, "platform", province.platform, "https-lab", router),
    ]


def write_settings(country: Country, rows: Sequence[Row], options: Options) -> Path:
    """The settings and the inventory of a lab as files; the path of the settings."""
    ca_file = str(country.authority.ca_file)
    profiles = {
        "https-lab": {"kind": "https", "ca_file": ca_file},
        "sips-lab": {"kind": "sips", "ca_file": ca_file},
    }
    extra = {
        "defaults": {"interval": options.interval},
        "canaries": list(CANARIES),
        "checks": profiles,
    }
    return write_files(country.directory, rows, extra)


def write_files(directory: Path, rows: Sequence[Row], extra: Mapping[str, object]) -> Path:
    """An inventory of these rows, and settings that include it; the path of the settings."""
    settings = {
        "web": {"listen": f"127.0.0.1:{PORT}"},
        "history": {"path": str(directory / "vcmon.db")},
        "include": ["inventory.csv"],
        **extra,
    }
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("id", "province", "role", "address", "checks", "depends_on"))
    writer.writerows(rows)
    (directory / "inventory.csv").write_text(text.getvalue())
    path = directory / "vcmon.yaml"
    path.write_text(json.dumps(settings, indent=1))  # JSON is YAML
    return path


class Monitor:
    """``vcmon run`` as a child process, alive between ``with`` and its end."""

    def __init__(self, namespace: str, settings: Path, options: Options) -> None:
        self._namespace = namespace
        self._settings = settings
        self._options = options
        self._clock_file = settings.parent / "faketime"
        self.log = settings.parent / "vcmon.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        argv = [sys.executable, "-m", "vcmon", "run", "--config", str(self._settings)]
        if self._options.nofile:
            argv = ["prlimit", f"--nofile={self._options.nofile}", *argv]
        if self._options.faketime:
            argv = [*self._faketime(), *argv]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                inside(self._namespace, *argv),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.exit_code = self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.exit_code = self.process.wait(timeout=STOP_SECONDS)

    @property
    def pid(self) -> int:
        """The process id of the monitor. Raises LabError with its log when it has died."""
        if self.process is None or self.process.poll() is not None:
            raise LabError(f"vcmon is not running; it said:\n{self.log.read_text()[-3000:]}")
        return self.process.pid

    def freeze(self, seconds: float) -> None:
        """Stop the whole process for a while, as a busy hypervisor would."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def set_clock(self, offset: str) -> None:
        """Step the monitor's wall clock to an offset from the true time, such as ``+1d``."""
        self._clock_file.write_text(offset)

    def _faketime(self) -> list[str]:
        if not FAKETIME.exists():
            raise LabError(f"{FAKETIME} is missing: apt-get install -y libfaketime")
        self.set_clock("+0")
        return [
            "env",
            f"LD_PRELOAD={FAKETIME}",
            f"FAKETIME_TIMESTAMP_FILE={self._clock_file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]


def read_status(document: Mapping[str, Any]) -> dict[str, Seen]:
    """The subjects of a ``/api/v1/status`` answer; ``blind`` is a subject of its own."""
    found = {"blind": Seen(str(document["blind"]).lower())}
    for province in document["provinces"]:
        found[f"province:{province['slug']}"] = _seen(province)
        for one in province["endpoints"]:
            found[one["id"]] = _seen(one)
    return found


def _seen(item: Mapping[str, Any]) -> Seen:
    parent = item.get("parent") or ""
    return Seen(item["state"], item["reason"] or "", parent, item["blame"])


@dataclass(slots=True)
class Watcher:
    """Polls the API at 4 Hz from within the monitor's namespace, in a thread of its own."""

    namespace: str
    changes: list[Change] = field(default_factory=list)
    now: dict[str, Seen] = field(default_factory=dict)
    polls: int = 0
    failures: int = 0
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=API_SECONDS + 5)

    def wait_all(
        self, states: frozenset[str], seconds: float, alive: Callable[[], object]
    ) -> list[str]:
        """Wait until every subject but ``blind`` is in ``states``; what is not by then.

        ``alive`` is asked all the while, and raises when waiting has become pointless.
        """
        end = time.monotonic() + seconds
        while True:
            rest = [s for s, seen in self.now.items() if s != "blind" and seen.state not in states]
            if self.now and not rest:
                return []
            if time.monotonic() > end:
                return rest or ["no answer from /api/v1/status"]
            alive()
            time.sleep(POLL_SECONDS)

    def _watch(self) -> None:
        enter(self.namespace)
        # one connection for long: a monitor that is out of descriptors can't accept another
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=API_SECONDS)
        while not self._end.wait(POLL_SECONDS):
            try:
                status, body = request(connection, "/api/v1/status")
            except (OSError, http.client.HTTPException):
                connection.close()
                self.failures += 1
                continue
            if status == 200:
                self._note(read_status(json.loads(body)))
        connection.close()

    def _note(self, found: dict[str, Seen]) -> None:
        at = time.monotonic()
        before = self.now
        changed = [Change(at, s, seen) for s, seen in found.items() if before.get(s) != seen]
        self.changes.extend(changed)
        self.now = found
        self.polls += 1


def request(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    """Status and body of one request on a connection that stays open."""
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def get(path: str) -> tuple[int, bytes]:
    """One request to vcmon from the calling thread's namespace: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=API_SECONDS)
    with closing(connection):
        return request(connection, path)


def scrape(namespace: str) -> str:
    """``/metrics`` of the vcmon inside a namespace."""
    status, body = call_inside(namespace, lambda: get("/metrics"))
    if status != 200:
        raise LabError(f"/metrics answered {status}")
    return body.decode()
