#!/usr/bin/env python3
"""Writes what the tests measured (build/figures.jsonl) into the table of docs/figures.md.

The newest figure of each id wins; a figure of an id that was not measured this time is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "build" / "figures.jsonl"
PAGE = ROOT / "docs" / "figures.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEAD = ("id", "figure", "limit", "kept", "commit")


def measured(text: str) -> dict[str, tuple[str, ...]]:
    """The newest row of each id in ``text``, one JSON object a line."""
    rows: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        found = json.loads(line)
        kept = "yes" if found["pass"] else "**no**"
        rows[found["id"]] = (found["id"], found["figure"], found["limit"], kept, found["commit"])
    return rows


def tabled(table: str) -> dict[str, tuple[str, ...]]:
    """The rows that a page's table already holds."""
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return {row[0]: row for row in rows if len(row) == len(HEAD)}


def table(rows: dict[str, tuple[str, ...]]) -> str:
    """Markdown, sorted by id; a bar in a figure would end its cell."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    clean = ([cell.replace("|", "/") for cell in row] for row in sorted(rows.values()))
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in clean)])


def renewed(page: str, text: str) -> str:
    """The page with the figures of ``text`` between its marks."""
    head, _, rest = page.partition(BEGIN)
    old, _, tail = rest.partition(END)
    rows = tabled(old) | measured(text)
    return f"{head}{BEGIN}\n{table(rows)}\n{END}{tail}"


def main() -> None:
    if not MEASURED.exists():
        sys.exit("error: nothing was measured yet; run: make test")
    PAGE.write_text(renewed(PAGE.read_text(), MEASURED.read_text()))
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is up to date\n")


if __name__ == "__main__":
    main()
