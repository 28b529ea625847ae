"""An XMPP session over BOSH, created and ended: what a browser does when it enters a conference.

A 200 from a GET of the same path proves nothing: prosody answers it with a page for people.
"""

from __future__ import annotations

import secrets
from typing import Any

from vcmon.config.params_web import BoshParams, WebsocketParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.probes.base import Tools
from vcmon.probes.exchange import Answer, Request, exchange, unwanted, url_of
from vcmon.probes.tls import verdict
from vcmon.wire.xmpp import WRONG_ADDRESS, read_bound, session_end, session_request

BODY_MAX = 16 << 10
"""Bytes of an answer; prosody's has 550."""

RID_BITS = 31
"""Of the first request number: random, so that no stranger guesses the next one, and far below the
2^53 at which counting ends (XEP-0124 section 8)."""


async def probe(check: Check[BoshParams], tools: Tools) -> Result:
    """UP when the server gives a session's ``sid``; the session is ended again.

    A server that refuses the domain is impaired ``status``: it serves, but not what is asked for.
    Raises ProbeError: ``status`` for another HTTP status or another condition, ``content`` for
    what is no ``<body>``.
    """
    rid = secrets.randbits(RID_BITS) + 1
    domain = xmpp_domain(check.params, check.address)
    answer = await _post(check, session_request(domain, rid), tools)
    if answer.status != 200:
        raise unwanted(answer, "200")
    bound = read_bound(answer.unpacked(BODY_MAX))
    if bound.condition:
        return refused(check, tools, bound.condition, domain)
    await _end(check, session_end(bound.sid, rid + 1), tools)
    return verdict(check, tools)


def xmpp_domain(params: BoshParams | WebsocketParams, address: str) -> str:
    """The XMPP domain that is asked for."""
    named = params.host.rpartition(":")[0] or params.host
    return params.domain or named or params.server_name or address


def refused(check: Check[Any], tools: Tools, condition: str, domain: str) -> Result:
    """What it means that the server refuses a session by this condition."""
    tools.detail["condition"] = clean(condition)
    said = f"{check.address} refuses a session for {clean(domain)}: {clean(condition)}"
    if condition in WRONG_ADDRESS:
        advice = "it serves no such domain; set domain as the platform's XMPP has it"
        return tools.impaired(check, Reason.STATUS, f"{said}: {advice}")
    raise ProbeError(Reason.STATUS, Blame.REMOTE, said)


async def _post(check: Check[BoshParams], content: bytes, tools: Tools) -> Answer:
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    request = Request(url_of(check), "POST", headers, content, body_limit=BODY_MAX)
    return await exchange(check, request, tools)


async def _end(check: Check[BoshParams], content: bytes, tools: Tools) -> None:
    """Leave nothing behind; where that fails the server forgets the session within a minute."""
    phases, tools.phases = tools.phases, {}
    try:
        await _post(check, content, tools)
    except ProbeError as fault:
        tools.detail["left_open"] = clean(fault.text, 200)
    finally:
        tools.phases = phases
