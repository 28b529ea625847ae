"""Which planned work took a province out of the figure, and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.memory import wib
from tests.fakes.reports import PROVINCES, codec
from vcmon.history.planned import maintenance_of, occasions
from vcmon.history.spans import Spans
from vcmon.model.endpoint import Endpoint, Role
from vcmon.model.memory import Maintenance

HOUR = 3600
START = wib(2026, 10, 4, 22)
WHOLE = wib(2026, 10, 1), wib(2026, 11, 1)


def window(scope: str = "province:aceh", rule: str = "", **more: object) -> Maintenance:
    return Maintenance(1, scope, "", START, HOUR, rule=rule, **more)  # type: ignore[arg-type]


def times(*windows: Maintenance) -> list[tuple[float, float]]:
    return [(each.start, each.stop) for each in occasions(windows, *WHOLE)]


def test_once_is_once() -> None:
    """A window without a rule takes place one time."""
    assert times(window()) == [(START, START + HOUR)]


def test_a_weekly_window_stays_on_its_wall_clock() -> None:
    """Sundays at 22.00 WIB, from the first time on."""
    found = times(window(rule="FREQ=WEEKLY;BYDAY=SU"))
    assert [at for at, _ in found] == [wib(2026, 10, day, 22) for day in (4, 11, 18, 25)]


def test_a_clock_put_forward_keeps_the_wall_time() -> None:
    """In a zone with summer time 22.00 stays 22.00, in winter as in summer."""
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 4, 22, tzinfo=berlin).timestamp()
    weekly = Maintenance(1, "province:aceh", "", first, HOUR, "Europe/Berlin", "FREQ=WEEKLY")
    hours = {datetime.fromtimestamp(at, berlin).hour for at, _ in times(weekly)}
    assert (hours, len(times(weekly))) == ({22}, 4)


def test_one_that_was_called_off_ends_there() -> None:
    """Ended early, it is shorter; after that nothing happens."""
    assert times(window(ended_at=START + 60)) == [(START, START + 60)]
    assert times(window(ended_at=START - 60)) == []
    assert len(times(window(rule="FREQ=WEEKLY", ended_at=wib(2026, 10, 12)))) == 2


def test_one_that_began_before_the_month_is_on() -> None:
    """A window over the edge is told whole."""
    long = Maintenance(1, "province:aceh", "", WHOLE[0] - 60, 120)
    assert times(long) == [(WHOLE[0] - 60, WHOLE[0] + 60)]


def spans(endpoints: list[Endpoint], *windows: Maintenance) -> Spans:
    known = {each.id: each for each in endpoints}
    return maintenance_of(PROVINCES["aceh"], known, list(occasions(windows, *WHOLE)))


ONE = ((int(START) * 1000, (int(START) + HOUR) * 1000),)
ROUTER = Endpoint("aceh-router", "aceh", Role.ROUTER, "192.0.2.9", (), provider="Telkom")
BEHIND = codec("aceh", depends_on=("aceh-router",))
BESIDE = codec("aceh", id="aceh-ruang")


@pytest.mark.parametrize(
    ("scope", "endpoints", "covered"),
    [
        ("province:aceh", [BEHIND, BESIDE, ROUTER], True),
        ("province:bali", [BEHIND, ROUTER], False),
        ("island:Sumatera", [BEHIND, BESIDE], True),
        ("endpoint:aceh-codec", [BEHIND, ROUTER], True),
        ("endpoint:aceh-router", [BEHIND, ROUTER], True),
        ("provider:Telkom", [BEHIND, ROUTER], True),
        ("endpoint:aceh-codec", [BEHIND, BESIDE, ROUTER], False),
        ("provider:Telkom", [BEHIND, BESIDE, ROUTER], False),
        ("provider:", [BESIDE], False),
        ("province:aceh", [], True),
        ("endpoint:aceh-router", [ROUTER], True),
    ],
)
def test_what_covers_a_province(scope: str, endpoints: list[Endpoint], covered: bool) -> None:
    """Itself, its island, or all of its conference endpoints with what they depend on."""
    assert spans(endpoints, window(scope)) == (ONE if covered else ())


def test_two_windows_that_take_a_codec_each_take_the_province() -> None:
    """Both codecs planned at once leave no conference that could have been."""
    both = window("endpoint:aceh-codec"), window("endpoint:aceh-ruang")
    assert spans([BEHIND, BESIDE], *both) == ONE


def test_dependencies_in_a_circle_end() -> None:
    """A circle in the inventory is walked once."""
    one, two = codec("aceh", depends_on=("b",)), codec("aceh", id="b", depends_on=("aceh-codec",))
    assert spans([one, two], window("endpoint:b")) == ONE
