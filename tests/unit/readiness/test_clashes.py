"""Meetings on holidays, and under maintenance of those who are to join."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.incident_book import country
from vcmon.model.meeting import Meeting, Moved, Seat
from vcmon.model.memory import Maintenance
from vcmon.readiness.clashes import AHEAD, Clash, clashes

WIB = ZoneInfo("Asia/Jakarta")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=WIB).timestamp()
HOUR, DAY = 3600.0, 86_400.0
FACTS = country(papua=2, jawa=2)
MEETING = Meeting("m", "Rapat", MONDAY, 2 * HOUR, (Seat("papua0"), Seat("jawa1", required=False)))


def window(scope: str, start: float = 0, seconds: float = HOUR) -> Maintenance:
    return Maintenance(1, scope, "Serat", MONDAY + start, seconds)


def found(
    meeting: Meeting = MEETING, *windows: Maintenance, now: float = MONDAY - DAY
) -> tuple[Clash, ...]:
    return clashes([meeting], windows, FACTS, now)


@pytest.mark.parametrize(
    ("scope", "touched"),
    [
        ("province:papua0", ("papua0",)),
        ("endpoint:papua0-codec", ("papua0",)),
        ("endpoint:papua0-router", ("papua0",)),
        ("endpoint:hub", ("papua0", "jawa1")),
        ("island:papua", ("papua0",)),
        ("provider:provider-1", ("jawa1",)),
        ("province:papua1", ()),
        ("province:jawa0", ()),
    ],
)
def test_maintenance_of_whoever_is_to_join(scope: str, touched: tuple[str, ...]) -> None:
    """A province, any endpoint of it, what it stands behind; not what nobody here needs."""
    assert [each.provinces for each in found(MEETING, window(scope))] == [touched] * bool(touched)


@pytest.mark.parametrize(
    ("start", "clashing"),
    [(-HOUR, 0), (-HOUR + 1, 1), (2 * HOUR - 1, 1), (2 * HOUR, 0)],
)
def test_what_only_touches_does_not_clash(start: float, clashing: int) -> None:
    """Both are half open: to the second."""
    assert len(found(MEETING, window("province:papua0", start))) == clashing


def test_maintenance_of_the_room() -> None:
    """All join it: it is told even where no province of the roster is touched."""
    (clash,) = found(replace(MEETING, room="jawa0-codec"), window("endpoint:jawa0-codec"))
    assert (clash.room, clash.provinces) == (True, ())


def test_a_sitting_on_a_holiday() -> None:
    """Public holidays and collective leave, on the clock of the meeting."""
    weekly = replace(MEETING, start=datetime(2026, 12, 18, 8, tzinfo=WIB).timestamp(),
                     rule="FREQ=WEEKLY")  # fmt: skip
    (clash,) = found(weekly, now=weekly.start - DAY)[:1]
    assert (clash.sitting.id, clash.holiday) == ("m-20261225-0800", "Hari Raya Natal")
    early = replace(MEETING, zone="Asia/Jayapura",
                    start=datetime(2026, 12, 24, 23, tzinfo=WIB).timestamp())  # fmt: skip
    (clash,) = found(early)
    assert clash.holiday == "Hari Raya Natal"


def test_a_sitting_that_was_moved_away_does_not_clash() -> None:
    """What is looked at is when it takes place."""
    moved = replace(MEETING, moved=(Moved(MONDAY, MONDAY + DAY, HOUR),))
    assert found(moved, window("province:papua0")) == ()


def test_only_so_far_ahead() -> None:
    """A sitting that begins within three months; of one that is on, too."""
    assert len(found(MEETING, window("province:papua0"), now=MONDAY - AHEAD + 1)) == 1
    assert found(MEETING, window("province:papua0"), now=MONDAY - AHEAD) == ()
    assert len(found(MEETING, window("province:papua0"), now=MONDAY + 1)) == 1
