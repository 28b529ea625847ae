"""The status page: what it says, what it never says, and what it weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.figures import record
from tests.fakes.past import eventful
from tests.fakes.snapshots import (
    NOW,
    UP,
    World,
    large,
    make_check,
    make_endpoint,
    make_result,
    make_snapshot,
    mixed,
    province_status,
    uniform,
)
from vcmon.config.provinces import provinces
from vcmon.config.settings import Settings
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.memory import Maintenance, Occasion
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    Standing,
    State,
    Uplink,
)
from vcmon.views import words
from vcmon.views.assets import Assets
from vcmon.views.pages import Pages
from vcmon.views.tongue import ENGLISH

STYLE = Path(__file__).parents[3] / "vcmon" / "views" / "static" / "vcmon.css"
ASSETS = Assets()

DOWN = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 900, NOW - 890)
VOID = {"meta", "link", "br", "img", "input", "hr"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, tag: str, css: str = "") -> list[Node]:
        return [
            node
            for node in self.walk()
            if node.tag == tag and (not css or css in node.attributes.get("class", "").split())
        ]

    def words(self) -> str:
        return " ".join(" ".join([self.text, *(c.words() for c in self.children)]).split())


class Tree(HTMLParser):
    """A tree of the page; fails where a tag is closed that is not open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = Node("root", {})
        self._open = [self.root]
        self.feed(page)
        self.close()
        assert self._open == [self.root], [node.tag for node in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(Node("", {}, data))


def html_of(world: World, *, paused: bool = False) -> str:
    return "".join(Pages(world.sources(), ASSETS).status(paused=paused))


def page_of_world(world: World) -> Node:
    return Tree(html_of(world)).root


def page_of(snapshot: Snapshot, now: float = NOW) -> Node:
    return Tree(html_of(World(snapshot, now=now))).root


def title_of(page: Node) -> str:
    return page.all("title")[0].words().removesuffix(" – Vicon Pusat–Daerah")


def card(page: Node, name: str) -> str:
    (found,) = (a.words() for a in page.all("article") if name in a.words())
    return found


def test_title_carries_the_count() -> None:
    """A tab among many tells how many provinces can't join, and what else is wrong."""
    assert title_of(page_of(mixed())) == (
        "(5) 4 terputus, 1 tak terjangkau, 2 terganggu, 1 tidak diketahui"
    )
    assert title_of(page_of(uniform())) == "38 terhubung"


def test_headline_counts_every_state_worst_first() -> None:
    """Explicit counts, worst first, with the Centre told apart; never one adjective."""
    page = page_of(mixed())
    (counts,) = page.all("ul", "counts")
    assert [item.words() for item in counts.all("li")] == [
        "4 terputus",
        "1 tak terjangkau",
        "2 terganggu",
        "1 tidak diketahui",
        "28 terhubung",
        "2 pemeliharaan",
    ]
    assert "dari 36 provinsi · Pusat terhubung" in page.words()


def test_clocks_and_age_are_on_the_page() -> None:
    """Three zones, the time of the data and its age."""
    text = page_of(mixed()).words()
    assert "09.41.07 WIB 10.41.07 WITA 11.41.07 WIT" in text
    assert "data 09.41.05 WIB, 2 dtk lalu" in text


def test_open_problem_tells_all_that_a_caller_needs() -> None:
    """Which, since when (its own clock), how long, why, whose fault, who to call."""
    text = card(page_of(mixed()), "Sulawesi Selatan")
    for part in (
        "Terputus",
        "12 mnt",
        "10.28.33 WITA",
        "Perangkat menjawab ping, layanannya tidak menjawab",
        "gangguan di sisi tujuan",
        "Kodek, Kantor Gubernur (sulawesi-selatan-codec)",
        "Narahubung: Piket Kominfo Sulawesi Selatan",
    ):
        assert part in text


def test_true_parent_is_named() -> None:
    """What fell with a router names the router, its province when it is another, and its reason."""
    page = page_of(mixed())
    assert "Router, Kantor Gubernur (maluku-utara-router) terputus: perangkat" in card(
        page, "Maluku Utara"
    )
    assert "(papua-router) di Papua terputus" in card(page, "Papua Selatan")


def test_many_behind_one_parent_share_a_card() -> None:
    """Thirty-eight provinces behind the Centre's router are one problem, not thirty-eight."""
    far = Standing(
        State.UNREACHABLE, Reason.PARENT, Blame.PATH, NOW - 100, NOW - 95, "pusat-router"
    )
    known = provinces().values()
    page = page_of(
        make_snapshot(
            province_status(p, far, far) if p.iso else province_status(p, DOWN, DOWN) for p in known
        )
    )
    assert len(page.all("article")) == 2
    assert "38 provinsi Tak terjangkau" in card(page, "38 provinsi")
    assert title_of(page) == "(38) Pusat terputus, 38 tak terjangkau"


def test_lost_backup_beside_a_running_conference_is_told() -> None:
    """A province that is up may have lost something else: that has a card, too."""
    aceh = provinces()["aceh"]
    page = page_of(make_snapshot([province_status(aceh, UP, DOWN)]))
    text = card(page, "Aceh")
    assert "Terhubung, tetapi ada titik terputus" in text
    assert "(aceh-router)" in text


def test_blind_centre_is_one_banner() -> None:
    """When our own side fails there is one banner and no card for what can't be seen."""
    unseen = Standing(State.UNKNOWN, Reason.BLIND, Blame.LOCAL, NOW - 100)
    statuses = (province_status(p, unseen, unseen) for p in provinces().values())
    page = page_of(make_snapshot(statuses, uplink=Uplink(False, blind=True, since=NOW - 100)))
    assert [b.words()[:21] for b in page.all("main")[0].all("p", "banner")] == [
        "Sisi pusat terganggu "
    ]
    assert page.all("article") == []
    assert title_of(page) == "(!) Sisi pusat terganggu"


@pytest.mark.parametrize("age", [29, 31])
def test_old_green_is_never_green(age: int) -> None:
    """Past thirty seconds the banner stands, nothing is up, and what was is told as the past."""
    page = page_of(uniform(), now=NOW - 2 + age)
    stale = age > 30
    assert bool(page.all("main")[0].all("p", "banner")) is stale
    assert (title_of(page) == "(?) DATA BASI") is stale
    body = page.all("tbody")[0]
    assert len(body.all("tr", "unknown" if stale else "up")) == 39
    assert ("terakhir terhubung" in body.words()) is stale
    (picture,) = (svg for svg in page.all("svg") if svg.attributes.get("role") == "group")
    assert len(picture.all("a", "unknown")) == (38 if stale else 0)


def test_stale_page_still_tells_the_last_known_problems() -> None:
    """Loss of data resolves nothing."""
    page = page_of(mixed(), now=NOW + 60)
    assert "Gangguan terakhir yang diketahui" in page.words()
    assert "Terputus" in card(page, "Sulawesi Selatan")


def test_seldom_checks_are_not_called_stale_too_soon() -> None:
    """With checks every minute a picture a minute old is fresh; after three it is not."""
    aceh = provinces()["aceh"]
    check = replace(make_check("aceh-codec", "aceh", "sip"), interval=60.0)
    it = replace(make_endpoint(aceh, Role.CODEC, []), checks=(check,))
    member = EndpointStatus(it, UP, (CheckStatus(check, Outcome.UP, Reason.OK, NOW),))
    snapshot = make_snapshot([ProvinceStatus(aceh, UP, (member,))])
    assert title_of(page_of(snapshot, now=NOW + 100)) == "1 terhubung"
    assert title_of(page_of(snapshot, now=NOW + 200)) == "(?) DATA BASI"


def test_map_shows_every_province_and_never_by_colour_alone() -> None:
    """38 tiles: links with a sign and words, or an outline where nothing is monitored yet."""
    page = page_of(mixed())
    (picture,) = (svg for svg in page.all("svg") if svg.attributes.get("role") == "group")
    tiles = picture.all("a", "t")
    assert len(tiles) == 36
    for tile in tiles:
        state = tile.attributes["class"].split()[1]
        signs = {use.attributes["href"] for use in tile.all("use")}
        assert f"#g-{state}" in signs
        assert words.STATES[State(state)].lower() in tile.all("title")[0].words()
    outlines = picture.all("g", "none")
    assert {one.all("text")[0].words() for one in outlines} == {"PT", "PE"}
    assert "Belum dipantau (2): Papua Tengah , Papua Pegunungan" in page.words()


def test_no_two_tiles_share_a_place() -> None:
    """Each province has its own square of the 16 x 8 grid."""
    (picture,) = (s for s in page_of(uniform()).all("svg") if s.attributes.get("role") == "group")
    moved = [a.attributes["transform"] for a in picture.all("a")]
    places = [re.findall(r"\d+", each) for each in moved]
    assert len(set(moved)) == 38
    assert all(0 <= int(x) < 640 and 0 <= int(y) < 320 for x, y in places)


def test_table_is_sorted_worst_longest_west() -> None:
    """Severity first, then the longest in trouble, then from west to east."""
    rows = [row.all("th")[0].words() for row in page_of(mixed()).all("tbody")[0].all("tr")]
    assert rows[:8] == [
        "Maluku Utara",
        "Papua",
        "Sulawesi Selatan",
        "Gorontalo",
        "Papua Selatan",
        "Nusa Tenggara Timur",
        "Kalimantan Utara",
        "Riau",
    ]
    longitude = {p.name_id: p.longitude for p in provinces().values()}
    assert rows[8:] == sorted(rows[8:], key=longitude.__getitem__)


def test_maintenance_is_shown_on_top_of_the_state() -> None:
    """The wrench stands beside the state's own sign."""
    rows = page_of(mixed()).all("tbody")[0].all("tr")
    (bali,) = (row for row in rows if "Bali" in row.words())
    assert bali.attributes["class"] == "up"
    assert {use.attributes["href"] for use in bali.all("use")} == {"#g-up", "#g-maintenance"}


def planned(scope: str, start: float, hours: float, **more: Any) -> Occasion:
    window = Maintenance(1, scope, "Penggantian <router>", start, hours * 3600, **more)
    return Occasion(window, start, start + hours * 3600)


def test_planned_maintenance_is_shown_before_it_begins() -> None:
    """What is on and what begins soon, with its time in its own zone; what is over is not."""
    week = (
        planned("province:papua", NOW - 60, 2, zone="Asia/Jayapura"),
        planned("provider:Penyedia A", NOW + 5 * 86400, 4),
        planned("island:Maluku", NOW - 7200, 1),
    )
    page = Tree(html_of(World(mixed(), planned=week))).root
    first, second = page.all("ul", "planned")[0].all("li")
    assert first.words() == ("Papua: Penggantian <router> berlangsung, 11.40 WIT sampai 13.40 WIT")
    assert second.words() == (
        "penyedia Penyedia A: Penggantian <router> 28 Nov 09.41 WIB sampai 28 Nov 13.41 WIB"
    )


def test_no_plans_take_no_place() -> None:
    """Without maintenance there is no section for it."""
    assert not page_of(mixed()).all("ul", "planned")


def test_flapping_is_told_with_its_count() -> None:
    """An unstable province says how often within which time."""
    unstable = Standing(
        State.DEGRADED, Reason.FLAPPING, Blame.NONE, NOW - 60, NOW - 50, changes=7, within=1800.0
    )
    page = page_of(make_snapshot([province_status(provinces()["aceh"], unstable)]))
    assert "Tidak stabil, 7x dalam 30 menit" in card(page, "Aceh")


def test_every_link_leads_somewhere() -> None:
    """In-page links have their anchors, ids are unique, other links are served."""
    page = page_of(mixed())
    ids = [node.attributes["id"] for node in page.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = {node.attributes["href"] for node in page.walk() if "href" in node.attributes}
    anchors = {link.partition("#")[2] for link in links if "#" in link and link[:5] != "data:"}
    assert {"provinsi", "g-up"} <= anchors <= set(ids)
    others = {link for link in links if "#" not in link and link[:5] != "data:"}
    assert others == {
        ASSETS.path("vcmon.css"),
        "/?jeda",
        "/en/",
        "/gangguan",
        "/rapat",
        "/pemeliharaan",
        "/laporan",
        "/papan",
        "/api/v1/status",
        "/metrics",
        *(f"/provinsi/{status.province.slug}" for status in mixed().provinces),
    }


def test_english_page_is_english_throughout() -> None:
    """No Indonesian word but names and places; its links stay in the language."""
    html = "".join(Pages(World(mixed()).sources(), ASSETS).status(ENGLISH))
    page = Tree(html).root
    assert page.all("html")[0].attributes["lang"] == "en"
    words_of_page = set(re.findall(r"[a-z]+", page.all("body")[0].words().lower()))
    assert not words_of_page & {"terputus", "terganggu", "sejak", "dari", "provinsi", "tidak"}
    links = {node.attributes["href"] for node in page.all("a") if "href" in node.attributes}
    assert {"/", "/en/?jeda", "/en/laporan"} <= links
    assert "South Sulawesi" in page.words()
    assert title_of(page).startswith("(5) 4 disconnected")


def test_page_refreshes_by_itself_unless_paused() -> None:
    """Without a script: a refresh in the head, a way to pause it, and back; paused, no script."""
    running, paused = html_of(World(mixed())), html_of(World(mixed()), paused=True)
    refresh = '<noscript><meta http-equiv="refresh" content="10;url=/"></noscript>'
    assert f'{refresh}\n<script src="{ASSETS.path("vcmon.js")}" defer></script>' in running
    assert "refresh" not in paused
    assert "<script" not in paused
    assert "Pembaruan dijeda pada 09.41.07 WIB" in paused
    assert 'href="/provinsi/aceh"' in running
    assert 'href="/provinsi/aceh"' in paused
    assert running.count("<script") == 1
    assert not re.search(r'\s(style|on\w+)="', running)


def test_table_and_page_are_built_for_screen_readers() -> None:
    """Language, skip link, caption, scopes, one h1; signs are hidden, words are not."""
    page = page_of(mixed())
    assert page.all("html")[0].attributes["lang"] == "id"
    assert page.all("a", "skip")[0].attributes["href"] == "#provinsi"
    assert len(page.all("caption")) == len(page.all("h1")) == 1
    assert all("scope" in cell.attributes for cell in page.all("th"))
    assert all(sign.attributes["aria-hidden"] == "true" for sign in page.all("svg", "g"))
    assert 'role="img"' not in html_of(World(mixed()))


EVIL = "<script>alert(1)</script>\"'&{{7*7}}\u202e\ud800\x00\n\x1b[2J"


def hostile() -> Snapshot:
    """Markup, quotes, overrides and surrogates wherever text comes from outside."""
    aceh = replace(provinces()["aceh"], name_id=EVIL, iso=EVIL, slug="aceh")
    name = CheckId("aceh-codec", EVIL)
    check = replace(make_check("aceh-codec", "aceh", "sip"), id=name)
    last = make_result(check, Outcome.DOWN, Reason.STATUS)._replace(detail={EVIL: EVIL})
    status = CheckStatus(check, Outcome.DOWN, Reason.STATUS, NOW, last=last)
    it = make_endpoint(aceh, Role.CODEC, [], site=EVIL, contact=EVIL, provider=EVIL, medium=EVIL)
    it = replace(it, id=EVIL, checks=(check,))
    standing = replace(DOWN, parent=EVIL)
    return make_snapshot(
        [ProvinceStatus(aceh, standing, (EndpointStatus(it, standing, (status,)),))]
    )


def test_text_from_outside_is_only_text() -> None:
    """No name, site, contact, provider, medium, check or vantage adds a tag or steers the page."""
    world = World(hostile(), settings=Settings((), provinces(), vantage=EVIL))
    html = html_of(world)
    html.encode()
    page = Tree(html).root
    assert [node.attributes["src"] for node in page.all("script")] == [ASSETS.path("vcmon.js")]
    assert "<script>alert(1)</script>" in page.words()
    assert "49" not in page.all("article")[0].words()
    assert not set(html) & {"\u202e", "\x00", "\x1b"}


def test_long_names_are_cut_and_the_tree_stays_whole() -> None:
    """A name of 10 kB takes 200 characters of the page, wherever it stands."""
    aceh = provinces()["aceh"]
    it = make_endpoint(aceh, Role.CODEC, ["sip"], site="S" * 10_000, contact="K" * 10_000)
    member = EndpointStatus(replace(it, id="I" * 10_000), DOWN, ())
    html = html_of(World(make_snapshot([ProvinceStatus(aceh, DOWN, (member,))])))
    assert max(map(len, re.findall(r"(?:S+|K+|I+)", html))) <= 200
    Tree(html)


def test_nothing_monitored_is_said_and_not_called_well() -> None:
    """An empty inventory is not "all connected"."""
    page = page_of(make_snapshot([]))
    assert title_of(page) == "Belum ada yang dipantau"
    assert "Belum ada provinsi yang dipantau" in page.words()
    assert "terhubung" not in page.all("main")[0].all("ul", "counts")[0].words()


@pytest.mark.parametrize("make", [mixed, lambda: uniform(DOWN), uniform])
def test_first_view_fits_its_budgets(make: object) -> None:
    """Page with all it can tell, style and script: 14 KB gzipped, at most 1,500 elements."""
    assert callable(make)
    html = html_of(eventful(make()))
    parts = (html.encode(), STYLE.read_bytes(), STYLE.with_suffix(".js").read_bytes())
    weights = [len(gzip.compress(part, 6)) for part in parts]
    weight, elements = sum(weights), sum(1 for node in Tree(html).root.walk() if node.tag)
    name = "page.first_view." + ("mixed" if make is mixed else title_of(Tree(html).root)[:20])
    record(name, f"{weight} bytes", "<= 14336; Gatus 181 KB, Cachet 150 KB", weight <= 14 * 1024)
    record(f"{name}.elements", f"{elements}", "<= 1500", elements <= 1500)
    assert weight <= 14 * 1024, weights
    assert elements <= 1500


def test_large_inventory_is_bounded_and_says_where_the_rest_is() -> None:
    """Ten thousand endpoints don't make ten thousand lines."""
    html = html_of(World(large(10_000)))
    assert len(html) < 200_000
    assert "/api/v1/provinces/aceh" in html
