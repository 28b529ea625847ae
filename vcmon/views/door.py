"""Signing in and out, and who may look where the settings say ``web.private``."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from vcmon.clock import SystemClock
from vcmon.config.text import clean
from vcmon.config.tokens import Role
from vcmon.views import door_words as words
from vcmon.views.client import client_of
from vcmon.views.forms import Denied, Halt, Handler, fields_of, own, page, sent, towards
from vcmon.views.gate import Gate, unauthorised
from vcmon.views.pages import Pages
from vcmon.views.refusal import Refusal
from vcmon.views.sessions import Session, Sessions
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH, TONGUES, Tongue, spoken_at
from vcmon.views.users import Users

OPEN = ("/-/", "/static/")
"""What private mode leaves to everybody: signs of life, a reload (which has a rule of its own),
and what the page for signing in is drawn by."""

MACHINES = ("/api/", "/metrics", "/sd/", "/badge/", "/feed.atom")
"""Asked by programs: they get 401 where people are sent to sign in."""

SCRAPED = ("/metrics", "/sd/")

_BACK = re.compile(r"/(?:[a-z0-9][A-Za-z0-9/?=&._-]{0,200})?")
"""Where signing in may lead: a path of ours; ``//host`` is somebody else's."""

SIGN_IN = {tongue.lang: f"{tongue.root}/masuk" for tongue in TONGUES.values()}

log = structlog.get_logger("vcmon.views")


def cookie_name(secure: bool) -> str:
    """The prefix has browsers see to it that no other host and no plain HTTP can set it."""
    return "__Host-vcmon" if secure else "vcmon"


def ticket(request: web.Request) -> str:
    """The name of the session that the browser holds; "" without one."""
    return request.cookies.get(cookie_name(client_of(request).secure), "")


class Door:
    """Knows who is signed in, and lets in and out."""

    def __init__(self, sources: Sources, pages: Pages, gate: Gate) -> None:
        monotonic = SystemClock().monotonic
        self._sources = sources
        self._gate = gate
        self._users = Users(lambda: sources.settings().web.users_file, monotonic)
        self.sessions = Sessions(monotonic)
        self.on_end: list[Callable[[], None]] = []  # each is called when a session is over
        self._pages = pages
        self._form = pages.environment.get_template("masuk.html")

    async def close(self, _app: web.Application) -> None:
        """Give back the thread."""
        self._users.close()

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.on_cleanup.append(self.close)
        for tongue in TONGUES.values():
            root = tongue.root
            app.router.add_get(f"{root}/masuk", self.served(self.form))
            app.router.add_post(f"{root}/masuk", self.served(self.enter))
            app.router.add_get(f"{root}/keluar", self.served(self.form))
            app.router.add_post(f"{root}/keluar", self.served(self.leave))

    @property
    def on(self) -> bool:
        """Whether anybody can sign in at all."""
        return self._users.on

    def served(self, handler: Handler, *, always: bool = False) -> Handler:
        """The handler, what it refuses told on a page; not there while nobody can sign in, unless
        ``always``.
        """

        async def wrapped(request: web.Request) -> web.StreamResponse:
            if not (always or self.on):
                raise web.HTTPNotFound
            try:
                return await handler(request)
            except Halt as halt:
                return halt.response
            except Denied as denied:
                return self._told(request, denied.status, denied.text)
            except Refusal as refused:
                response = self._told(request, refused.status, words.LATER)
                response.headers.update(refused.headers)
                return response

        return wrapped

    def _told(self, request: web.Request, status: HTTPStatus, text: str) -> web.Response:
        return page(self._pages.message(words.REFUSED, text, spoken_at(request.path)), status)

    async def session(self, request: web.Request) -> Session | None:
        """Who asks; None for whoever is not signed in (any more). Raises Refusal (503)."""
        name = ticket(request)
        session = self.sessions.of(name) if name else None
        if session is None:
            return None
        user = await self._users.current(session.user)
        if user is None or (user.hash, user.role) != (session.hash, session.role):
            self._end(name)  # another password, another role, or gone
            return None
        return session

    def _end(self, name: str) -> None:
        self.sessions.end(name)
        for each in self.on_end:
            each()

    async def operator(self, request: web.Request) -> Session:
        """The session of somebody who may act. Raises Halt or Denied for everybody else."""
        session = await self.session(request)
        if session is None and request.method in {"GET", "HEAD"}:
            raise Halt(self.ask_in(request))
        if session is None:
            raise Denied(HTTPStatus.FORBIDDEN, words.FIRST)
        if session.role is not Role.OPERATOR:
            raise Denied(HTTPStatus.FORBIDDEN, words.LOOKING)
        return session

    def ask_in(self, request: web.Request) -> web.Response:
        """To the page for signing in, and back from there."""
        back = quote(request.path, safe="/")
        return towards(f"{SIGN_IN[spoken_at(request.path).lang]}?ke={back}")

    # ---- the handlers

    async def form(self, request: web.Request) -> web.Response:
        """Name and password; for who is signed in: who they are, and the way out."""
        session = await self.session(request)
        return self._shown(request, session, back=request.query.get("ke", ""))

    def _shown(
        self,
        request: web.Request,
        session: Session | None,
        status: HTTPStatus = HTTPStatus.OK,
        **more: str,
    ) -> web.Response:
        tongue = spoken_at(request.path)
        facts: dict[str, Any] = {"tongue": tongue, "say": tongue.say, "other": other(tongue)}
        name, back = more.get("name", ""), more.get("back", "")
        facts |= {
            "session": session,
            "signing": False,  # it is what this page is for
            "roles": words.ROLES,
            "wrong": more.get("wrong", ""),
            "name": clean(name),
            "back": back if _BACK.fullmatch(back) else "",
        }
        return page(self._form.render(**facts), status)

    async def enter(self, request: web.Request) -> web.Response:
        """The right password begins a session of a new name, and ends the browser's old one."""
        own(request)
        fields, client = await fields_of(request), client_of(request)
        tongue = spoken_at(request.path)
        name, back = fields.get("nama", "")[:64].strip(), fields.get("ke", "")
        try:
            user = await self._users.verified(name, fields.get("sandi", ""), client.address)
        except Refusal as refused:
            response = self._shown(
                request, None, refused.status, name=name, back=back, wrong=_why(refused, tongue)
            )
            response.headers.update(refused.headers)
            return response
        if user is None:
            wrong = tongue.say(words.WRONG)
            forbidden = HTTPStatus.FORBIDDEN
            return self._shown(request, None, forbidden, name=name, back=back, wrong=wrong)
        self._end(ticket(request))
        begun = self.sessions.begin(user, self._sources.settings().web.session)
        log.info("signed in", user=user.name, role=user.role, peer=client.address)
        response = towards(back if _BACK.fullmatch(back) else f"{tongue.root}/")
        name, secure = cookie_name(client.secure), client.secure
        response.set_cookie(name, begun, secure=secure, httponly=True, samesite="Strict")
        return response

    async def leave(self, request: web.Request) -> web.Response:
        """The session is over, and its cookie goes."""
        session = await self.session(request)
        if session is None:
            own(request)
        else:
            await sent(request, session)
            self._end(ticket(request))
            log.info("signed out", user=session.user)
        secure = client_of(request).secure
        response = towards(SIGN_IN[spoken_at(request.path).lang])
        response.del_cookie(cookie_name(secure), secure=secure, httponly=True, samesite="Strict")
        return response

    # ---- private mode

    def private(self) -> Middleware:
        """Where the settings say so, whoever looks is signed in or has a token."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._shut(request):
                turned = await self._turned(request)
                if turned is not None:
                    return turned
            return await handler(request)

        return middleware

    async def admits(self, request: web.Request) -> bool:
        """Whether who was let in may still look: an answer that goes on for long asks again."""
        if not self._shut(request):
            return True
        try:
            known = await self.session(request) or await self._gate.known(request)
        except Refusal:
            return False  # not known now; whoever may look asks again
        return known is not None

    def _shut(self, request: web.Request) -> bool:
        return self._sources.settings().web.private and not self._open(request)

    def _open(self, request: web.Request) -> bool:
        path = request.path
        if path.startswith(OPEN) or path in SIGN_IN.values():
            return True
        if path.startswith(SCRAPED) and self._sources.settings().web.public_metrics:
            return True
        # Each of these asks for a token of its own kind.
        return path.startswith("/api/") and request.method == "POST"

    async def _turned(self, request: web.Request) -> web.Response | None:
        """What whoever may not look gets instead. Raises Refusal."""
        if await self.session(request) is not None:
            return None
        if await self._gate.known(request) is not None:
            return None
        if request.path.startswith(MACHINES):
            raise unauthorised("a session or a bearer token is needed")
        if request.method in {"GET", "HEAD"}:
            return self.ask_in(request)
        return self._told(request, HTTPStatus.FORBIDDEN, words.FIRST)


def other(tongue: Tongue) -> Tongue:
    """The language that a page offers beside its own."""
    return ENGLISH if tongue is BAHASA else BAHASA


def _why(refused: Refusal, tongue: Tongue) -> str:
    if refused.status is HTTPStatus.TOO_MANY_REQUESTS:
        seconds = refused.headers.get("Retry-After", "")
        return tongue.say(words.WAIT, seconds=seconds)
    return tongue.say(words.LATER)
