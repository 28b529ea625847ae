"""What a reader of the event stream is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from tests.fakes.snapshots import NOW, PROVINCES, make_snapshot, mixed, province_status, uniform
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Snapshot, Standing, State, Uplink
from vcmon.views.stream import QUEUE_MAX, Picture, Reader, encoded

DOWN = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 20, NOW - 10)


def without_aceh(standing: Standing = DOWN) -> Snapshot:
    """All is well but Aceh."""
    return make_snapshot(
        province_status(one, standing) if slug == "aceh" else province_status(one)
        for slug, one in PROVINCES.items()
    )


def test_a_change_is_told_alone() -> None:
    """Of 39 only the one that changed, with the counts of all and the Centre in none of them."""
    before = Picture.of(uniform(), stale=False)
    told = Picture.of(without_aceh(), stale=False).since(before)
    assert told is not None
    assert [one["slug"] for one in told["provinces"]] == ["aceh"]
    assert told["provinces"][0] | {"slug": ""} == {
        "slug": "",
        "state": State.DOWN,
        "since": "2026-11-23T02:40:47.000Z",
        "reason": Reason.TIMEOUT,
        "parent": None,
        "maintenance": False,
    }
    assert told["counts"] == {"up": 37, "degraded": 0, "down": 1, "unreachable": 0, "unknown": 0}
    assert told["gone"] == []


def test_no_change_is_not_told() -> None:
    """A new picture of the same state, other round-trip times in it, is no news."""
    before = Picture.of(mixed(), stale=False)
    assert Picture.of(replace(mixed(), version=99, at=NOW), stale=False).since(before) is None


def test_blindness_staleness_and_leaving_are_changes() -> None:
    """Also where no province's state changed."""
    before = Picture.of(uniform(), stale=False)
    blind = replace(uniform(), uplink=Uplink(up=False, blind=True, since=NOW))
    told = Picture.of(blind, stale=False).since(before)
    assert told is not None
    assert told["blind"] is True
    stale = Picture.of(uniform(), stale=True).since(before)
    assert stale is not None
    assert {one["state"] for one in stale["provinces"]} == {State.UNKNOWN}
    fewer = Picture.of(make_snapshot(uniform().provinces[:-1]), stale=False).since(before)
    assert fewer is not None
    assert fewer["gone"] == [uniform().provinces[-1].province.slug]


def test_an_event_is_one_event_whatever_a_name_holds() -> None:
    """Line ends in a name don't end the line of the stream."""
    event = encoded("delta", {"parent": "a\n\nevent: evil\r\ndata: x\u2028"}, "7-1").decode()
    assert event.endswith("\n\n")
    lines = event[:-2].split("\n")
    assert [line.partition(":")[0] for line in lines] == ["id", "event", "data"]
    assert json.loads(lines[2][6:])["parent"].startswith("a\n\nevent: evil")


def test_slow_reader_loses_its_queue_not_our_memory() -> None:
    """One event over the bound empties the queue until the whole picture is sent."""
    reader = Reader(asyncio.Transport())
    held = []
    for number in range(QUEUE_MAX + 2):
        reader.give(b"%d" % number)
        held.append((len(reader.waiting), reader.lost))
    assert held[-3:] == [(QUEUE_MAX, False), (0, True), (0, True)]
