"""How the monthly availability is counted, and what it is held against."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from vcmon.config.fields import Duration, Percent, Strict, TimeOfDay, Zone
from vcmon.config.text import shown
from vcmon.model.endpoint import Endpoint, Role
from vcmon.model.memory import Cause

TARGETS_MAX = 200
"""More than the provinces and the media that there are."""


class OfficeHours(Strict):
    """When an office is open on a working day, by the province's own clock."""

    start: TimeOfDay = "07:30"
    stop: TimeOfDay = "16:00"
    friday_stop: TimeOfDay | None = None  # where a Friday's is another


class Reports(Strict):
    """The rules of the availability reports."""

    target: Percent = "99.5%"
    targets: dict[str, Percent] = Field(default_factory=dict, max_length=TARGETS_MAX)
    shortest_outage: Duration = 0.0  # a shorter one counts as available
    excluded_causes: Annotated[tuple[Cause, ...], Field(max_length=len(Cause))] = ()
    hours: Literal["whole", "office"] = "whole"
    office: OfficeHours = OfficeHours()
    zone: Zone = "Asia/Jakarta"  # whose months they are
    freeze_day: Annotated[int, Field(ge=1, le=28)] = 3  # of the month after

    def goal(self, province: str, endpoints: Sequence[Endpoint]) -> Fraction:
        """The target of a province, 0 to 1: its own, else its medium's, else the common one.

        A medium's target holds where the province's main way is of that medium throughout: one
        short stretch of satellite beside fibre lowers no promise.
        """
        media = {each.medium for each in endpoints if each.role is not Role.LINK_BACKUP} - {""}
        medium = media.pop() if len(media) == 1 else ""
        written = self.targets.get(province) or self.targets.get(medium) or self.target
        return ratio(written)

    def oddities(
        self, media: Container[str], provinces: Container[str]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """What no type refuses, but can't be meant: the key within ``reports``, and why."""
        for name in self.targets:
            if name not in media and name not in provinces:
                yield ("targets", name), f"{shown(name)} is neither a province nor a medium"
        for key, stop in (("stop", self.office.stop), ("friday_stop", self.office.friday_stop)):
            if stop is not None and stop <= self.office.start:
                yield ("office", key), f"the office closes ({stop}) before it opens"


def ratio(written: str) -> Fraction:
    """``99.5%`` as 199/200, exactly."""
    return Fraction(written.removesuffix("%")) / 100
