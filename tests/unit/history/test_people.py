"""What people speak of: incidents, remarks, maintenance, frozen months, the trail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.clock import EPOCH
from vcmon.history.store import Store
from vcmon.model.memory import (
    Amendment,
    Cause,
    Counted,
    Deed,
    Entry,
    Incident,
    Maintenance,
    Member,
    Remark,
)
from vcmon.model.result import Reason

ACK = Remark(EPOCH + 60, "Budi", Deed.ACK, "ditangani", "TLK-1")
INCIDENT = Incident(
    7, "endpoint:hub", EPOCH, EPOCH + 4, None, Reason.TIMEOUT,
    (Member("endpoint:hub", EPOCH, None), Member("province:aceh", EPOCH + 1, EPOCH + 50)), 1,
)  # fmt: skip
WINDOW = Maintenance(0, "province:bali", "Serat", EPOCH, 7200.0, "Asia/Makassar",
                     "FREQ=WEEKLY;BYDAY=SU", "Sari")  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "m.db")
    yield opened
    opened.close()


def test_an_incident_is_as_it_was_put_last(store: Store) -> None:
    """Putting it again replaces it with its members; its remarks are only ever added to."""
    store.put_incident(INCIDENT)
    store.remark(7, ACK)
    assert store.incident(7) == replace(INCIDENT, remarks=(ACK,))
    assert store.open_incidents() == [replace(INCIDENT, remarks=(ACK,))]
    own = Remark(EPOCH + 70, "vcmon", Deed.CAUSE, cause=Cause.PLANNED)
    ended = replace(
        INCIDENT, stop=EPOCH + 90, members=INCIDENT.members[:1], remarks=(own,), merged_into=3
    )
    store.put_incident(ended)
    store.put_incident(ended)
    assert store.incident(7) == replace(ended, remarks=(ACK, own))
    assert store.open_incidents() == []
    assert store.incident(8) is None
    assert store.last_incident() == 7


def test_incidents_are_found_by_time(store: Store) -> None:
    """Those that overlap ``[start, stop)``, newest first."""
    for number, (start, stop) in enumerate([(0, 10), (20, 30), (25, None)], 1):
        end = None if stop is None else EPOCH + stop
        store.put_incident(replace(INCIDENT, id=number, start=EPOCH + start, stop=end, members=()))
    found = [i.id for i in store.incidents(EPOCH + 9, EPOCH + 25)]
    assert found == [2, 1]
    assert [i.id for i in store.incidents(EPOCH + 10, EPOCH + 99)] == [3, 2]
    assert [i.id for i in store.incidents(EPOCH + 99, EPOCH + 100)] == [3]


def test_a_window_is_planned_and_called_off(store: Store) -> None:
    """It gets a number; the earliest end that was said holds; the window itself never changes."""
    number = store.plan(WINDOW)
    assert store.maintenance() == [replace(WINDOW, id=number)]
    store.end_maintenance(number, EPOCH + 900, "Budi")
    store.end_maintenance(number, EPOCH + 800, "Sari")
    second = store.plan(replace(WINDOW, id=40, ended_at=EPOCH + 5))
    assert second == 40
    assert [each.ended_at for each in store.maintenance()] == [EPOCH + 800, EPOCH + 5]


def test_a_month_is_frozen_once(store: Store) -> None:
    """A frozen month is never written again, nor deleted, not even with other pages."""
    assert store.frozen("2026-10") is None
    store.freeze("2026-10", {"province:aceh": "{}", "province:bali": '{"a": 1}'}, EPOCH)
    with pytest.raises(sqlite3.IntegrityError):
        store.freeze("2026-10", {"province:riau": "{}"}, EPOCH)
    assert store.frozen("2026-10") == {"province:aceh": "{}", "province:bali": '{"a": 1}'}
    for statement in ("DELETE FROM frozen", "UPDATE frozen SET page = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="what was written stays"):
            store.db.execute(statement)


def test_amendments_are_appended(store: Store) -> None:
    """They come back whole, in the order in which they were signed."""
    one = Amendment("2026-10", "province:aceh", EPOCH, "Budi", "PLN padam", 900_000,
                    Counted.DOWN, Counted.EXCLUDED, -1, "ab")  # fmt: skip
    two = replace(one, at=EPOCH - 5, milliseconds=1, signature="cd")
    store.amend(one)
    store.amend(two)
    assert store.amendments("2026-10") == [one, two]
    assert store.amendments("2026-09") == []


def test_the_trail_is_appended(store: Store) -> None:
    """Who did what is kept in order."""
    store.audit(EPOCH, "Budi", "operator", "incident.ack", "7")
    store.audit(EPOCH + 1, "Sari", "operator", "maintenance.end", "2")
    assert store.trail(EPOCH, EPOCH + 1) == [Entry(EPOCH, "Budi", "operator", "incident.ack", "7")]
    assert len(store.trail(0, 1e11)) == 2


@pytest.mark.parametrize(
    "statement",
    ["UPDATE remark SET text = ''", "UPDATE maintenance SET title = ''", "DELETE FROM amendment",
     "UPDATE maintenance_end SET ends = 0", "UPDATE audit SET who = ''",
     "UPDATE amendment SET reason = ''"],
)  # fmt: skip
def test_what_was_said_stays(store: Store, statement: str) -> None:
    """The file itself refuses to change what people said."""
    store.remark(7, ACK)
    store.end_maintenance(store.plan(WINDOW), EPOCH, "Budi")
    store.audit(EPOCH, "Budi", "operator", "a", "b")
    store.amend(Amendment("2026-10", "s", 0, "a", "b", 1, Counted.DOWN, Counted.UP))
    with pytest.raises(sqlite3.IntegrityError, match="what was written stays"):
        store.db.execute(statement)


def test_what_others_write_is_noticed(store: Store) -> None:
    """The version moves when another connection writes, and only then."""
    before = store.data_version()
    store.put_incident(INCIDENT)
    assert store.data_version() == before
    other = Store.open(store.path)
    other.remark(7, ACK)
    other.close()
    assert store.data_version() != before
    assert store.said(0.0).incidents[0].acknowledged == ACK
