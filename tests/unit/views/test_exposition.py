"""The text format: escaping, figures, families."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from vcmon.model.figures import Histogram
from vcmon.views.exposition import BATCH, Family, HistogramFamily, escape, labels, number, table

HOSTILE = 'a"b\\c\nd\ud800e\u202ef\x00g{h}%s%d,le="1"} 7'


def test_escape_leaves_nothing_that_ends_a_value() -> None:
    """Quotes, backslashes and line ends are escaped; a lone surrogate becomes U+FFFD."""
    assert escape('a"b\\c\nd\ud800') == 'a\\"b\\\\c\\nd\ufffd'


@given(st.text(st.characters(codec=None)))
def test_any_text_comes_back_from_the_parser(text: str) -> None:
    """Whatever a label holds, a parser reads it again, with U+FFFD for lone surrogates."""
    page = Family("x", "gauge", "X.").head() + f"x{{{labels({'a': text})}}} 1\n"
    (family,) = text_string_to_metric_families(page)
    assert len(family.samples) == 1
    expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    assert family.samples[0].labels == {"a": expected}
    page.encode()


def test_numbers_are_spelled_as_the_format_asks() -> None:
    """NaN and the infinities have names of their own; other figures stay exact."""
    assert [number(v) for v in (math.nan, math.inf, -math.inf, 0.1, 3)] == [
        "NaN",
        "+Inf",
        "-Inf",
        "0.1",
        "3",
    ]


def test_histogram_is_cumulative_and_its_count_is_its_last_bucket() -> None:
    """Every bucket holds those below it; sum and count agree with what was observed."""
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)
    family = HistogramFamily("h_seconds", "H.", histogram.bounds)
    assert family.lines('a="b"', histogram) == (
        'h_seconds_bucket{a="b",le="0.1"} 2\n'
        'h_seconds_bucket{a="b",le="1.0"} 3\n'
        'h_seconds_bucket{a="b",le="+Inf"} 4\n'
        'h_seconds_sum{a="b"} 7.65\n'
        'h_seconds_count{a="b"} 4\n'
    )


def test_histogram_without_labels_has_no_empty_braces_left() -> None:
    """A bare histogram names only its bounds."""
    histogram = Histogram((1.0,))
    lines = HistogramFamily("h", "H.", histogram.bounds).lines("", histogram)
    assert 'h_bucket{le="1.0"} 0\n' in lines
    assert "h_count 0\n" in lines


@pytest.mark.catalogue("T39")
def test_hostile_label_in_a_histogram_stays_a_label() -> None:
    """Places to fill, NULs and other labels inside a value are not taken for our own."""
    histogram = Histogram((1.0,))
    inside = labels({"a": HOSTILE})
    page = HistogramFamily("h", "H.", histogram.bounds).lines(inside, histogram)
    (family,) = text_string_to_metric_families("# TYPE h histogram\n" + page)
    values = {sample.labels["a"] for sample in family.samples}
    assert values == {HOSTILE.replace("\ud800", "\ufffd")}


def test_table_comes_in_pieces_under_one_head() -> None:
    """One family, one TYPE line, and never more than a batch of rows in a piece."""
    family = Family("x", "gauge", "X.")
    pieces = list(table(family, range(BATCH * 2 + 1), lambda n: f"x {n}\n"))
    assert pieces[0] == "# HELP x X.\n# TYPE x gauge\n"
    assert [piece.count("\n") for piece in pieces[1:]] == [BATCH, BATCH, 1]
