"""One Chromium for all tests of a run; each gets a context of its own."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from playwright.async_api import BrowserContext, async_playwright

from tests.fakes.needs import needs

FLAGS = (
    "--headless=new",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
)


@dataclass(frozen=True)
class Chromium:
    """A running browser and where it takes commands."""

    process: subprocess.Popen[str]
    profile: tempfile.TemporaryDirectory[str]
    url: str

    def stop(self) -> None:
        """End the process that was started, and remove its profile."""
        self.process.terminate()
        self.process.wait(10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        self.profile.cleanup()


@cache
def shared() -> Chromium:
    """The one of this run, started by whoever asks first."""
    profile = tempfile.TemporaryDirectory(prefix="vcmon-chromium-", ignore_cleanup_errors=True)
    chromium = needs("chromium", "chromium")
    where = ("--remote-debugging-port=0", f"--user-data-dir={profile.name}")
    process = subprocess.Popen(
        [chromium, *FLAGS, *where], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"ws://(\S+?)/devtools", line):
            return Chromium(process, profile, f"http://{found[1]}")
    raise AssertionError("chromium ended before it listened")


def stop_shared() -> None:
    """End it, where it was ever started."""
    if shared.cache_info().currsize:
        shared().stop()
        shared.cache_clear()


@asynccontextmanager
async def browsing(**options: Any) -> AsyncIterator[BrowserContext]:
    """A fresh context of the shared browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(shared().url)
        context = await browser.new_context(**options)
        try:
            yield context
        finally:
            await context.close()
            await browser.close()
