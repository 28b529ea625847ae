"""Calendar months of a zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from vcmon.errors import ReportError
from vcmon.history.hours import moment

MIDNIGHT = time(0)

FIRST, LAST = 2000, 9998
"""Years that a report may be asked for: all of them, and the months beside, are in a calendar."""

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One month of the calendar; as text ``2026-10``."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """``2026-10``. Raises ReportError for anything else."""
        match = _WRITTEN.fullmatch(text)
        if match is None or not FIRST <= int(match[1]) <= LAST:
            raise ReportError(f"expected a month like 2026-10, found {text[:40]!r}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def at(cls, seconds: float, zone: tzinfo) -> Month:
        """The month in which a moment (wall seconds) lies."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        return cls(local.year, local.month)

    def shifted(self, months: int) -> Month:
        """So many months later, or earlier."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    def begins(self, zone: tzinfo, day: int = 1) -> int:
        """The milliseconds at which a day of it begins in the zone."""
        return moment(date(self.year, self.number, day), MIDNIGHT, zone)

    def bounds(self, zone: tzinfo) -> tuple[int, int]:
        """``[start, stop)`` in milliseconds."""
        return self.begins(zone), self.shifted(1).begins(zone)
