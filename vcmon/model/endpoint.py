"""Endpoints and the checks on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from vcmon.model.opening import Opening

P = TypeVar("P")


class Role(StrEnum):
    """What an endpoint is for. The values are what an inventory says."""

    CODEC = "codec"
    ROOM = "room"
    MCU = "mcu"
    PROXY = "proxy"
    PLATFORM = "platform"
    GATEWAY = "gateway"
    TURN = "turn"
    ROUTER = "router"
    LINK = "link"
    LINK_BACKUP = "link-backup"


CONFERENCE_ROLES = frozenset({Role.CODEC, Role.ROOM, Role.MCU, Role.PLATFORM, Role.GATEWAY})
"""A province is reachable for a conference when one of these is up."""


class CheckId(NamedTuple):
    """Names one check in the whole inventory."""

    endpoint: str
    name: str

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.name}"


@dataclass(frozen=True, slots=True)
class Check(Generic[P]):
    """One probe kind with its parameters, on one endpoint.

    Construct it as ``Check(...)``: Python 3.11 refuses ``Check[X](...)`` of a frozen slotted class.
    """

    id: CheckId
    province: str  # slug
    kind: str  # a key of the probe table: "icmp", "sip", ...
    address: str  # a name or an IP literal, without brackets
    params: P  # the kind's own parameters, a frozen model of config/params.py
    interval: float  # seconds
    timeout: float  # seconds
    decides: bool  # False: explains and measures only (ICMP beside SIP)
    opening: Opening | None = None  # None: it may run at any time


MEASURING_KINDS = ("icmp", "stamp", "call")
"""Kinds whose runs measure round trips packet by packet, the first that there is going first."""


def measuring(checks: Sequence[Check[Any]]) -> Check[Any] | None:
    """The one check of an endpoint by which its round trips are judged, or None.

    One, for what two of them measure of one link is not twice as much: their packets differ.
    """
    for kind in MEASURING_KINDS:
        for check in checks:
            if check.kind == kind:
                return check
    return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something with an address that belongs to a province."""

    id: str
    province: str  # slug
    role: Role
    address: str
    checks: tuple[Check[Any], ...]
    site: str = ""
    depends_on: tuple[str, ...] = ()
    medium: str = ""  # names a quality class
    provider: str = ""
    contact: str = ""
