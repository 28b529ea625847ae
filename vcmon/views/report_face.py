"""Reports over HTTP: made in a thread, one at a time, as their sums may read months of memory."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from jinja2 import Environment

from vcmon.errors import HistoryError, ReportError, StartError
from vcmon.history.frozen import month_report
from vcmon.history.month import Month
from vcmon.history.report import Desk, Report
from vcmon.history.spans import milliseconds
from vcmon.views import pages, report_data, report_page, tongue
from vcmon.views.press import Body, answer, pack
from vcmon.views.report_words import BAHASA, ENGLISH, Tongue
from vcmon.views.sources import Sources

FRESH = 10
"""Seconds that a report is kept: readers who come together, or reload, cost one sum."""

KEPT = 8
"""Reports kept: some forms of some months; a hundred kilobytes each."""

WAITING_MAX = 64
"""Readers who wait for their report: more than a ministry has, fewer than hold all connections."""

log = structlog.get_logger("vcmon.views")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to tell a report."""

    content_type: str
    write: Callable[[Report], str]
    ending: str = ""  # of the file's name; "": a page, to be looked at


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no report, for people."""

    status: HTTPStatus
    title: str
    text: str


NO_MONTH = Refusal(
    HTTPStatus.NOT_FOUND,
    "Laporan tidak ada",
    "Alamatnya bukan bulan seperti 2026-10, atau bulan itu belum dimulai.",
)
OFF = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Laporan tidak tersedia",
    "Ingatan pemantau dimatikan, jadi tidak ada yang dapat dihitung. Hubungi admin.",
)
BUSY = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Terlalu banyak permintaan",
    "Laporan sedang dihitung untuk pembaca lain. Muat ulang sebentar lagi.",
)
UNREADABLE = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Laporan tidak tersedia",
    "Ingatan pemantau tidak dapat dibaca sekarang. Catatan pemantau memuat sebabnya.",
)
SPOILT = Refusal(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Laporan rusak",
    "Angka bulan ini yang sudah dibekukan tidak dapat dibaca. Catatan pemantau memuat sebabnya.",
)


class ReportFace:
    """The handlers of ``/laporan``."""

    def __init__(
        self, sources: Sources, environment: Environment, stylesheets: tuple[str, ...]
    ) -> None:
        self._sources = sources
        self._environment = environment
        self._stylesheets = stylesheets
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._made: OrderedDict[object, Body | Refusal] = OrderedDict()
        self._forms: Mapping[str, Form] = {
            "id": Form(pages.CONTENT_TYPE, self._page(BAHASA)),
            "en": Form(pages.CONTENT_TYPE, self._page(ENGLISH)),
            "csv": Form("text/csv; charset=utf-8", lambda r: report_data.as_csv(r, "id"), "csv"),
            "iso": Form("text/csv; charset=utf-8", lambda r: report_data.as_csv(r, "iso"), "csv"),
            "json": Form("application/json; charset=utf-8", report_data.as_json, "json"),
        }

    def routes(self, router: web.UrlDispatcher) -> None:
        """Put all addresses of reports into the router."""
        router.add_get("/laporan", self.now)
        router.add_get("/en/laporan", self.now)
        router.add_get("/laporan/{month}.csv", self.csv)
        router.add_get("/laporan/{month}.json", self.json)
        router.add_get("/laporan/{month}", self.page)
        router.add_get("/en/laporan/{month}", self.english)

    async def now(self, request: web.Request) -> web.Response:
        """To the month that runs."""
        zone = ZoneInfo(self._sources.settings().reports.zone)
        month = Month.at(self._sources.wall(), zone)
        headers = {"Location": f"{request.path}/{month}", "Cache-Control": "no-store"}
        return web.Response(status=HTTPStatus.FOUND, headers=headers)

    async def page(self, request: web.Request) -> web.Response:
        return await self._told(request, "id")

    async def english(self, request: web.Request) -> web.Response:
        return await self._told(request, "en")

    async def csv(self, request: web.Request) -> web.Response:
        iso = request.query.get("dialect") == "iso"
        return await self._told(request, "iso" if iso else "csv")

    async def json(self, request: web.Request) -> web.Response:
        return await self._told(request, "json")

    async def _told(self, request: web.Request, name: str) -> web.Response:
        month, form = request.match_info["month"], self._forms[name]
        made = await self._body(month, name)
        if isinstance(made, Refusal):
            return self._refused(made, form)
        response = answer(request, made, form.content_type, "no-store")
        if form.ending:
            file = f'attachment; filename="laporan-{month}.{form.ending}"'
            response.headers["Content-Disposition"] = file
        return response

    def _refused(self, refusal: Refusal, form: Form) -> web.Response:
        if form.ending:
            body, kind = f"{refusal.title}: {refusal.text}\n", "text/plain; charset=utf-8"
        else:
            pieces = self._environment.get_template("message.html")
            spoken = tongue.ENGLISH if form is self._forms["en"] else tongue.BAHASA
            said = {"title": spoken.say(refusal.title), "text": spoken.say(refusal.text)}
            body = pieces.render(**said, tongue=spoken, say=spoken.say)
            kind = pages.CONTENT_TYPE
        headers = {"Content-Type": kind, "Cache-Control": "no-store"}
        return web.Response(status=refusal.status, body=body.encode(), headers=headers)

    async def _body(self, month: str, name: str) -> Body | Refusal:
        wall = self._sources.wall()
        key = (month[:16], name, int(wall // FRESH), id(self._sources.settings()))
        if self._waiting >= WAITING_MAX:
            return BUSY
        self._waiting += 1
        try:
            return await self._in_turn(key, month, name)
        finally:
            self._waiting -= 1

    async def _in_turn(self, key: tuple[object, ...], month: str, name: str) -> Body | Refusal:
        wall = self._sources.wall()
        async with self._lock:  # a sum at a time: a hundred readers must not fill all threads
            if key not in self._made:
                self._made[key] = await asyncio.to_thread(self._make, month, name, wall)
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
            return self._made[key]

    def _make(self, text: str, name: str, wall: float) -> Body | Refusal:
        """Read, count and write; in a thread of its own."""
        settings = self._sources.settings()
        try:
            month = Month.parse(text)
        except ReportError:
            return NO_MONTH
        if month.begins(ZoneInfo(settings.reports.zone)) >= milliseconds(wall):
            return NO_MONTH
        try:
            memory = self._sources.memory()
            if memory is None:
                return OFF
            with closing(memory):
                report = month_report(Desk(memory, settings, wall), month)
        except (StartError, HistoryError, OSError, sqlite3.Error) as error:
            log.warning("the memory can't be read", problem=str(error))
            return UNREADABLE
        except ReportError as error:
            log.error("a report failed", month=text, problem=str(error))  # noqa: TRY400  the text says all
            return SPOILT
        plain = self._forms[name].write(report).encode("utf-8", "replace")
        return Body(plain, pack(plain))

    def _page(self, language: Tongue) -> Callable[[Report], str]:
        def write(report: Report) -> str:
            links = report_page.links_of(report, language)
            dress = report_page.Dress(self._stylesheets, links=links)
            return report_page.document(self._environment, report, language, dress)

        return write
