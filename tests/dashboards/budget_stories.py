"""The error budget: what it says of its own, and that it adds nothing to a page."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dashboards.province_stories import ACEH, alike, down_from, outage, owned, seen
from tests.dashboards.story import Edge, Firing, Story, texts

PAGE = "vcmon-slo/vcmon-slo?var-province=aceh"
HOUR, DAY = 3600, 86400


def fast() -> Iterable[Story]:
    """VcmonErrorBudgetFastBurn."""
    says = texts(
        "Aceh (WIB) burns its error budget 14.4 times too fast, unpaged",
        "Down 19.35% of the last hour (objective 99.5 %), in spells that no other alert told of.",
    )
    # Ten seconds a time some vantage blames a parent: too short for the page, too often to be well.
    spells = [(start, start + 10) for start in range(30, 400, 45)]
    agreed: list[Edge] = [(0, "up")]
    alone: list[Edge] = [(0, "up")]
    own: list[Edge] = []
    for start, stop in spells:
        agreed += [(start, "unreachable"), (stop, "up")]
        alone += [(start, "down"), (stop, "up")]
        own += [(start, "province:aceh"), (stop, None)]
    burn = Firing("VcmonErrorBudgetFastBurn", 150, 610, ACEH, says, PAGE)
    slowly = Firing("VcmonErrorBudgetSlowBurn", 150, None, ACEH)
    flaps = Firing("VcmonProvinceFlapping", 85, None, ACEH)
    story = seen(Story("spells too short for a page", 800, (burn, slowly, flaps)))
    yield story.province(
        "aceh", {"a": agreed, "b": alone, "c": alone}, {"b": own, "c": own, "a": own}
    )


def slow() -> Iterable[Story]:
    """VcmonErrorBudgetSlowBurn: a ticket when the outage is long over, and no FastBurn at all."""
    begin = DAY + HOUR
    end = begin + 1800
    down = Firing("VcmonProvinceDown", begin, end, ACEH)
    says = texts(
        "Aceh (WIB) is using up its error budget",
        "Down 1.905% of the time lately; at this rate the objective of 99.5 % over 30 days is "
        "missed.",
    )
    told = end + 35 * 60 + 300
    burn = Firing("VcmonErrorBudgetSlowBurn", told, end + 6 * HOUR, ACEH, says, PAGE)
    story = seen(Story("half an hour's outage", end + 8 * HOUR, (down, burn), 300))
    yield story.province("aceh", alike(*outage(begin, end)))


def quiet() -> Iterable[Story]:
    """What burns no budget, or says nothing of it."""
    down = Firing(*down_from(HOUR, HOUR + 60))
    story = seen(Story("a minute's outage on the first day", 2 * HOUR, (down,), 60))
    yield story.province("aceh", alike(*outage(HOUR, HOUR + 60)))
    story = seen(Story("an outage behind a parent is the parent's page", 2 * HOUR, step=60))
    story.fires = (Firing("VcmonParentDown", HOUR, HOUR + 1200, {"parent": "hub"}),)
    times = HOUR, HOUR + 1200
    for slug in ("aceh", "bali"):
        edges = outage(*times, "unreachable")
        story.province(slug, alike(*edges), alike(*owned("endpoint:hub", *times)))
    yield story
    story = seen(Story("maintenance burns no budget", 2 * HOUR, step=60))
    yield story.province(
        "aceh",
        alike(*outage(HOUR, HOUR + 1200)),
        maintenance=((0, 0), (HOUR - 60, 1), (HOUR + 1260, 0)),
    )
    # The first rules counted failures of single vantages: one that is broken burnt every budget.
    story = seen(Story("one broken vantage burns no budget", 4800, step=60))
    yield story.province("aceh", {**alike((0, "up")), "a": ((0, "down"),)})
    dark = ((0, 0), (HOUR, 1))
    story = Story("one dead uplink burns no budget", 4800, step=60)
    story.fires = (Firing("VcmonVantageBlind", HOUR + 60, None, {"vantage": "a"}),)
    story.vantage("a", vcmon_vantage_blind=dark).vantage("b").vantage("c")
    for slug in ("aceh", "bali"):
        story.province(slug, {**alike((0, "up")), "a": ((0, "up"), (HOUR, "unknown"))})
    yield story


def stories() -> Iterable[Story]:
    """All of them."""
    for tell in (fast, slow, quiet):
        yield from tell()
