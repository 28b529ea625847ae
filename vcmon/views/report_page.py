"""The report as a page for A4 paper: facts in, words out; no script, no style of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment

from vcmon.history.availability import BAD, GOOD, Availability, Outage
from vcmon.history.month import FIRST
from vcmon.history.report import Correction, Line, Report, Rules
from vcmon.history.spans import milliseconds
from vcmon.model.memory import Counted
from vcmon.views import words
from vcmon.views.report_words import COUNTS, NONE, Tongue, lasting

STYLE = (Path(__file__).parent / "static" / "report.css").read_text("utf-8")
"""Read with the program: no file is touched once the loop runs."""

OUTAGES_MAX = 500
"""Rows of the list on paper, some ten sheets; all of them are in the JSON."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One line of the table, in words."""

    kind: str  # a class: "country", "centre" or ""
    code: str
    name: str
    availability: str
    target: str
    verdict: str  # a class: met, missed or scarce
    result: str
    coverage: str
    times: tuple[str, ...]
    outages: int
    mttr: str
    longest: str
    meetings: str  # the availability in meeting hours


@dataclass(frozen=True, slots=True)
class Fall:
    """One outage of the list, in words; its times by the province's own clock."""

    name: str
    start: str
    end: str
    length: str
    counted: str
    cause: str


@dataclass(frozen=True, slots=True)
class Dress:
    """How the page is dressed: linked styles on the server, embedded ones in a file."""

    stylesheets: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)  # where to go from here, by word


def document(environment: Environment, report: Report, tongue: Tongue, dress: Dress) -> str:
    """The whole page."""
    template = environment.get_template("report.html")
    return template.render(dress=dress, tongue=tongue, say=tongue.say, **_facts(report, tongue))


def links_of(report: Report, tongue: Tongue) -> dict[str, str]:
    """Where a page on the server leads."""
    month, home = report.month, tongue.home
    other = Tongue(1 - tongue.place)
    found = {"CSV": f"/laporan/{month}.csv", "JSON": f"/laporan/{month}.json"}
    if month.year > FIRST:
        found[tongue.say("before")] = f"{home}/{month.shifted(-1)}"
    if report.until == report.stop:
        found[tongue.say("after")] = f"{home}/{month.shifted(1)}"
    return found | {
        other.own_name: f"{other.home}/{month}",
        tongue.say("home"): "/",
    }


def _facts(report: Report, tongue: Tongue) -> dict[str, Any]:
    columns = [
        each for each in COUNTS if each is not Counted.OUTSIDE or report.rules.hours == "office"
    ]
    zone = ZoneInfo(report.rules.zone)
    falls = list(_falls(report, tongue))
    country = report.country
    return {
        "month": tongue.month(report.month),
        "begins": tongue.moment(report.start, zone),
        "ends": tongue.moment(report.stop, zone),
        "standing": _standing(report, tongue, zone),
        "broken": any(each.trouble == "signature" for each in report.corrections),
        "columns": [tongue.count(each) for each in columns],
        "lines": [
            _cells(country, "country", columns, tongue),
            *(_cells(each, _kind(each), columns, tongue) for each in report.lines),
        ],
        "rules": list(_rules(report.rules, tongue)),
        "example": _example(country.figure, tongue),
        "closed": [f"{_day(day, tongue)} ({name})" for day, name in report.closed.items()],
        "falls": falls[:OUTAGES_MAX],
        "left": len(falls[OUTAGES_MAX:]),
        "corrections": [_correction(each, report, tongue) for each in report.corrections],
        "unwatched": [words.clean(each) for each in report.unwatched],
    }


def _standing(report: Report, tongue: Tongue, zone: ZoneInfo) -> str:
    """How final the figures are."""
    if report.frozen_at is not None:
        told = [f"{tongue.say('frozen')} {tongue.moment(milliseconds(report.frozen_at), zone)}"]
        if count := sum(not each.trouble for each in report.corrections):
            told.append(tongue.say("corrected", count))
        return ", ".join(told)
    if report.until < report.stop:
        return f"{tongue.say('running')} {tongue.moment(report.until, zone)}"
    return tongue.say("provisional")


def _kind(line: Line) -> str:
    return "" if line.code else "centre"


def _cells(line: Line, kind: str, columns: list[Counted], tongue: Tongue) -> Cells:
    figure = line.figure
    verdict = {True: "met", False: "missed", None: "scarce"}[line.met]
    return Cells(
        kind=kind,
        code=words.clean(line.code, 8),
        name=tongue.say("country") if kind == "country" else tongue.name(line),
        availability=tongue.percent(figure.ratio),
        target=tongue.exact_percent(line.target),
        verdict=verdict,
        result=tongue.say(verdict),
        coverage=tongue.percent(figure.coverage),
        times=tuple(lasting(figure.milliseconds[each]) for each in columns),
        outages=figure.count,
        mttr=NONE if figure.mttr is None else lasting(int(figure.mttr)),
        longest=lasting(figure.longest) if figure.count else NONE,
        meetings=tongue.percent(line.in_meetings),
    )


def _rules(rules: Rules, tongue: Tongue) -> Iterator[str]:
    """The rules that were set, a sentence each."""
    if rules.hours == "office":
        times = rules.office if tongue.place else [each.replace(":", ".") for each in rules.office]
        yield tongue.say("office", *times)
    else:
        yield tongue.say("whole")
    yield tongue.say("shortest", lasting(rules.shortest)) if rules.shortest else tongue.say("every")
    causes = ", ".join(tongue.cause(each) for each in rules.excluded)
    yield tongue.say("causes", causes) if causes else tongue.say("all causes")


def _example(figure: Availability, tongue: Tongue) -> str:
    """The formula with the country's own seconds, so that anybody can do the sum again."""
    if figure.ratio is None:
        return NONE
    seconds = {each: tongue.decimal(f"{figure.milliseconds[each] / 1000:.3f}") for each in Counted}
    above = " + ".join(seconds[each] for each in GOOD)
    below = " + ".join(seconds[each] for each in (*GOOD, *BAD))
    return f"({above}) ÷ ({below}) = {tongue.percent(figure.ratio)}"


def _day(day: date, tongue: Tongue) -> str:
    return f"{day.day}/{day.month}" if tongue.place else f"{day.day}-{day.month}"


def _falls(report: Report, tongue: Tongue) -> Iterator[Fall]:
    for line in report.lines:
        for outage in line.figure.outages:
            yield _fall(line, outage, report.until, tongue)


def _fall(line: Line, outage: Outage, until: int, tongue: Tongue) -> Fall:
    zone = ZoneInfo(line.zone)
    stop = outage.stop
    cause = tongue.reason(outage.reason)
    if outage.parent:
        cause += f" ({tongue.say('parent')} {words.clean(outage.parent)})"
    return Fall(
        name=tongue.name(line),
        start=tongue.moment(outage.start, zone, seconds=True),
        end=tongue.say("open") if stop is None else tongue.moment(stop, zone, seconds=True),
        length=lasting((until if stop is None else stop) - outage.start),
        counted=tongue.say("short note") if outage.short else lasting(outage.counted),
        cause=cause,
    )


def _correction(correction: Correction, report: Report, tongue: Tongue) -> dict[str, str]:
    said = correction.amendment
    names = {line.series: tongue.name(line) for line in report.lines}
    source, target = (tongue.count(each).lower() for each in (said.source, said.target))
    moved = tongue.decimal(f"{said.milliseconds / 1000:.3f}")
    outages = f"; {tongue.say('outages').lower()} {said.outages:+d}" if said.outages else ""
    return {
        "at": tongue.moment(milliseconds(said.at), ZoneInfo(report.rules.zone)),
        "name": names.get(said.series, words.clean(said.series)),
        "moved": f"{moved} s: {source} → {target}{outages}",
        "by": words.clean(said.author),
        "why": words.clean(said.reason, 500),
        "state": tongue.say(correction.trouble or "valid"),
        "trouble": correction.trouble,
        "signature": said.signature[:12],
    }
