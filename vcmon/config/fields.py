"""The field types that settings are made of, and the strict base of every settings model."""

from __future__ import annotations

import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

from vcmon.config.text import shown

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


def duration(seconds: float) -> str:
    """Seconds as the files write them: ``20ms``, ``10s``, ``14d``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}),
]
"""Seconds; written with a unit in the files."""

Port = Annotated[int, Field(ge=1, le=65535)]

_PERCENT = re.compile(r"(100(?:\.0{1,4})?|\d{1,2}(?:\.\d{1,4})?)%")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def check_percent(value: Any) -> Any:
    """A percentage with its sign, as text: a bare 0.995 could mean either. Raises ValueError."""
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    raise ValueError(f"expected a percentage like 99.5%, found {shown(value)}")


def check_clock(value: Any) -> Any:
    """A time of day as ``07:30``. Raises ValueError."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    raise ValueError(f'expected a time of day like "07:30", found {shown(value)}')


def check_zone(value: Any) -> Any:
    """The name of a time zone in the IANA database. Raises ValueError."""
    try:
        return ZoneInfo(value).key
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"expected a time zone like Asia/Jakarta, found {shown(value)}") from None


Percent = Annotated[
    str,
    BeforeValidator(check_percent),
    WithJsonSchema({"type": "string", "pattern": f"^{_PERCENT.pattern}$"}),
]
"""Kept as written, so that it is exact: ``99.5%``."""

TimeOfDay = Annotated[
    str,
    BeforeValidator(check_clock),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"}),
]
"""``07:30``."""

Zone = Annotated[str, BeforeValidator(check_zone), WithJsonSchema({"type": "string"})]
"""``Asia/Jakarta``."""


class Strict(BaseModel):
    """Frozen, and an unknown key is an error: a misspelt setting must not be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)
