"""The wallboard in a real browser, as it hangs in a control room."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.browser.test_live import down
from tests.browser.test_page import CONTRAST, looking, size
from tests.fakes.snapshots import World, make_snapshot, mixed, uniform
from vcmon.model.status import Snapshot

FULL_HD = size(1920, 1080)


def everything_down() -> Snapshot:
    return down(8, *(status.province.slug for status in uniform().provinces))


@pytest.mark.parametrize("make", [mixed, uniform, everything_down, lambda: make_snapshot([])])
@pytest.mark.parametrize("path", ["papan", "en/papan"])
async def test_all_of_it_is_on_one_screen(make: object, path: str) -> None:
    """At 1920 x 1080 nothing scrolls, whatever happens; nothing complains."""
    assert callable(make)
    async with looking(World(make()), path, viewport=FULL_HD) as view:
        sizes = "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"
        assert await view.page.evaluate(sizes) == [1080, 1920]
        box = await view.page.locator(".map > svg").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 1080
        assert view.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_read_from_five_metres(scheme: str) -> None:
    """Tiles a hundred pixels apart, their letters 28 at least, contrast 4.5; up has no colour."""
    async with looking(World(mixed()), "papan", viewport=FULL_HD, color_scheme=scheme) as view:
        tile = await view.page.locator("a.t.down rect").first.bounding_box()
        assert tile is not None
        assert tile["width"] >= 94
        letters = "e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a"
        assert await view.page.locator("a.t.down text").first.evaluate(letters) >= 28
        assert await view.page.evaluate(CONTRAST) == []
        fill = "e => getComputedStyle(e).fill"
        assert await view.page.locator("a.t.up rect").first.evaluate(fill) == "none"


async def test_it_follows_and_rings_only_after_a_click() -> None:
    """A change is there within a second; the tone needs somebody to have asked for it."""
    world = World(uniform())
    async with looking(world, "papan", viewport=FULL_HD) as view:
        page = view.page
        button = page.get_by_role("button", name="Nyalakan bunyi")
        world.snapshot = down(8, "aceh")
        await expect(page.locator("a.t.down")).to_have_count(1)
        assert await button.get_attribute("data-rung") is None
        await button.click()
        world.snapshot = down(9, "aceh", "bali")
        await expect(page.locator("a.t.down")).to_have_count(2)
        await expect(page.locator("#suara")).to_have_attribute("data-rung", "2")
        await expect(page.locator("article")).to_have_count(2)


async def test_it_comes_anew_with_a_new_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of an old build reloads itself as soon as something changes."""
    world = World(uniform())
    async with looking(world, "papan", viewport=FULL_HD) as view:
        await view.page.evaluate("document.body.dataset.build = window.old = 'old'")
        world.snapshot = replace(down(8, "aceh"))
        await expect(view.page.locator("a.t.down")).to_have_count(1)
        assert await view.page.evaluate("window.old") is None


async def test_it_moves_against_burning_in() -> None:
    """Two pixels further each minute, back where it was after eight."""
    async with looking(World(uniform()), "papan", viewport=FULL_HD) as view:
        moved = await view.page.evaluate(
            """() => { const [it] = document.body.getAnimations(); it.pause();
               return [0, 61e3, 121e3, 481e3].map(at => { it.currentTime = at;
                 return getComputedStyle(document.body).translate; }); }"""
        )
        assert moved[0] == moved[3]
        assert len(set(moved)) == 3
