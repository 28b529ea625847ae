"""The settings of test calls: none without hours, and never by accident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.settings_files import loaded, problems, rows, write
from vcmon.config.params_talk import CallParams
from vcmon.model.endpoint import Check
from vcmon.model.opening import Opening

WITH_CALL = rows("a,aceh,,codec,192.0.2.1,sip call,,,,")
JAKARTA = ZoneInfo("Asia/Jakarta")


def profile(text: str) -> str:
    return f"checks:\n  call: {{kind: call, {text}}}"


def call(folder: Path, text: str) -> Check[Any]:
    """The call that these settings make."""
    settings = loaded(folder, profile(text), WITH_CALL)
    return next(c for c in settings.endpoints[0].checks if c.kind == "call")


def at(hour: int, minute: int = 0, zone: ZoneInfo = JAKARTA) -> float:
    return datetime(2026, 11, 24, hour, minute, tzinfo=zone).timestamp()


def test_bare_call_is_refused_and_told_why(tmp_path: Path) -> None:
    """The name alone calls nobody: it is refused where it stands, and says what it would do."""
    (told,) = problems(write(tmp_path, "language: id", WITH_CALL))
    assert told.startswith("i.csv:2: checks: ")
    assert "microphone" in told
    assert "hours" in told


def test_profile_without_hours_is_refused_once(tmp_path: Path) -> None:
    """One problem, at the profile, however many endpoints use it."""
    many = rows(*(f"a{n},aceh,,codec,192.0.2.1,sip call,,,," for n in range(5)))
    (told,) = problems(write(tmp_path, profile("user: echo"), many))
    assert told.startswith("v.yaml:2: checks.call: a call may ring")


def test_call_supports_and_is_rare(tmp_path: Path) -> None:
    """Once an hour, 20 s, decides nothing unless told so; its hours go with the check."""
    made = call(tmp_path, 'user: echo, hours: "22:00-05:00"')
    assert (made.interval, made.timeout, made.decides) == (3600.0, 20.0, False)
    assert made.opening == Opening(((22 * 60, 5 * 60),), JAKARTA)
    assert isinstance(made.params, CallParams)
    assert made.params.ring(made.timeout) == 8.0
    assert call(tmp_path, "always: true, decides: true").decides
    assert call(tmp_path, "always: true").opening == Opening((), JAKARTA)


def test_call_alone_can_not_decide(tmp_path: Path) -> None:
    """An endpoint with nothing but a call, or a ping beside it, needs something that decides."""
    alone = rows("a,aceh,,codec,192.0.2.1,call,,,,")
    (told,) = problems(write(tmp_path, profile("always: true"), alone))
    assert "no check here decides" in told
    settings = loaded(
        tmp_path, profile("always: true"), rows("a,aceh,,codec,192.0.2.1,icmp call,,,,")
    )
    decides = {c.id.name: c.decides for c in settings.endpoints[0].checks}
    assert decides == {"icmp": True, "call": False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hours: night", "expected hours like"),
        ('hours: "22:00-22:00"', "expected hours like"),
        ('hours: "22:00"', "expected hours like"),
        ('hours: "25:00-26:00"', "expected a time of day"),
        ('hours: ["22:00-05:00", 7]', "expected hours like"),
        ('hours: "22:00-05:00", zone: Asia/Nowhere', "expected a time zone"),
        ("always: true, talk: 3s", "expected 4s to 30s"),
        ("always: true, talk: 13s", "needs 8s more"),
        ("always: true, timeout: 15s", "needs 8s more"),
        ('hours: ["05:00-05:30", "23:50-00:30"]', "may never see a call"),
        ('interval: 1d, hours: "22:00-05:00"', "or take 7h"),
        ("always: true, media_from: [nowhere]", "expected a network"),
        ("always: true, transport: sctp", "expected 'udp', 'tcp' or 'tls'"),
    ],
)
def test_wrong_values_are_told(text: str, expected: str, tmp_path: Path) -> None:
    """Each is refused with what was expected."""
    told = problems(write(tmp_path, profile(text), WITH_CALL))
    assert any(expected in each for each in told), told


def test_hours_may_be_a_list(tmp_path: Path) -> None:
    """Several spans, another zone, networks for the media."""
    text = 'hours: ["05:00-06:30", "18:00-19:00"], zone: Asia/Jayapura'
    made = call(tmp_path, f"{text}, media_from: [198.51.100.7, 2001:db8::/32]")
    assert made.opening is not None
    assert made.opening.spans == ((300, 390), (1080, 1140))
    assert made.params.media_from == ("198.51.100.7/32", "2001:db8::/32")


def test_opening_is_by_the_clock_of_its_zone() -> None:
    """Past midnight, to the minute; the same instant elsewhere is another hour."""
    night = Opening(((22 * 60, 5 * 60),), JAKARTA)
    assert [night.is_open(at(*when)) for when in ((21, 59), (22, 0), (4, 59), (5, 0))] == [
        False,
        True,
        True,
        False,
    ]
    assert night.is_open(datetime(2026, 11, 24, 15, 0, tzinfo=UTC).timestamp())
    assert Opening((), JAKARTA).is_open(0.0)


def test_pause_is_the_longest_between_two_openings() -> None:
    """Seventeen hours, and one more for zones with summer time; none where it is always open."""
    assert Opening(((22 * 60, 5 * 60),), JAKARTA).longest_pause == 18 * 3600
    assert Opening(((300, 390), (1080, 1140)), JAKARTA).longest_pause == 12.5 * 3600
    assert Opening((), JAKARTA).longest_pause == 0
