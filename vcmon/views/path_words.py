"""Ways to endpoints in words: where one stops, and the old one beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Literal, NamedTuple

from vcmon.history.paths import Pair
from vcmon.model.path import Change, Comparison, Hop, Route, compare

Language = Literal["id", "en"]

NOBODY = "*"
"""What every traceroute writes where nobody answered."""

_SENTENCES: Mapping[Language, Mapping[Change, str]] = {
    "id": {
        Change.REACHED: "jalurnya utuh sampai ke alamat tujuan",
        Change.SILENT: "tak satu pun router menjawab",
        Change.STOPS: "berhenti setelah {stops_after}, dulu lanjut ke {went_on_to}",
        Change.DIVERTED: "berbelok ke {instead} dan berhenti setelah {stops_after}",
        Change.AS_BEFORE: "berhenti setelah {stops_after}, sama seperti saat sehat",
        Change.UNKNOWN: "berhenti setelah {stops_after}; jalur saat sehat belum diketahui",
    },
    "en": {
        Change.REACHED: "the way is whole, up to the address itself",
        Change.SILENT: "not even the first router answers",
        Change.STOPS: "stops after {stops_after}, went on to {went_on_to} before",
        Change.DIVERTED: "turns off to {instead} and stops after {stops_after}",
        Change.AS_BEFORE: "stops after {stops_after}, as it did when all was well",
        Change.UNKNOWN: "stops after {stops_after}; the healthy way is not known",
    },
}

_MORE: Mapping[Language, Mapping[str, str]] = {
    "id": {
        "diverted": "; dulu dari {common} lanjut ke {went_on_to}",
        "diverted_at_once": "; dulu lewat {went_on_to}",
        "silent": "; dulu yang pertama {went_on_to}",
    },
    "en": {
        "diverted": "; from {common} it went on to {went_on_to} before",
        "diverted_at_once": "; it went by {went_on_to} before",
        "silent": "; the first one was {went_on_to}",
    },
}


def sentence(found: Comparison, language: Language) -> str:
    """Where the way stops now, and where it went before, on one line."""
    more = ""
    if found.went_on_to and found.change is Change.DIVERTED:
        more = _MORE[language]["diverted" if found.common else "diverted_at_once"]
    elif found.went_on_to and found.change is Change.SILENT:
        more = _MORE[language]["silent"]
    return (_SENTENCES[language][found.change] + more).format(**found._asdict())


def side_by_side(before: Route | None, now: Route) -> Iterator[tuple[str, str, str]]:
    """Rows of a table: time to live, the hop before, the hop now; without ``before`` it is "-"."""
    olds = before.hops if before else ()
    for ttl, (old, new) in enumerate(zip_longest(olds, now.hops), 1):
        yield str(ttl), _hop(old) if before else "-", _hop(new)


class Ways(NamedTuple):
    """Two ways laid side by side, in words."""

    endpoint: str
    at: float  # wall seconds when the one of now was traced
    healthy: bool  # the one of now is a healthy one: there is no failing one
    before_at: float | None  # and the healthy one
    sentence: str
    rows: tuple[tuple[str, str, str], ...]  # time to live, the hop before, the hop now


def told(pair: Pair, language: Language) -> Ways:
    """A failing way beside the healthy one."""
    before, now = pair
    return Ways(
        now.endpoint,
        now.at,
        now.healthy,
        before.at if before else None,
        sentence(compare(before, now), language),
        tuple(side_by_side(before, now)),
    )


def _hop(hop: Hop | None) -> str:
    if hop is None:
        return ""
    if not hop.addresses:
        return NOBODY
    rtt = "" if hop.rtt is None else f"  {hop.rtt * 1000:.1f} ms"
    return " ".join(hop.addresses) + rtt
