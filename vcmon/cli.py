"""The ``vcmon`` command: reads arguments, prints answers; the work is done elsewhere.

Exit codes: 0 well, 1 down (or can't start), 2 wrong arguments or settings, 3 unknown, 130 Ctrl-C.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from vcmon import __version__
from vcmon.clock import SystemClock
from vcmon.commands.clashing import of_settings
from vcmon.commands.correct import correct
from vcmon.commands.heartbeat import heartbeat
from vcmon.commands.history import history
from vcmon.commands.incident import incident
from vcmon.commands.maintenance import maintenance
from vcmon.commands.meeting import meeting
from vcmon.commands.passwd import passwd
from vcmon.commands.path import path
from vcmon.commands.reflect import reflect
from vcmon.commands.report import report
from vcmon.commands.token import token
from vcmon.config.importing import Merge, plan_import, write_whole
from vcmon.config.loader import load
from vcmon.config.schema import json_schema
from vcmon.config.settings import Settings
from vcmon.config.summary import notes, summary
from vcmon.config.text import printable, shown
from vcmon.errors import ConfigError, StartError
from vcmon.model.endpoint import Endpoint
from vcmon.model.result import Outcome, Result
from vcmon.views.account import account, as_json, verdict

EXIT = {Outcome.UP: 0, Outcome.DOWN: 1, Outcome.UNKNOWN: 3}

DEFAULT = Path("config/vcmon.yaml")

CORRECT_EXAMPLE = (
    "Example: vcmon correct --month 2026-10 --province aceh --from down --to maintenance "
    "--duration 40m --reason 'planned work, told late' --outages -1"
)

HEARTBEAT_EXAMPLE = (
    "Example: vcmon heartbeat https://vcmon.example.id --endpoint papua-codec "
    "--token-file /etc/vcmon/heartbeat.token"
)

cli = typer.Typer(
    name="vcmon",
    help="Watches the video-conference links between the Centre and the provinces of Indonesia.",
    epilog="Start with: vcmon demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
inventory = typer.Typer(help="Work on inventory files.", no_args_is_help=True)
cli.add_typer(inventory, name="inventory")
cli.add_typer(history, name="history")
cli.command(epilog="Example: vcmon report --month 2026-10 --output laporan.html")(report)
cli.command(epilog=CORRECT_EXAMPLE)(correct)
cli.command(epilog="Example: vcmon path sumsel-codec")(path)
cli.command(epilog="Example: vcmon reflect --allow 192.0.2.0/28")(reflect)
cli.add_typer(incident, name="incident")
cli.add_typer(maintenance, name="maintenance")
cli.add_typer(meeting, name="meeting")
cli.add_typer(token, name="token")
cli.command(epilog=HEARTBEAT_EXAMPLE)(heartbeat)
cli.command(epilog="Example: vcmon passwd budi --role operator")(passwd)

Config = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]


def main() -> None:
    """Run the command line; ends the process with its exit code, never with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal without UTF-8 must not turn a name into an error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli()
    except ConfigError as error:
        _tell(error)
        sys.exit(2)
    except StartError as error:
        _stderr().print(Text(printable(str(error)), "red"))
        sys.exit(1)


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def _stdout() -> Console:
    return Console(highlight=False)


def _tell(error: ConfigError) -> None:
    console = _stderr()
    for problem in error.problems:
        console.print(Text(str(problem)))
    count = len(error.problems)
    console.print(Text(f"{count} problem{'' if count == 1 else 's'} found", "bold red"))


def _refuse(what: str) -> typer.Exit:
    _stderr().print(Text(printable(what), "red"))
    return typer.Exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vcmon {__version__}")
        raise typer.Exit


@cli.callback()
def _common(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@cli.command(epilog="Example: vcmon run --config /etc/vcmon/vcmon.yaml")
def run(config: Config = DEFAULT) -> None:
    """Watch, and serve the pages, until stopped (SIGTERM, Ctrl-C). SIGHUP reloads the settings."""
    from vcmon import app  # noqa: PLC0415 (the other commands need none of it and start faster)

    raise typer.Exit(app.run(config))


@cli.command(epilog="Example: vcmon demo --port 9838 --seed 1")
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 9838,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
) -> None:
    """Show a whole country on this machine: real servers on loopback, faults by a script."""
    from vcmon.lab.demo import run_demo  # noqa: PLC0415 (needs the extra vcmon[demo])

    raise typer.Exit(run_demo(port, seed))


@cli.command(epilog="Example: vcmon check /etc/vcmon/vcmon.yaml")
def check(
    path: Annotated[Path, typer.Argument(help="The settings file.")] = DEFAULT,
) -> None:
    """Check settings and inventory: a summary (exit 0), or every problem (exit 2)."""
    settings = load(path)
    # soft_wrap: a long path is never broken, so that a line stays a line for grep
    console = _stdout()
    for line in summary(settings):
        console.print(Text(printable(line)), soft_wrap=True)
    for line in (*notes(settings), *of_settings(settings, SystemClock().wall())):
        console.print(Text(f"note: {printable(line)}", "yellow"), soft_wrap=True)


@cli.command(epilog="Example: vcmon probe sumsel-codec --check sip --watch")
def probe(
    endpoint: Annotated[str, typer.Argument(help="An endpoint's id out of the inventory.")],
    check: Annotated[
        str | None, typer.Option("--check", help="Only this check, as 'sip' or 'tcp-443'.")
    ] = None,
    config: Config = DEFAULT,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again until Ctrl-C.")] = False,
    as_data: Annotated[
        bool, typer.Option("--json", help="A JSON list, one object a check.")
    ] = False,
) -> None:
    """Run an endpoint's checks now. Exit 0: up, 1: down, 3: unknown, 2: no such endpoint."""
    found = _find(load(config), endpoint, check)
    last = [Outcome.UNKNOWN]

    def show(results: Sequence[Result]) -> None:
        last[0] = verdict(found, results)
        if as_data:
            text = json.dumps(as_json(found, results), indent=None if watch else 2, allow_nan=False)
            typer.echo(text)
        else:
            _stdout().print(account(found, results))

    try:
        asyncio.run(_probe(found, check, show, watch=watch))
    except KeyboardInterrupt:
        if not watch:
            raise
    raise typer.Exit(EXIT[last[0]])


async def _probe(
    endpoint: Endpoint,
    check: str | None,
    show: Callable[[Sequence[Result]], None],
    *,
    watch: bool,
) -> None:
    from vcmon import app  # noqa: PLC0415 (see run)

    show(await app.probe_once(endpoint, check))
    while watch:
        await asyncio.sleep(min(each.interval for each in endpoint.checks))
        show(await app.probe_once(endpoint, check))


def _find(settings: Settings, name: str, check: str | None) -> Endpoint:
    known = {endpoint.id: endpoint for endpoint in settings.endpoints}
    if name not in known:
        raise _refuse(f"no endpoint {shown(name)} in the inventory{_nearest(name, known)}")
    names = [each.id.name for each in known[name].checks]
    if check is not None and check not in names:
        raise _refuse(f"{name} has no check {shown(check)}; it has {', '.join(names)}")
    return known[name]


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name[:100], list(known), n=3, cutoff=0.5)
    return f"; the nearest are {', '.join(close)}" if close else ""


@cli.command(epilog="Example: vcmon schema > vcmon.schema.json")
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of vcmon.yaml, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))


@inventory.command("import", epilog="Example: vcmon inventory import daftar.csv --into x.csv")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV list; Indonesian headers are understood.")],
    into: Annotated[
        Path | None, typer.Option(help="The inventory to write; without it, to stdout.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings whose profiles and other files count too."),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take out what FILE does not list any more.")
    ] = False,
) -> None:
    """Bring a foreign CSV list into an inventory: by id, whole or not at all.

    Rows that FILE does not list stay, unless --remove says otherwise: an incomplete list must
    not end the watching of a province.
    """
    if config is None and DEFAULT.exists():
        config = DEFAULT
    merged, left_out = plan_import((file, into, config), remove=remove)
    console = _stderr()
    for name in left_out:
        console.print(Text(f"note: column {shown(name)} is not known and left out", "yellow"))
    for line in _changes(merged, remove=remove):
        console.print(Text(line))
    if into is None:
        typer.echo(merged.text, nl=False)
    else:
        _write(into, merged.text)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise _refuse(f"can't write {path}: {error.strerror or error}") from None


def _changes(merged: Merge, *, remove: bool) -> Iterator[str]:
    absent = "removed" if remove else "kept, though not in FILE (--remove takes them out)"
    for word, ids in (
        ("added", merged.added),
        ("changed", merged.changed),
        (absent, merged.absent),
    ):
        if ids:
            yield f"{len(ids)} {word}: {' '.join(ids[:50])}{' ...' if len(ids) > 50 else ''}"
    if not (merged.added or merged.changed or (remove and merged.absent)):
        yield "nothing changes"
