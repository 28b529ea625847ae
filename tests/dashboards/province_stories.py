"""What provinces, their parents and groups do, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.dashboards.story import Edge, Firing, Story, texts

ABC = ("a", "b", "c")
ACEH = {"province": "aceh", "timezone": "Asia/Jakarta"}
PAGE = "vcmon-province/vcmon-province?var-province=aceh"
HUB = "endpoint:hub"


def alike(*edges: Edge, among: Iterable[str] = ABC) -> Mapping[str, tuple[Edge, ...]]:
    """All these vantages saw the same."""
    return dict.fromkeys(among, edges)


def seen(story: Story, *vantages: str) -> Story:
    """With these vantages, all well."""
    for name in vantages or ABC:
        story.vantage(name)
    return story


def outage(start: int, stop: int, state: str = "down") -> tuple[Edge, ...]:
    return (0, "up"), (start, state), (stop, "up")


def owned(owner: str, start: int, stop: int) -> tuple[Edge, ...]:
    return (start, owner), (stop, None)


def province_down() -> Iterable[Story]:
    """VcmonProvinceDown."""
    says = texts(
        "Aceh (WIB) is down",
        "3 of 3 voting vantages find no conference endpoint of the province up, and the cause is "
        "not outside of it.",
    )
    down = Firing("VcmonProvinceDown", 60, 180, ACEH, says, PAGE)
    yield seen(Story("a cut: one page, one resolve", 300, (down,))).province(
        "aceh", alike(*outage(60, 180)), alike(*owned("endpoint:aceh-codec", 60, 180))
    )
    wrong = {**alike((0, "up")), "a": outage(60, 180)}
    yield seen(Story("one wrong vantage pages nobody", 300)).province("aceh", wrong)
    yield seen(Story("two of three are a majority", 300, (Firing(*down_from(65, 180)),))).province(
        "aceh", {**wrong, "b": outage(65, 185)}
    )
    yield seen(Story("two voters must agree", 300, vantages=("a", "b")), "a", "b").province(
        "aceh", {"a": outage(60, 180), "b": ((0, "up"),)}
    )
    yield (
        seen(Story("a vantage scraped twice has one vote", 300))
        .province("aceh", wrong)
        .province_again("a", "aceh", outage(60, 180))
    )
    yield seen(Story("no data resolves nothing", 400, (Firing(*down_from(60, 300)),))).province(
        "aceh", alike((0, "up"), (60, "down"), (120, "unknown"), (300, "up"))
    )
    yield (
        seen(
            Story(
                "what is out of the inventory is nobody's outage",
                300,
                (Firing(*down_from(60, 180)),),
            )
        )
        .province("aceh", alike((0, "up"), (60, "down"), (180, None)))
        .province("bali", alike((0, "up")))
    )


def down_from(start: int, stop: int) -> tuple[str, int, int, dict[str, str]]:
    return "VcmonProvinceDown", start, stop, ACEH


def parents() -> Iterable[Story]:
    """VcmonParentDown."""
    slugs = ("aceh", "riau", "jambi", "bali")
    says = texts(
        "hub is down, and 4 provinces behind it are lost",
        "Lost with it: aceh bali jambi riau ",
    )
    where = "vcmon-endpoint/vcmon-endpoint?var-endpoint=hub"
    page = Firing("VcmonParentDown", 60, 180, {"parent": "hub"}, says, where)
    story = seen(Story("a dead parent of four provinces: one page", 300, (page,)))
    for slug in slugs:
        story.province(slug, alike(*outage(60, 180, "unreachable")), alike(*owned(HUB, 60, 180)))
    yield story
    page = Firing("VcmonParentDown", 60, 180, {"parent": "hub"})
    story = seen(Story("its own province is down with it: the same page", 300, (page,)))
    story.province("aceh", alike(*outage(60, 180)), alike(*owned(HUB, 60, 180)))
    story.province("bali", alike(*outage(60, 180, "unreachable")), alike(*owned(HUB, 60, 180)))
    yield story
    yield seen(Story("one province behind another's router", 300, (page,))).province(
        "aceh", alike(*outage(60, 180, "unreachable")), alike(*owned(HUB, 60, 180))
    )
    late = {**alike(*outage(60, 180, "unreachable")), "a": outage(60, 180)}
    names = {**alike(*owned(HUB, 70, 180)), "a": owned("province:aceh", 60, 180)}
    page = Firing("VcmonParentDown", 70, 180, {"parent": "hub"})
    yield seen(Story("named a moment later: the page waits for it", 300, (page,))).province(
        "aceh", late, names
    )
    yield seen(
        Story("never named: paged all the same", 300, (Firing(*down_from(75, 180)),))
    ).province("aceh", late, alike(*owned("province:aceh", 60, 180)))
    story = seen(Story("a parent under maintenance is planned", 300)).province(
        "aceh", alike(*outage(60, 180, "unreachable")), alike(*owned(HUB, 60, 180))
    )
    story.put(
        "vcmon_endpoint_maintenance_active",
        {"vantage": "a", "province": "bali", "endpoint": "hub"},
        ((0, 1),),
    )
    yield story
    yield seen(Story("one vantage behind a dead parent", 300)).province(
        "aceh",
        {**alike((0, "up")), "c": outage(60, 180, "unreachable")},
        {"c": owned(HUB, 60, 180)},
    )
    up = {"b": ((0, 1), (120, 0)), "c": ((0, 1), (120, 0))}
    story = Story(
        "no data resolves no parent",
        300,
        (
            Firing("VcmonParentDown", 60, None, {"parent": "hub"}),
            Firing("VcmonProberDown", 150, None, {"vantage": "b"}),
            Firing("VcmonProberDown", 150, None, {"vantage": "c"}),
            Firing("VcmonQuorumLost", 150),
        ),
    )
    story.vantage("a").vantage("b", up["b"]).vantage("c", up["c"])
    yield story.province("aceh", alike((0, "up"), (60, "unreachable")), alike((60, HUB)), up)


def groups() -> Iterable[Story]:
    """VcmonProvincesDown."""
    group = {"group": "provider:Telkom"}
    says = texts(
        "3 provinces fell together (provider:Telkom)",
        "What they have in common: provider:Telkom. Lost: aceh jambi riau ",
    )
    page = Firing("VcmonProvincesDown", 60, 180, group, says, "vcmon-country/vcmon-country")
    story = seen(Story("three fell together: one page", 300, (page,)))
    for slug in ("aceh", "riau", "jambi"):
        story.province(slug, alike(*outage(60, 180)), alike(*owned("provider:Telkom", 60, 180)))
    yield story
    fires = (Firing(*down_from(60, 180)), Firing("VcmonProvincesDown", 70, 190, group))
    story = seen(Story("the first was paged before the others fell", 300, fires))
    first = (60, "endpoint:aceh-codec"), (70, "provider:Telkom"), (180, None)
    story.province("aceh", alike(*outage(60, 180)), alike(*first))
    for slug in ("riau", "jambi"):
        story.province(slug, alike(*outage(70, 190)), alike(*owned("provider:Telkom", 70, 190)))
    yield story


def maintenance() -> Iterable[Story]:
    """VcmonMaintenanceOverrun, and silence."""
    yield seen(Story("a planned outage pages nobody", 300)).province(
        "aceh", alike(*outage(60, 180)), maintenance=((0, 0), (50, 1), (200, 0))
    )
    says = texts(
        "Aceh (WIB): maintenance is over, and it is still down",
        "The planned window has ended and a majority of vantages still finds no conference "
        "endpoint of the province up. Extend the window, or treat it as an outage.",
    )
    page = Firing("VcmonMaintenanceOverrun", 150, 240, ACEH, says, PAGE)
    yield seen(Story("it outlasts the window: one page", 400, (page,))).province(
        "aceh", alike(*outage(60, 240)), maintenance=((0, 0), (50, 1), (150, 0))
    )
    yield seen(Story("a fall at the window's end", 400, (Firing(*down_from(150, 240)),))).province(
        "aceh", alike(*outage(140, 240)), maintenance=((0, 0), (50, 1), (150, 0))
    )
    yield seen(Story("paged before it was planned", 400, (Firing(*down_from(60, 240)),))).province(
        "aceh", alike(*outage(60, 240)), maintenance=((0, 0), (100, 1), (200, 0))
    )
    up = {"a": ((0, 1), (100, 0), (160, 1))}
    story = Story(
        "who knows of it is restarted meanwhile",
        400,
        (Firing("VcmonProberDown", 130, 160, {"vantage": "a"}),),
    )
    story.vantage("a", up["a"]).vantage("b").vantage("c")
    story.province("aceh", alike(*outage(60, 240)), up=up)
    story.put(
        "vcmon_maintenance_active",
        {"vantage": "a", "province": "aceh"},
        ((0, 1), (100, None), (160, 1), (300, 0)),
    )
    yield story


def degraded() -> Iterable[Story]:
    """VcmonProvinceDegraded."""
    says = texts(
        "Aceh (WIB) is degraded",
        "Most voting vantages see loss, jitter or delay over the class of a link, a part of the "
        "endpoints lost, or the backup link in use.",
    )
    warning = Firing("VcmonProvinceDegraded", 360, 600, ACEH, says, PAGE)
    yield seen(Story("degraded for longer than five minutes", 700, (warning,))).province(
        "aceh", alike(*outage(60, 600, "degraded"))
    )
    yield seen(Story("degraded for less", 700)).province(
        "aceh", alike(*outage(60, 350, "degraded"))
    )
    yield seen(Story("degraded for one vantage of three", 700)).province(
        "aceh", {**alike((0, "up")), "b": outage(60, 600, "degraded")}
    )


def unknown() -> Iterable[Story]:
    """VcmonProvinceUnknown."""
    says = texts(
        "Aceh (WIB): not known",
        "Only 1 vantages have a word on the province, 2 are needed. It may be down and nobody "
        "would be paged.",
    )
    warning = Firing("VcmonProvinceUnknown", 240, 400, ACEH, says, PAGE)
    mute = {"a": ((0, "up"),), "b": outage(60, 400, "unknown"), "c": outage(60, 400, "unknown")}
    yield seen(Story("only one has a word", 500, (warning,))).province("aceh", mute)
    one = {**alike((0, "up")), "b": outage(60, 400, "unknown")}
    yield seen(Story("two of three have a word", 500)).province("aceh", one)


def flapping() -> Iterable[Story]:
    """VcmonProvinceFlapping."""
    says = texts(
        "Aceh (WIB) falls and rises again and again",
        "4 changes within 30m. Each fall is paged by itself.",
    )
    edges: list[Edge] = [(0, "up")]
    for start in (60, 180):
        edges += [(start, "down"), (start + 60, "up")]
    fires = (
        Firing(*down_from(60, 120)),
        Firing(*down_from(180, 240)),
        Firing("VcmonProvinceFlapping", 240, 1860, ACEH, says, PAGE),
    )
    yield seen(Story("two falls within half an hour", 2000, fires)).province("aceh", alike(*edges))


def stories() -> Iterable[Story]:
    """All of them."""
    for tell in (
        province_down, parents, groups, maintenance, degraded, unknown, flapping,
    ):  # fmt: skip
        yield from tell()
