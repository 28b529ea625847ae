"""What may be asked of the memory; whoever reads it works from this, never from the file."""

from __future__ import annotations

from typing import Protocol

from vcmon.model.meeting import Sitting
from vcmon.model.memory import Amendment, Incident, Interval, Maintenance


class Memory(Protocol):
    """Reads of the memory. All times are wall seconds; every call may wait for the disk."""

    def close(self) -> None:
        """Let go of the file."""
        ...

    def intervals(self, series: str, start: float, stop: float) -> list[Interval]:
        """All that overlap ``[start, stop)``, in order, whole."""
        ...

    def series(self) -> list[str]:
        """Every series of which something is remembered."""
        ...

    def open_intervals(self) -> dict[str, Interval]:
        """What goes on, by series."""
        ...

    def heartbeat(self) -> float | None:
        """Until when all that is remembered is complete; None while nothing was written."""
        ...

    def incidents(self, start: float, stop: float) -> list[Incident]:
        """All that overlap ``[start, stop)``, newest first, with members and remarks."""
        ...

    def incident(self, id: int) -> Incident | None:  # noqa: A002  it is called so everywhere
        """The one of this number."""
        ...

    def open_incidents(self) -> list[Incident]:
        """Those that go on."""
        ...

    def maintenance(self) -> list[Maintenance]:
        """All windows that were ever planned."""
        ...

    def held_sittings(self, low: float, high: float, most: int) -> list[Sitting]:
        """The last ``most`` sittings that were called, and took place, from ``[low, high)``."""
        ...

    def frozen(self, month: str) -> dict[str, str] | None:
        """The pages of a frozen month (``2026-10``), by name; None while it is not frozen."""
        ...

    def amendments(self, month: str) -> list[Amendment]:
        """The corrections of a frozen month, oldest first."""
        ...
