"""RAS over UDP: GRQ and LRQ to a gatekeeper, IRQ to an endpoint; nothing rings by any of them."""

from __future__ import annotations

import secrets

from vcmon import __version__
from vcmon.config.params_talk import H323Params
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.udp import Retransmission
from vcmon.probes.base import Tools
from vcmon.probes.dns import udp_socket
from vcmon.probes.h323_meaning import of_ras, shown
from vcmon.wire.h225 import Address
from vcmon.wire.ras import (
    RasMessage,
    gatekeeper_request,
    information_request,
    location_request,
    parse_ras,
)

RETRANSMISSION = Retransmission(first=0.5)
"""Within the default timeout of 2 s three requests: at 0, 0.5 and 1.5 s."""

ANSWERS = {
    "grq": frozenset({"GCF", "GRJ", "XRS"}),
    "lrq": frozenset({"LCF", "LRJ", "XRS"}),
    "irq": frozenset({"IRR", "XRS"}),
}

HINTS = {
    "grq": "a gatekeeper that is not meant stays silent: is gatekeeper_id right?",
    "lrq": "a gatekeeper may ignore who is not its neighbour: let it answer our address",
    "irq": "many endpoints answer their own gatekeeper only, on a port of their own: "
    "is ras_port right?",
}
"""What else but an outage silence may mean, told beside it."""


async def ask(check: Check[H323Params], tools: Tools) -> Result:
    """The verdict of ``of_ras``; DOWN is also silence, ICMP, or what is no RAS."""
    params = check.params
    sequence = 1 + secrets.randbelow(65_535)
    listener = _Listener(sequence, ANSWERS[params.ras])
    async with udp_socket(check, params.ras_port, tools) as (sock, _):
        request = _request(params, sequence, sock.local)
        try:
            with tools.phase("request"):
                reply = await sock.request(request, listener.take, RETRANSMISSION, tools.deadline)
        except ProbeError as error:
            return _verdict(check, listener.make_do(error, HINTS[params.ras]), tools)
    tools.transmissions = reply.transmissions
    if reply.rtt is not None:
        tools.phases["request"] = reply.rtt
        tools.detail["rtt_ms"] = round(reply.rtt * 1000, 3)
    return _verdict(check, reply.value, tools)


class _Listener:
    """Knows the answer to one request among all that comes in."""

    def __init__(self, sequence: int, kinds: frozenset[str]) -> None:
        self._sequence = sequence
        self._kinds = kinds
        self._patience: RasMessage | None = None

    def take(self, data: bytes) -> RasMessage | None:
        message = parse_ras(data)
        if message.sequence != self._sequence:
            return None
        if message.kind == "RIP":
            self._patience = message
        return message if message.kind in self._kinds else None

    def make_do(self, error: ProbeError, hint: str) -> RasMessage:
        """The request for patience where time ran out after it; raises ``error`` otherwise."""
        if error.reason is not Reason.TIMEOUT:
            raise error
        if self._patience is None:
            raise ProbeError(error.reason, error.blame, f"{error.text}; {hint}") from error
        return self._patience


def _request(params: H323Params, sequence: int, local: Address) -> bytes:
    match params.ras:
        case "lrq":
            return location_request(sequence, local, params.alias)
        case "irq":
            return information_request(sequence, local)
    return gatekeeper_request(sequence, local, params.gatekeeper_id, params.alias, __version__)


def _verdict(check: Check[H323Params], message: RasMessage, tools: Tools) -> Result:
    _describe(message, tools)
    meaning = of_ras(
        message,
        alias=clean(check.params.alias),
        denied_means_gone=check.params.denied_means_gone,
    )
    because = f" ({message.reason})" if message.reason else ""
    text = f"{check.address} {meaning.words}{because}"
    if meaning.outcome is Outcome.DOWN:
        raise ProbeError(meaning.reason, Blame.REMOTE, text)
    if meaning.reason is not Reason.OK:
        return tools.impaired(check, meaning.reason, text)
    tools.detail["message"] = text
    return tools.up(check)


def _describe(message: RasMessage, tools: Tools) -> None:
    tools.detail["evidence"] = "ras"
    tools.detail["reply"] = message.kind
    if message.calls:
        tools.detail["busy"] = True
        tools.detail["calls"] = message.calls
    told = {
        "refusal": message.reason,
        "gatekeeper": message.gatekeeper,
        "product": shown(message.product) if message.product else "",
        "aliases": ", ".join(message.aliases),
    }
    if message.address:
        told["signalling"] = f"{message.address[0]} port {message.address[1]}"
    for key, value in told.items():
        if value:
            tools.detail[key] = clean(value, 200)
