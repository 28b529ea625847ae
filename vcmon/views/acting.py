"""What people do over HTTP, with a token of the role operator: remarks and maintenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from vcmon.config.windows import PlanError, Scopes, window_of
from vcmon.history.deeds import Doer, NoSuchError, end, plan, say
from vcmon.history.remarks import RefusedError
from vcmon.history.store import Store
from vcmon.model.memory import Maintenance, Remark
from vcmon.views.api import CONTENT_TYPE
from vcmon.views.gate import Bearer, Gate
from vcmon.views.path_shapes import incident_detail
from vcmon.views.press import Body, answer
from vcmon.views.recall import number_of, only, press
from vcmon.views.refusal import Refusal, bad
from vcmon.views.shapes import (
    PlanFields,
    RemarkFields,
    Shape,
    explained,
    maintenance_shape,
)
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources

M = TypeVar("M", bound=BaseModel)

log = structlog.get_logger("vcmon.views")


class NothingFields(BaseModel):
    """A body that says nothing: there may be none at all."""

    model_config = ConfigDict(extra="forbid")


class Acting:
    """The handlers that write."""

    def __init__(self, sources: Sources, shelf: Shelf, gate: Gate) -> None:
        self._sources = sources
        self._shelf = shelf
        self._gate = gate

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_post(r"/api/v1/incidents/{number:\d{1,18}}/remarks", self.remark)
        app.router.add_post("/api/v1/maintenance", self.plan)
        app.router.add_post(r"/api/v1/maintenance/{number:\d{1,18}}/end", self.end)

    async def remark(self, request: web.Request) -> web.Response:
        bearer, fields = await asked(self._gate, request, RemarkFields)
        number, at = number_of(request), self._sources.wall()
        who = fields.author or bearer.name
        remark = Remark(at, who, fields.deed, fields.text, fields.ticket, fields.cause)
        target = f"incident:{number}"

        def work(store: Store, doer: Doer) -> Shape:
            found = say(store, number, remark, doer)
            return incident_detail(found, store.incident_routes(found))

        body = await done(self._shelf, (bearer, fields.deed, target), work)
        return answered(request, HTTPStatus.CREATED, body)

    async def plan(self, request: web.Request) -> web.Response:
        bearer, fields = await asked(self._gate, request, PlanFields)
        now = self._sources.wall()

        def work(store: Store, doer: Doer) -> Shape:
            return maintenance_shape(plan(store, self._window(fields, bearer), doer, now), now)

        body = await done(self._shelf, (bearer, "plan", fields.scope), work)
        return answered(request, HTTPStatus.CREATED, body)

    def _window(self, fields: PlanFields, bearer: Bearer) -> Maintenance:
        """Not for the loop: a rule that seldom comes true is looked for over decades."""
        try:
            window = window_of(fields, Scopes.of(self._sources.settings().endpoints))
        except ValueError as error:
            raise bad(str(error)) from None
        return replace(window, author=fields.author or bearer.name)

    async def end(self, request: web.Request) -> web.Response:
        bearer, _ = await asked(self._gate, request, NothingFields)
        number, now = number_of(request), self._sources.wall()
        body = await done(
            self._shelf,
            (bearer, "end", f"maintenance:{number}"),
            lambda store, doer: maintenance_shape(end(store, number, doer, now), now),
        )
        return answered(request, HTTPStatus.OK, body)


async def asked(gate: Gate, request: web.Request, model: type[M]) -> tuple[Bearer, M]:
    """Who asks, before anything of what they ask is read. Raises Refusal."""
    bearer = await gate.operator(request)
    only(request.query, ())
    return bearer, await body_of(request, model)


async def done(
    shelf: Shelf, deed: tuple[Bearer, str, str], work: Callable[[Store, Doer], Shape]
) -> Body:
    """The deed (whose, what, to what) done, and what it made of it as bytes. Raises Refusal."""
    bearer, action, target = deed
    doer = Doer(bearer.name, bearer.role)
    try:
        body = await shelf.write(lambda store: press(work(store, doer)))
    except NoSuchError as error:
        raise Refusal(HTTPStatus.NOT_FOUND, str(error)) from None
    except (PlanError, RefusedError) as error:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    log.info("deed", who=bearer.name, role=bearer.role, action=action, target=target)
    return body


async def body_of(request: web.Request, model: type[M]) -> M:
    """The JSON that the request carries. Raises Refusal, which tells what was expected."""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        text = f"expected at most {request.client_max_size} bytes"
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text) from None
    if not raw and not any(field.is_required() for field in model.model_fields.values()):
        return model()
    if request.content_type != "application/json":
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected Content-Type: application/json")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as invalid:
        raise bad(explained(invalid)) from None


def answered(request: web.Request, status: HTTPStatus, body: Body) -> web.Response:
    """What became of it; nobody keeps the answer to a deed."""
    response = answer(request, body, CONTENT_TYPE, "no-store")
    response.set_status(status)
    return response
