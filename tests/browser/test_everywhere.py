"""However it is read: enlarged, on paper, without a script, with hands on the keyboard only."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.browser.test_page import CONTRAST, DOWN, looking, size, width_of
from tests.fakes.past import eventful
from tests.fakes.reports import whole_country
from tests.fakes.snapshots import (
    PROVINCES,
    World,
    make_snapshot,
    mixed,
    province_status,
    uniform,
)

PATHS = ("", "en/", "papan", "laporan/2026-10", "no-such-page")

TWICE = {"standard": 32, "fixed": 26}
"""Pixels of a browser's own text when its reader wants it at 200 %."""

CUT = """() => [...document.querySelectorAll('main h2, main p, main td, main li')].filter(
  e => e.getClientRects().length && getComputedStyle(e).overflowX === 'visible'
    && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.wide')
).map(e => e.textContent.slice(0, 60))"""

EVIL = "\u202e<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>\u2066 "


def world() -> World:
    """All that a page can tell, and a month to report."""
    memory, _ = whole_country()
    return replace(eventful(mixed()), memory=lambda: memory)


@pytest.mark.parametrize("path", PATHS)
async def test_text_twice_as_large(path: str) -> None:
    """WCAG 1.4.4: with text at 200 % nothing is cut and nothing scrolls sideways."""
    async with looking(world(), path, viewport=size(1280)) as view:
        devtools = await view.page.context.new_cdp_session(view.page)
        await devtools.send("Page.setFontSizes", {"fontSizes": TWICE})
        await view.page.goto(view.url + path)
        small = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
        assert path == "papan" or await view.page.evaluate(small) == 32
        assert await width_of(view.page) <= 1280
        assert await view.page.evaluate(CUT) == []


@pytest.mark.parametrize("path", ["", "en/", "papan", "no-such-page"])
async def test_narrowest_screen(path: str) -> None:
    """WCAG 1.4.10: at 320 px with everything on the page there is nothing to scroll sideways."""
    async with looking(world(), path, viewport=size(320)) as view:
        assert await width_of(view.page) == 320


@pytest.mark.parametrize("path", PATHS)
async def test_all_of_it_is_there_without_a_script(path: str) -> None:
    """JavaScript off: heading, words and links are there, nothing is blocked, nothing moves."""
    async with looking(world(), path, java_script_enabled=False) as view:
        page = view.page
        assert await page.locator("h1").count() == 1
        assert (await page.locator("main").inner_text()).strip()
        assert await page.locator("a[href]").count() >= 1
        assert [text for text in view.complaints if "404" not in text] == []


async def test_without_a_script_details_open_and_links_lead() -> None:
    """A tile leads to its province, details unfold; pause and language are a click away."""
    async with looking(World(mixed()), java_script_enabled=False, viewport=size(1280)) as view:
        await view.page.locator('a.t[href$="/bali"]').click()
        await expect(view.page.locator("h1")).to_contain_text("Bali")
        await view.page.goto(view.url)
        await view.page.locator('details[data-key="bali"] summary').click()
        await expect(view.page.locator("#bali")).to_be_visible()
        await view.page.get_by_role("link", name="jeda pembaruan").click()
        await expect(view.page.get_by_text("Pembaruan dijeda")).to_be_visible()
        await view.page.get_by_role("link", name="English").click()
        await expect(view.page.locator("html")).to_have_attribute("lang", "en")


async def test_hands_on_the_keyboard_only() -> None:
    """Tab comes by every link and control of the page once, each shows that it has the focus."""
    async with looking(world(), "?jeda", viewport=size(1280)) as view:
        page, dark = view.page, []
        wanted = await page.locator("a[href], button:visible, summary").count()
        seen = set()
        for _ in range(wanted + 5):
            await page.keyboard.press("Tab")
            place = await page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                  const r = e.querySelector('rect');
                  return [[...document.querySelectorAll('*')].indexOf(e),
                    s.outlineStyle !== 'none' || (r && getComputedStyle(r).strokeWidth === '5px'),
                    e.outerHTML.slice(0, 80)]; }"""
            )
            if place[2].startswith("<body"):
                break
            seen.add(place[0])
            if not place[1]:
                dark.append(place[2])
        assert len(seen) >= wanted
        assert dark == []


async def test_forced_colours_keep_bars_and_counts() -> None:
    """In high contrast a bar's outages differ from its ground, and every count can be read."""
    async with looking(world(), forced_colors="active", viewport=size(1280)) as view:
        page = view.page
        fill = await page.locator(".bar .down").first.evaluate("e => getComputedStyle(e).fill")
        ground = await page.locator(".bar").first.evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        assert fill != ground
        assert await page.evaluate(CONTRAST) == []


async def test_paper_holds_all_of_it() -> None:
    """Printed: A4, few pages, the table with its heads on each, nothing wider than the sheet."""
    async with looking(world(), viewport=size(1280), color_scheme="dark") as view:
        pdf = await view.page.pdf(format="A4", landscape=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
        assert all(abs(float(x) - 842) < 2 and abs(float(y) - 595) < 2 for x, y in boxes)
        assert 2 <= len(boxes) <= 6
        await view.page.set_viewport_size(size(1047, 712))
        await view.page.emulate_media(media="print")
        assert await width_of(view.page) <= 1047


@pytest.mark.catalogue("T39")
async def test_names_that_are_out_to_harm_break_nothing() -> None:
    """38 names of 200 characters, with right-to-left marks and script tags: words, and no more."""
    names = {
        slug: replace(it, name_id=(EVIL + f"{slug} " * 40)[:200], name_en=(EVIL + "W" * 200)[:200])
        for slug, it in PROVINCES.items()
    }
    plain = eventful(uniform())
    snapshot = make_snapshot(province_status(it, DOWN) for it in names.values())
    settings = replace(plain.settings, provinces=names)
    it = replace(plain, snapshot=snapshot, settings=settings)
    async with looking(it, viewport=size(1280)) as view:
        for path in ("", "en/", "papan", "en/papan"):
            for width in (320, 1280):
                await view.page.set_viewport_size(size(width))
                await view.page.goto(view.url + path)
                assert await width_of(view.page) <= width, path
                assert await view.page.locator("a.t").count() == 38
                assert await view.page.evaluate("window.hurt") is None
                assert await view.page.locator("main img, main script").count() == 0
                text = await view.page.locator("body").inner_text()
                assert not set(text) & {"\u202e", "\u2066"}
                assert "<script>window.hurt" in text
        assert view.complaints == []
