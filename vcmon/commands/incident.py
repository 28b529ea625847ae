"""``vcmon incident``: what was lost, and what people say of it; beside a running vcmon or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vcmon.clock import SystemClock
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
from vcmon.history.deeds import NoSuchError, incident_of, month_span, say
from vcmon.history.paths import Pair
from vcmon.history.people import Wanted
from vcmon.history.remarks import RefusedError
from vcmon.model.memory import Cause, Deed, Incident, Remark
from vcmon.model.path import compare
from vcmon.views.path_shapes import incident_detail
from vcmon.views.path_words import sentence, side_by_side
from vcmon.views.shapes import incident_list
from vcmon.views.tongue import ENGLISH

DAYS = 30
"""What the list shows without a month: who asks, asks for what is going on."""

MOST = 500
"""Incidents in one list; a month of a whole country has a few dozen."""

MEMBERS = 50
"""Members told one by one; the JSON has them all."""

incident = typer.Typer(
    help="Incidents: see, acknowledge, note, judge, close.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(help="The incident's number.")]


@incident.command(name="list", epilog="Example: vcmon incident list --month 2026-10 --json")
def list_(
    is_open: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
    month: Annotated[
        str, typer.Option(help="A month as 2026-10 (Jakarta); else the last 30 days.")
    ] = "",
    as_json: AsJson = False,
    config: Config = DEFAULT,
) -> None:
    """List incidents, newest first."""
    now = SystemClock().wall()
    wanted = (
        Wanted(most=MOST + 1, open=True) if is_open else Wanted(now - DAYS * 86_400, most=MOST + 1)
    )
    if month:
        try:
            start, stop = month_span(month)
        except ValueError as error:
            raise refuse(ValueError(f"--month: {error}")) from None
        wanted = Wanted(start, stop, MOST + 1, is_open)
    with opened(config, write=False) as memory:
        found = memory.store.find(wanted)
    if as_json:
        typer.echo(incident_list(found, MOST).model_dump_json(indent=2))
        return
    if not found:
        tell("no incidents")
        return
    show(
        ("no", "since", "lasts", "what", "reason", "cause", "members", "acknowledged"),
        [_row(each, now) for each in found[:MOST]],
    )
    if len(found) > MOST:
        tell("... and older ones: ask for a month")


def _row(it: Incident, now: float) -> tuple[str, ...]:
    ended = it.stop if it.stop is not None else now
    ack = it.acknowledged
    return (
        str(it.id),
        clock(it.start),
        lasting(ended - it.start) + (", goes on" if it.stop is None else ""),
        it.owner,
        it.reason,
        it.cause,
        str(len({member.subject for member in it.members})),
        ack.author if ack else "-",
    )


@incident.command(name="show", epilog="Example: vcmon incident show 17")
def show_(number: Number, as_json: AsJson = False, config: Config = DEFAULT) -> None:
    """Show one incident with all that it took, and all that was said of it."""
    with opened(config, write=False) as memory:
        try:
            found = incident_of(memory.store, number)
            paths = memory.store.incident_routes(found)
        except NoSuchError as error:
            raise refuse(error) from None
    if as_json:
        typer.echo(incident_detail(found, paths).model_dump_json(indent=2))
        return
    for line in _account(found, SystemClock().wall()):
        tell(line)
    for pair in paths:
        show_path(pair)


def _account(it: Incident, now: float) -> Iterator[str]:
    ended = it.stop if it.stop is not None else now
    yield f"incident {it.id}: {it.owner}, {it.reason}"
    yield f"  since     {clock(it.start)}, known at {clock(it.known_at)}"
    yield f"  until     {clock(it.stop) if it.stop is not None else 'it goes on'}"
    yield f"  lasts     {lasting(ended - it.start)}"
    yield f"  cause     {it.cause}" + (
        f" (vcmon suggests {it.suggested})" if it.suggested != it.cause else ""
    )
    if it.reopened:
        yield f"  reopened  {it.reopened}x"
    if it.merged_into is not None:
        yield f"  became part of incident {it.merged_into}"
    yield f"  members   {len(it.members)}:"
    for member in it.members[:MEMBERS]:
        until = "goes on" if member.stop is None else f"until {clock(member.stop)}"
        yield f"    {member.subject}  {clock(member.start)}, {until}"
    if len(it.members) > MEMBERS:
        yield f"    ... and {len(it.members) - MEMBERS} more: --json tells all"
    for remark in it.remarks:
        yield f"  {clock(remark.at)}  {_remark(remark)}"


def show_path(pair: Pair) -> None:
    """Print the way of now and the healthy one side by side, and what is different."""
    before, now = pair
    tell(f"path to {now.endpoint} ({now.address}): {sentence(compare(before, now), ENGLISH)}")
    heads = ("ttl", f"before, {clock(before.at if before else None)}", f"now, {clock(now.at)}")
    show(heads, list(side_by_side(before, now)))


def _remark(it: Remark) -> str:
    more = (it.cause and f"cause {it.cause}", it.ticket and f"ticket {it.ticket}", it.text)
    return f"{it.author}: {it.deed}" + "".join(f"; {part}" for part in more if part)


@incident.command(
    epilog='Example: vcmon incident ack 17 --note "Telkom ditelepon" --ticket IN-4711'
)
def ack(
    number: Number,
    name: Name = "",
    note: Annotated[str, typer.Option(help="What is being done.")] = "",
    ticket: Annotated[str, typer.Option(help="Its number in another system.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Say that somebody takes care of it."""
    _say(config, number, Remark(0.0, name, Deed.ACK, note, ticket))


@incident.command(epilog='Example: vcmon incident note 17 "Kabel putus di Palu, tim berangkat"')
def note(
    number: Number,
    text: Annotated[str, typer.Argument(help="What is to be remembered.")],
    name: Name = "",
    config: Config = DEFAULT,
) -> None:
    """Add a note; what was said stays for good."""
    _say(config, number, Remark(0.0, name, Deed.NOTE, text))


@incident.command(epilog="Example: vcmon incident cause 17 cable")
def cause(
    number: Number,
    why: Annotated[Cause, typer.Argument(metavar="CAUSE", help=", ".join(Cause))],
    note: Annotated[str, typer.Option(help="How one knows.")] = "",
    name: Name = "",
    config: Config = DEFAULT,
) -> None:
    """Say why it happened; the last cause that was given holds."""
    _say(config, number, Remark(0.0, name, Deed.CAUSE, note, cause=why))


@incident.command(epilog="Example: vcmon incident close 17 --cause provider")
def close(
    number: Number,
    why: Annotated[
        Cause | None,
        typer.Option("--cause", metavar="CAUSE", help=f"Why it happened: {', '.join(Cause)}."),
    ] = None,
    note: Annotated[str, typer.Option(help="What is left to say.")] = "",
    name: Name = "",
    config: Config = DEFAULT,
) -> None:
    """Say that nothing is left to do; for an incident that is over and has a cause."""
    _say(config, number, Remark(0.0, name, Deed.CLOSE, note, cause=why))


def _say(config: Path, number: int, said: Remark) -> None:
    remark = Remark(
        SystemClock().wall(), author(said.author), said.deed, said.text, said.ticket, said.cause
    )
    with opened(config, write=True) as memory:
        try:
            found = say(memory.store, number, remark, doer())
        except (NoSuchError, RefusedError) as error:
            raise refuse(error) from None
    tell(f"incident {number} ({found.owner}): {_remark(found.remarks[-1])}")
