"""Sittings and evidence for the roll, over the snapshots that views are tested with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.fakes.snapshots import NOW, PROVINCES, make_result, make_snapshot, province_status
from vcmon.model.endpoint import CheckId
from vcmon.model.meeting import Meeting, Seat, Sitting, Verdict
from vcmon.model.memory import Incident, Member
from vcmon.model.result import Outcome, Reason, Result
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    Standing,
    Uplink,
)
from vcmon.readiness.rollcall import Evidence, call

SLUG = "aceh"
START = NOW + 600.0


def make_sitting(*seats: Seat, **more: Any) -> Sitting:
    """A meeting of two hours that begins ten minutes from NOW."""
    meeting = Meeting("mingguan", "Rapat", START, 7200.0, seats or (Seat(SLUG),), **more)
    return Sitting(meeting, START, START, START + 7200.0)


def status_of(standing: Standing, **more: Any) -> ProvinceStatus:
    """Aceh in this standing."""
    return province_status(PROVINCES[SLUG], standing, **more)


def with_codec(status: ProvinceStatus, **changes: Any) -> ProvinceStatus:
    """The province with its codec's status changed."""
    router, codec = status.endpoints
    return replace(status, endpoints=(router, replace(codec, **changes)))


def with_check(status: EndpointStatus, name: str, **changes: Any) -> tuple[CheckStatus, ...]:
    """The endpoint's checks, one of them changed."""
    return tuple(
        replace(each, **changes) if each.check.id.name == name else each for each in status.checks
    )


def snapshot_of(*statuses: ProvinceStatus, blind: bool = False) -> Snapshot:
    return make_snapshot(statuses, uplink=Uplink(up=not blind, blind=blind))


def answers_of(
    statuses: Iterable[ProvinceStatus], outcome: Outcome = Outcome.UP
) -> dict[CheckId, Result]:
    """Every check of these answered so."""
    reason = Reason.OK if outcome is Outcome.UP else Reason.TIMEOUT
    return {
        check.check.id: make_result(check.check, outcome, reason)
        for status in statuses
        for endpoint in status.endpoints
        for check in endpoint.checks
    }


def incident(start: float, stop: float | None, slug: str = SLUG) -> Incident:
    """One that the province was lost by."""
    member = Member(f"province:{slug}", start, stop)
    return Incident(1, f"endpoint:{slug}-codec", start, start, stop, Reason.TIMEOUT, (member,))


def verdict(status: ProvinceStatus, sitting: Sitting | None = None, **facts: Any) -> Verdict:
    """What is said of Aceh, NOW."""
    blind = facts.pop("blind", False)
    evidence = Evidence(snapshot_of(status, blind=blind), **facts)
    return call(sitting or make_sitting(), NOW, 600.0, evidence).verdicts[0]
