"""The report as CSV and JSON, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from vcmon.history.availability import Outage
from vcmon.history.report import CENTRE, Correction, Line, Report
from vcmon.history.spans import milliseconds
from vcmon.model.memory import Counted
from vcmon.views import words
from vcmon.views.report_words import BAHASA, COUNTS, ENGLISH, Tongue, cut_percent, instant

SCHEMA = 1
"""Of the JSON; it grows when a name goes or changes its meaning, not when one is added."""

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for Windows-1252."""

DIALECTS: Mapping[str, tuple[Tongue, str]] = {"id": (BAHASA, ";"), "iso": (ENGLISH, ",")}
"""``id`` as Excel reads it in Indonesia: semicolons, decimal commas; ``iso`` for programs."""

STEERING = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell instead of showing it."""

HEADERS: tuple[tuple[str, str], ...] = (
    ("Bulan", "month"),
    ("Kode", "code"),
    ("Provinsi", "province"),
    ("Zona waktu", "time_zone"),
    ("Ketersediaan (%)", "availability_percent"),
    ("Sasaran (%)", "target_percent"),
    ("Hasil", "result"),
    ("Cakupan (%)", "coverage_percent"),
    *((f"{word} (detik)", f"{counted}_seconds") for counted, word in COUNTS.items()),
    ("Gangguan", "outages"),
    ("MTTR (detik)", "mttr_seconds"),
    ("Terlama (detik)", "longest_seconds"),
    ("Status", "status"),
    ("Ketersediaan selama rapat (%)", "meeting_availability_percent"),
    ("Cakupan selama rapat (%)", "meeting_coverage_percent"),
    ("Rapat terukur (detik)", "meeting_counted_seconds"),
)


def as_csv(report: Report, dialect: str) -> str:
    """One line a province, the country first, the Centre last; with a byte order mark.

    Percentages are cut after two decimals, seconds have three. What is not known is empty.
    """
    tongue, comma = DIALECTS[dialect]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=comma, lineterminator="\r\n")
    writer.writerow([header[tongue.place] for header in HEADERS])
    for line in (report.country, *report.lines):
        writer.writerow([harmless(cell) for cell in _cells(report, line, tongue)])
    return BOM + out.getvalue()


def harmless(cell: str) -> str:
    """The cell so that a spreadsheet shows it, whatever it begins with."""
    return f"'{cell}" if cell.startswith(STEERING) else cell


def _cells(report: Report, line: Line, tongue: Tongue) -> Iterator[str]:
    figure = line.figure
    whole = line.series == report.country.series
    yield str(report.month)
    yield words.clean(line.code)
    yield tongue.say("country") if whole else tongue.name(line)
    yield line.zone
    yield _percent(figure.ratio, tongue)
    yield tongue.exact_percent(line.target).removesuffix(" %")
    yield _result(line) if tongue is ENGLISH else tongue.say(_verdict(line))
    yield _percent(figure.coverage, tongue)
    for counted in COUNTS:
        yield _seconds(figure.milliseconds[counted], tongue)
    yield str(figure.count)
    yield "" if figure.mttr is None else _seconds(int(figure.mttr), tongue)
    yield _seconds(figure.longest, tongue) if figure.count else ""
    yield _standing(report) if tongue is ENGLISH else STANDINGS[_standing(report)]
    met = line.meetings
    yield _percent(line.in_meetings, tongue)
    yield _percent(None if met is None else met.coverage, tongue)
    yield "" if met is None else _seconds(met.counted, tongue)


STANDINGS = {"frozen": "dibekukan", "running": "bulan berjalan", "provisional": "sementara"}


def _standing(report: Report) -> str:
    if report.frozen_at is not None:
        return "frozen"
    return "running" if report.until < report.stop else "provisional"


def _verdict(line: Line) -> str:
    return {True: "met", False: "missed", None: "scarce"}[line.met]


def _result(line: Line) -> str:
    return {True: "met", False: "missed", None: "insufficient_data"}[line.met]


def _percent(share: Fraction | None, tongue: Tongue) -> str:
    return "" if share is None else tongue.decimal(cut_percent(share))


def _seconds(amount: int, tongue: Tongue) -> str:
    return tongue.decimal(f"{amount // 1000}.{amount % 1000:03d}")


def as_json(report: Report) -> str:
    """Everything, exactly: milliseconds as whole numbers, times in RFC 3339 UTC, null: unknown."""
    centre = [each for each in report.lines if each.series == f"province:{CENTRE}"]
    data = {
        "schema": SCHEMA,
        "month": str(report.month),
        "zone": report.rules.zone,
        "start": time_text(report.start),
        "stop": time_text(report.stop),
        "counted_until": time_text(report.until),
        "status": _standing(report),
        "frozen_at": None
        if report.frozen_at is None
        else time_text(milliseconds(report.frozen_at)),
        "rules": _rules(report),
        "formula": {
            "availability": "(up + degraded + short) / (up + degraded + short + down + "
            "unreachable), cut after two decimals",
            "coverage": "measured / (measured + unknown), measured being the denominator above",
            "mttr": "(down + unreachable) / outages",
            "meeting": "availability over the hours of the meetings alone, every outage counted; "
            "null under 95 % coverage",
        },
        "country": _line(report.country),
        "provinces": [_line(each) for each in report.provinces],
        "centre": _line(centre[0]) if centre else None,
        "unwatched": [words.clean(each) for each in report.unwatched],
        "amendments": [_amendment(each) for each in report.corrections],
    }
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _rules(report: Report) -> dict[str, Any]:
    rules = report.rules
    opens, closes, friday = rules.office
    return {
        "target_percent": float(report.target * 100),
        "shortest_outage_ms": rules.shortest,
        "excluded_causes": [str(each) for each in rules.excluded],
        "hours": rules.hours,
        "office": {"start": opens, "stop": closes, "friday_stop": friday},
        "days_off": {day.isoformat(): name for day, name in report.closed.items()},
    }


def _line(line: Line) -> dict[str, Any]:
    figure, met = line.figure, line.meetings
    return {
        "series": line.series,
        "code": words.clean(line.code) or None,
        "name": words.clean(line.name_id),
        "name_en": words.clean(line.name_en),
        "zone": line.zone,
        "availability_percent": _cut(figure.ratio),
        "available_ms": figure.good,
        "counted_ms": figure.counted,
        "target_percent": float(line.target * 100),
        "result": _result(line),
        "coverage_percent": _cut(figure.coverage),
        "milliseconds": {str(each): figure.milliseconds[each] for each in Counted},
        "outages": figure.count,
        "mttr_ms": None if figure.mttr is None else int(figure.mttr),
        "longest_ms": figure.longest if figure.count else None,
        "outage_list": [outage_object(each) for each in figure.outages],
        "meeting_availability_percent": _cut(line.in_meetings),
        "meeting_coverage_percent": None if met is None else _cut(met.coverage),
        "meeting_available_ms": None if met is None else met.good,
        "meeting_counted_ms": None if met is None else met.counted,
    }


def _cut(share: Fraction | None) -> float | None:
    return None if share is None else float(cut_percent(share))


def outage_object(outage: Outage) -> dict[str, Any]:
    """One outage as JSON has it."""
    return {
        "start": time_text(outage.start),
        "stop": None if outage.stop is None else time_text(outage.stop),
        "counted_ms": outage.counted,
        "reason": str(outage.reason),
        "parent": outage.parent,
        "short": outage.short,
    }


def _amendment(correction: Correction) -> dict[str, Any]:
    said = correction.amendment
    return {
        "series": said.series,
        "at": time_text(milliseconds(said.at)),
        "author": words.clean(said.author),
        "reason": words.clean(said.reason, 500),
        "moved_ms": said.milliseconds,
        "from": str(said.source),
        "to": str(said.target),
        "outages": said.outages,
        "signature": said.signature,
        "counts": not correction.trouble,
        "trouble": correction.trouble or None,
    }


def time_text(at: int) -> str:
    """Milliseconds as RFC 3339, UTC."""
    return f"{instant(at):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
