"""``/gangguan``: the list of incidents with its filters, and one incident as a story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from vcmon.config.provinces import province_slug
from vcmon.config.settings import Settings
from vcmon.history.deeds import NoSuchError, incident_of, month_span
from vcmon.history.paths import Pair
from vcmon.history.people import Wanted
from vcmon.history.store import Store
from vcmon.model.memory import Cause, Incident
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.frame import Frame, Place, spoken
from vcmon.views.incident_words import Names, line_of, story_of
from vcmon.views.kept import Kept
from vcmon.views.pages import CONTENT_TYPE, Pages, favicon
from vcmon.views.path_words import told
from vcmon.views.press import Body, answer
from vcmon.views.recall import bound, number_of, subjects_of
from vcmon.views.refusal import Refusal
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH

LINES = 50
"""Incidents on one page: what a month of the whole country has, and what can be read."""

PAGES_MAX = 1_000
"""Pages back that one may go; the memory's years have fewer."""

FRESH = 2.0
"""Seconds that an answer is kept: a change has every open page ask at once."""

KEPT = 32
"""Answers kept: a list has many filters, and some tens of kilobytes."""

OPEN, OVER = "terbuka", "selesai"
"""Values of the filter ``keadaan``."""

BUSY = HTTPStatus.SERVICE_UNAVAILABLE

WHY: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.NOT_FOUND: (
        "Tidak ada ingatan",
        "Ingatan pemantau dimatikan, jadi gangguan tidak dicatat. Hubungi admin.",
    ),
    BUSY: (
        "Ingatan tidak dapat dibaca",
        "Ingatan pemantau tidak dapat dibaca sekarang. Muat ulang sebentar lagi.",
    ),
}
"""Title and text where the memory can't be asked."""

PATHS = 10
"""Ways shown of one incident; the API tells up to 50."""


class UnknownFilterError(ValueError):
    """The query asks for what there is not: a misspelt filter must not show everything."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the form says; "" for whatever."""

    province: str = ""
    state: str = ""
    cause: str = ""
    month: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str], settings: Settings) -> Filters:
        """What the query says. Raises UnknownFilterError."""
        province, state = query.get("provinsi", ""), query.get("keadaan", "")
        cause, month = query.get("sebab", ""), query.get("bulan", "")
        page = query.get("halaman", "1")
        slug = province_slug(province) if province else ""
        if slug is None or (slug and slug not in settings.provinces):
            raise UnknownFilterError("provinsi")
        if state not in {"", OPEN, OVER}:
            raise UnknownFilterError("keadaan")
        if cause and cause not in set(Cause):
            raise UnknownFilterError("sebab")
        if not (page.isascii() and page.isdigit() and len(page) < 5 and 0 < int(page) <= PAGES_MAX):
            raise UnknownFilterError("halaman")
        try:
            month_span(month or "2026-01")
        except ValueError:
            raise UnknownFilterError("bulan") from None
        return cls(slug, state, cause, month, int(page))

    def wanted(self, settings: Settings) -> Wanted:
        """What to look for: one more than a page holds, which tells that there are older ones."""
        wanted = Wanted(
            most=LINES + 1,
            open=self.state == OPEN,
            over=self.state == OVER,
            cause=Cause(self.cause) if self.cause else None,
            skip=(self.page - 1) * LINES,
            subjects=subjects_of(self.province, settings) if self.province else None,
        )
        if not self.month:
            return wanted
        start, stop = month_span(self.month)
        return replace(wanted, start=start, stop=stop)

    def place(self, page: int, *, paused: bool = False) -> Place:
        """Where another page of the same list is."""
        named = (
            ("provinsi", self.province),
            ("keadaan", self.state),
            ("sebab", self.cause),
            ("bulan", self.month),
            ("halaman", str(page) if page > 1 else ""),
        )
        return Place("/gangguan", tuple(each for each in named if each[1]), paused)


class IncidentFace:
    """The handlers."""

    def __init__(self, sources: Sources, shelf: Shelf, pages: Pages) -> None:
        self._sources = sources
        self._shelf = shelf
        self._pages = pages
        self._list = pages.environment.get_template("incidents.html")
        self._one = pages.environment.get_template("incident.html")
        self._kept: Kept[Body] = Kept(FRESH, KEPT)

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        for root in (BAHASA.root, ENGLISH.root):
            app.router.add_get(f"{root}/gangguan", self.list)
            app.router.add_get(rf"{root}/gangguan/{{number:\d{{1,18}}}}", self.one)

    async def list(self, request: web.Request) -> web.Response:
        settings, tongue = self._sources.settings(), spoken(request)
        try:
            filters = Filters.of(request.query, settings)
        except UnknownFilterError as wrong:
            text = tongue.say("Nilai saringan “{name}” tidak dikenal.", name=wrong)
            body = self._pages.message(tongue.say("Saringan tidak dikenal"), text, tongue)
            return shown(body, HTTPStatus.BAD_REQUEST)
        place = filters.place(filters.page, paused="jeda" in request.query)
        frame = Frame.of(self._sources, place, tongue)

        def work(store: Store) -> Body:
            return self._listed(store.find(filters.wanted(settings)), filters, frame)

        return await self._told(request, frame, work)

    async def one(self, request: web.Request) -> web.Response:
        number = number_of(request)
        place = Place(f"/gangguan/{number}", paused="jeda" in request.query)
        frame = Frame.of(self._sources, place, spoken(request))

        def work(store: Store) -> Body:
            found = incident_of(store, number)
            return self._whole(found, store.incident_routes(found)[:PATHS], frame)

        return await self._told(request, frame, work)

    async def _told(
        self, request: web.Request, frame: Frame, work: Callable[[Store], Body]
    ) -> web.Response:
        """What the memory tells; where it can't, a page that says so."""
        key = frame.here, frame.paused, id(self._sources.settings())
        try:
            body = await self._kept.get(key, lambda: self._shelf.read(work))
        except NoSuchError:
            raise web.HTTPNotFound from None
        except Refusal as refused:
            text = self._pages.message(*WHY.get(refused.status, WHY[BUSY]), frame.tongue)
            return shown(text, refused.status, refused.headers)
        return answer(request, body, CONTENT_TYPE, "no-store")

    def _listed(self, found: Sequence[Incident], filters: Filters, frame: Frame) -> Body:
        settings, tongue = self._sources.settings(), frame.tongue
        names = Names(settings, tongue)
        title = tongue.say("Daftar gangguan")
        if filters.province:
            title += f": {names.of_province(filters.province)}"
        text = self._list.render(
            frame=frame,
            title=title,
            icon=favicon(State.UP, 0),
            filters=filters,
            lines=[line_of(each, names, frame.now, tongue) for each in found[:LINES]],
            newer=filters.place(filters.page - 1).at(tongue) if filters.page > 1 else "",
            older=filters.place(filters.page + 1).at(tongue) if len(found) > LINES else "",
            provinces=[(slug, names.of_province(slug)) for slug in settings.provinces],
            states=[(OPEN, tongue.say("masih berlangsung")), (OVER, tongue.say("selesai"))],
            causes=[(cause.value, tongue.say(text)) for cause, text in words.CAUSES.items()],
        )
        return bound(text.encode("utf-8", "replace"))

    def _whole(self, it: Incident, pairs: Sequence[Pair], frame: Frame) -> Body:
        tongue = frame.tongue
        story = story_of(it, Names(self._sources.settings(), tongue), frame.now, tongue)
        title = tongue.say("Gangguan {n}", n=it.id)
        text = self._one.render(
            frame=frame,
            title=f"{title}: {story.line.owner}",
            heading=title,
            icon=favicon(State.DOWN if story.line.open else State.UP, 0),
            story=story,
            ways=[told(pair, frame.tongue) for pair in pairs],
            acting=bool(self._sources.settings().web.users_file),
        )
        return bound(text.encode("utf-8", "replace"))


def shown(text: str, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> web.Response:
    """A small page that is not what was asked for."""
    head = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **(headers or {})}
    return web.Response(status=status, body=text.encode("utf-8", "replace"), headers=head)
