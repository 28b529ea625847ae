"""Recurrence rules: what is followed, what is refused, and on whose clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vcmon.config.recurrence import check_rule, rule_of, starts

WIT = ZoneInfo("Asia/Jayapura")
BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400.0


def on_the_clock(text: str, first: datetime, days: float, zone: ZoneInfo = WIT) -> list[str]:
    """The occasions of so many days from the first on, as the zone's clock shows them."""
    low = first.timestamp()
    found = starts(text, first, low, low + days * DAY)
    return [f"{datetime.fromtimestamp(at, zone):%a %d %b %H:%M}" for at in found]


def test_a_weekly_rule_keeps_its_local_hour() -> None:
    """Every Sunday at 22.00 WIT."""
    first = datetime(2026, 11, 22, 22, tzinfo=WIT)
    assert on_the_clock("FREQ=WEEKLY;BYDAY=SU", first, 15) == [
        "Sun 22 Nov 22:00",
        "Sun 29 Nov 22:00",
        "Sun 06 Dec 22:00",
    ]


def test_the_hour_stays_where_clocks_are_turned() -> None:
    """In a zone with summer time the local hour counts, not the number of seconds."""
    first = datetime(2026, 10, 18, 22, tzinfo=BERLIN)
    found = on_the_clock("FREQ=WEEKLY", first, 22, BERLIN)
    assert [one[-5:] for one in found] == ["22:00"] * 4


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261206", "Sun 06 Dec 22:00"),  # the whole of that day, on the zone's clock
        ("20261205", "Sun 29 Nov 22:00"),
        ("20261206T220000", "Sun 06 Dec 22:00"),
        ("20261206T215959", "Sun 29 Nov 22:00"),
        ("20261206T130000Z", "Sun 06 Dec 22:00"),
        ("20261206T125959Z", "Sun 29 Nov 22:00"),
    ],
)
def test_until_is_meant_in_the_windows_zone(until: str, last: str) -> None:
    """A date alone, a local time and a UTC time end the rule at the exact second."""
    first = datetime(2026, 11, 22, 22, tzinfo=WIT)
    assert on_the_clock(f"FREQ=WEEKLY;UNTIL={until}", first, 60)[-1] == last


def test_the_range_is_half_open() -> None:
    """An occasion at the low edge is in, one at the high edge is not."""
    first = datetime(2026, 11, 22, 22, tzinfo=WIT)
    low = first.timestamp()
    assert list(starts("FREQ=DAILY", first, low, low + 2 * DAY)) == [low, low + DAY]
    assert list(starts("FREQ=DAILY", first, low + 0.001, low + DAY)) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected NAME=VALUE parts"),
        ("weekly", "expected NAME=VALUE parts"),
        ("BYDAY=SU", "expected FREQ="),
        ("FREQ=HOURLY", "expected FREQ=, one of DAILY"),
        ("FREQ=SECONDLY", "expected FREQ=, one of DAILY"),
        ("FREQ=DAILY;BYHOUR=1", "BYHOUR is not known here"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ stands here twice"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL: expected 1 to 9999"),
        ("FREQ=DAILY;COUNT=99999", "COUNT: expected 1 to 9999"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY has no value"),
        ("FREQ=WEEKLY;BYDAY=XX", "not a rule of RFC 5545"),
        ("FREQ=WEEKLY;BYDAY=1SU", "BYDAY: 1SU is in no weekly rule"),
        ("FREQ=MONTHLY;BYDAY=9SU", "BYDAY: 9SU is in no monthly rule"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL: expected a date as 20261231"),
        ("FREQ=DAILY;UNTIL=20261331", "not a rule of RFC 5545"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=SU", "this never happens"),  # from a Monday on
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "this never happens"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20991231", "this never happens"),
        ("FREQ=DAILY;" + "BYMONTH=" + "1," * 200, "expected at most 200 characters"),
    ],
)
def test_what_can_not_be_followed_is_refused(text: str, why: str) -> None:
    """Each refusal says what is wrong."""
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        check_rule(text, datetime(2026, 11, 23, 22, tzinfo=WIT))


@settings(deadline=None)
@given(
    freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    interval=st.integers(1, 9),
    days=st.sampled_from(["", ";BYDAY=SU", ";BYDAY=MO,TH", ";BYMONTH=11,2"]),
    start=st.integers(0, 400),
    later=st.integers(0, 3000),
)
def test_years_gone_by_are_leapt_over_exactly(
    freq: str, interval: int, days: str, start: int, later: int
) -> None:
    """Asked for late, a rule gives what counting from its beginning gives."""
    assume(freq != "DAILY" or interval != 7)  # always the same day of the week
    text = f"FREQ={freq};INTERVAL={interval}{days}"
    first = datetime(2020, 1, 1, 22, tzinfo=WIT) + timedelta(days=start)
    low = first.timestamp() + later * DAY - 3600
    high = low + 60 * DAY
    counted = [m.timestamp() for m in rule_of(text, first).between(
        datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC), inc=True,
    )]  # fmt: skip
    assert list(starts(text, first, low, high)) == [at for at in counted if at < high]
    assert all(a < b for a, b in pairwise(counted))
