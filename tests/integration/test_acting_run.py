"""People act while ``vcmon run`` watches: the API and the daemon see it at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.figures import record
from tests.fakes.process import Monitor, free_port, listener, running, write_settings

FAST = """
defaults: {interval: 1s, timeout: 500ms, confirm: {down: 3, retry: 500ms, up: 2, up_gap: 1s}}
"""
SEEN_WITHIN = 2.0


@dataclass
class Watched:
    """A running vcmon with one codec that is down, another that is up, and an operator's token."""

    monitor: Monitor
    config: Path
    token: str

    def vcmon(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "vcmon", *words, "--config", str(self.config)],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done
        return done

    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.monitor.get("/api/v1/incidents")[1])[
            "incidents"
        ]
        return found

    def metric(self, line: str) -> float:
        lines = self.monitor.get("/metrics")[1].splitlines()
        return next(float(each.split()[-1]) for each in lines if each.startswith(f"{line} "))

    def tell(self, path: str, body: object) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.monitor.port}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)


def within(seconds: float, holds: Callable[[], bool]) -> float:
    """How long it took until it held; fails when it doesn't."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    port = free_port()
    with listener("127.0.0.2") as well, listener("127.0.0.3") as dying:
        rows = [
            f"a,aceh,codec,{dying.address},tcp:{dying.port},",
            f"b,bali,codec,{well.address},tcp:{well.port},",
        ]
        config = write_settings(tmp_path, rows, port=port, extra=FAST)
        config.write_text(config.read_text().replace("web:\n", "web:\n  tokens_file: tokens\n"))
        with running(config, port) as monitor:
            it = Watched(monitor, config, "")
            it.token = it.vcmon("token", "add", "budi", "--role", "operator").stdout.strip()
            for name in ("a", "b"):
                monitor.wait_for(name, "up", 8)
            dying.close()
            monitor.wait_for("a", "down", 8)
            within(5, lambda: len(it.incidents()) == 1)
            yield it
            assert monitor.stop() == 0


def test_what_the_command_says_the_daemon_notices(watched: Watched) -> None:
    """An acknowledgement and a window, by another process: seen within two seconds."""
    (it,) = watched.incidents()
    assert watched.metric("vcmon_incident_open") == 1
    assert watched.metric("vcmon_incident_unacknowledged") == 1
    assert watched.metric('vcmon_incidents_total{cause="unknown"}') == 1
    watched.vcmon("incident", "ack", str(it["id"]), "--name", "Budi", "--ticket", "IN-1")
    assert watched.incidents()[0]["acknowledged"]["ticket"] == "IN-1"
    took = within(SEEN_WITHIN, lambda: watched.metric("vcmon_incident_unacknowledged") == 0)
    watched.vcmon("incident", "cause", str(it["id"]), "cable", "--name", "Budi")
    counted = 'vcmon_incidents_total{cause="cable"}'
    took = max(took, within(SEEN_WITHIN, lambda: watched.metric(counted) == 1))

    def maintained() -> bool:
        found = watched.monitor.status()["provinces"]
        return [each["maintenance"] for each in found if each["slug"] == "bali"] == [True]

    start = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 7 * 3600))
    words = ("--scope", "province:bali", "--title", "x", "--start", start, "--duration", "1h")
    watched.vcmon("maintenance", "add", *words, "--name", "Budi")
    took = max(took, within(SEEN_WITHIN, maintained))
    watched.vcmon("maintenance", "end", "1")
    took = max(took, within(SEEN_WITHIN, lambda: not maintained()))
    record("deeds noticed", f"{took:.1f} s after the command", "<= 2 s", took <= SEEN_WITHIN)


def test_a_deed_over_http_is_noticed_too(watched: Watched) -> None:
    """By a token that was made while vcmon ran; removed, it acts no more."""
    (it,) = watched.incidents()
    path = f"/api/v1/incidents/{it['id']}/remarks"
    assert watched.tell(path, {"deed": "ack"}) == 201
    within(SEEN_WITHIN, lambda: watched.metric("vcmon_incident_unacknowledged") == 0)
    watched.vcmon("token", "remove", "budi")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        watched.tell(path, {"deed": "ack"})
    shown = watched.vcmon("incident", "show", str(it["id"])).stdout
    assert shown.count("budi: ack") == 1
    assert "who=budi" in watched.monitor.log.read_text()
    assert watched.token not in watched.monitor.log.read_text()
