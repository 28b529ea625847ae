"""What other programs and pages take from here: the feed, badges, the API's description."""

from __future__ import annotations

from aiohttp import web

from vcmon.history.people import Wanted
from vcmon.history.store import Store
from vcmon.views import feed
from vcmon.views.api import dumps
from vcmon.views.badge import state_badge, unmonitored_badge
from vcmon.views.freshness import believed, is_stale
from vcmon.views.openapi import document
from vcmon.views.press import Body
from vcmon.views.recall import bound, tagged
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources

BADGE_TYPE = "image/svg+xml; charset=utf-8"

BADGE_CACHE = "public, max-age=10"
"""One interval of the checks: a page with 38 badges asks no more often."""


class Outside:
    """The handlers. Nothing here tells more than the page does."""

    def __init__(self, sources: Sources, shelf: Shelf) -> None:
        self._sources = sources
        self._shelf = shelf
        # Made with the program: it is the same as long as that runs.
        self._document = bound(f"{dumps(document())}\n".encode())

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/feed.atom", self.feed)
        app.router.add_get("/badge/{slug}.svg", self.badge)
        app.router.add_get("/api/v1/openapi.json", self.openapi)

    async def openapi(self, request: web.Request) -> web.Response:
        return tagged(request, self._document)

    async def feed(self, request: web.Request) -> web.Response:
        settings, started = self._sources.settings(), self._sources.figures().started_at

        def work(store: Store) -> Body:
            found = store.find(Wanted(most=feed.ENTRIES))
            return bound("".join(feed.feed(found, settings, started)).encode("utf-8", "replace"))

        return tagged(request, await self._shelf.read(work), feed.CONTENT_TYPE)

    async def badge(self, request: web.Request) -> web.Response:
        picture = self._badge(request.match_info["slug"]).encode("utf-8", "replace")
        response = tagged(request, Body(picture, b""), BADGE_TYPE)
        response.headers["Cache-Control"] = BADGE_CACHE
        # The one thing here that pages of others are meant to show.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _badge(self, slug: str) -> str:
        province = self._sources.settings().provinces.get(slug)
        if province is None:
            raise web.HTTPNotFound
        snapshot = self._sources.snapshot()
        stale = is_stale(self._sources, snapshot)
        for status in snapshot.provinces:
            if status.province.slug == slug and status.endpoints:
                state = believed(status.standing.state, stale)
                return state_badge(province.name_id, state, maintenance=status.maintenance)
        return unmonitored_badge(province.name_id)
