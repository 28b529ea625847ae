"""Text from outside: cleaned where it is kept, escaped where it is shown."""

from __future__ import annotations

import re

# C0, DEL and C1 controls, direction marks and overrides, line separators, BOM, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)

SHOWN = 60
"""Characters of a wrong value that a message repeats: enough to find it, short enough to read."""


def clean(text: str) -> str:
    """The text on one line: nothing that steers a terminal, a page or a label is left in it."""
    return " ".join(_UNSAFE.sub(" ", text).split())


def harmful(text: str) -> bool:
    """Whether the text holds a character that :func:`clean` would take away."""
    return _UNSAFE.search(text) is not None


def printable(text: str) -> str:
    r"""The text with every unsafe character written out, as ``\x1b`` or ``\u202e``."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def shown(value: object) -> str:
    """A wrong value as a message repeats it: quoted when it is text, printable, cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return "a list" if isinstance(value, (list, tuple)) else "a mapping of keys"
    text = printable(str(value)[: SHOWN + 1])
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "..."
    return f"'{cut}'" if isinstance(value, str) else cut
