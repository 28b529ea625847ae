"""The way to an endpoint, hop by hop, and how the way now differs from the one before; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from vcmon.model.result import Reason


class Hop(NamedTuple):
    """Who answered for one time-to-live. Several addresses: packets there take several ways."""

    ttl: int
    addresses: tuple[str, ...] = ()  # in the order in which they answered; empty: nobody did
    rtt: float | None = None  # seconds, of the first answer
    lost: int = 0  # tries that nobody answered

    @property
    def address(self) -> str | None:
        """Who answered first; None where nobody did."""
        return self.addresses[0] if self.addresses else None


class Route(NamedTuple):
    """One traceroute, as it is remembered."""

    endpoint: str  # its id
    address: str  # where it was traced to
    at: float  # wall seconds when it began
    healthy: bool  # the endpoint was up: the way that others are held against
    hops: tuple[Hop, ...]  # by rising ttl, from 1 on; the last one answered, if any did
    reached: bool  # the address itself answered
    why: Reason  # OK where it was reached, TIMEOUT for silence, else what the last hop said


class Change(StrEnum):
    """What a comparison found; a closed set, so that a page can have words for each."""

    REACHED = "reached"  # the packets arrive: not the way is at fault
    SILENT = "silent"  # not even the first router answered
    STOPS = "stops"  # on the old way, but not to its end
    DIVERTED = "diverted"  # it left the old way, and then stops
    AS_BEFORE = "as_before"  # it stops where it stopped when all was well
    UNKNOWN = "unknown"  # it stops, and there is nothing to hold it against


class Comparison(NamedTuple):
    """Where a way stops now and where it went before; addresses, "" for none."""

    change: Change
    stops_after: str = ""  # the last that answers now
    went_on_to: str = ""  # the next one on the old way
    common: str = ""  # the last that both ways share
    instead: str = ""  # the next one now, where the ways part


def compare(before: Route | None, now: Route) -> Comparison:
    """Hold the way of now against a healthy one.

    Where the address is reached nothing is reported, whatever way the packets took: routers that
    share load between equal ways (ECMP) send them now here, now there. For the same reason ways
    are only said to part where the last router that answers is not on the old way at all.
    """
    last = next((hop for hop in reversed(now.hops) if hop.addresses), None)
    stops_after = last.address or "" if last else ""
    if now.reached:
        return Comparison(Change.REACHED, stops_after, common=stops_after)
    answered = [hop for hop in before.hops if hop.addresses] if before else []
    if before is None or not answered:
        return Comparison(Change.UNKNOWN if last else Change.SILENT, stops_after)
    if last is None:
        return Comparison(Change.SILENT, went_on_to=answered[0].address or "")
    return _held_against(answered, now, last)


def _held_against(before: list[Hop], now: Route, last: Hop) -> Comparison:
    """Both ways have hops that answered; the one of now stops after ``last``."""
    places = {address: place for place, hop in enumerate(before) for address in hop.addresses}
    stop = last.address or ""
    common, shared = "", -1
    instead = ""
    for hop in now.hops:
        place = max((places.get(address, -1) for address in hop.addresses), default=-1)
        if place >= 0:
            common, shared, instead = before[place].address or "", place, ""
        elif hop.addresses and not instead:
            instead = hop.address or ""
    went_on_to = before[shared + 1].address or "" if shared + 1 < len(before) else ""
    if instead:
        return Comparison(Change.DIVERTED, stop, went_on_to, common, instead)
    return Comparison(Change.STOPS if went_on_to else Change.AS_BEFORE, stop, went_on_to, common)
