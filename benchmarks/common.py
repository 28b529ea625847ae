"""What every benchmark needs: a namespace of its own, measured children, lines of a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.fakes.figures import ROOT, record
from tests.lab.inside import LabError, inside, run
from tests.lab.rig import PREFIX, remove, sweep

CHILD_SECONDS = 300.0  # the longest child: 10,000 pings by icmplib take some 10 s


@dataclass(slots=True)
class Table:
    """Prints each figure as it is found, and writes those with a limit down."""

    failed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def line(self, what: str, figure: str) -> None:
        print(f"  {what:<46} {figure:>16}", flush=True)

    def limit(self, name: str, value: float, most: float, unit: str) -> None:
        """A figure that the design limits to ``most``."""
        passed = value <= most
        word = "ok" if passed else "OVER"
        print(f"  {name:<46} {value:>12.4g} {unit:<4} <= {most:g}  {word}", flush=True)
        record(f"bench.{name}", f"{value:.4g} {unit}".strip(), f"<= {most:g}", passed)
        if not passed:
            self.failed.append(name)


@contextmanager
def namespace() -> Iterator[str]:
    """A network namespace with nothing but a loopback, where all of 127/8 answers."""
    sweep()
    name = f"{PREFIX}{os.getpid()}-bench"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        run(*inside(name, "sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647"))
        yield name
    finally:
        remove(name)


def addresses(count: int) -> list[str]:
    """So many loopback addresses, each a target of its own."""
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]


def worker(name: str, *argv: str) -> dict[str, Any]:
    """What a worker of ours inside the namespace says, as JSON on its last line."""
    command = inside(name, sys.executable, "-m", "benchmarks.worker", *argv)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False
    )
    if done.returncode:
        raise LabError(f"worker {' '.join(argv)}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def cpu_of_child(command: Sequence[str], stdin: str) -> tuple[float, str]:
    """CPU seconds of a command from its start to its end, and what it said on stderr."""
    before = os.times()
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False
    )
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system, done.stderr


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has spent so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def megabytes(pid: int) -> float:
    """The resident memory of a process, MiB."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20
