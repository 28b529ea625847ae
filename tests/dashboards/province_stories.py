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
    down = Firing("VcmonProvinceDown", 20, 60, ACEH, says, PAGE)
    yield seen(Story("a cut: one page, one resolve", 90, (down,))).province(
        "aceh", alike(*outage(20, 60)), alike(*owned("endpoint:aceh-codec", 20, 60))
    )
    wrong = {**alike((0, "up")), "a": outage(20, 60)}
    yield seen(Story("one wrong vantage pages nobody", 90)).province("aceh", wrong)
    yield seen(Story("two of three are a majority", 90, (Firing(*down_from(25, 60)),))).province(
        "aceh", {**wrong, "b": outage(25, 65)}
    )
    yield seen(Story("two voters must agree", 90, vantages=("a", "b")), "a", "b").province(
        "aceh", {"a": outage(20, 60), "b": ((0, "up"),)}
    )
    yield (
        seen(Story("a vantage scraped twice has one vote", 90))
        .province("aceh", wrong)
        .province_again("a", "aceh", outage(20, 60))
    )
    yield seen(Story("no data resolves nothing", 130, (Firing(*down_from(20, 90)),))).province(
        "aceh", alike((0, "up"), (20, "down"), (40, "unknown"), (90, "up"))
    )
    yield (
        seen(
            Story(
                "what is out of the inventory is nobody's outage",
                90,
                (Firing(*down_from(20, 60)),),
            )
        )
        .province("aceh", alike((0, "up"), (20, "down"), (60, None)))
        .province("bali", alike((0, "up")))
    )


def down_from(start: int, stop: int) -> tuple[str, int, int, dict[str, str]]:
    return "VcmonProvinceDown", start, stop, ACEH


def parents() -> Iterable[Story]:
    """VcmonParentDown."""
    slugs = ("aceh", "riau", "jambi", "bali")
    says = texts(
        "hub is down, and what lies behind it is lost",
        "Lost with it so far: aceh bali jambi riau ",
    )
    where = "vcmon-endpoint/vcmon-endpoint?var-endpoint=hub"
    page = Firing("VcmonParentDown", 20, 60, {"parent": "hub"}, says, where)
    story = seen(Story("a dead parent of four provinces: one page", 100, (page,)))
    for slug in slugs:
        story.province(slug, alike(*outage(20, 60, "unreachable")), alike(*owned(HUB, 20, 60)))
    yield story
    page = Firing("VcmonParentDown", 20, 60, {"parent": "hub"})
    story = seen(Story("its own province is down with it: the same page", 100, (page,)))
    story.province("aceh", alike(*outage(20, 60)), alike(*owned(HUB, 20, 60)))
    story.province("bali", alike(*outage(20, 60, "unreachable")), alike(*owned(HUB, 20, 60)))
    yield story
    page = Firing("VcmonParentDown", 30, 60, {"parent": "hub"})
    story = seen(Story("its own province was seen to fall before the others", 100, (page,)))
    story.province("bali", alike(*outage(20, 60)), alike(*owned(HUB, 20, 60)))
    story.province("aceh", alike(*outage(30, 60, "unreachable")), alike(*owned(HUB, 30, 60)))
    yield carrying(story, "bali", outage(20, 60))
    page = Firing("VcmonProvinceDown", 35, 60, {"province": "bali", "timezone": "Asia/Makassar"})
    story = seen(
        Story("the others have another way: its own province, a moment later", 100, (page,))
    )
    story.province("bali", alike(*outage(20, 60)), alike(*owned(HUB, 20, 60)))
    story.province("aceh", alike((0, "up")))
    yield carrying(story, "bali", outage(20, 60))
    page = Firing("VcmonParentDown", 20, 60, {"parent": "hub"})
    yield seen(Story("one province behind another's router", 100, (page,))).province(
        "aceh", alike(*outage(20, 60, "unreachable")), alike(*owned(HUB, 20, 60))
    )
    late = {**alike(*outage(20, 60, "unreachable")), "a": outage(20, 60)}
    names = {**alike(*owned(HUB, 30, 60)), "a": owned("province:aceh", 20, 60)}
    page = Firing("VcmonParentDown", 30, 60, {"parent": "hub"})
    yield seen(Story("named a moment later: the page waits for it", 100, (page,))).province(
        "aceh", late, names
    )
    yield seen(
        Story("never named: paged all the same", 100, (Firing(*down_from(35, 60)),))
    ).province("aceh", late, alike(*owned("province:aceh", 20, 60)))
    story = seen(Story("a parent under maintenance is planned", 100)).province(
        "aceh", alike(*outage(20, 60, "unreachable")), alike(*owned(HUB, 20, 60))
    )
    story.put(
        "vcmon_endpoint_maintenance_active",
        {"vantage": "a", "province": "bali", "endpoint": "hub"},
        ((0, 1),),
    )
    yield story
    yield seen(Story("one vantage behind a dead parent", 100)).province(
        "aceh",
        {**alike((0, "up")), "c": outage(20, 60, "unreachable")},
        {"c": owned(HUB, 20, 60)},
    )
    up = {"b": ((0, 1), (40, 0)), "c": ((0, 1), (40, 0))}
    story = Story(
        "no data resolves no parent",
        100,
        (
            Firing("VcmonParentDown", 20, None, {"parent": "hub"}),
            Firing("VcmonProberDown", 70, None, {"vantage": "b"}),
            Firing("VcmonProberDown", 70, None, {"vantage": "c"}),
            Firing("VcmonQuorumLost", 70),
        ),
    )
    story.vantage("a").vantage("b", up["b"]).vantage("c", up["c"])
    yield story.province("aceh", alike((0, "up"), (20, "unreachable")), alike((20, HUB)), up)


def carrying(story: Story, province: str, hub: tuple[Edge, ...]) -> Story:
    """With a hub in a province that one other province depends on, as all vantages saw it."""
    for vantage in ABC:
        where = {"vantage": vantage, "province": province, "endpoint": "hub"}
        story.put("vcmon_endpoint_provinces_behind", where, ((0, 1),))
        for state in ("up", "down"):
            edges = [(at, int(value == state)) for at, value in hub]
            story.put("vcmon_endpoint_state", {**where, "state": state}, edges)
    return story


def suspecting(story: Story) -> Story:
    """One vantage thinks that Aceh falls with its provider."""
    where = {"vantage": "a", "province": "aceh", "group": "provider:Telkom"}
    story.put("vcmon_province_suspected_group_info", where, ((20, 1), (60, None)))
    return story


def groups() -> Iterable[Story]:
    """VcmonProvincesDown."""
    group = {"group": "provider:Telkom"}
    says = texts(
        "3 provinces fell together (provider:Telkom)",
        "What they have in common: provider:Telkom. Lost so far: aceh jambi riau ",
    )
    page = Firing("VcmonProvincesDown", 20, 60, group, says, "vcmon-country/vcmon-country")
    story = seen(Story("three fell together: one page", 90, (page,)))
    for slug in ("aceh", "riau", "jambi"):
        story.province(slug, alike(*outage(20, 60)), alike(*owned("provider:Telkom", 20, 60)))
    yield story
    page = Firing("VcmonProvincesDown", 30, 60, group)
    story = seen(Story("one vantage suspects the group: the first waits", 90, (page,)))
    first = (20, "endpoint:aceh-codec"), (30, "provider:Telkom"), (60, None)
    story.province("aceh", alike(*outage(20, 60)), alike(*first))
    for slug in ("riau", "jambi"):
        story.province(slug, alike(*outage(30, 60)), alike(*owned("provider:Telkom", 30, 60)))
    yield suspecting(story)
    alone = Firing(*down_from(35, 60))
    story = seen(Story("the others did not fall: paged all the same", 90, (alone,)))
    story.province("aceh", alike(*outage(20, 60)), alike(*owned("endpoint:aceh-codec", 20, 60)))
    yield suspecting(story)
    fires = (Firing(*down_from(20, 60)), Firing("VcmonProvincesDown", 30, 70, group))
    story = seen(Story("the first was paged before the others fell", 90, fires))
    first = (20, "endpoint:aceh-codec"), (30, "provider:Telkom"), (60, None)
    story.province("aceh", alike(*outage(20, 60)), alike(*first))
    for slug in ("riau", "jambi"):
        story.province(slug, alike(*outage(30, 70)), alike(*owned("provider:Telkom", 30, 70)))
    yield story


def maintenance() -> Iterable[Story]:
    """VcmonMaintenanceOverrun, and silence."""
    yield seen(Story("a planned outage pages nobody", 90)).province(
        "aceh", alike(*outage(20, 60)), maintenance=((0, 0), (10, 1), (70, 0))
    )
    says = texts(
        "Aceh (WIB): maintenance is over, and it is still down",
        "The planned window has ended and a majority of vantages still finds no conference "
        "endpoint of the province up. Extend the window, or treat it as an outage.",
    )
    page = Firing("VcmonMaintenanceOverrun", 60, 120, ACEH, says, PAGE)
    yield seen(Story("it outlasts the window: one page", 150, (page,))).province(
        "aceh", alike(*outage(20, 120)), maintenance=((0, 0), (10, 1), (60, 0))
    )
    yield seen(Story("a fall at the window's end", 130, (Firing(*down_from(60, 100)),))).province(
        "aceh", alike(*outage(50, 100)), maintenance=((0, 0), (10, 1), (60, 0))
    )
    yield seen(Story("paged before it was planned", 130, (Firing(*down_from(20, 100)),))).province(
        "aceh", alike(*outage(20, 100)), maintenance=((0, 0), (40, 1), (80, 0))
    )
    up = {"a": ((0, 1), (40, 0), (90, 1))}
    story = Story(
        "who knows of it is restarted meanwhile",
        130,
        (Firing("VcmonProberDown", 70, 90, {"vantage": "a"}),),
    )
    story.vantage("a", up["a"]).vantage("b").vantage("c")
    story.province("aceh", alike(*outage(20, 100)), up=up)
    story.put(
        "vcmon_maintenance_active",
        {"vantage": "a", "province": "aceh"},
        ((0, 1), (40, None), (90, 1), (300, 0)),
    )
    yield story


def degraded() -> Iterable[Story]:
    """VcmonProvinceDegraded."""
    says = texts(
        "Aceh (WIB) is degraded",
        "Most voting vantages see loss, jitter or delay over the class of a link, a part of the "
        "endpoints lost, or the backup link in use.",
    )
    warning = Firing("VcmonProvinceDegraded", 360, 900, ACEH, says, PAGE)
    yield seen(Story("degraded for longer than five minutes", 960, (warning,), 15)).province(
        "aceh", alike(*outage(60, 600, "degraded"))
    )
    warning = Firing("VcmonProvinceDegraded", 360, 1155, ACEH)
    again = (0, "up"), (60, "degraded"), (600, "up"), (840, "degraded"), (855, "up")
    yield seen(Story("it comes and goes: one warning", 1200, (warning,), 15)).province(
        "aceh", alike(*again)
    )
    yield seen(Story("degraded for less", 660, step=15)).province(
        "aceh", alike(*outage(60, 345, "degraded"))
    )
    yield seen(Story("degraded for one vantage of three", 660, step=15)).province(
        "aceh", {**alike((0, "up")), "b": outage(60, 600, "degraded")}
    )


def unknown() -> Iterable[Story]:
    """VcmonProvinceUnknown."""
    says = texts(
        "Aceh (WIB): not known",
        "Only 1 vantages have a word on the province, 2 are needed. It may be down and nobody "
        "would be paged.",
    )
    warning = Firing("VcmonProvinceUnknown", 240, 405, ACEH, says, PAGE)
    mute = {"a": ((0, "up"),), "b": outage(60, 405, "unknown"), "c": outage(60, 405, "unknown")}
    yield seen(Story("only one has a word", 450, (warning,), 15)).province("aceh", mute)
    one = {**alike((0, "up")), "b": outage(60, 405, "unknown")}
    yield seen(Story("two of three have a word", 450, step=15)).province("aceh", one)


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
    yield seen(Story("two falls within half an hour", 1950, fires, 30)).province(
        "aceh", alike(*edges)
    )


def stories() -> Iterable[Story]:
    """All of them."""
    for tell in (
        province_down, parents, groups, maintenance, degraded, unknown, flapping,
    ):  # fmt: skip
        yield from tell()
