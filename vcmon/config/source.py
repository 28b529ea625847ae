"""Reads a settings or inventory file: once, whole, bounded, as UTF-8."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from vcmon.config.report import Place, Report

MAX_BYTES = 8 << 20
"""8 MiB hold 100,000 endpoints of 80 characters; more is some other file by mistake."""

_HINT = "save it as UTF-8 (Excel: Save As, 'CSV UTF-8')"


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was at the moment of reading."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The path as messages name it."""
        return str(self.path)

    def at(self, line: int, key: str = "") -> Place:
        """A place in this file."""
        return Place(self.name, line, key)


def read_source(path: Path, asked: Place, report: Report) -> Source | None:
    """The file's text without a byte order mark; None, and a problem, where that can't be had.

    That a file can't be opened is told at ``asked`` (who named it), what is wrong inside it at
    its own line.
    """
    try:
        raw = _read(path)
    except OSError as error:
        report.add(asked, f"can't read {path}: {error.strerror or error}")
        return None
    if len(raw) > MAX_BYTES:
        report.add(Place(str(path)), f"expected at most {MAX_BYTES >> 20} MiB, found more")
        return None
    text = _decode(path, raw, report)
    return None if text is None else Source(path, text)


def _read(path: Path) -> bytes:
    # O_NONBLOCK: opening a pipe by mistake must not wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(MAX_BYTES + 1)


def _decode(path: Path, raw: bytes, report: Report) -> str | None:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        report.add(Place(str(path), 1), f"expected UTF-8, found UTF-16; {_HINT}")
        return None
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{raw[error.start]:02x} at byte {error.start + 1}"
        report.add(Place(str(path), line), f"expected UTF-8, found {found}; {_HINT}")
        return None
