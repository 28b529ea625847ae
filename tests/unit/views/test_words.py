"""Indonesian words, and what no language changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.snapshots import NOW
from vcmon.model.endpoint import Role
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State
from vcmon.views import words


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
