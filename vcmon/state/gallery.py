"""The pictures that views read: one a province, painted anew only where something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from vcmon.model.status import ProvinceStatus, Snapshot, Uplink

DETAILS_EVERY = 5.0
"""Seconds that the picture of a province may lag behind results that change no state: half the
default interval. To paint 1,000 endpoints anew for each of their results would cost as much as to
judge them."""


@dataclass(slots=True)
class Gallery:
    """All pictures, and which of them are to be painted anew; one writer, the board."""

    wrong: set[str] = field(default_factory=set)  # provinces whose picture is wrong
    worn: set[str] = field(default_factory=set)  # right, but without the last results
    _pictures: dict[str, ProvinceStatus] = field(default_factory=dict)
    _painted: dict[str, float] = field(default_factory=dict)  # monotonic
    _last: Snapshot | None = None

    def renew_worn(self, now: float) -> None:
        """Let what is worn for long enough be painted again."""
        last = self._painted
        self.wrong |= {s for s in self.worn if now - last.get(s, -inf) >= DETAILS_EVERY}

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
