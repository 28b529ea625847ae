"""``vcmon run`` as a whole: 38 provinces, 1,000 endpoints a second, 10,000 every 15 s."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.common import Table, addresses, cpu_seconds, megabytes, namespace
from tests.lab.inside import LabError, call_inside
from tests.lab.rig import Country, slugs
from tests.lab.watch import Monitor, Options, Row, get, scrape, write_files, write_settings

START_SECONDS = 60.0  # 10,000 endpoints are read and checked first
SCRAPE_EVERY = 15.0


def country(table: Table, quick: bool) -> None:
    """38 provinces with real servers, ping burst, SIP and TCP every 10 s, the page open."""
    seconds = 20.0 if quick else 60.0
    table.title(f"38 provinces, default settings, {seconds:.0f} s, a page refreshed every 10 s")
    with tempfile.TemporaryDirectory(prefix="vcl-") as directory, Country(Path(directory)) as made:
        rows: list[Row] = [
            (p.slug, p.slug, "codec", p.codec, "icmp sip tcp:5060", "") for p in made.provinces
        ]
        settings = write_settings(made, rows, Options())
        with Monitor(made.monitor, settings, Options()) as monitor:
            ready(made.monitor, monitor)
            time.sleep(15)
            cpu = cpu_share(monitor.pid, seconds, lambda: view(made.monitor))
            rss = megabytes(monitor.pid)
    table.limit("country.cpu", cpu * 100, 2.0, "%")
    table.limit("country.rss", rss, 90.0, "MiB")


def view(name: str) -> None:
    """What an open page asks for."""
    status, body = call_inside(name, lambda: get("/"))
    if status != 200 or not body:
        raise LabError(f"the page answered {status} with {len(body)} bytes")


def cpu_share(pid: int, seconds: float, every_10s: Callable[[], None]) -> float:
    """The share of one core that a process takes, 0 to 1."""
    begun, before = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() < begun + seconds:
        every_10s()
        time.sleep(10.0)
    return (cpu_seconds(pid) - before) / (time.monotonic() - begun)


def ready(name: str, monitor: Monitor) -> None:
    """Wait until vcmon has made its first round. Raises LabError with its log when it doesn't."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        time.sleep(0.5)
        if monitor.pid and answers(name):
            return
    raise LabError(f"/-/ready did not answer 200:\n{monitor.log.read_text()[-2000:]}")


def answers(name: str) -> bool:
    """Whether ``/-/ready`` says yes."""
    try:
        return call_inside(name, lambda: get("/-/ready"))[0] == 200
    except OSError:
        return False


@contextmanager
def loopback(count: int, check: dict[str, object]) -> Iterator[tuple[str, Monitor]]:
    """``vcmon run`` with so many endpoints on loopback, all with one check profile."""
    provinces = slugs()
    rows: list[Row] = [
        (f"e{n}", provinces[n % len(provinces)], "codec", address, "bench", "")
        for n, address in enumerate(addresses(count))
    ]
    with tempfile.TemporaryDirectory(prefix="vcl-") as directory, namespace() as name:
        extra = {"checks": {"bench": check}, "canaries": ["127.2.0.1", "127.2.0.2"]}
        settings = write_files(Path(directory), rows, extra)
        with Monitor(name, settings, Options()) as monitor:
            ready(name, monitor)
            yield name, monitor


def thousand(table: Table, quick: bool) -> None:
    """1,000 endpoints, one ping a second each."""
    seconds = 10.0 if quick else 30.0
    check = {"kind": "icmp", "packets": 1, "interval": "1s", "timeout": "900ms"}
    table.title(f"1,000 endpoints, one ping a second, {seconds:.0f} s, vcmon run as a whole")
    with loopback(1000, check) as (name, monitor):
        time.sleep(5)
        sent, before = packets(scrape(name)), cpu_seconds(monitor.pid)
        time.sleep(seconds)
        spent = cpu_seconds(monitor.pid) - before
        sent = packets(scrape(name)) - sent
    table.line("packets sent", f"{sent:.0f}")
    if sent < 0.9 * 1000 * seconds:
        raise LabError(f"{sent:.0f} packets in {seconds:.0f} s: not comparable")
    table.limit("thousand.cpu_a_packet", spent / sent * 1e6, 25.0, "us")


def ten_thousand(table: Table, quick: bool) -> None:
    """10,000 endpoints every 15 s, one packet each, scraped every 15 s; then bursts of 5."""
    for packets_each in (1,) if quick else (1, 5):
        check = {"kind": "icmp", "packets": packets_each, "interval": "15s"}
        rounds = 2 if quick else 4
        table.title(f"10,000 endpoints every 15 s, {packets_each} packets a run, {rounds} scrapes")
        with loopback(10_000, check) as (name, monitor):
            time.sleep(16)
            _ten_thousand(table, name, monitor, (rounds, f"ten_thousand.{packets_each}"))


def _ten_thousand(table: Table, name: str, monitor: Monitor, how: tuple[int, str]) -> None:
    rounds, label = how
    first, costs, text = scrape(name), [], ""
    begun, before = time.monotonic(), cpu_seconds(monitor.pid)
    for _ in range(rounds):
        time.sleep(SCRAPE_EVERY)
        asked = time.monotonic()
        text = scrape(name)
        costs.append(time.monotonic() - asked)
    cpu = (cpu_seconds(monitor.pid) - before) / (time.monotonic() - begun)
    table.line("a scrape: size, median time", f"{len(text) / 1e6:.1f} MB, {median(costs):.2f} s")
    table.limit(f"{label}.cpu", cpu * 100, 25.0, "%")
    table.limit(f"{label}.rss", megabytes(monitor.pid) * 1.048576, 250.0, "MB")
    lateness = quantile(text, first, "vcmon_schedule_lateness_seconds", 0.99)
    table.limit(f"{label}.lateness.p99", lateness * 1000, 250.0, "ms")
    lag = quantile(text, first, "vcmon_loop_lag_seconds", 0.99)
    table.limit(f"{label}.loop_lag.p99", lag * 1000, 20.0, "ms")


def packets(metrics: str) -> float:
    """The sum of vcmon_packets_sent_total."""
    return sum(
        map(float, re.findall(r"^vcmon_packets_sent_total\{.*\} (\S+)", metrics, re.MULTILINE))
    )


def buckets(metrics: str, name: str) -> dict[float, float]:
    """Cumulative counts by upper bound."""
    found = re.findall(rf'^{name}_bucket\{{.*?le="([^"]+)".*?\}} (\S+)', metrics, re.MULTILINE)
    return {float(bound): float(count) for bound, count in found}


def quantile(after: str, before: str, name: str, share: float) -> float:
    """The upper bound of the bucket that holds the quantile of what came between two scrapes."""
    old = buckets(before, name)
    new = {bound: count - old.get(bound, 0.0) for bound, count in buckets(after, name).items()}
    total = max(new.values(), default=0.0)
    if not total:
        raise LabError(f"{name}: nothing was observed")
    return min(bound for bound, count in new.items() if count >= share * total)
