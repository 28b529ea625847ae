"""The committed dashboards are what the generator makes, well formed, and lead where they say."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboards.gen.shelf import FOLDER, files
from tests.dashboards.grafana_files import dashboards, panels
from tests.dashboards.lint import problems
from vcmon.views.province_words import grafana

UIDS = {
    f"vcmon-{name}" for name in ("country", "province", "endpoint", "vantage", "slo", "meeting")
}


def test_what_is_committed_is_what_is_made() -> None:
    """``python -m dashboards.gen`` would change nothing."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == files()


def test_there_are_six_and_their_uids_stay() -> None:
    """Links from alerts, from vcmon's pages and from bookmarks name these."""
    assert {board["uid"] for board in dashboards().values()} == UIDS
    assert {f"{uid}.json" for uid in UIDS} == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("uid", sorted(UIDS))
def test_nothing_is_wrong_with(uid: str) -> None:
    """Ids, boxes, units, variables, queries and columns: the linter has nothing to say."""
    assert problems(dashboards()[uid]) == []


def test_vcmons_pages_lead_to_the_province() -> None:
    """The link of a province's page names a dashboard and variables that there are."""
    link = grafana("https://grafana.example/", "aceh", "aceh-codec")
    found = re.fullmatch(
        r"https://grafana.example/d/([\w-]+)\?var-(\w+)=aceh&var-(\w+)=aceh-codec", link
    )
    assert found is not None
    uid, *asked = found.groups()
    known = [each["name"] for each in dashboards()[uid]["templating"]["list"]]
    assert set(asked) <= set(known)


def test_links_lead_to_dashboards_and_variables_that_there_are() -> None:
    """Every /d/ address in a dashboard, and in the alert rules, with every var- in it."""
    boards = dashboards()
    rules = (FOLDER.parent / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    seen = 0
    for text in (rules, *map(str, boards.values())):
        for uid, query in re.findall(r"/d/([\w-]+)[^?\s'\")]*(?:\?([^\s'\")]*))?", text):
            known = {each["name"] for each in boards[uid]["templating"]["list"]}
            assert set(re.findall(r"var-(\w+)=", query)) <= known, (uid, query)
            seen += 1
    assert seen > 20


def test_every_dashboard_leads_to_the_others_and_to_the_status_page() -> None:
    """By tag to its siblings, by the text variable to vcmon's own pages."""
    for board in dashboards().values():
        siblings, page = board["links"]
        assert siblings["tags"] == ["vcmon"]
        assert "vcmon" in board["tags"]
        assert page["url"] == "${vcmon}/"
        assert {mark["name"] for mark in board["annotations"]["list"]} == {
            "Gangguan",
            "Pemeliharaan",
        }


def _first(board: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


MUTANTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "broken PromQL": lambda it: _first(it, "stat")["targets"][0].update(expr="rate(foo[5m"),
    "unknown unit": lambda it: _first(it, "stat")["fieldConfig"]["defaults"].update(unit="sekund"),
    "the same id": lambda it: it["panels"][1].update(id=it["panels"][2]["id"]),
    "no id": lambda it: it["panels"][1].update(id=0),
    "a variable twice": lambda it: it["templating"]["list"].append(it["templating"]["list"][0]),
    "an undefined variable": lambda it: _first(it, "stat")["targets"][0].update(expr='up{a="$no"}'),
    "a fixed window": lambda it: _first(it, "stat")["targets"][0].update(expr="rate(up[5m])"),
    "overlap": lambda it: it["panels"][2]["gridPos"].update(x=0),
    "too wide": lambda it: _first(it, "table")["gridPos"].update(w=30),
    "no description": lambda it: _first(it, "stat").update(description=""),
    "a legend lost": lambda it: _first(it, "timeseries")["targets"][0].pop("legendFormat"),
    "a column of no query": lambda it: _first(it, "table")["targets"].pop(0),
    "an override of no column": lambda it: _first(it, "table")["fieldConfig"]["overrides"][0][
        "matcher"
    ].update(options="Nope"),
    "a fixed data source": lambda it: _first(it, "table")["datasource"].update(uid="prom"),
    "a database's id": lambda it: it.update(id=7),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_linter_finds(name: str) -> None:
    """Each mistake that it is there for, when it is put in."""
    board = copy.deepcopy(dashboards()["vcmon-country"])
    MUTANTS[name](board)
    assert problems(board) != []


def test_ids_of_panels_stay() -> None:
    """Links with viewPanel name ids: one that was given away stays with its panel."""
    shown = {uid: [panel["id"] for panel in panels(board)] for uid, board in dashboards().items()}
    assert shown["vcmon-country"][:6] == [1, 2, 3, 4, 5, 6]
    assert {10, 11, 21, 24} <= set(shown["vcmon-country"])
    assert {2, 7, 10, 11, 20, 21, 22, 23} <= set(shown["vcmon-province"])


def test_files_are_small(tmp_path: Path) -> None:
    """Each is far below the megabyte that a ConfigMap takes."""
    assert all(path.stat().st_size < 200_000 for path in FOLDER.glob("*.json"))
