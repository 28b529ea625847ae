"""ICMP beside fping, blackbox_exporter and icmplib: CPU a probe, and RTT under a blocked loop."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.common import Table, addresses, cpu_of_child, cpu_seconds, namespace, worker
from tests.lab.inside import LabError, call_inside, inside, tool
from tests.lab.judge import percentile

BLACKBOX_PROBES = 3000  # enough: its cost a probe doesn't depend on how many there are
BLACKBOX_PORT = 9115
BLACKBOX_CONFIG = "modules: {icmp: {prober: icmp, icmp: {preferred_ip_protocol: ip4}}}\n"

Measure = Callable[[int, int, float], float]
"""Targets, rounds and seconds a round to CPU microseconds a probe."""


def ours(name: str, what: str) -> Measure:
    def measure(count: int, rounds: int, period: float) -> float:
        said = worker(name, what, str(count), str(rounds), str(period))
        if said["answered"] < 0.98 * said["probes"] or said["probes"] < 0.9 * count * rounds:
            raise LabError(f"{what}: {said} of {count * rounds}: not comparable")
        return float(said["cpu"]) / int(said["probes"]) * 1e6

    return measure


def fping(name: str) -> Measure:
    binary = tool("fping", "fping")

    def measure(count: int, rounds: int, period: float) -> float:
        pace = f"{period * 1000 / count:g}"  # ms between packets: spread over the round
        options = ["-q", "-c", str(rounds), "-p", f"{period * 1000:.0f}", "-i", pace, "-t", "2000"]
        spent, said = cpu_of_child(
            inside(name, binary, *options), "\n".join(addresses(count)) + "\n"
        )
        lost = [line for line in said.splitlines() if "xmt/rcv" in line and "/0%" not in line]
        if "xmt/rcv" not in said or len(lost) > 0.02 * count:
            raise LabError(f"fping lost {len(lost)} of {count} targets: {said[-500:]}")
        return spent / (count * rounds) * 1e6

    return measure


@contextmanager
def blackbox(name: str) -> Iterator[Measure]:
    """blackbox_exporter, asked by ``/probe`` on one kept connection; its own CPU only."""
    binary = tool("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "blackbox.yml"
        config.write_text(BLACKBOX_CONFIG)
        listen = f"--web.listen-address=127.0.0.1:{BLACKBOX_PORT}"
        process = subprocess.Popen(
            inside(name, binary, f"--config.file={config}", listen),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            call_inside(name, _await_blackbox)
            yield lambda count, rounds, _: _ask_blackbox(name, process.pid, count * rounds)
        finally:
            process.kill()
            process.wait(timeout=5)


def _await_blackbox() -> None:
    end = time.monotonic() + 10
    while True:
        try:
            _probe(_connect(), "127.0.0.1")
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _connect() -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", BLACKBOX_PORT, timeout=5)


def _probe(connection: http.client.HTTPConnection, target: str) -> bool:
    connection.request("GET", f"/probe?module=icmp&target={target}")
    return b"\nprobe_success 1" in connection.getresponse().read()


def _ask_blackbox(name: str, pid: int, probes: int) -> float:
    targets = addresses(min(probes, BLACKBOX_PROBES))

    def ask() -> int:
        with closing(_connect()) as connection:
            return sum(_probe(connection, target) for target in targets)

    before = cpu_seconds(pid)
    if call_inside(name, ask) < 0.98 * len(targets):
        raise LabError("blackbox_exporter lost pings on loopback: not comparable")
    return (cpu_seconds(pid) - before) / len(targets) * 1e6


def cpu_per_probe(table: Table, quick: bool) -> None:
    """CPU a probe, kernel time included, for one packet to each of so many targets a round."""
    repeats = 1 if quick else 3
    sizes = [(100, 5, 1.0), (1000, 4, 1.0), (10_000, 3, 2.0)]
    if quick:
        sizes = [(count, 1 if count > 1000 else 2, period) for count, _, period in sizes]
    with namespace() as name, blackbox(name) as exporter:
        tools: dict[str, Measure] = {
            "vcmon pinger": ours(name, "pinger"),
            "vcmon engine and pinger": ours(name, "engine"),
            "fping": fping(name),
            "blackbox_exporter /probe": exporter,
            "icmplib async_multiping": ours(name, "icmplib"),
        }
        for count, rounds, period in sizes:
            table.title(f"ICMP, {count:,} targets: CPU microseconds a probe, median of {repeats}")
            found: dict[str, list[float]] = {tool: [] for tool in tools}
            for _ in range(repeats):  # in turn, so that a busy moment hurts all alike
                for tool_name, measure in tools.items():
                    found[tool_name].append(measure(count, rounds, period))
            for tool_name, values in found.items():
                table.line(tool_name, f"{median(values):.1f} us")
    mine = median(found["vcmon pinger"])
    table.limit("icmp.cpu.of_fping", mine / median(found["fping"]), 0.5, "")
    blackboxes = median(found["blackbox_exporter /probe"])
    table.limit("icmp.cpu.of_blackbox", mine / blackboxes, 0.05, "")


def rtt_under_stall(table: Table, quick: bool) -> None:
    """How wrong the round-trip time is while the event loop is blocked for 200 ms at random."""
    seconds = "4" if quick else "15"
    table.title("RTT told on loopback while the loop is blocked for 200 ms again and again")
    with namespace() as name:
        for tool_name in ("icmplib", "vcmon"):
            told = worker(name, f"stall-{tool_name}", seconds)["told"]
            table.line(
                f"{tool_name}: {len(told)} pings, median / p99 / max",
                f"{median(told):.3f} / {percentile(told, 0.99):.3f} / {max(told):.3f} ms",
            )
    # The true time on loopback is some microseconds: the whole of what is told counts as error.
    table.limit("icmp.rtt.stall.max_error", max(told), 0.2, "ms")
