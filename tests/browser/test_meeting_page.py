"""Meetings in a real browser: the roll called by keyboard and without a script, axe, a telephone's
screen, one sheet of A4, and a page that lives.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_axe import violations
from tests.browser.test_live import down
from tests.browser.test_page import CONTRAST, View, looking, size, width_of
from tests.fakes.figures import record
from tests.fakes.meetings import (
    EVERY_DOUBT,
    LOST,
    SLUGS,
    first_of,
    keep,
    marked,
    meeting_world,
    remember,
    roll_of,
    weekly,
)
from tests.fakes.signing import PASSWORDS
from tests.fakes.snapshots import NOW, World
from vcmon.model.meeting import Doubt, Meeting, Presence, Readiness, Verdict

ID = first_of(weekly()).id

LONG = "Direktorat Jenderal Bina Administrasi Kewilayahan Kementerian Dalam Negeri " * 2


@pytest.fixture
def world(tmp_path: Path) -> World:
    return meeting_world(tmp_path)


async def enter(view: View) -> None:
    """Sign in by keyboard; back to where it was asked for."""
    await view.page.wait_for_selector("#nama:focus")
    await view.page.keyboard.type("budi")
    await view.page.keyboard.press("Tab")
    await view.page.keyboard.type(PASSWORDS["budi"])
    await view.page.keyboard.press("Enter")


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id || document.activeElement.value"))


async def test_the_roll_is_called_by_keyboard_without_a_script(world: World) -> None:
    """A name and Enter: present, and on to the next; Tab and Enter for absent; nothing else."""
    async with looking(world, f"rapat/{ID}/hadir", java_script_enabled=False) as view:
        await enter(view)
        await view.page.wait_for_url(f"{view.url}rapat/{ID}/hadir")
        assert await focused(view.page) == "o-aceh"
        await view.page.keyboard.type("Ibu Sari")
        await view.page.keyboard.press("Enter")
        await view.page.wait_for_url(f"{view.url}rapat/{ID}/hadir?selesai=aceh")
        assert await focused(view.page) == "o-sumatera-utara"
        await view.page.keyboard.press("Tab")
        await view.page.keyboard.type("listrik padam")
        for _ in range(2):
            await view.page.keyboard.press("Tab")
        assert await focused(view.page) == "tidak_hadir"
        await view.page.keyboard.press("Enter")
        await view.page.wait_for_url(f"{view.url}rapat/{ID}/hadir?selesai=sumatera-utara")
        assert await focused(view.page) == "o-sumatera-barat"
        text = await view.page.inner_text("main")
        await view.page.goto(f"{view.url}rapat/{ID}")
        page = await view.page.inner_text("main")
    assert "1 hadir, 36 belum dipanggil" in text
    assert "Hadir 09.41.07 WIB, Ibu Sari (dicatat oleh budi)" in text
    assert "Tidak hadir 09.41.07 WIB: listrik padam" in text
    assert "1 hadir, 36 belum dipanggil" in page
    assert view.complaints == []


async def test_a_meeting_is_planned_by_the_browsers_own_fields(world: World) -> None:
    """The date as the browser writes it; the list then says that it is saved."""
    async with looking(world, f"rapat/{ID}/ubah") as view:
        await enter(view)
        await view.page.wait_for_url(f"{view.url}rapat/{ID}/ubah")
        await view.page.goto(f"{view.url}rapat")
        await view.page.fill("#title", "Rapat pilkada")
        await view.page.fill("#start", "2026-11-28T09:00")
        await view.page.fill("#duration", "90m")
        await view.page.keyboard.press("Enter")
        await view.page.wait_for_url(f"{view.url}rapat?selesai=rencana")
        assert "Rapat disimpan." in await view.page.inner_text("main")
    assert view.complaints == []


async def test_a_change_is_patched_into_the_open_page(world: World) -> None:
    """The tally, the rows and their reasons change in place; nothing is loaded anew."""
    async with looking(world, f"rapat/{ID}") as view:
        page = view.page
        await page.wait_for_selector("body.live")
        await page.evaluate("window.sameDocument = true")
        await asyncio.sleep(2.1)  # so long a page is kept
        world.rolls = {ID: roll_of(first_of(world.agenda[0]), (LOST,), NOW)}
        world.snapshot = down(8, "aceh")
        await expect(page.locator(".lead")).to_contain_text("37 dari 38 siap")
        assert await page.locator("#daftar tbody tr").first.get_attribute("data-key") == (
            "daftar-sulawesi-selatan"
        )
        assert not await page.locator('[data-key="daftar-papua"] .advice').count()
        assert await page.evaluate("window.sameDocument")
    assert view.complaints == []


async def test_the_board_has_room_for_the_next_meeting(world: World) -> None:
    """Its line stands below the map, with who is ready; at 1920 x 1080 no card is cut."""
    world.coming = (first_of(weekly(title=LONG)),)
    async with looking(world, "papan", viewport=size(1920, 1080)) as view:
        page = view.page
        assert await page.evaluate("document.documentElement.scrollHeight") == 1080
        assert "34 dari 38 siap, 3 wajib belum" in await page.inner_text("#rapat")
        assert "10.14 WIB, mulai dalam 32 mnt" in await page.inner_text("#rapat")
        last = await page.locator(".list > *").last.bounding_box()
        whole = await page.locator(".list").bounding_box()
        assert last is not None
        assert whole is not None
        assert last["y"] + last["height"] <= whole["y"] + whole["height"]
        await page.goto(view.url)
        link = page.locator(".age a").first
        assert await link.inner_text() == "rapat 10.14 WIB"
        await link.click()
        await page.wait_for_url(f"{view.url}rapat/{ID}")
    assert view.complaints == []


# ---- to be read by everybody


def with_a_year(folder: Path) -> World:
    """Before it begins, with a year of each province in the memory."""
    remember(folder / "m.db", first_of(weekly()))
    return meeting_world(folder)


def during(folder: Path) -> World:
    return meeting_world(folder, weekly(NOW - 1800))


def after(folder: Path) -> World:
    """Over, with who was there."""
    meeting = weekly(NOW - 7200)
    world, it = meeting_world(folder, meeting), first_of(meeting)
    marks = [
        marked(it, slug, Presence.PRESENT, officer="Sdr. Andi Rahman", note="suara jernih")
        for slug in SLUGS[:36]
    ]
    keep(folder / "m.db", it, NOW, marks)
    return world


async def _paths(view: View, world: World) -> Sequence[str]:
    one = f"rapat/{first_of(world.agenda[0]).id}"
    if world.agenda[0].start < NOW:
        return [one, f"{one}/berita-acara", f"en/{one}/berita-acara"]
    return ["rapat", "en/rapat", one, f"en/{one}", f"{one}/hadir", f"{one}/ubah"]


@pytest.mark.parametrize(
    ("make", "scheme"), [(with_a_year, "light"), (during, "dark"), (after, "light")]
)
async def test_everybody_can_read_it(tmp_path: Path, make: Any, scheme: str) -> None:
    """Axe finds nothing, contrast is 4.5 at least, and nothing is wider than 320 px."""
    world = await asyncio.to_thread(make, tmp_path)
    options = {"color_scheme": scheme, "viewport": size(320), "bypass_csp": True}
    found: dict[str, object] = {}
    async with looking(world, f"rapat/{first_of(world.agenda[0]).id}/hadir", **options) as view:
        await enter(view)
        await view.page.wait_for_url(f"{view.url}rapat/{first_of(world.agenda[0]).id}/hadir")
        paths = await _paths(view, world)
        for path in paths:
            await view.page.goto(view.url + path)
            wrong = [
                await violations(view.page),
                await view.page.evaluate(CONTRAST),
                [] if await width_of(view.page) == 320 else "wider",
            ]
            if any(wrong):
                found[path] = wrong
    name = f"page.axe.rapat.{make.__name__}.{scheme}"
    record(name, f"{len(found)} of {len(paths)} pages", "0", not found)
    assert found == {}
    assert view.complaints == []


ROWS = """[...document.querySelectorAll("#daftar tbody tr")].map(row => {
  const usual = row.querySelector(".usual"), whole = row.getBoundingClientRect().height;
  const lines = usual.getClientRects().length && Math.round(
    usual.getBoundingClientRect().height / parseFloat(getComputedStyle(usual).lineHeight));
  usual.style.display = "none";
  const grown = (whole - row.getBoundingClientRect().height) / parseFloat(
    getComputedStyle(usual).lineHeight);
  usual.style.display = "";
  return [lines, grown];
})"""
"""Of each row: the lines of its forecast, and how many lines taller the row is for it."""


@pytest.mark.parametrize("width", [320, 390])
async def test_on_a_telephone_a_forecast_is_one_short_line(tmp_path: Path, width: int) -> None:
    """No row is more than one line taller than without."""
    world = await asyncio.to_thread(with_a_year, tmp_path)
    async with looking(world, f"en/rapat/{ID}", viewport=size(width)) as view:
        english = await view.page.evaluate(ROWS)
        await view.page.goto(f"{view.url}rapat/{ID}")
        rows = [*english, *await view.page.evaluate(ROWS)]
    most = max(grown for _, grown in rows)
    record(f"rapat.forecast.lines.{width}", f"{most:.2f} lines", "<= 1", most <= 1.01)
    assert len(rows) == 76
    assert most <= 1.01
    assert {lines for lines, _ in rows} == {1}


# ---- on paper


async def sheets(view: View, path: str) -> list[tuple[int, int]]:
    """The size of every page of the print, in points."""
    await view.page.goto(view.url + path)
    pdf = await view.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(round(float(x)), round(float(y))) for x, y in boxes]


def worst(meeting: Meeting) -> list[Verdict]:
    """No province is ready, and each for a reason of some length."""
    doubts = [each for each in EVERY_DOUBT if each.doubt is not Doubt.BLIND]
    return [
        Verdict(
            slug,
            True,
            Readiness.NOT_READY,
            doubts[place % len(doubts)].doubt,
            endpoint=f"{slug}-router",
            check="sip",
            since=NOW - 90_000,
            value=0.034,
            limit=0.01,
        )
        for place, slug in enumerate(seat.province for seat in meeting.seats)
    ]


async def test_the_roll_fits_on_one_sheet_of_a4(tmp_path: Path) -> None:
    """As it mostly is, and on the worst of mornings: no province ready, all of them called."""
    meeting = weekly(organiser=LONG)
    it = first_of(meeting)
    await asyncio.to_thread(remember, tmp_path / "m.db", it)
    world = await asyncio.to_thread(meeting_world, tmp_path, meeting)
    async with looking(world) as view:
        usual = await sheets(view, f"rapat/{it.id}")
        world.rolls = {it.id: roll_of(it, worst(meeting), NOW - 2)}
        marks = [marked(it, slug, Presence.PRESENT, officer="Sdr. Andi") for slug in SLUGS]
        assert world.file is not None
        await asyncio.to_thread(keep, world.file, it, NOW, marks)
        await asyncio.sleep(2.1)  # so long a page is kept
        bad = await sheets(view, f"en/rapat/{it.id}")
    record("rapat.print", f"{len(usual)} and {len(bad)} sheets", "1", len(usual) == len(bad) == 1)
    assert usual == [(595, 842)]
    assert bad == [(595, 842)]


async def test_the_minutes_fit_on_one_sheet_of_a4(tmp_path: Path) -> None:
    """Everybody marked with officer and note; the links are gone, the place to sign is there."""
    world = await asyncio.to_thread(after, tmp_path)
    path = f"rapat/{first_of(world.agenda[0]).id}/berita-acara"
    async with looking(world) as view:
        printed = await sheets(view, path)
        await view.page.emulate_media(media="print")
        assert not await view.page.locator("nav").is_visible()
        assert await view.page.locator(".sign").is_visible()
    record("berita-acara.print", f"{len(printed)} sheets", "1", len(printed) == 1)
    assert printed == [(595, 842)]
