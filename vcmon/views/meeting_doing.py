"""What people do about a sitting on the pages: call the roll, move it, call it off.

The forms need no script, and the pages they stand on never reload themselves: what somebody is
typing stays. The page of the sitting (:mod:`vcmon.views.meeting_face`) is the one that lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from vcmon.config.windows import ZONES, PlanError
from vcmon.history.deeds import Doer, NoSuchError
from vcmon.history.store import Store
from vcmon.model.meeting import Attendance
from vcmon.readiness import calling
from vcmon.views import meeting_words as told
from vcmon.views.doing import OBJECTIONS, answered, carry_out, frame, objection, retyped
from vcmon.views.door import Door
from vcmon.views.forms import sent, towards
from vcmon.views.meeting_face import ID
from vcmon.views.meeting_head import head_of
from vcmon.views.meeting_past import Past, recall
from vcmon.views.meeting_roll import Line, Look, Table, contacts_of, table_of
from vcmon.views.meeting_shapes import MarkFields, MoveFields, moved_to
from vcmon.views.pages import Pages
from vcmon.views.sessions import Session
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import TONGUES, Tongue, spoken_at

MOVE, CANCEL, CANCEL_ALL = "pindah", "batal", "batal-semua"
"""What the form for changes can ask for."""


class MeetingDoing:
    """The handlers of ``/rapat/<sitting>/hadir`` and ``/rapat/<sitting>/ubah``."""

    def __init__(self, sources: Sources, shelf: Shelf, door: Door, pages: Pages) -> None:
        self._sources = sources
        self._shelf = shelf
        self._door = door
        self._calls = pages.environment.get_template("hadir.html")
        self._changes = pages.environment.get_template("ubah.html")

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        served = self._door.served
        for tongue in TONGUES.values():
            one = rf"{tongue.root}/rapat/{{sitting:{ID}}}"
            app.router.add_get(f"{one}/hadir", served(self.calls))
            app.router.add_post(f"{one}/hadir", served(self.mark))
            app.router.add_get(f"{one}/ubah", served(self.changes))
            app.router.add_post(f"{one}/ubah", served(self.change))

    # ---- who is there

    async def calls(self, request: web.Request) -> web.Response:
        """The roster with whom to call, and a form for each province."""
        session = await self._door.operator(request)
        return await self._called(request, session)

    async def mark(self, request: web.Request) -> web.Response:
        """One mark; then the page again, by GET, at the next province that nobody has called."""
        session = await self._door.operator(request)
        fields = await sent(request, session)
        asked = {name: text.strip() for name, text in fields.items() if text.strip()}
        name = request.match_info["sitting"]
        try:
            said = MarkFields.model_validate(asked)
            mark = Attendance(
                name,
                said.province,
                self._sources.wall(),
                said.presence,
                session.user,
                said.officer,
                said.note,
            )
            past = await self._past(name)
            await carry_out(
                self._shelf,
                session,
                (f"mark {said.presence}", f"sitting:{name}/{said.province}"),
                lambda store, doer: calling.mark(store, past.sitting, mark, doer),
            )
        except OBJECTIONS as error:
            why = objection(error, spoken_at(request.path))
            return await self._called(request, session, typed=retyped(fields), why=why)
        return towards(f"{request.path}?selesai={said.province}")

    async def _called(self, request: web.Request, session: Session, **more: Any) -> web.Response:
        past = await self._past(request.match_info["sitting"])
        tongue, now = spoken_at(request.path), self._sources.wall()
        table = self._table(past, tongue)
        lines = self._in_order(table)
        done = request.query.get("selesai", "")
        names = {line.slug: line.name for line in lines}
        facts = frame(tongue, session, now) | {
            "head": head_of(past.sitting, now, tongue),
            "table": table,
            "lines": lines,
            "next": next_to_call(lines, done),
            "saved": names.get(done, ""),
            "presences": {each.value: text for each, text in told.PRESENCES.items()},
            **more,
        }
        return answered(self._calls, facts)

    def _table(self, past: Past, tongue: Tongue) -> Table:
        settings, now = self._sources.settings(), self._sources.wall()
        look = Look(now, tongue, settings.provinces, contacts_of(settings))
        it = past.sitting
        live = self._sources.roll(it.id) if now < it.stop else None
        return table_of(it, live, past.rolls, past.marks, look)

    def _in_order(self, table: Table) -> list[Line]:
        """Required first, then from west to east: rows that stand where they stood."""
        known = self._sources.settings().provinces
        return sorted(
            table.lines,
            key=lambda it: (not it.required, known[it.slug].code if it.slug in known else "~"),
        )

    # ---- another time, or never

    async def changes(self, request: web.Request) -> web.Response:
        """A form to move the sitting, and to call it or its whole series off."""
        session = await self._door.operator(request)
        return await self._changed(request, session)

    async def change(self, request: web.Request) -> web.Response:
        """What was asked for; then the list of meetings."""
        session = await self._door.operator(request)
        fields, name = await sent(request, session), request.match_info["sitting"]
        action = fields.pop("deed", "")
        try:
            work = self._change_of(action, name, fields)
            await carry_out(self._shelf, session, (action[:20], f"sitting:{name}"), work)
        except OBJECTIONS as error:
            why = objection(error, spoken_at(request.path))
            return await self._changed(request, session, typed=retyped(fields), why=why)
        except NoSuchError:
            raise web.HTTPNotFound from None
        return towards(f"{spoken_at(request.path).root}/rapat?selesai={action}")

    def _change_of(
        self, action: str, name: str, fields: Mapping[str, str]
    ) -> Callable[[Store, Doer], object]:
        """The deed that the form asks for. Raises PlanError, ValidationError, NoSuchError."""
        now, meetings = self._sources.wall(), tuple(self._sources.agenda())
        it = calling.sitting_of(meetings, name)
        if action == CANCEL:
            return lambda store, doer: calling.cancel_sitting(store, it, doer, now)
        if action == CANCEL_ALL:
            return lambda store, doer: calling.cancel(store, it.meeting, doer, now)
        if action == MOVE:
            asked = {key: text.strip() for key, text in fields.items() if text.strip()}
            to = moved_to(MoveFields.model_validate(asked), it)
            return lambda store, doer: calling.move(store, it, to, doer, now)
        raise PlanError({"deed": f"expected {MOVE}, {CANCEL} or {CANCEL_ALL}"})

    async def _changed(self, request: web.Request, session: Session, **more: Any) -> web.Response:
        tongue, now = spoken_at(request.path), self._sources.wall()
        try:
            it = calling.sitting_of(self._sources.agenda(), request.match_info["sitting"])
        except NoSuchError:
            raise web.HTTPNotFound from None
        facts = frame(tongue, session, now) | {
            "head": head_of(it, now, tongue),
            "series": bool(it.meeting.rule or it.meeting.added),
            "zones": tuple(ZONES),
            **more,
        }
        return answered(self._changes, facts)

    async def _past(self, name: str) -> Past:
        meetings, now = tuple(self._sources.agenda()), self._sources.wall()
        found = await self._shelf.read(lambda store: recall(store, meetings, name, now))
        if found is None:
            raise web.HTTPNotFound
        return replace(found, intervals={})


def next_to_call(lines: list[Line], done: str) -> str:
    """The first province after ``done`` that nobody has called, else the first at all; or ""."""
    place = next((index for index, line in enumerate(lines) if line.slug == done), -1)
    waiting = [line.slug for line in (*lines[place + 1 :], *lines[: place + 1]) if not line.mark]
    return waiting[0] if waiting else ""
