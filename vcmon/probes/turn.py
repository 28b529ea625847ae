"""A TURN allocation, as a client behind a NAT makes it; it is given back whatever happens."""

from __future__ import annotations

from typing import NamedTuple

from vcmon.config.params_talk import TurnParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.probes.base import Tools
from vcmon.probes.stun import Server, describe, peer, refusal, request, written
from vcmon.probes.tls import verdict
from vcmon.wire.stun import (
    ALLOCATION_MISMATCH,
    STALE_NONCE,
    UNAUTHENTICATED,
    Answer,
    Login,
    Method,
    Request,
    Signature,
    ephemeral,
)

EPHEMERAL_SECONDS = 3600
"""How long the credentials that we make are good: a clock may be off by as much."""

SIGNED_TRIES = 2
"""Signed requests of a kind: a nonce may have gone stale between question and answer, once."""

PARTING_COPIES = 3
"""Datagrams that give an allocation back where no answer can be awaited any more: each may be
lost, and what is left at the server holds a port of its for ten minutes."""

LEAVING = 1.0
"""Seconds that a cancelled run may take to give back what it was about to get."""

REFUSED = frozenset({UNAUTHENTICATED, 403, 431, 441})
"""Unauthorized, forbidden, integrity check failure (RFC 3489), wrong credentials: with what the
settings hold nobody gets a relay here."""

_LOGIN = "it refuses these credentials; correct them here, or the account there"
_CLOCKS = " (credentials made of a secret_file need both clocks right within an hour)"

ADVICE = {
    401: _LOGIN + _CLOCKS,
    403: "its policy forbids us a relay; look at the addresses and users that it allows",
    431: _LOGIN + _CLOCKS,
    441: _LOGIN,
    300: "it sends its clients elsewhere; let the check ask that server",
    437: "it still held an allocation of this port of ours, which is given back now",
    438: "it calls its own fresh nonce stale; look at its clock and its stale-nonce",
    440: "it relays no IPv4; a client has to ask for IPv6",
    442: "it does not relay UDP, which a conference needs; look at its no-udp-relay",
    486: "the quota of this user (or of all) is used up; look at its user-quota and total-quota",
    508: "no relay port is free; look at its min-port and max-port",
}


class Told(NamedTuple):
    """How the Allocate ended."""

    answer: Answer
    signed: bool  # whether it is the answer to our credentials
    released: bool  # whether the server says that it holds nothing for us any more


async def probe(check: Check[TurnParams], tools: Tools) -> Result:
    """UP when the server gives us a relayed address; without credentials, when it asks for them.

    DOWN by ``auth`` where it refuses ours: whoever has these can't use it. Impaired by ``status``
    at any other error (a quota, no port, a fault of its own), and by ``auth`` where it gives an
    allocation to whoever asks. The detail says the evidence: ``allocation`` or ``challenge``.
    """
    login = credentials(check.params, tools.clock.wall())
    async with peer(check, tools) as server:
        client = _Client(server)
        told = await tools.deadline.see_through(client.run(login), client.leave, LEAVING)
    if told.answer.success:
        tools.detail["released"] = told.released
    describe(told.answer, tools)
    return _verdict(told, check, tools, known=login is not None)


def credentials(params: TurnParams, now: float) -> Login | None:
    """What the settings say to log in with, at Unix second ``now``."""
    if params.secret_file:
        expires = int(now) + EPHEMERAL_SECONDS
        return ephemeral(params.username, params.secret_file.text, expires)
    if params.password_file:
        return Login(params.username, params.password_file.text)
    return None


class _Client:
    """Asks for one allocation, and knows whether the server may hold it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._signature: Signature | None = None
        self._owed = False
        self._leaving = False

    async def run(self, login: Login | None) -> Told:
        """The server's last word to Allocate; whatever it gave for that is given back."""
        try:
            answer = await self._allocate("request")
            for _ in range(SIGNED_TRIES):
                if login is None or self._leaving or not answer.challenges:
                    break
                answer = await self._allocate("allocate", _sign(login, answer))
                if answer.code != STALE_NONCE:
                    break
            released = answer.success and await self._release()
            return Told(answer, self._signature is not None, released)
        finally:
            self._part()

    def leave(self) -> bool:
        """Ask for no more, the run is cancelled; True where something may be to be given back.

        A server looks a user up beside its other work, so it may take a Refresh before the Allocate
        that was sent before it: the answer has to be awaited. Who gives to anyone needs no look.
        """
        self._leaving = True
        return self._owed and self._signature is not None

    async def _release(self) -> bool:
        try:
            answer = await self._server.ask(self._refresh(), "release")
            if answer.code == STALE_NONCE and answer.nonce and self._signature is not None:
                self._signature = self._signature.renewed(answer.nonce)
                answer = await self._server.ask(self._refresh(), "release")
        except ProbeError:
            return False  # the allocation is what was asked for, and it was given
        self._owed = not (answer.success or answer.code == ALLOCATION_MISMATCH)
        return not self._owed

    def _part(self) -> None:
        """Give back what may be left, without a wait: time is over."""
        if self._owed:
            refresh = self._refresh()
            for _ in range(PARTING_COPIES):
                self._server.cast(refresh)

    async def _allocate(self, phase: str, signature: Signature | None = None) -> Answer:
        self._signature = signature
        self._owed = True  # from here on: a request whose answer is lost allocates as well
        answer = await self._server.ask(request(Method.ALLOCATE, signature), phase)
        self._owed = answer.success or answer.code == ALLOCATION_MISMATCH
        return answer

    def _refresh(self) -> Request:
        return request(Method.REFRESH, self._signature)


def _sign(login: Login, challenge: Answer) -> Signature:
    assert challenge.realm is not None  # Answer.challenges
    assert challenge.nonce is not None
    return Signature.of(login, challenge.realm, challenge.nonce)


def _verdict(told: Told, check: Check[TurnParams], tools: Tools, *, known: bool) -> Result:
    answer = told.answer
    if answer.success:
        return _granted(told, check, tools)
    said = refusal(check, answer)
    if answer.code == UNAUTHENTICATED and not answer.challenges:
        text = f"{said}, without realm or nonce: no client can log in"
        raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
    if answer.code == UNAUTHENTICATED and not known:
        tools.detail["evidence"] = "challenge"
        return verdict(check, tools)
    advice = ADVICE.get(answer.code, "look at its log")
    if answer.code in REFUSED:
        raise ProbeError(Reason.AUTH, Blame.REMOTE, f"{said}: {advice}")
    return tools.impaired(check, Reason.STATUS, f"{said}: {advice}")


def _granted(told: Told, check: Check[TurnParams], tools: Tools) -> Result:
    relayed, lifetime = told.answer.relayed, told.answer.lifetime
    if relayed is None or lifetime is None:
        text = f"{check.address} gave an allocation without a relayed address or a lifetime"
        raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
    tools.detail["evidence"] = "allocation"
    tools.detail["relayed"] = written(relayed)
    tools.detail["lifetime"] = lifetime
    if not told.signed:
        text = f"{check.address} is an open relay: it gave an allocation without credentials, so "
        text += "anyone can send through it into your network; switch its lt-cred-mech on"
        return tools.impaired(check, Reason.AUTH, text)
    return verdict(check, tools)
