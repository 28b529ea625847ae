"""``vcmon passwd``: who may sign in on the pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vcmon.commands.memory import DEFAULT, Config, refuse, tell
from vcmon.config.loader import load
from vcmon.config.text import shown
from vcmon.config.tokens import TokensError, alone, is_name, write
from vcmon.config.users import PASSWORD_MAX, UserRole, enrolled, judged, read_users
from vcmon.errors import StartError

Who = Annotated[str, typer.Argument(metavar="NAME", help="What the person signs in by.")]


def passwd(
    name: Who,
    role: Annotated[
        UserRole | None,
        typer.Option(help="What they may do; by default as before, and viewer for a new one."),
    ] = None,
    config: Config = DEFAULT,
    remove: Annotated[bool, typer.Option("--remove", help="Take the user away.")] = False,
) -> None:
    """Give somebody a password to sign in by, or another one; it is asked for, never shown.

    A running vcmon takes it at once, and signs the user out everywhere.
    """
    path = _file(config)
    if not is_name(name):
        expected = "expected a name of letters, digits, '-' and '_', not vcmon"
        raise refuse(TokensError(f"{expected}; found {shown(name)}"))
    password = "" if remove else _asked(name)
    try:
        with alone(path):
            users = dict(read_users(path))
            was = users.pop(name, None)
            if remove and was is None:
                known = ", ".join(users) or "none"
                raise TokensError(f"no user of that name: {shown(name)}; there are: {known}")
            if not remove:
                wanted = role or (UserRole(was.role.value) if was else UserRole.VIEWER)
                users[name] = enrolled(name, wanted, password)
            write(path, users.values())
    except TokensError as error:
        raise refuse(error) from None
    except OSError as error:
        raise StartError(f"{path}: {error.strerror or error}") from error
    tell(f"{name} is removed" if remove else f"{name} may sign in as {users[name].role}")


def _file(config: Path) -> Path:
    name = load(config).web.users_file
    if not name:
        raise refuse(
            TokensError("web.users_file is not set: name a file there, as /var/lib/vcmon/users")
        )
    return Path(name)


def _asked(name: str) -> str:
    """Twice from a terminal, unseen; else the first line of the standard input."""
    if sys.stdin.isatty():
        text = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        text = sys.stdin.readline(4 * PASSWORD_MAX).rstrip("\r\n")
    try:
        return judged(name, text)
    except ValueError as error:
        raise refuse(error) from None
