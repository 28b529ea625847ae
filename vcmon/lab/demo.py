"""``vcmon demo``: the loopback country in a process of its own, and vcmon watching it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from vcmon.app import run
from vcmon.clock import SystemClock
from vcmon.engine.calendar import ZONE
from vcmon.errors import StartError
from vcmon.lab.country import CANARIES, DNS, DNS_NAME, HTTPS, ROUTER, country, inventory_csv
from vcmon.lab.dns_server import DNS_ADDRESS
from vcmon.lab.https_server import HEALTH_PATH
from vcmon.lab.process import CA_FILE

READY_WITHIN = 15.0
"""Seconds: it takes half of one; a laptop on battery, or one that compiles, takes longer."""

END_WITHIN = 5.0
"""Seconds that the country's process has to end by itself."""


def run_demo(port: int, seed: int) -> int:
    """Run the demo until Ctrl-C or SIGTERM; returns the exit status of vcmon.

    Leaves nothing behind: no process, no file. Raises StartError where it can't start.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vcmon-demo-") as name,
            country_process(Path(name), seed),
        ):
            begins = first_meeting(SystemClock().wall())
            config = write_settings(Path(name), port, begins)
            _say(f"open http://127.0.0.1:{port}/ (Ctrl-C ends the demo; --seed {seed} repeats it)")
            return run(config)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def country_process(directory: Path, seed: int) -> Iterator[float]:
    """The country's process while the block lasts; gives the boot-time second it began at.

    The process also ends when we die: the pipe to its standard input closes with us. Raises
    StartError when it does not listen in time.
    """
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        [
            sys.executable,
            *("-m", "vcmon.lab.process"),
            *("--directory", str(directory)),
            *("--seed", str(seed)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # the terminal's Ctrl-C is for vcmon; the country ends after it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _ready(process.stdout)
    finally:
        process.stdin.close()
        process.stdout.close()
        _end(process)


def _ready(output: IO[bytes]) -> float:
    readable, _, _ = select.select([output], [], [], READY_WITHIN)
    words = os.read(output.fileno(), 200).split() if readable else []
    if words[:2] != [b"ready", b"at"]:
        raise StartError("the demo's country did not start; its own message stands above")
    return float(words[2])


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


SETTINGS = """\
# The demo's settings: what an operator would write, for a country on this machine.
vantage: demo
language: id
web:
  listen: 127.0.0.1:{port}
history:
  path: {history}
canaries: {canaries}
checks:
  sip-satelit:
    kind: sip
    t1: 1s
  sips-vicon:
    kind: sips
    ca_file: {ca_file}
  https-vicon:
    kind: https
    port: {https_port}
    path: {health}
    ca_file: {ca_file}
  dns-vicon:
    kind: dns
    port: {dns_port}
    name: {dns_name}
    type: A
    expect: [{dns_address}]
meetings:
  - id: demo
    title: Rapat Pusat dan Daerah (demo)
    organiser: Kementerian (contoh)
    start: "{begins}"
    duration: 20m
    room: pusat-mcu
    required: all
    optional: [papua-pegunungan, papua-selatan]
    checkpoints: [4m, 2m, 1m, 0s]
    limits: {{window: 2m, calm: 2m}}
include: [inventory.csv]
"""

UNTIL_MEETING = 300.0
"""Seconds after the start, about: meetings begin at a whole minute."""


def first_meeting(now: float) -> float:
    """The wall second at which the demo's meeting begins."""
    return round((now + UNTIL_MEETING) / 60) * 60.0


def write_settings(directory: Path, port: int, begins: float) -> Path:
    """Write vcmon.yaml and its inventory into the directory; returns the path of the former.

    The meeting begins at wall second ``begins``, a whole minute.
    """
    (directory / "inventory.csv").write_text(inventory_csv(country().values()), "utf-8")
    config = directory / "vcmon.yaml"
    text = SETTINGS.format(
        port=port,
        history=json.dumps(str(directory / "vcmon.db")),  # JSON strings are YAML strings
        ca_file=json.dumps(str(directory / CA_FILE)),
        canaries=json.dumps([f"{address}:{ROUTER.port}" for address in CANARIES]),
        https_port=HTTPS.port,
        health=HEALTH_PATH,
        dns_port=DNS.port,
        dns_name=DNS_NAME,
        dns_address=DNS_ADDRESS,
        begins=datetime.fromtimestamp(begins, ZONE).strftime("%Y-%m-%d %H:%M"),
    )
    config.write_text(text, "utf-8")
    return config


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
