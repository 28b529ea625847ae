"""One question to a name server, over UDP, and over TCP where the answer was cut (RFC 7766)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from vcmon.config.params import DnsParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.tcp import connect
from vcmon.net.udp import Retransmission, UdpSocket
from vcmon.probes.base import Tools

HEADER = 12
"""Bytes before the question (RFC 1035 4.1.1)."""

DATAGRAM_MAX = 4_096
"""Bytes of an answer over UDP: we don't offer EDNS, so 512 are right; some servers send more."""

ANSWERS_SHOWN = 8
"""Answers told in the detail; the rest are counted."""

RETRANSMISSION = Retransmission(first=0.5)
"""Within the default timeout of 2 s three requests: at 0, 0.5 and 1.5 s."""


async def probe(check: Check[DnsParams], tools: Tools) -> Result:
    """UP when the server answers NOERROR and every ``expect`` is among the answers.

    DOWN is ``status`` (the rcode is named), ``content`` (an expected answer is missing),
    ``protocol`` (no DNS message) or what the network said.
    """
    query = _query(check.params)
    wire, matches = query.to_wire(), partial(_read_datagram, query=query)
    async with udp_socket(check, check.params.port, tools) as (sock, address):
        with tools.phase("request"):
            reply = await sock.request(wire, matches, RETRANSMISSION, tools.deadline)
        tools.transmissions = reply.transmissions
        if reply.rtt is not None:
            tools.phases["request"] = reply.rtt
        answer = reply.value
        if answer.flags & dns.flags.TC:
            answer = await _over_tcp(check, address, query, tools)
    return _verdict(check, answer, tools)


@asynccontextmanager
async def udp_socket(
    check: Check[Any], port: int, tools: Tools
) -> AsyncIterator[tuple[UdpSocket, str]]:
    """A socket connected to the check's best address, and that address; closed at the end.

    Measures the phase ``resolve``. An address that fails within the block, by a fault that is not
    ours or for want of a route (no IPv6 here), is demoted: the next run uses another one of the
    name, if it has any.
    """
    with tools.phase("resolve"):
        addresses = await tools.resolver.resolve(check.address, tools.deadline)
    address = addresses[0]
    tools.detail["address"] = address
    age = tools.resolver.stale_age(check.address)
    if age is not None:
        tools.detail["address_age"] = round(age)
    try:
        with UdpSocket(address, port) as sock:
            yield sock, address
    except ProbeError as error:
        if error.blame is not Blame.LOCAL or error.reason is Reason.NO_ROUTE:
            tools.resolver.demote(check.address, address)
        raise


def _query(params: DnsParams) -> dns.message.Message:
    try:
        query = dns.message.make_query(params.name, params.type, use_edns=False)
    except (dns.exception.DNSException, UnicodeError) as error:
        text = f"{clean(params.name)!r} is no DNS name ({clean(str(error))}); correct the check"
        raise ProbeError(Reason.DNS_FAILURE, Blame.LOCAL, text) from error
    query.id = secrets.randbits(16)
    return query


def _read_datagram(data: bytes, query: dns.message.Message) -> dns.message.Message | None:
    """The answer to ``query``, None where it answers something else; garbage raises ProbeError."""
    if len(data) > DATAGRAM_MAX:
        raise _wrong(f"a datagram of {len(data)} bytes")
    return _read(data, query)


def _read(data: bytes, query: dns.message.Message) -> dns.message.Message | None:
    if len(data) < HEADER:
        raise _wrong(f"{len(data)} bytes")
    if int.from_bytes(data[:2], "big") != query.id:
        return None  # not worth the parsing
    truncated = bool(int.from_bytes(data[2:4], "big") & dns.flags.TC)
    try:
        answer = dns.message.from_wire(data, question_only=truncated, ignore_trailing=True)
        return answer if query.is_response(answer) else None
    except Exception as error:  # dnspython raises what it likes on hostile bytes
        raise _wrong(f"{len(data)} bytes that are none ({clean(str(error))})") from error


async def _over_tcp(
    check: Check[DnsParams], address: str, query: dns.message.Message, tools: Tools
) -> dns.message.Message:
    tools.detail["transport"] = "tcp"
    with tools.phase("connect"):
        stream = await connect((address,), check.params.port, tools.deadline)
    try:
        with tools.phase("request"):
            await stream.write(query.to_wire(prepend_length=True))
            length = int.from_bytes(await stream.readexactly(2, "DNS answer"), "big")
            answer = _read(await stream.readexactly(length, "DNS answer"), query)
    finally:
        stream.close()
    if answer is None or answer.flags & dns.flags.TC:
        raise _wrong("the answer to another question, or one cut over TCP too")
    return answer


def _verdict(check: Check[DnsParams], answer: dns.message.Message, tools: Tools) -> Result:
    rcode = dns.rcode.to_text(answer.rcode())
    found = _answers(answer)
    tools.detail["rcode"] = rcode
    tools.detail["answers"] = len(found)
    if found:
        tools.detail["values"] = clean(", ".join(sorted(found)[:ANSWERS_SHOWN]), 400)
    asked = f"{clean(check.params.name)} {check.params.type}"
    if answer.rcode() != dns.rcode.NOERROR:
        text = f"{tools.detail['address']} answered {rcode} for {asked}"
        raise ProbeError(Reason.STATUS, Blame.REMOTE, text)
    missing = [value for value in check.params.expect if _comparable(value) not in found]
    if missing:
        told = tools.detail.get("values", "nothing")
        text = f"expected {clean(', '.join(missing))} for {asked}, found {told}"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)
    return tools.up(check)


def _answers(answer: dns.message.Message) -> set[str]:
    try:
        return {_comparable(data.to_text()) for rrset in answer.answer for data in rrset}
    except Exception as error:  # as in _read: to_text runs on hostile data
        raise _wrong(f"an answer that can't be shown ({clean(str(error))})") from error


def _comparable(value: str) -> str:
    """Names without the root's dot and without case, TXT without its quotes."""
    return value.strip().strip('"').rstrip(".").casefold()


def _wrong(found: str) -> ProbeError:
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected a DNS answer, found {found}")
