"""``/rapat/<sitting>/berita-acara``: the minutes, as a page to print, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from jinja2 import Environment

from vcmon.history.store import Store
from vcmon.readiness.minutes import Minutes
from vcmon.views import minutes_data, minutes_page
from vcmon.views.frame import spoken
from vcmon.views.incident_face import BUSY, WHY, shown
from vcmon.views.kept import Kept
from vcmon.views.meeting_face import FRESH, ID, KEPT
from vcmon.views.meeting_past import minutes_of, recall
from vcmon.views.meeting_roll import Look
from vcmon.views.pages import CONTENT_TYPE, Pages
from vcmon.views.press import Body, answer
from vcmon.views.recall import bound
from vcmon.views.refusal import Refusal
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH, Tongue


@dataclass(frozen=True, slots=True)
class Form:
    """One way to tell the minutes."""

    content_type: str
    write: Callable[[Minutes, Look], str]
    ending: str = ""  # of the file's name; "": a page, to be looked at


class MinutesFace:
    """The handlers."""

    def __init__(
        self, sources: Sources, shelf: Shelf, pages: Pages, stylesheets: tuple[str, ...]
    ) -> None:
        self._sources = sources
        self._shelf = shelf
        self._pages = pages
        self._stylesheets = stylesheets
        self._kept: Kept[Body | None] = Kept(FRESH, KEPT)
        csv = "text/csv; charset=utf-8"
        self._forms: Mapping[str, Form] = {
            "page": Form(CONTENT_TYPE, self._page(pages.environment)),
            "csv": Form(csv, lambda it, look: minutes_data.as_csv(it, look, "id"), "csv"),
            "iso": Form(csv, lambda it, look: minutes_data.as_csv(it, look, "iso"), "csv"),
            "json": Form("application/json; charset=utf-8", minutes_data.as_json, "json"),
        }

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        one = rf"/rapat/{{sitting:{ID}}}/berita-acara"
        app.router.add_get(one, self.page)
        app.router.add_get(f"{ENGLISH.root}{one}", self.page)
        app.router.add_get(f"{one}.csv", self.csv)
        app.router.add_get(f"{one}.json", self.json)

    async def page(self, request: web.Request) -> web.Response:
        return await self._told(request, "page")

    async def csv(self, request: web.Request) -> web.Response:
        iso = request.query.get("dialect") == "iso"
        return await self._told(request, "iso" if iso else "csv")

    async def json(self, request: web.Request) -> web.Response:
        return await self._told(request, "json")

    async def _told(self, request: web.Request, form_name: str) -> web.Response:
        name, tongue, form = request.match_info["sitting"], spoken(request), self._forms[form_name]
        key = name, form_name, tongue.lang, id(self._sources.settings())
        try:
            body = await self._kept.get(key, lambda: self._body(name, form, tongue))
        except Refusal as refused:
            text = self._pages.message(*WHY.get(refused.status, WHY[BUSY]), tongue)
            return shown(text, refused.status, refused.headers)
        if body is None:
            raise web.HTTPNotFound
        response = answer(request, body, form.content_type, "no-store")
        if form.ending:
            file = f'attachment; filename="berita-acara-{name}.{form.ending}"'
            response.headers["Content-Disposition"] = file
        return response

    async def _body(self, name: str, form: Form, tongue: Tongue) -> Body | None:
        """None for a sitting that there is not, or that has not begun. Raises Refusal."""
        meetings, settings = tuple(self._sources.agenda()), self._sources.settings()
        now = self._sources.wall()

        def work(store: Store) -> Body | None:
            past = recall(store, meetings, name, now)
            if past is None or now < past.sitting.start:
                return None
            it = minutes_of(store, past, settings, now)
            text = form.write(it, Look(now, tongue, settings.provinces, {}))
            return bound(text.encode("utf-8", "replace"))

        return await self._shelf.read(work)

    def _page(self, environment: Environment) -> Callable[[Minutes, Look], str]:
        def write(it: Minutes, look: Look) -> str:
            here, say = f"/rapat/{it.sitting.id}", look.tongue.say
            other = ENGLISH if look.tongue is BAHASA else BAHASA
            links = {
                "CSV": f"{here}/berita-acara.csv",
                "JSON": f"{here}/berita-acara.json",
                say("Kesiapan rapat"): f"{look.tongue.root}{here}",
                other.name: f"{other.root}{here}/berita-acara",
            }
            dress = minutes_page.Dress(self._stylesheets, links=links)
            return minutes_page.document(environment, it, look, dress)

        return write
