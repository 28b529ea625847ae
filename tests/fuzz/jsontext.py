"""Fuzzes the reading of health answers in JSON: a value, or ProbeError ``content``."""

from __future__ import annotations

from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.jsontext import is_value, value_at

SEEDS = (
    b'{"janus": "server_info", "accepting-new-sessions": true, "version": 1102}',
    b'{"a": {"b": [1, 2.5, "x", null, {"c": false}]}, "d": "\\ud800\\u0000"}',
    b"\xef\xbb\xbf[[[[0]]]]",
    b"[" * 1_500 + b"]" * 1_500,
)
PATHS = ("a", "a.b.0", "a.b.4.c", "accepting-new-sessions", "0.0.0.0", "d", "")


def one(data: bytes) -> None:
    """Raises only what is a fault of ours."""
    for path in PATHS:
        try:
            found = value_at(data, path)
        except ProbeError as error:
            documented(error, Reason.CONTENT)
        else:
            assert found is None or isinstance(found, str | int | float)
            assert is_value(found, found) or found != found  # noqa: PLR0124 (a NaN isn't itself)


TARGET = Target(one, SEEDS)
