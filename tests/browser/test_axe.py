"""Nothing that axe finds: every page, both languages, both schemes, whatever the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.async_api import Page

from tests.browser.test_page import looking, size
from tests.fakes.figures import record
from tests.fakes.past import eventful
from tests.fakes.reports import whole_country
from tests.fakes.snapshots import NOW, PROVINCES, World, make_snapshot, mixed, province_status
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State, Uplink

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")

ColorScheme = Literal["light", "dark"]

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

FOUND = """async tags => (await axe.run(document, {runOnly: tags})).violations.map(
  v => [v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 160), v.nodes[0].failureSummary])"""

PATHS = ("", "?jeda", "papan", "laporan", "laporan/2026-10", "no-such-page")


def problems() -> World:
    """All that a page can tell, and a month to report."""
    memory, _ = whole_country()
    return replace(eventful(mixed()), memory=lambda: memory)


def stale() -> World:
    """Nothing has come for a minute."""
    return replace(problems(), now=NOW + 60)


def blind() -> World:
    """Our own side has failed."""
    unseen = Standing(State.UNKNOWN, Reason.BLIND, Blame.LOCAL, NOW - 100)
    statuses = (province_status(one, unseen, unseen) for one in PROVINCES.values())
    uplink = Uplink(up=False, blind=True, since=NOW - 100)
    return replace(problems(), snapshot=make_snapshot(statuses, uplink=uplink))


async def violations(page: Page) -> list[object]:
    """What axe finds on the page as it stands."""
    await page.evaluate(AXE)
    found: list[object] = await page.evaluate(FOUND, list(RULES))
    return found


@pytest.mark.parametrize(
    ("world", "scheme", "roots"),
    [
        (problems, "light", ("", "en/")),
        (problems, "dark", ("",)),
        (stale, "light", ("",)),
        (stale, "dark", ("en/",)),
        (blind, "light", ("en/",)),
        (blind, "dark", ("",)),
    ],
)
async def test_no_violation(
    world: Callable[[], World], scheme: ColorScheme, roots: Sequence[str]
) -> None:
    """WCAG 2.2 AA and good practice: 0 violations on every page, in Bahasa and in English."""
    found, pages, paths = {}, 0, PATHS if world is problems else ("", "papan")
    # The policy forbids a page to run what isn't ours; only here that has to be.
    async with looking(world(), bypass_csp=True, color_scheme=scheme, viewport=size(1280)) as view:
        for path in (root + path for root in roots for path in paths):
            await view.page.goto(view.url + path)
            pages += 1
            if wrong := await violations(view.page):
                found[path] = wrong
    name = f"page.axe.{world.__name__}.{scheme}"
    record(name, f"{len(found)} of {pages} pages with violations", "0", not found)
    assert found == {}


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": size(320)},
        {"viewport": size(1920, 1080)},
        {"viewport": size(1280), "forced_colors": "active"},
    ],
)
async def test_no_violation_however_it_is_seen(options: dict[str, Any]) -> None:
    """The same on a telephone, on the wall and in high contrast."""
    async with looking(problems(), bypass_csp=True, **options) as view:
        for path in ("", "papan", "laporan/2026-10"):
            await view.page.goto(view.url + path)
            assert await violations(view.page) == [], path
