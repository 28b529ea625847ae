"""Ways to endpoints in the memory: kept side by side, bounded, and brought into old files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import EPOCH, FakeClock
from vcmon.errors import HistoryError
from vcmon.history import upkeep
from vcmon.history.backlog import ROUTES_MAX, Backlog
from vcmon.history.paths import ADDRESS_MAX, FAILING_MAX, Pair, to_route, to_text
from vcmon.history.schema import APPLICATION, MIGRATIONS
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Inline
from vcmon.model.memory import Incident, Member
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason

HOPS = (Hop(1, ("10.0.0.1",), 0.001), Hop(2, lost=3), Hop(3, ("10.0.2.1", "10.0.2.9"), 0.25, 1))


def route(at: float, *, healthy: bool = False, endpoint: str = "e") -> Route:
    why = Reason.OK if healthy else Reason.TIMEOUT
    return Route(endpoint, "10.0.9.9", EPOCH + at, healthy, HOPS, healthy, why)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "m.db")
    yield made
    made.close()


def incident(*members: Member) -> Incident:
    return Incident(1, "endpoint:e", EPOCH, EPOCH, None, Reason.TIMEOUT, members)


def test_a_way_comes_back_as_it_was(store: Store) -> None:
    """Hops, silent ones and several addresses, times to the microsecond."""
    store.put_route(route(0, healthy=True))
    assert store.healthy_route("e") == route(0, healthy=True)
    assert store.healthy_route("other") is None


def test_a_failing_way_keeps_the_healthy_one_of_its_day(store: Store) -> None:
    """What was healthy then stays beside it, whatever is healthy later."""
    store.put_route(route(-5))
    store.put_route(route(0, healthy=True))
    store.put_route(route(10))
    store.put_route(route(20, healthy=True))
    assert store.failing_routes("e", EPOCH - 9, EPOCH + 99) == [
        Pair(route(0, healthy=True), route(10)),
        Pair(None, route(-5)),
    ]
    assert store.healthy_route("e") == route(20, healthy=True)


def test_the_last_few_are_kept(store: Store) -> None:
    """Twenty failing ways of an endpoint; those of others are not touched."""
    store.put_route(route(0, endpoint="other"))
    for at in range(FAILING_MAX + 5):
        store.put_route(route(at))
    kept = store.failing_routes("e", 0, 1e11)
    assert [pair.now.at - EPOCH for pair in kept] == [24 - n for n in range(FAILING_MAX)]
    assert len(store.failing_routes("other", 0, 1e11)) == 1


def test_an_incident_has_the_ways_of_its_members(store: Store) -> None:
    """Those traced while an endpoint was a member; each once, newest first."""
    for at in (-50, 5, 500):
        store.put_route(route(at))
    store.put_route(route(7, endpoint="child"))
    store.put_route(route(7, endpoint="stranger"))
    members = (
        Member("province:aceh", EPOCH, None),
        Member("endpoint:e", EPOCH, EPOCH + 100),
        Member("endpoint:e", EPOCH + 2, EPOCH + 100),
        Member("endpoint:child", EPOCH, None),
    )
    found = store.incident_routes(incident(*members))
    assert [(pair.now.endpoint, pair.now.at - EPOCH) for pair in found] == [("child", 7), ("e", 5)]


def test_old_ones_go_and_so_does_what_has_not_happened(store: Store) -> None:
    """Retention takes them with the incidents; a clock set back takes what is stamped later."""
    for at in (0, 1000):
        store.put_route(route(at))
        store.put_route(route(at, healthy=True, endpoint=f"e{at}"))
    store.trim(EPOCH + 500)
    assert [pair.now.at for pair in store.failing_routes("e", 0, 1e11)] == [EPOCH]
    assert store.healthy_route("e1000") is None
    keep = upkeep.Keep()
    assert upkeep.prune(store, EPOCH + keep.facts - 10, keep) == 0
    assert upkeep.prune(store, EPOCH + keep.facts + 10, keep) == 2
    assert store.healthy_route("e0") is None


def test_a_file_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    """What the first version wrote stays, and ways can be kept beside it; reading alone does
    nothing to it.
    """
    path = tmp_path / "old.db"
    old = sqlite3.connect(path, isolation_level=None)
    old.executescript(MIGRATIONS[0])
    old.execute("PRAGMA user_version = 1")
    old.execute(f"PRAGMA application_id = {APPLICATION}")
    old.execute("UPDATE pulse SET heartbeat = 42000")
    old.close()
    with pytest.raises(HistoryError, match="older vcmon"):
        Store.open(path, write=False)
    store = Store.open(path)
    assert store.heartbeat() == 42.0
    store.put_route(route(0, healthy=True))
    assert store.healthy_route("e") is not None
    assert store.db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    store.close()


def test_the_writer_writes_them(tmp_path: Path) -> None:
    """What is handed over is in the file after the next tick, also beside a fact that can't be."""
    clock = FakeClock()
    inline = Inline(Rules(tmp_path / "m.db"), clock)
    inline.scribe.write(Backlog())
    backlog = Backlog()
    backlog.route(route(0, healthy=True))
    backlog.route(route(1))
    broken = replace(incident(), id=2**70)  # SQLite has no such number
    backlog.incident(broken)
    inline.scribe.write(backlog)
    reader = Store.open(tmp_path / "m.db", write=False)
    assert reader.failing_routes("e", 0, 1e11) == [Pair(route(0, healthy=True), route(1))]
    reader.close()
    inline.scribe.close()


def test_what_waits_is_bounded() -> None:
    """The oldest ways go first, and before any fact; a clock set back takes the later ones."""
    backlog = Backlog()
    for at in range(ROUTES_MAX + 3):
        backlog.route(route(at))
    assert (len(backlog.routes), backlog.dropped) == (ROUTES_MAX, 3)
    backlog.trim(EPOCH + 10)
    assert len(backlog.routes) == 8
    newer = Backlog(most=2)
    for _ in range(3):
        newer.route(route(0))
    newer.incident(incident())
    assert (len(newer.routes), len(newer.incidents)) == (1, 1)


@given(st.one_of(st.text(max_size=50), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["hops", "at", "address", "why", "healthy"]), inner),
    max_leaves=12,
).map(json.dumps)))  # fmt: skip
def test_a_row_that_is_not_ours_is_none(text: str) -> None:
    """Whatever stands in the file, reading a way gives one or None."""
    found = to_route("e", text)
    assert found is None or isinstance(found, Route)


def test_addresses_out_of_the_file_are_text_from_outside() -> None:
    """An address that steers a terminal, or is a book, is cut and cleaned."""
    told = json.loads(to_text(route(0)))
    told["hops"][0][1] = ["\x1b[31m" + "9" * 500]
    found = to_route("e", json.dumps(told))
    assert found is not None
    address = found.hops[0].address or ""
    assert len(address) <= ADDRESS_MAX
    assert "\x1b" not in address
