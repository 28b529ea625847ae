"""The minutes of a sitting as a page for one sheet of A4: facts in, words out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from jinja2 import Environment

from vcmon.history.availability import Outage
from vcmon.history.spans import milliseconds
from vcmon.model.memory import Counted
from vcmon.readiness.minutes import Minutes, Row
from vcmon.views import meeting_words as told
from vcmon.views import words
from vcmon.views.meeting_head import head_of
from vcmon.views.meeting_roll import Look, Mark, mark_of
from vcmon.views.report_words import cut_percent, lasting

SHEETS = ("vcmon.css", "rincian.css", "rapat.css")
"""The styles of the page, in their order."""

FALLS_MAX = 200
"""Outages in the list on paper; all of them are in the JSON."""


@dataclass(frozen=True, slots=True)
class Dress:
    """How the page is dressed: linked styles on the server, embedded ones in a file."""

    stylesheets: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)  # where to go from here, by word


@dataclass(frozen=True, slots=True)
class Cells:
    """One province, in words."""

    name: str
    required: bool
    mark: Mark | None
    glyph: str  # of its readiness at the start
    readiness: str
    availability: str
    lost: str  # ``0:02:05``; "" for none
    outages: int
    unknown: str  # likewise, what nobody saw


@dataclass(frozen=True, slots=True)
class Fall:
    """One outage, to the second, by Jakarta's clock."""

    name: str
    start: str
    stop: str
    counted: str


def document(environment: Environment, it: Minutes, look: Look, dress: Dress) -> str:
    """The whole page."""
    tongue = look.tongue
    falls = list(_falls(it, look))
    facts: dict[str, Any] = {
        "dress": dress,
        "tongue": tongue,
        "say": tongue.say,
        "head": head_of(it.sitting, it.at, tongue),
        "at": tongue.moment(it.at, it.at),
        "until": tongue.clock(it.until),
        "final": it.final,
        "present": it.present,
        "absent": it.required_absent,
        "all": len(it.rows),
        "whole": _percent(it.whole.ratio, look),
        "rows": [_cells(row, look) for row in it.rows],
        "checkpoints": [
            (
                told.checkpoint_of(roll.checkpoint or 0.0, tongue),
                tongue.say("terlewat") if roll.missed else f"{roll.ready}/{len(roll.verdicts)}",
            )
            for roll in it.rolls
        ],
        "falls": falls[:FALLS_MAX],
        "left": len(falls[FALLS_MAX:]),
    }
    return environment.get_template("berita_acara.html").render(**facts)


def _cells(row: Row, look: Look) -> Cells:
    verdict, figure = row.at_start, row.figure
    unknown = figure.milliseconds[Counted.UNKNOWN]
    return Cells(
        name=look.name(row.province),
        required=row.required,
        mark=mark_of(row.mark, look) if row.mark else None,
        glyph=told.GLYPHS[verdict.readiness].value if verdict else "",
        readiness=look.tongue.say(told.READINESS[verdict.readiness]) if verdict else "",
        availability=_percent(figure.ratio, look),
        lost=lasting(figure.bad) if figure.bad else "",
        outages=figure.count,
        unknown=lasting(unknown) if unknown else "",
    )


def _percent(share: Fraction | None, look: Look) -> str:
    if share is None:
        return words.NOTHING
    return cut_percent(share).replace(".", look.tongue.comma) + " %"


def _falls(it: Minutes, look: Look) -> Iterator[Fall]:
    for row in it.rows:
        for outage in row.figure.outages:
            if outage.counted:
                yield _fall(row, outage, it, look)


def _fall(row: Row, outage: Outage, it: Minutes, look: Look) -> Fall:
    tongue, start = look.tongue, milliseconds(it.sitting.start)
    stop = outage.stop
    before = outage.start < start
    after = stop is None or stop > milliseconds(it.until)
    return Fall(
        name=look.name(row.province),
        start=tongue.say("sebelum rapat") if before else tongue.clock(outage.start / 1000),
        stop=tongue.say("sampai akhir") if after or stop is None else tongue.clock(stop / 1000),
        counted=lasting(outage.counted),
    )
