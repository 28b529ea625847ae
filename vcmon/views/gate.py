"""Who asks, and whether they may: bearer tokens (RFC 6750), checked off the event loop.

A token's check costs 20 ms of a processor on purpose. What was right lately is remembered by
its SHA-256; who is wrong too often waits, each peer by itself and all of them together, so that
nobody can keep the probes from the processor. No token is ever logged or shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import NamedTuple

import structlog
from aiohttp import web

from vcmon.clock import SystemClock
from vcmon.config.tokens import Role, Token, TokensError, matches, read, split
from vcmon.views.budget import Budget, peer_key
from vcmon.views.client import client_of
from vcmon.views.crew import AGAIN, Crew
from vcmon.views.refusal import Refusal
from vcmon.views.roster import Roster, Stamp, file_stamp
from vcmon.views.site import Seldom

THREADS, WAITING_MAX = 2, 16
"""Checks under way and waiting: a third of a second's work."""

REMEMBERED = 60.0
"""Seconds that a right token is known without a check; a change of the file ends it at once."""

KNOWN_MAX = 64
"""Right tokens remembered; more are checked again, which is only slower."""

PEER_BURST, PEER_RATE = 10, 1 / 6
"""Wrong tokens of one peer: a person who mistypes, not a script."""

ALL_BURST, ALL_RATE = 30, 1.0
"""Wrong tokens of all peers together: 20 ms of a processor a second at the most."""

EVERYBODY = "all"

log = structlog.get_logger("vcmon.views")


class Bearer(NamedTuple):
    """Whose token it is, and what it is good for."""

    name: str
    role: Role


class _Known(NamedTuple):
    bearer: Bearer
    stamp: Stamp
    until: float  # monotonic


class Gate:
    """Knows the bearers of tokens, by the file that ``tokens_file`` names ("": nobody may act)."""

    def __init__(
        self, tokens_file: Callable[[], str], monotonic: Callable[[], float] | None = None
    ) -> None:
        self._tokens_file = tokens_file
        self._monotonic = monotonic or SystemClock().monotonic
        self._crew = Crew("vcmon-gate", THREADS, WAITING_MAX)
        self._known: dict[bytes, _Known] = {}
        self._peers = Budget(PEER_BURST, PEER_RATE)
        self._all = Budget(ALL_BURST, ALL_RATE)
        self._roster = Roster(self._crew, self._monotonic, read)
        self._seldom = Seldom()

    def close(self) -> None:
        """Give back the threads."""
        self._crew.close()

    async def operator(self, request: web.Request) -> Bearer:
        """Whoever may act. Raises Refusal for everybody else."""
        self._tokens_path()
        bearer = await self.known(request)
        if bearer is None:
            raise unauthorised("a bearer token is needed")
        if bearer.role is not Role.OPERATOR:
            raise forbidden(
                f"the role {bearer.role} may look only; acting needs the role {Role.OPERATOR}"
            )
        return bearer

    async def reporter(self, request: web.Request) -> str:
        """The endpoint whose heartbeat token the request carries. Raises Refusal.

        One that is right costs no more than a hash of it: no thread, no slow hash, no budget.
        """
        path, text = self._tokens_path(), _told(request)
        if text is None:
            raise unauthorised("a bearer token is needed")
        parts = split(text)
        token = (await self._recent(path)).get(parts[0]) if parts else None
        if token and parts and token.role is Role.HEARTBEAT and matches(token, parts[1]):
            return token.name
        await self.known(request)
        raise forbidden(f"reporting in needs a token of the role {Role.HEARTBEAT}")

    async def _recent(self, path: str) -> Mapping[str, Token]:
        """The file's tokens as they were a second ago at the most."""
        try:
            return await self._roster.recent(path)
        except TokensError as error:
            raise self._unusable(error) from None

    def _tokens_path(self) -> str:
        path = self._tokens_file()
        if not path:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "acting over HTTP is off: web.tokens_file is not set (see vcmon token --help)",
            )
        return path

    async def known(self, request: web.Request) -> Bearer | None:
        """Whose token the request carries; None without one. A wrong one raises Refusal."""
        path = self._tokens_file()
        text = _told(request) if path else None
        if text is None:
            return None
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is not None and known.until > self._monotonic():
            if known.stamp == await self._crew.do(partial(file_stamp, path)):
                return known.bearer
            del self._known[digest]
        return await self._check(request, path, text, digest)

    async def _check(self, request: web.Request, path: str, text: str, digest: bytes) -> Bearer:
        peer = peer_key(client_of(request).address)
        self._spend(peer)
        try:
            stamp, bearer = await self._crew.do(partial(self._verified, path, text))
        except TokensError as error:
            self._refund(peer)
            raise self._unusable(error) from None
        except Refusal:
            self._refund(peer)  # it was not looked at
            raise
        if bearer is None:
            if self._seldom(f"wrong {peer}"):
                log.warning("a wrong token", peer=peer)
            raise unauthorised("wrong token", "invalid_token")
        self._refund(peer)
        if bearer.role is Role.HEARTBEAT:
            raise forbidden("this token reports in for its endpoint, and does nothing else")
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[digest] = _Known(bearer, stamp, self._monotonic() + REMEMBERED)
        return bearer

    def _unusable(self, error: TokensError) -> Refusal:
        if self._seldom("tokens"):
            log.error("web.tokens_file can't be used; nobody can act", error=str(error))
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        return Refusal(busy, "the tokens can't be read; the log tells why", AGAIN)

    def _spend(self, peer: str) -> None:
        """Before it is known whether the token is right: many at once must not slip through."""
        now = self._monotonic()
        wait = self._peers.take(peer, now)
        if not wait and (wait := self._all.take(EVERYBODY, now)):
            self._peers.give_back(peer)
        if wait:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many wrong tokens; wait",
                {"Retry-After": str(ceil(wait))},
            )

    def _refund(self, peer: str) -> None:
        self._peers.give_back(peer)
        self._all.give_back(EVERYBODY)

    # ---- in a thread

    def _verified(self, path: str, text: str) -> tuple[Stamp, Bearer | None]:
        stamp, book = self._roster.read(path)
        parts = split(text)
        if parts is None:
            return stamp, None
        token = book.get(parts[0])
        right = matches(token, parts[1])
        return stamp, Bearer(token.name, token.role) if token and right else None


def _told(request: web.Request) -> str | None:
    """What the request carries as its token; None where it carries none. Raises Refusal."""
    told = request.headers.getall("Authorization", [])
    if not told:
        return None
    scheme, _, text = told[0].partition(" ")
    if len(told) > 1 or scheme.lower() != "bearer":
        expected = "expected one header, Authorization: Bearer <token>"
        raise unauthorised(expected, "invalid_request")
    return text.strip()


def forbidden(text: str) -> Refusal:
    """The token is right, and no good for this."""
    challenge = 'Bearer realm="vcmon", error="insufficient_scope"'
    return Refusal(HTTPStatus.FORBIDDEN, text, {"WWW-Authenticate": challenge})


def unauthorised(text: str, error: str = "") -> Refusal:
    """No token, or a wrong one (``error`` as RFC 6750 has it)."""
    challenge = 'Bearer realm="vcmon"' + (f', error="{error}"' if error else "")
    return Refusal(HTTPStatus.UNAUTHORIZED, text, {"WWW-Authenticate": challenge})
