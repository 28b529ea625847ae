"""What the answers of H.323 mean for an endpoint: pure decisions, and the words for people."""

from __future__ import annotations

from typing import NamedTuple

from vcmon.model.result import Outcome, Reason
from vcmon.wire.h225 import Product
from vcmon.wire.q931 import USER_BUSY, Message
from vcmon.wire.ras import RasMessage


class Meaning(NamedTuple):
    """A verdict, and why; UP with a reason other than OK is impaired."""

    outcome: Outcome
    reason: Reason
    words: str


IN_A_CALL = "inConf"

OVERLOADED_CAUSES = frozenset({34, 41, 42, 44, 47})
"""Q.850: no circuit, temporary failure, congestion, no channel, no resource."""

OVERLOADED = frozenset(
    {"noBandwidth", "gatekeeperResources", "gatewayResources", "adaptiveBusy"}
    | {"resourceUnavailable"}
)

GONE_CAUSES = frozenset({1, 3, 18, 20, 27, 38, 102})
"""Q.850: unallocated, no route, no response, absent, out of order, network out of order, timer."""

GONE = frozenset(
    {"unreachableDestination", "unreachableGatekeeper", "calledPartyNotRegistered"}
    | {"hopCountExceeded"}
)

DENIED = frozenset(
    {"noPermission", "securityDenied", "callerNotRegistered", "securityError"}
    | {"securityDenial", "invalidPermission", "requestDenied"}
)
"""A gatekeeper's policy towards us: it is alive, and says nothing of the endpoint."""

DECLINED_CAUSES = frozenset({16, 19, 21, 31})
"""Q.850: cleared, nobody picks up, rejected, normal: what people and their settings decide."""

DECLINED = frozenset({"destinationRejection", "replaceWithConferenceInvite"})


def is_busy(message: Message) -> bool:
    """Whether it was released because the endpoint is in a call."""
    return message.cause == USER_BUSY or release_reason(message) == IN_A_CALL


def release_reason(message: Message) -> str:
    """H.225.0's own reason, "" where there is none."""
    return message.user.reason if message.user else ""


def of_release(message: Message, *, by_alias: bool) -> Meaning:
    """A call that was refused.

    ``by_alias``: somebody else may have answered for the endpoint, so that "no such user" means
    that it is gone; an endpoint that says so of itself is alive.
    """
    reason, cause = release_reason(message), message.cause
    if is_busy(message):
        return Meaning(Outcome.UP, Reason.OK, "is in a call: alive")
    if by_alias and (cause in GONE_CAUSES or reason in GONE):
        return Meaning(Outcome.DOWN, Reason.STATUS, "says that the endpoint is not reachable")
    if cause in OVERLOADED_CAUSES or reason in OVERLOADED:
        return Meaning(Outcome.UP, Reason.BUSY, "has no room for a call")
    if reason in DENIED:
        return Meaning(Outcome.UP, Reason.AUTH, "is alive, but its policy refuses our call")
    if cause in DECLINED_CAUSES | GONE_CAUSES or reason in DECLINED | GONE:
        return Meaning(Outcome.UP, Reason.OK, "declined the call: alive")
    return Meaning(Outcome.UP, Reason.STATUS, "is alive, but can't take the call")


_RAS = {
    "GCF": (Reason.OK, "is a gatekeeper that takes us"),
    "GRJ": (Reason.OK, "is a gatekeeper that would not take us: alive"),
    "LCF": (Reason.OK, "knows where {alias} is registered"),
    "IRR": (Reason.OK, "told what it is"),
    "RIP": (Reason.STATUS, "asked for patience, and nothing came after it"),
    "XRS": (Reason.STATUS, "is alive, but does not know this question"),
}


def of_ras(message: RasMessage, *, alias: str, denied_means_gone: bool) -> Meaning:
    """What a gatekeeper, or an endpoint's own RAS, answered: one of the kinds that we wait for."""
    if message.kind == "LRJ":
        return _of_location_reject(message.reason, alias, denied_means_gone=denied_means_gone)
    if message.kind == "GRJ" and message.reason in OVERLOADED:
        words = "is a gatekeeper without room for another endpoint"
        return Meaning(Outcome.UP, Reason.BUSY, words)
    if message.kind == "IRR" and message.calls:
        return Meaning(Outcome.UP, Reason.OK, "is in a call: alive")
    reason, words = _RAS[message.kind]
    return Meaning(Outcome.UP, reason, words.format(alias=alias))


def _of_location_reject(reason: str, alias: str, *, denied_means_gone: bool) -> Meaning:
    gone = reason == "notRegistered" or (denied_means_gone and reason == "requestDenied")
    if gone:
        return Meaning(Outcome.DOWN, Reason.STATUS, f"says that {alias} is not registered")
    if reason in DENIED:
        words = f"is alive, but refuses to tell us where {alias} is: let it answer our address"
        return Meaning(Outcome.UP, Reason.AUTH, words)
    if reason in OVERLOADED:
        return Meaning(Outcome.UP, Reason.BUSY, f"is too busy to tell where {alias} is")
    return Meaning(Outcome.UP, Reason.STATUS, f"is alive, but can't tell where {alias} is")


def shown(product: Product) -> str:
    """``terminal, Make 1.2``."""
    made = f"{product.name} {product.version}".strip()
    return ", ".join(part for part in (product.kind, made) if part)
