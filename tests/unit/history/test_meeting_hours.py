"""Availability in meeting hours: what took place, cut at the month's edges, counted as minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.remembered import FakeMemory, line, wib
from tests.fakes.reports import DAY, NOVEMBER_23, OCTOBER, codec, country, desk, past
from vcmon.history import report as report_module
from vcmon.history.frozen import month_report, pages_of
from vcmon.history.meeting_hours import as_held, meeting_hours
from vcmon.history.month import Month
from vcmon.history.report import Line, Report, count_month
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting, Moved, Origin, Seat, Sitting
from vcmon.model.memory import Cause, Counted, Maintenance
from vcmon.model.status import State

HOUR = 3600.0
FIVE = wib(2026, 10, 5, 9)  # Aceh is down for 200 s from here on


def held(start: float, seconds: float = HOUR, *slugs: str, name: str = "rapat") -> Sitting:
    seats = tuple(Seat(slug) for slug in slugs or ("aceh",))
    return Sitting(Meeting(name, name, start, seconds, seats), start, start, start + seconds)


def told(*sittings: Sitting, memory: FakeMemory | None = None, **rules: Any) -> Report:
    """October, with these meetings."""
    place = replace(memory or past(), held=list(sittings))
    return count_month(desk(place, country(**rules)), OCTOBER)


def named(report: Report, slug: str = "aceh") -> Line:
    return next(each for each in report.lines if each.series == f"province:{slug}")


def test_only_the_hours_of_its_own_meetings_count() -> None:
    """200 s lost of an hour with a seat; nothing for who had none; the country adds them up."""
    report = told(held(FIVE), held(FIVE + DAY))
    aceh = named(report)
    assert aceh.in_meetings == Fraction(7000, 7200)
    assert named(report, "papua").meetings is None
    assert named(report, "papua").in_meetings is None
    assert report.country.in_meetings == Fraction(7000, 7200)
    assert told().country.meetings is None


def test_no_outage_is_too_short_and_no_cause_is_left_out() -> None:
    """As in the minutes, whatever the month's own rules leave out."""
    twelve = wib(2026, 10, 12, 9)
    rules: dict[str, Any] = {
        "shortest_outage": 300.0,
        "excluded_causes": (Cause.POWER,),
        "hours": "office",
    }
    aceh = named(told(held(FIVE), held(twelve), **rules))
    assert aceh.in_meetings == Fraction(3400, 7200)


def test_maintenance_is_left_out() -> None:
    """The first 200 s were planned work: what is left was up."""
    memory = replace(past(), windows=[Maintenance(1, "province:aceh", "", FIVE, 200.0)])
    met = named(told(held(FIVE), memory=memory)).meetings
    assert met is not None
    assert (met.ratio, met.counted, met.milliseconds[Counted.MAINTENANCE]) == (
        *(Fraction(1), 3_400_000),
        200_000,
    )


@pytest.mark.parametrize(("late", "known"), [(180.0, True), (180.001, False)])
def test_under_95_per_cent_coverage_nothing_is_told(late: float, known: bool) -> None:
    """Of an hour three minutes may go unseen, and not a millisecond more."""
    memory = FakeMemory(line((FIVE + late, State.UP)), beat=NOVEMBER_23)
    aceh = named(told(held(FIVE), memory=memory))
    assert (aceh.in_meetings is not None) is known


def test_a_sitting_over_the_edge_counts_in_both_months_by_its_part() -> None:
    """From 23.30 to 00.30: half an hour in each, to the millisecond; the span is half open."""
    edge = wib(2026, 11, 1)
    over = held(edge - HOUR / 2)
    place = desk(replace(past(), held=[over, held(edge), held(wib(2026, 10, 1) - HOUR)]))
    for month in (OCTOBER, Month(2026, 11)):
        met = named(count_month(place, month)).meetings
        assert met is not None
        assert met.counted == (1_800_000 if month == OCTOBER else 3_600_000)
    first = held(wib(2026, 10, 1) - DAY, DAY + 0.001)  # a day long: as long as a sitting may be
    last = named(told(replace(first, start=first.start + 1, stop=first.stop))).meetings
    assert last is not None
    assert last.counted == 1


def test_two_meetings_at_once_count_once() -> None:
    """From 9 to 10 and from 9.30 to 10.30 are an hour and a half; cut to what is asked for."""
    both = [held(100.0), held(100.0 + HOUR / 2, HOUR, "aceh", "papua", name="lain")]
    assert meeting_hours(both, 0, 10_000_000) == {
        "aceh": ((100_000, 5_500_000),),
        "papua": ((1_900_000, 5_500_000),),
    }
    assert meeting_hours(both, 200_000, 1_900_000) == {"aceh": ((200_000, 1_900_000),)}


def test_a_sitting_that_goes_on_counts_so_far() -> None:
    """Of the month that runs, up to now; what is to come is nothing yet."""
    memory = FakeMemory(line((wib(2026, 9, 1), State.UP)), beat=NOVEMBER_23)
    memory.held = [held(NOVEMBER_23 - 60), held(NOVEMBER_23 + 60)]
    met = named(count_month(desk(memory, country(codec("aceh"))), Month(2026, 11))).meetings
    assert met is not None
    assert sum(met.milliseconds.values()) - met.milliseconds[Counted.OUTSIDE] == 60_000


def test_more_sittings_than_are_read_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the meetings is not told as if it were all of them."""
    monkeypatch.setattr(report_module, "SITTINGS", 1)
    assert named(told(held(FIVE))).meetings is not None
    assert named(told(held(FIVE), held(FIVE + DAY))).meetings is None


def test_a_frozen_month_keeps_its_meetings() -> None:
    """What was counted is told for ever, whatever becomes of the sittings."""
    memory = replace(past(), held=[held(FIVE)])
    counted = count_month(desk(memory), OCTOBER)
    memory.pages = {"2026-10": pages_of(counted, NOVEMBER_23)}
    memory.held = []
    report = month_report(desk(memory), OCTOBER)
    assert report.country.in_meetings == Fraction(3400, 3600)
    assert named(report).in_meetings == Fraction(3400, 3600)


def test_a_month_that_was_frozen_without_them_has_none() -> None:
    """Pages of before are read as they are: the figure is not made up afterwards."""
    memory = replace(past(), held=[held(FIVE)])
    pages = pages_of(count_month(desk(memory), OCTOBER), NOVEMBER_23)
    for name, text in pages.items():
        page = json.loads(text)
        page.pop("meetings", None)
        pages[name] = json.dumps(page)
    memory.pages = {"2026-10": pages}
    report = month_report(desk(memory), OCTOBER)
    assert [each.meetings for each in (*report.lines, report.country)] == [None] * 4
    assert named(report).figure.ratio == Fraction(2_662_600, 2_678_400)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "memory.db")
    yield opened
    opened.close()


def test_what_was_called_off_after_its_roll_was_not_held(store: Store) -> None:
    """A kept sitting whose last plan leaves it out, or calls all off, is no meeting hour."""
    it, other = held(FIVE), held(FIVE + DAY, HOUR, "aceh", name="lain")
    for each in (it, other):
        store.keep_sitting(each)
    assert store.held_sittings(FIVE, FIVE + 2 * DAY, 9) == [other, it]
    store.put_meeting(replace(it.meeting, excluded=(FIVE,)), "Sari", FIVE - 60)
    assert store.held_sittings(FIVE, FIVE + 2 * DAY, 9) == [other]
    store.put_meeting(replace(other.meeting, cancelled_at=other.start - 1), "Sari", FIVE)
    assert store.held_sittings(FIVE, FIVE + 2 * DAY, 9) == []


def test_the_last_plan_tells_when_it_was_held() -> None:
    """Moved after its roll it counts at its new time; another meeting of its name moves nothing."""
    it = held(FIVE)
    moved = replace(it.meeting, moved=(Moved(FIVE, FIVE + DAY, 60.0),))
    assert as_held(it, moved) == replace(it, start=FIVE + DAY, stop=FIVE + DAY + 60)
    assert as_held(it, replace(moved, origin=Origin.PERSON)) == it
    assert as_held(it, replace(it.meeting, cancelled_at=FIVE)) == it
    assert as_held(it, replace(it.meeting, cancelled_at=FIVE - 0.001)) is None
