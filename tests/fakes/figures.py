"""Figures that tests measure: one JSON line each, gathered by ``make figures``."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "build" / "figures.jsonl"


@cache
def commit() -> str:
    """The short id of the checked-out commit, ``+`` where the tree differs, ``-`` without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else "-"


def record(name: str, figure: str, limit: str, passed: bool, *, to: Path = FIGURES) -> None:
    """Append one figure, such as ``record("T44", "1.2", "<= 1.6", True)``.

    One short line is one write, so that tests which run side by side can't tear each other's.
    """
    line = {"id": name, "figure": figure, "limit": limit, "pass": passed, "commit": commit()}
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
