"""``/rapat``: the meeting that is on or next, today's, those to come and those that were; and for
an operator the form that plans one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from vcmon.config.meetings import meeting_of
from vcmon.config.schema import MeetingFields
from vcmon.config.tokens import Role
from vcmon.config.windows import ZONES
from vcmon.history.deeds import Doer
from vcmon.history.store import Store
from vcmon.model.endpoint import CONFERENCE_ROLES
from vcmon.model.meeting import Meeting, Origin, Sitting
from vcmon.readiness import agenda, calling
from vcmon.readiness.calling import free_id
from vcmon.views import words
from vcmon.views.clash_words import of_meetings
from vcmon.views.doing import OBJECTIONS, answered, frame, objection, retyped
from vcmon.views.door import Door
from vcmon.views.forms import sent, towards
from vcmon.views.meeting_head import head_of
from vcmon.views.pages import Pages
from vcmon.views.refusal import Refusal
from vcmon.views.sessions import Session
from vcmon.views.shapes import DAY
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import TONGUES, Tongue, spoken_at

DAYS = 30
"""How far ahead the list looks, and how far back."""

COMING_MAX, PAST_MAX = 60, 20
"""Sittings of each list: two a day, and what was lately."""

ROOMS_MAX = 300
"""Endpoints that the field for the room suggests; any other can be typed."""

DONE: Mapping[str, str] = {
    "rencana": "Rapat disimpan.",
    "pindah": "Rapat dipindahkan.",
    "batal": "Rapat dibatalkan.",
    "batal-semua": "Seluruh rangkaian rapat dibatalkan.",
}

log = structlog.get_logger("vcmon.views")


class MeetingList:
    """The handlers."""

    def __init__(self, sources: Sources, shelf: Shelf, door: Door, pages: Pages) -> None:
        self._sources = sources
        self._shelf = shelf
        self._door = door
        self._template = pages.environment.get_template("rapat.html")

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        for tongue in TONGUES.values():
            app.router.add_get(f"{tongue.root}/rapat", self._door.served(self.list, always=True))
            app.router.add_post(f"{tongue.root}/rapat", self._door.served(self.plan))

    async def list(self, request: web.Request) -> web.Response:
        """All that is planned, and what was."""
        session = await self._door.session(request)
        done = DONE.get(request.query.get("selesai", ""), "")
        return await self._listed(request, session, done=done)

    async def plan(self, request: web.Request) -> web.Response:
        """The meeting planned; then the list again, by GET."""
        session = await self._door.operator(request)
        fields, now = await sent(request, session), self._sources.wall()
        known, endpoints = tuple(self._sources.agenda()), self._sources.settings().endpoints

        def work(store: Store) -> Meeting:
            taken = {each.id for each in (*known, *store.meetings())}
            asked = MeetingFields.model_validate(written(fields, taken))
            meeting = replace(meeting_of(asked, endpoints), origin=Origin.PERSON)
            return calling.plan(store, meeting, taken, Doer(session.user, session.role), now)

        try:
            made = await self._shelf.write(work)
        except OBJECTIONS as error:
            why = objection(error, spoken_at(request.path))
            return await self._listed(request, session, typed=retyped(fields), why=why)
        log.info("deed", who=session.user, role=session.role, action="plan", target=made.id)
        return towards(f"{request.path}?selesai=rencana")

    async def _listed(
        self, request: web.Request, session: Session | None, **more: Any
    ) -> web.Response:
        tongue, now = spoken_at(request.path), self._sources.wall()
        meetings = tuple(self._sources.agenda())
        coming = agenda.sittings(meetings, now, now + DAYS * DAY)
        kept = await self._kept(now)
        following = coming[0] if coming else None
        roll = self._sources.roll(following.id) if following else None
        today, later = parted(coming, now)
        facts = frame(tongue, session, now) | {
            "signing": self._door.on,
            "next": head_of(following, now, tongue, roll) if following else None,
            "next_missing": bool(roll and roll.required_missing),
            "today": [head_of(each, now, tongue) for each in today],
            "coming": [head_of(each, now, tongue) for each in later[:COMING_MAX]],
            "past": [head_of(each, now, tongue) for each in kept if each.stop <= now],
            "days": DAYS,
            "zones": tuple(ZONES),
            "rooms": self._rooms(),
            "notes": await self._clashes(session, meetings, now, tongue),
            **more,
        }
        return answered(self._template, facts)

    async def _clashes(
        self, session: Session | None, meetings: Sequence[Meeting], now: float, tongue: Tongue
    ) -> Sequence[str]:
        """What a planner should know of the weeks to come; nothing for anybody else."""
        if session is None or session.role != Role.OPERATOR:
            return ()
        settings = self._sources.settings()

        def work(store: Store) -> Sequence[str]:
            windows = (*settings.maintenance, *store.maintenance())
            return of_meetings((meetings, windows), settings, now, tongue)

        return await self._shelf.read(work)

    async def _kept(self, now: float) -> Sequence[Sitting]:
        """What was lately; nothing where there is no memory."""
        try:
            return await self._shelf.read(
                lambda store: store.kept_sittings(now - DAYS * DAY, now, PAST_MAX)
            )
        except Refusal as refused:
            if refused.status is HTTPStatus.NOT_FOUND:
                return ()
            raise

    def _rooms(self) -> tuple[str, ...]:
        endpoints = self._sources.settings().endpoints
        return tuple(each.id for each in endpoints if each.role in CONFERENCE_ROLES)[:ROOMS_MAX]


def parted(coming: Sequence[Sitting], now: float) -> tuple[Sequence[Sitting], Sequence[Sitting]]:
    """Those of today by Jakarta's calendar, and those of later."""
    today = words.local_time(now, words.WIB)
    days = [words.local_time(each.start, words.WIB) for each in coming]
    first = sum(bool(day and today and day.date() <= today.date()) for day in days)
    return coming[:first], coming[first:]


def written(fields: Mapping[str, str], taken: Collection[str]) -> dict[str, object]:
    """The form as the settings would have it: lists where they have lists, and a name."""
    asked: dict[str, object] = {name: text.strip() for name, text in fields.items() if text.strip()}
    for roster in ("required", "optional"):
        if text := fields.get(roster, "").strip():
            asked[roster] = tuple(part.strip() for part in text.split(",") if part.strip())
    return asked | {"id": free_id(fields.get("title", ""), taken)}
