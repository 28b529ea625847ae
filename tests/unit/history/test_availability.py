"""The availability figure: exact seconds, worked out by hand."""

from __future__ import annotations

from datetime import time
from fractions import Fraction

import pytest

from tests.fakes.remembered import WIB, line, wib
from vcmon.history.availability import (
    Availability,
    Terms,
    availability,
    floor_percent,
    together,
)
from vcmon.history.hours import Office, office_hours, whole_time
from vcmon.history.spans import Spans, milliseconds
from vcmon.model.memory import Counted, Interval
from vcmon.model.result import Reason
from vcmon.model.status import State

UP, DEGRADED, DOWN = State.UP, State.DEGRADED, State.DOWN
UNREACHABLE, UNKNOWN = State.UNREACHABLE, State.UNKNOWN

DAY = 86_400
OFFICE = Office(time(7, 30), time(16), time(16))
ONE, NOUGHT = Fraction(1), Fraction(0)
OCTOBER = wib(2026, 10, 1), wib(2026, 11, 1)
NOVEMBER = wib(2026, 11, 1), wib(2026, 12, 1)


def span(start: float, stop: float) -> Spans:
    return whole_time(milliseconds(start), milliseconds(stop))


def terms(
    month: tuple[float, float],
    *,
    hours: Spans | None = None,
    maintenance: Spans = (),
    left_out: Spans = (),
    shortest: float = 0,
    until: float | None = None,
) -> Terms:
    return Terms(
        milliseconds(month[0]),
        milliseconds(month[1]),
        span(*month) if hours is None else hours,
        maintenance,
        left_out,
        milliseconds(shortest),
        None if until is None else milliseconds(until),
    )


def seconds(figure: Availability) -> dict[str, float]:
    """What isn't nought, in seconds."""
    return {str(key): value / 1000 for key, value in figure.milliseconds.items() if value}


def month_with(start: float, stop: float, state: State = DOWN) -> list[Interval]:
    """Up from September on, but for one stretch."""
    return line((wib(2026, 9, 1), UP), (start, state), (stop, UP))


def test_a_month_that_was_up() -> None:
    """31 days of up are 2,678,400 s and exactly 1."""
    figure = availability(line((wib(2026, 9, 1), UP)), terms(OCTOBER))
    assert seconds(figure) == {"up": 31 * DAY}
    assert (figure.ratio, figure.coverage, figure.mttr, figure.count) == (ONE, ONE, None, 0)


def test_degraded_is_available_unreachable_is_not() -> None:
    """(up + degraded) by (up + degraded + down + unreachable), to the last second."""
    start = OCTOBER[0]
    states = line(
        (start, UP),
        (start + 100, DEGRADED),
        (start + 300, DOWN),
        (start + 400, UNREACHABLE),
        (start + 450, UNKNOWN),
        (start + 500, UP),
    )
    figure = availability(states, terms(OCTOBER))
    assert seconds(figure) == {
        "up": 31 * DAY - 400,
        "degraded": 200,
        "down": 100,
        "unreachable": 50,
        "unknown": 50,
    }
    assert figure.ratio == Fraction(31 * DAY - 200, 31 * DAY - 50)
    assert figure.coverage == Fraction(31 * DAY - 50, 31 * DAY)
    # down and unreachable without a break are one outage
    assert (figure.count, figure.mttr, figure.longest) == (1, Fraction(150_000), 150_000)


def test_an_outage_over_midnight_is_one() -> None:
    """23.50 to 00.20 is one outage of 1,800 s, whatever day it is."""
    outage = wib(2026, 10, 14, 23, 50), wib(2026, 10, 15, 0, 20)
    figure = availability(month_with(*outage), terms(OCTOBER))
    assert seconds(figure) == {"up": 31 * DAY - 1800, "down": 1800}
    assert figure.count == 1


def test_an_outage_over_the_months_end_counts_in_both_by_its_parts() -> None:
    """31 October 23.00 to 1 November 02.00 WIB: 3,600 s are October's, 7,200 s November's."""
    outage = wib(2026, 10, 31, 23), wib(2026, 11, 1, 2)
    october = availability(month_with(*outage), terms(OCTOBER))
    november = availability(month_with(*outage), terms(NOVEMBER))
    assert seconds(october) == {"up": 31 * DAY - 3600, "down": 3600}
    assert seconds(november) == {"up": 30 * DAY - 7200, "down": 7200}
    assert (october.count, november.count) == (1, 1)
    (told,) = october.outages
    assert (told.start, told.stop) == (milliseconds(outage[0]), milliseconds(outage[1]))


def test_the_months_end_makes_no_outage_short() -> None:
    """600 s, of which 200 s are October's, are not under 300 s: the whole length is judged."""
    outage = wib(2026, 10, 31, 23, 56, 40), wib(2026, 11, 1, 0, 6, 40)
    figure = availability(month_with(*outage), terms(OCTOBER, shortest=300))
    assert seconds(figure) == {"up": 31 * DAY - 200, "down": 200}


@pytest.mark.parametrize(("length", "short"), [(299.999, True), (300.0, False)])
def test_shortest_outage_that_counts(length: float, short: bool) -> None:
    """Under 300 s an outage counts as available and is told beside; from 300 s on it counts."""
    start = wib(2026, 10, 5, 9)
    figure = availability(month_with(start, start + length), terms(OCTOBER, shortest=300))
    assert seconds(figure)["short" if short else "down"] == length
    assert (figure.ratio == 1) is short
    assert figure.count == (not short)
    assert [each.short for each in figure.outages] == [short]


def test_maintenance_takes_its_seconds_and_the_rest_of_the_outage_counts() -> None:
    """Down 01.30-03.30, planned 02.00-03.00: 3,600 s planned, 3,600 s down, one outage."""
    outage = wib(2026, 10, 11, 1, 30), wib(2026, 10, 11, 3, 30)
    planned = span(wib(2026, 10, 11, 2), wib(2026, 10, 11, 3))
    figure = availability(month_with(*outage), terms(OCTOBER, maintenance=planned))
    assert seconds(figure) == {"up": 31 * DAY - 7200, "down": 3600, "maintenance": 3600}
    assert figure.ratio == Fraction(31 * DAY - 7200, 31 * DAY - 3600)
    assert (figure.count, figure.longest, figure.coverage) == (1, 3_600_000, ONE)


def test_an_outage_within_maintenance_is_none() -> None:
    """What was planned leaves nothing to count, and no outage."""
    outage = wib(2026, 10, 11, 2, 10), wib(2026, 10, 11, 2, 40)
    planned = span(wib(2026, 10, 11, 2), wib(2026, 10, 11, 3))
    figure = availability(month_with(*outage), terms(OCTOBER, maintenance=planned))
    assert seconds(figure) == {"up": 31 * DAY - 3600, "maintenance": 3600}
    assert (figure.ratio, figure.count, figure.outages) == (ONE, 0, ())


def test_maintenance_makes_no_outage_short() -> None:
    """400 s, of which planned work hides 200 s: the other 200 s count, as 400 s are not short."""
    start = wib(2026, 10, 11, 2)
    planned = span(start + 200, start + 3600)
    figure = availability(
        month_with(start, start + 400), terms(OCTOBER, maintenance=planned, shortest=300)
    )
    assert seconds(figure)["down"] == 200


def test_a_cause_left_out_takes_the_outage_but_no_good_second() -> None:
    """A power cut 09.00-11.00 with an outage 09.10-10.40: 5,400 s left out, the rest stays up."""
    outage = wib(2026, 10, 5, 9, 10), wib(2026, 10, 5, 10, 40)
    power = span(wib(2026, 10, 5, 9), wib(2026, 10, 5, 11))
    figure = availability(month_with(*outage), terms(OCTOBER, left_out=power))
    assert seconds(figure) == {"up": 31 * DAY - 5400, "excluded": 5400}
    assert (figure.ratio, figure.count, figure.coverage) == (ONE, 0, ONE)


def test_what_goes_before_what() -> None:
    """Outside of the hours before maintenance, before a cause left out, before the state."""
    day = wib(2026, 10, 5)
    whole = (day, day + 400)
    figure = availability(
        line((day - DAY, UP), (day, DOWN), (day + 400, UP)),
        terms(
            whole,
            hours=span(day + 100, day + 400),
            maintenance=span(day, day + 200),
            left_out=span(day, day + 300),
        ),
    )
    assert seconds(figure) == {"outside": 100, "maintenance": 100, "excluded": 100, "down": 100}


def test_office_hours_leave_the_night_out() -> None:
    """Down from Monday 15.30 to Tuesday 08.00: 1,800 s of each day's hours are one outage."""
    outage = wib(2026, 10, 5, 15, 30), wib(2026, 10, 6, 8)
    start, stop = map(milliseconds, OCTOBER)
    hours = office_hours(start, stop, WIB, OFFICE, ())
    figure = availability(month_with(*outage), terms(OCTOBER, hours=hours))
    counted = 22 * 30_600
    assert seconds(figure) == {
        "up": counted - 3600,
        "down": 3600,
        "outside": 31 * DAY - counted,
    }
    assert (figure.count, figure.longest) == (1, 3_600_000)


def test_an_outage_at_night_is_none_in_office_hours() -> None:
    """What nobody was to use is no outage of the hours."""
    outage = wib(2026, 10, 5, 17), wib(2026, 10, 6, 7)
    start, stop = map(milliseconds, OCTOBER)
    hours = office_hours(start, stop, WIB, OFFICE, ())
    figure = availability(month_with(*outage), terms(OCTOBER, hours=hours))
    assert (figure.ratio, figure.count, figure.outages) == (ONE, 0, ())


def test_a_month_half_measured() -> None:
    """Watched from 16 October 12.00 on: 15.5 of 31 days, coverage exactly one half."""
    figure = availability(line((wib(2026, 10, 16, 12), UP)), terms(OCTOBER))
    assert seconds(figure) == {"up": 15.5 * DAY, "unknown": 15.5 * DAY}
    assert (figure.ratio, figure.coverage) == (ONE, Fraction(1, 2))


def test_a_hole_is_unknown_like_a_blind_spell() -> None:
    """Seconds that no interval tells and seconds that were unknown are the same."""
    start = OCTOBER[0]
    states = [
        *line((start, UP), (start + 1000, UNKNOWN), stop=start + 3000),
        *line((start + 5000, UP)),
    ]
    assert seconds(availability(states, terms(OCTOBER))) == {"up": 31 * DAY - 4000, "unknown": 4000}


def test_nothing_measured_is_no_figure() -> None:
    """A month of nothing is neither 0 % nor 100 %: there is none."""
    figure = availability([], terms(OCTOBER))
    assert seconds(figure) == {"unknown": 31 * DAY}
    assert (figure.ratio, figure.coverage, figure.mttr) == (None, NOUGHT, None)


def test_a_month_of_nothing_but_maintenance_has_no_coverage_either() -> None:
    """Where nothing was to be measured, no share of it can be told."""
    figure = availability(line((wib(2026, 9, 1), DOWN)), terms(OCTOBER, maintenance=span(*OCTOBER)))
    assert seconds(figure) == {"maintenance": 31 * DAY}
    assert (figure.ratio, figure.coverage) == (None, None)


def test_what_goes_on_is_known_until_the_last_heartbeat() -> None:
    """A monitor that died on the 20th can't have seen the link up afterwards."""
    states = line((wib(2026, 9, 1), UP), (wib(2026, 10, 19), DOWN))
    figure = availability(states, terms(OCTOBER, until=wib(2026, 10, 20)))
    assert seconds(figure) == {"up": 18 * DAY, "down": DAY, "unknown": 12 * DAY}
    assert [each.stop for each in figure.outages] == [None]


def test_february_of_a_leap_year_has_29_days() -> None:
    """An outage on 29 February 2028 counts in February: 29 days are 2,505,600 s."""
    month = wib(2028, 2, 1), wib(2028, 3, 1)
    outage = wib(2028, 2, 29, 23), wib(2028, 3, 1, 1)
    states = line((wib(2028, 1, 1), UP), (outage[0], DOWN), (outage[1], UP))
    assert seconds(availability(states, terms(month))) == {"up": 2_505_600 - 3600, "down": 3600}


def test_intervals_that_overlap_count_once() -> None:
    """Were two intervals to overlap, the later is believed from its start on; nothing is double."""
    start = OCTOBER[0]
    states = [
        Interval("x", start, OCTOBER[1], UP, Reason.OK),
        Interval("x", start + 1000, start + 2000, DOWN, Reason.TIMEOUT),
    ]
    found = seconds(availability(states, terms(OCTOBER)))
    assert found == {"up": 1000, "down": 1000, "unknown": 31 * DAY - 2000}


def test_two_outages_that_good_time_parts_are_two() -> None:
    """MTTR is outage time by number: 600 s and 1,200 s are 900 s; the longest is 1,200 s."""
    start = OCTOBER[0]
    states = line(
        (start, UP),
        (start + 100, DOWN),
        (start + 700, UP),
        (start + 1000, UNREACHABLE),
        (start + 2200, DEGRADED),
    )
    figure = availability(states, terms(OCTOBER))
    assert (figure.count, figure.mttr, figure.longest) == (2, Fraction(900_000), 1_200_000)


def test_the_country_is_the_sum_of_its_provinces() -> None:
    """Times and outages add up; a province that was not measured weighs nothing."""
    one = availability(month_with(OCTOBER[0], OCTOBER[0] + DAY), terms(OCTOBER))
    other = availability(line((wib(2026, 9, 1), UP)), terms(OCTOBER))
    none = availability([], terms(OCTOBER))
    country = together([one, other, none])
    assert country.ratio == Fraction(61, 62)
    assert country.coverage == Fraction(2, 3)
    assert (country.count, country.longest) == (1, DAY * 1000)
    assert together([]).ratio is None


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (Fraction(1), (100, 0)),
        (Fraction(999_999, 1_000_000), (99, 99)),
        (Fraction(2_678_399_999, 2_678_400_000), (99, 99)),
        (Fraction(995, 1000), (99, 50)),
        (Fraction(99_499_999, 100_000_000), (99, 49)),
        (Fraction(1, 3), (33, 33)),
        (Fraction(0), (0, 0)),
    ],
)
def test_a_figure_is_cut_never_rounded_up(share: Fraction, told: tuple[int, int]) -> None:
    """One lost millisecond of a month is 99.99, not 100."""
    assert floor_percent(share) == told


def test_every_count_is_told() -> None:
    """All kinds of counts are there, those of nought too."""
    assert set(availability([], terms(OCTOBER)).milliseconds) == set(Counted)
