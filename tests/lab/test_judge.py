"""The judge of the lab: it must be able to say no."""

from __future__ import annotations

import math

from tests.lab.judge import GRACE, Change, Injected, Seen, judge, percentile
from tests.lab.truth import DOWN, Cut, Expect

CODEC, ROUTER, PROVINCE = "aceh-codec", "aceh-router", "province:aceh"


def nothing() -> None:
    """These cuts are made on paper only."""


def cut_of(expect: dict[str, Expect], province: frozenset[str]) -> Cut:
    parent = ROUTER if ROUTER in expect else ""
    return Cut("drop", "aceh", nothing, nothing, expect, Expect(province, parent=parent))


CODEC_CUT = cut_of({CODEC: Expect(DOWN, frozenset({"service"}))}, frozenset({"degraded"}))
SITE_CUT = cut_of(
    {ROUTER: Expect(DOWN), CODEC: Expect(frozenset({"unreachable"}), frozenset({"parent"}))}, DOWN
)


def told(*story: tuple[float, str, str, str]) -> list[Change]:
    """Changes out of (second, subject, state, reason)."""
    return [Change(at, subject, Seen(state, reason)) for at, subject, state, reason in story]


HEALTHY = told((0, CODEC, "up", "ok"), (0, ROUTER, "up", "ok"), (0, PROVINCE, "up", "ok"))
RIGHT = told(
    (109, CODEC, "down", "service"),
    (109, PROVINCE, "degraded", "partial"),
    (150, CODEC, "up", "ok"),
    (150, PROVINCE, "up", "ok"),
)


def test_judge_accepts_a_right_story() -> None:
    """A cut found in 9 s and over 20 s after the repair is a detection and a recovery."""
    verdict = judge(HEALTHY + RIGHT, [Injected(CODEC_CUT, 100, 130)], 300)
    assert [(d.subject, d.seconds) for d in verdict.detections] == [(CODEC, 9)]
    assert verdict.recoveries == [20]
    assert verdict.missed + verdict.false + verdict.wrong + verdict.stuck == []


def test_judge_finds_a_missed_outage() -> None:
    """Silence about a cut is a miss."""
    verdict = judge(HEALTHY, [Injected(CODEC_CUT, 100, 130)], 300)
    assert len(verdict.missed) == 2  # the codec, and its province's degradation


def test_judge_finds_false_alarms() -> None:
    """An alarm without a cut, on another subject, or long after the repair, is false."""
    assert judge(HEALTHY + RIGHT, [], 300).false
    stranger = told((110, "bali-codec", "down", "timeout"))
    assert judge([*HEALTHY, *RIGHT, *stranger], [Injected(CODEC_CUT, 100, 130)], 300).false
    late = told((131 + GRACE, CODEC, "down", "timeout"))
    assert judge([*HEALTHY, *RIGHT, *late], [Injected(CODEC_CUT, 100, 130)], 300).false


def test_judge_finds_a_province_alarm_that_a_lost_endpoint_does_not_justify() -> None:
    """One of two endpoints lost makes the province degraded; down would be false."""
    story = [*HEALTHY, *RIGHT, *told((112, PROVINCE, "down", "service"))]
    assert judge(story, [Injected(CODEC_CUT, 100, 130)], 300).false


def test_judge_finds_a_wrong_reason() -> None:
    """Down for another reason than the injected one is told apart."""
    story = HEALTHY + told((109, CODEC, "down", "timeout"), (109, PROVINCE, "degraded", "partial"))
    assert judge(story, [Injected(CODEC_CUT, 100)], 130).wrong


def test_judge_finds_an_alarm_that_does_not_last() -> None:
    """Up again, or unknown, while the cut stands: the one is wrong, the other told apart."""
    for state in ("up", "unknown"):
        story = [
            *HEALTHY,
            *RIGHT[:2],
            *told((115, CODEC, state, ""), (120, CODEC, "down", "service")),
        ]
        verdict = judge(story, [Injected(CODEC_CUT, 100)], 130)
        assert (len(verdict.wrong), len(verdict.unsure)) == ((1, 0) if state == "up" else (0, 1))


def test_judge_finds_a_wrong_parent_and_hasty_children() -> None:
    """A child behind a lost router must name it, and not cry down before it."""
    story = HEALTHY + told(
        (108, CODEC, "down", "timeout"),
        (109, ROUTER, "down", "timeout"),
        (109, PROVINCE, "down", "timeout"),
        (110, CODEC, "unreachable", "parent"),
    )
    verdict = judge(story, [Injected(SITE_CUT, 100)], 130)
    assert verdict.hasty
    assert verdict.wrong == ["drop: province:aceh has parent '', not 'aceh-router'"]


def test_judge_finds_what_never_recovers() -> None:
    """An alarm that stands longer after the repair than the rules allow is stuck."""
    verdict = judge(HEALTHY + RIGHT[:2], [Injected(CODEC_CUT, 100, 130)], 300)
    assert verdict.stuck


def test_percentile_is_a_value_that_was_measured() -> None:
    """The nearest-rank percentile; nothing measured is NaN, never a pass."""
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.99) == 4
    assert math.isnan(percentile([], 0.99))
