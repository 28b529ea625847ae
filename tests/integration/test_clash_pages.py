"""A meeting and a maintenance at the same time: whoever plans either sees it on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.meetings import meeting_world, weekly
from tests.fakes.signing import Visitor
from tests.fakes.snapshots import World

WINDOW = {
    "scope": "province:papua",
    "title": "Penggantian <router>",
    "start": "2026-11-30T12:30",
    "duration": "4h",
    "zone": "WIT",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return meeting_world(tmp_path, weekly(rule="FREQ=WEEKLY;BYDAY=MO,FR"))


async def test_a_clash_is_told_on_both_pages(world: World) -> None:
    """Beside the window and above the meetings, in both languages, a holiday too."""
    async with serving(world) as browser:
        me, guest = await Visitor.of(browser, "budi"), await Visitor.of(browser, "tamu")
        made = await me.post("/pemeliharaan", WINDOW)
        assert made.status == 303
        windows = (await me.ask(made.headers["Location"])).text
        english = (await me.ask("/en/pemeliharaan")).text
        meetings = (await me.ask("/rapat")).text
        theirs = [(await guest.ask(path)).text for path in ("/pemeliharaan", "/rapat")]
    assert "Bentrok: Rapat Pusat dan Daerah, 30 Nov 10.14 WIB." in windows
    assert "Clash: Rapat Pusat dan Daerah, 30 Nov 10:14 WIB." in english
    assert "30 Nov 10.14 WIB: bentrok dengan pemeliharaan, Papua: Penggantian &lt;rou" in meetings
    assert "Rapat Pusat dan Daerah, 25 Des 10.14 WIB: hari libur, Hari Raya Natal." in meetings
    assert not any("entrok" in page for page in theirs)
