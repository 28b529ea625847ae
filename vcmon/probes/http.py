"""One HTTP request, plain or over TLS, with the status and the text that are wanted."""

from __future__ import annotations

from functools import partial

from yarl import URL

from vcmon.config.params_web import HttpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.probes.base import Tools
from vcmon.probes.exchange import Answer, Request, exchange, is_success, unwanted, url_of
from vcmon.probes.tls import verdict

REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def probe(check: Check[HttpParams], tools: Tools) -> Result:
    """UP when the status is a wanted one and the body holds ``contains``.

    Raises ProbeError: ``status`` for any other status (401 and 403, and redirects that are not
    followed, too), ``content`` for a body without the text, ``protocol`` for what is not HTTP.
    """
    params = check.params
    url = url_of(check)
    for hop in range(params.redirects + 1):
        tools.detail["redirects"] = hop
        answer = await exchange(check, _request(params, url), tools)
        if is_wanted(answer.status, params.status):
            _require_content(answer, params)
            return verdict(check, tools)
        location = answer.header("Location")
        if answer.status not in REDIRECTS or not location or not params.redirects:
            raise unwanted(answer, expected(params.status))
        url = _followed(url, answer, check)
    raise ProbeError(
        Reason.STATUS,
        Blame.REMOTE,
        f"still redirected after {params.redirects} redirects, the last one to "
        f"{clean(answer.header('Location'))}; set the path to the final one",
    )


def _request(params: HttpParams, url: URL) -> Request:
    wanted = partial(is_wanted, wanted=params.status)
    return Request(url, params.method, wanted=wanted, body_limit=params.body_limit)


def is_wanted(status: int, wanted: tuple[int, ...]) -> bool:
    """Whether a status is right: one of these, or any 2xx where none is named."""
    return status in wanted if wanted else is_success(status)


def expected(wanted: tuple[int, ...]) -> str:
    """The right statuses, in words."""
    return ", ".join(map(str, wanted)) or "any 2xx"


def _require_content(answer: Answer, params: HttpParams) -> None:
    if not params.contains:
        return
    body = answer.unpacked(params.body_limit)
    if params.contains.encode() in body:
        return
    start = clean(body[:80].decode("utf-8", "replace"), 80)
    raise ProbeError(
        Reason.CONTENT,
        Blame.REMOTE,
        f"answered {answer.status}, but the first {len(body)} bytes of the body don't hold "
        f"{clean(params.contains)!r}; they begin {start!r}",
    )


def _followed(url: URL, answer: Answer, check: Check[HttpParams]) -> URL:
    """Where a redirect leads, if that is the endpoint itself; anything else is not ours to ask."""
    params = check.params
    location = answer.header("Location")
    names = (params.server_name, check.address, params.host, params.host.rpartition(":")[0])
    ours = {url.host, *(name.lower() for name in names if name)}
    schemes = {url.scheme, "https"}  # the same, or the better one
    try:
        target = url.join(URL(location)).with_user(None)
        followed = target.scheme in schemes and target.port == params.port and target.host in ours
    except ValueError:
        followed = False
    if followed:
        return target
    raise ProbeError(
        Reason.STATUS,
        Blame.REMOTE,
        f"answered status {answer.status} redirecting to {clean(location)}, which isn't "
        f"followed: it is not on {url.host} port {params.port}. Check that place by itself, or "
        f"accept the answer with status: [{answer.status}]",
    )
