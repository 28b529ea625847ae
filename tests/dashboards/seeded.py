"""A real Prometheus that scrapes three vantages and evaluates the real rules, in seconds.

What the vantages tell is vcmon's own metrics page over Snapshots that are known. Two of them see a
morning with a bit of everything; the third is wrong about one province. Counters go on.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from dashboards.rules import files, plan
from tests.fakes.needs import needs
from tests.fakes.process import free_port
from tests.fakes.snapshots import (
    NOW,
    PROVINCES,
    UP,
    World,
    endpoint_status,
    make_endpoint,
    make_snapshot,
    mixed,
    province_status,
)
from vcmon.model.endpoint import Role
from vcmon.model.figures import EngineFigures, HistoryFigures
from vcmon.model.memory import Cause
from vcmon.model.result import Blame, Reason
from vcmon.model.status import ProvinceStatus, Snapshot, Standing, State
from vcmon.views.metrics import Metrics

VANTAGES = {"pusat": "jawa", "timur": "papua", "barat": "sumatera"}
WRONG, WRONG_ABOUT = "barat", "bengkulu"
RICH, RICH_ENDPOINT = "aceh", "aceh-gateway"
"""A province with an endpoint that is measured in every way there is."""

MEETING = "rapat-mingguan"
START_SECONDS = 40.0  # on a machine that does much else
SEED_SECONDS = 7.0
"""Enough scrapes, one a second, for a rate over four and what is recorded of what is recorded."""


def snapshot(vantage: str) -> Snapshot:
    """What a vantage believes."""
    statuses = []
    for status in mixed().provinces:
        slug = status.province.slug
        if slug == RICH:
            statuses.append(_rich(status))
        elif (vantage, slug) == (WRONG, WRONG_ABOUT):
            down = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 60, NOW - 50)
            statuses.append(province_status(status.province, down))
        else:
            statuses.append(status)
    return make_snapshot(statuses)


def _rich(status: ProvinceStatus) -> ProvinceStatus:
    kinds = ["icmp", "stamp", "https", "sips"]
    told = {"site": "Kantor", "medium": "fibre", "provider": "Telkom"}
    made = make_endpoint(PROVINCES[RICH], Role.GATEWAY, kinds, **told)
    more = replace(endpoint_status(made, UP), maintenance=True)
    return replace(status, endpoints=(*status.endpoints, more))


class Vantage:
    """A metrics page that counts on by the second."""

    def __init__(self, name: str) -> None:
        self.seen = snapshot(name)
        self.began = time.monotonic()
        self.counted = 0  # tenths of a second
        history = HistoryFigures(wanted=True, up=True, written_at=NOW - 1, size=1 << 20)
        figures = EngineFigures(started_at=NOW - 90000, last_round_at=NOW - 5, reload_ok_at=NOW - 9)
        self.world = World(
            self.seen, history=history, figures=figures, begun={Cause.POWER: 2}
        ).counted()
        self._metrics = Metrics(replace(self.world.sources(), province_seconds=self._seconds))

    @property
    def age(self) -> float:
        return time.monotonic() - self.began

    def _seconds(self) -> Mapping[str, Mapping[State, float]]:
        return {
            status.province.slug: {status.standing.state: 1000.0 + self.age}
            for status in self.seen.provinces
        }

    def _count_on(self) -> None:
        more = int(self.age * 10) - self.counted
        self.counted += more
        for tally in self.world.tallies.values():
            tally.probes += more
            tally.sent += 10 * more
            tally.received += 9 * more
            for _ in range(more):
                tally.rtt.observe(0.043)
                tally.duration.observe(0.124)
        for _ in range(more):
            self.world.figures.lateness.observe(0.002)
            self.world.figures.loop_lag.observe(0.001)

    def text(self) -> str:
        """The page, and what a meeting adds to it."""
        self._count_on()
        page = "".join(self._metrics.pieces(self._metrics.own()))
        return page if "vcmon_meeting_readiness{" in page else page + _meeting()


def _meeting() -> str:
    ready = {"aceh": "siap", "bali": "berisiko", "papua": "tidak_siap", "riau": "belum_terukur"}
    lines = [f'vcmon_meeting_start_timestamp_seconds{{meeting="{MEETING}"}} {NOW + 1800}']
    for province, said in ready.items():
        for word in ("siap", "berisiko", "tidak_siap", "belum_terukur"):
            inside = f'meeting="{MEETING}",province="{province}",readiness="{word}"'
            lines.append(f"vcmon_meeting_readiness{{{inside}}} {int(word == said)}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; AssertionError with Prometheus' own words for a refusal."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(refused.read().decode()) from None  # its reason, or "not ready"

    def now(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """Labels and values."""
        result = self.ask("query", query=expr)["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def value(self, expr: str) -> float:
        """The one value there is."""
        ((_, value),) = self.now(expr)
        return value


@contextmanager
def vantages() -> Iterator[str]:
    """Three metrics pages at ``/NAME/metrics`` of the address that is given."""
    pages = {f"/{name}/metrics": Vantage(name) for name in VANTAGES}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages[self.path].text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Not in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _settings(address: str, folder: Path) -> Path:
    targets = [
        {
            "targets": [address],
            "labels": {"vantage": name, "region": region, "__metrics_path__": f"/{name}/metrics"},
        }
        for name, region in VANTAGES.items()
    ]
    relabel = [{"source_labels": ["vantage"], "target_label": "instance"}]
    scrape = {"job_name": "vcmon", "static_configs": targets, "relabel_configs": relabel}
    files.write(files.rendered(plan.TEST), folder)
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["recording.yml", "alerts.yml"],
        "scrape_configs": [scrape],
    }
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(settings))  # YAML takes JSON
    return path


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Seeded, on loopback, its data in ``folder``."""
    port = free_port()
    with vantages() as address:
        command = [
            needs("prometheus", "prometheus"),
            f"--config.file={_settings(address, folder)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        process = subprocess.Popen(command)
        try:
            it = Prometheus(f"http://127.0.0.1:{port}")
            _wait(it)
            time.sleep(SEED_SECONDS)
            yield it
        finally:
            process.terminate()
            process.wait(10)


def _wait(it: Prometheus) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if it.now('count(up{job="vcmon"} == 1) == 3'):
                return
        except (OSError, AssertionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"Prometheus did not scrape three vantages in {START_SECONDS:.0f} s")
