"""Where ``vcmon heartbeat`` reports to: its arguments, understood."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic import TypeAdapter, ValidationError

from vcmon.config.fields import Duration
from vcmon.config.params_web import WebFields
from vcmon.config.text import shown
from vcmon.config.tokens import TOKEN_MAX, split
from vcmon.errors import VcmonError
from vcmon.model.endpoint import Check, CheckId

EVERY_MIN, EVERY_MAX = 1.0, 86_400.0
"""Seconds of --every and --within."""

ATTEMPT = 5.0
"""Seconds for one attempt: TCP sends its SYN three times in them, and over a satellite TLS fits."""

PORTS = {"http": 80, "https": 443}

_DURATION: TypeAdapter[float] = TypeAdapter(Duration)


class RefusedError(VcmonError):
    """The arguments are wrong, or the monitor won't have it: trying again changes nothing."""


@dataclass(frozen=True)
class Options:
    """The arguments of ``vcmon heartbeat``."""

    url: Annotated[str, typer.Argument(metavar="URL", help="The monitor, as https://vcmon.id.")]
    endpoint: Annotated[str, typer.Option(help="Our id in the monitor's inventory.")]
    token_file: Annotated[Path, typer.Option(help="Holds the token, and is ours alone.")]
    once: Annotated[bool, typer.Option("--once", help="Report once (as without it).")] = False
    every: Annotated[str, typer.Option(help="Report again and again, as 60s, until stopped.")] = ""
    within: Annotated[str, typer.Option(help="How long one report is tried.")] = "45s"
    ca_file: Annotated[str, typer.Option(help="PEM of the authority that signed it.")] = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to report to; ``within`` and ``every`` in seconds, 0.0: once."""

    check: Check[WebFields]
    token_file: Path
    within: float
    every: float = 0.0


def read_target(options: Options) -> Target:
    """The arguments, understood. Raises RefusedError."""
    if options.once and options.every:
        raise RefusedError("expected --once or --every, found both")
    params, host = _place(options)
    # The name is only for messages: nothing here is a check of an inventory.
    name = CheckId(options.endpoint, "heartbeat")
    check = Check(name, "", "heartbeat", host, params, EVERY_MAX, ATTEMPT, decides=False)
    within = _seconds("--within", options.within)
    every = _seconds("--every", options.every) if options.every else 0.0
    read_token(options.token_file)  # a missing file is told now, not at the first report
    return Target(check, options.token_file, min(within, every or within), every)


def _place(options: Options) -> tuple[WebFields, str]:
    try:
        url = urlsplit(options.url)
        host, port = url.hostname or "", url.port or PORTS.get(url.scheme, 0)
    except ValueError:
        url, host, port = urlsplit(""), "", 0
    if url.scheme not in PORTS or not host or url.username or url.query or url.fragment:
        raise RefusedError(
            f"expected a URL as https://vcmon.example.id, found {shown(options.url)}"
        )
    if options.ca_file and not Path(options.ca_file).is_file():
        raise RefusedError(f"--ca-file: no such file: {options.ca_file}")
    path = f"{url.path.rstrip('/')}/api/v1/heartbeat/{options.endpoint}"
    try:
        params = WebFields(
            port=port,
            tls=url.scheme == "https",
            path=path,
            server_name=host,
            ca_file=options.ca_file,
        )
    except ValidationError:
        raise RefusedError(f"--endpoint: no id of an endpoint: {shown(options.endpoint)}") from None
    return params, host


def _seconds(option: str, text: str) -> float:
    try:
        seconds = _DURATION.validate_strings(text)
    except ValidationError:
        seconds = 0.0
    if not EVERY_MIN <= seconds <= EVERY_MAX:
        raise RefusedError(f"{option}: expected 1s to 1d, found {shown(text)}")
    return seconds


def read_token(path: Path) -> str:
    """Read anew for each report: a renewed token needs no restart. Raises RefusedError."""
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o027:
                raise RefusedError(f"{path}: others can read or change it; run: chmod 600 {path}")
            text = file.read(TOKEN_MAX + 2).strip()
    except OSError as error:
        raise RefusedError(f"--token-file: {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        text = ""
    if split(text) is None:
        expected = "expected the one line that 'vcmon token add' printed"
        raise RefusedError(f"--token-file: {path}: {expected}")
    return text
