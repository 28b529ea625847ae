"""What provinces that fell together have in common; pure.

Three provinces that fall within two minutes of each other are no coincidence: at 200 outages a
month over 38 provinces chance alone does that about once in ten years. The question is only
whom to name.

A group (island group, provider, medium) *explains* a fall when at least three of its provinces
fell together, and these are the larger part of those of its provinces that were well before:
three of ten that hang on one fibre provider, while the other seven stand, say nothing about it.
Of several groups the one with the most fallen provinces is named, then the one with the fewest
standing ones, then the island group before the provider before the medium.

When at least five provinces and a quarter of all that were well fell together, and no group holds
three quarters of them, the country fell. (A group that everybody is in explains nothing.)
That the fault is not our own is settled before: no ``down`` is committed without a proof that our
own side worked (``state/guard.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

FEWEST = 3
"""Provinces that make a group."""

FEWEST_OF_COUNTRY = 5
SHARE_OF_COUNTRY = 0.25
SHARE_OF_GROUP = 0.75

COUNTRY = "country:"

KINDS = ("island:", "provider:", "medium:")


class Fall(NamedTuple):
    """Provinces that fell together, under the name of what they have in common."""

    owner: str
    provinces: frozenset[str]


def explain(
    fell: frozenset[str], before: frozenset[str], groups: Mapping[str, frozenset[str]]
) -> Fall | None:
    """The group that explains the fall of the provinces ``fell``, or None.

    ``before``: the provinces that were lost already, and so say nothing.
    """
    if len(fell) < FEWEST:
        return None
    best: tuple[tuple[int, int, int], Fall] | None = None
    everyone: set[str] = set()
    for owner, slugs in groups.items():
        everyone |= slugs
        lost = fell & slugs
        standing = len(slugs - before - fell)
        if len(lost) < FEWEST or len(lost) <= standing:
            continue
        rank = (len(lost), -standing, -_kind(owner))
        if best is None or rank > best[0]:
            best = rank, Fall(owner, lost)
    well = len(everyone - before)
    many = len(fell) >= max(FEWEST_OF_COUNTRY, SHARE_OF_COUNTRY * well)
    if best is None:
        return Fall(COUNTRY, fell) if many else None
    fall = best[1]
    holds_them = len(fall.provinces) >= SHARE_OF_GROUP * len(fell)
    distinct = bool(everyone - before - groups[fall.owner])
    return Fall(COUNTRY, fell) if many and not (holds_them and distinct) else fall


def _kind(owner: str) -> int:
    return next((n for n, kind in enumerate(KINDS) if owner.startswith(kind)), len(KINDS))
