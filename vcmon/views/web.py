"""The HTTP server: routes, headers, limits. Read-only but for the reload and people's deeds."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from vcmon.views import api, exposition, freshness, pages, stream
from vcmon.views.acting import Acting
from vcmon.views.assets import Assets
from vcmon.views.client import PROXIES
from vcmon.views.discovery import Discovery
from vcmon.views.doing import Doing
from vcmon.views.door import Door
from vcmon.views.frame import spoken
from vcmon.views.gate import Gate
from vcmon.views.incident_face import IncidentFace
from vcmon.views.metrics import Metrics
from vcmon.views.outside import Outside
from vcmon.views.press import Body, Press, accepts_gzip, answer, slices
from vcmon.views.province_face import ProvinceFace
from vcmon.views.recall import Recall
from vcmon.views.refusal import Refusal
from vcmon.views.report_face import ReportFace
from vcmon.views.reporting import Reporting
from vcmon.views.shelf import Shelf
from vcmon.views.site import Seldom, Site
from vcmon.views.sources import Sources
from vcmon.views.tongue import ENGLISH, TONGUES

__all__ = ["Site", "build"]

ANSWER_TIME = 30.0
"""Seconds for one answer, client included: one that doesn't read must not hold us for ever."""

SCRAPES_MAX = 4
"""Metrics answers at once: a pair of Prometheus servers, and as many again."""

BODY_MAX = 32 << 10
"""Bytes of a request's body: a remark's longest text, name and ticket, each character escaped."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "vcmon",
}

THEIR_OWN = ("Cross-Origin-Resource-Policy", "Referrer-Policy")
"""The headers that an answer may set for itself: a badge is for the pages of others, and a form
has to tell where it is from."""

TEXT = "text/plain; charset=utf-8"

log = structlog.get_logger("vcmon.views")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(status: HTTPStatus, text: str) -> web.Response:
    """A line of plain text."""
    body = f"{text}\n".encode("utf-8", "replace")
    return web.Response(
        status=status, body=body, headers={"Content-Type": TEXT, "Cache-Control": "no-store"}
    )


def is_loopback(host: str) -> bool:
    """Whether the text is a loopback address (or ``localhost``)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def host_of(authority: str) -> str:
    """``[::1]:80`` to ``::1``, ``localhost:80`` to ``localhost``."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def refusal(request: web.Request) -> str | None:
    """Why this client may not change anything, or None.

    Nobody signs in yet, so only somebody on this machine may: not a page that a browser on this
    machine shows (Origin, Sec-Fetch-Site), also not one whose name was rebound to 127.0.0.1
    (Host), and nobody who comes through a proxy here.
    """
    headers = request.headers
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not peer or not is_loopback(str(peer[0])):
        return "only from this machine (127.0.0.1 or ::1); elsewhere send SIGHUP to vcmon"
    if any(name in headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")):
        return "not through a proxy; ask vcmon itself, on this machine"
    if not is_loopback(host_of(request.host)):
        return f"Host is {request.host!r}, expected 127.0.0.1, [::1] or localhost"
    origin = headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        return "not from a page of another site"
    if headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return "not from a page of another site"
    return None


class Faces:
    """The handlers of all routes."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.assets = Assets()
        self.pages = pages.Pages(sources, self.assets)
        styles = (self.assets.path("vcmon.css"), self.assets.path("report.css"))
        self.reports = ReportFace(sources, self.pages.environment, styles)
        self._api = api.Api(sources)
        self._metrics = Metrics(sources)
        self._pool = ThreadPoolExecutor(1, "vcmon-gzip")
        self._page = {tongue: Press(self._pool) for tongue in TONGUES}
        self._board = {tongue: Press(self._pool) for tongue in TONGUES}
        self._special = Press(self._pool)
        self._status = Press(self._pool)
        self._scrapes = 0
        self._reloading = False

    async def close(self, _app: web.Application) -> None:
        """Give back the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _moment(self) -> tuple[object, ...]:
        """What a body depends on: the same moment, the same bytes."""
        snapshot = self._sources.snapshot()
        stale = freshness.is_stale(self._sources, snapshot)
        return snapshot.version, snapshot.at, stale, id(self._sources.settings())

    async def page(self, request: web.Request) -> web.Response:
        tongue = spoken(request)
        paused, opened = "jeda" in request.query, request.query.get("lihat", "")
        if opened not in self._sources.settings().provinces:
            opened = ""
        # Ages are told to the second, so a rendering is good for the second it was made in.
        key = (*self._moment(), int(self._sources.wall()), tongue.lang, paused, opened)
        press = self._special if paused or opened else self._page[tongue.lang]
        body = await press.body(
            key, lambda: self.pages.status(tongue, paused=paused, opened=opened)
        )
        return answer(request, body, pages.CONTENT_TYPE, "no-store")

    async def board(self, request: web.Request) -> web.Response:
        tongue = spoken(request)
        key = (*self._moment(), int(self._sources.wall()))
        body = await self._board[tongue.lang].body(key, lambda: self.pages.board(tongue))
        return answer(request, body, pages.CONTENT_TYPE, "no-store")

    async def status(self, request: web.Request) -> web.Response:
        key = self._moment()
        return await self._tagged(request, lambda: self._status.body(key, self._api.status))

    async def province(self, request: web.Request) -> web.Response:
        parts = self._api.province(request.match_info["slug"])
        if parts is None:
            raise web.HTTPNotFound
        return await self._tagged(request, lambda: self._status.render(parts))

    async def _tagged(
        self, request: web.Request, render: Callable[[], Awaitable[Body]]
    ) -> web.Response:
        started = self._sources.figures().started_at  # versions begin anew with the process
        moment = repr((*self._moment(), started)).encode()
        tag = hashlib.sha256(moment).hexdigest()[:16]
        seen = request.if_none_match or ()
        if any(one.value in {tag, "*"} for one in seen):
            response = web.Response(status=HTTPStatus.NOT_MODIFIED)
            response.headers["Cache-Control"] = "no-cache"
        else:
            response = answer(request, await render(), api.CONTENT_TYPE, "no-cache")
        # Weak: plain and gzipped share it.
        response.headers["ETag"] = f'W/"{tag}"'
        return response

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        if self._scrapes >= SCRAPES_MAX:
            busy = says(HTTPStatus.SERVICE_UNAVAILABLE, "too many scrapes at once")
            busy.headers["Retry-After"] = "1"
            return busy
        self._scrapes += 1
        try:
            loop = asyncio.get_running_loop()
            own = await loop.run_in_executor(self._pool, self._metrics.own)
            return await self._stream(request, self._metrics.pieces(own))
        finally:
            self._scrapes -= 1

    async def _stream(self, request: web.Request, parts: Iterator[str]) -> web.StreamResponse:
        """Written as it is made: 10,000 endpoints are 55 MB, which nobody need hold at once."""
        response = web.StreamResponse(
            headers={
                "Content-Type": exposition.CONTENT_TYPE,
                "Cache-Control": "no-store",
                "Vary": "Accept-Encoding",
            }
        )
        # Level 1: this text is so regular that more work saves little.
        packer = zlib.compressobj(1, wbits=31) if accepts_gzip(request) else None
        if packer:
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        loop = asyncio.get_running_loop()
        async for part in slices(parts):
            ready = (
                await loop.run_in_executor(self._pool, packer.compress, part) if packer else part
            )
            if ready:
                await response.write(ready)
        if packer:
            await response.write(packer.flush())
        return response

    async def healthy(self, _request: web.Request) -> web.Response:
        if self._sources.alive():
            return says(HTTPStatus.OK, "healthy")
        return says(HTTPStatus.SERVICE_UNAVAILABLE, "engine or board has stopped")

    async def ready(self, _request: web.Request) -> web.Response:
        if self._sources.ready():
            return says(HTTPStatus.OK, "ready")
        return says(HTTPStatus.SERVICE_UNAVAILABLE, "the first round of probes is not complete")

    async def reload(self, request: web.Request) -> web.Response:
        why = refusal(request)
        if why is not None:
            return says(HTTPStatus.FORBIDDEN, f"reload refused: {why}")
        if self._reloading:
            return says(HTTPStatus.CONFLICT, "a reload is under way")
        self._reloading = True
        try:
            problems = await self._sources.reload()
        finally:
            self._reloading = False
        if problems:
            return says(HTTPStatus.BAD_REQUEST, problems)
        return says(HTTPStatus.OK, "reloaded")


TROUBLES = {
    HTTPStatus.NOT_FOUND: ("Halaman tidak ditemukan", "Alamat ini tidak ada di pemantau."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("Cara ini tidak dilayani", "Alamat ini tidak menerimanya."),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Kesalahan pemantau",
        "Halaman ini gagal dibuat. Catatan pemantau memuat sebabnya.",
    ),
}


def trouble(faces: Faces, request: web.Request, status: HTTPStatus) -> web.Response:
    """The answer to what can't be served: JSON for machines, a small page for people."""
    if request.path.startswith(("/api/", "/-/", "/metrics", "/sd/")):
        body = api.dumps({"error": status.phrase, "status": status}) + "\n"
        kind = api.CONTENT_TYPE
    else:
        title, text = TROUBLES.get(status, (f"{status.value} {status.phrase}", "Tidak dilayani."))
        body = faces.pages.message(title, text, spoken(request))
        kind = pages.CONTENT_TYPE
    headers = {"Content-Type": kind, "Cache-Control": "no-store"}
    return web.Response(status=status, body=body.encode("utf-8", "replace"), headers=headers)


def hardened(
    sources: Sources,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Sees to the headers that every answer carries."""

    async def harden(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        own = {name: headers[name] for name in THEIR_OWN if name in headers}
        headers.update({**HEADERS, **own})
        kept = headers.get("Cache-Control", "no-store") != "no-store"
        if kept and sources.settings().web.private and not request.path.startswith("/static/"):
            # What was for who is signed in is kept by no proxy, and asked for anew by a browser.
            headers["Cache-Control"] = "private, no-cache"

    return harden


def guard(faces: Faces) -> Middleware:
    """Everything answers in time, errors tell nothing of us, lost clients are no news."""
    seldom = Seldom()

    async def tried(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refused:
            return refused.answer()
        except web.HTTPException as wrong:
            response = trouble(faces, request, HTTPStatus(wrong.status))
            if "Allow" in wrong.headers:
                response.headers["Allow"] = wrong.headers["Allow"]
            return response
        except ConnectionError:
            raise
        except Exception as error:
            if seldom(f"{type(error).__name__} {request.path}"[:200]):
                log.exception("an answer failed", method=request.method, path=request.path)
            return trouble(faces, request, HTTPStatus.INTERNAL_SERVER_ERROR)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        limit = stream.LIFE if request.path == stream.PATH else ANSWER_TIME
        kill = asyncio.get_running_loop().call_later(limit, _abort, request)
        try:
            response = await tried(request, handler)
            # Sent here, not after us: a client that does not read falls under the limit, too.
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            return web.Response()  # for nobody
        finally:
            kill.cancel()
        return response

    return middleware


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def closing(shelf: Shelf, gate: Gate) -> Callable[[web.Application], Awaitable[None]]:
    """Gives their threads back when the application ends."""

    async def close(_app: web.Application) -> None:
        shelf.close()
        gate.close()

    return close


def build(sources: Sources) -> web.Application:
    """The application: everything that is served, over these sources."""
    faces = Faces(sources)
    shelf, gate = Shelf(sources), Gate(lambda: sources.settings().web.tokens_file)
    door = Door(sources, faces.pages, gate)
    app = web.Application(middlewares=[guard(faces), door.private()], client_max_size=BODY_MAX)
    app[PROXIES] = lambda: sources.settings().web.proxies
    app.on_response_prepare.append(hardened(sources))
    app.on_cleanup.append(faces.close)
    app.router.add_get("/", faces.page)
    app.router.add_get("/en/", faces.page)
    for root in ("", ENGLISH.root):
        app.router.add_get(f"{root}/papan", faces.board)
    faces.assets.add_to(app)
    faces.reports.routes(app.router)
    app.router.add_get("/metrics", faces.metrics)
    app.router.add_get("/api/v1/status", faces.status)
    app.router.add_get("/api/v1/provinces/{slug}", faces.province)
    app.router.add_get("/-/healthy", faces.healthy)
    app.router.add_get("/-/ready", faces.ready)
    app.router.add_post("/-/reload", faces.reload)
    app.on_cleanup.append(closing(shelf, gate))
    Recall(sources, shelf, gate).add_to(app)
    Acting(sources, shelf, gate).add_to(app)
    Reporting(sources, gate).add_to(app)
    door.add_to(app)
    Doing(sources, shelf, door, faces.pages).add_to(app)
    Outside(sources, shelf).add_to(app)
    Discovery(sources).add_to(app)
    IncidentFace(sources, shelf, faces.pages).add_to(app)
    ProvinceFace(sources, shelf, faces.pages).add_to(app)
    stream.Stream(sources).add_to(app)
    return app
