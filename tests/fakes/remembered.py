"""A memory in a list, and short ways to write what it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from vcmon.model.meeting import Sitting
from vcmon.model.memory import (
    Amendment,
    Cause,
    Deed,
    Incident,
    Interval,
    Maintenance,
    Member,
    Remark,
)
from vcmon.model.result import Reason
from vcmon.model.status import State

WIB = ZoneInfo("Asia/Jakarta")

REASONS = {
    State.UP: Reason.OK,
    State.DEGRADED: Reason.LOSS,
    State.DOWN: Reason.TIMEOUT,
    State.UNREACHABLE: Reason.PARENT,
    State.UNKNOWN: Reason.BLIND,
}


def wib(*when: int) -> float:
    """Wall seconds of year, month, day, hour, minute, second in Jakarta."""
    return datetime(*when, tzinfo=WIB).timestamp()  # type: ignore[misc,arg-type]


def line(
    *changes: tuple[float, State], series: str = "province:aceh", stop: float | None = None
) -> list[Interval]:
    """Intervals without a hole: each change lasts until the next, the last one until ``stop``."""
    ends = [*(at for at, _ in changes[1:]), stop]
    return [
        Interval(series, at, end, state, REASONS[state])
        for (at, state), end in zip(changes, ends, strict=True)
    ]


def incident(number: int, start: float, stop: float | None, series: str, cause: Cause) -> Incident:
    """An incident with one member, to which a person gave a cause."""
    said = Remark(start + 60, "budi", Deed.CAUSE, cause=cause)
    member = (Member(series, start, stop),)
    owner = series.replace("province:", "endpoint:")
    return Incident(number, owner, start, start + 6, stop, Reason.TIMEOUT, member, remarks=(said,))


@dataclass
class FakeMemory:
    """What :class:`vcmon.history.memory.Memory` promises, out of lists."""

    lines: list[Interval] = field(default_factory=list)
    told: list[Incident] = field(default_factory=list)
    windows: list[Maintenance] = field(default_factory=list)
    beat: float | None = None
    pages: dict[str, Mapping[str, str]] = field(default_factory=dict)
    corrections: list[Amendment] = field(default_factory=list)
    held: list[Sitting] = field(default_factory=list)
    asked: list[tuple[str, float, float]] = field(default_factory=list)

    def close(self) -> None: ...

    def intervals(self, series: str, start: float, stop: float) -> list[Interval]:
        self.asked.append((series, start, stop))
        return [
            each
            for each in sorted(self.lines, key=lambda one: one.start)
            if each.series == series
            and each.start < stop
            and (each.stop is None or each.stop > start)
        ]

    def series(self) -> list[str]:
        return sorted({each.series for each in self.lines})

    def open_intervals(self) -> dict[str, Interval]:
        return {each.series: each for each in self.lines if each.stop is None}

    def heartbeat(self) -> float | None:
        return self.beat

    def incidents(self, start: float, stop: float) -> list[Incident]:
        return [
            each
            for each in sorted(self.told, key=lambda one: -one.start)
            if each.start < stop and (each.stop is None or each.stop > start)
        ]

    def incident(self, id: int) -> Incident | None:  # noqa: A002  the Protocol's word
        return next((each for each in self.told if each.id == id), None)

    def open_incidents(self) -> list[Incident]:
        return [each for each in self.told if each.stop is None]

    def maintenance(self) -> list[Maintenance]:
        return list(self.windows)

    def held_sittings(self, low: float, high: float, most: int) -> list[Sitting]:
        last = sorted(self.held, key=lambda one: -one.start)
        return [each for each in last if low <= each.start < high][:most]

    def frozen(self, month: str) -> dict[str, str] | None:
        pages = self.pages.get(month)
        return None if pages is None else dict(pages)

    def amendments(self, month: str) -> list[Amendment]:
        return [each for each in self.corrections if each.month == month]
