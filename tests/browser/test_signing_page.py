"""Signing in and acting in a real browser: without a script, by keyboard, on a small screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser.test_axe import violations
from tests.browser.test_page import CONTRAST, View, looking
from tests.fakes.figures import record
from tests.fakes.signing import PASSWORDS, signing_world
from tests.fakes.snapshots import World

WIDER = "() => document.documentElement.scrollWidth > innerWidth"
UNNAMED = """() => [...document.querySelectorAll('input, select, textarea, button')]
  .filter(e => e.type !== 'hidden')
  .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim()).map(e => e.outerHTML)"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return signing_world(tmp_path)


async def _enter(view: View) -> None:
    """By keyboard: the field for the name has the focus."""
    await view.page.wait_for_selector("#nama:focus")
    await view.page.keyboard.type("budi")
    await view.page.keyboard.press("Tab")
    await view.page.keyboard.type(PASSWORDS["budi"])
    await view.page.keyboard.press("Enter")
    await view.page.wait_for_url(f"{view.url}gangguan/1/tindak")


async def test_acting_needs_no_script_and_no_mouse(world: World) -> None:
    """From the incident's address through sign-in to an acknowledgement, by Tab and Enter."""
    async with looking(world, "gangguan/1/tindak", java_script_enabled=False) as view:
        assert view.page.url.endswith("/masuk?ke=/gangguan/1/tindak")
        await _enter(view)
        await view.page.focus("#ticket")
        await view.page.keyboard.type("IN-4711")
        await view.page.keyboard.press("Tab")
        await view.page.keyboard.type("Telkom ditelepon")
        await view.page.keyboard.press("Tab")
        await view.page.keyboard.press("Enter")
        await view.page.wait_for_url(f"{view.url}gangguan/1/tindak?selesai=ack")
        text = await view.page.inner_text("main")
        assert "Pengakuan disimpan." in text
        assert "budi mengakui, tiket IN-4711" in text
        await view.page.click("footer a")
        await view.page.click("button")
        await view.page.wait_for_url(f"{view.url}masuk")
        cookies = await view.page.context.cookies()
    assert cookies == []
    assert view.complaints == []


async def test_who_signs_out_in_one_tab_sees_nothing_more_in_the_other(world: World) -> None:
    """Private: the open page goes to the page for signing in by itself, and back from there."""
    shown = world.settings.web.model_copy(update={"private": True})
    world.settings = replace(world.settings, web=shown)
    async with looking(world, "gangguan/1/tindak") as view:
        await _enter(view)
        await view.page.goto(view.url)
        await view.page.wait_for_selector("body.live tbody tr")
        tab = await view.page.context.new_page()
        await tab.goto(f"{view.url}keluar")
        await tab.click("button")
        await view.page.wait_for_url(f"{view.url}masuk?ke=/")
        assert "Sulawesi Selatan" not in await view.page.inner_text("body")


async def test_maintenance_is_planned_by_the_browsers_own_fields(world: World) -> None:
    """The date as the browser writes it; ended by the button beside it."""
    async with looking(world, "gangguan/1/tindak") as view:
        await _enter(view)
        await view.page.goto(f"{view.url}pemeliharaan")
        await view.page.fill("#scope", "province:papua")
        await view.page.fill("#title", "Penggantian router")
        await view.page.fill("#start", "2026-11-28T22:00")
        await view.page.select_option("#zone", "WIT")
        await view.page.fill("#duration", "4h")
        await view.page.click("text=Rencanakan >> nth=-1")
        await view.page.wait_for_url(f"{view.url}pemeliharaan?selesai=rencana")
        assert "28 Nov 22.00 WIT" in await view.page.inner_text("main")
        await view.page.click("text=Akhiri nomor 1")
        await view.page.wait_for_url(f"{view.url}pemeliharaan?selesai=akhir")
        text = await view.page.inner_text("main")
    assert "Tidak ada pemeliharaan yang direncanakan." in text
    assert view.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_can_be_read_and_named(world: World, scheme: str) -> None:
    """Contrast of 4.5 at least, nothing wider than 320 px, a name for every field and button."""
    options = {"color_scheme": scheme, "viewport": {"width": 320, "height": 640}}
    async with looking(world, "gangguan/1/tindak", **options) as view:
        found = []
        for path in ("", "gangguan/1/tindak", "en/pemeliharaan", "keluar"):
            if path:
                await view.page.goto(view.url + path)
            for script in (CONTRAST, UNNAMED):
                found += await view.page.evaluate(script)
            assert not await view.page.evaluate(WIDER), path
            if not path:
                await _enter(view)
    assert found == []
    assert view.complaints == []


async def test_axe_finds_nothing(world: World) -> None:
    """WCAG 2.2 AA and good practice: 0 violations on the forms, signed in and before."""
    found, pages = {}, ("masuk", "en/masuk", "pemeliharaan", "gangguan/1/tindak", "en/pemeliharaan")
    async with looking(world, "masuk", bypass_csp=True) as view:
        found["before"] = await violations(view.page)
        await view.page.goto(f"{view.url}gangguan/1/tindak")
        await _enter(view)
        for path in pages:
            await view.page.goto(view.url + path)
            found[path] = await violations(view.page)
    wrong = {path: what for path, what in found.items() if what}
    record("page.axe.forms", f"{len(wrong)} of {len(found)} pages", "0", not wrong)
    assert wrong == {}
