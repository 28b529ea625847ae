"""``vcmon token``: who may act over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from vcmon.commands.memory import DEFAULT, Config, refuse, show, tell
from vcmon.config.loader import load
from vcmon.config.text import shown
from vcmon.config.tokens import (
    TOKENS_MAX,
    Role,
    Token,
    TokensError,
    alone,
    fresh,
    is_name,
    read,
    write,
)
from vcmon.errors import StartError

token = typer.Typer(help="Tokens: who may act, or report in, over HTTP.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="NAME", help="Of a person, a machine or an endpoint.")]


@token.command(epilog="Example: vcmon token add budi --role operator")
def add(
    name: Who,
    role: Annotated[Role, typer.Option(help="What it is good for.")] = Role.VIEWER,
    config: Config = DEFAULT,
) -> None:
    """Make a token and print it, once: only its hash is kept.

    One of the role heartbeat has the name of the endpoint that it reports in for.
    """
    if role is Role.HEARTBEAT and name not in _reporting(config):
        known = ", ".join(sorted(_reporting(config))[:10]) or "none"
        text = f"no endpoint with a check of the kind heartbeat: {shown(name)}; there are: {known}"
        raise refuse(TokensError(text))

    def change(tokens: Mapping[str, Token]) -> tuple[str, Mapping[str, Token]]:
        if not is_name(name):
            raise TokensError(
                f"expected a name of letters, digits, '-' and '_', not vcmon; found {shown(name)}"
            )
        if name in tokens:
            raise TokensError(f"{name} has a token; 'vcmon token renew {name}' makes another one")
        if len(tokens) >= TOKENS_MAX:
            raise TokensError(f"there are {TOKENS_MAX} tokens: remove some first")
        text, made = fresh(name, role)
        return text, {**tokens, name: made}

    typer.echo(_changed(config, change))


@token.command(epilog="Example: vcmon token renew budi")
def renew(name: Who, config: Config = DEFAULT) -> None:
    """Make another token for the same name and role; the old one is worth nothing from now on."""

    def change(tokens: Mapping[str, Token]) -> tuple[str, Mapping[str, Token]]:
        text, made = fresh(name, _known(tokens, name).role)
        return text, {**tokens, name: made}

    typer.echo(_changed(config, change))


@token.command(epilog="Example: vcmon token remove budi")
def remove(name: Who, config: Config = DEFAULT) -> None:
    """Take a token away; a running vcmon refuses it at once."""

    def change(tokens: Mapping[str, Token]) -> tuple[str, Mapping[str, Token]]:
        _known(tokens, name)
        return f"{name} is removed", {n: each for n, each in tokens.items() if n != name}

    tell(_changed(config, change))


@token.command(name="list", epilog="Example: vcmon token list")
def list_(config: Config = DEFAULT) -> None:
    """Names and roles; never a token or its hash."""
    try:
        tokens = read(_file(config))
    except TokensError as error:
        raise refuse(error) from None
    if not tokens:
        tell("no tokens: nobody can act over HTTP")
        return
    show(("name", "role"), [(each.name, each.role) for each in tokens.values()])


def _file(config: Path) -> Path:
    name = load(config).web.tokens_file
    if not name:
        raise refuse(
            TokensError("web.tokens_file is not set: name a file there, as /var/lib/vcmon/tokens")
        )
    return Path(name)


def _reporting(config: Path) -> set[str]:
    checks = (check for endpoint in load(config).endpoints for check in endpoint.checks)
    return {check.id.endpoint for check in checks if check.kind == "heartbeat"}


def _known(tokens: Mapping[str, Token], name: str) -> Token:
    if name not in tokens:
        known = ", ".join(tokens) or "none"
        raise TokensError(f"no token of that name: {shown(name)}; there are: {known}")
    return tokens[name]


def _changed(
    config: Path, change: Callable[[Mapping[str, Token]], tuple[str, Mapping[str, Token]]]
) -> str:
    """Change the file as a whole; what is to be told of it."""
    path = _file(config)
    try:
        with alone(path):
            told, tokens = change(read(path))
            write(path, tokens.values())
    except TokensError as error:
        raise refuse(error) from None
    except OSError as error:
        raise StartError(f"{path}: {error.strerror or error}") from error
    return told
