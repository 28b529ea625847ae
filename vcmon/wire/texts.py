"""What the readers of texts from outside share."""

from __future__ import annotations

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

SHOWN = 80
"""Bytes of a wrong text that a message repeats."""


def unreadable(expected: str, data: bytes, why: str) -> ProbeError:
    """The error for a text that is not what was expected."""
    text = f"expected {expected}, found {beginning(data)} ({why})"
    return ProbeError(Reason.CONTENT, Blame.REMOTE, text)


def beginning(data: bytes) -> str:
    """How a text begins, printable and quoted; ``nothing`` for an empty one."""
    if not data:
        return "nothing"
    start = data[:SHOWN].decode("utf-8", "replace")
    shown = "".join(char if char.isprintable() else "\ufffd" for char in start)
    return f"'{shown}{'…' if len(data) > SHOWN else ''}'"
