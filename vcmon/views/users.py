"""Whether a password is right: checked off the event loop, and seldom for whoever is wrong."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from math import ceil

import structlog

from vcmon.config.tokens import Token, TokensError
from vcmon.config.users import read_users, verified
from vcmon.views.budget import Budget, peer_key
from vcmon.views.crew import AGAIN, Crew
from vcmon.views.refusal import Refusal
from vcmon.views.roster import Roster
from vcmon.views.site import Seldom

THREADS, WAITING_MAX = 1, 8
"""Checks under way and waiting: a fifth of a second's work, beside the tokens' own."""

PEER_BURST, PEER_RATE = 10, 1 / 6
"""Wrong passwords of one peer: a person who mistypes, not a script."""

NAME_BURST, NAME_RATE = 10, 1 / 60
"""Wrong passwords for one name, whoever tries: 1,450 a day of twelve characters or more."""

ALL_BURST, ALL_RATE = 30, 1.0
"""Of all together: 20 ms of a processor a second at the most."""

FAMILIAR_MAX = 256
"""Names with a peer that they signed in from: who guesses a name elsewhere doesn't hold it up."""

EVERYBODY = "all"

log = structlog.get_logger("vcmon.views")


class Users:
    """Knows the users of the file that ``users_file`` names ("": nobody can sign in)."""

    def __init__(self, users_file: Callable[[], str], monotonic: Callable[[], float]) -> None:
        self._users_file = users_file
        self._monotonic = monotonic
        self._crew = Crew("vcmon-users", THREADS, WAITING_MAX)
        self._budgets = {
            "peer": Budget(PEER_BURST, PEER_RATE),
            "name": Budget(NAME_BURST, NAME_RATE),
            "all": Budget(ALL_BURST, ALL_RATE),
        }
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._roster = Roster(self._crew, monotonic, read_users)
        self._seldom = Seldom()

    @property
    def on(self) -> bool:
        """Whether anybody can sign in at all."""
        return bool(self._users_file())

    def close(self) -> None:
        """Give back the thread."""
        self._crew.close()

    async def current(self, name: str) -> Token | None:
        """The user of this name, as the file was a second ago at the most. Raises Refusal."""
        path = self._users_file()
        if not path:
            return None
        try:
            return (await self._roster.recent(path)).get(name)
        except TokensError as error:
            raise self._unusable(error) from None

    async def verified(self, name: str, password: str, address: str) -> Token | None:
        """The user whose password it is; None where it is wrong. Raises Refusal (429, 503)."""
        path, peer = self._users_file(), peer_key(address)
        taken = self._spend(name, peer)
        try:
            user, right = await self._crew.do(partial(self._check, path, name, password))
        except TokensError as error:
            self._refund(taken)
            raise self._unusable(error) from None
        except Refusal:
            self._refund(taken)  # it was not looked at
            raise
        if user is None or not right:
            if self._seldom(f"wrong {peer}"):
                # A name that nobody has may be a password in the wrong field.
                log.warning("a wrong password", peer=peer, user=user.name if user else "-")
            return None
        self._refund(taken)
        self._familiar[name, peer] = None
        self._familiar.move_to_end((name, peer))
        if len(self._familiar) > FAMILIAR_MAX:
            self._familiar.popitem(last=False)
        return user

    def _unusable(self, error: TokensError) -> Refusal:
        if self._seldom("users"):
            log.error("web.users_file can't be used; nobody can sign in", error=str(error))
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        return Refusal(busy, "the users can't be read; the log tells why", AGAIN)

    def _spend(self, name: str, peer: str) -> list[tuple[str, str]]:
        """What was taken of which budget, before it is known whether the password is right."""
        wanted = [("peer", peer)]
        if (name, peer) not in self._familiar:
            wanted += [("name", name.casefold()), ("all", EVERYBODY)]
        taken: list[tuple[str, str]] = []
        for budget, key in wanted:
            if wait := self._budgets[budget].take(key, self._monotonic()):
                self._refund(taken)
                again = {"Retry-After": str(ceil(wait))}
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong passwords", again)
            taken.append((budget, key))
        return taken

    def _refund(self, taken: list[tuple[str, str]]) -> None:
        for budget, key in taken:
            self._budgets[budget].give_back(key)

    # ---- in the thread

    def _check(self, path: str, name: str, password: str) -> tuple[Token | None, bool]:
        user = self._roster.read(path)[1].get(name)
        return user, verified(user, password)
