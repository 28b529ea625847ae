"""The pages of provinces and incidents in a real browser."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.test_axe import violations
from tests.browser.test_page import CONTRAST, looking, size, width_of
from tests.fakes.figures import record
from tests.fakes.province_past import CODEC, SLUG, past_world, settings_of
from tests.fakes.snapshots import NOW, World
from vcmon.history.store import Store
from vcmon.model.memory import Deed, Remark
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State
from vcmon.views import pages

PATHS = (f"provinsi/{SLUG}", f"en/provinsi/{SLUG}", "gangguan", "en/gangguan", "gangguan/12")

OPENED = "for (const e of document.querySelectorAll('details')) e.open = true"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return past_world(tmp_path, grafana="https://grafana.example/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_all_can_be_read_without_sideways_scrolling(
    world: World, scheme: str, width: int
) -> None:
    """With every detail open: contrast 4.5, no wider than the screen, nothing blocked."""
    async with looking(world, viewport=size(width), color_scheme=scheme) as view:
        for path in PATHS:
            await view.page.goto(view.url + path)
            await view.page.evaluate(OPENED)
            assert await view.page.evaluate(CONTRAST) == [], path
            assert await width_of(view.page) <= width, path
        assert await view.page.evaluate("document.querySelectorAll('*').length") <= 1500
        assert view.complaints == []


async def test_endless_names_do_not_break_the_layout(world: World) -> None:
    """Sites, providers, contacts and authors of 10 kB without a space: no sideways scrolling."""
    long = "W" * 10_000
    statuses = tuple(
        replace(
            status,
            endpoints=tuple(
                replace(e, endpoint=replace(e.endpoint, site=long, provider=long, contact=long))
                for e in status.endpoints
            ),
        )
        for status in world.snapshot.provinces
    )
    world.snapshot = replace(world.snapshot, provinces=statuses)
    world.settings = settings_of(world.snapshot)

    def say() -> None:
        assert world.file is not None
        file = Store.open(world.file)
        file.remark(12, Remark(NOW - 1, long[:80], Deed.ACK, long[:2000], long[:80]))
        file.close()

    await asyncio.to_thread(say)
    async with looking(world, viewport=size(320)) as view:
        for width in (320, 1280):
            await view.page.set_viewport_size({"width": width, "height": 800})
            for path in (f"provinsi/{SLUG}", "gangguan", "gangguan/12"):
                await view.page.goto(view.url + path)
                assert await width_of(view.page) <= width, (path, width)


async def test_a_province_follows_by_itself(world: World) -> None:
    """Recovery is in headline, title and endpoint within moments; what was opened stays open."""
    async with looking(world, f"provinsi/{SLUG}", viewport=size(1280)) as view:
        page = view.page
        await expect(page.locator("body.live")).to_have_count(1)
        await page.evaluate("window.sameDocument = true")
        await page.get_by_text("Tabel angka: satu jam terakhir").click()
        well = Standing(State.UP, Reason.OK, Blame.NONE, NOW - 5, NOW - 1)
        world.snapshot = replace(
            world.snapshot,
            version=9,
            provinces=tuple(
                replace(
                    status,
                    standing=well,
                    endpoints=tuple(replace(e, standing=well) for e in status.endpoints),
                )
                if status.province.slug == SLUG
                else status
                for status in world.snapshot.provinces
            ),
        )
        await expect(page.locator("h1 .word")).to_have_text("Terhubung")
        await expect(page).to_have_title(re.compile("^Sulawesi Selatan: terhubung"))
        await expect(page.locator("article.down")).to_have_count(0)
        assert await page.locator('details[data-key="t-jam"]').get_attribute("open") is not None
        assert await page.evaluate("window.sameDocument")


async def test_a_note_appears_on_the_open_incident(world: World) -> None:
    """What somebody says is in the timeline after the next change, without a reload."""
    async with looking(world, "gangguan/12", viewport=size(1280)) as view:
        await expect(view.page.locator("body.live")).to_have_count(1)
        await expect(view.page.locator(".story li")).to_have_count(6)

        def say() -> None:
            assert world.file is not None
            file = Store.open(world.file)
            file.remark(12, Remark(NOW - 10, "Tono", Deed.NOTE, "Tim tiba"))
            file.close()

        await asyncio.to_thread(say)
        world.snapshot = replace(world.snapshot, version=9, provinces=world.snapshot.provinces[1:])
        await expect(view.page.get_by_text("Tim tiba")).to_be_visible(timeout=10_000)


async def test_the_filters_need_no_script(world: World) -> None:
    """By keyboard alone, scripts off: choose, press Enter, follow the incident to its province."""
    async with looking(world, "gangguan", java_script_enabled=False) as view:
        page = view.page
        await expect(page.locator("tbody tr")).to_have_count(2)
        await page.get_by_label("Keadaan").focus()
        await page.keyboard.press("ArrowDown")
        await page.get_by_role("button", name="Tampilkan").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/gangguan?*keadaan=terbuka*")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="Gangguan 12").press("Enter")
        await page.wait_for_url("**/gangguan/12")
        await page.get_by_role("link", name="Sulawesi Selatan", exact=True).press("Enter")
        await page.wait_for_url(f"**/provinsi/{SLUG}")


async def test_pages_refresh_themselves_without_a_script(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page comes anew at its own address, its filters kept; paused it stands still."""
    monkeypatch.setattr(pages, "REFRESH", 1)
    async with looking(world, "gangguan?keadaan=terbuka", java_script_enabled=False) as view:
        before = len(view.requests)
        await expect(view.page.locator("tbody tr")).to_have_count(1)
        await view.page.wait_for_timeout(1600)
        again = [url for url in view.requests[before:] if url.endswith("gangguan?keadaan=terbuka")]
        assert again
        await view.page.get_by_role("link", name="jeda pembaruan").click()
        await view.page.get_by_text("Pembaruan dijeda").wait_for()
        before = len(view.requests)
        await view.page.wait_for_timeout(1500)
        assert len(view.requests) == before


async def test_keyboard_and_assistive_technology(world: World) -> None:
    """Skip link first; one heading of first rank; pictures have words; tables have headers."""
    async with looking(world, f"provinsi/{SLUG}", viewport=size(1280)) as view:
        page = view.page
        await page.keyboard.press("Tab")
        assert await page.locator("a.skip").evaluate("e => e === document.activeElement")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "isi"
        assert await page.get_by_role("heading", level=1).count() == 1
        pictures = page.get_by_role("img", name=re.compile("RTT rata-rata .* puncak"))
        assert await pictures.count() == 3
        await page.get_by_text("5 kegagalan terakhir").last.press("Enter")
        await expect(page.get_by_text("Tidak ada jawaban").first).to_be_visible()
        await page.get_by_role("link", name="Grafik sulawesi-selatan-router").press("Enter")
        await page.wait_for_url("**titik=sulawesi-selatan-router**")
        assert await page.get_by_role("link", name=f"Grafik {CODEC}").count() == 1


async def test_forced_colours_keep_the_curves(world: World) -> None:
    """In a high-contrast scheme the line is drawn in the text's colour."""
    async with looking(world, f"provinsi/{SLUG}", forced_colors="active") as view:
        stroke = "e => getComputedStyle(e).stroke"
        line = await view.page.locator(".chart .mn").first.evaluate(stroke)
        text = await view.page.locator("h1").evaluate("e => getComputedStyle(e).color")
        assert line == text


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(world: World, scheme: str) -> None:
    """WCAG 2.2 AA and good practice: 0 violations, with every detail open."""
    found = {}
    async with looking(world, bypass_csp=True, color_scheme=scheme, viewport=size(1280)) as view:
        for path in PATHS:
            await view.page.goto(view.url + path)
            await view.page.evaluate(OPENED)
            if wrong := await violations(view.page):
                found[path] = wrong
    record(f"page.axe.past.{scheme}", f"{len(found)} of {len(PATHS)} pages", "0", not found)
    assert found == {}
