"""The roll: whether each province can join, by what is known of it at one moment. Pure.

``siap`` is said only of a province with a conference endpoint that is up, has answered, and keeps
its limits; everything else has a doubt. Where the roll was called with questions (at a checkpoint),
an endpoint counts as answering when each check that decides about it has answered since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import attrgetter
from typing import Any

from vcmon.config.settings import QUALITY_CLASSES, QualityClass
from vcmon.model.endpoint import CONFERENCE_ROLES, Check, CheckId, Endpoint
from vcmon.model.meeting import Doubt, Limits, Readiness, RollCall, Seat, Sitting, Verdict
from vcmon.model.memory import Incident
from vcmon.model.result import Outcome, Reason, Result
from vcmon.model.status import (
    SEVERITY,
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    State,
)
from vcmon.readiness.gauge import Figures, figures_of
from vcmon.state.directions import LOST_AT_LEAST

LOST = frozenset({State.DOWN, State.UNREACHABLE})
ALIVE = frozenset({State.UP, State.DEGRADED})

ORDER = (Readiness.NOT_READY, Readiness.UNMEASURED, Readiness.AT_RISK, Readiness.READY)
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a roll is made from, as of one moment."""

    snapshot: Snapshot
    fresh: bool = True  # the snapshot is of now, and what makes it moves
    answers: Mapping[CheckId, Result] | None = None  # since the roll was called; None: live
    figures: Mapping[str, Figures] = field(default_factory=dict)  # by endpoint id, of the window
    incidents: Sequence[Incident] = ()  # those that go on, and those that ended lately
    planned: frozenset[str] = frozenset()  # series under maintenance before the sitting is over
    quality: Mapping[str, QualityClass] = field(default_factory=lambda: dict(QUALITY_CLASSES))


def call(sitting: Sitting, at: float, checkpoint: float | None, facts: Evidence) -> RollCall:
    """The roll of all seats at wall second ``at``; required first, worst first."""
    known = {status.province.slug: status for status in facts.snapshot.provinces}
    court = _Court(sitting.meeting.limits, at, facts)
    verdicts = [court.province(seat, known.get(seat.province)) for seat in sitting.meeting.seats]
    verdicts.sort(key=lambda verdict: (not verdict.required, ORDER.index(verdict.readiness)))
    room = _room(sitting.meeting.room, known.values(), court)
    return RollCall(sitting.id, at, checkpoint, tuple(verdicts), room, sitting.start)


def missed(sitting: Sitting, at: float, checkpoint: float) -> RollCall:
    """The mark of a checkpoint that passed without a roll, found out at ``at``."""
    return RollCall(sitting.id, at, checkpoint, (), None, sitting.start)


def conference(status: ProvinceStatus) -> tuple[EndpointStatus, ...]:
    """The endpoints that a province joins with; all, where it has none of such a role."""
    found = tuple(each for each in status.endpoints if each.endpoint.role in CONFERENCE_ROLES)
    return found or status.endpoints


def _room(name: str, provinces: Iterable[ProvinceStatus], court: _Court) -> Verdict | None:
    if not name:
        return None
    for province in provinces:
        for status in province.endpoints:
            if status.endpoint.id == name:
                return court.room(province.province.slug, status)
    unmeasured = Readiness.UNMEASURED
    return Verdict("", required=True, readiness=unmeasured, doubt=Doubt.UNKNOWN, endpoint=name)


class _Answer(Enum):
    YES = 1
    NO = 2  # it failed just now, and that is not confirmed yet
    NONE = 3  # nobody has asked, or our own fault was in the way


@dataclass(frozen=True, slots=True)
class _Court:
    """Judges one seat after the other by the same evidence."""

    limits: Limits
    at: float
    facts: Evidence

    def province(self, seat: Seat, status: ProvinceStatus | None) -> Verdict:
        ready = Verdict(seat.province, seat.required, Readiness.READY)
        if status is None or not status.endpoints or not self.facts.fresh:
            return replace(ready, readiness=Readiness.UNMEASURED, doubt=Doubt.UNKNOWN)
        if (lost := self._lost(ready, status)) is not None:
            return lost
        alive = [each for each in conference(status) if each.standing.state in ALIVE]
        return self._alive(ready, alive) or self._calm(ready) or self._planned(ready) or ready

    def room(self, slug: str, status: EndpointStatus) -> Verdict:
        """What all join: judged as if it were a province of one endpoint."""
        name, siap = status.endpoint.id, Readiness.READY
        ready = Verdict(slug, required=True, readiness=siap, endpoint=name)
        if not self.facts.fresh:
            return replace(ready, readiness=Readiness.UNMEASURED, doubt=Doubt.UNKNOWN)
        return self._lost(ready, status) or self._alive(ready, [status]) or ready

    def _lost(self, ready: Verdict, status: ProvinceStatus | EndpointStatus) -> Verdict | None:
        standing, blind = status.standing, self.facts.snapshot.uplink.blind
        if standing.state in LOST:
            away = standing.state is State.UNREACHABLE
            blamed = standing.parent or _first_lost(status)
            doubt = Doubt.UNREACHABLE if away else Doubt.DOWN
            found = replace(ready, readiness=Readiness.NOT_READY, doubt=doubt)
            return replace(found, endpoint=blamed, since=standing.since)
        if standing.state is State.UNKNOWN or blind:
            doubt = Doubt.BLIND if blind or standing.reason is Reason.BLIND else Doubt.UNKNOWN
            return replace(ready, readiness=Readiness.UNMEASURED, doubt=doubt)
        return None

    def _alive(self, ready: Verdict, alive: Sequence[EndpointStatus]) -> Verdict | None:
        """The worst that can be said of endpoints that are believed to be up."""
        answers = [(each, self._answer(each)) for each in alive]
        usable = [each for each, answer in answers if answer is _Answer.YES]
        silent = [each for each, answer in answers if answer is _Answer.NO]
        if not usable and silent:
            return self._doubted(ready, Doubt.UNCONFIRMED, silent[0])
        if not usable:
            return replace(ready, readiness=Readiness.UNMEASURED, doubt=Doubt.UNKNOWN)
        return (
            self._deep(ready, usable)
            or self._measured(ready, usable)
            or self._degraded(ready, alive)
            or (self._doubted(ready, Doubt.UNCONFIRMED, silent[0]) if silent else None)
        )

    def _answer(self, status: EndpointStatus) -> _Answer:
        deciding = [each for each in status.checks if each.check.decides]
        if any(each.failing for each in deciding):
            return _Answer.NO
        if any(each.stale or each.outcome is not Outcome.UP for each in deciding):
            return _Answer.NONE
        if self.facts.answers is None:
            return _Answer.YES
        answers = self.facts.answers
        found = {each.check.id: answers.get(each.check.id) for each in deciding}
        if any(each is not None and each.outcome is Outcome.DOWN for each in found.values()):
            return _Answer.NO
        asked = [found[each.check.id] for each in deciding if is_asked(each.check)]
        up = [each is not None and each.outcome is Outcome.UP for each in asked]
        return _Answer.YES if all(up) else _Answer.NONE

    def _deep(self, ready: Verdict, usable: Sequence[EndpointStatus]) -> Verdict | None:
        """A check that signals deeper than those that decide: a test call, most of all."""
        failed = [(each, check) for each in usable for check in each.checks if _has_failed(check)]
        if not failed:
            return None
        status, check = failed[0]
        everywhere = {each.endpoint.id for each, _ in failed} == {e.endpoint.id for e in usable}
        found = self._doubted(ready, Doubt.DEEP_CHECK, status)
        found = replace(found, check=check.check.id.name, since=check.since)
        return replace(found, readiness=Readiness.NOT_READY) if everywhere else found

    def _measured(self, ready: Verdict, usable: Sequence[EndpointStatus]) -> Verdict | None:
        for status in usable:
            figures = self.facts.figures.get(status.endpoint.id) or figures_of(status.quality)
            for doubt, value, limit in self._over(figures, status.endpoint):
                return replace(self._doubted(ready, doubt, status), value=value, limit=limit)
        return None

    def _over(self, found: Figures, endpoint: Endpoint) -> Iterator[tuple[Doubt, float, float]]:
        classes, said = self.facts.quality, self.limits
        own = classes.get(endpoint.medium) or classes.get("") or QualityClass()
        loss, jitter, rtt = (
            b if a is None else a
            for a, b in zip((said.loss, said.jitter, said.rtt), _limits(own), strict=True)
        )
        if found.loss is not None and found.loss > loss and found.lost >= LOST_AT_LEAST:
            yield Doubt.LOSS, found.loss, loss
        if found.jitter is not None and found.jitter > jitter:
            yield Doubt.JITTER, found.jitter, jitter
        if found.rtt is not None and found.rtt > rtt:
            yield Doubt.RTT, found.rtt, rtt

    def _degraded(self, ready: Verdict, alive: Sequence[EndpointStatus]) -> Verdict | None:
        bad = [each for each in alive if each.standing.state is State.DEGRADED]
        if bad:
            worst = min(bad, key=lambda each: (SEVERITY[each.standing.state], each.standing.since))
            doubt = _BY_REASON.get(worst.standing.reason, Doubt.DEGRADED)
            return replace(self._doubted(ready, doubt, worst), since=worst.standing.since)
        return None

    def _calm(self, ready: Verdict) -> Verdict | None:
        """Whether it was lost a while ago, and has been back for too short."""
        series, low = f"province:{ready.province}", self.at - self.limits.calm
        back = [
            member.stop
            for incident in self.facts.incidents
            for member in incident.members
            if member.subject == series and member.stop is not None and member.stop > low
        ]
        if not back:
            return None
        return replace(
            ready, readiness=Readiness.AT_RISK, doubt=Doubt.CHANGED, since=min(max(back), self.at)
        )

    def _planned(self, ready: Verdict) -> Verdict | None:
        if f"province:{ready.province}" not in self.facts.planned:
            return None
        return replace(ready, readiness=Readiness.AT_RISK, doubt=Doubt.MAINTENANCE)

    def _doubted(self, ready: Verdict, doubt: Doubt, status: EndpointStatus) -> Verdict:
        name = status.endpoint.id
        return replace(ready, readiness=Readiness.AT_RISK, doubt=doubt, endpoint=name)


_BY_REASON: Mapping[Reason, Doubt] = {
    Reason.LOSS: Doubt.LOSS,
    Reason.JITTER: Doubt.JITTER,
    Reason.RTT: Doubt.RTT,
}


def is_asked(check: Check[Any]) -> bool:
    """Whether a check can be asked at any time: not one that disturbs somebody, or has hours."""
    return not check.params.gentle and check.opening is None


def _has_failed(status: CheckStatus) -> bool:
    """Committed, and still news, of a check that does not decide but degrades."""
    degrades = status.check.params.degrades and not status.check.decides
    return degrades and status.outcome is Outcome.DOWN and not status.stale


def _limits(own: QualityClass) -> tuple[float, float, float]:
    return own.loss, own.jitter, own.rtt


def _first_lost(status: ProvinceStatus | EndpointStatus) -> str:
    """The endpoint that is to blame within: the one on the way that fell, or the first lost."""
    if isinstance(status, EndpointStatus):
        return status.endpoint.id
    lost = [each for each in status.endpoints if each.standing.state is State.DOWN]
    conferences = [each for each in lost if each.endpoint.role in CONFERENCE_ROLES]
    found = sorted(conferences or lost, key=attrgetter("standing.since"))
    return found[0].endpoint.id if found else ""
