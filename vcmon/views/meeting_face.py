"""``/rapat/<sitting>``: who can join one sitting, as it is now and as it was at each checkpoint."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from vcmon.model.meeting import RollCall
from vcmon.model.status import State
from vcmon.views import meeting_words as told
from vcmon.views import words
from vcmon.views.frame import Frame, Place, spoken
from vcmon.views.incident_face import BUSY, WHY, shown
from vcmon.views.kept import Kept
from vcmon.views.meeting_changes import changes_of
from vcmon.views.meeting_head import head_of
from vcmon.views.meeting_outlook import NO_CHANCES, Chances, Outlook
from vcmon.views.meeting_past import Past, find, recall
from vcmon.views.meeting_roll import Look, contacts_of, table_of
from vcmon.views.pages import CONTENT_TYPE, Pages, favicon
from vcmon.views.press import Body, answer
from vcmon.views.recall import bound
from vcmon.views.refusal import Refusal
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH

ID = r"[a-z0-9-]{1,60}"
"""A sitting's id: its meeting's (at most 40) and two numbers."""

FRESH = 2.0
"""Seconds that a page is kept: a change has every open page ask at once."""

KEPT = 16
"""Pages kept: some sittings of a day in two languages."""


class MeetingFace:
    """The handler."""

    def __init__(self, sources: Sources, shelf: Shelf, pages: Pages, outlook: Outlook) -> None:
        self._sources = sources
        self._shelf = shelf
        self._outlook = outlook
        self._pages = pages
        self._one = pages.environment.get_template("sitting.html")
        self._kept: Kept[Body] = Kept(FRESH, KEPT)

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        for root in (BAHASA.root, ENGLISH.root):
            app.router.add_get(rf"{root}/rapat/{{sitting:{ID}}}", self.one)

    async def one(self, request: web.Request) -> web.Response:
        name = request.match_info["sitting"]
        place = Place(f"/rapat/{name}", paused="jeda" in request.query)
        frame = Frame.of(self._sources, place, spoken(request))
        key = frame.here, frame.paused, frame.stale, id(self._sources.settings())
        try:
            body = await self._kept.get(key, lambda: self._body(name, frame))
        except Refusal as refused:
            text = self._pages.message(*WHY[BUSY], frame.tongue)
            return shown(text, refused.status, refused.headers)
        return answer(request, body, CONTENT_TYPE, "no-store")

    async def _body(self, name: str, frame: Frame) -> Body:
        """Raises HTTPNotFound, and Refusal where the memory can't be asked now."""
        meetings = tuple(self._sources.agenda())
        live = None if frame.stale else self._sources.roll(name)
        now, chances = frame.now, await self._outlook.of(name, meetings, frame.now)
        try:
            body = await self._shelf.read(
                lambda store: self._written(
                    recall(store, meetings, name, now), live, frame, chances
                )
            )
        except Refusal as refused:
            if refused.status is not HTTPStatus.NOT_FOUND:
                raise
            # A vcmon without a memory judges all the same.
            body = self._written(find(meetings, name), live, frame, NO_CHANCES)
        if body is None:
            raise web.HTTPNotFound
        return body

    def _written(
        self, past: Past | None, roll: RollCall | None, frame: Frame, chances: Chances
    ) -> Body | None:
        if past is None:
            return None
        it, settings, tongue = past.sitting, self._sources.settings(), frame.tongue
        told_now = NO_CHANCES if frame.now >= it.start else chances
        look = Look(frame.now, tongue, settings.provinces, contacts_of(settings), told_now)
        live = None if frame.now >= it.stop else roll
        title = words.clean(it.meeting.title)
        table = table_of(it, live, past.rolls, past.marks, look)
        text = self._one.render(
            frame=frame,
            title=f"{table.tally}: {title}" if table.tally else title,
            heading=title,
            icon=favicon(State.UP, 0),
            sitting=it,
            planned=past.planned,
            live=live is not None,
            over=frame.now >= it.stop,
            begun=frame.now >= it.start,
            head=head_of(it, frame.now, tongue),
            table=table,
            changes=changes_of(past, look),
            acting=bool(settings.web.users_file),
            told=told,
        )
        return bound(text.encode("utf-8", "replace"))
