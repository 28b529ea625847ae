"""Holds what was paged against what was cut: pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.lab.judge import Injected
from tests.stack.ledger import Page

LATE = 45.0
"""Seconds after a repair in which its page may still come, or go on, without being false."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One cut as one monitor told of it; seconds, infinite for never."""

    kind: str
    province: str
    found: float  # from the cut to the first page
    resolved: float  # from the repair until all its pages are resolved
    pages: int


def sight(one: Injected, pages: Iterable[Page]) -> Sight:
    """The pages of this cut's province, from the cut on until its repair is old."""
    mine = [p for p in pages if p.label("province") == one.cut.slug and explained(p, (one,))]
    found = min((p.fired for p in mine), default=math.inf) - one.at
    resolved = max((p.resolved for p in mine), default=math.inf) - one.healed
    return Sight(one.cut.kind, one.cut.slug, found, resolved, len(mine))


def explained(page: Page, injected: Iterable[Injected]) -> bool:
    """Whether a cut of its province is the reason for a page."""
    return any(
        one.cut.slug == page.label("province") and one.at <= page.fired <= one.healed + LATE
        for one in injected
    )


def unexplained(pages: Iterable[Page], injected: Sequence[Injected]) -> list[Page]:
    """The pages that nothing that was done explains."""
    return [page for page in pages if not explained(page, injected)]
