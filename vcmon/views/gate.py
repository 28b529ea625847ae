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
from pathlib import Path
from typing import NamedTuple

import structlog
from aiohttp import web

from vcmon.clock import SystemClock
from vcmon.config.tokens import Role, Token, TokensError, matches, read, split
from vcmon.views.budget import Budget, peer_key
from vcmon.views.crew import AGAIN, Crew
from vcmon.views.refusal import Refusal
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

Stamp = tuple[str, int, int, int]


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
        self._book: tuple[Stamp, Mapping[str, Token]] = (("", 0, 0, 0), {})
        self._seldom = Seldom()

    def close(self) -> None:
        """Give back the threads."""
        self._crew.close()

    async def operator(self, request: web.Request) -> Bearer:
        """Whoever may act. Raises Refusal for everybody else."""
        if not self._tokens_file():
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "acting over HTTP is off: web.tokens_file is not set (see vcmon token --help)",
            )
        bearer = await self.known(request)
        if bearer is None:
            raise _unauthorised("a bearer token is needed", "")
        if bearer.role is not Role.OPERATOR:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                f"the role {bearer.role} may look only; acting needs the role {Role.OPERATOR}",
                {"WWW-Authenticate": 'Bearer realm="vcmon", error="insufficient_scope"'},
            )
        return bearer

    async def known(self, request: web.Request) -> Bearer | None:
        """Whose token the request carries; None without one. A wrong one raises Refusal."""
        path, told = self._tokens_file(), request.headers.getall("Authorization", [])
        if not path or not told:
            return None
        scheme, _, text = told[0].partition(" ")
        if len(told) > 1 or scheme.lower() != "bearer":
            expected = "expected one header, Authorization: Bearer <token>"
            raise _unauthorised(expected, "invalid_request")
        digest = hashlib.sha256(text.strip().encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is not None and known.until > self._monotonic():
            if known.stamp == await self._crew.do(partial(_stamp, path)):
                return known.bearer
            del self._known[digest]
        return await self._check(request, path, text.strip(), digest)

    async def _check(self, request: web.Request, path: str, text: str, digest: bytes) -> Bearer:
        peer = peer_key(_peer(request))
        self._spend(peer)
        try:
            stamp, bearer = await self._crew.do(partial(self._verified, path, text))
        except TokensError as error:
            self._refund(peer)
            if self._seldom("tokens"):
                log.error("web.tokens_file can't be used; nobody can act", error=str(error))  # noqa: TRY400  no bug of ours
            busy = HTTPStatus.SERVICE_UNAVAILABLE
            raise Refusal(busy, "the tokens can't be read; the log tells why", AGAIN) from None
        except Refusal:
            self._refund(peer)  # it was not looked at
            raise
        if bearer is None:
            if self._seldom(f"wrong {peer}"):
                log.warning("a wrong token", peer=peer)
            raise _unauthorised("wrong token", "invalid_token")
        self._refund(peer)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[digest] = _Known(bearer, stamp, self._monotonic() + REMEMBERED)
        return bearer

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
        stamp, book = self._book
        if stamp != (now := _stamp(path)):
            # Read after the stamp was taken: what changes in between is seen the next time.
            stamp, book = self._book = now, read(Path(path))
        parts = split(text)
        if parts is None:
            return stamp, None
        token = book.get(parts[0])
        right = matches(token, parts[1])
        return stamp, Bearer(token.name, token.role) if token and right else None


def _stamp(path: str) -> Stamp:
    """What changes when the file does; zeros while there is none."""
    try:
        it = Path(path).stat()
    except OSError:
        return path, 0, 0, 0
    return path, it.st_mtime_ns, it.st_size, it.st_ino


def _peer(request: web.Request) -> str:
    # Never X-Forwarded-For: whoever is wrong would write another one each time.
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return str(peer[0]) if peer else ""


def _unauthorised(text: str, error: str) -> Refusal:
    challenge = 'Bearer realm="vcmon"' + (f', error="{error}"' if error else "")
    return Refusal(HTTPStatus.UNAUTHORIZED, text, {"WWW-Authenticate": challenge})
