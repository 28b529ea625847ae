"""The report as a page, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.fakes.remembered import FakeMemory, line, wib
from tests.fakes.reports import (
    DAY,
    MEETING,
    NOVEMBER_23,
    OCTOBER,
    codec,
    country,
    desk,
    frozen,
    past,
)
from vcmon.history.amendments import proposed
from vcmon.history.availability import Outage
from vcmon.history.frozen import month_report
from vcmon.history.month import Month
from vcmon.history.report import Report, count_month
from vcmon.model.memory import Amendment, Cause, Counted
from vcmon.model.result import Reason
from vcmon.model.status import State
from vcmon.views import report_file
from vcmon.views.pages import make_environment
from vcmon.views.report_data import BOM, HEADERS, as_csv, as_json
from vcmon.views.report_page import OUTAGES_MAX, Dress, document, links_of
from vcmon.views.report_words import BAHASA, ENGLISH, Tongue, lasting

HOSTILE = "=cmd|' /C calc'!A0;\"x\",\n<script>alert(1)</script>\u202e"


class Tags(HTMLParser):
    """What stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def page(report: Report, tongue: Tongue = BAHASA) -> str:
    dress = Dress(("/static/a.css", "/static/b.css"), links=links_of(report, tongue))
    return document(make_environment(), report, tongue, dress)


def hostile() -> Report:
    """A report whose province, parent, corrector and reason are all out to harm."""
    memory = frozen(past())
    wanted = Amendment(
        "2026-10",
        "province:aceh",
        wib(2026, 11, 5),
        HOSTILE,
        HOSTILE,
        200_000,
        Counted.DOWN,
        Counted.MAINTENANCE,
        outages=-1,
    )
    report = month_report(desk(memory), OCTOBER)
    memory.corrections.append(proposed(report, memory.pages["2026-10"], wanted))
    report = month_report(desk(memory), OCTOBER)
    first = report.lines[0]
    fall = Outage(report.start, None, 1000, Reason.PARENT, HOSTILE)
    figure = replace(first.figure, outages=(fall,))
    evil = replace(first, name_id=HOSTILE, name_en=HOSTILE, code="-1+1", figure=figure)
    return replace(report, lines=(evil, *report.lines[1:]), unwatched=(HOSTILE,))


def rows(text: str, delimiter: str) -> list[dict[str, str]]:
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=delimiter))


def test_the_page_tells_figures_formula_and_rules() -> None:
    """What was promised, what was had, how it was worked out; cut, with a decimal comma."""
    html = page(count_month(desk(), OCTOBER))
    assert "Laporan ketersediaan bulanan: Oktober 2026" in html
    assert "1 Oktober 2026 00.00 WIB sampai 1 November 2026 00.00 WIB" in html
    assert "Angka sementara, belum dibekukan" in html
    # 2,662,600 by 2,678,400 is 99.41009...
    assert "<b>99,41 %</b>" in html
    assert "99,5 %" in html
    assert "Tidak tercapai" in html
    assert "Data tidak cukup" in html
    assert "Ketersediaan = (terhubung + terganggu + singkat) ÷" in html
    # 31 + 15.5 days less 15,800 s are 4,001,800 s of 4,017,600
    assert "(4001800,000 + 0,000 + 0,000) ÷ " in html
    assert "= 99,60 %" in html
    assert "Setiap gangguan dihitung" in html


def test_the_english_page_says_the_same_in_english() -> None:
    """English words and decimal points, the same figures."""
    html = page(count_month(desk(), OCTOBER), ENGLISH)
    assert '<html lang="en">' in html
    assert "Monthly availability report: October 2026" in html
    assert "<b>99.41 %</b>" in html
    assert "Not enough data" in html


@pytest.mark.parametrize("tongue", [BAHASA, ENGLISH])
def test_rules_are_told_in_both_languages(tongue: Tongue) -> None:
    """Office hours, holidays, the shortest outage and the causes left out stand on the page."""
    rules = {"hours": "office", "excluded_causes": (Cause.POWER,), "shortest_outage": 300.0}
    settings = country(**rules)
    html = page(count_month(replace(desk(settings=settings), now=wib(2027, 1, 2)), OCTOBER), tongue)
    assert (
        tongue.say(
            "office",
            *(["07.30", "16.00"] if tongue is BAHASA else ["07:30", "16:00"]),
            ("16.00" if tongue is BAHASA else "16:00"),
        )
        in html
    )
    assert "0:05:00" in html
    assert tongue.cause(Cause.POWER) in html
    assert tongue.count(Counted.OUTSIDE) in html


def test_holidays_are_named() -> None:
    """A report of office hours names each day off that it used."""
    settings = country(codec("aceh"), hours="office")
    place = replace(desk(settings=settings), now=wib(2027, 1, 2))
    html = page(count_month(place, Month(2026, 12)))
    assert "24-12 (Cuti Bersama Hari Raya Natal), 25-12 (Hari Raya Natal)" in html


@pytest.mark.parametrize("tongue", [BAHASA, ENGLISH])
@pytest.mark.catalogue("T39")
def test_hostile_names_stay_text(tongue: Tongue) -> None:
    """Neither a name nor a correction puts a tag, a script or a direction mark on the page."""
    html = page(hostile(), tongue)
    parser = Tags()
    parser.feed(html)
    tags = [tag for tag, _ in parser.tags]
    assert "script" not in tags
    assert "style" not in tags
    assert "\u202e" not in html
    assert (
        html.count("&lt;script&gt;") == 7
    )  # name in three tables, parent, author, reason, unwatched


@pytest.mark.parametrize("tongue", [BAHASA, ENGLISH])
def test_the_page_obeys_its_policy(tongue: Tongue) -> None:
    """No style or script of its own, no handler: the strict policy blocks nothing of it."""
    parser = Tags()
    parser.feed(page(count_month(desk(), OCTOBER), tongue))
    for tag, attributes in parser.tags:
        assert tag not in {"script", "style"}
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    sheets = [each["href"] for tag, each in parser.tags if each.get("rel") == "stylesheet"]
    assert sheets == ["/static/a.css", "/static/b.css"]


def test_a_file_stands_alone() -> None:
    """What is written to a file has its style inside, and no link to any server."""
    html = report_file.written(count_month(desk(), OCTOBER), "html", "id", "id")
    parser = Tags()
    parser.feed(html)
    assert "@page" in html
    assert "size: A4 landscape" in html
    assert not [each for _, each in parser.tags if (each.get("href") or "").startswith("/")]


def test_corrections_and_a_broken_chain_are_told() -> None:
    """Who corrected what and why stands in the report; tampering is told at the top."""
    report = hostile()
    html = page(report)
    assert "Dibekukan 3 November 2026 00.05 WIB, dengan 1 koreksi" in html
    assert "200,000 s: terputus → pemeliharaan; gangguan -1" in html
    assert "Rantai tanda tangan" not in html
    broken = replace(report.corrections[0], trouble="signature")
    html = page(replace(report, corrections=(broken,)))
    assert "Rantai tanda tangan koreksi tidak utuh" in html
    assert "tanda tangan tidak cocok" in html


def test_a_running_month_says_until_when() -> None:
    """Nobody takes 23 days for a month; the next month is not offered."""
    memory = FakeMemory(line((wib(2026, 9, 1), State.UP)), beat=NOVEMBER_23)
    report = count_month(desk(memory), Month(2026, 11))
    assert "Bulan berjalan, dihitung sampai 23 November 2026 09.41 WIB" in page(report)
    assert "/laporan/2026-10" in links_of(report, BAHASA).values()
    assert "/laporan/2026-12" not in links_of(report, BAHASA).values()


def test_the_list_on_paper_is_bounded() -> None:
    """A link that falls a thousand times fills no ream; how many are left is told."""
    start = wib(2026, 10, 1)
    changes = [(start - DAY, State.UP)]
    for number in range(600):
        changes += [(start + 3600 + number * 1000, State.DOWN)]
        changes += [(start + 3700 + number * 1000, State.UP)]
    memory = FakeMemory(line(*changes), beat=NOVEMBER_23)
    report = count_month(desk(memory, country(codec("aceh"))), OCTOBER)
    html = page(report)
    assert html.count("tidak ada jawaban sampai batas waktu") == OUTAGES_MAX
    assert "dan 100 gangguan lagi" in html
    assert len(json.loads(as_json(report))["provinces"][0]["outage_list"]) == 600


def test_nothing_measured_is_a_dash_not_nought() -> None:
    """A month without a measurement shows no figure."""
    html = page(count_month(desk(FakeMemory(beat=NOVEMBER_23)), OCTOBER))
    assert "<b>–</b>" in html
    assert "0,00 %</b>" not in html


def test_csv_for_excel_in_indonesia() -> None:
    """Byte order mark, semicolons, decimal commas; the csv module reads it back as it was."""
    text = as_csv(count_month(desk(), OCTOBER), "id")
    assert text.count("\r\n") == 5
    whole, aceh, papua, pusat = rows(text, ";")
    assert list(aceh) == [header[0] for header in HEADERS]
    assert aceh["Provinsi"] == "Aceh"
    assert aceh["Ketersediaan (%)"] == "99,41"
    assert (aceh["Sasaran (%)"], aceh["Hasil"]) == ("99,5", "Tidak tercapai")
    assert aceh["Terhubung (detik)"] == "2662600,000"
    assert (aceh["Gangguan"], aceh["MTTR (detik)"]) == ("3", "5266,666")
    assert (papua["Hasil"], papua["Cakupan (%)"]) == ("Data tidak cukup", "50,00")
    assert (whole["Provinsi"], pusat["Provinsi"]) == ("Seluruh provinsi", "Pusat")


def test_csv_for_programs() -> None:
    """With --dialect iso: commas, decimal points, names of a program's sort."""
    whole, aceh, *_ = rows(as_csv(count_month(desk(), OCTOBER), "iso"), ",")
    assert list(aceh) == [header[1] for header in HEADERS]
    assert float(aceh["availability_percent"]) == 99.41
    assert (aceh["result"], aceh["status"]) == ("missed", "provisional")
    assert float(aceh["longest_seconds"]) == 14_400
    assert float(whole["up_seconds"]) == 46.5 * DAY - 15_800


@pytest.mark.parametrize(("dialect", "comma"), [("id", ";"), ("iso", ",")])
def test_no_cell_can_run_in_a_spreadsheet(dialect: str, comma: str) -> None:
    """A name that begins like a formula is text; delimiters and quotes in it stay one cell."""
    text = as_csv(hostile(), dialect)
    for row in rows(text, comma):
        assert len(row) == len(HEADERS)
        assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    name = HEADERS[2][dialect == "iso"]
    assert rows(text, comma)[1][name].startswith("'=cmd|' /C calc'!A0;\"x\", <script>")


def test_times_of_every_line_are_the_whole_month() -> None:
    """In CSV and JSON the counts of each province add up to the span, to the millisecond."""
    settings = country(hours="office", excluded_causes=(Cause.POWER,), shortest_outage=300.0)
    report = count_month(desk(settings=settings), OCTOBER)
    for row in rows(as_csv(report, "iso"), ",")[1:]:
        parts = [Fraction(row[f"{each}_seconds"]) for each in Counted]
        assert sum(parts) == 31 * DAY
    for each in json.loads(as_json(report))["provinces"]:
        assert sum(each["milliseconds"].values()) == 31 * DAY * 1000


def shape(value: Any) -> Any:
    """The keys and types of JSON."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


OUTAGE_SHAPE = {
    "start": "str",
    "stop": "str",
    "counted_ms": "int",
    "reason": "str",
    "parent": "NoneType",
    "short": "bool",
}
LINE_SHAPE = {
    "series": "str",
    "code": "str",
    "name": "str",
    "name_en": "str",
    "zone": "str",
    "availability_percent": "float",
    "available_ms": "int",
    "counted_ms": "int",
    "target_percent": "float",
    "result": "str",
    "coverage_percent": "float",
    "milliseconds": {str(each): "int" for each in Counted},
    "outages": "int",
    "mttr_ms": "int",
    "longest_ms": "int",
    "outage_list": [OUTAGE_SHAPE],
    "meeting_availability_percent": "float",
    "meeting_coverage_percent": "float",
    "meeting_available_ms": "int",
    "meeting_counted_ms": "int",
}


def test_the_shape_of_the_json_is_stable() -> None:
    """Programs rely on these names and types: a change here is a new ``schema``."""
    memory = frozen(replace(past(), held=[MEETING]))
    found = shape(json.loads(as_json(month_report(desk(memory), OCTOBER))))
    assert found["provinces"] == [LINE_SHAPE]
    assert found["country"] == LINE_SHAPE | {
        "code": "NoneType",
        "outage_list": [],
        "meeting_availability_percent": "NoneType",  # half of it was seen
    }
    assert set(found["centre"]) == set(LINE_SHAPE)
    del found["provinces"], found["country"], found["centre"]
    assert found == {
        "schema": "int",
        "month": "str",
        "zone": "str",
        "start": "str",
        "stop": "str",
        "counted_until": "str",
        "status": "str",
        "frozen_at": "str",
        "rules": {
            "target_percent": "float",
            "shortest_outage_ms": "int",
            "excluded_causes": [],
            "hours": "str",
            "office": {"start": "str", "stop": "str", "friday_stop": "str"},
            "days_off": {},
        },
        "formula": {"availability": "str", "coverage": "str", "mttr": "str", "meeting": "str"},
        "unwatched": ["str"],
        "amendments": [],
    }


def test_the_json_tells_exact_figures_and_corrections() -> None:
    """Numerator and denominator in whole milliseconds, times in UTC, corrections with signature."""
    data = json.loads(as_json(hostile()))
    aceh = data["provinces"][0]
    assert (aceh["available_ms"], aceh["counted_ms"]) == (2_662_600_000, 2_678_200_000)
    assert data["start"] == "2026-09-30T17:00:00.000Z"
    (correction,) = data["amendments"]
    assert (correction["counts"], correction["moved_ms"]) == (True, 200_000)
    assert len(correction["signature"]) == 64


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(0, "0"), (999, "0:00:00"), (61_000, "0:01:01"), (2_678_400_000, "744:00:00")],
)
def test_durations_are_cut_to_the_second(milliseconds: int, told: str) -> None:
    """Hours may be more than 24; less than a second isn't nothing."""
    assert lasting(milliseconds) == told
