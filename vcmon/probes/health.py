"""A platform's own word on its health: the status of a page, and one value in its JSON or XML."""

from __future__ import annotations

from functools import partial

from vcmon.config.params_web import HealthParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.probes.base import Tools
from vcmon.probes.exchange import Answer, Request, exchange, unwanted, url_of
from vcmon.probes.http import expected, is_wanted
from vcmon.probes.tls import verdict
from vcmon.wire.jsontext import Scalar, is_value, value_at
from vcmon.wire.texts import beginning
from vcmon.wire.xmltext import text_of

BODY_MAX = 64 << 10
"""Bytes of a health page: Janus tells of all its plugins in 6,000."""

PAGE = (b"<!doctype html", b"<html")


async def probe(check: Check[HealthParams], tools: Tools) -> Result:
    """UP when the status is a wanted one and ``field`` (or ``element``) has the value ``equals``.

    Another value is DOWN ``content``, or impaired where ``otherwise`` says so. Raises ProbeError:
    ``status`` for another status, ``content`` for a page for people (it proves that something
    serves pages, no more), for what can't be read, and where there is no such value.
    """
    params = check.params
    wanted = partial(is_wanted, wanted=params.status)
    request = Request(url_of(check), wanted=wanted, body_limit=BODY_MAX + 1)
    answer = await exchange(check, request, tools)
    if not wanted(answer.status):
        raise unwanted(answer, expected(params.status))
    found = _found(_body(answer), params)
    if found is None:
        return verdict(check, tools)
    tools.detail["value"] = clean(found) if isinstance(found, str) else found
    if is_value(found, _sought(params)):
        return verdict(check, tools)
    where = clean(params.field or params.element)
    text = f"{where} is {clean(repr(found))}, expected {clean(repr(_sought(params)))}"
    if params.otherwise == "degraded":
        return tools.impaired(check, Reason.CONTENT, text)
    raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)


def _body(answer: Answer) -> bytes:
    body = answer.unpacked(BODY_MAX + 1)
    if len(body) > BODY_MAX:
        text = f"expected at most {BODY_MAX} bytes of health, found more: is this the right path?"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)
    is_page = answer.header("Content-Type").lower().startswith("text/html")
    if body.lstrip().lower().startswith(PAGE) or (is_page and not body.lstrip().startswith(b"<")):
        text = f"expected a health answer, found a page for people: {beginning(body)}"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)
    return body


def _found(body: bytes, params: HealthParams) -> Scalar:
    """The value that is looked at; None: none is."""
    if params.element:
        return text_of(body, params.element)
    if not params.field:
        return None
    found = value_at(body, params.field)
    return "null" if found is None else found


def _sought(params: HealthParams) -> Scalar:
    """What must stand there; XML knows text only."""
    if not params.element or isinstance(params.equals, str):
        return params.equals
    return str(params.equals).lower()
