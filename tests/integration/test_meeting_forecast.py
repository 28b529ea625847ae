"""The forecast over HTTP: on a sitting's page and in the API until it begins, read seldom."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.meetings import SLUGS, START, first_of, keep, meeting_world, remember, weekly
from tests.fakes.snapshots import NOW, World

ID = first_of(weekly()).id
PAGE = f"/rapat/{ID}"

USUAL = "<span>biasanya siap </span><b>90 % (85–96 %)</b><span>, 52 minggu</span>"


def with_a_year(folder: Path, start: float = START) -> World:
    """The sitting's country, 52 weeks of each province in its memory."""
    meeting = weekly(start)
    remember(folder / "m.db", first_of(meeting))
    return meeting_world(folder, meeting)


async def test_before_it_begins_its_page_tells_how_it_usually_is(tmp_path: Path) -> None:
    """Per province, in both languages, as a forecast; the verdicts are as without."""
    world = await asyncio.to_thread(with_a_year, tmp_path)
    async with serving(world) as browser:
        page = (await browser.ask(PAGE)).text
        english = (await browser.ask(f"/en{PAGE}")).text
        told = (await browser.ask(f"/api/v1/meetings/{ID}")).json
    assert "34 dari 38 siap, 3 wajib belum" in page
    assert page.count(USUAL) + page.count("biasanya siap </span><b>88 % (83–94 %)") == 38
    assert "Tidak mengubah penilaian." in page
    assert "usually ready </span><b>90 % (85–96 %)</b>" in english
    assert "It changes no verdict." in english
    assert [each["province"] for each in told["forecast"]] == list(SLUGS)
    assert told["forecast"][0] == {
        "province": "aceh",
        "chance": 0.9072,
        "low": 0.855,
        "high": 0.953,
        "weeks": 52,
        "ready_weeks": 47,
    }
    assert told["roll"]["ready"] == 34


@pytest.mark.parametrize(("start", "year"), [(NOW, True), (NOW - 1800, True), (START, False)])
async def test_no_forecast_is_told(tmp_path: Path, start: float, year: bool) -> None:
    """From its first second on there is no forecast; nor of a memory of a day."""
    make = with_a_year if year else (lambda folder, at: meeting_world(folder, weekly(at)))
    world = await asyncio.to_thread(make, tmp_path, start)
    name = first_of(weekly(start)).id
    async with serving(world) as browser:
        page = (await browser.ask(f"/rapat/{name}")).text
        told = (await browser.ask(f"/api/v1/meetings/{name}")).json
    assert "dari 38 siap" in page
    assert "iasanya siap" not in page
    assert told["forecast"] == []


async def test_a_forecast_is_kept_until_the_meeting_changes(tmp_path: Path) -> None:
    """Asked again, the year is not read again; of another roster it is."""
    world = await asyncio.to_thread(with_a_year, tmp_path)
    path = f"/api/v1/meetings/{ID}"
    async with serving(world) as browser:
        first = (await browser.ask(path)).json["forecast"]
        world.file = tmp_path / "young.db"
        await asyncio.to_thread(keep, world.file, first_of(weekly()), NOW)
        again = (await browser.ask(path)).json["forecast"]
        world.agenda = (weekly(title="Rapat lain"),)
        anew = (await browser.ask(path)).json["forecast"]
    assert len(first) == 38
    assert again == first
    assert anew == []
