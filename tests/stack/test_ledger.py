"""How pages are counted, and held against what was done."""

from __future__ import annotations

import math

import pytest

from dashboards.stack.webhook import Arrival
from tests.lab.judge import Injected
from tests.lab.truth import DOWN, Cut, Expect
from tests.stack.ledger import pages, subjects
from tests.stack.sights import LATE, sight, unexplained

LABELS = {"alertname": "VcmonProvinceDown", "severity": "critical", "province": "papua"}


def heard(at: float, status: str, starts: str = "s1", **labels: str) -> Arrival:
    """One telling of the page about Papua, or of another."""
    told = LABELS | labels
    receiver = told.pop("receiver", "pager")
    fingerprint = "/".join(told.values())
    return Arrival(at, at, receiver, status, fingerprint, starts, told, {})


def cut(at: float, healed: float) -> Injected:
    made = Cut("drop", "papua", lambda: None, lambda: None, {}, Expect(DOWN))
    return Injected(made, at, healed)


def test_told_twice_is_one_page() -> None:
    """Two Alertmanagers that both tell are one page, told twice; receivers are counted apart."""
    both = [heard(3, "firing", receiver="mail"), heard(8, "resolved", receiver="mail")]
    told = [heard(1, "firing"), heard(2, "firing"), heard(9, "resolved"), *both]
    (page,) = pages(told)
    assert (page.fired, page.resolved, page.tellings, page.resolves) == (1, 8, 2, 1)


def test_fired_anew_is_a_second_page() -> None:
    """What resolves and fires again has another beginning: two pages."""
    told = [heard(1, "firing"), heard(2, "resolved"), heard(3, "firing", "s2")]
    assert [page.resolved for page in pages(told)] == [2, math.inf]


@pytest.mark.parametrize(
    ("severity", "scope", "count"),
    [
        *(("critical", "slo", 1), ("warning", "vantage", 1), ("warning", "slo", 0)),
        *(("info", "meta", 0), ("none", "meta", 0)),
    ],
)
def test_what_calls_nobody_is_no_page(severity: str, scope: str, count: int) -> None:
    """The watchdog, what is only for information, and tickets about the month are not counted."""
    assert len(pages([heard(1, "firing", severity=severity, scope=scope)])) == count


def test_a_page_is_named_by_what_it_is_about() -> None:
    """A parent, a vantage or nothing at all where there is no province."""
    told = [
        heard(1, "firing", province="", parent="hub", alertname="A"),
        heard(2, "firing", province="", vantage="medan", alertname="B"),
        heard(3, "firing", province="", alertname="C"),
    ]
    assert subjects(pages(told)) == ["A(hub)", "B(medan)", "C()"]


def test_a_sight_is_from_cut_to_page_and_from_repair_to_resolve() -> None:
    """The first page counts, and the last resolve."""
    told = [
        *(heard(12, "firing"), heard(14, "firing", endpoint="tcp")),
        *(heard(31, "resolved"), heard(36, "resolved", endpoint="tcp")),
    ]
    seen = sight(cut(10, 30), pages(told))
    assert (seen.found, seen.resolved, seen.pages) == (2, 6, 2)


def test_a_cut_that_nobody_saw_took_for_ever() -> None:
    """No page is an infinite time, which no median of good ones hides."""
    assert sight(cut(10, 30), []).found == math.inf


@pytest.mark.parametrize(("at", "false"), [(9.9, 1), (10, 0), (30 + LATE, 0), (30.1 + LATE, 1)])
def test_a_page_that_nothing_explains_is_false(at: float, false: int) -> None:
    """Before the cut, and long after its repair, a page of its province is a false one."""
    assert len(unexplained(pages([heard(at, "firing")]), [cut(10, 30)])) == false
