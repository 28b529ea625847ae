"""The rules of the reports: read, refused, and whose target is whose."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.fakes.settings_files import loaded, problems, rows, write
from vcmon.config.reports import OfficeHours, Reports, ratio
from vcmon.model.memory import Cause


def test_defaults(tmp_path: Path) -> None:
    """Unsaid, every outage counts, of the whole time, against 99.5 %."""
    assert loaded(tmp_path).reports == Reports()
    assert Reports().goal("aceh", ()) == Fraction(199, 200)


def test_every_rule_can_be_set(tmp_path: Path) -> None:
    """What the file says is what counts, exactly as it is written."""
    text = (
        "reports: {target: 95%, shortest_outage: 5m, excluded_causes: [power, planned],"
        ' hours: office, office: {start: "08:00", stop: "15:30", friday_stop: "16:30"},'
        " zone: Asia/Jayapura, freeze_day: 5, targets: {papua: 90.25%}}"
    )
    found = loaded(tmp_path, text).reports
    assert (found.target, found.shortest_outage, found.hours) == ("95%", 300.0, "office")
    assert found.excluded_causes == (Cause.POWER, Cause.PLANNED)
    assert found.office == OfficeHours(start="08:00", stop="15:30", friday_stop="16:30")
    assert (found.zone, found.freeze_day) == ("Asia/Jayapura", 5)
    assert found.goal("papua", ()) == Fraction(9025, 10_000)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("target: 99.5", "reports.target: expected a percentage like 99.5%, found 99.5"),
        ("target: 101%", "reports.target: expected a percentage like 99.5%, found '101%'"),
        ("targets: {acehh: 95%}", "'acehh' is neither a province nor a medium"),
        ("shortest_outage: 2d", "reports.shortest_outage: expected"),
        ("excluded_causes: [weather]", "reports.excluded_causes[0]: expected"),
        ("office: {start: 07.30}", "reports.office.start: expected a time of day like"),
        ('office: {start: "16:00"}', "reports.office.stop: the office closes (16:00) before"),
        ("zone: Asia/Djakarta", "reports.zone: expected a time zone like Asia/Jakarta"),
        ("zone: ../../etc/passwd", "reports.zone: expected a time zone like Asia/Jakarta"),
        ("freeze_day: 31", "reports.freeze_day: expected"),
        ("tagret: 95%", "did you mean 'target'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, rule: str, complaint: str) -> None:
    """One line with file, line and key, that says what was expected."""
    (told,) = problems(write(tmp_path, f"reports:\n  {rule}"))
    assert told.startswith("v.yaml:2: reports.")
    assert complaint in told


def test_a_mediums_target_holds_where_the_whole_way_is_of_it(tmp_path: Path) -> None:
    """Satellite throughout (but for the backup) has satellite's target; a mixture has not."""
    inventory = rows(
        "a,papua,,router,192.0.2.1,icmp,,satellite,,",
        "b,papua,,codec,192.0.2.2,sip,,,,",
        "c,papua,,link-backup,192.0.2.3,icmp,,fibre,,",
        "d,aceh,,router,192.0.2.4,icmp,,satellite,,",
        "e,aceh,,codec,192.0.2.5,sip,,fibre,,",
    )
    settings = loaded(tmp_path, "reports: {targets: {satellite: 92.5%, bali: 90%}}", inventory)

    def goal(province: str) -> Fraction:
        theirs = [each for each in settings.endpoints if each.province == province]
        return settings.reports.goal(province, theirs)

    assert [goal(slug) for slug in ("papua", "aceh", "bali")] == [
        Fraction(37, 40),
        Fraction(199, 200),
        Fraction(9, 10),
    ]


@pytest.mark.parametrize(("written", "exact"), [("99.5%", (199, 200)), ("100%", (1, 1))])
def test_a_percentage_is_exact(written: str, exact: tuple[int, int]) -> None:
    """No binary fraction comes between what is written and what it is held against."""
    assert ratio(written) == Fraction(*exact)
