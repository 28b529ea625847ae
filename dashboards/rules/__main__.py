"""``python -m dashboards.rules``: write the rule files, or see whether they are as made."""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal
from pathlib import Path

from dashboards.rules import files, plan

HERE = Path(__file__).resolve().parents[1] / "prometheus"


def committed() -> dict[Path, files.Files]:
    """What the repository holds: for several vantages, and for one alone."""
    single = plan.of("production", voters=1)
    return {
        HERE: files.rendered(plan.PRODUCTION),
        HERE / "single": files.rendered(single, " --voters 1 --out dashboards/prometheus/single"),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dashboards.rules", description=__doc__)
    default = plan.PRODUCTION
    parser.add_argument("--profile", choices=sorted(plan.PROFILES), default=default.name)
    parser.add_argument("--voters", type=int, help="vantages needed for a word (1: a lone vcmon)")
    parser.add_argument("--objective", type=Decimal, help="percent of the time, as 99.5")
    parser.add_argument("--evaluation", help="how often what pages is evaluated, as 5s")
    parser.add_argument("--grafana", help="where Grafana is, as https://grafana.example")
    parser.add_argument("--runbooks", help="where docs/runbooks is served")
    parser.add_argument("--out", type=Path, help="folder to write into; left out: as committed")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if files differ")
    return parser.parse_args()


def main() -> int:
    """0: written, or the same; 1: files differ; 2: a value is wrong."""
    said = _arguments()
    names = ("voters", "objective", "evaluation", "grafana", "runbooks")
    changes = {name: value for name in names if (value := getattr(said, name)) is not None}
    try:
        wanted = plan.of(said.profile, **changes)
    except ValueError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 2
    if said.out is None and (changes or said.profile != plan.PRODUCTION.name):
        print("error: expected --out FOLDER for changed values, found none", file=sys.stderr)
        return 2
    options = "".join(f" --{name} {value}" for name, value in changes.items())
    everything = committed() if said.out is None else {said.out: files.rendered(wanted, options)}
    wrong_ones = 0
    for folder, texts in everything.items():
        if not said.check:
            files.write(texts, folder)
            continue
        for name in files.differing(texts, folder):
            print(f"{folder / name}: not as made; run python -m dashboards.rules", file=sys.stderr)
            wrong_ones += 1
    return 1 if wrong_ones else 0


if __name__ == "__main__":
    sys.exit(main())
