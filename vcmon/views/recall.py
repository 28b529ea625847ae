"""What is remembered, as JSON for machines: incidents and maintenance. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from multidict import MultiMapping

from vcmon.config.provinces import province_slug
from vcmon.config.settings import Settings
from vcmon.config.text import shown
from vcmon.history.deeds import NoSuchError, incident_of, month_span
from vcmon.history.people import FAR, Wanted
from vcmon.history.store import Store
from vcmon.views.api import CONTENT_TYPE, dumps
from vcmon.views.gate import Gate
from vcmon.views.path_shapes import endpoint_paths, incident_detail
from vcmon.views.press import PACK_AT_LEAST, Body, answer, pack
from vcmon.views.refusal import Refusal, bad
from vcmon.views.shapes import Shape, incident_list, maintenance_list
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources

LIMIT, LIMIT_MAX = 100, 500
"""Incidents in one answer: a month of a whole country has a few dozen."""

DAYS, DAYS_MAX = 30, 366
"""How far ahead maintenance is told."""


def asked(query: MultiMapping[str], settings: Settings) -> Wanted:
    """Which incidents the query asks for. Raises Refusal for what it doesn't know: a misspelt
    filter must not tell everything.
    """
    one = only(query, ("open", "month", "province", "limit"))
    if one.get("open", "0") not in {"0", "1"}:
        raise bad(f"open: expected 0 or 1, found {shown(one['open'])}")
    start, stop = 0.0, FAR
    if "month" in one:
        try:
            start, stop = month_span(one["month"])
        except ValueError as error:
            raise bad(f"month: {error}, found {shown(one['month'])}") from None
    subjects = _asked_subjects(one["province"], settings) if "province" in one else None
    limit = whole(one, "limit", LIMIT, LIMIT_MAX)
    return Wanted(start, stop, limit + 1, one.get("open") == "1", subjects)


def _asked_subjects(text: str, settings: Settings) -> tuple[str, ...]:
    slug = province_slug(text)
    if slug is None:
        raise bad(f"province: expected a slug as sumatera-selatan, found {shown(text)}")
    return subjects_of(slug, settings)


def subjects_of(slug: str, settings: Settings) -> tuple[str, ...]:
    """The series of a province and of all that is in it."""
    inside = (f"endpoint:{each.id}" for each in settings.endpoints if each.province == slug)
    return (f"province:{slug}", *inside)


def only(query: MultiMapping[str], known: tuple[str, ...]) -> Mapping[str, str]:
    """The query's values by name, each said once. Raises Refusal."""
    for name in query:
        if name not in known:
            raise bad(f"{shown(name)} is not known here; known: {', '.join(known) or 'nothing'}")
        if len(query.getall(name)) > 1:
            raise bad(f"{name} is said twice")
    return dict(query.items())


def whole(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to ``most``. Raises Refusal."""
    text = values.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    if not 1 <= number <= most:
        raise bad(f"{name}: expected 1 to {most}, found {shown(text)}")
    return number


def number_of(request: web.Request) -> int:
    """The number in the path; the route lets nothing but digits through."""
    return int(request.match_info["number"])


def press(shape: Shape) -> Body:
    """The answer's bytes. Not for the loop: a long list takes milliseconds."""
    return bound(f"{dumps(shape.model_dump(mode='json'))}\n".encode())


def bound(plain: bytes) -> Body:
    """The same of bytes that are made already."""
    return Body(plain, pack(plain) if len(plain) >= PACK_AT_LEAST else b"")


def tagged(request: web.Request, body: Body, kind: str = CONTENT_TYPE) -> web.Response:
    """The body, or 304 where the client has it."""
    tag = hashlib.sha256(body.plain).hexdigest()[:16]
    if any(one.value in {tag, "*"} for one in request.if_none_match or ()):
        response = web.Response(status=HTTPStatus.NOT_MODIFIED)
        response.headers["Cache-Control"] = "no-cache"
    else:
        response = answer(request, body, kind, "no-cache")
    response.headers["ETag"] = f'W/"{tag}"'
    return response


class Recall:
    """The handlers that read. Whoever may see the page may; a wrong token is told all the same."""

    def __init__(self, sources: Sources, shelf: Shelf, gate: Gate) -> None:
        self._sources = sources
        self._shelf = shelf
        self._gate = gate

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/api/v1/incidents", self.incidents)
        app.router.add_get(r"/api/v1/incidents/{number:\d{1,18}}", self.incident)
        app.router.add_get("/api/v1/maintenance", self.maintenance)
        app.router.add_get("/api/v1/endpoints/{id:[a-z0-9-]{1,63}}/path", self.path)

    async def incidents(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        wanted = asked(request.query, self._sources.settings())

        def work(store: Store) -> Body:
            return press(incident_list(store.find(wanted), wanted.most - 1))

        return tagged(request, await self._shelf.read(work))

    async def incident(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        only(request.query, ())
        number = number_of(request)

        def work(store: Store) -> Body:
            try:
                found = incident_of(store, number)
                return press(incident_detail(found, store.incident_routes(found)))
            except NoSuchError as error:
                raise Refusal(HTTPStatus.NOT_FOUND, str(error)) from None

        return tagged(request, await self._shelf.read(work))

    async def path(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        only(request.query, ())
        name = request.match_info["id"]
        if all(each.id != name for each in self._sources.settings().endpoints):
            raise Refusal(HTTPStatus.NOT_FOUND, f"no endpoint {shown(name)} in the inventory")

        def work(store: Store) -> Body:
            healthy, failing = store.healthy_route(name), store.failing_routes(name, 0.0, FAR)
            return press(endpoint_paths(name, healthy, failing))

        return tagged(request, await self._shelf.read(work))

    async def maintenance(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        days = whole(only(request.query, ("days",)), "days", DAYS, DAYS_MAX)
        now, fixed = self._sources.wall(), self._sources.settings().maintenance

        def work(store: Store) -> Body:
            return press(maintenance_list((*fixed, *store.maintenance()), days, now))

        return tagged(request, await self._shelf.read(work))
