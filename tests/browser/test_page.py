"""The status page in a real browser: Chromium, headless, over a server of our own on loopback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.fakes.chromium import browsing
from tests.fakes.snapshots import (
    NOW,
    PROVINCES,
    World,
    make_endpoint,
    make_snapshot,
    mixed,
    uniform,
)
from vcmon.model.endpoint import Role
from vcmon.model.result import Blame, Reason
from vcmon.model.status import EndpointStatus, ProvinceStatus, Standing, State
from vcmon.views import pages, web

DOWN = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 900, NOW - 890)

CONTRAST = """() => {
  const channels = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = channels(c).map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (channels(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest('svg') || !e.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
  }
  return low;
}"""


IN_SIGHT = "e => { const b = e.getBoundingClientRect(); return b.top >= 0 && b.top < innerHeight; }"


@dataclass
class View:
    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def looking(world: World, path: str = "", **context: Any) -> AsyncIterator[View]:
    """A page of this world, opened; what it asks for and complains of is kept."""
    site = web.Site(web.build(world.sources()), "127.0.0.1:0")
    await site.start()
    try:
        async with browsing(**context) as opened:
            page = await opened.new_page()
            view = View(page, f"http://127.0.0.1:{site.port}/")
            page.on("request", lambda request: view.requests.append(request.url))
            page.on("console", lambda message: view.complaints.append(message.text))
            page.on("pageerror", lambda error: view.complaints.append(str(error)))
            await page.goto(view.url + path)
            yield view
    finally:
        await site.stop()


def size(width: int, height: int = 800) -> dict[str, int]:
    return {"width": width, "height": height}


async def width_of(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth"))


async def test_first_view_is_light_and_without_complaints() -> None:
    """At most three requests, all to us, 1,500 elements, and nothing that the policy blocks."""
    async with looking(World(mixed())) as view:
        # The stream of changes is no part of the view: it begins when that is there.
        assert len([url for url in view.requests if not url.endswith("/api/v1/events")]) <= 3
        assert all(url.startswith((view.url, "data:")) for url in view.requests)
        assert view.complaints == []
        assert await view.page.evaluate("document.querySelectorAll('*').length") <= 1500
        assert (await view.page.title()).startswith("(5) 4 terputus")


async def test_what_matters_is_on_the_first_screen() -> None:
    """Counts, the worst problem, whom to call and the whole map need no scrolling at 1280 x 800."""
    async with looking(World(mixed()), viewport=size(1280)) as view:
        page = view.page
        for found in (
            page.get_by_text("4 terputus"),
            page.locator("article").first,
            page.get_by_text("Narahubung").first,
            page.locator(".map > svg"),
        ):
            box = await found.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_text_can_be_read(scheme: str, width: int) -> None:
    """WCAG 1.4.3: every text has a contrast of 4.5 at least, in both schemes."""
    async with looking(World(mixed()), viewport=size(width), color_scheme=scheme) as view:
        assert await view.page.evaluate(CONTRAST) == []


async def test_stale_page_can_be_read() -> None:
    """The hatch of a stale page takes no text away."""
    async with looking(World(mixed(), now=NOW + 60)) as view:
        assert await view.page.evaluate(CONTRAST) == []
        assert await view.page.get_by_role("alert").count() == 1


async def test_small_screen_needs_no_sideways_scrolling() -> None:
    """WCAG 1.4.10: at 320 px all fits; the map, too small to touch there, gives way."""
    async with looking(World(mixed()), viewport=size(320)) as view:
        assert await width_of(view.page) == 320
        assert not await view.page.locator(".map > svg").is_visible()
        await view.page.set_viewport_size({"width": 400, "height": 800})
        assert not await view.page.locator(".map > svg").is_visible()
        await view.page.set_viewport_size({"width": 420, "height": 800})
        assert await view.page.locator(".map > svg").is_visible()
        box = await view.page.locator("a.t rect").first.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 23.5


@pytest.mark.parametrize("width", [320, 700, 1280])
async def test_endless_names_do_not_break_the_layout(width: int) -> None:
    """Names of 10 kB without a space, everywhere: still no sideways scrolling."""
    long = "W" * 10_000
    aceh = replace(PROVINCES["aceh"], name_id=long)
    it = make_endpoint(aceh, Role.CODEC, ["sip"], site=long, contact=long, provider=long)
    member = EndpointStatus(replace(it, id=long), DOWN, ())
    snapshot = make_snapshot([ProvinceStatus(aceh, DOWN, (member,), maintenance=True)])
    async with looking(World(snapshot), viewport=size(width)) as view:
        assert await width_of(view.page) <= width
        await view.page.goto(view.url + "#aceh")
        assert await width_of(view.page) <= width


@pytest.mark.parametrize("width", [640, 900, 1000])
async def test_zoomed_in_page_still_fits(width: int) -> None:
    """WCAG 1.4.4: a 1280 px window at 200 % and between needs no sideways scrolling."""
    async with looking(World(mixed()), viewport=size(width)) as view:
        assert await width_of(view.page) <= width


async def test_tile_leads_to_the_page_of_the_province() -> None:
    """A click on a tile leads to that province's page; details open where the address says so."""
    async with looking(World(mixed()), viewport=size(1280)) as view:
        await view.page.locator('a.t[href$="/maluku-utara"]').click()
        await view.page.wait_for_url("**/provinsi/maluku-utara")
        await view.page.goto(f"{view.url}?lihat=maluku-utara#maluku-utara")
        await view.page.locator("#maluku-utara").wait_for(state="visible")
        assert await view.page.locator("details[open]").count() == 1


async def test_keyboard_comes_everywhere_and_shows_where() -> None:
    """Tab reaches the skip link first, then every tile; the focus can be seen."""
    async with looking(World(uniform()), viewport=size(1280)) as view:
        page = view.page
        await page.keyboard.press("Tab")
        skip = page.locator("a.skip")
        assert await skip.evaluate("e => e === document.activeElement")
        box = await skip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert await skip.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "provinsi"
        tile = page.locator("a.t").first
        await tile.focus()
        await page.keyboard.press("Tab")
        wide = "getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth"
        assert await page.evaluate(wide) == "5px"


async def test_assistive_technology_gets_words() -> None:
    """Roles and names: a table of rows with headers, a map of links, one heading of first rank."""
    async with looking(World(mixed())) as view:
        page = view.page
        assert await page.get_by_role("row").count() == 38
        assert await page.get_by_role("rowheader", name="Sulawesi Selatan").count() == 1
        assert await page.get_by_role(
            "link", name="Gorontalo: terputus, dalam pemeliharaan"
        ).count()
        assert await page.get_by_role("heading", level=1).count() == 1


async def test_forced_colours_leave_every_sign() -> None:
    """In high contrast the tiles keep outlines, signs and letters apart from their ground."""
    async with looking(World(mixed()), forced_colors="active") as view:
        rect, text = "a.t.down rect", "a.t.down text"
        fill = "e => getComputedStyle(e).fill"
        ground = await view.page.locator(rect).first.evaluate(fill)
        assert await view.page.locator(text).first.evaluate(fill) != ground
        assert await view.page.locator(".g.down").first.is_visible()


async def test_print_is_dark_on_white_without_the_navigation() -> None:
    """On paper: the table whole, no skip link, no footer, whatever the screen's scheme is."""
    async with looking(World(mixed()), color_scheme="dark") as view:
        await view.page.emulate_media(media="print")
        assert not await view.page.locator("footer").is_visible()
        ground = "getComputedStyle(document.body).backgroundColor"
        assert await view.page.evaluate(ground) == "rgb(255, 255, 255)"
        assert await view.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("start", ["", "#aceh", "?lihat=aceh", "?lihat=aceh#aceh"])
async def test_page_follows_by_itself_from_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """Without a script the page comes anew, also at an anchor; what is open stays in its place."""
    monkeypatch.setattr(pages, "REFRESH", 1)
    world = World(uniform())
    async with looking(world, viewport=size(1280)) as view:
        await view.page.goto("about:blank")
        await view.page.goto(view.url + start)
        await view.page.wait_for_timeout(200)
        before = await view.page.evaluate("scrollY")
        assert (before > 0) == ("#" in start)
        world.snapshot = make_snapshot(uniform().provinces[:-1], version=8)
        await expect(view.page).to_have_title(re.compile("^37 terhubung"))
        if "lihat" in start:
            assert await view.page.locator("#aceh").is_visible()
            shown = view.page.locator("#aceh")
            assert not before or await shown.evaluate(IN_SIGHT)


async def test_paused_page_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads at leisure may stop the refresh, and is told so."""
    monkeypatch.setattr(pages, "REFRESH", 1)
    world = World(uniform())
    async with looking(world) as view:
        await view.page.get_by_role("link", name="jeda pembaruan").click()
        await view.page.get_by_text("Pembaruan dijeda").wait_for()
        world.snapshot = make_snapshot([], version=9)
        await view.page.wait_for_timeout(1500)
        assert (await view.page.title()).startswith("38 terhubung")
