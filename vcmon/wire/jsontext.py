"""One value out of a JSON text (RFC 8259); sans-I/O.

Whatever the bytes, reading them gives a value or raises ProbeError ``content``.
"""

from __future__ import annotations

import json
from typing import NoReturn

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.texts import unreadable

Scalar = str | int | float | bool | None

EXPECTED = "JSON"


def value_at(data: bytes, path: str) -> Scalar:
    """The value that stands at ``path``: names and positions in lists, separated by dots.

    Raises ProbeError ``content``: for what is no JSON, where nothing stands there, and where a
    list or an object does. The caller bounds the bytes; time and memory grow with them only.
    """
    found = _parsed(data)
    for step in path.split("."):
        found = _inside(found, step, path)
    if isinstance(found, dict | list):
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, f"expected one value at {path}, found more")
    if found is None or isinstance(found, str | int | float):
        return found
    raise AssertionError(type(found))  # json knows no other


def _parsed(data: bytes) -> object:
    try:
        # utf-8-sig: Windows servers write a byte order mark
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except RecursionError:
        # The interpreter's own bound: json counts its depth, and a thousand is no health page.
        raise unreadable(EXPECTED, data, "nested too deep") from None
    except ValueError as error:  # UnicodeDecodeError and a number of 5,000 digits are ones, too
        why = str(error).partition("\n")[0] if isinstance(error, json.JSONDecodeError) else "broken"
        raise unreadable(EXPECTED, data, why[:100]) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's


def _inside(value: object, step: str, path: str) -> object:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
        position = int(step)
        if position < len(value):
            return value[position]
    raise ProbeError(Reason.CONTENT, Blame.REMOTE, f"expected a value at {path}, found none there")


def is_value(found: Scalar, expected: Scalar) -> bool:
    """Whether both are the same; ``true`` is not 1, though Python says so."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    return found == expected
