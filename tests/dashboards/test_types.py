"""The dashboards are what Grafana's own types, of several versions, say that a dashboard is."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.dashboards.grafana_files import FOLDER, dashboards
from tests.dashboards.workbench import bench, node
from tests.fakes.figures import record

SCHEMA = re.compile(r"@grafana/schema (\S+): (\d+) dashboards, (\d+) panels, (\d+) errors")


def test_types_agree() -> None:
    """tsc finds nothing with the @grafana/schema of Grafana 11.6, 12.4 and 13.2."""
    run = node(bench("types"), "check.mjs", str(FOLDER))
    assert run.returncode == 0, run.stdout + run.stderr
    found = SCHEMA.findall(run.stdout)
    assert [version.rpartition(".")[0] for version, *_ in found] == ["11.6", "12.4", "13.2"]
    assert {dashboard for _, dashboard, _, _ in found} == {"6"}
    errors = sum(int(wrong) for *_, wrong in found)
    panels = found[0][2]
    record("dashboards types", f"{errors} errors, {panels} panels, 3 versions", "0", errors == 0)


def _panel(board: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


MUTANTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "key": lambda it: it.update(titel="x"),
    "version": lambda it: it.update(schemaVersion="42"),
    "cursor": lambda it: it.update(graphTooltip=7),
    "colour": lambda it: _panel(it, "stat")["options"].update(colorMode="backgroundd"),
    "place": lambda it: _panel(it, "geomap")["options"]["layers"][0]["location"].update(mode="x"),
    "width": lambda it: _panel(it, "table")["gridPos"].pop("w"),
    "threshold": lambda it: _panel(it, "stat")["fieldConfig"]["defaults"]["thresholds"][
        "steps"
    ].append({"value": 3}),
    "line": lambda it: _panel(it, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
        lineInterpolation="wavy"
    ),
    "rows": lambda it: _panel(it, "state-timeline")["options"].update(rowHeight="tall"),
}


def test_types_find_what_is_wrong(tmp_path: Path) -> None:
    """Each of nine mistakes of form, put in one at a time, is told by every version."""
    good = dashboards()["vcmon-country"]
    for name, mutate in MUTANTS.items():
        board = copy.deepcopy(good)
        mutate(board)
        (tmp_path / f"{name}.json").write_text(json.dumps(board))
    run = node(bench("types"), "check.mjs", str(tmp_path))
    assert run.returncode == 1
    told = set(re.findall(r"made/(schema-\d+)/(\w+)\.ts", run.stdout))
    versions = {version for version, _ in told}
    assert len(versions) == 3
    assert told == {(version, name) for version in versions for name in MUTANTS}
