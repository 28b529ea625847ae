"""A WebSocket: the upgrade with its proof, and what is said first: XMPP, or a text of one's own."""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress

from vcmon.config.params_web import WebsocketParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.tcp import Stream
from vcmon.probes.base import Tools
from vcmon.probes.bosh import refused, xmpp_domain
from vcmon.probes.exchange import AGENT, url_of
from vcmon.probes.tcp import connection, settling_time
from vcmon.probes.tls import secure, verdict
from vcmon.wire.texts import beginning
from vcmon.wire.websocket import HEAD_MAX, NORMAL, Framer, Opcode, Upgrade, frame, read_head
from vcmon.wire.xmpp import STREAM_CLOSE, Opening, stream_open

XMPP = "xmpp"

CHUNK = 16_384
"""Bytes read at once."""

STREAM_MAX = 262_144
"""Bytes a peer may send before what is waited for: four of the longest messages."""


async def probe(check: Check[WebsocketParams], tools: Tools) -> Result:
    """UP when the server proves by 101 and the accept hash that it speaks WebSocket, and says
    what is expected: for the subprotocol xmpp the opening of a stream, else ``expect``.

    Raises ProbeError: ``status`` for another status, ``protocol`` for what is no WebSocket,
    ``content`` for other messages than expected.
    """
    params = check.params
    async with connection(check, params.port, tools) as stream:
        if params.tls:
            await secure(stream, check, tools)
        with tools.phase("request"):
            await _upgrade(stream, check, tools)
        talk = _Talk(stream)
        domain = xmpp_domain(params, check.address)
        with tools.phase("messages"):
            if params.subprotocol == XMPP and not params.send:
                condition = await _open_stream(talk, domain)
                if condition:
                    return refused(check, tools, condition, domain)
            else:
                await _say(talk, params, tools)
        await _end(talk, tools)
    return verdict(check, tools)


async def _upgrade(stream: Stream, check: Check[WebsocketParams], tools: Tools) -> None:
    params, url = check.params, url_of(check)
    upgrade = Upgrade(
        host=params.host or url.raw_authority,
        path=params.path,
        key=base64.b64encode(secrets.token_bytes(16)).decode(),
        agent=AGENT,
        subprotocol=params.subprotocol,
        origin=params.origin,
    )
    await stream.write(upgrade.encode())
    head = read_head(await stream.readuntil(b"\r\n\r\n", HEAD_MAX, "HTTP header"))
    tools.detail["http_status"] = head.status
    if server := head.headers.get("server"):
        tools.detail["http_server"] = clean(server)
    upgrade.check(head)


class _Talk:
    """Messages over a connection that was upgraded."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._framer = Framer()
        self._taken = 0

    async def say(self, opcode: Opcode, data: bytes) -> None:
        await self._stream.write(frame(opcode, data, secrets.token_bytes(4)))

    async def hear(self, awaiting: str) -> bytes:
        """The next message. Raises ProbeError: ``reset`` where the peer ends the talk."""
        while True:
            while (message := self._framer.next()) is not None:
                if message.opcode is Opcode.PING:
                    await self.say(Opcode.PONG, message.data)
                elif message.opcode is Opcode.CLOSE:
                    code = int.from_bytes(message.data[:2], "big") or "no code"
                    text = f"{self._stream.peer} ended the WebSocket ({code}) before {awaiting}"
                    raise ProbeError(Reason.RESET, Blame.REMOTE, text)
                elif message.opcode is not Opcode.PONG:
                    return message.data
            await self._more(awaiting)

    async def _more(self, awaiting: str) -> None:
        chunk = await self._stream.read(CHUNK, awaiting)
        if not chunk:
            text = f"{self._stream.peer} closed the connection before {awaiting}"
            raise ProbeError(Reason.RESET, Blame.REMOTE, text)
        self._taken += len(chunk)
        if self._taken > STREAM_MAX:
            text = f"expected {awaiting}, found {self._taken} bytes of other messages"
            raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
        self._framer.feed(chunk)

    async def settle(self, seconds: float) -> None:
        """Give the peer a moment to take what was said."""
        await self._stream.watch(seconds)


async def _open_stream(talk: _Talk, domain: str) -> str:
    """The condition by which the server refuses the stream; "" once it is open."""
    await talk.say(Opcode.TEXT, stream_open(domain).encode("utf-8", "replace"))
    opening = Opening()
    while not (opening.opened and opening.features):
        opening = opening.after(await talk.hear("<open> and the stream's features"))
        if opening.condition:
            return opening.condition
    await talk.say(Opcode.TEXT, STREAM_CLOSE.encode())
    return ""


async def _say(talk: _Talk, params: WebsocketParams, tools: Tools) -> None:
    if params.send:
        await talk.say(Opcode.TEXT, params.send.encode("utf-8", "replace"))
    if not (params.send or params.expect):
        return
    heard = await talk.hear("a message")
    tools.detail["message_bytes"] = len(heard)
    if params.expect.encode("utf-8", "replace") not in heard:
        text = f"expected {clean(params.expect)!r} in the message, found {beginning(heard)}"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)


async def _end(talk: _Talk, tools: Tools) -> None:
    """Take leave, so that the server closes its side at once; the verdict stands already."""
    with suppress(ProbeError):
        await talk.say(Opcode.CLOSE, NORMAL)
        await talk.settle(settling_time(tools))
