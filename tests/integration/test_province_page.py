"""The pages of provinces and incidents over HTTP: what they tell, refuse, and do in trouble."""

from __future__ import annotations

import asyncio
import gzip
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.figures import record
from tests.fakes.filled_memory import HOSTILE, incident
from tests.fakes.province_past import CODEC, FALL, SLUG, past_world, settings_of
from tests.fakes.snapshots import NOW, World, mixed
from vcmon.history.ninety import read_ninety
from vcmon.history.store import Store
from vcmon.model.memory import Member
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason
from vcmon.views import province_face


@pytest.fixture
def world(tmp_path: Path) -> World:
    return past_world(tmp_path, grafana="https://grafana.example/")


async def write(world: World, work: Callable[[Store], object]) -> None:
    """Write to the memory, off the loop."""

    def run() -> None:
        assert world.file is not None
        file = Store.open(world.file)
        with file.transaction():
            work(file)
        file.close()

    await asyncio.to_thread(run)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/provinsi/{SLUG}", 200),
        (f"/en/provinsi/{SLUG}", 200),
        (f"/provinsi/{SLUG}?titik=sulawesi-selatan-router", 200),
        (f"/provinsi/{SLUG}?titik=%3Cscript%3E&jeda", 200),
        ("/provinsi/pusat", 200),
        ("/provinsi/papua-tengah", 200),
        ("/provinsi/atlantis", 404),
        ("/provinsi/%3Cscript%3E", 404),
        ("/provinsi/", 404),
        ("/gangguan", 200),
        ("/en/gangguan", 200),
        ("/gangguan?provinsi=&keadaan=&sebab=&bulan=", 200),
        ("/gangguan?provinsi=atlantis", 400),
        ("/gangguan?keadaan=open", 400),
        ("/gangguan?sebab=%1b%5b31m", 400),
        ("/gangguan?bulan=2026-13", 400),
        ("/gangguan?halaman=0", 400),
        ("/gangguan?halaman=1001", 400),
        ("/gangguan?halaman=%D9%A3", 400),
        ("/gangguan/12", 200),
        ("/en/gangguan/12?jeda", 200),
        ("/gangguan/13", 404),
        ("/gangguan/0", 404),
        ("/gangguan/" + "9" * 18, 404),
        ("/gangguan/" + "9" * 19, 404),
    ],
)
async def test_every_address_has_a_page(world: World, path: str, status: int) -> None:
    """In HTML, not kept by anybody; what there is not is said so in a page."""
    async with serving(world) as browser:
        reply = await browser.ask(path)
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.headers["Cache-Control"] == "no-store"
    assert "<script>" not in reply.text
    assert not re.search(r'\s(style|on\w+)="', reply.text)
    assert ("/en/" in path) == ('<html lang="en">' in reply.text)


async def test_the_ninety_days_are_a_bar_and_a_table(world: World) -> None:
    """The bar as on the status page, and its figures in words, in both languages."""
    series = f"province:{SLUG}"
    assert world.file is not None
    found = await asyncio.to_thread(read_ninety, world.file, [series], NOW)
    world.ninety = {SLUG: found[series]}
    async with serving(world) as browser:
        for root, lost, unseen in (("", "42 mnt", "1 jam 0 mnt"), ("/en", "42 min", "1 h 0 min")):
            page = (await browser.ask(f"{root}/provinsi/{SLUG}")).text
            table = re.search(r'data-key="t-provinsi".*?</details>', page, re.DOTALL)
            assert page.count('<svg class="bar"') == 1
            assert table is not None
            assert table[0].count("<tr") == 3
            assert f'<td class="n">{lost}</td>' in table[0]
            assert f'<td class="n">{unseen}</td>' in table[0]


async def test_a_province_is_told_whole(world: World) -> None:
    """Headline, availability, contacts, checks, failures, curves, way, incidents, maintenance."""
    async with serving(world) as browser:
        page = (await browser.ask(f"/provinsi/{SLUG}")).text
    for told in (
        "Sulawesi Selatan",
        "Perangkat menjawab ping, layanannya tidak menjawab",
        "99,96 %, terukur 99,95 % dari waktunya; 2 kali putus, terlama 30 mnt",
        "Piket Kominfo Sulawesi Selatan 0711-000000",
        "resolve 0,1 ms, request 43 ms",
        "5 kegagalan terakhir",
        "RTT rata-rata 45 ms",
        "jitter rata-rata 2,0 ms, tertinggi 3,5 ms",
        '<th scope="row">26 Agu sampai 22 Nov</th>',
        "Berhenti setelah 192.0.2.3, dulu lanjut ke 192.0.2.4",
        'href="/gangguan/12"',
        "Penggantian router",
        "https://grafana.example/d/vcmon-province?var-province=sulawesi-selatan&amp;var-endpoint=",
    ):
        assert told in page, told
    assert page.count("<figure") == page.count('class="jt"') == 3
    packed = gzip.compress(page.encode(), 6)
    light = len(packed) <= 8192 and len(page.encode()) <= 40_960
    sizes = f"{len(page.encode()) / 1024:.1f} KiB, {len(packed) / 1024:.1f} KiB packed"
    record("page.province.bytes", sizes, "<= 40 and 8 KiB", light)
    assert light


async def test_other_provinces_outages_are_not_told(world: World) -> None:
    """Aceh has no incident, no maintenance and nothing of South Sulawesi's."""
    async with serving(world) as browser:
        page = (await browser.ask("/provinsi/aceh")).text
    assert "/gangguan/12" not in page
    assert "Penggantian router" not in page
    assert CODEC not in page


async def test_a_healthy_way_is_not_called_a_failing_one(world: World) -> None:
    """Where none failed the healthy way stands alone."""
    hops = (Hop(1, ("192.0.2.77",), 0.001),)
    route = Route("aceh-codec", "192.0.2.77", NOW - 60, True, hops, True, Reason.OK)
    await write(world, lambda file: file.put_route(route))
    async with serving(world) as browser:
        page = (await browser.ask("/en/provinsi/aceh")).text
    assert "192.0.2.77" in page
    assert "The way is whole" in page
    assert "While failing" not in page


async def test_without_a_memory_the_present_is_still_told(world: World) -> None:
    """A province's page needs the memory only for the past; incidents say that there is none."""
    world.file = None
    async with serving(world) as browser:
        province = await browser.ask(f"/provinsi/{SLUG}")
        found = await browser.ask("/gangguan")
    assert province.status == 200
    assert "Ingatan pemantau tidak dapat dibaca" in province.text
    assert "Piket Kominfo Sulawesi Selatan" in province.text
    assert (found.status, "Ingatan pemantau dimatikan" in found.text) == (404, True)


async def test_a_memory_in_trouble_is_a_page_that_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After, in the language of the address; the next one may succeed."""

    def spoilt(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with serving(world) as browser:
        with monkeypatch.context() as broken:
            broken.setattr(Store, "find", spoilt)
            reply = await browser.ask("/en/gangguan")
        again = await browser.ask("/en/gangguan")
    assert (reply.status, again.status) == (503, 200)
    assert reply.headers["Retry-After"] == "2"
    assert "The memory cannot be read" in reply.text


async def test_what_is_now_does_not_wait_for_what_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs costs the first reader a moment and the others nothing."""
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(20)
        return []

    monkeypatch.setattr(Store, "find", hang)
    monkeypatch.setattr(province_face, "ANSWERS_WITHIN", 0.3)
    try:
        async with serving(world) as browser:
            first = await browser.ask(f"/provinsi/{SLUG}")
            began = time.monotonic()
            others = [await browser.ask(f"/provinsi/{slug}") for slug in ("aceh", "bali", "papua")]
            took = time.monotonic() - began
    finally:
        released.set()
    assert {reply.status for reply in (first, *others)} == {200}
    assert all("Ingatan pemantau tidak dapat dibaca" in reply.text for reply in (first, *others))
    assert took < 1.5


async def test_the_list_has_pages_of_fifty(world: World) -> None:
    """Newest first; the links to older and newer keep the filters."""

    def fill(file: Store) -> None:
        for number in range(100, 220):
            file.put_incident(incident(number, NOW - 1e6 + number, NOW - 9e5, "bali"))

    await write(world, fill)
    async with serving(world) as browser:
        first = (await browser.ask("/en/gangguan?provinsi=ID-BA&keadaan=selesai")).text
        last = (await browser.ask("/gangguan?provinsi=bali&keadaan=selesai&halaman=3")).text
    assert re.findall(r'data-key="g(\d+)"', first)[::49] == ["219", "170"]
    older = "/en/gangguan?provinsi=bali&amp;keadaan=selesai&amp;halaman=2"
    assert f'rel="next" href="{older}"' in first
    assert 'rel="prev"' not in first
    assert re.findall(r'data-key="g(\d+)"', last)[-1] == "100"
    assert 'rel="next"' not in last


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", ["12", "7"]),
        ("?keadaan=terbuka", ["12"]),
        ("?sebab=cable", ["12"]),
        ("?sebab=unknown", ["7"]),
        ("?provinsi=aceh", []),
        ("?bulan=2026-11", ["12", "7"]),
        ("?bulan=2026-10", []),
    ],
)
async def test_the_filters_filter(world: World, query: str, numbers: list[str]) -> None:
    """By state, by cause as people judged it, by province, by month."""
    async with serving(world) as browser:
        page = (await browser.ask(f"/gangguan{query}")).text
    assert re.findall(r'data-key="g(\d+)"', page) == numbers
    assert ("Tidak ada gangguan yang cocok." in page) == (not numbers)


@pytest.mark.catalogue("T39")
async def test_hostile_names_stay_text(world: World) -> None:
    """Scripts, escapes and direction marks in every name do nothing on any of these pages."""
    statuses = []
    for status in mixed().provinces:
        members = tuple(
            replace(
                e,
                endpoint=replace(e.endpoint, site=HOSTILE, provider=HOSTILE, contact=HOSTILE),
            )
            for e in status.endpoints
        )
        named = replace(status.province, name_id=HOSTILE, name_en=HOSTILE, capital=HOSTILE)
        statuses.append(replace(status, province=named, endpoints=members))
    world.snapshot = replace(world.snapshot, provinces=tuple(statuses))
    hostile = {each.province.slug: each.province for each in statuses}
    world.settings = replace(settings_of(world.snapshot), provinces=hostile)
    owner = Member(f"endpoint:{HOSTILE}", FALL, None)
    bad = replace(incident(20, FALL), owner=f"provider:{HOSTILE}", members=(owner,))
    await write(world, lambda file: file.put_incident(bad))
    async with serving(world) as browser:
        for path in (f"/provinsi/{SLUG}", "/gangguan", "/gangguan/12", "/gangguan/20"):
            reply = await browser.ask(path)
            assert reply.status == 200
            for evil in ("<script>", "\x1b", "\u202e"):
                assert evil not in reply.text, path


async def test_many_readers_cost_one_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change has every open page ask at once: the memory is asked once for each of them."""
    asked = []
    find = Store.find

    def counted(self: Store, wanted: object) -> object:
        asked.append(wanted)
        return find(self, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "find", counted)
    async with serving(world) as browser:
        replies = await asyncio.gather(*(browser.ask("/gangguan") for _ in range(40)))
        assert len(asked) == 1
        pages = [browser.ask(f"/provinsi/{SLUG}?titik={CODEC}") for _ in range(40)]
        replies += await asyncio.gather(*pages)
    assert {reply.status for reply in replies} == {200}
    assert len(asked) == 2
