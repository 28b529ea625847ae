"""A world whose memory tells ninety days of South Sulawesi: curves, outages, incidents, ways."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.fakes.filled_memory import HOSTILE
from tests.fakes.snapshots import NOW, PROVINCES, World, mixed
from vcmon.config.settings import Settings, Web
from vcmon.history.store import Store
from vcmon.model.memory import (
    Cause,
    Deed,
    Incident,
    Interval,
    Maintenance,
    Member,
    Occasion,
    Remark,
    Sample,
)
from vcmon.model.path import Hop, Route
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import Snapshot, State

SLUG, CODEC = "sulawesi-selatan", "sulawesi-selatan-codec"

DAY = 86_400.0

SILENCE = NOW - 8 * 3600, NOW - 7 * 3600
"""When nobody looked."""

OUTAGE = NOW - 5 * 3600, NOW - 4.5 * 3600
FALL = NOW - 754


def with_failures(snapshot: Snapshot) -> Snapshot:
    """What fails has failed five times before."""
    statuses = []
    for status in snapshot.provinces:
        members = []
        for member in status.endpoints:
            checks = tuple(
                replace(
                    each,
                    failed=tuple(each.last._replace(at=NOW - 9000 + 60 * n) for n in range(5)),
                )
                if each.last is not None and each.last.outcome is not Outcome.UP
                else each
                for each in member.checks
            )
            members.append(replace(member, checks=checks))
        statuses.append(replace(status, endpoints=tuple(members)))
    return replace(snapshot, provinces=tuple(statuses))


def settings_of(snapshot: Snapshot, grafana: str = "") -> Settings:
    """Settings whose inventory is what the snapshot shows."""
    endpoints = tuple(e.endpoint for status in snapshot.provinces for e in status.endpoints)
    return Settings(endpoints=endpoints, provinces=PROVINCES, web=Web(grafana=grafana))


def intervals(series: str) -> Iterator[Interval]:
    """Well for 90 days but for one outage, an hour unseen, and the fall of now."""
    edges = (
        (NOW - 100 * DAY, State.UP),
        (SILENCE[0], State.UNKNOWN),
        (SILENCE[1], State.UP),
        (OUTAGE[0], State.DOWN),
        (OUTAGE[1], State.UP),
        (FALL, State.DOWN),
    )
    stops = [*(at for at, _ in edges[1:]), None]
    for (at, state), stop in zip(edges, stops, strict=True):
        reason = {State.UP: Reason.OK, State.UNKNOWN: Reason.GAP}.get(state, Reason.SERVICE)
        blame = Blame.REMOTE if state is State.DOWN else Blame.NONE
        yield Interval(series, at, stop, state, reason, blame, known_at=at)


def samples() -> Iterator[Sample]:
    """A sample each five minutes of two days, and one a day before that."""
    for number in range(88):
        yield Sample(
            f"endpoint:{CODEC}",
            NOW - (89 - number) * DAY,
            sent=8000,
            lost=9,
            rtt_sum=44_000 * 8000,
            rtt_n=8000,
            rtt_max=210_000,
            jitter_sum=(3_000 + 60 * (number % 20)) * 6400,
            jitter_n=6400,
        )
    for number in range(287, -1, -1):
        at = NOW - 300 * number
        if SILENCE[0] <= at < SILENCE[1] or OUTAGE[0] <= at < OUTAGE[1] or at > FALL:
            continue
        rtt = round(43_000 + 12_000 * math.sin(number / 30))
        lost = 9 if number % 37 == 0 else 0
        came = 150 - lost
        jitter = round(2_000 + 1_500 * math.sin(number / 11)) * 120
        yield Sample(f"endpoint:{CODEC}", at, 150, lost, rtt * came, came, rtt * 2, jitter, 120)


def incidents() -> Iterator[Incident]:
    """One that goes on, with hostile words; one that is over."""
    owner = f"endpoint:{CODEC}"
    both = owner, f"province:{SLUG}"
    said = (
        Remark(NOW - 600, "Budi", Deed.ACK, "Telkom ditelepon", "IN-4711"),
        Remark(NOW - 500, "Siti", Deed.NOTE, HOSTILE),
        Remark(NOW - 400, "Siti", Deed.CAUSE, cause=Cause.CABLE),
    )
    yield Incident(
        12,
        owner,
        FALL,
        FALL + 6,
        None,
        Reason.SERVICE,
        tuple(Member(each, FALL, None) for each in both),
        remarks=said,
    )
    yield Incident(
        7,
        owner,
        OUTAGE[0],
        OUTAGE[0] + 6,
        OUTAGE[1],
        Reason.TIMEOUT,
        tuple(Member(each, *OUTAGE) for each in both),
    )


def routes() -> Iterator[Route]:
    """The healthy way, and the one after the fall, which stops short."""
    hops = tuple(Hop(n, (f"192.0.2.{n}",), n / 1000) for n in range(1, 6))
    yield Route(CODEC, "192.0.2.5", NOW - DAY, True, hops, True, Reason.OK)
    yield Route(CODEC, "192.0.2.5", FALL + 20, False, hops[:3], False, Reason.TIMEOUT)


def fill(path: Path) -> None:
    """Write all of it."""
    store = Store.open(path)
    with store.transaction():
        for series in (f"province:{SLUG}", f"endpoint:{CODEC}"):
            for each in intervals(series):
                store.put(each)
        store.add_samples(samples())
    for incident in incidents():
        store.put_incident(incident)
    for route in routes():
        store.put_route(route)
    store.beat(NOW)
    store.roll(NOW)
    store.close()


def past_world(folder: Path, *, grafana: str = "") -> World:
    """The morning of ``mixed`` with that memory, and a window of maintenance."""
    fill(folder / "m.db")
    snapshot = with_failures(mixed())
    window = Maintenance(1, f"province:{SLUG}", "Penggantian router", NOW + 3600, 7200)
    return World(
        snapshot,
        settings=settings_of(snapshot, grafana),
        file=folder / "m.db",
        planned=(Occasion(window, window.start, window.start + 7200),),
    )
