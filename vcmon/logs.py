"""How vcmon logs: one line an event on standard error, key=value; colour only on a terminal."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

FIELD_MAX = 2000
"""Characters of one field: a banner or a traceback must not fill the journal."""


class _Unfailing:
    """Standard error. What can't be written (a full disk, a closed pipe) is lost: no line is worth
    a verdict, and the board logs each in the middle of making it.
    """

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(level: int = logging.INFO) -> None:
    """Set up structlog and the standard library's logging alike."""
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True)
        if colours
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _harmless,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="level=%(levelname)s event=%(message)s")


def _harmless(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Text from outside can neither break a line nor speak to the terminal."""
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: object) -> object:
    if not isinstance(value, str):
        return value
    kept = value[:FIELD_MAX].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in kept)
