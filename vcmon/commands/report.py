"""``vcmon report``: a month's availability, from the memory on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from vcmon.config.text import printable
from vcmon.errors import ReportError

DEFAULT = Path("config/vcmon.yaml")

REFUSED = 2
"""Exit code: the month or a file's name is wrong."""


class Format(StrEnum):
    """How the report is written."""

    HTML = "html"
    CSV = "csv"
    JSON = "json"


class Dialect(StrEnum):
    """How the CSV is written."""

    ID = "id"
    ISO = "iso"


def report(
    month: Annotated[str, typer.Option("--month", help="The month, as 2026-10.")],
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.HTML,
    dialect: Annotated[
        Dialect, typer.Option(help="CSV: 'id' for Excel in Indonesia (;), 'iso' for programs (,).")
    ] = Dialect.ID,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; without it, stdout.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The settings file.")] = DEFAULT,
) -> None:
    """Write a month's availability report: HTML to print on A4, CSV or JSON."""
    try:
        text = _written(config, month, (form, dialect))
        if output is None:
            # As bytes: a terminal's encoding and line ends must not change what was asked for.
            typer.get_binary_stream("stdout").write(text.encode())
        else:
            _save(output, text)
    except ReportError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            Text(printable(str(error)), "red")
        )
        raise typer.Exit(REFUSED) from None


def _written(config: Path, month: str, form: tuple[Format, Dialect]) -> str:
    # Imported here: the other commands need none of it and start faster.
    from vcmon.clock import SystemClock  # noqa: PLC0415
    from vcmon.config.loader import load  # noqa: PLC0415
    from vcmon.history.frozen import month_report  # noqa: PLC0415
    from vcmon.history.month import Month  # noqa: PLC0415
    from vcmon.history.opening import open_memory  # noqa: PLC0415
    from vcmon.history.report import Desk  # noqa: PLC0415
    from vcmon.views import report_file  # noqa: PLC0415

    wanted = Month.parse(month)
    settings = load(config)
    with closing(open_memory(Path(settings.history.path))) as memory, _progress() as tell:
        found = month_report(Desk(memory, settings, SystemClock().wall(), tell), wanted)
    return report_file.written(found, str(form[0]), str(form[1]), settings.language)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr while provinces are counted; elsewhere nothing."""
    console = Console(stderr=True)
    columns = TextColumn("provinces"), BarColumn(), MofNCompleteColumn()
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _save(path: Path, text: str) -> None:
    from vcmon.config.importing import write_whole  # noqa: PLC0415 (see above)

    try:
        write_whole(path, text)
    except OSError as error:
        raise ReportError(f"can't write {path}: {error.strerror or error}") from None
