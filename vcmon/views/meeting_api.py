"""``/api/v1/meetings``: what is planned and how it stands, and what people do about it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from aiohttp import web

from vcmon.config.meetings import meeting_of
from vcmon.config.schema import MeetingFields
from vcmon.history.deeds import Doer, NoSuchError
from vcmon.history.store import Store
from vcmon.model.meeting import Attendance, Origin
from vcmon.readiness import calling
from vcmon.views.acting import NothingFields, answered, asked, done
from vcmon.views.gate import Gate
from vcmon.views.meeting_face import ID
from vcmon.views.meeting_outlook import NO_CHANCES, Outlook
from vcmon.views.meeting_past import recall
from vcmon.views.meeting_shapes import (
    MarkFields,
    MoveFields,
    detail_shape,
    mark_shape,
    meeting_list,
    meeting_shape,
    moved_to,
)
from vcmon.views.press import Body
from vcmon.views.recall import DAYS, DAYS_MAX, only, press, tagged, whole
from vcmon.views.refusal import Refusal
from vcmon.views.shapes import Shape
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources


class MeetingApi:
    """The handlers. Whoever may see the page may read; a token of the role operator may act."""

    def __init__(self, sources: Sources, shelf: Shelf, gate: Gate, outlook: Outlook) -> None:
        self._sources = sources
        self._outlook = outlook
        self._shelf = shelf
        self._gate = gate

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        base = "/api/v1/meetings"
        one = rf"{base}/{{sitting:{ID}}}"
        app.router.add_get(base, self.list)
        app.router.add_post(base, self.plan)
        app.router.add_get(one, self.one)
        app.router.add_post(f"{one}/cancel", self.cancel)
        app.router.add_post(f"{one}/move", self.move)
        app.router.add_post(f"{one}/attendance", self.mark)

    # ---- reading

    async def list(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        days = whole(only(request.query, ("days",)), "days", DAYS, DAYS_MAX)
        meetings, now = tuple(self._sources.agenda()), self._sources.wall()

        def work(_store: Store) -> Body:  # in a thread: rules of many meetings take milliseconds
            return press(meeting_list(meetings, days, now))

        return tagged(request, await self._shelf.read(work))

    async def one(self, request: web.Request) -> web.Response:
        await self._gate.known(request)
        only(request.query, ())
        name, now = request.match_info["sitting"], self._sources.wall()
        meetings, live = tuple(self._sources.agenda()), self._sources.roll(name)
        chances = await self._outlook.of(name, meetings, now)

        def work(store: Store) -> Body:
            past = recall(store, meetings, name, now)
            if past is None:
                raise Refusal(HTTPStatus.NOT_FOUND, f"no sitting {name}")
            begun, over = now >= past.sitting.start, now >= past.sitting.stop
            told = NO_CHANCES if begun else chances
            return press(detail_shape(past, None if over else live, told))

        return tagged(request, await self._shelf.read(work))

    # ---- acting

    async def plan(self, request: web.Request) -> web.Response:
        bearer, fields = await asked(self._gate, request, MeetingFields)
        known, endpoints = tuple(self._sources.agenda()), self._sources.settings().endpoints
        now = self._sources.wall()

        def work(store: Store, doer: Doer) -> Shape:
            taken = {each.id for each in (*known, *store.meetings())}
            meeting = replace(meeting_of(fields, endpoints), origin=Origin.PERSON)
            return meeting_shape(calling.plan(store, meeting, taken, doer, now))

        body = await done(self._shelf, (bearer, "plan", f"meeting:{fields.id}"), work)
        return answered(request, HTTPStatus.CREATED, body)

    async def cancel(self, request: web.Request) -> web.Response:
        """Of a meeting's id all that is to come, of a sitting's that one."""
        bearer, _ = await asked(self._gate, request, NothingFields)
        name, now = request.match_info["sitting"], self._sources.wall()
        meetings = tuple(self._sources.agenda())
        whole_series = next((each for each in meetings if each.id == name), None)

        def work(store: Store, doer: Doer) -> Shape:
            if whole_series is not None:
                return meeting_shape(calling.cancel(store, whole_series, doer, now))
            it = calling.sitting_of(meetings, name)
            return meeting_shape(calling.cancel_sitting(store, it, doer, now))

        body = await done(self._shelf, (bearer, "cancel", f"meeting:{name}"), work)
        return answered(request, HTTPStatus.OK, body)

    async def move(self, request: web.Request) -> web.Response:
        bearer, fields = await asked(self._gate, request, MoveFields)
        name, now = request.match_info["sitting"], self._sources.wall()
        meetings = tuple(self._sources.agenda())

        def work(store: Store, doer: Doer) -> Shape:
            it = calling.sitting_of(meetings, name)
            return meeting_shape(calling.move(store, it, moved_to(fields, it), doer, now))

        body = await done(self._shelf, (bearer, "move", f"sitting:{name}"), work)
        return answered(request, HTTPStatus.OK, body)

    async def mark(self, request: web.Request) -> web.Response:
        bearer, fields = await asked(self._gate, request, MarkFields)
        name, now = request.match_info["sitting"], self._sources.wall()
        meetings, author = tuple(self._sources.agenda()), fields.author or bearer.name
        said = Attendance(
            name, fields.province, now, fields.presence, author, fields.officer, fields.note
        )

        def work(store: Store, doer: Doer) -> Shape:
            past = recall(store, meetings, name, 0.0)
            if past is None:
                raise NoSuchError(f"no sitting {name}")
            return mark_shape(calling.mark(store, past.sitting, said, doer))

        body = await done(self._shelf, (bearer, f"mark {fields.presence}", f"sitting:{name}"), work)
        return answered(request, HTTPStatus.CREATED, body)
