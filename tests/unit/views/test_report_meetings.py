"""Meeting hours in the report: the last columns of the page, the CSV and the JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.fakes.reports import MEETING, OCTOBER, desk, frozen, past
from vcmon.history.frozen import month_report
from vcmon.history.report import Report, count_month
from vcmon.views.report_data import as_csv, as_json
from vcmon.views.report_file import written


def last_cells(report: Report, language: str) -> list[str]:
    """Of the table's lines: the country, Aceh, Papua, the Centre."""
    html = written(report, "html", "id", language)
    return re.findall(r'<td class="n">([^<]*)</td></tr>', html.partition("</table>")[0])


def csv_ends(report: Report, dialect: str, comma: str) -> list[list[str]]:
    return [line.split(comma)[-3:] for line in as_csv(report, dialect).splitlines()]


@pytest.mark.parametrize(
    ("language", "header", "aceh"),
    [("id", "Selama rapat", "94,44 %"), ("en", "In meetings", "94.44 %")],
)
def test_the_page_tells_them_last(language: str, header: str, aceh: str) -> None:
    """3400 s of 3600 s, cut; a dash where too little was seen, and for who had no seat."""
    report = count_month(desk(replace(past(), held=[MEETING])), OCTOBER)
    assert last_cells(report, language) == ["–", aceh, "–", "–"]  # of the country half was seen
    header = f'<th scope="col" class="n">{header}</th></tr>'
    assert header in written(report, "html", "id", language)


def test_csv_and_json_tell_them_last() -> None:
    """Share, coverage, what was measured; empty or null where there is nothing to tell."""
    report = count_month(desk(replace(past(), held=[MEETING])), OCTOBER)
    assert csv_ends(report, "id", ";") == [
        ["Ketersediaan selama rapat (%)", "Cakupan selama rapat (%)", "Rapat terukur (detik)"],
        ["", "50,00", "3600,000"],
        ["94,44", "100,00", "3600,000"],
        ["", "0,00", "0,000"],
        ["", "", ""],
    ]
    aceh, papua = json.loads(as_json(report))["provinces"]
    assert list(aceh.items())[-4:] == [
        ("meeting_availability_percent", 94.44),
        ("meeting_coverage_percent", 100.0),
        ("meeting_available_ms", 3_400_000),
        ("meeting_counted_ms", 3_600_000),
    ]
    assert papua["meeting_availability_percent"] is None


def test_a_month_frozen_without_them_shows_dashes() -> None:
    """Pages of an earlier vcmon have no such figure: a dash, empty cells, null."""
    memory = frozen(replace(past(), held=[MEETING]))
    told = {name: json.loads(text) for name, text in memory.pages["2026-10"].items()}
    assert told["province:aceh"].pop("meetings")
    assert told["province:papua"].pop("meetings")
    assert told["province:pusat"].pop("meetings") is None
    memory.pages["2026-10"] = {name: json.dumps(each) for name, each in told.items()}
    report = month_report(desk(memory), OCTOBER)
    assert last_cells(report, "id") == ["–"] * 4
    assert csv_ends(report, "iso", ",")[1:] == [[""] * 3] * 4
    assert json.loads(as_json(report))["country"]["meeting_counted_ms"] is None
