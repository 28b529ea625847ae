"""The section ``vantages``: who else watches the same provinces, and where each is scraped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from vcmon.config.address import split_listen
from vcmon.config.fields import Strict
from vcmon.config.text import shown

VANTAGE = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""What a vantage may be called: a DNS label, as it becomes part of a scrape target's name."""

REGION = r"^([a-z0-9][a-z0-9-]{0,62})?$"
"""Likewise, or nothing: it becomes a label of every sample."""

MOST = 64
"""Vantages: each is a vote on every province, and a copy of every series."""


class Vantage(Strict):
    """One vcmon, as Prometheus is told of it."""

    vantage: Annotated[str, Field(pattern=VANTAGE)]
    target: Annotated[str, Field(min_length=1, max_length=300)]  # host:port of its pages
    region: Annotated[str, Field(pattern=REGION)] = ""
    tls: bool = False  # its pages are served over TLS


Vantages = Annotated[tuple[Vantage, ...], Field(max_length=MOST)]


def oddities(vantages: Sequence[Vantage]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What can't be meant: the key below ``vantages``, and what was expected."""
    names: set[str] = set()
    targets: set[str] = set()
    for index, each in enumerate(vantages):
        try:
            split_listen(each.target)
        except ValueError as error:
            yield (index, "target"), f"{error}; found {shown(each.target)}"
        for key, value, seen in (
            ("vantage", each.vantage, names),
            ("target", each.target, targets),
        ):
            if value in seen:
                yield (index, key), f"{shown(value)} stands here twice: one vantage has one vote"
            seen.add(value)
