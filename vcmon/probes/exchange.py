"""One HTTP request and its answer, plain or over TLS: what every probe that asks a web server does.

aiohttp speaks HTTP over the connection that ``net/tcp.py`` made: so connect, TLS, request, first
byte and transfer are phases of their own, under one deadline, and nothing but the address that was
resolved is ever contacted.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from vcmon import __version__
from vcmon.config.params_web import WebFields
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason
from vcmon.net.faults import clean
from vcmon.net.http import read_body, session
from vcmon.probes.base import Tools
from vcmon.probes.tcp import connection
from vcmon.probes.tls import secure

AGENT = f"vcmon/{__version__}"


def is_success(status: int) -> bool:
    """Any 2xx."""
    return 200 <= status <= 299


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, and how much of the answer is read."""

    url: URL
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    wanted: Callable[[int], bool] = is_success  # statuses whose body is read
    body_limit: int = 64 << 10  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # of any case
    body: bytes  # as it came, at most ``body_limit``; empty unless the status is a wanted one

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def unpacked(self, limit: int) -> bytes:
        """At most ``limit`` bytes of the body, though it was packed against our wish.

        Raises ProbeError ``protocol`` where it can't be unpacked.
        """
        encoding = self.header("Content-Encoding").strip().lower()
        if encoding not in {"gzip", "deflate"}:
            return self.body
        try:
            return zlib.decompressobj(wbits=47).decompress(self.body, max(1, limit))
        except zlib.error as exc:
            text = f"the body claims to be {encoding}, but doesn't unpack ({exc})"
            raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text) from exc


def url_of(check: Check[Any]) -> URL:
    """Where a check with WebFields asks."""
    params: WebFields = check.params
    host = params.server_name or check.address.partition("%")[0]
    bracketed = f"[{host}]" if ":" in host else host
    scheme = "https" if params.tls else "http"
    try:
        return URL(f"{scheme}://{bracketed}:{params.port}{params.path}", encoded=True)
    except ValueError as exc:
        text = f"{clean(host)!r} makes no URL; set server_name to a host name"
        raise ProbeError(Reason.BUG, Blame.LOCAL, text) from exc


def headers_of(params: WebFields) -> dict[str, str]:
    """The headers that each of our requests carries."""
    headers = {
        "User-Agent": AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    return {**headers, "Host": params.host} if params.host else headers


async def exchange(check: Check[Any], request: Request, tools: Tools) -> Answer:
    """Ask once, over a connection of its own, as the check's WebFields say.

    Measures the phases; what was found of server and status stands in ``tools.detail``. Raises
    ProbeError for whatever is no HTTP answer.
    """
    timing = _Timing(tools)
    async with connection(check, check.params.port, tools) as stream:
        if request.url.scheme == "https":
            await secure(stream, check, tools)
        headers = {**headers_of(check.params), **request.headers}
        async with session(stream, headers, timing.sent) as client:
            try:
                text = (
                    f"{stream.peer} took the connection, but the header of its HTTP answer was not "
                    f"complete within {tools.deadline.seconds:g} s"
                )
                with timing.measured():
                    asking = client.request(
                        request.method,
                        request.url,
                        data=request.content or None,
                        allow_redirects=False,
                    )
                    response = await tools.deadline.run(asking, text, Blame.REMOTE)
                stream.segments_retransmitted()  # while the socket is there to be asked
                with closing(response):
                    return await _read(response, request, tools)
            finally:
                stream.close()  # first: the session would wait for the peer's TLS goodbye


async def _read(response: aiohttp.ClientResponse, request: Request, tools: Tools) -> Answer:
    tools.detail["http_status"] = response.status
    if server := response.headers.get("Server"):
        tools.detail["http_server"] = clean(server)
    body = b""
    if request.wanted(response.status):
        text = (
            f"the HTTP answer {response.status} began, but its body was not complete within "
            f"{tools.deadline.seconds:g} s; a smaller body_limit reads less of it"
        )
        with tools.phase("transfer"):
            reading = read_body(response, request.body_limit)
            body = await tools.deadline.run(reading, text, Blame.REMOTE)
    return Answer(response.status, response.headers, body)


def unwanted(answer: Answer, expected: str) -> ProbeError:
    """The error for a status that is none of the wanted."""
    location = answer.header("Location")
    towards = f" (redirects to {clean(location)})" if location else ""
    text = f"answered status {answer.status}{towards}, expected {expected}"
    return ProbeError(Reason.STATUS, Blame.REMOTE, text)


class _Timing:
    """The phases ``request`` (until it is sent) and ``first_byte`` (until the answer's header)."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._sent = 0.0

    def sent(self) -> None:
        """The request is on its way."""
        self._sent = self._tools.clock.monotonic()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the block, which sends one request and waits for its answer."""
        begun = self._tools.clock.monotonic()
        try:
            yield
        finally:
            sent = self._sent or begun
            spans = {"request": sent - begun, "first_byte": self._tools.clock.monotonic() - sent}
            for name, seconds in spans.items():
                self._tools.phases[name] = self._tools.phases.get(name, 0.0) + seconds
