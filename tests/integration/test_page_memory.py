"""A page asks no disk: it is the same, and as fast, while the memory can't be used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.past import eventful
from tests.fakes.snapshots import mixed
from vcmon.errors import HistoryError
from vcmon.history.memory import Memory


@pytest.mark.parametrize("path", ["/", "/en/", "/?jeda", "/papan"])
async def test_page_is_whole_while_the_memory_cannot_be_used(tmp_path: Path, path: str) -> None:
    """A file that is no database, and a reader that raises: bars and incidents are on the page."""
    asked = []

    def broken() -> Memory | None:
        asked.append(path)
        raise HistoryError("the disk is gone")

    world = replace(eventful(mixed()), memory=broken, file=tmp_path / "gone" / "m.db")
    async with serving(world) as browser:
        reply = await browser.ask(path)
        report = await browser.ask("/laporan/2026-10")
    assert reply.status == 200
    assert report.status == 503
    assert asked == [path]  # by the report alone
    if path != "/papan":
        assert len(re.findall('class="bar"', reply.text)) == 37
        assert "Sari Wulandari" in reply.text
