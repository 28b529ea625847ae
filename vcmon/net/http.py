"""HTTP by aiohttp over one connection of ours: bounded, asked once, and each failure named."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.faults import clean, remote_fault
from vcmon.net.tcp import Stream
from vcmon.net.tls import tls_fault

HEADER_LINE_MAX = 8190
"""Bytes of one header line: what nginx and Apache allow."""

HEAD_MAX = 32 << 10
"""Bytes before the body, 100 Continue and the like included: four times what real servers send.
Parsing that much takes 20 ms at the worst; without it one peer can hold the event loop."""

SLICE = 4 << 10
"""Bytes parsed before the bounds are looked at again."""

READ_BUFFER = 16 << 10
"""Bytes of body that aiohttp holds before it makes the peer wait."""


def session(
    stream: Stream, headers: Mapping[str, str], sent: Callable[[], None]
) -> aiohttp.ClientSession:
    """A session for one request over ``stream``; ``sent`` is called when that is on its way.

    It follows no proxy, keeps no cookie, unpacks no body and has no timeout of its own: wrap each
    wait in the run's deadline. What aiohttp would raise comes as ProbeError. Close the stream
    before the session, or that waits for the peer's TLS goodbye.
    """
    connection = _OneConnection(stream)
    trace = aiohttp.TraceConfig()

    async def note(*_: object) -> None:
        sent()

    trace.on_request_headers_sent.append(note)
    return aiohttp.ClientSession(
        connector=connection,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),
        auto_decompress=False,  # a bomb stays as small as it came
        max_line_size=HEADER_LINE_MAX,
        max_field_size=HEADER_LINE_MAX,
        read_bufsize=READ_BUFFER,
        trace_configs=[trace],
        middlewares=(connection.named_faults,),
    )


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """At most ``limit`` bytes of the body; raises ProbeError ``protocol`` where it breaks off."""
    body = bytearray()
    try:
        while len(body) < limit and (piece := await response.content.read(limit - len(body))):
            body += piece
    except (aiohttp.ClientError, OSError) as exc:
        raise _fault(exc, exc.__cause__) from exc
    return bytes(body)


class _OneConnection(aiohttp.BaseConnector):
    """Gives aiohttp the connection that stands; there is no second one and no look-up."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(force_close=True, limit=1)
        self._stream = stream
        self._reader = _Reader(self._loop)

    async def _create_connection(self, *_: object) -> ResponseHandler:
        self._stream.hand_over(self._reader)
        return self._reader

    async def named_faults(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Raise ProbeError from within: aiohttp would ask twice when the peer hangs up."""
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError) as exc:
            raise self._reader.fault or _fault(exc, exc.__cause__) from exc


class _Reader(ResponseHandler):
    """aiohttp's parser for one answer, with bounds before it and nothing taken behind it."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self.fault: ProbeError | None = None  # the first thing that went wrong
        self._head = 0  # bytes so far, while the answer's header is not complete
        self._body: aiohttp.StreamReader | None = None  # of the answer; None: no answer yet

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp's own way to go on after a pause
            super().data_received(data)
        for start in range(0, len(data), SLICE):
            if self.fault or (self._body is not None and self._body.is_eof()):
                return
            piece = data[start : start + SLICE]
            if self._body is None:
                self._head += len(piece)
            if self._head > HEAD_MAX:
                self._refuse(f"its header is longer than {HEAD_MAX} bytes")
                return
            super().data_received(piece)

    def feed_data(self, data: Any, size: int = 0) -> None:
        message, body = data
        if message.code >= 200 or message.code == 101:
            self._body = body
        super().feed_data(data, size)

    def _refuse(self, text: str) -> None:
        self.set_exception(HttpProcessingError(message=text))
        if self.transport is not None:
            self.transport.abort()

    def set_exception(self, exc: Any, *cause: Any) -> None:
        self.fault = self.fault or _fault(exc, cause[0] if cause else None)
        super().set_exception(exc, *cause)


def _fault(exc: BaseException, cause: BaseException | None) -> ProbeError:
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        text = "the peer closed the connection before the header of its HTTP answer was complete"
        return ProbeError(Reason.RESET, Blame.REMOTE, text)
    if isinstance(cause, ssl.SSLError):
        return tls_fault(cause, "")
    if isinstance(exc, OSError):
        return remote_fault(exc)
    if isinstance(exc, HttpProcessingError | aiohttp.ClientResponseError):
        said = clean((exc.message.splitlines() or [""])[0])
        text = f"its answer is no proper HTTP ({said}); is this the right port?"
    elif isinstance(exc, aiohttp.ClientPayloadError):
        text = "the body of its HTTP answer broke off or is garbled"
    else:
        text = f"the HTTP exchange failed: {clean(str(exc)) or type(exc).__name__}"
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)
