"""RAS (ITU-T H.225.0 section 7.9 ff.): what is asked of gatekeepers and endpoints over UDP.

Bytes in, values out; a reader gives a :class:`RasMessage` or raises ProbeError ``protocol``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from vcmon.errors import ProbeError
from vcmon.wire import h225
from vcmon.wire.h225 import OUR_NAME, PROTOCOL, Address, Product
from vcmon.wire.per import Reader, Writer, wrong

ROOT = (
    *("GRQ", "GCF", "GRJ", "RRQ", "RCF", "RRJ", "URQ", "UCF", "URJ"),
    *("ARQ", "ACF", "ARJ", "BRQ", "BCF", "BRJ", "DRQ", "DCF", "DRJ"),
    *("LRQ", "LCF", "LRJ", "IRQ", "IRR", "NSM", "XRS"),
)
EXTENSIONS = ("RIP", "RAI", "RAC", "IACK", "INAK", "SCI", "SCR", "ACS")
"""Every RAS message by its usual name, in the order of the choice."""

GRQ, LRQ, IRQ = 0, 18, 21

GATEKEEPER_REFUSALS = (
    ("resourceUnavailable", "terminalExcluded", "invalidRevision", "undefinedReason"),
    ("securityDenial", "genericDataReason", "neededFeatureNotSupported", "securityError"),
)
LOCATION_REFUSALS = (
    ("notRegistered", "invalidPermission", "requestDenied", "undefinedReason"),
    (
        "securityDenial",
        "aliasesInconsistent",
        "routeCalltoSCN",
        "resourceUnavailable",
        "genericDataReason",
        "neededFeatureNotSupported",
        "hopCountExceeded",
        "incompleteAddress",
        "securityError",
    ),
)
"""Reasons of GRJ and LRJ: those of the root, and those that came later."""

CALLS_MAX = 1_000
"""Calls that an IRR may claim; an MCU has a few dozen."""


@dataclass(frozen=True, slots=True)
class RasMessage:
    """An answer, as far as it could be read. All text is hostile."""

    kind: str  # such as "GCF"
    sequence: int = 0  # the request's, 1 to 65535; 0 where it is no answer that we know to read
    reason: str = ""  # of a GRJ or LRJ, as H.225.0 spells it; "" where it could not be read
    gatekeeper: str = ""
    address: Address | None = None  # call signalling of what was located or asked
    product: Product | None = None
    aliases: tuple[str, ...] = ()
    calls: int = 0  # that it says it is in


def gatekeeper_request(
    sequence: int, reply_to: Address, gatekeeper_id: str, alias: str, version: str
) -> bytes:
    """GRQ: who is a gatekeeper here? With ``gatekeeper_id`` only that one answers."""
    out = _begun(GRQ)
    out.bits(0, 1)
    out.bits(0b101 if gatekeeper_id else 0b001, 4)  # nothing private, no services; our alias
    out.number(sequence - 1, 2)
    out.counted(PROTOCOL)
    h225.write_address(out, reply_to)
    h225.write_terminal(out, version)
    if gatekeeper_id:
        h225.write_name(out, gatekeeper_id, 7)
    out.number(1, 1)
    h225.write_alias(out, alias or OUR_NAME)
    return out.encoded()


def location_request(sequence: int, reply_to: Address, alias: str) -> bytes:
    """LRQ: where is ``alias`` registered? Nobody's telephone rings by that."""
    out = _begun(LRQ)
    out.bits(0, 3)  # no extensions, no id of ours, nothing private
    out.number(sequence - 1, 2)
    out.number(1, 1)
    h225.write_alias(out, alias)
    h225.write_address(out, reply_to)
    return out.encoded()


def information_request(sequence: int, reply_to: Address) -> bytes:
    """IRQ about no call in particular: an endpoint tells what it is and which calls it is in."""
    out = _begun(IRQ)
    out.bits(0b101, 3)  # extensions, nothing private, an address for the answer
    out.number(sequence - 1, 2)
    out.number(0, 2)  # call reference: all calls
    h225.write_address(out, reply_to)
    out.extensions(12, {0: bytes(17)})  # callIdentifier: none
    return out.encoded()


def parse_ras(data: bytes) -> RasMessage:
    """The message in a datagram. Raises ProbeError ``protocol`` where its head can't be read.

    An answer whose further parts can't be read is told without them: it is an answer.
    """
    source = Reader(data)
    index = source.choice(len(ROOT))
    if index >= len(ROOT) + len(EXTENSIONS):
        raise wrong(f"RAS message {index}")
    kind = (*ROOT, *EXTENSIONS)[index]
    if index >= len(ROOT):
        source = source.open()
    reading = _READINGS.get(kind)
    if reading is None:
        return RasMessage(kind)
    _, *present = source.flags(1 + reading.optional)
    if kind == "IRR" and present[0]:  # alone among all it has something before its number
        h225.skip_private(source)
    message = RasMessage(kind, source.number(2) + 1)
    try:
        return reading.details(message, source, present)
    except ProbeError:
        return message


_Details = Callable[[RasMessage, Reader, list[bool]], RasMessage]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an answer is read from its number on."""

    optional: int  # parts of its root that may be missing
    details: _Details


def _confirmed(message: RasMessage, source: Reader, present: list[bool]) -> RasMessage:
    private, named = present
    h225.read_version(source)
    if private:
        h225.skip_private(source)
    return replace(message, gatekeeper=h225.read_name(source, 7) if named else "")


def _gatekeeper_rejected(message: RasMessage, source: Reader, present: list[bool]) -> RasMessage:
    message = _confirmed(message, source, present)
    return replace(message, reason=_refusal(source, GATEKEEPER_REFUSALS))


def _located(message: RasMessage, source: Reader, _: list[bool]) -> RasMessage:
    return replace(message, address=h225.read_address(source))


def _location_rejected(message: RasMessage, source: Reader, _: list[bool]) -> RasMessage:
    return replace(message, reason=_refusal(source, LOCATION_REFUSALS))


def _informed(message: RasMessage, source: Reader, present: list[bool]) -> RasMessage:
    _, named, calling = present
    message = replace(message, product=h225.read_endpoint(source))
    h225.read_name(source, 7)  # its id at its gatekeeper
    h225.read_address(source)  # where its RAS is: we have just asked there
    addresses = h225.read_addresses(source)
    message = replace(message, address=addresses[0] if addresses else None)
    if named:
        message = replace(message, aliases=h225.read_aliases(source))
    return replace(message, calls=min(source.length(), CALLS_MAX)) if calling else message


def _headless(message: RasMessage, _: Reader, __: list[bool]) -> RasMessage:
    return message


_READINGS: Mapping[str, _Reading] = MappingProxyType(
    {
        "GCF": _Reading(2, _confirmed),
        "GRJ": _Reading(2, _gatekeeper_rejected),
        "LCF": _Reading(1, _located),
        "LRJ": _Reading(1, _location_rejected),
        "IRR": _Reading(3, _informed),
        "XRS": _Reading(0, _headless),
        "RIP": _Reading(4, _headless),
    }
)


def _refusal(source: Reader, names: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    root, later = names
    index = source.choice(len(root))
    known = (*root, *later)
    return known[index] if index < len(known) else ""


def _begun(message: int) -> Writer:
    out = Writer()
    out.bits(message, 6)
    return out
