"""The field types that settings are made of, and the strict base of every settings model."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(value: Any, info: ValidationInfo) -> Any:
    """``10s``, ``500ms``, ``5m``, ``1h``, ``14d`` to seconds; in Python code a number is seconds.

    Raises ValueError for anything else: a bare number in a file would leave the unit to guessing.
    """
    if info.mode == "python" and isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return float(match[1]) * _UNITS[match[2]]
    raise ValueError(f"expected a duration like 10s, 500ms or 5m, found {value!r}")


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}),
]
"""Seconds; written with a unit in the files."""

Port = Annotated[int, Field(ge=1, le=65535)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error: a misspelt setting must not be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)
