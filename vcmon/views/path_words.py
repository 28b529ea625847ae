"""Ways to endpoints in words: where one stops, and the old one beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

from vcmon.history.paths import Pair
from vcmon.model.path import Change, Comparison, Hop, Route, compare
from vcmon.views.tongue import Tongue

NOBODY = "*"
"""What every traceroute writes where nobody answered."""

SENTENCES: Mapping[Change, str] = {
    Change.REACHED: "jalurnya utuh sampai ke alamat tujuan",
    Change.SILENT: "tak satu pun router menjawab",
    Change.STOPS: "berhenti setelah {stops_after}, dulu lanjut ke {went_on_to}",
    Change.DIVERTED: "berbelok ke {instead} dan berhenti setelah {stops_after}",
    Change.AS_BEFORE: "berhenti setelah {stops_after}, sama seperti saat sehat",
    Change.UNKNOWN: "berhenti setelah {stops_after}; jalur saat sehat belum diketahui",
}

DIVERTED = "; dulu dari {common} lanjut ke {went_on_to}"
DIVERTED_AT_ONCE = "; dulu lewat {went_on_to}"
SILENT = "; dulu yang pertama {went_on_to}"


def sentence(found: Comparison, tongue: Tongue) -> str:
    """Where the way stops now, and where it went before, on one line."""
    more = ""
    if found.went_on_to and found.change is Change.DIVERTED:
        more = DIVERTED if found.common else DIVERTED_AT_ONCE
    elif found.went_on_to and found.change is Change.SILENT:
        more = SILENT
    parts = found._asdict()
    return tongue.say(SENTENCES[found.change], **parts) + tongue.say(more, **parts)


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


def told(pair: Pair, tongue: Tongue) -> Ways:
    """A failing way beside the healthy one."""
    before, now = pair
    return Ways(
        now.endpoint,
        now.at,
        now.healthy,
        before.at if before else None,
        sentence(compare(before, now), tongue),
        tuple(side_by_side(before, now)),
    )


def _hop(hop: Hop | None) -> str:
    if hop is None:
        return ""
    if not hop.addresses:
        return NOBODY
    rtt = "" if hop.rtt is None else f"  {hop.rtt * 1000:.1f} ms"
    return " ".join(hop.addresses) + rtt
