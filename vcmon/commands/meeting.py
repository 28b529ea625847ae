"""``vcmon meeting``: who meets when; beside a running vcmon or without one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from vcmon.clock import SystemClock
from vcmon.commands.clashing import notes, planned, words
from vcmon.commands.memory import (
    DEFAULT,
    AsJson,
    Config,
    Memory,
    clock,
    doer,
    lasting,
    opened,
    refuse,
    show,
    tell,
)
from vcmon.commands.minutes import report
from vcmon.commands.options import with_options
from vcmon.config.meetings import meeting_of, seats_of
from vcmon.config.schema import MeetingFields
from vcmon.config.settings import Settings
from vcmon.history.deeds import NoSuchError
from vcmon.history.facts import Facts
from vcmon.history.remarks import RefusedError
from vcmon.model.meeting import Meeting, Origin, Sitting
from vcmon.readiness import agenda, calling
from vcmon.readiness.clashes import clashes
from vcmon.readiness.events import Event, read_events
from vcmon.readiness.ics import FILE_MAX
from vcmon.readiness.importing import Outcome, Wishes, carry_out, decide
from vcmon.views.meeting_shapes import MoveFields, meeting_list, moved_to
from vcmon.views.shapes import explained

meeting = typer.Typer(help="Meetings: see, plan, import, move, check.", no_args_is_help=True)

meeting.command(
    name="report",
    epilog="Example: vcmon meeting report mingguan-20261123-0800 -o berita-acara.html",
)(report)

CLASHING = 1
"""Exit code of ``check`` when there is a clash."""

DONE = {"import": "planned", "change": "changed", "cancel": "called off"}


@meeting.command(name="list", epilog="Example: vcmon meeting list --days 7")
def list_(
    days: Annotated[float, typer.Option(min=0.1, max=366, help="How far --json looks.")] = 30.0,
    as_json: AsJson = False,
    config: Config = DEFAULT,
) -> None:
    """List the meetings that are not over, of the settings too, and when each is next."""
    now = SystemClock().wall()
    with opened(config, write=False) as memory:
        meetings = planned(memory.settings, memory.store)
    if as_json:
        typer.echo(meeting_list(meetings, days, now).model_dump_json(indent=2))
        return
    coming = [each for each in (agenda.following(it, now) for it in meetings) if each]
    if not coming:
        tell("no meeting is planned")
        return
    coming.sort(key=lambda each: (each.start, each.meeting.id))
    show(
        ("id", "next", "for", "required", "optional", "title", "repeat", "by"),
        [_row(each, now) for each in coming],
    )


def _row(it: Sitting, now: float) -> tuple[str, ...]:
    seats, begins = it.meeting.seats, clock(it.start)
    required = sum(seat.required for seat in seats)
    return (
        it.meeting.id,
        f"{begins}, on now" if it.start <= now else begins,
        lasting(it.stop - it.start),
        str(required),
        str(len(seats) - required),
        it.meeting.title,
        it.meeting.rule or "once",
        "settings" if it.meeting.origin is Origin.SETTINGS else it.meeting.author,
    )


@dataclass(frozen=True)
class Plan:
    """The options of ``add``."""

    title: Annotated[str, typer.Option(help="What it is called.")]
    start: Annotated[str, typer.Option(help="The first time, as '2026-11-23 08:00', in --zone.")]
    duration: Annotated[str, typer.Option(help="How long each time, as 2h.")]
    zone: Annotated[str, typer.Option(help="WIB, WITA, WIT or an IANA name.")] = "WIB"
    repeat: Annotated[str, typer.Option(help="RFC 5545, as FREQ=WEEKLY;BYDAY=MO.")] = ""
    required: Annotated[str, typer.Option(help="Provinces, as 'aceh, bali', or all.")] = "all"
    optional: Annotated[str, typer.Option(help="Provinces that may join, or all.")] = ""
    room: Annotated[str, typer.Option(help="The endpoint that all join.")] = ""
    organiser: Annotated[str, typer.Option(help="Who invites.")] = ""
    id: Annotated[str, typer.Option(help="Its name in addresses; made of the title if unsaid.")] = (
        ""
    )
    config: Config = DEFAULT


@meeting.command(
    epilog="Example: vcmon meeting add --title 'Rapat mingguan' --start '2026-11-23 08:00' "
    "--duration 2h --repeat 'FREQ=WEEKLY;BYDAY=MO'"
)
@with_options(Plan)
def add(wanted: Plan) -> None:
    """Plan a meeting, once or again and again."""
    now = SystemClock().wall()
    with opened(wanted.config, write=True) as memory:
        taken = {each.id for each in (*memory.settings.meetings, *memory.store.meetings())}
        try:
            it = replace(_meeting(wanted, memory.settings, taken), origin=Origin.PERSON)
            made = calling.plan(memory.store, it, taken, doer(), now)
        except ValueError as error:  # RefusedError is one
            raise refuse(error) from None
        first = agenda.following(made, now)
        tell(f"meeting {made.id}: {made.title}, {clock(first.start if first else None)}")
        _point_out(memory, [made], now)


def _meeting(wanted: Plan, settings: Settings, taken: set[str]) -> Meeting:
    """Raises ValueError with all that is wrong."""
    names = ("title", "start", "duration", "zone", "repeat", "room", "organiser")
    written: dict[str, object] = {name: getattr(wanted, name) for name in names}
    written |= {
        "id": wanted.id or calling.free_id(wanted.title, taken),
        "required": _listed(wanted.required),
        "optional": _listed(wanted.optional),
    }
    try:
        fields = MeetingFields.model_validate_json(json.dumps(written), strict=True)
    except ValidationError as invalid:
        raise ValueError(explained(invalid)) from None
    return meeting_of(fields, settings.endpoints)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True)
class Import:
    """The options of ``import``."""

    file: Annotated[Path, typer.Argument(help="A calendar file (.ics).")]
    required: Annotated[str, typer.Option(help="Provinces of what is new; all if unsaid.")] = ""
    optional: Annotated[str, typer.Option(help="Provinces that may join, or all.")] = ""
    room: Annotated[str, typer.Option(help="The endpoint that all join.")] = ""
    only: Annotated[str, typer.Option(help="Events with these words in their title.")] = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell; write nothing.")] = False
    config: Config = DEFAULT


@meeting.command(name="import", epilog="Example: vcmon meeting import rapat.ics --only mingguan")
@with_options(Import)
def import_(wanted: Import) -> None:
    """Bring the meetings of a calendar file in, by UID: whole or not at all.

    What is known already is changed, called off or left as it is. Exit 2: nothing of the file
    can be taken.
    """
    now, events = SystemClock().wall(), _events(wanted.file)
    with opened(wanted.config, write=True) as memory:
        settings, store = memory.settings, memory.store
        try:
            wishes = _wishes(wanted, settings)
            outcome = decide(events, (*settings.meetings, *store.meetings()), wishes, now)
            if not wanted.dry_run:
                carry_out(store, outcome, doer(), now)
        except ValueError as error:  # RefusedError is one
            raise refuse(error) from None
        _tell(wanted, outcome)
        _point_out(memory, [each.meeting for each in outcome.changes], now)
    if not outcome.changes and not outcome.same:
        raise refuse(RefusedError(f"{wanted.file}: no meeting in it"))


def _events(file: Path) -> tuple[Event, ...]:
    try:
        with file.open("rb") as stream:
            data = stream.read(FILE_MAX + 1)
    except OSError as error:
        raise refuse(OSError(f"can't read {file}: {error.strerror or error}")) from None
    return read_events(data, str(file))


def _wishes(wanted: Import, settings: Settings) -> Wishes:
    """Raises ValueError."""
    said = wanted.required or wanted.optional
    # with the optional ones alone nobody is required but those that are named
    seats = seats_of(_listed(wanted.required), _listed(wanted.optional)) if said else None
    rooms = {endpoint.id for endpoint in settings.endpoints}
    if wanted.room and wanted.room not in rooms:
        raise ValueError(f"room: no endpoint of that name here: {wanted.room}")
    return Wishes(seats, wanted.room or None, wanted.only)


def _tell(wanted: Import, outcome: Outcome) -> None:
    would = "would be " * wanted.dry_run
    for note in outcome.notes:
        tell(f"{wanted.file}:{note.line}: {note.title or 'an event'}: {note.what}")
    for each in outcome.changes:
        tell(f"{would}{DONE[each.deed]}: {each.meeting.id} ({each.meeting.title})")
    if outcome.same:
        tell(f"{outcome.same} as they were")


@meeting.command(epilog="Example: vcmon meeting cancel mingguan-20261228-0800")
def cancel(
    name: Annotated[str, typer.Argument(help="A meeting's id, or that of one of its sittings.")],
    config: Config = DEFAULT,
) -> None:
    """Call a sitting off, or all of a meeting that is to come."""
    now = SystemClock().wall()
    with opened(config, write=True) as memory:
        meetings = planned(memory.settings, memory.store)
        whole = next((each for each in meetings if each.id == name), None)
        try:
            if whole is not None:
                calling.cancel(memory.store, whole, doer(), now)
            else:
                one = calling.sitting_of(meetings, name)
                calling.cancel_sitting(memory.store, one, doer(), now)
        except (NoSuchError, RefusedError) as error:
            raise refuse(error) from None
    tell(f"called off: {name}")


@meeting.command(
    epilog="Example: vcmon meeting move mingguan-20261228-0800 --start '2026-12-29 08:00'"
)
def move(
    sitting: Annotated[str, typer.Argument(help="The sitting's id.")],
    start: Annotated[str, typer.Option(help="When it begins, in --zone.")],
    duration: Annotated[str, typer.Option(help="How long, as 2h; as before if unsaid.")] = "",
    zone: Annotated[str, typer.Option(help="WIB, WITA, WIT or an IANA name.")] = "WIB",
    config: Config = DEFAULT,
) -> None:
    """Hold one sitting at another time; others of its meeting stay."""
    now = SystemClock().wall()
    written = {"start": start, "zone": zone} | ({"duration": duration} if duration else {})
    with opened(config, write=True) as memory:
        try:
            one = calling.sitting_of(planned(memory.settings, memory.store), sitting)
            to = moved_to(MoveFields.model_validate_json(json.dumps(written)), one)
            calling.move(memory.store, one, to, doer(), now)
        except ValidationError as invalid:
            raise refuse(ValueError(explained(invalid))) from None
        except (NoSuchError, ValueError) as error:  # RefusedError is one
            raise refuse(error) from None
        tell(f"moved: {sitting}, {clock(to[0])}")
        _point_out(memory, planned(memory.settings, memory.store), now, sitting)


@meeting.command(epilog="Example: vcmon meeting check")
def check(config: Config = DEFAULT) -> None:
    """Tell which meetings of the next 90 days fall on a holiday or under maintenance (exit 1)."""
    now = SystemClock().wall()
    with opened(config, write=False) as memory:
        settings, store = memory.settings, memory.store
        windows = (*settings.maintenance, *store.maintenance())
        found = clashes(planned(settings, store), windows, Facts.of(settings), now)
    for each in found:
        tell(words(each))
    if found:
        raise typer.Exit(CLASHING)
    tell("no meeting of the next 90 days clashes")


def _point_out(memory: Memory, meetings: Iterable[Meeting], now: float, one: str = "") -> None:
    """The clashes of these meetings; with ``one``, of that sitting alone."""
    windows = (*memory.settings.maintenance, *memory.store.maintenance())
    found = clashes(meetings, windows, Facts.of(memory.settings), now)
    for line in notes([each for each in found if one in {"", each.sitting.id}]):
        tell(f"note: {line}")
