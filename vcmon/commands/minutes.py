"""``vcmon meeting report``: the minutes of one sitting, from the memory on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vcmon.clock import SystemClock
from vcmon.commands.clashing import planned
from vcmon.commands.memory import DEFAULT, Config, Memory, opened, refuse
from vcmon.commands.options import with_options
from vcmon.commands.report import Dialect, Format
from vcmon.config.importing import write_whole
from vcmon.config.text import shown
from vcmon.errors import ReportError
from vcmon.history.remarks import RefusedError
from vcmon.views.meeting_past import minutes_of, recall
from vcmon.views.meeting_roll import Look
from vcmon.views.minutes_file import written
from vcmon.views.tongue import TONGUES


@dataclass(frozen=True)
class Report:
    """The options of ``report``."""

    sitting: Annotated[str, typer.Argument(help="The sitting's id, as in /rapat/<id>.")]
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.HTML
    dialect: Annotated[
        Dialect, typer.Option(help="CSV: 'id' for Excel in Indonesia (;), 'iso' for programs (,).")
    ] = Dialect.ID
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; without it, stdout.")
    ] = None
    config: Config = DEFAULT


@with_options(Report)
def report(wanted: Report) -> None:
    """Write the minutes of a sitting: HTML to print on A4, CSV or JSON."""
    with opened(wanted.config, write=False) as memory:
        try:
            text = _text(memory, wanted)
        except RefusedError as error:
            raise refuse(error) from None
    if wanted.output is None:
        # As bytes: a terminal's encoding and line ends must not change what was asked for.
        typer.get_binary_stream("stdout").write(text.encode())
        return
    try:
        write_whole(wanted.output, text)
    except OSError as error:
        why = f"can't write {wanted.output}: {error.strerror or error}"
        raise refuse(ReportError(why)) from None


def _text(memory: Memory, wanted: Report) -> str:
    """Raises RefusedError for a sitting that there is not, or that has not begun."""
    settings, store, now = memory.settings, memory.store, SystemClock().wall()
    past = recall(store, planned(settings, store), wanted.sitting, now)
    if past is None:
        raise RefusedError(f"no sitting {shown(wanted.sitting)}; see vcmon meeting list --json")
    if now < past.sitting.start:
        raise RefusedError(f"{wanted.sitting} has not begun: there are no minutes of it yet")
    look = Look(now, TONGUES[settings.language], settings.provinces, {})
    told = minutes_of(store, past, settings, now)
    return written(told, look, str(wanted.form), str(wanted.dialect))
