"""What can be wrong with a dashboard without anybody's asking Prometheus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser

from tests.dashboards.grafana_files import interpolated, panels, variables

WIDTH = 24

UNITS = {
    *("short", "none", "s", "percentunit", "bytes", "ops"),
    *("dateTimeAsIso", "dateTimeFromNow"),
}
"""Ids of Grafana's units in use; ``make dashboards-check`` asks @grafana/data itself."""

BUILT_IN = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__range": "6h",
    "__range_s": "21600",
    "__all": ".*",
    "__value": "1",
    "__data": "1",
    "__url_time_range": "from=now",
}


def problems(dashboard: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong, each with the title of its panel."""
    return [
        *_frame(dashboard),
        *_boxes(dashboard),
        *(f"{panel['title']}: {wrong}" for panel in panels(dashboard) for wrong in _panel(panel)),
        *_variables(dashboard),
    ]


def _frame(dashboard: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"vcmon-[a-z]{3,20}", dashboard["uid"]):
        yield f"uid {dashboard['uid']}"
    if dashboard["id"] is not None or dashboard["editable"]:
        yield "provisioned dashboards have no id of a database and are not edited"
    if dashboard["timezone"] != "Asia/Jakarta":
        yield f"time zone {dashboard['timezone']}"
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    yield from (f"variable {name} twice" for name, n in Counter(names).items() if n > 1)
    ids = Counter(panel["id"] for panel in dashboard["panels"])
    yield from (f"id {number} {n} times" for number, n in ids.items() if n > 1 or not number)


def _boxes(dashboard: Mapping[str, Any]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        box, title = panel["gridPos"], panel["title"]
        if box["x"] + box["w"] > WIDTH:
            yield f"{title}: wider than {WIDTH} columns"
        for x in range(box["x"], box["x"] + box["w"]):
            for y in range(box["y"], box["y"] + box["h"]):
                other = taken.setdefault((x, y), title)
                if other != title:
                    yield f"{title} overlaps {other}"
                    return


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    if not panel["title"] or not panel.get("description"):
        yield "no title, or no description"
    if panel["type"] == "text":
        return
    config = panel["fieldConfig"]
    told = [
        each["value"]
        for over in config["overrides"]
        for each in over["properties"]
        if each["id"] == "unit"
    ]
    for unit in (config["defaults"].get("unit"), *told):
        if unit not in UNITS:
            yield f"unit {unit}"
    refs = Counter(target["refId"] for target in panel["targets"])
    yield from (f"query {ref} twice" for ref, n in refs.items() if n > 1)
    if panel["datasource"]["uid"] != "${datasource}":
        yield "another data source than the variable"
    for target in panel["targets"]:
        yield from _query(target, panel["type"])
    if panel["type"] == "table":
        yield from _columns(panel)


def _query(target: Mapping[str, Any], kind: str) -> Iterator[str]:
    expr = target["expr"]
    if re.search(r"(?:rate|increase)\([^[]*\[\d", expr):
        yield f"{expr}: a fixed window in rate()"
    if kind in {"timeseries", "state-timeline"} and not target.get("legendFormat"):
        yield f"{expr}: no legend"
    if target["instant"] == target["range"]:
        yield f"{expr}: neither now nor over time"
    values = {name: "0.5" if name == "objective" else "x" for name in variables(expr)}
    try:
        promql_parser.parse(interpolated(expr, {**values, **BUILT_IN}))
    except ValueError as wrong:
        yield f"{expr}: {wrong}"


def _columns(panel: Mapping[str, Any]) -> Iterator[str]:
    """A table's transformations name fields by the letters of queries, its overrides by title."""
    organize = panel["transformations"][-1]["options"]
    titles = list(organize["renameByName"].values())
    yield from (f"column {title} twice" for title, n in Counter(titles).items() if n > 1)
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] not in titles:
            yield f"no column {override['matcher']['options']}"
    letters = {f"Value #{target['refId']}" for target in panel["targets"]}
    values = {"Value"} if len(letters) == 1 else letters
    for field in organize["renameByName"]:
        if field.startswith("Value") and field not in values:
            yield f"no query gives {field}"


def _variables(dashboard: Mapping[str, Any]) -> Iterator[str]:
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    asked = {*known, *BUILT_IN}
    for panel in panels(dashboard):
        # Field names such as ${__data.fields.x} are Grafana's, the rest is ours.
        for name in variables(str(panel)) - asked:
            yield f"{panel['title']}: ${name} is not defined"
    for other in (dashboard["annotations"], dashboard["links"], dashboard["templating"]):
        yield from (f"${name} is not defined" for name in variables(str(other)) - asked)
