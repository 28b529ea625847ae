"""Inventory files: CSV as offices keep it, or YAML with the same columns, as rows of text."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vcmon.config.document import Document, dotted, parse_document, text_scalar
from vcmon.config.report import Place, Report
from vcmon.config.source import Source
from vcmon.config.text import shown

COLUMNS = (
    "id",
    "province",
    "site",
    "role",
    "address",
    "checks",
    "depends_on",
    "medium",
    "provider",
    "contact",
)
NEEDED = ("id", "province", "role", "address", "checks")

MAX_LINE = 16_384
"""Characters of one CSV line: all columns at their own bounds come to less."""

_LIST_COLUMNS = frozenset({"checks", "depends_on"})
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint as written: cells by column (empty ones left out), and where they stand."""

    file: str
    line: int
    cells: Mapping[str, str]
    lines: Mapping[str, int]  # YAML: the line of each key; CSV: empty, all is on ``line``

    def at(self, column: str) -> Place:
        """The place of one cell."""
        return Place(self.file, self.lines.get(column, self.line), column)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file; ``complete`` is False where some could not be read."""

    rows: tuple[Row, ...]
    complete: bool


def read_rows(source: Source, report: Report) -> Rows:
    """All rows of an inventory file, by its suffix; what is wrong goes into the report."""
    before = len(report.problems)
    suffix = source.path.suffix.lower()
    if suffix == ".csv":
        rows = tuple(_csv_rows(source, report))
    elif suffix in {".yaml", ".yml"}:
        rows = tuple(_yaml_rows(source, report))
    else:
        rows = ()
        report.add(source.at(0), "expected an inventory named .csv, .yaml or .yml; rename it")
    return Rows(rows, complete=len(report.problems) == before)


# --- CSV ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CsvLine:
    """One line of a CSV file; ``cells`` is empty for blank lines and comments."""

    number: int
    text: str
    cells: Sequence[str]


def csv_lines(source: Source, report: Report) -> Iterator[CsvLine]:
    """Every line of a CSV file, each read by itself: one unclosed quote spoils one line only.

    A line whose first character (after a quote that Excel may add) is ``#`` is a comment.
    """
    delimiter = ""
    for number, line in enumerate(_LINE_END.split(source.text), start=1):
        if not line.strip(" \t,;") or line.lstrip(' \t"').startswith("#"):
            yield CsvLine(number, line, ())
            continue
        if not delimiter:
            delimiter = ";" if line.count(";") > line.count(",") else ","
        if len(line) > MAX_LINE:
            report.add(source.at(number), f"expected at most {MAX_LINE} characters in a line")
            continue
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            what = f"{error}: close the quote (\") in this line; a cell can't span lines"
            report.add(source.at(number), what)
            continue
        yield CsvLine(number, line, [cell.strip() for cell in cells])


def _csv_rows(source: Source, report: Report) -> Iterator[Row]:
    header: list[str] | None = None
    for line in csv_lines(source, report):
        if not line.cells:
            continue
        if header is None:
            header = [cell.casefold() for cell in line.cells]
            if not check_header(source.at(line.number), header, report):
                return
        elif len(line.cells) != len(header):
            report.add(
                source.at(line.number),
                f"expected {len(header)} columns as in the header, found {len(line.cells)}; "
                "is the line cut short, or a comma inside a cell without quotes?",
            )
        else:
            cells = {name: cell for name, cell in zip(header, line.cells, strict=True) if cell}
            yield Row(source.name, line.number, cells, {})
    if header is None:
        report.add(source.at(1), f"expected a header line: {','.join(COLUMNS)}; found nothing")


def check_header(at: Place, header: Sequence[str], report: Report) -> bool:
    """Whether rows under this header can be read; what is wrong with it goes into the report."""
    for name, count in Counter(header).items():
        if name not in COLUMNS:
            hint = report.nearest(name, COLUMNS)
            known = ", ".join(COLUMNS)
            report.add(at, f"unknown column {shown(name)}; known are {known}{hint}")
        elif count > 1:
            report.add(at, f"column {shown(name)} stands here {count} times: keep one")
    missing = [name for name in NEEDED if name not in header]
    if missing:
        report.add(at, f"missing columns: {', '.join(missing)} (needed: {', '.join(NEEDED)})")
    return not missing and len(set(header)) == len(header)


# --- YAML --------------------------------------------------------------------------------------


def _yaml_rows(source: Source, report: Report) -> Iterator[Row]:
    document = parse_document(source, report, text_scalar)
    if document is None:
        return
    entries: Any = document.data
    root: tuple[str, ...] = ()
    if isinstance(entries, dict):
        for key in entries:
            if key != "endpoints":
                place = source.at(document.line((key,)), key)
                report.add(place, "unknown key; an inventory has the one key 'endpoints'")
        entries, root = entries.get("endpoints"), ("endpoints",)
    if not isinstance(entries, list):
        report.add(source.at(1), f"expected a list of endpoints, found {shown(entries)}")
        return
    for index, entry in enumerate(entries):
        row = _yaml_row((document, source, report), (*root, index), entry)
        if row is not None:
            yield row


def _yaml_row(
    at: tuple[Document, Source, Report], loc: tuple[str | int, ...], entry: Any
) -> Row | None:
    document, source, report = at
    line = document.line(loc)
    if not isinstance(entry, dict):
        report.add(source.at(line, dotted(loc)), f"expected columns, found {shown(entry)}")
        return None
    cells: dict[str, str] = {}
    for key, value in entry.items():
        place = source.at(document.line((*loc, key)), key)
        text = " ".join(value) if key in _LIST_COLUMNS and _texts(value) else value
        if key not in COLUMNS:
            hint = report.nearest(key, COLUMNS)
            report.add(place, f"unknown column; known are {', '.join(COLUMNS)}{hint}")
        elif isinstance(text, str):
            if text.strip():
                cells[key] = text.strip()
        elif text is not None:
            report.add(place, f"expected text, found {shown(text)}")
    lines = {key: document.line((*loc, key)) for key in entry}
    return Row(source.name, line, cells, lines)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
