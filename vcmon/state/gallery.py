"""The pictures that views read: one a province, painted anew only where something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from vcmon.model.status import ProvinceStatus, Snapshot, Uplink

DETAILS_EVERY = 5.0
"""Seconds after which the picture of a province is painted anew for results that change no state:
half the default interval. To paint 1,000 endpoints anew for each of their results would cost as
much as to judge them."""

DETAILS_AT_WORST = 7.5
"""Seconds that a picture may lag behind when somebody looks."""

PAINTINGS = 5
"""Ticks over which the worn pictures are spread, so that 10,000 endpoints hold nothing up: they
fill the time between the two."""

VISITED_LATELY = 60.0
"""Seconds after the last visitor in which the pictures are kept fresh; then nothing is painted
until the next one comes, who pays for all of it. Longer than it takes Prometheus to come again."""


@dataclass(slots=True)
class Gallery:
    """All pictures, and which of them are to be painted anew; one writer, the board."""

    wrong: set[str] = field(default_factory=set)  # provinces whose picture is wrong
    worn: set[str] = field(default_factory=set)  # right, but without the last results
    _pictures: dict[str, ProvinceStatus] = field(default_factory=dict)
    _painted: dict[str, float] = field(default_factory=dict)  # monotonic
    _last: Snapshot | None = None
    _visited: float = -inf  # monotonic

    def visit(self, now: float) -> None:
        """Somebody looks: what is worn for too long is to be painted again."""
        self._visited = now
        self.wrong.update(self._worn_for(DETAILS_AT_WORST, now))

    def tend(self, now: float) -> bool:
        """Nobody looks now: whether some pictures are to be painted already for the next one."""
        if now - self._visited > VISITED_LATELY:
            return False
        oldest = sorted(self._worn_for(DETAILS_EVERY, now), key=self._painted_at)
        self.wrong.update(oldest[: 1 + len(self._pictures) // PAINTINGS])
        return True

    def _worn_for(self, seconds: float, now: float) -> list[str]:
        return [slug for slug in self.worn if now - self._painted_at(slug) >= seconds]

    def _painted_at(self, slug: str) -> float:
        return self._painted.get(slug, -inf)

    def is_current(self, uplink: Uplink) -> Snapshot | None:
        """The last Snapshot if nothing has changed since."""
        current = self._last is not None and not self.wrong and self._last.uplink is uplink
        return self._last if current else None

    def hang(
        self,
        slugs: Iterable[str],
        paint: Callable[[str], ProvinceStatus],
        times: tuple[float, float],
        uplink: Uplink,
    ) -> Snapshot:
        """The next Snapshot, of these provinces in this order; ``times`` are monotonic and wall."""
        now, wall = times
        ordered = tuple(slugs)
        for slug in ordered:
            if slug in self.wrong or slug not in self._pictures:
                self._pictures[slug] = paint(slug)
                self._painted[slug] = now
        self.worn -= self.wrong
        self.wrong.clear()
        version = self._last.version + 1 if self._last else 1
        self._last = Snapshot(version, wall, uplink, tuple(self._pictures[s] for s in ordered))
        return self._last

    def take_down(self, kept: Iterable[str]) -> None:
        """Forget the pictures of all other provinces; these are painted anew."""
        self._pictures.clear()
        self.wrong = set(kept)
        self.worn.clear()
