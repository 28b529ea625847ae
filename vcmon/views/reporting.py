"""Endpoints that nobody can ask report in themselves: heartbeats over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from vcmon.views.acting import NothingFields, body_of
from vcmon.views.api import CONTENT_TYPE
from vcmon.views.gate import Gate, forbidden
from vcmon.views.recall import only
from vcmon.views.refusal import Refusal
from vcmon.views.shapes import HeartbeatShape
from vcmon.views.sources import Sources


class Reporting:
    """The handler that hears them."""

    def __init__(self, sources: Sources, gate: Gate) -> None:
        self._sources = sources
        self._gate = gate

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_post(r"/api/v1/heartbeat/{endpoint:[a-z0-9-]{1,63}}", self.heartbeat)

    async def heartbeat(self, request: web.Request) -> web.Response:
        """Who asks, whether there is such an endpoint, whether it is theirs; then it was heard."""
        name, endpoint = await self._gate.reporter(request), request.match_info["endpoint"]
        period = self._sources.heartbeat_period(endpoint)
        if period is None:
            text = f"no endpoint {endpoint} with a check of the kind heartbeat is watched here"
            raise Refusal(HTTPStatus.NOT_FOUND, text)
        if name != endpoint:
            raise forbidden(f"the token is for {name}, not for {endpoint}")
        only(request.query, ())
        await body_of(request, NothingFields)
        self._sources.heard(endpoint)
        shape = HeartbeatShape(endpoint=endpoint, expected_every_s=period)
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=f"{shape.model_dump_json()}\n".encode(), headers=headers)
