"""``vcmon history``: look after the memory's file, beside a running vcmon or without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from vcmon.clock import SystemClock
from vcmon.commands.memory import DEFAULT, Config, opened
from vcmon.config.text import printable
from vcmon.errors import StartError
from vcmon.history import upkeep

SHOWN = 20
"""Faults that are told one by one; a broken file may have thousands."""

history = typer.Typer(help="Look after the memory's file.", no_args_is_help=True)


@history.command(epilog="Example: vcmon history check; exit 0: sound, 1: not")
def check(config: Config = DEFAULT) -> None:
    """Check the file's integrity, and that the roll-ups agree with the intervals."""
    console = Console(highlight=False)
    with opened(config, write=False) as (store, rule, _), _progress("comparing") as progress:
        store.db.execute("BEGIN")  # one moment throughout, whatever a running vcmon writes
        told = [*upkeep.faults(store), *upkeep.overlaps(store)]
        if not told:
            now = SystemClock().wall()
            found = upkeep.disagreements(store, now, rule.keep, progress)
            told = list(islice(found, SHOWN + 1))
    for line in told[:SHOWN]:
        console.print(Text(printable(line)), soft_wrap=True)
    if told:
        more = " or more" if len(told) > SHOWN else ""
        console.print(Text(f"{min(len(told), SHOWN)}{more} faults found", "bold red"))
        raise typer.Exit(1)
    console.print(Text(f"{rule.path}: sound, and the roll-ups agree"), soft_wrap=True)


@history.command(epilog="Example: vcmon history rebuild")
def rebuild(config: Config = DEFAULT) -> None:
    """Make the seconds of all roll-ups anew from the intervals; packets stay as they are."""
    with opened(config, write=True) as (store, rule, _), _progress("rebuilding") as progress:
        upkeep.rebuild(store, SystemClock().wall(), rule.keep, progress)
    Console(highlight=False).print(Text(f"{rule.path}: roll-ups are made anew"), soft_wrap=True)


@history.command(epilog="Example: vcmon history backup /srv/backup/vcmon.db")
def backup(
    file: Annotated[Path, typer.Argument(help="Where to; replaced when the copy is whole.")],
    config: Config = DEFAULT,
) -> None:
    """Copy the memory, whole and compact, while vcmon may be running."""
    with opened(config, write=False) as (store, rule, _):
        if file.exists() and file.samefile(rule.path):
            raise StartError(f"{file} is the memory itself: name another file")
        upkeep.back_up(store, file)
    Console(highlight=False).print(Text(f"{file}: {file.stat().st_size} bytes"), soft_wrap=True)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
