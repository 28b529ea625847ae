"""A small country with a past, to make reports of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fakes.remembered import FakeMemory, incident, line, wib
from vcmon.config.provinces import provinces
from vcmon.config.reports import Reports
from vcmon.config.settings import Settings
from vcmon.history.frozen import pages_of
from vcmon.history.month import Month
from vcmon.history.report import Desk, count_month
from vcmon.model.endpoint import Endpoint, Role
from vcmon.model.meeting import Meeting, Seat, Sitting
from vcmon.model.memory import Cause
from vcmon.model.status import State

PROVINCES = provinces()
"""Read here once: the first call reads a file, which no test may do on its loop."""

NOVEMBER_23 = wib(2026, 11, 23, 9, 41)
OCTOBER = Month(2026, 10)
DAY = 86_400

FIVE = wib(2026, 10, 5, 9)
MEETING = Sitting(
    Meeting("rapat", "Rapat", FIVE, 3600.0, (Seat("aceh"), Seat("papua"))),
    *(FIVE, FIVE, FIVE + 3600.0),
)
"""For the first 200 s of it Aceh is down; nobody watched Papua yet."""


def codec(slug: str, **more: Any) -> Endpoint:
    """A conference endpoint of a province."""
    return Endpoint(more.pop("id", f"{slug}-codec"), slug, Role.CODEC, "192.0.2.1", (), **more)


def country(*endpoints: Endpoint, **rules: Any) -> Settings:
    """Settings with these endpoints, and these rules of reports."""
    return Settings(
        endpoints=endpoints or (codec("aceh"), codec("papua"), codec("pusat")),
        provinces=PROVINCES,
        reports=Reports(**rules),
    )


def past() -> FakeMemory:
    """October 2026 of Aceh, Papua and the Centre, watched since September.

    Aceh: 200 s down on the 5th; a power cut of 4 h on the 12th; 20 min on the 20th.
    Papua: watched from the 16th, 12.00 on, and up. The Centre: up.
    """
    up, down = State.UP, State.DOWN
    five, twelve, twenty = (wib(2026, 10, day, 9) for day in (5, 12, 20))
    changes = [
        (wib(2026, 9, 1), up),
        (five, down),
        (five + 200, up),
        (twelve, down),
        (twelve + 4 * 3600, up),
        (twenty, down),
        (twenty + 1200, up),
    ]
    return FakeMemory(
        lines=[
            *line(*changes),
            *line((wib(2026, 10, 16, 12), up), series="province:papua"),
            *line((wib(2026, 9, 1), up), series="province:pusat"),
        ],
        told=[incident(1, twelve, twelve + 4 * 3600, "province:aceh", Cause.POWER)],
        beat=NOVEMBER_23 - 1,
    )


def desk(memory: FakeMemory | None = None, settings: Settings | None = None) -> Desk:
    """A desk on 23 November 2026, 09.41 WIB."""
    return Desk(memory or past(), settings or country(), NOVEMBER_23)


def frozen(memory: FakeMemory) -> FakeMemory:
    """The same memory with October frozen on 3 November."""
    pages = pages_of(count_month(desk(memory), OCTOBER), wib(2026, 11, 3, 0, 5))
    return replace(memory, pages={"2026-10": pages})


def whole_country() -> tuple[FakeMemory, Settings]:
    """All provinces and the Centre in October, each with an outage in its office hours."""
    monday = wib(2026, 10, 5, 9, 30)
    lines = [
        each
        for place, slug in enumerate(PROVINCES)
        for each in line(
            (wib(2026, 9, 1), State.UP),
            (monday, State.DOWN),
            (monday + 60 * (place + 1), State.DEGRADED),
            (monday + DAY, State.UNKNOWN),
            (monday + 2 * DAY, State.UP),
            series=f"province:{slug}",
        )
    ]
    settings = country(*(codec(slug) for slug in PROVINCES), hours="office", shortest_outage=300.0)
    return FakeMemory(lines, beat=NOVEMBER_23), settings
