"""Every query of every panel, asked of a real Prometheus, returns what the panel claims."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from math import isnan

import pytest

from tests.dashboards.grafana_files import Question, dashboards, interpolated, questions
from tests.dashboards.seeded import (
    WRONG_ABOUT,
    Prometheus,
    prometheus,
    snapshot,
)
from tests.dashboards.values import ALL, MANY, VALUES

CODES = {"up": 0, "degraded": 1, "unreachable": 2, "down": 3, "unknown": 4}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as it:
        yield it


def put_in(question: Question) -> str:
    return interpolated(question.expr, ALL if question.uid in MANY else VALUES)


def find(uid: str, panel: int, ref: str = "A") -> str:
    """The query of a panel as it is asked here."""
    (it,) = (
        each
        for each in questions()
        if (each.uid, each.panel["id"], each.target["refId"]) == (uid, panel, ref)
    )
    return put_in(it)


@pytest.mark.parametrize("question", list(questions()), ids=lambda each: each.name)
def test_every_query_answers(seeded: Prometheus, question: Question) -> None:
    """Something comes back, over time where it is drawn so, with every label it is named by."""
    expr = put_in(question)
    found = seeded.now(expr)
    assert found, expr
    labels = re.findall(r"\{\{\s*(\w+)\s*\}\}", question.target.get("legendFormat") or "")
    for metric, _ in found:
        assert set(labels) <= set(metric), f"{expr}: {labels} of {metric}"
    if question.panel["type"] == "table":
        at_all = {"Time", *(label for metric, _ in found for label in metric)}
        assert at_all <= {"Time", *_columns(question), *_unshown(question)}, at_all
    if question.target["range"]:
        end = time.time()
        over = seeded.ask("query_range", query=expr, start=str(end - 3), end=str(end), step="1")
        assert all(len(each["values"]) >= 2 for each in over["result"])
        assert over["result"]


def _columns(question: Question) -> set[str]:
    return set(question.panel["transformations"][-1]["options"]["renameByName"])


def _unshown(question: Question) -> set[str]:
    """Labels that rows are joined by and nobody needs to read."""
    return {"province"} if question.uid in {"vcmon-slo", "vcmon-meeting"} else set()


def test_tables_show_no_column_that_is_never_filled(seeded: Prometheus) -> None:
    """Every label that a table names comes from one of its queries."""
    for dashboard in dashboards().values():
        for panel in dashboard["panels"]:
            if panel["type"] != "table":
                continue
            mine = [each for each in questions() if each.panel["title"] == panel["title"]]
            labels = {
                label for each in mine for metric, _ in seeded.now(put_in(each)) for label in metric
            }
            named = {name for name in _columns(mine[0]) if not name.startswith("Value")}
            assert named <= labels, panel["title"]


def test_counts_are_the_countrys(seeded: Prometheus) -> None:
    """The six figures of the country, against what two of three vantages believe."""
    truth = Counter(str(status.standing.state) for status in snapshot("pusat").provinces)
    shown = {
        state: seeded.value(find("vcmon-country", panel))
        for panel, state in enumerate(("down", "unreachable", "degraded", "unknown", "up"), 1)
    }
    assert shown == {state: truth[state] for state in shown}
    planned = sum(status.maintenance for status in snapshot("pusat").provinces)
    assert seeded.value(find("vcmon-country", 6)) == planned == 2


def test_the_map_has_every_province_in_its_place_and_state(seeded: Prometheus) -> None:
    """A point each, coordinates as they are known, the verdict's number."""
    points = {
        metric["province"]: (float(metric["latitude"]), float(metric["longitude"]), value)
        for metric, value in seeded.now(find("vcmon-country", 10))
    }
    assert points == {
        status.province.slug: (
            status.province.latitude,
            status.province.longitude,
            CODES[status.standing.state],
        )
        for status in snapshot("pusat").provinces
    }


def test_the_worst_list_holds_what_is_not_well(seeded: Prometheus) -> None:
    """Not one more, with the votes behind it and, of the lost, for how long and by whose fault."""
    ill = {
        status.province.slug: CODES[status.standing.state]
        for status in snapshot("pusat").provinces
        if CODES[status.standing.state]
    }
    worst = {
        ref: {
            metric["province"]: value
            for metric, value in seeded.now(find("vcmon-country", 11, ref))
        }
        for ref in "ABCDE"
    }
    assert worst["A"] == ill
    lost = {slug for slug, code in ill.items() if code in {2, 3}}
    assert set(worst["B"]) == set(worst["E"]) == lost
    assert {worst["C"][slug] for slug in lost} == {3}
    assert set(worst["C"]) | set(worst["D"]) <= set(ill)


def test_one_vantage_that_is_wrong_changes_no_verdict(seeded: Prometheus) -> None:
    """The country says up; the province's page shows who says otherwise."""
    here = interpolated(
        dashboards()["vcmon-province"]["panels"][1]["targets"][0]["expr"],
        {"province": WRONG_ABOUT},
    )
    assert seeded.value(here) == CODES["up"]
    (said,) = (
        each for each in questions() if (each.uid, each.panel["id"]) == ("vcmon-province", 7)
    )
    told = seeded.now(interpolated(said.expr, {**VALUES, "province": WRONG_ABOUT}))
    assert {metric["vantage"]: value for metric, value in told} == {
        "pusat": CODES["up"],
        "timur": CODES["up"],
        "barat": CODES["down"],
    }


def test_availability_is_the_counters(seeded: Prometheus) -> None:
    """Up and degraded over all that was measured; who was never measured has none."""
    good = {
        metric["name"]: value
        for metric, value in seeded.now(find("vcmon-slo", 10))
        if not isnan(value)
    }
    for status in snapshot("pusat").provinces:
        state, name = str(status.standing.state), status.province.name_id
        if status.province.slug == WRONG_ABOUT:
            assert good[name] == pytest.approx(2 / 3, abs=0.05)
        elif state == "unknown":
            assert name not in good
        else:
            assert good[name] == float(state in {"up", "degraded"})


def test_the_rolls_words_are_the_vantages(seeded: Prometheus) -> None:
    """One province of each word in the meeting's counts, worst of the vantages."""
    assert [seeded.value(find("vcmon-meeting", panel)) for panel in (4, 5, 6, 7)] == [1, 1, 1, 1]
    assert {
        metric["province"]: value for metric, value in seeded.now(find("vcmon-meeting", 10))
    } == {"aceh": 0, "riau": 1, "bali": 2, "papua": 3}


def test_round_trips_are_those_that_were_measured(seeded: Prometheus) -> None:
    """43 ms lie between the bounds of their bucket; a tenth of the packets is lost."""
    for metric, value in seeded.now(find("vcmon-province", 20)):
        assert 0.03 <= value <= 0.05, metric
    for metric, value in seeded.now(find("vcmon-endpoint", 21)):
        assert value == pytest.approx(0.1, abs=0.02), metric


@pytest.mark.parametrize("uid", sorted(dashboards()))
def test_variables_find_their_values(seeded: Prometheus, uid: str) -> None:
    """Each query of a variable gives the value that its panels were asked with."""
    wanted = {"vantage": "pusat", "timezone": "Asia/Jakarta", "island": "Sumatera", "check": "icmp"}
    for variable in dashboards()[uid]["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = interpolated(variable["query"]["query"], VALUES)
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()  # type: ignore[union-attr]
        found = seeded.ask(f"label/{label}/values", **{"match[]": series})
        assert {**VALUES, **wanted}[variable["name"]] in found


@pytest.mark.parametrize("uid", sorted(dashboards()))
def test_incidents_and_maintenance_are_marked(seeded: Prometheus, uid: str) -> None:
    """Both annotations find what goes on: alerts that fire, provinces under planned work."""
    for mark in dashboards()[uid]["annotations"]["list"]:
        found = seeded.now(interpolated(mark["expr"], {**VALUES, "province": "gorontalo"}))
        if mark["name"] == "Pemeliharaan":
            assert {"gorontalo"} <= {metric["province"] for metric, _ in found}
        elif uid in {"vcmon-country", "vcmon-slo"}:
            assert {metric["alertname"] for metric, _ in found} >= {"VcmonProvinceDown"}
