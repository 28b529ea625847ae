"""What every page beside the status page has around it: title, icon, clocks, banners. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from vcmon.model.status import Snapshot, Uplink
from vcmon.views import words
from vcmon.views.freshness import is_stale
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH, Tongue


def spoken(request: web.Request) -> Tongue:
    """The language that the address asks for."""
    return ENGLISH if request.path.startswith(f"{ENGLISH.root}/") else BAHASA


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: its path without the language, and what its query asks for."""

    path: str  # "/gangguan"
    query: tuple[tuple[str, str], ...] = ()
    paused: bool = False

    def at(self, tongue: Tongue, *, paused: bool = False) -> str:
        """The same page in a language."""
        query = urlencode((*self.query, *((("jeda", "1"),) if paused else ())))
        return f"{tongue.root}{self.path}{'?' if query else ''}{query}"


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame in words."""

    place: Place
    tongue: Tongue
    now: float
    snapshot: Snapshot
    stale: bool
    vantage: str

    @classmethod
    def of(cls, sources: Sources, place: Place, tongue: Tongue) -> Frame:
        """The frame of this moment."""
        snapshot = sources.snapshot()
        vantage = words.clean(sources.settings().vantage)
        stale = is_stale(sources, snapshot)
        return cls(place, tongue, sources.wall(), snapshot, stale, vantage)

    @property
    def other(self) -> Tongue:
        """The other language."""
        return ENGLISH if self.tongue is BAHASA else BAHASA

    @property
    def paused(self) -> bool:
        return self.place.paused

    @property
    def uplink(self) -> Uplink:
        return self.snapshot.uplink

    @property
    def taken(self) -> float:
        """Wall seconds of what is told."""
        return self.snapshot.at

    @property
    def here(self) -> str:
        """The address of this page."""
        return self.place.at(self.tongue)

    @property
    def pause(self) -> str:
        """The address of this page, standing still."""
        return self.place.at(self.tongue, paused=True)

    @property
    def there(self) -> str:
        """The address of this page in the other language."""
        return self.place.at(self.other)
