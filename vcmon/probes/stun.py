"""A STUN Binding over UDP, TCP or TLS; and the exchanges that the TURN probe is made of."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from vcmon import __version__
from vcmon.config.params_talk import StunParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.tcp import Stream
from vcmon.net.udp import Retransmission, UdpSocket
from vcmon.probes.base import Tools
from vcmon.probes.dns import udp_socket
from vcmon.probes.tcp import connection
from vcmon.probes.tls import secure, verdict
from vcmon.wire.stun import (
    HEADER,
    TRANSACTION,
    Address,
    Answer,
    Method,
    Request,
    Signature,
    body_length,
)

RTO_CAP = 16.0
"""Seconds between two sendings at most; the timeout of a check ends long before."""

MESSAGES_MAX = 16
"""Messages on a stream that answer something else, then the peer babbles."""


async def probe(check: Check[StunParams], tools: Tools) -> Result:
    """UP when the server tells our address in XOR-MAPPED-ADDRESS.

    Impaired by ``status`` where it answers with an error (it is alive, but serves nobody), by
    ``protocol`` where it only knows RFC 3489's MAPPED-ADDRESS. A connection alone proves nothing.
    """
    async with peer(check, tools) as server:
        answer = await server.ask(request(Method.BINDING), "request")
    describe(answer, tools)
    if not answer.success:
        text = f"{refusal(check, answer)}: it is alive, but tells nobody its address"
        return tools.impaired(check, Reason.STATUS, text)
    if answer.mapped is None and answer.plain_mapped is None:
        text = f"expected our address from {check.address}, found a success that tells none"
        raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
    tools.detail["evidence"] = "binding"
    if answer.mapped is None:
        text = "it tells MAPPED-ADDRESS only, which NATs rewrite: replace this server of RFC 3489"
        return tools.impaired(check, Reason.PROTOCOL, text)
    return verdict(check, tools)


def request(method: Method, signature: Signature | None = None) -> Request:
    """A fresh request of ours."""
    return Request(method, secrets.token_bytes(TRANSACTION), f"vcmon {__version__}", signature)


def refusal(check: Check[Any], answer: Answer) -> str:
    """``turn.id answered Allocate with 486 Quota reached``, fit for a message."""
    asked = "Binding" if answer.method == Method.BINDING else "Allocate"
    return f"{check.address} answered {asked} with {answer.code} {clean(answer.phrase)}".rstrip()


def describe(answer: Answer, tools: Tools) -> None:
    """Put what the answer tells of server and client into the detail."""
    mapped = answer.mapped or answer.plain_mapped
    if answer.code:
        tools.detail["status"] = answer.code
        tools.detail["phrase"] = clean(answer.phrase)
    if mapped is not None:
        tools.detail["mapped"] = written(mapped)
    if answer.software:
        tools.detail["software"] = clean(answer.software, 200)


def written(address: Address) -> str:
    """``192.0.2.1:3478``, ``[2001:db8::1]:3478``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Server(Protocol):
    """One server, over one socket of ours: one 5-tuple, as an allocation wants it."""

    async def ask(self, request: Request, phase: str) -> Answer:
        """The answer to ``request``; measures the phase. Raises ProbeError."""

    def cast(self, request: Request) -> None:
        """Send ``request`` once more or less, without a wait and without a failure."""


@asynccontextmanager
async def peer(check: Check[Any], tools: Tools) -> AsyncIterator[Server]:
    """The check's server over the check's transport (StunParams), until the end of the block.

    An address that fails within the block by a fault that is not ours is demoted.
    """
    params: StunParams = check.params
    if params.transport == "udp":
        async with udp_socket(check, params.port, tools) as (sock, _):
            yield _OverUdp(sock, params.rto, tools)
        return
    async with connection(check, params.port, tools) as stream:
        if params.transport == "tls":
            await secure(stream, check, tools)
        try:
            yield _OverStream(stream, tools)
        except ProbeError as error:
            if error.blame is not Blame.LOCAL:
                tools.resolver.demote(check.address, stream.peer)
            raise


class _OverUdp:
    """Datagrams, sent again by RFC 8489 section 6.2.1."""

    def __init__(self, sock: UdpSocket, rto: float, tools: Tools) -> None:
        self._sock = sock
        self._retransmission = Retransmission(first=rto, cap=RTO_CAP)
        self._tools = tools

    async def ask(self, request: Request, phase: str) -> Answer:
        tools = self._tools
        with tools.phase(phase):
            reply = await self._sock.request(
                request.encode(), request.answer, self._retransmission, tools.deadline
            )
        tools.transmissions += reply.transmissions - 1
        if reply.rtt is not None:
            tools.phases[phase] = reply.rtt
            tools.detail.setdefault("rtt_ms", round(reply.rtt * 1000, 3))
        return reply.value

    def cast(self, request: Request) -> None:
        self._sock.cast(request.encode())


class _OverStream:
    """Messages one behind the other, each framed by its own length (RFC 8489 section 6.2.2)."""

    def __init__(self, stream: Stream, tools: Tools) -> None:
        self._stream = stream
        self._tools = tools

    async def ask(self, request: Request, phase: str) -> Answer:
        with self._tools.phase(phase):
            await self._stream.write(request.encode())
            answer = await self._read(request)
        if self._stream.segments_retransmitted() == 0:
            told = round(self._tools.phases[phase] * 1000, 3)
            self._tools.detail.setdefault("rtt_ms", told)
        return answer

    def cast(self, request: Request) -> None:
        """Nothing: a server frees what it held for a connection when that ends, as ours does."""

    async def _read(self, request: Request) -> Answer:
        for _ in range(MESSAGES_MAX):
            header = await self._stream.readexactly(HEADER, "STUN answer")
            body = await self._stream.readexactly(body_length(header), "STUN answer")
            if (answer := request.answer(header + body)) is not None:
                return answer
        text = f"expected a STUN answer, found {MESSAGES_MAX} other messages"
        raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"{text} from {self._stream.peer}")
