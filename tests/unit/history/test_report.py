"""A month's report, worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.fakes.remembered import FakeMemory, incident, line, wib
from tests.fakes.reports import DAY, NOVEMBER_23, OCTOBER, codec, country, desk, past
from vcmon.errors import ReportError
from vcmon.history.month import Month
from vcmon.history.report import Desk, Line, Report, count_month
from vcmon.model.memory import Cause, Maintenance
from vcmon.model.status import State


def seconds(line: Line) -> dict[str, float]:
    """What isn't nought, in seconds."""
    return {str(key): value / 1000 for key, value in line.figure.milliseconds.items() if value}


def named(report: Report) -> dict[str, Line]:
    return {each.series.partition(":")[2]: each for each in report.lines}


def test_strict_and_lenient_targets_tell_the_same_past_differently() -> None:
    """99.5 % of everything is missed; 95 %, without power cuts and under 300 s, is met."""
    strict = named(count_month(desk(), OCTOBER))["aceh"]
    assert seconds(strict) == {"up": 31 * DAY - 15_800, "down": 15_800}
    assert strict.figure.ratio == Fraction(2_662_600, 2_678_400)
    assert (strict.figure.count, strict.met) == (3, False)

    rules = {"target": "95%", "shortest_outage": 300.0, "excluded_causes": (Cause.POWER,)}
    palapa = named(count_month(desk(settings=country(**rules)), OCTOBER))["aceh"]
    assert seconds(palapa) == {
        "up": 31 * DAY - 15_800,
        "down": 1200,
        "short": 200,
        "excluded": 14_400,
    }
    assert palapa.figure.ratio == Fraction(2_662_800, 2_664_000)
    assert (palapa.figure.count, palapa.met, palapa.target) == (1, True, Fraction(19, 20))
    assert palapa.figure.mttr == Fraction(1_200_000)


def test_too_little_measured_is_neither_met_nor_missed() -> None:
    """Half a month measured, all of it up: 100 %, and yet not to be held against the target."""
    papua = named(count_month(desk(), OCTOBER))["papua"]
    assert papua.figure.ratio == Fraction(1)
    assert papua.figure.coverage == Fraction(1, 2)
    assert (papua.enough, papua.met) == (False, None)


def test_coverage_of_95_per_cent_is_enough() -> None:
    """A month of 31 days may miss 133,920 s; a millisecond more is too much."""
    for late, enough in ((133_920.0, True), (133_920.001, False)):
        memory = FakeMemory(line((wib(2026, 10, 1) + late, State.UP)), beat=NOVEMBER_23)
        (aceh,) = count_month(desk(memory, country(codec("aceh"))), OCTOBER).lines
        assert aceh.enough is enough


def test_the_country_adds_up_without_the_centre() -> None:
    """The country is the provinces' time; the Centre has its own line, the last."""
    report = count_month(desk(), OCTOBER)
    assert [each.series for each in report.lines] == [
        "province:aceh",
        "province:papua",
        "province:pusat",
    ]
    assert seconds(report.country) == {
        "up": 31 * DAY - 15_800 + 15.5 * DAY,
        "down": 15_800,
        "unknown": 15.5 * DAY,
    }
    assert len(report.unwatched) == 36


def test_months_are_the_report_zones_office_hours_the_provinces() -> None:
    """An outage 07.30-08.00 WIT on 2 November lies in Papua's office hours, in no other's."""
    start, stop = wib(2026, 11, 2, 5, 30), wib(2026, 11, 2, 6)
    lines = [
        each
        for slug in ("aceh", "bali", "papua")
        for each in line(
            (wib(2026, 10, 1), State.UP),
            (start, State.DOWN),
            (stop, State.UP),
            series=f"province:{slug}",
        )
    ]
    settings = country(codec("aceh"), codec("bali"), codec("papua"), hours="office")
    place = Desk(FakeMemory(lines, beat=wib(2026, 12, 9)), settings, wib(2026, 12, 9))
    report = count_month(place, Month(2026, 11))
    # November 2026: 21 weekdays of 8 h 30 min, no holiday
    hours = 21 * 30_600
    told = named(report)
    assert (
        seconds(told["aceh"]) == seconds(told["bali"]) == {"up": hours, "outside": 30 * DAY - hours}
    )
    assert seconds(told["papua"])["down"] == 1800


@pytest.mark.parametrize(
    ("slug", "zone", "shift"),
    [("aceh", "Asia/Jakarta", 0), ("bali", "Asia/Makassar", 1), ("papua", "Asia/Jayapura", 2)],
)
def test_a_month_begins_at_the_report_zones_midnight(slug: str, zone: str, shift: int) -> None:
    """An outage from 23.00 to 01.00 WIB is cut at the midnight of the report's own zone."""
    outage = wib(2026, 10, 31, 23), wib(2026, 11, 1, 1)
    states = line(
        (wib(2026, 9, 1), State.UP),
        (outage[0], State.DOWN),
        (outage[1], State.UP),
        series=f"province:{slug}",
    )
    settings = country(codec(slug), zone=zone)
    (told,) = count_month(desk(FakeMemory(states, beat=NOVEMBER_23), settings), OCTOBER).lines
    assert told.zone == zone
    # midnight in Makassar is 23.00 WIB, in Jayapura 22.00 WIB: then all of it is November's
    expected = {0: 3600.0, 1: 0.0, 2: 0.0}[shift]
    assert seconds(told).get("down", 0.0) == expected


def test_a_running_month_is_counted_up_to_now() -> None:
    """On 23 November 09.41 the month has 22 days, 9 h and 41 min, and not 30 days."""
    memory = FakeMemory(line((wib(2026, 9, 1), State.UP)), beat=NOVEMBER_23)
    report = count_month(desk(memory, country(codec("aceh"))), Month(2026, 11))
    assert seconds(report.lines[0]) == {"up": 22 * DAY + 9 * 3600 + 41 * 60}
    assert report.until < report.stop


def test_a_month_to_come_has_no_report() -> None:
    """What has not begun can't be reported, from the first millisecond on it can."""
    with pytest.raises(ReportError, match="2026-12 has not begun yet"):
        count_month(desk(), Month(2026, 12))


def test_a_dead_monitor_saw_nothing_after_its_last_heartbeat() -> None:
    """Stopped on the 20th at midnight: the twelve days after are unknown, not up."""
    memory = FakeMemory(line((wib(2026, 9, 1), State.UP)), beat=wib(2026, 10, 20))
    (told,) = count_month(desk(memory, country(codec("aceh"))), OCTOBER).lines
    assert seconds(told) == {"up": 19 * DAY, "unknown": 12 * DAY}
    memory.beat = None
    (told,) = count_month(desk(memory, country(codec("aceh"))), OCTOBER).lines
    assert told.figure.ratio is None


def test_an_outage_over_the_edge_is_judged_by_its_whole_length() -> None:
    """Down for 250 s before the month and 100 s unreachable in it: 350 s, so the 100 s count."""
    first = wib(2026, 10, 1)
    states = line(
        (wib(2026, 9, 1), State.UP),
        (first - 250, State.DOWN),
        (first, State.UNREACHABLE),
        (first + 100, State.UP),
    )
    memory = FakeMemory(states, beat=NOVEMBER_23)
    settings = country(codec("aceh"), shortest_outage=300.0)
    (told,) = count_month(desk(memory, settings), OCTOBER).lines
    assert seconds(told) == {"up": 31 * DAY - 100, "unreachable": 100}


def test_only_the_cause_that_is_left_out_is() -> None:
    """A cable cut counts where only power cuts are left out; an open one is left out till now."""
    start = wib(2026, 10, 30)
    memory = FakeMemory(
        line((wib(2026, 9, 1), State.UP), (start, State.DOWN)),
        [incident(1, start, None, "province:aceh", Cause.CABLE)],
        beat=NOVEMBER_23,
    )
    settings = country(codec("aceh"), excluded_causes=(Cause.POWER,))
    (told,) = count_month(desk(memory, settings), OCTOBER).lines
    assert seconds(told)["down"] == 2 * DAY
    settings = country(codec("aceh"), excluded_causes=(Cause.POWER, Cause.CABLE))
    (told,) = count_month(desk(memory, settings), OCTOBER).lines
    assert seconds(told) == {"up": 29 * DAY, "excluded": 2 * DAY}


def test_planned_work_every_week_is_left_out() -> None:
    """Sundays 22.00-23.00 WIB: October 2026 has four Sundays, 14,400 s."""
    memory = past()
    first = wib(2026, 9, 6, 22)
    memory.windows = [
        Maintenance(1, "province:aceh", "Minggu malam", first, 3600, rule="FREQ=WEEKLY;BYDAY=SU")
    ]
    told = named(count_month(desk(memory), OCTOBER))
    assert seconds(told["aceh"])["maintenance"] == 14_400
    assert "maintenance" not in seconds(told["papua"])


def test_progress_is_told_from_nothing_to_all() -> None:
    """Whoever waits sees each line being counted, and the end."""
    steps: list[tuple[int, int]] = []
    place = Desk(past(), country(), NOVEMBER_23, lambda done, of: steps.append((done, of)))
    count_month(place, OCTOBER)
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "26-10", "2026-1", "١٩٩٩-10", "", "9999-12"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    """Only a year of four digits and a month of two are one."""
    with pytest.raises(ReportError, match="expected a month like 2026-10"):
        Month.parse(text)


def test_months_go_over_the_years_end() -> None:
    """The month after December is January; twelve back is the year before."""
    assert str(Month(2026, 12).shifted(1)) == "2027-01"
    assert str(Month(2026, 12).shifted(-12)) == "2025-12"
