"""What people do on the pages: forms for remarks on an incident, and for maintenance.

They need no script. Who is signed in as an operator may send them; every deed stands in the audit
trail under the user's name (:mod:`vcmon.history.deeds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from aiohttp import web
from jinja2 import Template
from pydantic import ValidationError

from vcmon.config.fields import duration as span
from vcmon.config.profiles import LIMITS
from vcmon.config.settings import Settings
from vcmon.config.tokens import Role
from vcmon.config.windows import ZONES, PlanError, Scopes, window_of
from vcmon.history.deeds import Doer, NoSuchError, end, incident_of, plan, say
from vcmon.history.maintenance import following
from vcmon.history.remarks import TEXT_MAX, TICKET_MAX, RefusedError
from vcmon.history.store import Store
from vcmon.model.memory import Cause, Deed, Incident, Maintenance, Remark
from vcmon.views import door_words as told
from vcmon.views import words
from vcmon.views.clash_words import of_windows
from vcmon.views.door import Door, other
from vcmon.views.feed import owner_words
from vcmon.views.forms import Denied, page, sent, towards
from vcmon.views.pages import Pages
from vcmon.views.planned import planned_of, scope_words
from vcmon.views.recall import number_of
from vcmon.views.sessions import Session
from vcmon.views.shapes import PlanFields, RemarkFields
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources
from vcmon.views.tongue import TONGUES, Tongue, spoken_at

T = TypeVar("T")

REMARKS = 20
"""The latest remarks beside the forms: the page of the incident tells all."""

WINDOWS = 100
"""Windows in the list; the API tells more."""

SUGGESTED = 300
"""Endpoints that the field for the scope suggests; any other can be typed."""

log = structlog.get_logger("vcmon.views")


class Doing:
    """The handlers of ``/gangguan/<number>/tindak`` and ``/pemeliharaan``."""

    def __init__(self, sources: Sources, shelf: Shelf, door: Door, pages: Pages) -> None:
        self._sources = sources
        self._shelf = shelf
        self._door = door
        self._tindak = pages.environment.get_template("tindak.html")
        self._windows = pages.environment.get_template("pemeliharaan.html")

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        served = self._door.served
        for tongue in TONGUES.values():
            deeds = rf"{tongue.root}/gangguan/{{number:\d{{1,18}}}}/tindak"
            app.router.add_get(deeds, served(self.form))
            app.router.add_post(deeds, served(self.remark))
            app.router.add_get(f"{tongue.root}/pemeliharaan", served(self.windows, always=True))
            app.router.add_post(f"{tongue.root}/pemeliharaan", served(self.plan))
            ending = rf"{tongue.root}/pemeliharaan/{{number:\d{{1,18}}}}/akhiri"
            app.router.add_post(ending, served(self.end))

    # ---- an incident

    async def form(self, request: web.Request) -> web.Response:
        """What is known of the incident, and a form for each deed that it is open to."""
        session = await self._door.operator(request)
        incident = await self._incident(number_of(request))
        return self._shown(request, session, incident)

    async def remark(self, request: web.Request) -> web.Response:
        """The deed; then the page again, by GET."""
        session = await self._door.operator(request)
        fields, number = await sent(request, session), number_of(request)
        asked = {name: text.strip() for name, text in fields.items() if text.strip()}
        try:
            said = RemarkFields.model_validate(asked)
        except ValidationError as invalid:
            wrong = expected(keys_of(invalid), spoken_at(request.path))
            return await self._again(request, session, fields, wrong)
        remark = Remark(
            self._sources.wall(), session.user, said.deed, said.text, said.ticket, said.cause
        )
        try:
            await carry_out(
                self._shelf,
                session,
                (said.deed, f"incident:{number}"),
                lambda store, doer: say(store, number, remark, doer),
            )
        except NoSuchError:
            raise Denied(HTTPStatus.NOT_FOUND, told.NO_INCIDENT) from None
        except RefusedError as error:
            wrong = spoken_at(request.path).say(told.WHY[error.why])
            return await self._again(request, session, fields, wrong)
        return towards(f"{request.path}?selesai={said.deed}")

    async def _incident(self, number: int) -> Incident:
        try:
            return await self._shelf.read(lambda store: incident_of(store, number))
        except NoSuchError:
            raise Denied(HTTPStatus.NOT_FOUND, told.NO_INCIDENT) from None

    async def _again(
        self, request: web.Request, session: Session, fields: Mapping[str, str], why: str
    ) -> web.Response:
        """The page with what was typed, and why it is not saved."""
        incident = await self._incident(number_of(request))
        return self._shown(request, session, incident, typed=retyped(fields), why=why)

    def _shown(
        self,
        request: web.Request,
        session: Session,
        incident: Incident,
        **more: Any,
    ) -> web.Response:
        tongue, now = spoken_at(request.path), self._sources.wall()
        done = request.query.get("selesai", "")
        facts = frame(tongue, session, now) | {
            "incident": incident,
            "owner": owner_words(incident.owner, self._sources.settings()),
            "remarks": incident.remarks[-REMARKS:],
            "causes": {str(each): words.CAUSES[each] for each in Cause},
            "done": told.DONE[Deed(done)] if done in set(Deed) else "",
            **more,
        }
        return answered(self._tindak, facts)

    # ---- maintenance

    async def windows(self, request: web.Request) -> web.Response:
        """What is planned; for an operator with a form to plan more, and to end it."""
        session = await self._door.session(request)
        done = {"rencana": told.PLANNED, "akhir": told.ENDED}
        asked = request.query.get("selesai", "")
        return await self._list(request, session, done=done.get(asked, ""))

    async def plan(self, request: web.Request) -> web.Response:
        """The window planned; then the list again, by GET."""
        session = await self._door.operator(request)
        fields, now = await sent(request, session), self._sources.wall()
        asked = {name: text.strip() for name, text in fields.items() if text.strip()}
        settings, tongue = self._sources.settings(), spoken_at(request.path)

        def work(store: Store, doer: Doer) -> Maintenance:
            # Not for the loop: a rule that seldom comes true is looked for over decades.
            window = window_of(
                PlanFields.model_validate(asked | {"author": session.user}),
                Scopes.of(settings.endpoints),
            )
            return plan(store, replace(window, author=session.user), doer, now)

        try:
            await carry_out(self._shelf, session, ("plan", asked.get("scope", "")[:100]), work)
        except OBJECTIONS as error:
            why = objection(error, tongue)
        else:
            return towards(f"{request.path}?selesai=rencana")
        return await self._list(request, session, typed=retyped(fields), why=why)

    async def end(self, request: web.Request) -> web.Response:
        """Nothing of the window happens from now on."""
        session = await self._door.operator(request)
        await sent(request, session)
        number, now = number_of(request), self._sources.wall()
        try:
            await carry_out(
                self._shelf,
                session,
                ("end", f"maintenance:{number}"),
                lambda store, doer: end(store, number, doer, now),
            )
        except NoSuchError:
            raise Denied(HTTPStatus.NOT_FOUND, told.NO_WINDOW) from None
        except RefusedError as error:
            why = spoken_at(request.path).say(told.WHY[error.why])
            return await self._list(request, session, why=why)
        return towards(f"{spoken_at(request.path).root}/pemeliharaan?selesai=akhir")

    async def _list(
        self, request: web.Request, session: Session | None, **more: Any
    ) -> web.Response:
        settings, tongue = self._sources.settings(), spoken_at(request.path)
        now, meetings = self._sources.wall(), tuple(self._sources.agenda())
        plans = session is not None and session.role == Role.OPERATOR

        def work(store: Store) -> tuple[list[Row], Mapping[Maintenance, tuple[str, ...]]]:
            kept = (*settings.maintenance, *store.maintenance())
            clashing = of_windows((meetings, kept), settings, now, tongue) if plans else {}
            return list(rows(kept, settings, now, tongue)), clashing

        windows, clashing = await self._shelf.read(work)
        facts = frame(tongue, session, now) | {
            "signing": self._door.on,
            "windows": windows,
            "clashing": clashing,
            "scopes": suggested(settings),
            "zones": tuple(ZONES),
            "most": WINDOWS,
            **more,
        }
        return answered(self._windows, facts)


async def carry_out(
    shelf: Shelf, session: Session, deed: tuple[str, str], work: Callable[[Store, Doer], T]
) -> T:
    """The deed (what, to what), in a thread, with its line in the log; raises as ``work`` does."""
    doer, (action, target) = Doer(session.user, session.role), deed
    made = await shelf.write(lambda store: work(store, doer))
    log.info("deed", who=session.user, role=session.role, action=action, target=target)
    return made


def retyped(fields: Mapping[str, str]) -> Mapping[str, str]:
    """What was typed, to be mended: as it would be kept, but that it may be too long."""
    return {name: words.clean(text, 2 * TEXT_MAX) for name, text in fields.items()}


OBJECTIONS = (ValidationError, PlanError, RefusedError)
"""What a form's fields, or what they ask for, may raise."""


def objection(error: ValidationError | PlanError | RefusedError, tongue: Tongue) -> str:
    """Why what a form asks for is not done, and what would do."""
    if isinstance(error, RefusedError):
        return tongue.say(told.WHY[error.why])
    return expected(error.keys if isinstance(error, PlanError) else keys_of(error), tongue)


def keys_of(invalid: ValidationError) -> Iterable[str]:
    """The fields that hold something else than they should; "" for what is no field of ours."""
    return (str(error["loc"][0]) if error["loc"] else "" for error in invalid.errors())


def expected(keys: Iterable[str], tongue: Tongue) -> str:
    """What belongs into these fields, each told once."""
    low, high = LIMITS["duration"]
    bounds = {"note": TEXT_MAX, "ticket": TICKET_MAX, "low": span(low), "high": span(high)}
    texts = dict.fromkeys(told.FIELDS.get(key, told.UNREADABLE) for key in keys)
    return " ".join(tongue.say(text, **bounds) for text in texts)


def frame(tongue: Tongue, session: Session | None, now: float) -> dict[str, Any]:
    """What every page with a form is made with."""
    return {
        "tongue": tongue,
        "other": other(tongue),
        "say": tongue.say,
        "session": session,
        "signing": True,
        "roles": told.ROLES,
        "now": now,
        "typed": {},
        "why": "",
        "done": "",
    }


def answered(template: Template, facts: Mapping[str, Any]) -> web.Response:
    """The page; 422 where it tells why something is not saved."""
    return page(
        template.render(**facts), HTTPStatus.UNPROCESSABLE_ENTITY if facts["why"] else HTTPStatus.OK
    )


Row = tuple[Maintenance, str, str, bool]


def rows(
    windows: tuple[Maintenance, ...], settings: Settings, now: float, tongue: Tongue
) -> Iterator[Row]:
    """Each window that is not over: itself, for what it is, when it is next, whether it is on."""
    coming = [each for window in windows if (each := following(window, now))]
    coming.sort(key=lambda each: each.start)
    for each in coming[:WINDOWS]:
        (one,) = planned_of([each], settings.provinces, now, tongue)
        window = each.maintenance
        yield window, scope_words(window.scope, settings.provinces, tongue), one.when, one.on


def suggested(settings: Settings) -> tuple[str, ...]:
    """What the field for the scope suggests."""
    provinces = (f"province:{slug}" for slug in settings.provinces)
    islands = sorted({f"island:{one.island}" for one in settings.provinces.values() if one.island})
    providers = sorted({f"provider:{one.provider}" for one in settings.endpoints if one.provider})
    endpoints = (f"endpoint:{one.id}" for one in settings.endpoints[:SUGGESTED])
    return (*provinces, *islands, *providers[:SUGGESTED], *endpoints)
