"""Alertmanager's configuration, and the same for a version that reads fewer secrets from files."""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIG, TEMPLATE = HERE / "alertmanager.yml", HERE / "vcmon.tmpl"

SECRET_MAX = 4096
"""Bytes of a secret's file: a token or an address, not a key ring."""

FILED = re.compile(r"\b(bot_token|url)_file: (\S+)")
"""What Alertmanager reads from files since 0.26 only. (Passwords of mail it did before.)"""


class SecretError(Exception):
    """A secret's file can't be read, or is no single line."""


def inlined(text: str, secrets: Path | None = None) -> str:
    """The configuration for Alertmanager 0.25: the secrets in it, instead of their files' names.

    ``secrets``: the folder to look for the files in, instead of where the text says they are.
    Raises SecretError.
    """

    def secret(found: re.Match[str]) -> str:
        path = Path(found[2])
        return f"{found[1]}: {json.dumps(read(secrets / path.name if secrets else path))}"

    return FILED.sub(secret, text)


def read(path: Path) -> str:
    """The single line that the file holds; raises SecretError."""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_MAX + 1)
    except OSError as wrong:
        raise SecretError(f"{path}: can't be read: {wrong.strerror}") from wrong
    line = content.decode("utf-8", "replace").strip()
    if not line or len(content) > SECRET_MAX or not line.isprintable() or " " in line:
        raise SecretError(f"{path}: expected one line without spaces, at most {SECRET_MAX} bytes")
    return line
