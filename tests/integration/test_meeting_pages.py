"""Meetings over HTTP: pages, forms, minutes and the API, by whom they may be used and by nobody
else; hostile names break none of them.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.fakes.browser import Browser, serving
from tests.fakes.filled_memory import HOSTILE
from tests.fakes.meetings import START, first_of, keep, marked, meeting_world, weekly
from tests.fakes.signing import Visitor
from tests.fakes.snapshots import NOW, World
from tests.integration.test_gate import Keys
from vcmon.config.settings import Web
from vcmon.history.store import Store
from vcmon.model.meeting import Presence

ID = first_of(weekly()).id
PAGE, CALLS, CHANGES = f"/rapat/{ID}", f"/rapat/{ID}/hadir", f"/rapat/{ID}/ubah"
NEW = {"title": "Rapat pilkada", "start": "2026-11-28T09:00", "zone": "WIT", "duration": "90m"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return meeting_world(tmp_path)


def kept(world: World) -> list[str]:
    """What people did, as the trail tells it."""
    assert world.file is not None
    store = Store.open(world.file, write=False)
    found = [f"{each.who} {each.action} {each.target}" for each in store.trail(0, 1e11)]
    store.close()
    return found


class Balanced(HTMLParser):
    """Complains of what does not close as it opened, and counts scripts."""

    VOID = frozenset({"meta", "link", "input", "br", "option", "use", "path", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


async def test_a_sitting_before_it_begins(world: World) -> None:
    """Who is ready, who must be, why, what to do, whom to call; T-60 beside now."""
    async with serving(world) as browser:
        page = (await browser.ask(PAGE)).text
        english = (await browser.ask(f"/en{PAGE}")).text
    for told in (
        "34 dari 38 siap, 3 wajib belum",
        "10.14 WIB / 11.14 WITA / 12.14 WIT",
        "mulai dalam 32 mnt",
        "Terputus sejak 10.28.33 WITA",
        "Telepon narahubung: listrik dan perangkatnya menyala?",
        "Piket sulawesi-selatan 0811-0000",
        "T-60<small>34/38</small>",
        "0 hadir, 38 belum dipanggil",
    ):
        assert told in page, told
    assert "34 of 38 ready, 3 required not yet" in english
    assert "10:14 WIB / 11:14 WITA / 12:14 WIT" in english
    rows = re.findall(r'data-key="daftar-([a-z-]+)"', page)
    assert len(rows) == 38
    assert rows[:3] == ["sulawesi-selatan", "papua", "kalimantan-utara"]


async def test_while_it_goes_on_changes_stand_first(tmp_path: Path) -> None:
    """Who dropped and came back; below only those that do not keep the limits now."""
    world = await asyncio.to_thread(meeting_world, tmp_path, weekly(NOW - 1800))
    name = first_of(weekly(NOW - 1800)).id
    async with serving(world) as browser:
        page = (await browser.ask(f"/rapat/{name}")).text
    assert "berlangsung 30 mnt" in page
    assert "09.21.07 WIB–09.23.12 WIB, sudah pulih (2 mnt)" in page
    assert page.count('data-key="ragu-') == 4


async def test_a_stale_picture_judges_nobody(world: World) -> None:
    """What was kept is told as what it is, never as of now."""
    world.now = NOW + 120
    async with serving(world) as browser:
        page = (await browser.ask(PAGE)).text
        board = (await browser.ask("/papan")).text
    assert "DATA BASI." in page
    assert "terakhir pada" in page
    assert "dari 38 siap" not in board


async def test_without_a_memory_it_is_judged_all_the_same(world: World) -> None:
    """The page tells now; forms and minutes say that there is no memory."""
    world.file = None
    async with serving(world) as browser:
        page = await browser.ask(PAGE)
        minutes = await browser.ask(f"{PAGE}/berita-acara")
        listed = await browser.ask("/rapat")
    assert (page.status, "34 dari 38 siap" in page.text) == (200, True)
    assert (minutes.status, "Tidak ada ingatan" in minutes.text) == (404, True)
    assert (listed.status, "Rapat Pusat dan Daerah" in listed.text) == (200, True)


@pytest.mark.parametrize("path", ["", "/hadir", "/ubah", "/berita-acara", "/berita-acara.csv"])
async def test_of_no_sitting_there_is_nothing(world: World, path: str) -> None:
    """404 in words, and no trace of the address."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        reply = await me.ask(f"/rapat/mingguan-20261124-1014{path}")
    assert reply.status == 404
    assert "Halaman tidak ditemukan" in reply.text


async def test_the_list_has_today_and_what_comes(world: World) -> None:
    """The next one with who is ready; a stranger and a viewer see no form."""
    async with serving(world) as browser:
        me, guest = await Visitor.of(browser, "budi"), await Visitor.of(browser, "tamu")
        mine = (await me.ask("/rapat")).text
        others = [(await guest.ask("/rapat")).text, (await browser.ask("/en/rapat")).text]
    assert "34 dari 38 siap, 3 wajib belum" in mine
    assert "Senin, 30 Nov 2026, 10.14–11.44 WIB" in mine
    assert 'name="title"' in mine
    assert all("<form" not in page for page in others)
    assert "Monday, 30 Nov 2026, 10:14–11:44 WIB" in others[1]


async def test_what_was_is_listed_from_the_memory(tmp_path: Path) -> None:
    """Also what is in no agenda any more, which its page says."""
    world = await asyncio.to_thread(meeting_world, tmp_path, weekly(NOW - 7200))
    name = first_of(weekly(NOW - 7200)).id
    world.agenda = ()
    async with serving(world) as browser:
        listed = (await browser.ask("/rapat")).text
        page = (await browser.ask(f"/rapat/{name}")).text
    assert "Tidak ada rapat yang direncanakan." in listed
    assert f"/rapat/{name}" in listed
    assert "Rapat ini tidak ada lagi dalam rencana" in page


# ---- forms


async def test_the_roll_is_called_by_forms(world: World) -> None:
    """Present, absent, gone: each in the trail; the next has the focus; the last counts."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        first = await me.post(CALLS, {"province": "aceh", "presence": "hadir", "officer": "Sari"})
        assert (first.status, first.headers["Location"]) == (303, f"{CALLS}?selesai=aceh")
        page = (await me.ask(first.headers["Location"])).text
        await me.post(CALLS, {"province": "bali", "presence": "tidak_hadir", "note": HOSTILE})
        await me.post(f"/en{CALLS}", {"province": "aceh", "presence": "keluar", "officer": ""})
        after = (await me.ask(CALLS)).text
    assert "Aceh dicatat." in page
    assert re.search(r'id="o-sumatera-utara"[^>]* autofocus', page)
    assert page.count("autofocus") == 1
    assert "0 hadir, 36 belum dipanggil" in after
    assert "<b>Keluar</b>" in after
    assert "<script>" not in after
    assert await asyncio.to_thread(kept, world) == [
        f"budi mark hadir sitting:{ID}/aceh",
        f"budi mark tidak_hadir sitting:{ID}/bali",
        f"budi mark keluar sitting:{ID}/aceh",
    ]


@pytest.mark.parametrize(
    ("path", "fields", "why"),
    [
        (CALLS, {"province": "pusat", "presence": "hadir"}, "tidak ada dalam daftar peserta"),
        (CALLS, {"province": "aceh", "presence": "mungkin"}, "Kehadiran: pilih"),
        (CALLS, {"presence": "hadir"}, "Provinsi ini tidak dikenal"),
        (
            CALLS,
            {"province": "aceh", "presence": "hadir", "note": "x" * 301},
            "Keterangan: paling banyak 300",
        ),
        (
            CALLS,
            {"province": "aceh", "presence": "hadir", "by": "x"},
            "Isian formulir tidak dapat dibaca",
        ),
        (CHANGES, {"deed": "lupa"}, "Tindakan ini tidak dikenal"),
        (CHANGES, {"deed": "pindah"}, "Mulai: tulis tanggal"),
        (CHANGES, {"deed": "pindah", "start": "besok"}, "Mulai: tulis tanggal"),
        (CHANGES, {"deed": "pindah", "start": "2026-11-20T09:00"}, "Waktu mulainya sudah lewat"),
        ("/rapat", NEW | {"title": ""}, "Pekerjaan atau judul: tulis"),
        ("/rapat", NEW | {"required": "atlantis"}, "Wajib: tulis nama provinsi"),
        ("/rapat", NEW | {"start": "2026-11-01T09:00"}, "Waktu mulainya sudah lewat"),
        ("/rapat", NEW | {"repeat": "FREQ=SECONDLY"}, "Berulang: tulis aturan"),
        ("/rapat", NEW | {"room": "no-such"}, "Ruang: pilih"),
    ],
)
async def test_refusals_say_why_and_change_nothing(
    world: World, path: str, fields: dict[str, str], why: str
) -> None:
    """422 on the same page, with the reason and what was typed."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        reply = await me.post(path, fields)
    assert reply.status == 422
    assert why in reply.text
    assert 'role="alert"' in reply.text
    if path == "/rapat" and fields["title"]:
        assert 'value="Rapat pilkada"' in reply.text
    assert await asyncio.to_thread(kept, world) == []


async def test_a_meeting_is_planned_moved_and_called_off(world: World) -> None:
    """Each is there at once for the next reader of the agenda, and in the trail."""

    def agenda() -> None:
        assert world.file is not None
        store = Store.open(world.file, write=False)
        world.agenda = store.meetings()
        store.close()

    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        made = await me.post("/rapat", NEW | {"required": "aceh, papua", "optional": "bali"})
        assert (made.status, made.headers["Location"]) == (303, "/rapat?selesai=rencana")
        await asyncio.to_thread(agenda)
        listed = (await me.ask(made.headers["Location"])).text
        one = "/rapat/rapat-pilkada-20261128-0900"
        await me.post(f"{one}/ubah", {"deed": "pindah", "start": "2026-11-29T10:00", "zone": "WIB"})
        await asyncio.to_thread(agenda)
        moved = (await me.ask(one)).text
        gone = await me.post(f"{one}/ubah", {"deed": "batal"})
        await asyncio.to_thread(agenda)
        after = (await me.ask(gone.headers["Location"])).text
        missing = await me.ask(f"{one}/ubah")
    assert "Rapat disimpan." in listed
    assert "Sabtu, 28 Nov 2026, 07.00–08.30 WIB" in listed
    assert "Minggu, 29 Nov 2026" in moved
    assert "Dipindahkan dari" in moved
    assert "Rapat dibatalkan." in after
    assert missing.status == 404
    trail = await asyncio.to_thread(kept, world)
    assert trail == [f"budi {deed} meeting:rapat-pilkada" for deed in ("plan", "move", "cancel")]


async def test_a_viewer_may_not_act(world: World) -> None:
    """The forms' pages say which role it takes; what is sent all the same is refused."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "tamu")
        replies = [
            await me.ask(CALLS),
            await me.ask(CHANGES),
            await me.post(CALLS, {"province": "aceh", "presence": "hadir"}),
            await me.post(CHANGES, {"deed": "batal"}),
            await me.post("/rapat", NEW),
        ]
    assert {reply.status for reply in replies} == {403}
    assert await asyncio.to_thread(kept, world) == []


async def test_no_form_stands_on_a_page_that_reloads_itself(world: World) -> None:
    """What somebody types stays: neither a refresh nor a script; every field has its label."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        pages = [await me.ask(path) for path in ("/rapat", CALLS, CHANGES, f"/en{CALLS}")]
    for page in pages:
        assert page.status == 200
        assert not re.search(r"http-equiv|<script|<style|style=|\son\w+=", page.text)
        assert page.headers["Cache-Control"] == "no-store"
        labelled = set(re.findall(r'<label for="([^"]+)"', page.text))
        fields = re.findall(r"<(?:input|select|textarea) (?!type=\"hidden\")[^>]*>", page.text)
        named = {match[1] for each in fields if (match := re.search(r'id="([^"]+)"', each))}
        assert len(named) == len(fields)
        assert named <= labelled


# ---- minutes


def past_world(folder: Path) -> tuple[World, str]:
    """A sitting that is over, with who was there."""
    meeting = weekly(NOW - 7200)
    world, it = meeting_world(folder, meeting), first_of(meeting)
    marks = [
        marked(it, "aceh", Presence.PRESENT, officer="Ibu Sari", note="=1+1"),
        marked(it, "papua", Presence.ABSENT),
    ]
    keep(folder / "m.db", it, NOW, marks)
    return world, f"/rapat/{it.id}/berita-acara"


async def test_the_minutes_tell_who_was_there_and_what_dropped(tmp_path: Path) -> None:
    """To the second, in both languages; not before the sitting has begun."""
    world, path = await asyncio.to_thread(past_world, tmp_path)
    async with serving(world) as browser:
        page = (await browser.ask(path)).text
        english = (await browser.ask(f"/en{path}")).text
    assert "1 dari 38 provinsi hadir" in page
    assert "35 yang wajib tidak tercatat hadir" in page
    assert "07.51.07 WIB–07.53.12 WIB (0:02:05)" in page
    assert "97,68 %" in page
    assert "97.68 %" in english
    assert "T-60: 34/38, T-30: 35/38, T-10: 36/38, T0: 37/38" in page


async def test_there_are_no_minutes_of_what_has_not_begun(world: World) -> None:
    """404 until the start; from there on what has happened so far."""
    async with serving(world) as browser:
        before = await browser.ask(f"{PAGE}/berita-acara")
    world.now = START
    async with serving(world) as browser:
        during = await browser.ask(f"{PAGE}/berita-acara")
    assert (before.status, during.status) == (404, 200)
    assert "Rapat masih berlangsung; dihitung sampai 10.14.00 WIB." in during.text


async def test_the_minutes_as_files(tmp_path: Path) -> None:
    """CSV for Excel in Indonesia and for programs, JSON to the millisecond."""
    world, path = await asyncio.to_thread(past_world, tmp_path)
    async with serving(world) as browser:
        local, iso = await browser.ask(f"{path}.csv"), await browser.ask(f"{path}.csv?dialect=iso")
        told = await browser.ask(f"{path}.json")
    assert local.text.startswith("\ufeffRapat;Kode;Provinsi;")
    rows = list(csv.DictReader(io.StringIO(iso.text.removeprefix("\ufeff"))))
    assert len(rows) == 38
    aceh = next(row for row in rows if row["province"] == "Aceh")
    assert (aceh["presence"], aceh["officer"], aceh["note"]) == ("hadir", "Ibu Sari", "'=1+1")
    assert (aceh["lost_seconds"], aceh["availability_percent"]) == ("125.000", "97.68")
    assert ";97,68;" in local.text
    assert local.headers["Content-Disposition"].startswith('attachment; filename="berita-acara-')
    data = told.json
    assert (data["present"], data["required_absent"], data["final"]) == (1, 35, True)
    outage = next(p for p in data["provinces"] if p["province"] == "aceh")["outage_list"][0]
    assert (outage["start"], outage["counted_ms"]) == ("2026-11-23T00:51:07.000Z", 125_000)


async def test_hostile_texts_break_nothing(tmp_path: Path) -> None:
    """Titles, organisers, rooms, officers and notes: HTML stays closed, CSV and JSON stay whole."""
    meeting = weekly(NOW - 1800, title=HOSTILE, organiser="=cmd()" + HOSTILE, room=HOSTILE)
    world, it = await asyncio.to_thread(meeting_world, tmp_path, meeting), first_of(meeting)
    marks = [marked(it, "aceh", Presence.PRESENT, officer="@" + HOSTILE, note="=" + HOSTILE)]
    marks = [replace(each, author="-" + HOSTILE) for each in marks]
    await asyncio.to_thread(keep, tmp_path / "m.db", it, NOW, marks)
    paths = ("", "/hadir", "/ubah", "/berita-acara")
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        pages = [await me.ask(f"/rapat/{it.id}{path}") for path in paths if path != "/ubah"]
        pages += [await me.ask("/rapat"), await me.ask("/papan"), await me.ask("/")]
        sheet = await me.ask(f"/rapat/{it.id}/berita-acara.csv")
        told = await me.ask(f"/rapat/{it.id}/berita-acara.json")
        api = await me.ask(f"/api/v1/meetings/{it.id}")
    for page in pages:
        assert page.status == 200
        parser = Balanced()
        parser.feed(page.text.partition("<!doctype html>")[2])
        assert (parser.open, parser.handlers) == ([], [])
        assert "<script>alert" not in page.text
        assert "\x1b" not in page.text
        assert "\u202e" not in page.text
    for row in csv.reader(io.StringIO(sheet.text.removeprefix("\ufeff")), delimiter=";"):
        assert len(row) == 18
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    assert json.loads(told.text)["title"].startswith("[31m<script>")
    assert api.json["title"] == HOSTILE


# ---- the API


@pytest.fixture
def keys(tmp_path: Path, world: World) -> Keys:
    made = Keys(tmp_path / "tokens")
    web = Web(tokens_file=str(made.path), users_file=str(tmp_path / "users"))
    world.settings = replace(world.settings, web=web)
    return made


async def test_meetings_are_read(world: World) -> None:
    """The list with its sittings; one sitting with now, its checkpoints and its marks."""
    async with serving(world) as browser:
        listed = (await browser.ask("/api/v1/meetings?days=8")).json
        one = (await browser.ask(f"/api/v1/meetings/{ID}")).json
        missing = await browser.ask("/api/v1/meetings/nothing")
        wrong = await browser.ask("/api/v1/meetings?days=0")
    assert [each["id"] for each in listed["sittings"]] == [ID, "mingguan-20261130-1014"]
    assert listed["meetings"][0]["checkpoints_s"] == [3600.0, 1800.0, 600.0, 0.0]
    assert (one["roll"]["ready"], one["roll"]["required_missing"]) == (34, 3)
    assert one["roll"]["verdicts"][0]["doubt"] == "down"
    assert [each["checkpoint_s"] for each in one["checkpoints"]] == [3600.0]
    assert (missing.status, wrong.status) == (404, 400)


async def test_meetings_are_acted_on_by_token(world: World, keys: Keys) -> None:
    """Plan, mark, move, cancel: with the operator's token; what is wrong is said."""
    token = keys.header("operator")
    base = "/api/v1/meetings"

    async def tell(browser: Browser, path: str, body: object) -> tuple[int, object]:
        reply = await browser.tell(f"{base}{path}", body, **token)
        return reply.status, reply.json

    async with serving(world) as browser:
        plan_body = {"id": "baru"} | NEW
        planned, made = await tell(browser, "", plan_body)
        twice, _ = await tell(browser, "", plan_body | {"id": "mingguan"})
        marked_, mark = await tell(
            browser, f"/{ID}/attendance", {"province": "aceh", "presence": "hadir"}
        )
        stranger, _ = await tell(
            browser, f"/{ID}/attendance", {"province": "pusat", "presence": "hadir"}
        )
        moved, _ = await tell(browser, f"/{ID}/move", {"start": "2026-11-24 09:00"})
        cancelled, whole = await tell(browser, "/mingguan/cancel", {})
        nothing, _ = await tell(browser, "/no-such/cancel", {})
    assert (planned, twice, marked_, stranger) == (201, 422, 201, 422)
    assert (moved, cancelled, nothing) == (200, 200, 404)
    assert isinstance(made, dict)
    assert (made["id"], made["origin"], made["start"]) == (
        "baru", "person", "2026-11-28T00:00:00.000Z",
    )  # fmt: skip
    assert isinstance(mark, dict)
    assert mark["author"] == "budi"
    assert isinstance(whole, dict)
    assert whole["cancelled_at"] == "2026-11-23T02:41:07.000Z"
    assert len(await asyncio.to_thread(kept, world)) == 4
