"""Two ways to one endpoint, laid side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.model.path import Change, Comparison, Hop, Route, compare
from vcmon.model.result import Reason
from vcmon.views.path_words import sentence, side_by_side
from vcmon.views.tongue import BAHASA, ENGLISH, TONGUES


def route(*hops: str, reached: bool = False, healthy: bool = False) -> Route:
    """A way over these routers: ``*`` is a silent one, ``a|b`` one place with two addresses."""
    made = tuple(
        Hop(ttl, () if hop == "*" else tuple(hop.split("|")), None if hop == "*" else 0.01)
        for ttl, hop in enumerate(hops, 1)
    )
    return Route("e", "end", 0.0, healthy, made, reached, Reason.OK if reached else Reason.TIMEOUT)


def before(*hops: str, reached: bool = True) -> Route:
    return route(*hops, reached=reached, healthy=True)


OLD = before("a", "b", "c", "end")
MUTE = before("a", "b", reached=False)


@pytest.mark.parametrize(
    ("old", "now", "expected"),
    [
        (OLD, route("a", "b"), Comparison(Change.STOPS, "b", "c", "b")),
        (OLD, route("a", "b", "c"), Comparison(Change.STOPS, "c", "end", "c")),
        (OLD, route("a", "*", "c"), Comparison(Change.STOPS, "c", "end", "c")),
        # the next one on the old way is the next that ever answers
        (before("a", "*", "*", "d"), route("a"), Comparison(Change.STOPS, "a", "d", "a")),
        (OLD, route(), Comparison(Change.SILENT, "", "a")),
        (OLD, route("a", "x"), Comparison(Change.DIVERTED, "x", "b", "a", "x")),
        (OLD, route("a", "x", "y"), Comparison(Change.DIVERTED, "y", "b", "a", "x")),
        (OLD, route("x"), Comparison(Change.DIVERTED, "x", "a", "", "x")),
        # what never answers a ping stops there in good times, too
        (MUTE, route("a", "b"), Comparison(Change.AS_BEFORE, "b", "", "b")),
        (None, route("a", "b"), Comparison(Change.UNKNOWN, "b")),
        (None, route(), Comparison(Change.SILENT)),
        (before(reached=False), route("a"), Comparison(Change.UNKNOWN, "a")),
    ],
)  # fmt: skip
def test_where_it_stops_and_where_it_went(
    old: Route | None, now: Route, expected: Comparison
) -> None:
    """The last that answers now, the next one before, and where the two ways part."""
    assert compare(old, now) == expected


@pytest.mark.parametrize(
    "now",
    [
        route("a", "b", "c", "end", reached=True),
        route("a", "x", "y", "end", reached=True),
        route("*", "b|x", "end", reached=True),
    ],
)
def test_what_is_reached_has_not_changed(now: Route) -> None:
    """Load shared between equal ways is no finding where the packets arrive."""
    found = compare(OLD, now)
    assert (found.change, found.stops_after, found.instead) == (Change.REACHED, "end", "")


@pytest.mark.parametrize(
    "now",
    [
        route("a", "x", "c"),  # another way in the middle that comes back to the old one
        route("a", "x|b", "c"),
        route("a", "b|x", "c|y"),
    ],
)
def test_equal_ways_in_the_middle_are_no_finding(now: Route) -> None:
    """A hop off the old way before one that is on it again says nothing of the break."""
    assert compare(OLD, now) == Comparison(Change.STOPS, "c", "end", "c")


HOPS = st.lists(st.sampled_from(["*", "a", "b", "c", "a|b", "c|x", "x", "end"]), max_size=8)


@given(HOPS, HOPS, st.booleans(), st.booleans())
def test_any_two_ways_can_be_told(old: list[str], new: list[str], was: bool, is_: bool) -> None:
    """Whatever the ways are there is a verdict, a sentence in both languages, and a table."""
    then, now = before(*old, reached=was), route(*new, reached=is_)
    found = compare(then, now)
    if not is_ and any(hop != "*" for hop in new):
        last = [hop for hop in new if hop != "*"][-1]
        assert found.stops_after == last.split("|")[0]
        assert found.stops_after in sentence(found, ENGLISH)
    for tongue in TONGUES.values():
        assert "{" not in sentence(found, tongue)
    assert len(list(side_by_side(then, now))) == max(len(old), len(new))


def test_it_is_told_in_indonesian() -> None:
    """The sentence that an operator reads out to the provider."""
    told = sentence(compare(OLD, route("a", "b")), BAHASA)
    assert told == "berhenti setelah b, dulu lanjut ke c"
    told = sentence(compare(OLD, route("a", "x")), BAHASA)
    assert told == "berbelok ke x dan berhenti setelah x; dulu dari a lanjut ke b"


def test_the_table_has_both_ways() -> None:
    """One line a hop, the old way left, the new one right, a star where nobody answered."""
    rows = list(side_by_side(OLD, route("a", "*")))
    assert rows == [
        ("1", "a  10.0 ms", "a  10.0 ms"),
        ("2", "b  10.0 ms", "*"),
        ("3", "c  10.0 ms", ""),
        ("4", "end  10.0 ms", ""),
    ]
    assert next(side_by_side(None, route("a"))) == ("1", "-", "a  10.0 ms")
