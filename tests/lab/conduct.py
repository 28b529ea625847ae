"""What the command lines of the long runs share: which runs, by which seed, and what failed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path


def parser_of(
    about: str, runs: Collection[str], seconds: float, of: str
) -> argparse.ArgumentParser:
    """A parser that knows the runs, ``--seconds`` (of which of them) and ``--seed``."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("runs", nargs="*", metavar="|".join(runs), help="default: all")
    parser.add_argument("--seconds", type=float, default=seconds, help=of)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser


def parsed(parser: argparse.ArgumentParser, runs: Collection[str]) -> argparse.Namespace:
    """The choices; exits with 2 for a run that there is not. Tells the seed."""
    # by default SIGTERM ends python at once, and the namespaces would stay
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = parser.parse_args()
    if unknown := set(args.runs) - set(runs):
        parser.error(f"expected {', '.join(runs)}; found {', '.join(sorted(unknown))}")
    print(f"seed {args.seed}", flush=True)
    args.runs = args.runs or list(runs)
    return args


def conduct(runs: Mapping[str, Callable[[Path], None]], failed: Sequence[str]) -> int:
    """Each run in a directory of its own; the exit code, 1 once something stands in ``failed``."""
    for name, run in runs.items():
        print(f"\n{name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="vcl-") as directory:
            run(Path(directory))
    if failed:
        print(f"\nFAILED: {', '.join(failed)}")
    return 1 if failed else 0
