"""SIP OPTIONS over UDP, TCP or TLS: does the signalling answer, and what does it say of itself?"""

from __future__ import annotations

import secrets
from typing import Literal

from vcmon import __version__
from vcmon.config.params_talk import SipParams
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
from vcmon.wire.sip import (
    Framer,
    Message,
    Options,
    bracketed,
    is_keepalive,
    parse_datagram,
    request_uri,
)

CHUNK = 16_384
"""Bytes read at once; one answer seldom has more than 2,000."""

STREAM_MAX = 262_144
"""Bytes a peer may send before its answer: four of the longest messages, then it babbles."""

Meaning = Literal["up", "impaired", "down"]

NEXT_HOP_DEAD = frozenset({408, 504})
"""A proxy waited in vain for what is behind it."""

USER_GONE = frozenset({404, 480})
"""From a registrar: the endpoint is not registered. From the endpoint itself: it is alive."""

CANT_DO_THAT = frozenset({501, 505, 513})
"""The 5xx that a healthy peer answers when it can't do what was asked."""


def meaning(status: int, *, behind_proxy: bool) -> Meaning:
    """What a SIP status says of the endpoint.

    A refusal is an answer: 401, 405, 486 or 603 prove that the signalling is alive. 408 and 504
    tell of a dead next hop, and ``behind_proxy`` makes 404 and 480 tell of the user, not of the
    proxy. 403 is usually a wrong request URI, 5xx a service that is not well, 1xx a promise
    without an answer: impaired.
    """
    if status in NEXT_HOP_DEAD or (behind_proxy and status in USER_GONE):
        return "down"
    if status < 200 or status == 403 or (500 <= status < 600 and status not in CANT_DO_THAT):
        return "impaired"
    return "up"


async def probe(check: Check[SipParams], tools: Tools) -> Result:
    """The verdict of :func:`meaning`; DOWN by ``protocol`` where the peer speaks something else.

    ``tools.detail`` tells status, phrase, server, allow, retry_after and, where the round trip is
    not in doubt (one transmission), rtt_ms.
    """
    over_udp = check.params.transport == "udp"
    message = await (_over_udp(check, tools) if over_udp else _over_stream(check, tools))
    assert message.status is not None  # Options.answered_by
    _describe(message, tools)
    said = f"{check.address} answered SIP {message.status} {clean(message.phrase)}".rstrip()
    match meaning(message.status, behind_proxy=check.params.behind_proxy):
        case "down":
            text = f"{said}: the endpoint behind it does not answer or is not registered"
            raise ProbeError(Reason.STATUS, Blame.REMOTE, text)
        case "impaired":
            return tools.impaired(check, Reason.STATUS, said + _advice(message.status))
    return verdict(check, tools)


class _Listener:
    """Knows the answer to one request among all that comes in."""

    def __init__(self, request: Options) -> None:
        self._request = request
        self.provisional: Message | None = None

    def take_datagram(self, data: bytes) -> Message | None:
        return None if is_keepalive(data) else self.take(parse_datagram(data))

    def take(self, message: Message) -> Message | None:
        """``message`` where it is the final answer."""
        if message.status is None or not self._request.answered_by(message):
            return None
        if message.status < 200:
            self.provisional = message
            return None
        return message

    def make_do(self, error: ProbeError) -> Message:
        """The provisional answer where time ran out after it; raises ``error`` otherwise."""
        if self.provisional is None or error.reason is not Reason.TIMEOUT:
            raise error
        return self.provisional


async def _over_udp(check: Check[SipParams], tools: Tools) -> Message:
    params = check.params
    async with udp_socket(check, params.port, tools) as (sock, _):
        request = _request(check, sock.local)
        listener = _Listener(request)
        retransmission = Retransmission(first=params.t1)
        try:
            with tools.phase("request"):
                reply = await sock.request(
                    request.encode(), listener.take_datagram, retransmission, tools.deadline
                )
        except ProbeError as error:
            return listener.make_do(error)
    tools.transmissions = reply.transmissions
    if reply.rtt is not None:
        tools.phases["request"] = reply.rtt
        tools.detail["rtt_ms"] = round(reply.rtt * 1000, 3)
    return reply.value


async def _over_stream(check: Check[SipParams], tools: Tools) -> Message:
    params = check.params
    async with connection(check, params.port, tools) as stream:
        if params.transport == "tls":
            await secure(stream, check, tools)
        with UdpSocket(stream.peer, params.port) as route:  # sends nothing: tells our address
            request = _request(check, route.local)
        listener = _Listener(request)
        try:
            with tools.phase("request"):
                await stream.write(request.encode())
                message = await _read_final(stream, listener)
        except ProbeError as error:
            if listener.provisional is None and error.blame is not Blame.LOCAL:
                tools.resolver.demote(check.address, stream.peer)
            return listener.make_do(error)
        if stream.segments_retransmitted() == 0:
            tools.detail["rtt_ms"] = round(tools.phases["request"] * 1000, 3)
    return message


async def _read_final(stream: Stream, listener: _Listener) -> Message:
    framer = Framer()
    taken = 0
    while taken < STREAM_MAX:
        chunk = await stream.read(CHUNK, "SIP answer")
        if not chunk:
            text = f"{stream.peer} closed the connection before the SIP answer"
            raise ProbeError(Reason.RESET, Blame.REMOTE, text)
        taken += len(chunk)
        framer.feed(chunk)
        while (message := framer.next()) is not None:
            if (final := listener.take(message)) is not None:
                return final
    text = f"expected a SIP answer, found {taken} bytes of other messages from {stream.peer}"
    raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)


def _request(check: Check[SipParams], local: tuple[str, int]) -> Options:
    params = check.params
    domain = params.domain or f"{bracketed(check.address)}:{params.port}"
    return Options(
        uri=request_uri(params.user, domain, params.transport),
        transport=params.transport,
        local=local,
        branch=secrets.token_hex(8),
        call_id=secrets.token_hex(16),
        tag=secrets.token_hex(8),
        version=__version__,
    )


def _describe(message: Message, tools: Tools) -> None:
    assert message.status is not None
    tools.detail["status"] = message.status
    tools.detail["phrase"] = clean(message.phrase)
    told = {
        "server": message.header("server") or message.header("user-agent"),
        "allow": ", ".join(message.values("allow")),
        "retry_after": message.header("retry-after"),
    }
    for key, value in told.items():
        if value:
            tools.detail[key] = clean(value, 200)


def _advice(status: int) -> str:
    if status < 200:
        return " and nothing final in time"
    if status == 403:
        return ": usually the request URI is wrong; set domain (and user) as the peer expects"
    return ""
