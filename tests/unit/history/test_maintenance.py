"""Which maintenance is on when, and what lies under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import EPOCH
from tests.fakes.incident_book import country
from vcmon.history.facts import EndpointFact, Facts
from vcmon.history.maintenance import (
    DAY,
    OCCASIONS,
    Agenda,
    Spans,
    active,
    intersect,
    merge,
    occasions,
    overlap,
    under,
    upcoming,
)
from vcmon.model.memory import Maintenance, Occasion

FACTS = country(papua=2, jawa=2)
WIT = ZoneInfo("Asia/Jayapura")
ONCE = Maintenance(1, "province:papua0", "ganti router", EPOCH, 7200)
SUNDAYS = Maintenance(
    2, "province:papua0", "tiap Minggu", datetime(2026, 11, 22, 22, tzinfo=WIT).timestamp(),
    14_400, "Asia/Jayapura", "FREQ=WEEKLY;BYDAY=SU",
)  # fmt: skip


def window(scope: str, start: float = 0, seconds: float = 100) -> Maintenance:
    return Maintenance(1, scope, "x", EPOCH + start, seconds)


def covered(subject: str, *windows: Maintenance, facts: Facts = FACTS) -> Spans:
    """Its spans within the hour from EPOCH on, as seconds after EPOCH."""
    spans = overlap(subject, windows, facts, EPOCH, EPOCH + 3600)
    return tuple((start - EPOCH, stop - EPOCH) for start, stop in spans)


@pytest.mark.parametrize(("at", "on"), [(-0.001, 0), (0, 1), (7199.999, 1), (7200, 0)])
def test_a_window_is_half_open(at: float, on: int) -> None:
    """On at its first second, off at its last."""
    found = occasions([ONCE], EPOCH - DAY, EPOCH + DAY)
    assert len(active(found, EPOCH + at)) == on


def test_an_occasion_that_reaches_into_the_range_is_there() -> None:
    """What began before, or ends after, is told whole; what only touches is not."""
    assert occasions([ONCE], EPOCH + 7199, EPOCH + 9000) == (Occasion(ONCE, EPOCH, EPOCH + 7200),)
    assert not occasions([ONCE], EPOCH + 7200, EPOCH + 9000)
    assert not occasions([ONCE], EPOCH - 100, EPOCH)


def test_a_recurring_window_keeps_its_local_hour() -> None:
    """Three Sundays at 22.00 WIT, the one that goes on at the low edge included."""
    low = SUNDAYS.start + 3600
    found = occasions([SUNDAYS], low, low + 14 * DAY)
    clocks = [f"{datetime.fromtimestamp(each.start, WIT):%d %b %H.%M}" for each in found]
    assert clocks == ["22 Nov 22.00", "29 Nov 22.00", "06 Dec 22.00"]
    assert all(each.stop - each.start == 14_400 for each in found)


def test_what_is_called_off_does_not_happen() -> None:
    """Ended early: this occasion is cut there, later ones are gone; before it began: nothing."""
    ended = replace(SUNDAYS, ended_at=SUNDAYS.start + 600)
    assert occasions([ended], EPOCH - DAY, EPOCH + 60 * DAY) == (
        Occasion(ended, SUNDAYS.start, SUNDAYS.start + 600),
    )
    assert not occasions([replace(ONCE, ended_at=EPOCH)], EPOCH - DAY, EPOCH + DAY)


def test_what_comes_is_told_seven_days_ahead() -> None:
    """Six days away is told, eight are not, and what is on is not to come."""
    found = occasions([ONCE], EPOCH - 30 * DAY, EPOCH + 30 * DAY)
    assert upcoming(found, EPOCH - 7 * DAY) == found
    assert not upcoming(found, EPOCH - 7 * DAY - 1)
    assert not upcoming(found, EPOCH)


def test_occasions_are_bounded() -> None:
    """One daily window over ten years gives so many, not more."""
    daily = replace(SUNDAYS, rule="FREQ=DAILY")
    assert len(occasions([daily], EPOCH, EPOCH + 3650 * DAY)) == OCCASIONS


@pytest.mark.parametrize(
    ("scope", "lies_under"),
    [
        ("endpoint:papua0-codec", {"endpoint:papua0-codec", "province:papua0"}),
        (
            "endpoint:papua0-router",
            {"endpoint:papua0-router", "endpoint:papua0-codec", "province:papua0"},
        ),
        (
            "province:papua0",
            {"endpoint:papua0-router", "endpoint:papua0-codec", "province:papua0"},
        ),
        (
            "provider:provider-1",
            {
                f"{kind}:{island}1{what}"
                for island in ("papua", "jawa")
                for kind, what in (
                    ("endpoint", "-router"),
                    ("endpoint", "-codec"),
                    ("province", ""),
                )
            },
        ),
        (
            "island:jawa",
            {
                f"{kind}:jawa{n}{what}"
                for n in (0, 1)
                for kind, what in (
                    ("endpoint", "-router"),
                    ("endpoint", "-codec"),
                    ("province", ""),
                )
            },
        ),
        ("endpoint:gone", set()),
    ],
)
def test_what_lies_under_a_scope(scope: str, lies_under: set[str]) -> None:
    """Itself, what is behind it, and the provinces that have nothing else; never the Centre."""
    found = under([Occasion(window(scope), EPOCH, EPOCH + 100)], FACTS)
    assert found == lies_under
    assert all(bool(covered(subject, window(scope))) for subject in lies_under)


def test_the_whole_country_is_behind_the_hub() -> None:
    """A window of the Centre's hub lies over everything."""
    found = under([Occasion(window("endpoint:hub"), EPOCH, EPOCH + 100)], FACTS)
    assert len(found) == 1 + 1 + 4 * 3


def test_another_way_keeps_it_out_of_the_window() -> None:
    """With two ways, both must be under maintenance, and only while both are."""
    ways = Facts.made(
        {
            "a": EndpointFact("aceh", conference=False),
            "b": EndpointFact("aceh", conference=False),
            "codec": EndpointFact("aceh", parents=("a", "b")),
        },
        {"aceh": "sumatera"},
    )
    assert covered("endpoint:codec", window("endpoint:a"), facts=ways) == ()
    both = (window("endpoint:a", 0, 100), window("endpoint:b", 60, 100))
    assert covered("endpoint:codec", *both, facts=ways) == ((60, 100),)
    assert covered("province:aceh", *both, facts=ways) == ((60, 100),)


def test_a_province_with_another_codec_is_not_under_maintenance() -> None:
    """One of two conference endpoints is not the province."""
    two = Facts.made({"x": EndpointFact("aceh"), "y": EndpointFact("aceh")}, {"aceh": "s"})
    assert covered("province:aceh", window("endpoint:x"), facts=two) == ()
    both = (window("endpoint:x"), window("endpoint:y", 50))
    assert covered("province:aceh", *both, facts=two) == ((50, 100),)


def test_overlaps_are_merged_and_clipped() -> None:
    """Two windows that overlap are one span; what lies outside the question is cut off."""
    windows = (
        window("province:papua0", -100, 150),
        window("province:papua0", 40, 60),
        window("island:papua", 100, 10),
        window("province:papua0", 3590, 100),
    )
    assert covered("province:papua0", *windows) == ((0, 110), (3590, 3600))
    assert covered("vantage:uplink", *windows) == ()


Pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


@given(Pairs, Pairs)
def test_spans_are_sets_of_seconds(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    """Merging is union, intersecting is intersection, of every single second."""

    def seconds(spans: Spans | list[tuple[int, int]]) -> set[int]:
        return {second for start, stop in spans for second in range(int(start), int(stop))}

    assert seconds(merge(one)) == seconds(one)
    assert seconds(intersect(merge(one), merge(other))) == seconds(one) & seconds(other)
    merged = merge(one)
    assert all(a[1] < b[0] for a, b in pairwise(merged))


def test_the_agenda_gives_the_same_answer_until_something_changes() -> None:
    """Between two edges every look gives the same object; at the edge another."""
    agenda = Agenda()
    agenda.load([ONCE], FACTS)
    before = agenda.look(EPOCH - 1)
    assert before == frozenset()
    on = agenda.look(EPOCH)
    assert "province:papua0" in on
    assert agenda.look(EPOCH + 7199.9) is on
    assert agenda.maintained("province:papua0", EPOCH + 1)
    assert not agenda.maintained("province:papua0", EPOCH - 1)
    assert agenda.look(EPOCH + 7200) == frozenset()
    assert agenda.look(EPOCH + 5) == on  # the clock was set back
    agenda.load([], FACTS)
    assert agenda.look(EPOCH + 6) == frozenset()


def test_the_agenda_tells_what_is_on_and_what_comes() -> None:
    """First what is on, then the next seven days."""
    agenda = Agenda()
    agenda.load([SUNDAYS, ONCE], FACTS)
    agenda.look(EPOCH + 10)
    assert [each.maintenance.id for each in agenda.planned(EPOCH + 10)] == [1, 2]


def test_the_agenda_sees_a_window_months_ahead_in_time() -> None:
    """A long run meets windows that lay beyond its first view."""
    agenda = Agenda()
    agenda.load([ONCE], FACTS)
    seen = [bool(agenda.look(EPOCH - 30 * DAY + n * 1800.0)) for n in range(30 * 48 + 8)]
    assert seen.index(True) == 30 * 48
    assert sum(seen) == 4
