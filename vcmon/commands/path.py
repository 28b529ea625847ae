"""``vcmon path``: trace the way to an endpoint now, and lay it beside the healthy one."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from vcmon.commands.incident import show_path
from vcmon.commands.memory import DEFAULT, AsJson, Config, refuse
from vcmon.config.loader import load
from vcmon.config.settings import Settings
from vcmon.config.text import shown
from vcmon.errors import HistoryError, ProbeError
from vcmon.history.paths import Pair
from vcmon.history.store import Store
from vcmon.model.endpoint import Endpoint
from vcmon.model.path import Route
from vcmon.views.path_shapes import path_shape

NOT_REACHED, UNKNOWN = 1, 3


def path(
    endpoint: Annotated[str, typer.Argument(help="An endpoint's id out of the inventory.")],
    as_json: AsJson = False,
    config: Config = DEFAULT,
) -> None:
    """Trace the way to an endpoint now, beside the last one while it was well.

    Exit 0: it was reached, 1: it was not, 3: it can't be traced from here.
    """
    from vcmon import app  # noqa: PLC0415 (the other commands need none of it and start faster)

    settings = load(config)
    found = _find(settings, endpoint)
    try:
        now = asyncio.run(app.trace_once(found))
    except ProbeError as error:
        refuse(error)
        raise typer.Exit(UNKNOWN) from None
    pair = Pair(_healthy(settings, endpoint), now)
    if as_json:
        typer.echo(path_shape(pair).model_dump_json(indent=2))
    else:
        show_path(pair)
    raise typer.Exit(0 if now.reached else NOT_REACHED)


def _find(settings: Settings, name: str) -> Endpoint:
    found = next((each for each in settings.endpoints if each.id == name), None)
    if found is None:
        raise refuse(LookupError(f"no endpoint {shown(name)} in the inventory"))
    return found


def _healthy(settings: Settings, endpoint: str) -> Route | None:
    """What is remembered, if anything can be: a trace is worth showing without it."""
    if not settings.history.path:
        return None
    try:
        store = Store.open(Path(settings.history.path), write=False, make=False)
        try:
            return store.healthy_route(endpoint)
        finally:
            store.close()
    except (HistoryError, OSError, sqlite3.Error):
        return None
