"""Compares what vcmon told with what was done to the country: pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.lab.truth import DOWN, UP, Cut, Expect, blames

ALARM = frozenset({"down", "unreachable"})
GRACE = 45.0
"""Seconds after a repair in which its alarm may still stand: two UP 10 s apart, at most one run of
10 s away, after a run that was under way; and once more where a retry met the server's restart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the API told of one subject."""

    state: str
    reason: str = ""
    parent: str = ""
    blame: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """``subject`` (an endpoint's id, or ``province:slug``) was first seen so at second ``at``."""

    at: float
    subject: str
    seen: Seen


@dataclass(slots=True)
class Injected:
    """One cut as it was made; ``healed`` is infinite while it stands."""

    cut: Cut
    at: float
    healed: float = math.inf


@dataclass(frozen=True, slots=True)
class Detection:
    kind: str
    subject: str
    seconds: float  # from just before the injection to the first poll that shows it


@dataclass(slots=True)
class Verdict:
    """All that a campaign found out; each list of words is empty when all is well."""

    detections: list[Detection] = field(default_factory=list)
    blind: list[float] = field(default_factory=list)  # seconds until our own fault was told
    recoveries: list[float] = field(default_factory=list)  # seconds from repair to up again
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)  # alarms without a cause
    wrong: list[str] = field(default_factory=list)  # right alarm, wrong state, reason or parent
    unsure: list[str] = field(default_factory=list)  # no longer known while it was cut
    hasty: list[str] = field(default_factory=list)  # told as down before the true parent was
    stuck: list[str] = field(default_factory=list)  # not up again after the repair

    def seconds(self) -> list[float]:
        """Detection times, shortest first."""
        return sorted(found.seconds for found in self.detections)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values don't exceed; NaN for none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def middle(values: Sequence[float]) -> float:
    """The median; NaN for none."""
    return median(values) if values else math.nan


def judge(
    changes: Sequence[Change], injected: Sequence[Injected], end: float, grace: float = GRACE
) -> Verdict:
    """The verdict on a campaign that was watched until second ``end``."""
    verdict = Verdict()
    for one in injected:
        for subject, wanted in _subjects(one.cut):
            _judge_subject(verdict, changes, one, (subject, wanted))
            if wanted.states & ALARM and one.healed + grace <= end:
                _judge_recovery(verdict, changes, one, subject, grace)
    for change in changes:
        if change.seen.state in ALARM and not _explained(change, injected, grace):
            verdict.false.append(f"{change.subject} {change.seen} at {change.at:.1f}")
    return verdict


def _subjects(cut: Cut) -> list[tuple[str, Expect]]:
    if cut.blind:
        return [("blind", Expect(frozenset({"true"})))]
    return [*cut.expect.items(), (f"province:{cut.slug}", cut.province)]


def _judge_subject(
    verdict: Verdict, changes: Sequence[Change], one: Injected, about: tuple[str, Expect]
) -> None:
    subject, wanted = about
    text = f"{one.cut.kind}: {subject}"
    story = [c for c in changes if c.subject == subject and c.at <= one.healed]
    inside = [c for c in story if c.at >= one.at]
    first = next((c for c in inside if c.seen.state in wanted.states), None)
    last = story[-1].seen if story else Seen("unheard of")
    if first is None and last.state not in wanted.states:
        verdict.missed.append(f"{text} never {'/'.join(sorted(wanted.states))}")
        return
    if first is not None and wanted.states == DOWN:
        verdict.detections.append(Detection(one.cut.kind, subject, first.at - one.at))
        for change in (c for c in inside if c.at > first.at and c.seen.state not in DOWN):
            words = f"{text} went {change.seen.state} {change.seen.reason} while it was cut"
            (verdict.unsure if change.seen.state == "unknown" else verdict.wrong).append(words)
    if first is not None and one.cut.blind:
        verdict.blind.append(first.at - one.at)
    if wanted.states == {"unreachable"}:
        _judge_child(verdict, one, text, inside)
    if last.state not in wanted.states or (wanted.reasons and last.reason not in wanted.reasons):
        words = f"{text} is {last.state} {last.reason}, expected {wanted}"
        (verdict.unsure if last.state == "unknown" else verdict.wrong).append(words)
    allowed = blames(one.cut.kind, last.reason)
    if last.state in wanted.states - UP and last.blame and allowed and last.blame not in allowed:
        verdict.wrong.append(f"{text} blames {last.blame} for {last.reason}, not {set(allowed)}")
    if wanted.parent and last.parent != wanted.parent:
        verdict.wrong.append(f"{text} has parent {last.parent!r}, not {wanted.parent!r}")


def _judge_child(verdict: Verdict, one: Injected, text: str, inside: Sequence[Change]) -> None:
    cause = one.cut.downs()[0]
    if any(c.seen.state in DOWN for c in inside):
        verdict.hasty.append(f"{text} was down before {cause}")


def _judge_recovery(
    verdict: Verdict,
    changes: Sequence[Change],
    one: Injected,
    subject: str,
    grace: float,
) -> None:
    story = [c for c in changes if c.subject == subject and c.at > one.at]
    told = [c for c in story if c.at <= one.healed]
    if not told or told[-1].seen.state not in ALARM:
        return
    back = next((c.at for c in story if c.at > one.healed and c.seen.state in UP), math.inf)
    if back <= one.healed + grace:
        verdict.recoveries.append(back - one.healed)
    else:
        verdict.stuck.append(f"{one.cut.kind}: {subject} is not up {grace:.0f} s after the repair")


def _explained(change: Change, injected: Iterable[Injected], grace: float) -> bool:
    """Whether a cut names the subject of an alarm as one that may show it.

    Children of a lost router may be told as down first: that is hasty, not false.
    """
    for one in injected:
        if not one.at <= change.at <= one.healed + grace:
            continue
        for subject, wanted in _subjects(one.cut):
            if subject == change.subject and wanted.states & ALARM:
                return True
    return False
