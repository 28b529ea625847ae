"""A lone vcmon: its word is the word."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dashboards.province_stories import ACEH, PAGE, outage
from tests.dashboards.story import Firing, Story, texts

ALONE = ("a",)


def stories() -> Iterable[Story]:
    """With the rules for one voter."""
    says = texts(
        "Aceh (WIB) is down",
        "1 of 1 voting vantages find no conference endpoint of the province up, and the cause is "
        "not outside of it.",
    )
    down = Firing("VcmonProvinceDown", 20, 60, ACEH, says, PAGE)
    story = Story("alone: a cut is one page", 90, (down,), vantages=ALONE).vantage("a")
    yield story.province("aceh", {"a": outage(20, 60)})
    story = Story("alone: our own uplink is one page", 90, vantages=ALONE)
    story.fires = (Firing("VcmonCentreDown", 25, 60),)
    story.vantage("a", vcmon_vantage_blind=((0, 0), (20, 1), (60, 0)))
    for slug in ("aceh", "bali"):
        story.province(slug, {"a": outage(20, 60, "unknown")})
    yield story
    gone = (0, 1), (20, 0), (100, 1)
    absent = Firing("VcmonProberAbsent", 50, 100, {"job": "vcmon"})
    story = Story("alone and killed: one page", 120, (absent,), vantages=ALONE).vantage("a", gone)
    yield story.province("aceh", {"a": ((0, "up"),)}, up={"a": gone})
