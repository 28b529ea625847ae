"""What happens to vantages and the monitor itself, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dashboards.province_stories import ABC, ACEH, alike, outage, seen
from tests.dashboards.story import Edge, Firing, Story, texts

ALL = "vcmon-vantage/vcmon-vantage"
ONE = f"{ALL}?var-vantage=a"
A = {"vantage": "a"}
GONE = (0, 1), (20, 0), (100, 1)


def one(name: str, length: int, *fires: Firing, step: int = 5) -> Story:
    return Story(name, length, fires, step)


def probers() -> Iterable[Story]:
    """VcmonProberDown, VcmonProberAbsent, VcmonQuorumLost."""
    says = texts(
        "vcmon at a cannot be scraped",
        "It is stopped, frozen, or cut off from Prometheus. The other vantages go on.",
    )
    story = one(
        "one is killed: a warning about it, none about provinces",
        120,
        Firing("VcmonProberDown", 50, 100, A, says, ONE),
    )
    story.vantage("a", GONE).vantage("b").vantage("c")
    yield story.province("aceh", alike((0, "up")), up={"a": GONE})
    blink = (0, 1), (20, 0), (45, 1)
    story = one("one restarts within half a minute", 60).vantage("a", blink)
    yield story.vantage("b").vantage("c").province("aceh", alike((0, "up")), up={"a": blink})
    says = texts(
        "No vcmon can be scraped at all",
        "Nothing is known of any province. Every vcmon is gone, or Prometheus is cut off from "
        "them, or service discovery names none.",
    )
    absent = Firing("VcmonProberAbsent", 50, 100, {"job": "vcmon"}, says, ALL)
    story = one("all are killed: one page", 120, absent)
    for name in ABC:
        story.vantage(name, GONE)
    yield story.province("aceh", alike((0, "up")), up=dict.fromkeys(ABC, GONE))
    never = Firing("VcmonProberAbsent", 30, None, {"job": "vcmon"})
    yield one("none was ever found: the same page, with its job", 60, never)
    gone = (0, 1), (30, 0)
    fires = (
        Firing("VcmonProvinceDown", 15, None, ACEH),
        Firing("VcmonProberAbsent", 60, None, {"job": "vcmon"}),
    )
    story = one("what was down when all were killed is not resolved", 900, *fires, step=15)
    for name in ABC:
        story.vantage(name, gone)
    down = alike((0, "up"), (15, "down"))
    yield story.province("aceh", down, up=dict.fromkeys(ABC, gone))


def quorum() -> Iterable[Story]:
    """VcmonQuorumLost, and what the last vantage may not do."""
    says = texts(
        "Only 1 of 2 needed vantages see: no province can be paged",
        "What was down stays firing, what falls now is not told. The vantages' own alerts say "
        "which are gone or blind.",
    )
    fires = (
        Firing("VcmonQuorumLost", 50, 100, says=says, dashboard=ALL),
        Firing("VcmonProberDown", 50, 100, A),
        Firing("VcmonProberDown", 50, 100, {"vantage": "b"}),
    )
    story = one("the last vantage decides nothing", 120, *fires)
    story.vantage("a", GONE).vantage("b", GONE).vantage("c")
    seen_by_c = {**alike((0, "up")), "c": outage(30, 100)}
    yield story.province("aceh", seen_by_c, up={"a": GONE, "b": GONE})


def blindness() -> Iterable[Story]:
    """VcmonVantageBlind, VcmonCentreDown."""
    says = texts(
        "Vantage a does not reach its canaries",
        "Its own uplink is down, and its word on provinces does not count; or, if provinces still "
        "answer it, its canaries are wrong.",
    )
    dark: dict[str, tuple[Edge, ...]] = {
        "vcmon_vantage_blind": ((0, 0), (20, 1), (60, 0)),
        "vcmon_vantage_uplink_up": ((0, 1), (20, 0), (60, 1)),
    }
    blind = {**alike((0, "up")), "a": outage(20, 60, "unknown")}
    story = one("one uplink is cut", 90, Firing("VcmonVantageBlind", 35, 60, A, says, ONE))
    story.vantage("a", **dark).vantage("b").vantage("c")
    yield story.province("aceh", blind).province("bali", blind)
    wrong = {"vcmon_vantage_uplink_up": dark["vcmon_vantage_uplink_up"]}
    fires = (
        Firing("VcmonVantageBlind", 35, 60, A),
        Firing("VcmonProvinceDown", 30, 50, ACEH),
    )
    story = one("its canaries are wrong, its word counts", 90, *fires)
    story.vantage("a", **wrong).vantage("b").vantage("c")
    yield story.province("aceh", {"a": outage(30, 50), "b": outage(30, 50), "c": ((0, "up"),)})
    says = texts(
        "Our own uplink is down: nothing is known of any province",
        "No vantage that is scraped reaches its canaries or the provinces. The provinces are "
        "unknown, not down; look at our own side first.",
    )
    story = one("all uplinks are cut: one page", 90)
    story.fires = (Firing("VcmonCentreDown", 25, 60, {}, says, ALL),)
    for name in ABC:
        story.vantage(name, **dark)
    for slug in ("aceh", "bali", "papua"):
        story.province(slug, alike(*outage(20, 60, "unknown")))
    yield story
    story = one("they go blind one after the other, and see again so", 90)
    story.fires = (Firing("VcmonCentreDown", 35, 60),)
    for late, name in enumerate(ABC):
        edges = ((0, 0), (20 + 5 * late, 1), (60 + 5 * late, 0))
        story.vantage(name, vcmon_vantage_blind=edges)
    yield story.province("aceh", alike(*outage(20, 70, "unknown")))


def engines() -> Iterable[Story]:
    """VcmonRoundsStale, VcmonLoopStalled."""
    says = texts(
        "vcmon at a answers, but probes nothing",
        "The last complete round of probes is 3m 15s old: the engine inside stands still, or its "
        "clock is far off ours.",
    )
    rounds: list[Edge] = [(at, at) for at in range(0, 60, 15)]
    rounds += [(at, at) for at in range(600, 901, 15)]
    stale = Firing("VcmonRoundsStale", 240, 600, A, says, ONE)
    story = one("the engine stands still for ten minutes", 900, stale, step=15)
    story.vantage("a", vcmon_engine_last_round_timestamp_seconds=rounds)
    yield story.vantage("b")
    rounds = [(at, at) for at in range(0, 901, 75)]
    story = one("rounds take longer than a minute", 900, step=15)
    yield story.vantage("a", vcmon_engine_last_round_timestamp_seconds=rounds).vantage("b")
    says = texts(
        "The event loop of vcmon at a stalls",
        "Its timers run 995ms late (p99 of 5m): the machine is overloaded, or something blocks "
        "the loop.",
    )
    lag = Firing("VcmonLoopStalled", 195, 660, A, says, ONE)
    story = one("the loop stalls for five minutes", 900, lag, step=15)
    story.vantage("a").vantage("b")
    for bound, from_, until in (("0.5", 0, 0), ("1.0", 60, 360), ("+Inf", 60, 360)):
        edges = [(at, max(0, min(at, until) - from_)) for at in range(0, 901, 15)]
        story.put("vcmon_loop_lag_seconds_bucket", {**A, "le": bound}, edges)
    yield story


def files() -> Iterable[Story]:
    """VcmonHistoryNotWritten, VcmonReloadFailed, VcmonInventoryConflict."""
    says = texts(
        "vcmon at a cannot write its memory",
        "What happens now may be missing from reports: the disk is full, the file is locked, "
        "corrupt or read-only.",
    )
    full = Firing("VcmonHistoryNotWritten", 360, 600, A, says, ONE)
    story = one("the disk is full for nine minutes", 900, full, step=15)
    yield story.vantage("a", vcmon_history_up=((0, 1), (60, 0), (600, 1))).vantage("b")
    story = one("the file is locked for a minute", 900, step=15)
    yield story.vantage("a", vcmon_history_up=((0, 1), (60, 0), (120, 1))).vantage("b")
    dropped = Firing("VcmonHistoryNotWritten", 360, 3660, A)
    story = one("facts were lost: an hour's warning", 4500, dropped, step=30)
    yield story.vantage("a", vcmon_history_writes_dropped_total=((0, 0), (60, 3))).vantage("b")
    says = texts(
        "vcmon at a refused its new settings",
        "It goes on with the old ones. 'vcmon check' names every problem with file and line.",
    )
    refused = Firing("VcmonReloadFailed", 120, 300, A, says, ONE)
    story = one("a reload is refused", 600, refused, step=15)
    edges = (0, 1), (60, 0), (300, 1)
    yield story.vantage("a", vcmon_config_last_reload_successful=edges).vantage("b")


def conflict() -> Iterable[Story]:
    """VcmonInventoryConflict, and that it costs no page."""
    says = texts(
        "Vantages disagree on what aceh is",
        "Name, code, zone or island group differ between vantages: a new version is rolled out, "
        "or one was left behind.",
    )
    info = Firing("VcmonInventoryConflict", 1920, 3000, {"province": "aceh"}, says, ALL)
    down = Firing("VcmonProvinceDown", 2100, 2400, ACEH)
    story = seen(one("a name differs: told, and the page is still one", 3600, info, down, step=30))
    story.province("aceh", alike(*outage(2100, 2400)))
    labels = {"vantage": "c", "province": "aceh", "timezone": "Asia/Jakarta", "island": "Sumatera"}
    story.put("vcmon_province_info", {**labels, "name": "Aceh"}, ((0, 1), (120, None), (3000, 1)))
    story.put("vcmon_province_info", {**labels, "name": "NAD"}, ((120, 1), (3000, None)))
    yield story


def certificates() -> Iterable[Story]:
    """VcmonCertificateExpires."""
    says = texts(
        "The certificate of vc expires in 13d 23h 49m 30s",
        "When it has, clients refuse the conference, though every ping succeeds.",
    )
    where = {"province": "aceh", "endpoint": "vc"}
    page = "vcmon-endpoint/vcmon-endpoint?var-endpoint=vc"
    story = one(
        "a certificate is renewed late",
        1800,
        Firing("VcmonCertificateExpires", 690, 1200, where, says, page),
        step=30,
    )
    two_weeks = 14 * 86400
    edges = (0, two_weeks + 60), (1200, two_weeks + 90 * 86400)
    for name in ("a", "b"):
        story.vantage(name)
        labels = {"vantage": name, **where, "check": "sips"}
        story.put("vcmon_tls_certificate_expiry_timestamp_seconds", labels, edges)
    yield story


def stories() -> Iterable[Story]:
    """All of them."""
    for tell in (
        probers, quorum, blindness, engines, files, conflict, certificates,
    ):  # fmt: skip
        yield from tell()
