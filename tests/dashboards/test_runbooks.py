"""The runbooks: what they tell somebody to type can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.dashboards.story import alerts
from vcmon.cli import cli

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("Vcmon*.md"))
PARTS = ("**What it means.**", "**Look first**", "```console\n$ ", "**Whom to call.**")


def commands(text: str) -> list[str]:
    """Every command of a page."""
    return re.findall(r"^\$ (.*?)(?:\s{2,}#.*)?$", text, re.MULTILINE)


def missing(command: str) -> str:
    """Which word of a vcmon command its command line does not know; ""."""
    words = shlex.split(command)[1:]
    found: Any = typer.main.get_command(cli)
    while hasattr(found, "commands") and words:
        name = words.pop(0)
        if name not in found.commands:
            return name
        found = found.commands[name]
    options = {option for each in found.params for option in each.opts}
    return next((w for w in words if w.startswith("-") and w not in options), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_its_parts(page: Path) -> None:
    """In their order, on one screen; every vcmon command and option in it exists."""
    text = page.read_text()
    places = [text.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    assert len(text.splitlines()) <= 30
    ours = [each for each in commands(text) if each.startswith("vcmon ")]
    assert [missing(each) for each in ours] == [""] * len(ours)


def test_the_index_tells_the_severity() -> None:
    """As the rules have it."""
    index = (FOLDER / "README.md").read_text()
    for alert in alerts():
        assert f"[{alert.name}]({alert.name}.md) | {alert.severity} |" in index
