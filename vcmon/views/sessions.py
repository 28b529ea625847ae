"""Who is signed in: kept here alone, by the hash of a random name that the browser holds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from vcmon.config.tokens import Role, Token

SESSIONS_MAX = 1_000
"""At once: some people in 38 provinces and the Centre, each with some browsers."""

EACH_MAX = 16
"""Of one user: what is signed in again and again pushes out its own, not that of others."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which somebody has signed in."""

    user: str
    role: Role
    until: float  # monotonic
    hash: str = field(repr=False)  # of the password it began with: another one ends it
    csrf: str = field(repr=False)  # in every form of the session; no other site can know it

    def sent(self, token: str) -> bool:
        """Whether the form is one of this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode("utf-8", "replace"))


class Sessions:
    """All sessions. They end with the process; a name is worth nothing unless it was given here."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._held: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, user: Token, life: float) -> str:
        """A new one for so many seconds; its name, which nobody can guess (256 random bits)."""
        name, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = self._monotonic()
        self._sweep(now, user.name)
        self._held[_key(name)] = Session(user.name, user.role, now + life, user.hash, csrf)
        return name

    def of(self, name: str) -> Session | None:
        """The session of this name, unless it is over."""
        session = self._held.get(_key(name))
        return session if session is not None and session.until > self._monotonic() else None

    def end(self, name: str) -> None:
        """It is over; safe to call for any text."""
        self._held.pop(_key(name), None)

    def __len__(self) -> int:
        return len(self._held)

    def _sweep(self, now: float, user: str) -> None:
        """Make room: what is over goes, then this user's oldest, then anybody's oldest."""
        for key in [key for key, each in self._held.items() if each.until <= now]:
            del self._held[key]
        own = [key for key, each in self._held.items() if each.user == user]
        for key in own[: max(0, len(own) - EACH_MAX + 1)]:
            del self._held[key]
        while len(self._held) >= SESSIONS_MAX:
            self._held.popitem(last=False)


def _key(name: str) -> bytes:
    # By its hash: looking it up takes as long for a good guess as for a bad one.
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()
