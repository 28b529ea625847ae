"""``vcmon maintenance``: planned windows; beside a running vcmon or without one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from pydantic import ValidationError

from vcmon.clock import SystemClock
from vcmon.commands.clashing import notes, planned
from vcmon.commands.memory import (
    DEFAULT,
    AsJson,
    Config,
    Name,
    author,
    clock,
    doer,
    lasting,
    opened,
    refuse,
    show,
    tell,
)
from vcmon.commands.options import with_options
from vcmon.config.schema import WindowFields
from vcmon.config.settings import Settings
from vcmon.config.windows import Scopes, window_of
from vcmon.history.deeds import NoSuchError, end, plan
from vcmon.history.facts import Facts
from vcmon.history.maintenance import following
from vcmon.history.remarks import RefusedError
from vcmon.model.memory import Maintenance
from vcmon.readiness.clashes import under_windows
from vcmon.views.shapes import explained, maintenance_list

maintenance = typer.Typer(help="Planned maintenance: see, plan, end.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The window's number.")]


@maintenance.command(name="list", epilog="Example: vcmon maintenance list --days 7")
def list_(
    days: Annotated[float, typer.Option(min=0.1, max=366, help="How far ahead.")] = 30.0,
    as_json: AsJson = False,
    config: Config = DEFAULT,
) -> None:
    """List the windows that are not over, of the settings too, and when they take place."""
    now = SystemClock().wall()
    with opened(config, write=False) as memory:
        windows = (*memory.settings.maintenance, *memory.store.maintenance())
    found = maintenance_list(windows, days, now)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    kept = [each for each in windows if following(each, now) is not None]
    if not kept:
        tell("no maintenance is planned")
        return
    show(
        ("no", "next", "for", "scope", "title", "repeat", "by"),
        [_row(each, now) for each in kept],
    )


def _row(it: Maintenance, now: float) -> tuple[str, ...]:
    coming = following(it, now)
    starts = "-" if coming is None else clock(coming.start)
    return (
        str(it.id) if it.id else "settings",
        f"{starts}, on now" if coming is not None and coming.start <= now else starts,
        lasting(it.seconds),
        it.scope,
        it.title,
        it.rule or "once",
        it.author or "-",
    )


@dataclass(frozen=True)
class Plan:
    """The options of ``add``."""

    scope: Annotated[str, typer.Option(help="province:, endpoint:, provider: or island:, a name.")]
    title: Annotated[str, typer.Option(help="What is done.")]
    start: Annotated[str, typer.Option(help="The first time, as '2026-11-28 22:00', in --zone.")]
    duration: Annotated[str, typer.Option(help="How long each time, as 4h.")]
    zone: Annotated[str, typer.Option(help="WIB, WITA, WIT or an IANA name.")] = "WIB"
    repeat: Annotated[str, typer.Option(help="RFC 5545, as FREQ=WEEKLY;BYDAY=SU.")] = ""
    name: Name = ""
    config: Config = DEFAULT


@maintenance.command(
    epilog="Example: vcmon maintenance add --scope province:papua --title 'Penggantian router' "
    "--start '2026-11-28 22:00' --duration 4h --zone WIT"
)
@with_options(Plan)
def add(wanted: Plan) -> None:
    """Plan a window, once or again and again; it begins now or later."""
    now = SystemClock().wall()
    with opened(wanted.config, write=True) as memory:
        try:
            window = replace(_window(wanted, memory.settings), author=author(wanted.name))
            made = plan(memory.store, window, doer(), now)
        except (RefusedError, ValueError) as error:
            raise refuse(error) from None
        tell(f"maintenance {made.id}: {made.scope}, {made.title}, {clock(made.start)}")
        meetings, facts = planned(memory.settings, memory.store), Facts.of(memory.settings)
        for line in notes(under_windows(meetings, [made], facts, now)):
            tell(f"note: {line}")


def _window(wanted: Plan, settings: Settings) -> Maintenance:
    """Raises ValueError with all that is wrong."""
    names = ("scope", "title", "start", "duration", "zone", "repeat")
    written = {name: getattr(wanted, name) for name in names}
    try:
        fields = WindowFields.model_validate_json(json.dumps(written), strict=True)
    except ValidationError as invalid:
        raise ValueError(explained(invalid)) from None
    return window_of(fields, Scopes.of(settings.endpoints))


@maintenance.command(name="end", epilog="Example: vcmon maintenance end 3")
def end_(number: Number, config: Config = DEFAULT) -> None:
    """End a window now, or call it off: nothing of it happens any more."""
    with opened(config, write=True) as memory:
        try:
            ended = end(memory.store, number, doer(), SystemClock().wall())
        except (NoSuchError, RefusedError) as error:
            raise refuse(error) from None
    tell(f"maintenance {number} ({ended.title}) is ended")
