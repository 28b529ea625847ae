"""A month that is frozen: written once as JSON, told for ever as it was written.

One page a series, and the page ``report`` with what they share: so the rules that a month was
counted by, its targets and its provinces' names stay with it whatever the settings say later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from vcmon.errors import ReportError
from vcmon.history.amendments import applied, seal
from vcmon.history.availability import Availability, Outage
from vcmon.history.month import Month
from vcmon.history.report import Desk, Line, Report, Rules, count_month
from vcmon.history.spans import milliseconds
from vcmon.model.memory import Cause, Counted
from vcmon.model.result import Reason

FORMAT = 1

HEAD = "report"
"""The page that the series share; no series is called so."""

LOOK_BACK = 12
"""Months that a freezing looks back: one that stood still for a year has nothing older to do."""


def month_report(desk: Desk, month: Month) -> Report:
    """The report of a month: as frozen, with its corrections, or counted anew.

    Raises ReportError for a month that has not begun, and for pages that can't be read.
    """
    pages = desk.memory.frozen(str(month))
    if pages is None:
        return count_month(desk, month)
    return thawed(desk, month, pages)


def pages_due(desk: Desk) -> dict[str, dict[str, str]]:
    """The pages of every month that is to be frozen now and is not yet, oldest first.

    A month is frozen from its freeze day on, and only once the memory is complete up to its end;
    one in which nothing at all was measured is not worth a page.
    """
    said = desk.settings.reports
    zone = ZoneInfo(said.zone)
    beat = desk.memory.heartbeat()
    this = Month.at(desk.now, zone)
    due = {}
    for back in range(LOOK_BACK, 0, -1):
        month = this.shifted(-back)
        ripe = month.shifted(1).begins(zone, said.freeze_day) <= milliseconds(desk.now)
        complete = beat is not None and milliseconds(beat) >= month.bounds(zone)[1]
        if not (ripe and complete) or desk.memory.frozen(str(month)) is not None:
            continue
        report = count_month(desk, month)
        if any(line.figure.counted for line in report.lines):
            due[str(month)] = pages_of(report, desk.now)
    return due


def pages_of(report: Report, at: float) -> dict[str, str]:
    """The pages of a report that is frozen at ``at`` (wall seconds)."""
    head = {
        "format": FORMAT,
        "month": str(report.month),
        "start": report.start,
        "stop": report.stop,
        "frozen_at": milliseconds(at),
        "target": str(report.target),
        "rules": {
            "zone": report.rules.zone,
            "hours": report.rules.hours,
            "office": list(report.rules.office),
            "shortest": report.rules.shortest,
            "excluded": [str(each) for each in report.rules.excluded],
        },
        "series": [line.series for line in report.lines],
        "unwatched": list(report.unwatched),
        "closed": {day.isoformat(): name for day, name in report.closed.items()},
    }
    return {HEAD: _dumps(head)} | {line.series: _dumps(_page(line)) for line in report.lines}


def _dumps(data: Mapping[str, Any]) -> str:
    """One way to write it: the bytes are what corrections are signed on."""
    return json.dumps(data, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _page(line: Line) -> dict[str, Any]:
    figure = line.figure
    return {
        "code": line.code,
        "name_id": line.name_id,
        "name_en": line.name_en,
        "zone": line.zone,
        "target": str(line.target),
        "milliseconds": _amounts(figure),
        "count": figure.count,
        "longest": figure.longest,
        "meetings": None if line.meetings is None else _amounts(line.meetings),
        "outages": [
            [each.start, each.stop, each.counted, str(each.reason), each.parent, each.short]
            for each in figure.outages
        ],
    }


def _amounts(figure: Availability) -> dict[str, int]:
    return {str(key): value for key, value in figure.milliseconds.items()}


def _read_amounts(page: Mapping[str, Any]) -> dict[Counted, int]:
    return dict.fromkeys(Counted, 0) | {Counted(key): int(value) for key, value in page.items()}


def thawed(desk: Desk, month: Month, pages: Mapping[str, str]) -> Report:
    """The report that frozen pages hold, corrected. Raises ReportError where they are spoilt."""
    try:
        head = json.loads(pages[HEAD])
        if head["format"] != FORMAT:
            raise ReportError(f"{month} was frozen by another version of vcmon")
        lines = {name: _line(name, json.loads(pages[name])) for name in head["series"]}
        report = _report(month, head, tuple(lines.values()))
    except (KeyError, TypeError, ValueError) as spoilt:
        raise ReportError(f"the frozen pages of {month} are spoilt: {spoilt!r}") from None
    return applied(report, seal(pages), desk.memory.amendments(str(month)))


def _report(month: Month, head: Mapping[str, Any], lines: tuple[Line, ...]) -> Report:
    rules = head["rules"]
    opens, closes, friday = rules["office"]
    return Report(
        month=month,
        start=head["start"],
        stop=head["stop"],
        until=head["stop"],
        rules=Rules(
            rules["zone"],
            rules["hours"],
            (opens, closes, friday),
            rules["shortest"],
            tuple(map(Cause, rules["excluded"])),
        ),
        target=Fraction(head["target"]),
        lines=lines,
        unwatched=tuple(head["unwatched"]),
        closed={date.fromisoformat(day): name for day, name in head["closed"].items()},
        frozen_at=head["frozen_at"] / 1000,
    )


def _line(series: str, page: Mapping[str, Any]) -> Line:
    met = page.get("meetings")  # a month of before was frozen without
    outages = tuple(
        Outage(start, stop, counted, Reason(reason), parent, short)
        for start, stop, counted, reason, parent, short in page["outages"]
    )
    amounts = _read_amounts(page["milliseconds"])
    figure = Availability(amounts, outages, page["count"], page["longest"])
    return Line(
        series,
        page["code"],
        page["name_id"],
        page["name_en"],
        page["zone"],
        Fraction(page["target"]),
        figure,
        None if met is None else Availability(_read_amounts(met)),
    )
