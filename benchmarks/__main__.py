"""``python -m benchmarks [--quick] [NAME ...]``: prints figures beside their limits."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

from benchmarks import history, icmp, whole
from benchmarks.common import Table

ALL: dict[str, Callable[[Table, bool], None]] = {
    "icmp": icmp.cpu_per_probe,
    "stall": icmp.rtt_under_stall,
    "country": whole.country,
    "thousand": whole.thousand,
    "ten-thousand": whole.ten_thousand,
    "history": history.history,
}


def main() -> int:
    # by default SIGTERM ends python at once, and the namespaces would stay
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="benchmarks", description="vcmon beside its peers")
    parser.add_argument("names", nargs="*", metavar="|".join(ALL), help="default: all")
    parser.add_argument("--quick", action="store_true", help="one short run of each")
    args = parser.parse_args()
    if unknown := set(args.names) - set(ALL):
        parser.error(f"expected {', '.join(ALL)}; found {', '.join(sorted(unknown))}")
    table = Table()
    for name in args.names or ALL:
        ALL[name](table, args.quick)
    if table.failed:
        print(f"\nOVER THE LIMIT: {', '.join(table.failed)}")
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
