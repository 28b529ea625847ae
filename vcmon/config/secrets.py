"""Secrets: the settings name a file, its first line is the secret, and nothing ever shows it.

A parameter that holds one is a :data:`SecretFile` field called ``*_file`` in the kind's model;
the reader of the profiles fills it in (:func:`read_secret`), and the probe takes ``.text``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer, PlainValidator, WithJsonSchema

from vcmon.config.text import harmful, shown

SECRET_MAX = 512
"""Bytes of a secret; RFC 8489 bounds its user names so, and a key of 256 bits has 64 in hex."""

_OTHERS = 0o027
"""Whoever can change the file can lock us out; and the world need not read it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a file held when the settings were loaded; two are equal when the text is, too.

    Its repr, its JSON and its schema are the file's name.
    """

    path: str = ""  # as written; once loaded absolute; "": there is none
    text: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.path

    def __bool__(self) -> bool:
        return bool(self.path)


def _named(value: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError(f"expected the name of a file, found {shown(value)}")


SecretFile = Annotated[
    Secret,
    PlainValidator(_named),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""The type of a parameter that names a secret's file."""


def secret_fields(model: type[BaseModel]) -> Iterator[str]:
    """The parameters of the model that name a secret's file."""
    return (name for name, each in model.model_fields.items() if each.annotation is Secret)


def read_secret(path: Path) -> Secret:
    """The file's first line, without its end.

    Raises ValueError with what is wrong, in words that tell nothing of what is in the file.
    """
    try:
        raw = _read(path)
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror or error}") from None
    line = raw.partition(b"\n")[0].removesuffix(b"\r")
    if not line.strip():
        raise ValueError(f"{path}: expected a secret in the first line, found nothing")
    if len(line) > SECRET_MAX:
        raise ValueError(f"{path}: expected at most {SECRET_MAX} bytes in the first line")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected UTF-8") from None
    if harmful(text):
        raise ValueError(f"{path}: expected one line of text, found control characters")
    return Secret(str(path), text)


def _read(path: Path) -> bytes:
    # O_NONBLOCK: opening a pipe by mistake must not wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is not a regular file")
        if mode & _OTHERS:
            raise OSError(0, f"others can read or change it; run: chmod 640 {path}")
        return file.read(SECRET_MAX + 2)  # with the end of the line
