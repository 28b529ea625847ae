"""Times and figures as each language writes them."""

from __future__ import annotations

import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.snapshots import NOW, PROVINCES
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State
from vcmon.views import words
from vcmon.views.tongue import BAHASA, ENGLISH

WIT = ZoneInfo("Asia/Jayapura")


def test_clock_is_written_with_dots_and_a_zone() -> None:
    """09.41.07 WIB, and the same moment in Papua."""
    assert BAHASA.clock(NOW) == "09.41.07 WIB"
    assert BAHASA.clock(NOW, WIT) == "11.41.07 WIT"
    assert [BAHASA.clock(NOW, zone)[-4:].strip() for zone in words.ZONES] == ["WIB", "WITA", "WIT"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - 754, "09.28.33 WIB"),
        (NOW - 86400, "22 Nov 09.41 WIB"),
        (NOW - 365 * 86400, "23 Nov 2025 09.41 WIB"),
        (NOW - 100 * 86400, "15 Agu 09.41 WIB"),
        (0.0, "–"),
        (1e300, "–"),
        (math.nan, "–"),
    ],
)
def test_moment_says_as_much_of_the_date_as_is_needed(at: float, expected: str) -> None:
    """Today the clock; before that the day, and the year when it is another."""
    assert BAHASA.moment(at, NOW) == expected


def test_moment_takes_the_day_of_the_zone() -> None:
    """22.30 WIB yesterday is today in Papua."""
    at = NOW - 11 * 3600
    assert BAHASA.moment(at, NOW) == "22 Nov 22.41 WIB"
    assert BAHASA.moment(at, NOW, WIT) == "00.41.07 WIT"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 dtk"),
        (59.9, "59 dtk"),
        (60, "1 mnt"),
        (3599, "59 mnt"),
        (3600, "1 jam 0 mnt"),
        (86399, "23 jam 59 mnt"),
        (86400, "1 hari 0 jam"),
        (400_000, "4 hari 15 jam"),
        (-1, "–"),
        (math.inf, "–"),
    ],
)
def test_lasting_has_two_units_at_most_and_rounds_down(seconds: float, expected: str) -> None:
    """An outage is never told longer than it is."""
    assert BAHASA.lasting(seconds) == expected


def test_figures_have_a_decimal_comma() -> None:
    """43 ms, 4,3 ms, 1,3 %; what is not measured is a dash."""
    assert [BAHASA.milliseconds(v) for v in (0.0431, 0.0043, None, math.nan)] == [
        "43 ms",
        "4,3 ms",
        "–",
        "–",
    ]
    assert [BAHASA.percent(v) for v in (0.0, 0.013, 1.0, None)] == ["0 %", "1,3 %", "100 %", "–"]


def test_english_writes_them_its_own_way() -> None:
    """09:41:07 WIB, 15 Aug, 4.3 ms, 1.3 %, 2 h 5 min."""
    assert ENGLISH.clock(NOW) == "09:41:07 WIB"
    assert ENGLISH.moment(NOW - 100 * 86400, NOW) == "15 Aug 09:41 WIB"
    assert ENGLISH.day(NOW + 86400, NOW, WIT) == "24 Nov 11:41 WIT"
    assert ENGLISH.milliseconds(0.0043) == "4.3 ms"
    assert ENGLISH.percent(0.013) == "1.3 %"
    assert [ENGLISH.lasting(v) for v in (7, 300, 7500, 400_000)] == [
        "7 s",
        "5 min",
        "2 h 5 min",
        "4 d 15 h",
    ]


def test_reasons_and_names_are_in_the_language() -> None:
    """What flaps is told with its count; a province by its own name in each."""
    flapping = Standing(State.DEGRADED, Reason.FLAPPING, Blame.NONE, changes=7, within=1800.0)
    assert BAHASA.reason(flapping) == "tidak stabil, 7x dalam 30 menit"
    assert ENGLISH.reason(flapping) == "unstable, 7x in 30 minutes"
    assert ENGLISH.why(Reason.TIMEOUT) == "no answer in time"
    assert ENGLISH.state(State.DOWN) == "Disconnected"
    assert BAHASA.province(PROVINCES["sulawesi-selatan"]) == "Sulawesi Selatan"
    assert ENGLISH.province(PROVINCES["sulawesi-selatan"]) == "South Sulawesi"


def test_braces_in_what_is_filled_in_stay_braces() -> None:
    """A name with braces is no format."""
    said = ENGLISH.say(words.ELSEWHERE, what="{0}", place="{x}", word="{why}", why="{what.x}")
    assert said == "{0} in {x} {why}: {what.x}"


def test_an_unusual_round_trip_is_told_with_the_usual_one() -> None:
    """Both times where the link is far off its own; the limit alone where only that is exceeded."""
    far = Standing(State.DEGRADED, Reason.RTT, rtt=0.31, usual=0.062)
    assert BAHASA.reason(far) == "RTT 310 ms, biasanya 62 ms"
    assert ENGLISH.reason(far) == "RTT 310 ms, usually 62 ms"
    assert BAHASA.reason(replace(far, rtt=0, usual=0)) == words.REASONS[Reason.RTT]
    assert BAHASA.reason(replace(far, reason=Reason.LOSS)) == words.REASONS[Reason.LOSS]


def test_a_score_says_that_it_is_estimated() -> None:
    """With a decimal comma; without a figure nothing at all."""
    assert BAHASA.score(4.345) == "perkiraan MOS 4,3"
    assert (BAHASA.score(None), BAHASA.score(math.nan)) == ("", "")
