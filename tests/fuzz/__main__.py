"""``python -m tests.fuzz [TARGET ...]``: a value or the one documented error, for any bytes.

By atheris, guided by coverage, where it is installed; else by seeded mutation. Ends with 1 when
a parser raised anything else, or held the CPU for more than 50 ms with one input.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.campaign import run

TARGETS = {
    "dialog": "tests.fuzz.dialog",
    "h225": "tests.fuzz.h225",
    "icmp": "tests.fuzz.icmp",
    "ics": "tests.fuzz.ics",
    "jsontext": "tests.fuzz.jsontext",
    "ras": "tests.fuzz.ras",
    "rtp": "tests.fuzz.rtp",
    "sdp": "tests.fuzz.sdp",
    "sip": "tests.fuzz.sip",
    "stamp": "tests.fuzz.stamp",
    "stun": "tests.fuzz.stun",
    "websocket": "tests.fuzz.websocket",
    "x509": "tests.fuzz.x509",
    "xmltext": "tests.fuzz.xmltext",
}
"""The module of each target: it holds ``TARGET``."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # one target, in this process
    args = parser.parse_args()
    if unknown := set(args.targets) - set(TARGETS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(TARGETS)}")
    if args.here:
        run(TARGETS[args.targets[0]], args.inputs, args.seed, args.here)
    names = args.targets or list(TARGETS)
    return max(_apart(name, args.inputs, args.seed) for name in names)


def _apart(name: str, inputs: int, seed: int) -> int:
    """One campaign in a process of its own: atheris gives none back."""
    with tempfile.TemporaryDirectory(prefix="vcmon-fuzz-") as corpus:
        command = [sys.executable, "-m", "tests.fuzz", name, f"--here={corpus}"]
        command += [f"--inputs={inputs}", f"--seed={seed}"]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if ended.returncode not in {0, 1}:  # the engine itself died, or what it runs was killed
        print(f"{name}: ended with {ended.returncode}\n{ended.stderr[-4000:]}", flush=True)
    return int(ended.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
