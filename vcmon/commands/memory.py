"""What the commands that work on the memory share: opening it, who does it, how it is shown."""

from __future__ import annotations

import os
import pwd
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vcmon.config.loader import load
from vcmon.config.settings import Settings
from vcmon.config.text import clean, printable
from vcmon.errors import HistoryError, StartError
from vcmon.history.deeds import JAKARTA, Doer
from vcmon.history.keeper import rules
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.model.memory import VCMON

DEFAULT = Path("config/vcmon.yaml")
Config = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]
Name = Annotated[
    str,
    typer.Option("--name", help="Who says it; by default who is logged in.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, as the API has it.")]


class Memory(NamedTuple):
    """The open memory of some settings."""

    store: Store
    rules: Rules
    settings: Settings


@contextmanager
def opened(config: Path, *, write: bool) -> Iterator[Memory]:
    """The memory of these settings. Raises StartError where there is none or it can't be used."""
    settings = load(config)
    if not settings.history.path:
        raise StartError("history.path is '': there is no memory")
    rule = rules(settings.history)
    if not rule.path.exists():
        raise StartError(f"{rule.path} is not there: vcmon has not run yet, or keeps it elsewhere")
    try:
        store = Store.open(rule.path, write=write, make=False)
        try:
            yield Memory(store, rule, settings)
        finally:
            store.close()
    except (HistoryError, OSError, sqlite3.Error) as error:
        raise StartError(f"{rule.path}: {error}{_remedy(error, rule.path)}") from error


def _remedy(error: BaseException, path: Path) -> str:
    """What would help, where the file belongs to somebody else: as a rule to the service."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return ""
    owner = path.stat().st_uid
    return "" if owner == os.geteuid() else f"; try: sudo -u {user_name(owner)} vcmon ..."


def user_name(number: int) -> str:
    """The OS user's name, or the number where it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def doer() -> Doer:
    """Who runs this command, for the audit trail: the OS user, and who came to be it by sudo."""
    name, asked_by = user_name(os.getuid()), clean(os.environ.get("SUDO_USER", ""))[:80]
    return Doer(f"{name} ({asked_by})" if asked_by else name, "shell")


def author(given: str) -> str:
    """Who says it: the name that was given, else that of the person who is logged in."""
    name = user_name(os.getuid())
    if given or name not in {"root", VCMON}:
        return given or name
    return os.environ.get("SUDO_USER") or name


def refuse(error: Exception) -> typer.Exit:
    """Says on standard error why it is not done."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(printable(str(error)), "red"))
    return typer.Exit(2)


def tell(line: str) -> None:
    """One line of an answer, fit for a terminal."""
    Console(highlight=False).print(Text(printable(line)), soft_wrap=True)


def show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere plain columns, whole, for grep and awk."""
    console = Console(highlight=False)
    if console.is_terminal:
        table = Table(*heads, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        console.print(table)
        return
    lines = [list(heads), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        tell("  ".join(padded).rstrip())


def clock(at: float | None) -> str:
    """``2026-11-23 09:41:07 WIB``; ``-`` for no time."""
    return "-" if at is None else f"{datetime.fromtimestamp(at, JAKARTA):%Y-%m-%d %H:%M:%S %Z}"


def lasting(seconds: float) -> str:
    """``12s``, ``4m 7s``, ``2h 5m``, ``3d 4h``: rounded down."""
    whole = max(0, int(seconds))
    for size, unit, less, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // less}{small}"
    return f"{whole}s"
