"""Corrections of a frozen month: appended, signed one upon the other, never hidden.

What is frozen is never written again. A correction moves time from one count to another, says who
asks for it and why, and carries the hash of everything before it: the frozen pages, then each
correction. Whoever changes, drops or reorders any of them breaks the chain from there on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vcmon.errors import ReportError
from vcmon.history.availability import Availability
from vcmon.history.report import Correction, Report
from vcmon.history.spans import milliseconds
from vcmon.model.memory import Amendment

LONGEST_TEXT = 500
"""Characters of a reason: a sentence or two, for one line of a report."""


def seal(pages: Mapping[str, str]) -> str:
    """The hash of a frozen month's pages: what the first correction is signed upon."""
    return _hash([sorted(pages.items())])


def signed(amendment: Amendment, before: str) -> Amendment:
    """The amendment with its signature, upon the one before (or upon the month's seal)."""
    content = [
        before,
        amendment.month,
        amendment.series,
        milliseconds(amendment.at),
        amendment.author,
        amendment.reason,
        amendment.milliseconds,
        str(amendment.source),
        str(amendment.target),
        amendment.outages,
    ]
    return replace(amendment, signature=_hash(content))


def _hash(content: Sequence[object]) -> str:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def proposed(report: Report, pages: Mapping[str, str], amendment: Amendment) -> Amendment:
    """A new correction of the month that ``report`` tells, checked and signed, to be appended.

    ``pages`` are the month's frozen ones. Raises ReportError where it can't be, or would not count.
    """
    if report.frozen_at is None:
        raise ReportError(f"{report.month} is not frozen yet: set the incident's cause instead")
    if not amendment.author.strip() or not amendment.reason.strip():
        raise ReportError("a correction needs a name and a reason")
    if len(amendment.author) > LONGEST_TEXT or len(amendment.reason) > LONGEST_TEXT:
        raise ReportError(f"name and reason may have {LONGEST_TEXT} characters each")
    if any(each.trouble == "signature" for each in report.corrections):
        raise ReportError(f"the corrections of {report.month} were tampered with")
    figure = next((each.figure for each in report.lines if each.series == amendment.series), None)
    if figure is None:
        raise ReportError(f"{amendment.series} is not in the report of {report.month}")
    if _corrected(figure, amendment) is None or amendment.month != str(report.month):
        there = figure.milliseconds[amendment.source] / 1000
        raise ReportError(
            f"of {there:g} s {amendment.source} and {figure.count} outages in {report.month} this "
            "would move too much, or leave outages without time"
        )
    last = report.corrections[-1].amendment.signature if report.corrections else seal(pages)
    return signed(amendment, last)


def applied(report: Report, sealed: str, amendments: Sequence[Amendment]) -> Report:
    """The report with all corrections that hold; those that don't are told, and why."""
    figures = {line.series: line.figure for line in report.lines}
    corrections, before, broken = [], sealed, False
    for each in amendments:
        broken = broken or signed(each, before).signature != each.signature
        before = each.signature
        figure = None if broken else _corrected(figures.get(each.series), each)
        if figure is not None:
            figures[each.series] = figure
        trouble = "signature" if broken else "" if figure is not None else "amount"
        corrections.append(Correction(each, trouble))
    lines = tuple(replace(line, figure=figures[line.series]) for line in report.lines)
    return replace(report, lines=lines, corrections=tuple(corrections))


def _corrected(figure: Availability | None, amendment: Amendment) -> Availability | None:
    """The figure after the correction; None where there is not so much to move."""
    moved, source, target = amendment.milliseconds, amendment.source, amendment.target
    if figure is None or source is target or not 0 < moved <= figure.milliseconds[source]:
        return None
    count = figure.count + amendment.outages
    amounts = dict(figure.milliseconds)
    amounts[source] -= moved
    amounts[target] += moved
    found = replace(figure, milliseconds=amounts, count=count)
    if count < 0 or (count == 0) != (found.bad == 0):
        return None
    return replace(found, longest=min(figure.longest, found.bad))
