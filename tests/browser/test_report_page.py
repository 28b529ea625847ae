"""The monthly report in a real browser, on the screen and on A4 paper."""

from __future__ import annotations

import re

import pytest

from tests.browser.test_page import CONTRAST, looking, size, width_of
from tests.fakes.reports import whole_country
from tests.fakes.snapshots import World, uniform

A4_LANDSCAPE = (1047, 712)
"""CSS pixels between the margins of 10 and 12/14 mm."""


def world() -> World:
    memory, settings = whole_country()
    return World(uniform(), settings=settings, memory=lambda: memory)


async def test_nothing_of_it_is_blocked_and_no_script_is_needed() -> None:
    """Without JavaScript and under the strict policy: page and two styles, and no complaint."""
    async with looking(world(), java_script_enabled=False) as view:
        view.requests.clear()
        await view.page.goto(f"{view.url}laporan/2026-10")
        assert len([url for url in view.requests if not url.startswith("data:")]) == 3
        assert view.complaints == []
        assert await view.page.locator(".figures tbody tr").count() == 40


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_on_every_screen(width: int, scheme: str) -> None:
    """The wide table scrolls in itself, the page never sideways; contrast is 4.5 at least."""
    async with looking(world(), viewport=size(width), color_scheme=scheme) as view:
        for path in ("laporan/2026-10", "en/laporan/2026-10"):
            await view.page.goto(view.url + path)
            assert await width_of(view.page) == width
            assert await view.page.evaluate(CONTRAST) == []


async def test_it_fits_on_paper() -> None:
    """A4 landscape: no column is cut, links are gone, the place to sign is there."""
    async with looking(world(), viewport=size(*A4_LANDSCAPE)) as view:
        await view.page.goto(f"{view.url}laporan/2026-10")
        await view.page.emulate_media(media="print")
        assert await width_of(view.page) == A4_LANDSCAPE[0]
        assert not await view.page.locator("nav").is_visible()
        assert await view.page.locator(".sign").is_visible()
        head = "getComputedStyle(document.querySelector('.figures thead')).display"
        assert await view.page.evaluate(head) == "table-header-group"


async def test_its_pages_are_a4_landscape() -> None:
    """Printed, every page is 297 by 210 mm, and there are few."""
    async with looking(world()) as view:
        await view.page.goto(f"{view.url}laporan/2026-10")
        pdf = await view.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert {(round(float(x)), round(float(y))) for x, y in boxes} == {(842, 595)}
    assert 2 <= len(boxes) <= 5
