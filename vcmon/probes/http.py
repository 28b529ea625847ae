"""One HTTP request, plain or over TLS.

aiohttp speaks HTTP over the connection that ``net/tcp.py`` made: so connect, TLS, request, first
byte and transfer are phases of their own, under one deadline, and nothing but the address that was
resolved is ever contacted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from vcmon import __version__
from vcmon.config.params import HttpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.http import read_body, session
from vcmon.probes.base import Tools
from vcmon.probes.tcp import connection
from vcmon.probes.tls import secure, verdict

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    encoding: str
    body: bytes  # at most ``body_limit``; empty unless the status is a wanted one


async def probe(check: Check[HttpParams], tools: Tools) -> Result:
    """UP when the status is a wanted one and the body holds ``contains``.

    Raises ProbeError: ``status`` for any other status (401 and 403, and redirects that are not
    followed, too), ``content`` for a body without the text, ``protocol`` for what is not HTTP.
    """
    params = check.params
    url = _first_url(check)
    for hop in range(params.redirects + 1):
        tools.detail["redirects"] = hop
        answer = await _ask(check, url, tools)
        if _wanted(answer.status, params):
            _require_content(answer, params)
            return verdict(check, tools)
        if answer.status not in REDIRECTS or not answer.location or not params.redirects:
            raise _unwanted(answer, params)
        url = _followed(url, answer, check)
    raise ProbeError(
        Reason.STATUS,
        Blame.REMOTE,
        f"still redirected after {params.redirects} redirects, the last one to "
        f"{clean(answer.location)}; set the path to the final one",
    )


def _first_url(check: Check[HttpParams]) -> URL:
    params = check.params
    host = params.server_name or check.address.partition("%")[0]
    bracketed = f"[{host}]" if ":" in host else host
    scheme = "https" if params.tls else "http"
    try:
        return URL(f"{scheme}://{bracketed}:{params.port}{params.path}", encoded=True)
    except ValueError as exc:
        text = f"{clean(host)!r} makes no URL; set server_name to a host name"
        raise ProbeError(Reason.BUG, Blame.LOCAL, text) from exc


def _wanted(status: int, params: HttpParams) -> bool:
    return status in params.status if params.status else 200 <= status <= 299


def _unwanted(answer: _Answer, params: HttpParams) -> ProbeError:
    wanted = ", ".join(map(str, params.status)) or "any 2xx"
    towards = f" (redirects to {clean(answer.location)})" if answer.location else ""
    text = f"answered status {answer.status}{towards}, expected {wanted}"
    return ProbeError(Reason.STATUS, Blame.REMOTE, text)


def _require_content(answer: _Answer, params: HttpParams) -> None:
    if not params.contains:
        return
    body = answer.body
    if answer.encoding in {"gzip", "deflate"}:  # although we asked for identity
        try:
            body = zlib.decompressobj(wbits=47).decompress(body, max(1, params.body_limit))
        except zlib.error as exc:
            text = f"the body claims to be {answer.encoding}, but doesn't unpack ({exc})"
            raise ProbeError(Reason.PROTOCOL, Blame.REMOTE, text) from exc
    if params.contains.encode() in body:
        return
    start = clean(body[:80].decode("utf-8", "replace"), 80)
    raise ProbeError(
        Reason.CONTENT,
        Blame.REMOTE,
        f"answered {answer.status}, but the first {len(body)} bytes of the body don't hold "
        f"{clean(params.contains)!r}; they begin {start!r}",
    )


def _followed(url: URL, answer: _Answer, check: Check[HttpParams]) -> URL:
    """Where a redirect leads, if that is the endpoint itself; anything else is not ours to ask."""
    params = check.params
    names = (params.server_name, check.address, params.host, params.host.rpartition(":")[0])
    ours = {url.host, *(name.lower() for name in names if name)}
    schemes = {url.scheme, "https"}  # the same, or the better one
    try:
        target = url.join(URL(answer.location)).with_user(None)
        followed = target.scheme in schemes and target.port == params.port and target.host in ours
    except ValueError:
        followed = False
    if followed:
        return target
    raise ProbeError(
        Reason.STATUS,
        Blame.REMOTE,
        f"answered status {answer.status} redirecting to {clean(answer.location)}, which isn't "
        f"followed: it is not on {url.host} port {params.port}. Check that place by itself, or "
        f"accept the answer with status: [{answer.status}]",
    )


async def _ask(check: Check[HttpParams], url: URL, tools: Tools) -> _Answer:
    timing = _Timing(tools)
    async with connection(check, check.params.port, tools) as stream:
        if url.scheme == "https":
            await secure(stream, check, tools)
        async with session(stream, _headers(check.params), timing.sent) as client:
            try:
                text = (
                    f"{stream.peer} took the connection, but the header of its HTTP answer was not "
                    f"complete within {tools.deadline.seconds:g} s"
                )
                with timing.measured():
                    asking = client.request(check.params.method, url, allow_redirects=False)
                    response = await tools.deadline.run(asking, text, Blame.REMOTE)
                stream.segments_retransmitted()  # while the socket is there to be asked
                with closing(response):
                    return await _answer(response, check.params, tools)
            finally:
                stream.close()  # first: the session would wait for the peer's TLS goodbye


async def _answer(response: aiohttp.ClientResponse, params: HttpParams, tools: Tools) -> _Answer:
    tools.detail["http_status"] = response.status
    if server := response.headers.get("Server"):
        tools.detail["http_server"] = clean(server)
    body = b""
    if _wanted(response.status, params):
        text = (
            f"the HTTP answer {response.status} began, but its body was not complete within "
            f"{tools.deadline.seconds:g} s; a smaller body_limit reads less of it"
        )
        with tools.phase("transfer"):
            reading = read_body(response, params.body_limit)
            body = await tools.deadline.run(reading, text, Blame.REMOTE)
    return _Answer(
        response.status,
        response.headers.get("Location", ""),
        response.headers.get("Content-Encoding", "").strip().lower(),
        body,
    )


def _headers(params: HttpParams) -> dict[str, str]:
    headers = {
        "User-Agent": f"vcmon/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    return {**headers, "Host": params.host} if params.host else headers


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
