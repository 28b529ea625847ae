"""Indonesian words, times and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.snapshots import NOW
from vcmon.model.endpoint import Role
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State
from vcmon.views import words

WIT = ZoneInfo("Asia/Jayapura")


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (words.REASONS, Reason),
        (words.STATES, State),
        (words.BLAMES, Blame),
        (words.ROLES, Role),
    ],
)
def test_every_member_has_words_of_its_own(
    table: Mapping[StrEnum, str], members: type[StrEnum]
) -> None:
    """No reason, state, blame or role is without words, and no two share them."""
    assert set(table) == set(members)
    assert len(set(table.values())) == len(table)


def test_states_are_the_glossary_s() -> None:
    """The words that the whole project uses."""
    assert list(words.STATES.values()) == [
        "Terhubung",
        "Terganggu",
        "Terputus",
        "Tak terjangkau",
        "Tidak diketahui",
    ]


def test_clock_is_written_with_dots_and_a_zone() -> None:
    """09.41.07 WIB, and the same moment in Papua."""
    assert words.clock(NOW) == "09.41.07 WIB"
    assert words.clock(NOW, WIT) == "11.41.07 WIT"
    assert [words.clock(NOW, zone)[-4:].strip() for zone in words.ZONES] == ["WIB", "WITA", "WIT"]


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
    assert words.moment(at, NOW) == expected


def test_moment_takes_the_day_of_the_zone() -> None:
    """22.30 WIB yesterday is today in Papua."""
    at = NOW - 11 * 3600
    assert words.moment(at, NOW) == "22 Nov 22.41 WIB"
    assert words.moment(at, NOW, WIT) == "00.41.07 WIT"


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
    assert words.lasting(seconds) == expected


def test_figures_have_a_decimal_comma() -> None:
    """43 ms, 4,3 ms, 1,3 %; what is not measured is a dash."""
    assert [words.milliseconds(v) for v in (0.0431, 0.0043, None, math.nan)] == [
        "43 ms",
        "4,3 ms",
        "–",
        "–",
    ]
    assert [words.percent(v) for v in (0.0, 0.013, 1.0, None)] == ["0 %", "1,3 %", "100 %", "–"]


def test_rfc3339_is_utc_and_none_without_a_time() -> None:
    """Milliseconds and a Z; no time at all is None."""
    assert words.rfc3339(NOW + 0.25) == "2026-11-23T02:41:07.250Z"
    assert [words.rfc3339(v) for v in (0.0, -5.0, math.nan, math.inf, 1e300)] == [None] * 5


@given(st.text(st.characters(codec=None)))
def test_clean_leaves_nothing_that_steers(text: str) -> None:
    """One line, UTF-8, no controls, no bidi overrides, bounded."""
    found = words.clean(text)
    found.encode()
    assert len(found) <= words.LONGEST
    assert not set(found) & {"\n", "\r", "\x00", "\x1b", "\u202e", "\u2066", "\u200f", "\u2028"}


def test_clean_cuts_and_says_so() -> None:
    """A name of a megabyte is cut to what a page can show."""
    assert words.clean("n" * 1_000_000) == "n" * (words.LONGEST - 1) + "…"
    assert words.clean("a\u202eb \x1b[2Jc") == "a b [2Jc"


def test_sentence_keeps_capitals() -> None:
    """TLS stays TLS."""
    assert words.sentence("sertifikat TLS lemah") == "Sertifikat TLS lemah"


def test_an_unusual_round_trip_is_told_with_the_usual_one() -> None:
    """Both times where the link is far off its own; the limit alone where only that is exceeded."""
    far = Standing(State.DEGRADED, Reason.RTT, rtt=0.31, usual=0.062)
    assert words.reason(far) == "RTT 310 ms, biasanya 62 ms"
    assert words.reason(replace(far, rtt=0, usual=0)) == words.REASONS[Reason.RTT]
    assert words.reason(replace(far, reason=Reason.LOSS)) == words.REASONS[Reason.LOSS]


def test_a_score_says_that_it_is_estimated() -> None:
    """With a decimal comma; without a figure nothing at all."""
    assert words.score(4.345) == "perkiraan MOS 4,3"
    assert (words.score(None), words.score(math.nan)) == ("", "")
