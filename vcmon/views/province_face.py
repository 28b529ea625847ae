"""``/provinsi/<slug>``: one province with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from vcmon.clock import SystemClock, monotonic_ns
from vcmon.config.settings import Settings
from vcmon.errors import ProbeError
from vcmon.history.glance import INCIDENTS, Glance, read_glance
from vcmon.history.paths import Pair
from vcmon.history.store import Store
from vcmon.model.memory import Incident
from vcmon.model.province import Province
from vcmon.model.status import ProvinceStatus
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.views import words
from vcmon.views.bars import picture
from vcmon.views.curve_words import Picture, pictures_of
from vcmon.views.day_words import Days, date, days_of
from vcmon.views.frame import Frame, Place, spoken
from vcmon.views.incident_words import Line, Names, line_of
from vcmon.views.kept import Kept
from vcmon.views.pages import CONTENT_TYPE, Pages, favicon
from vcmon.views.path_words import Ways, told
from vcmon.views.planned import SHOWN, planned_of
from vcmon.views.press import PACK_AT_LEAST, Body, answer, pack, slices
from vcmon.views.province_words import (
    ENDPOINTS_MAX,
    availability_words,
    charted,
    concerns,
    grafana,
    head_of,
    parts_of,
)
from vcmon.views.recall import subjects_of
from vcmon.views.refusal import Refusal
from vcmon.views.rows import LOST, zone_of
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH, Tongue

REMEMBERED = 10.0
"""Seconds that what the memory told is kept: its curves move every five minutes."""

PASTS = 120
"""Provinces kept so, in each language one endpoint of each and some more."""

ANSWERS_WITHIN = 2.0
"""Seconds for the memory to answer: a disk that hangs leaves the page without its past."""

SPARED_NS = 5_000_000_000
"""Nanoseconds for which a memory that did not answer isn't asked again."""

FRESH = 1.0
"""Seconds that a page is kept: ages are told to the second."""

BODIES = 80
"""Pages kept, some tens of kilobytes each: every province in each language."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the memory tells of a province, in words."""

    availability: str
    incidents: tuple[Incident, ...]
    more: bool
    since: str  # the first of the 90 days
    days: tuple[Days, ...]  # newest first
    pictures: tuple[Picture, ...]
    ways: tuple[Ways, ...]


def past_of(glance: Glance, province: Province, t: Tongue) -> Past:
    """In words. Not for the loop: the curves take some milliseconds."""
    pairs = glance.pairs
    if not pairs and glance.healthy is not None:
        pairs = (Pair(None, glance.healthy),)
    drawn = pictures_of(glance.curves, zone_of(province), t) if glance.curves else ()
    return Past(
        availability_words(glance.figure, t),
        glance.incidents,
        glance.more,
        date(glance.days.slots[0].start, t),
        tuple(days_of(glance.days, t)),
        tuple(drawn),
        tuple(told(pair, t) for pair in pairs),
    )


class ProvinceFace:
    """The handler."""

    def __init__(self, sources: Sources, shelf: Shelf, pages: Pages) -> None:
        self._sources = sources
        self._shelf = shelf
        self._pages = pages
        self._page = pages.environment.get_template("province.html")
        self._pasts: Kept[Past | None] = Kept(REMEMBERED, PASTS)
        self._spared_until = 0  # monotonic ns: the memory did not answer lately
        self._bodies: Kept[Body] = Kept(FRESH, BODIES)

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        for root in (BAHASA.root, ENGLISH.root):
            app.router.add_get(f"{root}/provinsi/{{slug:[a-z0-9-]{{1,63}}}}", self.province)

    async def province(self, request: web.Request) -> web.Response:
        slug, t = request.match_info["slug"], spoken(request)
        province = self._sources.settings().provinces.get(slug)
        if province is None:
            raise web.HTTPNotFound
        status = self._status(slug)
        if status is None:
            text = self._pages.message(t.province(province), words.UNMONITORED, t)
            return web.Response(
                body=text.encode("utf-8", "replace"),
                headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"},
            )
        shown = charted(status, request.query.get("titik", ""))
        asked = (("titik", shown),) if "titik" in request.query and shown else ()
        place = Place(f"/provinsi/{slug}", asked, "jeda" in request.query)
        body = await self._body(Frame.of(self._sources, place, t), status, shown)
        return answer(request, body, CONTENT_TYPE, "no-store")

    def _status(self, slug: str) -> ProvinceStatus | None:
        """The province as it is; None where nothing of it is watched."""
        for status in self._sources.snapshot().provinces:
            if status.province.slug == slug and status.endpoints:
                return status
        return None

    async def _body(self, frame: Frame, status: ProvinceStatus, shown: str) -> Body:
        snapshot, settings = frame.snapshot, self._sources.settings()
        moment = snapshot.version, snapshot.at, frame.stale, int(frame.now), id(settings)

        async def make() -> Body:
            past = await self._past(frame, status, shown)
            parts = self._page.generate(**self._facts(frame, status, shown, past))
            plain = b"".join([part async for part in slices(parts)])
            return Body(plain, pack(plain) if len(plain) >= PACK_AT_LEAST else b"")

        return await self._bodies.get((frame.here, frame.paused, *moment), make)

    async def _past(self, frame: Frame, status: ProvinceStatus, shown: str) -> Past | None:
        """What is remembered; None where the memory can't be asked."""
        settings, t, province = self._sources.settings(), frame.tongue, status.province
        key = province.slug, shown, t.lang, id(settings)

        def work(store: Store) -> Past:
            glance = read_glance(store, settings, province.slug, shown, frame.now)
            return past_of(glance, province, t)

        return await self._pasts.get(key, lambda: self._asked(work))

    async def _asked(self, work: Callable[[Store], Past]) -> Past | None:
        """The memory's answer, if it comes soon: what is now must not wait for what was."""
        if monotonic_ns() < self._spared_until:
            return None
        clock = SystemClock()
        deadline = Deadline(clock, LoopLag(clock), ANSWERS_WITHIN)
        try:
            return await deadline.run(self._shelf.read(work), "the memory did not answer")
        except (Refusal, ProbeError):
            self._spared_until = monotonic_ns() + SPARED_NS
            return None

    def _facts(
        self, frame: Frame, status: ProvinceStatus, shown: str, past: Past | None
    ) -> dict[str, Any]:
        settings, t, now = self._sources.settings(), frame.tongue, frame.now
        head = head_of(status, frame.snapshot.provinces, now, frame.stale, t)
        endpoints = [each.endpoint for each in status.endpoints]
        coming = [o for o in self._sources.planned() if concerns(o, status.province, endpoints)]
        known = past.incidents if past else ()
        ninety = self._sources.ninety().get(head.slug)
        found = list(self._incidents(known, head.slug, settings))
        return {
            "frame": frame,
            "title": f"{head.name}: {head.word.lower()}",
            "icon": favicon(head.state, int(head.state in LOST)),
            "head": head,
            "parts": parts_of(status, now, frame.stale, t),
            "left": max(0, len(status.endpoints) - ENDPOINTS_MAX),
            "shown": shown,
            "past": past,
            "bar": picture(ninety, t) if ninety else None,
            "lines": self._lines(found, frame),
            "planned": list(planned_of(coming, settings.provinces, now, t))[:SHOWN],
            "grafana": lambda name="": grafana(settings.web.grafana, head.slug, name),
        }

    def _incidents(
        self, remembered: Sequence[Incident], slug: str, settings: Settings
    ) -> Iterator[Incident]:
        """Those that go on as they are now, with what the file does not have yet; then the rest."""
        subjects = set(subjects_of(slug, settings))
        live = {
            each.id: each
            for each in self._sources.incidents()
            if any(member.subject in subjects for member in each.members)
        }
        merged = {each.id: each for each in remembered} | live
        yield from sorted(merged.values(), key=lambda each: (-each.start, -each.id))[:INCIDENTS]

    def _lines(self, found: Sequence[Incident], frame: Frame) -> list[Line]:
        names = Names(self._sources.settings(), frame.tongue)
        return [line_of(each, names, frame.now, frame.tongue) for each in found]
