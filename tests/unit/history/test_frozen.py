"""A month that is frozen stands; what was wrong is corrected in the open."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.fakes.remembered import FakeMemory, wib
from tests.fakes.reports import DAY, NOVEMBER_23, OCTOBER, country, desk, frozen, past
from vcmon.errors import ReportError
from vcmon.history.amendments import proposed, seal, signed
from vcmon.history.frozen import month_report, pages_due
from vcmon.history.month import Month
from vcmon.history.report import Desk, Report, count_month
from vcmon.model.memory import Amendment, Cause, Counted, Maintenance

ACEH = "province:aceh"


def asked(**changes: object) -> Amendment:
    """A correction: the 4 h of a planned power cut were maintenance, and no outage."""
    first = Amendment(
        "2026-10",
        ACEH,
        wib(2026, 11, 5),
        "Siti",
        "Pemadaman terjadwal PLN",
        14_400_000,
        Counted.DOWN,
        Counted.MAINTENANCE,
        outages=-1,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def correct(memory: FakeMemory, amendment: Amendment) -> Amendment:
    """Append a correction as a person would."""
    new = proposed(month_report(desk(memory), OCTOBER), memory.pages["2026-10"], amendment)
    memory.corrections.append(new)
    return new


def troubles(report: Report) -> list[str]:
    return [each.trouble for each in report.corrections]


def test_a_frozen_month_is_told_as_it_was_counted() -> None:
    """Everything comes back out of the pages, but that it is frozen."""
    memory = past()
    rules = {"hours": "office", "excluded_causes": (Cause.POWER,), "shortest_outage": 300.0}
    place = desk(memory, country(**rules))
    counted = count_month(place, OCTOBER)
    memory.pages = dict(pages_due(place))
    assert list(memory.pages) == ["2026-09", "2026-10"]
    assert month_report(place, OCTOBER) == replace(counted, frozen_at=NOVEMBER_23)


def test_nothing_that_comes_later_changes_a_frozen_month() -> None:
    """Neither new rules nor planned work entered afterwards nor a lost memory move a figure."""
    memory = frozen(past())
    before = month_report(desk(memory), OCTOBER)
    memory.windows = [Maintenance(1, ACEH, "", wib(2026, 10, 12), DAY)]
    memory.lines.clear()
    rules = {"target": "95%", "shortest_outage": 300.0}
    assert month_report(desk(memory, country(**rules)), OCTOBER) == before


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ((2026, 11, 2, 23, 59, 59), []),
        ((2026, 11, 3), ["2026-10"]),
        ((2026, 12, 2, 23, 59, 59), ["2026-10"]),
        ((2026, 12, 3), ["2026-10", "2026-11"]),
    ],
)
def test_a_month_is_frozen_on_the_day_that_is_set(now: tuple[int, ...], due: list[str]) -> None:
    """From 00.00 of the freeze day on, once; what was missed is made up for."""
    memory = past()
    memory.beat = wib(*now)
    memory.pages["2026-09"] = {}
    assert list(pages_due(Desk(memory, country(), wib(*now)))) == due


def test_a_month_that_is_frozen_is_never_due_again() -> None:
    """Written once: pages that are there are not written anew."""
    memory = frozen(past())
    assert "2026-10" not in pages_due(desk(memory))


def test_an_unmeasured_or_incomplete_month_is_not_frozen() -> None:
    """Months before the memory began have no page; none is frozen before all of it is written."""
    memory = past()
    assert list(pages_due(desk(memory))) == ["2026-09", "2026-10"]
    memory.beat = wib(2026, 10, 31, 23, 59)
    assert list(pages_due(desk(memory))) == ["2026-09"]
    memory.beat = None
    assert pages_due(desk(memory)) == {}


def test_a_correction_moves_exactly_what_it_says() -> None:
    """14,400 s from down to maintenance, and an outage less; the rest stands."""
    memory = frozen(past())
    correct(memory, asked())
    report = month_report(desk(memory), OCTOBER)
    figure = report.lines[0].figure
    assert figure.milliseconds[Counted.DOWN] == 1_400_000
    assert figure.milliseconds[Counted.MAINTENANCE] == 14_400_000
    assert figure.ratio == Fraction(2_662_600, 2_664_000)
    assert (figure.count, figure.longest, sum(figure.milliseconds.values())) == (
        2,
        1_400_000,
        31 * DAY * 1000,
    )
    assert troubles(report) == [""]


def test_a_second_correction_is_signed_upon_the_first() -> None:
    """Both count, and dropping the first breaks the second."""
    memory = frozen(past())
    first = correct(memory, asked())
    second = correct(memory, asked(milliseconds=200_000, target=Counted.UP, outages=-1))
    assert second == signed(second, first.signature)
    assert troubles(month_report(desk(memory), OCTOBER)) == ["", ""]
    memory.corrections.remove(first)
    assert troubles(month_report(desk(memory), OCTOBER)) == ["signature"]


@pytest.mark.parametrize(
    "change",
    [
        {"milliseconds": 15_000_000},
        {"author": "Budi"},
        {"reason": "lain"},
        {"target": Counted.UP},
        {"source": Counted.UNKNOWN},
        {"series": "province:papua"},
        {"at": wib(2026, 11, 6)},
        {"outages": 0},
        {"signature": ""},
    ],
)
def test_a_correction_that_was_changed_does_not_count(change: dict[str, object]) -> None:
    """Whatever is changed after the signing, nothing moves and the report says so."""
    memory = frozen(past())
    untouched = month_report(desk(memory), OCTOBER).lines
    correct(memory, asked())
    memory.corrections[0] = replace(memory.corrections[0], **change)  # type: ignore[arg-type]
    report = month_report(desk(memory), OCTOBER)
    assert troubles(report) == ["signature"]
    assert report.lines == untouched


def test_changed_pages_break_every_correction() -> None:
    """Corrections are signed upon the frozen pages: whoever edits those is found out."""
    memory = frozen(past())
    correct(memory, asked())
    pages = dict(memory.pages["2026-10"])
    pages[ACEH] = pages[ACEH].replace('"count":3', '"count":2')
    assert pages != memory.pages["2026-10"]
    memory.pages["2026-10"] = pages
    assert troubles(month_report(desk(memory), OCTOBER)) == ["signature"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"milliseconds": 15_800_001}, "move too much"),
        ({"milliseconds": 0}, "move too much"),
        ({"milliseconds": -5}, "move too much"),
        ({"target": Counted.DOWN}, "move too much"),
        ({"outages": -3}, "without time"),
        ({"outages": -4}, "without time"),
        ({"series": "province:bali"}, "province:bali is not in the report"),
        ({"author": " "}, "a name and a reason"),
        ({"reason": ""}, "a name and a reason"),
        ({"reason": "x" * 501}, "500 characters"),
        ({"month": "2026-09"}, "move too much"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(change: dict[str, object], complaint: str) -> None:
    """More than there is, an outage without time, nobody's name: not even signed."""
    memory = frozen(past())
    with pytest.raises(ReportError, match=complaint):
        correct(memory, asked(**change))


def test_an_amount_that_is_not_there_is_told_not_taken() -> None:
    """A signed correction of too much moves nothing, and the chain goes on behind it."""
    memory = frozen(past())
    pages = memory.pages["2026-10"]
    memory.corrections.append(signed(asked(milliseconds=10**9), seal(pages)))
    correct(memory, asked())
    assert troubles(month_report(desk(memory), OCTOBER)) == ["amount", ""]


def test_a_running_month_is_not_corrected_but_its_incidents_are() -> None:
    """Before the freezing there is nothing to correct."""
    report = month_report(desk(), OCTOBER)
    with pytest.raises(ReportError, match="not frozen yet"):
        proposed(report, {}, asked())


def test_nothing_is_appended_to_a_broken_chain() -> None:
    """Who finds corrections tampered with must look into it before correcting on."""
    memory = frozen(past())
    correct(memory, asked())
    memory.corrections[0] = replace(memory.corrections[0], author="Budi")
    with pytest.raises(ReportError, match="tampered"):
        correct(memory, asked())


@pytest.mark.parametrize("spoil", ["", "{}", "[]", '{"format":2}', "\x00"])
def test_spoilt_pages_are_an_error_not_a_figure(spoil: str) -> None:
    """What can't be read is never counted anew in silence."""
    memory = frozen(past())
    memory.pages["2026-10"] = {**memory.pages["2026-10"], "report": spoil}
    with pytest.raises(ReportError, match="2026-10"):
        month_report(desk(memory), OCTOBER)


def test_a_missing_page_is_an_error() -> None:
    """A province that was frozen can't vanish from its month."""
    memory = frozen(past())
    memory.pages["2026-10"] = {k: v for k, v in memory.pages["2026-10"].items() if k != ACEH}
    with pytest.raises(ReportError, match="spoilt"):
        month_report(desk(memory), OCTOBER)


def test_pages_are_plain_json_with_whole_numbers() -> None:
    """Whoever reads the file in ten years finds JSON, and no number that isn't exact."""
    for page in frozen(past()).pages["2026-10"].values():
        json.loads(page, parse_float=pytest.fail)


def test_other_months_are_counted_as_ever() -> None:
    """A frozen October says nothing of November."""
    report = month_report(desk(frozen(past())), Month(2026, 11))
    assert (report.frozen_at, report.corrections) == (None, ())
