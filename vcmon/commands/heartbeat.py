"""``vcmon heartbeat``: reports in to a vcmon elsewhere, from a machine that it can't reach."""

from __future__ import annotations

import asyncio

import typer

from vcmon.commands.options import with_options
from vcmon.commands.target import Options, RefusedError, read_target
from vcmon.config.text import printable
from vcmon.errors import ProbeError

REFUSED, LATE = 2, 1
"""Exit codes: wrong arguments, or refused by the monitor; not delivered in time."""


@with_options(Options)
def heartbeat(options: Options) -> None:
    """Report in to a monitor that can't reach this machine (NAT): it is down when that ends.

    Tries again, with pauses, for as long as --within says. Exit 0: reported, 1: not in time,
    2: wrong arguments, or the monitor refuses (no such endpoint, another's token).
    """
    from vcmon.commands.reporting import run  # noqa: PLC0415 (the other commands start faster)

    try:
        asyncio.run(run(read_target(options)))
    except RefusedError as error:
        raise _failed(str(error), REFUSED) from None
    except ProbeError as error:
        raise _failed(f"not reported: {error.text}", LATE) from None


def _failed(text: str, code: int) -> typer.Exit:
    typer.echo(printable(text), err=True)
    return typer.Exit(code)
