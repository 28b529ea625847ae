"""``python -m dashboards.stack``: the whole chain on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import math
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dashboards.stack.demo import running
from dashboards.stack.places import Places, on_loopback
from dashboards.stack.processes import Process, StackError
from vcmon.errors import StartError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
LOOK_SECONDS = 0.5


def duration(text: str) -> float:
    """``90s``, ``10m``, ``2h`` in seconds. Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,4})([smh])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a time as 90s, 10m or 2h; found {text!r}")
    return int(found[1]) * UNITS[found[2]]


def urls(places: Places) -> str:
    """Where to look, for people."""
    lines = [f"  {f'vcmon {one.name}':<16} http://{one.target}/" for one in places.vantages]
    lines.append(f"  {'Prometheus':<16} http://{places.prometheus}/alerts")
    lines += [
        f"  {f'Alertmanager {number}':<16} http://{one}/"
        for number, one in enumerate(places.alertmanagers, start=1)
    ]
    lines.append(f"  {'VictoriaMetrics':<16} http://{places.store}/vmui/")
    return "\n".join(lines)


def watch(processes: Sequence[Process], seconds: float) -> None:
    """Let time pass, while the webhook shows what it hears. Raises StackError when a part dies."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for process in processes:
            process.check()
        time.sleep(LOOK_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dashboards.stack", description=__doc__)
    parser.add_argument(
        "--for", dest="seconds", type=duration, default=math.inf, metavar="10m", help="then end"
    )
    parser.add_argument(
        "--port", type=int, default=9838, help="the first of ten, one after another"
    )
    parser.add_argument("--seed", type=int, default=1, help="which timetable of faults")
    asked = parser.parse_args()
    places = on_loopback(asked.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vcmon-stack-") as name,
            running(places, Path(name), asked.seed) as processes,
        ):
            print(f"{urls(places)}\nwhat the webhook hears (Ctrl-C ends everything):", flush=True)
            watch(processes, asked.seconds)
    except KeyboardInterrupt:
        return 0
    except (StackError, StartError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
