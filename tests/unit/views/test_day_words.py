"""The table behind a province's bar: every day that had something, and the quiet ones together."""

from __future__ import annotations

from datetime import UTC, datetime

from vcmon.history.glance import Curve
from vcmon.history.rollup import RollUp
from vcmon.model.status import State
from vcmon.views.day_words import Days, days_of
from vcmon.views.tongue import BAHASA, ENGLISH

DAY = 86_400.0
MIDNIGHT = datetime(2026, 11, 22, 17, tzinfo=UTC).timestamp()
"""When 23 November began in Jakarta."""

WELL = RollUp(0.0, up=DAY)


def table(*days: RollUp, over: float = DAY, lang: str = "id") -> list[Days]:
    """Rows of days in a row, of the last of which so many seconds are over."""
    first = MIDNIGHT - (len(days) - 1) * DAY
    placed = tuple(day._replace(start=first + number * DAY) for number, day in enumerate(days))
    return days_of(Curve(DAY, MIDNIGHT + over, placed), BAHASA if lang == "id" else ENGLISH)


def test_quiet_days_are_one_row() -> None:
    """A run of them is told by its first and last day; a day with something stands alone."""
    bad = RollUp(0.0, up=DAY - 7200, down=5400, degraded=600, unreachable=1200)
    rows = table(WELL, WELL, bad, WELL, WELL)
    assert [(row.when, row.state) for row in rows] == [
        ("22 Nov sampai 23 Nov", State.UP),
        ("21 Nov", State.DOWN),
        ("19 Nov sampai 20 Nov", State.UP),
    ]
    assert (rows[1].lost, rows[1].degraded, rows[1].unseen) == ("1 jam 50 mnt", "10 mnt", "–")
    assert len({row.key for row in rows}) == 3


def test_two_bad_days_are_two_rows() -> None:
    """However alike: each has its own times."""
    bad = RollUp(0.0, up=DAY - 60, down=60)
    assert [row.lost for row in table(bad, bad)] == ["1 mnt", "1 mnt"]


def test_days_that_nobody_saw_are_together_and_never_well() -> None:
    """Before the first day of monitoring there is nothing: one row, unknown."""
    (last, nothing) = table(RollUp(0.0), RollUp(0.0), WELL)
    assert last.state is State.UP
    assert (nothing.state, nothing.when) == (State.UNKNOWN, "21 Nov sampai 22 Nov")
    assert nothing.unseen == "2 hari 0 jam"


def test_seconds_are_told_though_the_day_was_well() -> None:
    """Half a minute colours no day, but it is not left out."""
    (row,) = table(WELL._replace(up=DAY - 30, down=30))
    assert (row.state, row.lost) == (State.UP, "30 dtk")


def test_today_counts_what_is_over_of_it() -> None:
    """What has not come yet is not unmeasured; what lies below a second is not told."""
    (row,) = table(RollUp(0.0, up=3599.5), over=3600.0)
    assert (row.state, row.unseen) == (State.UP, "–")
    (row,) = table(RollUp(0.0, up=1800), over=3600.0, lang="en")
    assert (row.state, row.word, row.unseen) == (State.UNKNOWN, "Unknown", "30 min")
    assert table(RollUp(0.0), over=0.0)[0].state is State.UNKNOWN
