"""The committed dashboards, and their variables put in as Grafana would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboards" / "grafana"

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


@dataclass(frozen=True)
class Question:
    """One query of one panel."""

    uid: str
    panel: Mapping[str, Any]
    target: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.uid} {self.panel['id']}{self.target['refId']}"

    @property
    def expr(self) -> str:
        return str(self.target["expr"])


def dashboards() -> dict[str, Any]:
    """What is committed, by uid."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The panels without the headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def questions() -> Iterator[Question]:
    """Every query of every panel."""
    for uid, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Question(uid, panel, target)


def variables(expr: str) -> set[str]:
    """The names of all variables in a text."""
    return {match[1] or match[2] for match in VARIABLE.finditer(expr)}


def interpolated(expr: str, values: Mapping[str, str]) -> str:
    """``$name`` and ``${name}`` replaced; KeyError where a value is missing."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], expr)
