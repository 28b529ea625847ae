"""Reports over HTTP, on a real socket."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientResponse, ClientSession
from structlog.testing import capture_logs

from tests.fakes.remembered import FakeMemory
from tests.fakes.reports import country, frozen, past
from tests.fakes.snapshots import NOW, World, uniform
from vcmon.errors import StartError
from vcmon.history.memory import Memory
from vcmon.views import web


def world(memory: FakeMemory | None) -> World:
    """23 November 2026, with a memory or without one."""
    return World(uniform(), settings=country(), memory=lambda: memory)


@asynccontextmanager
async def serving(of: World) -> AsyncIterator[tuple[ClientSession, str]]:
    site = web.Site(web.build(of.sources()), "127.0.0.1:0")
    await site.start()
    try:
        async with ClientSession() as session:
            yield session, f"http://127.0.0.1:{site.port}"
    finally:
        await site.stop()


async def ask(of: World, path: str) -> tuple[ClientResponse, str]:
    async with serving(of) as (session, root), session.get(root + path) as reply:
        return reply, await reply.text("utf-8-sig")


async def test_the_page_comes_with_both_styles_under_the_strict_policy() -> None:
    """Bahasa Indonesia at /laporan, its styles by fingerprint, kept for ever; no script at all."""
    async with serving(world(past())) as (session, root):
        async with session.get(f"{root}/laporan/2026-10") as reply:
            html = await reply.text()
        assert (reply.status, reply.content_type) == (200, "text/html")
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert "<script" not in html
        assert reply.headers["Cache-Control"] == "no-store"
        assert "Laporan ketersediaan bulanan: Oktober 2026" in html
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', html)
        assert [re.sub(r"[0-9a-f]{12}", "x", each) for each in sheets] == [
            "/static/vcmon.x.css",
            "/static/report.x.css",
        ]
        for path in sheets:
            async with session.get(root + path) as sheet:
                assert sheet.content_type == "text/css"
                assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "@page" in await _text(session, root + sheets[1])


async def _text(session: ClientSession, url: str) -> str:
    async with session.get(url) as reply:
        assert reply.status == 200
        return await reply.text()


async def test_every_link_of_the_page_leads_somewhere() -> None:
    """CSV, JSON, the months beside, the other language and the status page are all there."""
    async with serving(world(past())) as (session, root):
        html = await _text(session, f"{root}/laporan/2026-10")
        links = re.findall(r'<a href="([^"]+)"', html)
        assert len(links) == 6
        for link in links:
            await _text(session, root + link)


async def test_english_is_at_its_own_address() -> None:
    """/en/laporan says the same in English."""
    reply, html = await ask(world(past()), "/en/laporan/2026-10")
    assert reply.status == 200
    assert "Monthly availability report: October 2026" in html


@pytest.mark.parametrize("home", ["/laporan", "/en/laporan"])
async def test_without_a_month_it_is_this_one(home: str) -> None:
    """/laporan leads to the month that runs."""
    reply, html = await ask(world(past()), home)
    assert reply.url.path == f"{home}/2026-11"
    assert "2026" in html


async def test_csv_and_json_are_files() -> None:
    """Both are downloads with a name, and can be read back."""
    reply, text = await ask(world(frozen(past())), "/laporan/2026-10.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="laporan-2026-10.csv"'
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[2][2] == "Aceh"
    reply, text = await ask(world(past()), "/laporan/2026-10.csv?dialect=iso")
    assert list(csv.reader(io.StringIO(text)))[2][4] == "99.41"
    reply, text = await ask(world(past()), "/laporan/2026-10.json")
    assert reply.content_type == "application/json"
    assert json.loads(text)["month"] == "2026-10"


async def test_csv_begins_with_the_byte_order_mark_gzipped_or_not() -> None:
    """What Excel needs is in the bytes themselves."""
    async with serving(world(past())) as (_, root), ClientSession(auto_decompress=False) as raw:
        for coding in ("identity", "gzip"):
            url, headers = f"{root}/laporan/2026-10.csv", {"Accept-Encoding": coding}
            async with raw.get(url, headers=headers) as reply:
                body = await reply.read()
            plain = gzip.decompress(body) if coding == "gzip" else body
            assert plain.startswith(b"\xef\xbb\xbfBulan;")


@pytest.mark.parametrize(
    "path",
    ["2026-13", "2026-12", "2026-1", "x", "9999-12", "2026-10.xml", "2026-10.pdf", "%3Cscript%3E"],
)
@pytest.mark.parametrize("home", ["/laporan", "/en/laporan"])
async def test_what_is_no_month_is_not_found(home: str, path: str) -> None:
    """Neither nonsense nor the future has a report; nothing asked for is repeated."""
    reply, html = await ask(world(past()), f"{home}/{path}")
    assert reply.status == 404
    assert ("No such report" if home.startswith("/en/") else "Laporan tidak ada") in html
    assert "<script>" not in html


@pytest.mark.parametrize("path", ["2026-10", "2026-10.csv", "2026-10.json"])
async def test_without_a_memory_it_says_why(path: str) -> None:
    """Switched off, the page says so, and that an admin can tell more."""
    reply, text = await ask(world(None), f"/laporan/{path}")
    assert reply.status == 503
    assert "Ingatan pemantau dimatikan" in text


async def test_a_memory_that_cannot_be_read_is_told_and_logged() -> None:
    """A locked or broken file is no figure; the log has the reason."""

    def broken() -> Memory | None:
        raise StartError("disk I/O error")

    of = world(None)
    of.memory = broken
    with capture_logs() as logs:
        reply, text = await ask(of, "/laporan/2026-10")
    assert reply.status == 503
    assert "tidak dapat dibaca" in text
    assert [each["problem"] for each in logs if "problem" in each] == ["disk I/O error"]


async def test_spoilt_pages_are_no_figure() -> None:
    """A frozen month that can't be read is an error, never counted anew in silence."""
    memory = frozen(past())
    memory.pages["2026-10"] = {"report": "{}"}
    with capture_logs():
        reply, text = await ask(world(memory), "/laporan/2026-10")
    assert reply.status == 500
    assert "Laporan rusak" in text


class SlowMemory(FakeMemory):
    """A memory on a slow disk, which remembers who asked."""

    def __init__(self) -> None:
        super().__init__(lines=past().lines, beat=NOW)
        self.threads: set[int] = set()

    def frozen(self, month: str) -> dict[str, str] | None:
        self.threads.add(threading.get_ident())
        time.sleep(0.3)  # in a thread of its own: the loop must not feel it
        return None


async def test_the_loop_goes_on_while_a_report_is_made() -> None:
    """A slow disk delays the reader of the report, and nothing else."""
    memory = SlowMemory()
    async with serving(world(memory)) as (session, root):
        asking = asyncio.create_task(_text(session, f"{root}/laporan/2026-10"))
        await asyncio.sleep(0.05)
        begun = time.perf_counter()
        await _text(session, f"{root}/-/healthy")
        took = time.perf_counter() - begun
        assert not asking.done()
        await asking
    assert took < 0.2
    assert threading.get_ident() not in memory.threads


async def test_readers_who_come_together_cost_one_sum() -> None:
    """Twenty at once read the memory once."""
    memory = past()
    async with serving(world(memory)) as (session, root):
        url = f"{root}/laporan/2026-10"
        pages = await asyncio.gather(*(_text(session, url) for _ in range(20)))
    assert len(set(pages)) == 1
    assert len(memory.asked) == 3  # one reading of each of three provinces
