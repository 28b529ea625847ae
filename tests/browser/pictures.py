"""The pictures of README and docs, taken from the demo: ``python -m tests.browser.pictures``.

The demo's country is what it always is; only its past is made up: there must be ninety days to see.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from playwright.async_api import FloatRect, Page

from tests.browser.test_page import looking
from tests.fakes.chromium import browsing, stop_shared
from tests.fakes.meetings import meeting_world
from tests.fakes.process import Monitor, free_port, running
from tests.fakes.signing import PASSWORDS
from vcmon.history.store import Store
from vcmon.lab.country import country
from vcmon.lab.demo import country_process, first_meeting, write_settings
from vcmon.model.memory import Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State

IMAGES = Path(__file__).parents[2] / "docs" / "images"

DAY = 86400.0

STORY = 150.0
"""Seconds after which the demo's story shows every state, and incidents that have ended."""


def make_up_a_past(path: Path, now: float) -> None:
    """Ninety days of every province, with outages that fit no pattern."""
    random, store = Random(90), Store.open(path)
    with store.transaction():
        for slug in sorted({endpoint.province for endpoint in country().values()}):
            series, at = f"province:{slug}", now - 90 * DAY
            while at < now:
                store.put(_interval(series, at, State.UP))
                at += random.expovariate(1 / (random.choice((6, 12, 30)) * DAY))
                if at < now:
                    state = random.choice((State.DOWN, State.DOWN, State.DEGRADED, State.UNKNOWN))
                    store.put(_interval(series, at, state))
                    at += random.uniform(0.05, 12) * 3600
        store.beat(now)
    store.roll(now)
    store.close()


def _interval(series: str, at: float, state: State) -> Interval:
    reason = Reason.OK if state is State.UP else Reason.TIMEOUT
    return Interval(series, at, None, state, reason, Blame.NONE, known_at=at)


def act(config: Path, monitor: Monitor) -> None:
    """Somebody is on one incident, and work is planned for tomorrow."""
    vcmon = (sys.executable, "-m", "vcmon")
    tomorrow = time.strftime("%Y-%m-%d 22:00", time.localtime(time.time() + DAY))
    number = next(
        line.split()[0]
        for line in _output(*vcmon, "incident", "list", "--open", "--config", str(config))
        if line.split() and line.split()[0].isdigit()
    )
    note = ("--note", "Penyedia sudah ditelepon", "--ticket", "IN-4711", "--name", "Sari Wulandari")
    _output(*vcmon, "incident", "ack", number, *note, "--config", str(config))
    plan = ("--scope", "province:papua", "--title", "Penggantian router", "--start", tomorrow)
    more = ("--duration", "4h", "--zone", "WIT", "--name", "Sari Wulandari")
    _output(*vcmon, "maintenance", "add", *plan, *more, "--config", str(config))


def _output(*command: str) -> list[str]:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()


async def take(base: str) -> None:
    """Every picture."""
    async with browsing(viewport={"width": 1280, "height": 1000}) as context:
        page = await context.new_page()
        for name, path in (("status", ""), ("status-en", "en/")):
            await _open(page, base + path)
            await page.screenshot(path=IMAGES / f"{name}.png")
        await _open(page, base)
        await page.set_viewport_size({"width": 1280, "height": 4000})  # its head sticks elsewhere
        await page.locator("section:has(> #provinsi)").screenshot(path=IMAGES / "tabel.png")
        await page.set_viewport_size({"width": 1280, "height": 1000})
        await _open(page, base + "?jeda")
        await page.screenshot(path=IMAGES / "jeda.png", clip=_top(360))
        await _open(page, base + "laporan")
        await page.screenshot(path=IMAGES / "laporan.png")
    async with browsing(viewport={"width": 1920, "height": 1080}) as context:
        page = await context.new_page()
        await _open(page, base + "papan")
        await page.screenshot(path=IMAGES / "papan.png")
    async with browsing(viewport={"width": 390, "height": 800}) as context:
        page = await context.new_page()
        await _open(page, base)
        await page.screenshot(path=IMAGES / "telepon.png")


async def take_meeting(folder: Path) -> None:
    """A sitting half an hour before it begins, and the roll that is being called; made up, as
    nobody waits for the demo's.
    """
    world = await asyncio.to_thread(meeting_world, folder)
    one = f"rapat/{world.coming[0].id}"
    options = {"viewport": {"width": 1280, "height": 900}}
    async with looking(world, f"{one}/hadir", **options) as view:
        page = view.page
        await page.fill("#nama", "budi")
        await page.fill("#sandi", PASSWORDS["budi"])
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{view.url}{one}/hadir")
        await page.fill("#o-aceh", "Ibu Sari")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{view.url}{one}/hadir?selesai=aceh")
        await page.screenshot(path=IMAGES / "hadir.png", clip=_top(520))
        await _open(page, f"{view.url}{one}?jeda")  # by its own clock
        await page.screenshot(path=IMAGES / "rapat.png", clip=_top(760))


async def take_stale(base: str, monitor: Monitor) -> None:
    """What a page shows when vcmon has stopped."""
    async with browsing(viewport={"width": 1280, "height": 1000}) as context:
        page = await context.new_page()
        await _open(page, base)
        monitor.signal(signal.SIGSTOP)
        await page.locator("body.silent").wait_for(timeout=60_000)
        await page.screenshot(path=IMAGES / "basi.png", clip=_top(560))


def _top(height: int) -> FloatRect:
    return {"x": 0, "y": 0, "width": 1280, "height": height}


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.wait_for_timeout(1500)


def main() -> None:
    """Run the demo, wait for its story, take the pictures."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name, country_process(Path(name), 1):
        config = write_settings(Path(name), port, first_meeting(time.time()))
        make_up_a_past(Path(name) / "vcmon.db", time.time() - 60)
        with running(config, port) as monitor:
            time.sleep(STORY)
            act(config, monitor)
            time.sleep(3)
            asyncio.run(take(f"http://127.0.0.1:{port}/"))
            asyncio.run(take_stale(f"http://127.0.0.1:{port}/", monitor))
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(take_meeting(Path(name)))
    stop_shared()


if __name__ == "__main__":
    main()
