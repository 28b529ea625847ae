"""Deeds by forms: what they do, what they refuse in words, and what a viewer sees of them."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.clock import EPOCH
from tests.fakes.filled_memory import HOSTILE
from tests.fakes.signing import Visitor, signing_world
from tests.fakes.snapshots import NOW, World
from vcmon.config.schema import MeetingFields
from vcmon.history.remarks import Why
from vcmon.history.store import Store
from vcmon.model.memory import Entry
from vcmon.views.door_words import FIELDS, NO_INCIDENT, NOT_SAVED, UNREADABLE, WHY
from vcmon.views.meeting_shapes import MarkFields, MoveFields
from vcmon.views.shapes import PlanFields, RemarkFields
from vcmon.views.tongue import BAHASA, ENGLISH

TONGUES = (BAHASA, ENGLISH)

DEEDS, LIST = "/gangguan/1/tindak", "/pemeliharaan"
WINDOW = {
    "scope": "province:aceh",
    "title": "Penggantian router",
    "start": "2026-11-28T22:00",
    "zone": "WIT",
    "duration": "4h",
    "repeat": "",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return signing_world(tmp_path)


async def trail(world: World) -> list[Entry]:
    def read() -> list[Entry]:
        assert world.file is not None
        store = Store.open(world.file, write=False)
        found = store.trail(EPOCH, 1e11)
        store.close()
        return found

    return await asyncio.to_thread(read)


async def test_an_incidents_whole_course(world: World) -> None:
    """Acknowledged, noted, judged, closed; each is there after the redirect, and in the trail."""
    forms = (
        ({"deed": "ack", "ticket": "IN-1", "text": "ditelepon"}, "Pengakuan disimpan."),
        ({"deed": "note", "text": HOSTILE}, "Catatan disimpan."),
        ({"deed": "cause", "cause": "cable", "text": ""}, "Penyebab disimpan."),
        ({"deed": "close", "cause": "", "text": ""}, "Gangguan ditutup."),
    )
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        for fields, said in forms:
            done = await me.post(DEEDS, fields)
            assert done.status == 303, done.text
            page = await me.ask(done.headers["Location"])
            assert said in page.text
        read = (await browser.ask("/api/v1/incidents/1")).json
    assert [each["deed"] for each in read["remarks"]] == ["ack", "note", "cause", "close"]
    assert {each["author"] for each in read["remarks"]} == {"budi"}
    assert (read["cause"], read["remarks"][0]["ticket"]) == ("cable", "IN-1")
    assert await trail(world) == [
        Entry(NOW, "budi", "operator", deed, "incident:1")
        for deed in ("ack", "note", "cause", "close")
    ]
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    ("path", "fields", "why"),
    [
        (DEEDS, {"deed": "note"}, WHY[Why.NO_TEXT]),
        (DEEDS, {"deed": "note", "text": "\u202e"}, WHY[Why.NO_TEXT]),
        (DEEDS, {"deed": "cause"}, WHY[Why.NO_CAUSE]),
        (DEEDS, {"deed": "close"}, WHY[Why.NO_CAUSE]),
        (DEEDS, {"deed": "note", "text": "x", "ticket": "4711"}, WHY[Why.MISPLACED]),
        ("/gangguan/2/tindak", {"deed": "close", "cause": "cable"}, WHY[Why.GOES_ON]),
        (DEEDS, {"deed": "undo"}, FIELDS["deed"]),
        (DEEDS, {"deed": "ack", "author": "Menteri", "by": "x"}, UNREADABLE),
        (DEEDS, {"deed": "cause", "cause": "gremlins"}, FIELDS["cause"]),
        (DEEDS, {"deed": "note", "text": "x" * 2001}, FIELDS["text"]),
        (DEEDS, {"deed": "ack", "ticket": "x" * 81}, FIELDS["ticket"]),
        (LIST, WINDOW | {"start": "2026-11-20T10:00"}, WHY[Why.LATE]),
        (LIST, WINDOW | {"repeat": "FREQ=YEARLY;UNTIL=20200101"}, WHY[Why.NEVER]),
        (LIST, WINDOW | {"scope": "endpoint:b"}, FIELDS["scope"]),
        (LIST, WINDOW | {"duration": "60d"}, FIELDS["duration"]),
        (LIST, WINDOW | {"duration": "long"}, FIELDS["duration"]),
        (LIST, WINDOW | {"start": "besok", "zone": "Mars"}, FIELDS["zone"]),
        (LIST, WINDOW | {"start": "besok", "zone": "Mars"}, FIELDS["start"]),
        (LIST, WINDOW | {"repeat": "FREQ=NEVER"}, FIELDS["repeat"]),
        (LIST, {}, FIELDS["title"]),
    ],
)
async def test_refusals_say_what_is_wrong_and_keep_what_was_typed(
    world: World, path: str, fields: dict[str, str], why: str
) -> None:
    """422 on the same page, the reason in its language alone; nothing is written."""
    said = {"note": "2000", "ticket": "80", "low": "1m", "high": "31d"}
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        replies = [(tongue, await me.post(tongue.root + path, fields)) for tongue in TONGUES]
    for tongue, reply in replies:
        assert reply.status == 422
        banner = re.search(r'role="alert">(.*?)</p>', reply.text)
        assert banner is not None
        told = unescape(banner[1])
        assert tongue.say(why, **said) in told
        others = (*WHY.values(), *FIELDS.values(), UNREADABLE, NOT_SAVED)
        texts = [tongue.say(text, **said, why="") for text in others]
        for text in sorted(texts, key=len, reverse=True):
            told = told.replace(text, "")
        assert told.strip() == "", "nothing but sentences of the catalogue"
        if path == LIST and fields:
            assert 'value="Penggantian router"' in reply.text
    assert await trail(world) == []


async def test_what_cannot_be_refused_on_its_page_is_told_on_one_of_its_own(world: World) -> None:
    """An incident that there is not: 404 in words, whatever the deed; in either language."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        for root, text in (("", NO_INCIDENT), ("/en", ENGLISH.say(NO_INCIDENT))):
            for fields in ({"deed": "ack"}, {"deed": "close", "cause": "cable"}, {"deed": "x"}):
                reply = await me.post(f"{root}/gangguan/99/tindak", fields)
                assert (reply.status, text in reply.text) == (404, True), fields


def test_every_reason_has_its_sentence() -> None:
    """Whatever the memory refuses, a page can say it; and what a form's field takes."""
    assert set(WHY) == set(Why)
    models = (RemarkFields, PlanFields, MeetingFields, MoveFields, MarkFields)
    asked = {name for model in models for name in model.model_fields}
    assert asked - {"author", "id", "checkpoints", "limits"} == set(FIELDS)


async def test_the_author_is_whoever_is_signed_in(world: World) -> None:
    """A form that names somebody else is still by its session's user."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        await me.post(DEEDS, {"deed": "ack", "author": "Menteri"})
        await me.post(LIST, WINDOW | {"author": "Menteri"})
        read = (await browser.ask("/api/v1/incidents/1")).json
        planned = (await browser.ask("/api/v1/maintenance")).json["maintenance"]
    assert [each["author"] for each in read["remarks"]] == ["budi"]
    assert [each["author"] for each in planned] == ["budi"]


async def test_maintenance_is_planned_and_ended(world: World) -> None:
    """By the clock of its zone; a viewer and a stranger see it without any form."""
    async with serving(world) as browser:
        me, guest = await Visitor.of(browser, "budi"), await Visitor.of(browser, "tamu")
        made = await me.post(LIST, WINDOW)
        assert (made.status, made.headers["Location"]) == (303, f"{LIST}?selesai=rencana")
        mine = (await me.ask(made.headers["Location"])).text
        theirs = [(await guest.ask(LIST)).text, (await browser.ask(f"/en{LIST}")).text]
        read = (await browser.ask("/api/v1/maintenance")).json["maintenance"]
        ended = await me.post(f"/en{LIST}/1/akhiri", {})
        again = await me.post(f"{LIST}/1/akhiri", {})
        unknown = await me.post(f"{LIST}/7/akhiri", {})
        after = (await me.ask(LIST)).text
    assert read[0]["start"] == "2026-11-28T13:00:00.000Z"
    assert "28 Nov 22.00 WIT" in mine
    assert "Pemeliharaan disimpan." in mine
    assert f'action="{LIST}/1/akhiri"' in mine
    for page in theirs:
        assert "Penggantian router" in page
        assert "<form" not in page
    assert "28 Nov 22:00 WIT" in theirs[1]
    assert (ended.status, again.status, unknown.status) == (303, 422, 404)
    assert ended.headers["Location"] == f"/en{LIST}?selesai=akhir"
    assert "Tidak ada pemeliharaan yang direncanakan." in after
    assert [each.action for each in await trail(world)] == ["plan", "end"]


async def test_a_viewer_may_not_act(world: World) -> None:
    """The forms' page says which role it takes; what is sent all the same is refused."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "tamu")
        replies = [
            await me.ask(DEEDS),
            await me.post(DEEDS, {"deed": "ack"}),
            await me.post(LIST, WINDOW),
            await me.post(f"{LIST}/1/akhiri", {}),
        ]
    assert {reply.status for reply in replies} == {403}
    assert all("perlu peran operator" in reply.text for reply in replies)
    assert await trail(world) == []


async def test_every_page_with_a_form_is_strict(world: World) -> None:
    """The headers of every page, no store, no inline script or style; labels for every field."""
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        pages = [await me.ask(path) for path in (DEEDS, LIST, "/keluar", f"/en{DEEDS}")]
        pages.append(await browser.ask("/masuk"))
        missing = await me.ask("/gangguan/99/tindak")
    assert (missing.status, "Tidak ada gangguan" in missing.text) == (404, True)
    for page in pages:
        assert page.status == 200
        assert "script-src 'self'; style-src 'self'" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert not re.search(r"<script|<style|style=|\son\w+=", page.text)
        labelled = set(re.findall(r'<label for="([^"]+)"', page.text))
        fields = re.findall(r"<(?:input|select|textarea) (?!type=\"hidden\")[^>]*>", page.text)
        named = {match[1] for each in fields if (match := re.search(r'id="([^"]+)"', each))}
        assert len(named) == len(fields)
        assert named <= labelled
