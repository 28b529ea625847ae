"""What people do to a sitting, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.meetings import START, first_of, marked, weekly
from tests.fakes.snapshots import NOW
from vcmon.history.deeds import Doer, NoSuchError
from vcmon.history.remarks import RefusedError
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting, Origin, Presence
from vcmon.readiness import agenda, calling

SITTING = first_of(weekly())
BUDI = Doer("budi", "operator")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    it = Store.open(tmp_path / "m.db")
    yield it
    it.close()


def actions(store: Store) -> list[tuple[str, str, str]]:
    return [(each.who, each.action, each.target) for each in store.trail(0, 1e11)]


def test_a_mark_is_kept_with_its_audit_entry(store: Store) -> None:
    """On one line, with the sitting beside it, whatever becomes of the meeting."""
    said = marked(SITTING, "aceh", Presence.PRESENT, at=NOW, officer=" Ibu\nSari ", note="ok\x1b")
    kept = calling.mark(store, SITTING, said, BUDI)
    assert (kept.officer, kept.note) == ("Ibu Sari", "ok")
    assert store.attendance(SITTING.id) == [kept]
    assert store.kept_sitting(SITTING.id) == SITTING
    assert actions(store) == [("budi", "mark hadir", f"sitting:{SITTING.id}/aceh")]


@pytest.mark.parametrize(
    ("slug", "more", "why"),
    [
        ("pusat", {}, "not on the roster"),
        ("aceh", {"at": START - calling.EARLY - 0.001}, "is marked from a day before"),
        ("aceh", {"at": SITTING.stop + calling.LATE + 0.001}, "is marked from a day before"),
        ("aceh", {"officer": "x" * 81}, "officer: expected at most 80"),
        ("aceh", {"note": "x" * 301}, "note: expected at most 300"),
        ("aceh", {"author": "vcmon"}, "give your own name"),
    ],
)
def test_marks_that_are_refused(store: Store, slug: str, more: dict[str, object], why: str) -> None:
    """With the reason; nothing is written, not in the trail either."""
    said = marked(SITTING, slug, Presence.PRESENT, **({"at": NOW} | more))
    with pytest.raises(RefusedError, match=why):
        calling.mark(store, SITTING, said, BUDI)
    assert store.attendance(SITTING.id) == []
    assert actions(store) == []


@pytest.mark.parametrize("at", [START - calling.EARLY, SITTING.stop + calling.LATE])
def test_marks_at_the_edges_are_kept(store: Store, at: float) -> None:
    """A day before the start, and a day after the end."""
    calling.mark(store, SITTING, marked(SITTING, "aceh", Presence.LEFT, at=at), BUDI)
    assert len(store.attendance(SITTING.id)) == 1


def test_marks_have_an_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in a loop is stopped."""
    monkeypatch.setattr(calling, "MARKS_MAX", 2)
    for _ in range(2):
        calling.mark(store, SITTING, marked(SITTING, "aceh", Presence.LEFT, at=NOW), BUDI)
    with pytest.raises(RefusedError, match="already has 2 marks"):
        calling.mark(store, SITTING, marked(SITTING, "aceh", Presence.LEFT, at=NOW), BUDI)


def starts(meeting: Meeting) -> list[float]:
    return [each.start for each in agenda.sittings([meeting], NOW, NOW + 20 * 86400)]


def test_one_sitting_is_called_off_and_the_others_stay(store: Store) -> None:
    """The next Monday takes place; the one of today does not, nor does it stay moved."""
    calling.move(store, SITTING, (START + 60, 60.0), BUDI, NOW)
    left = calling.cancel_sitting(store, SITTING, BUDI, NOW)
    assert starts(left) == [START + 7 * 86400, START + 14 * 86400]
    assert store.meeting("mingguan") == left
    assert left.moved == ()


def test_a_series_is_called_off_once(store: Store) -> None:
    """Nothing that begins later takes place; again it is refused."""
    left = calling.cancel(store, SITTING.meeting, BUDI, NOW)
    assert starts(left) == []
    with pytest.raises(RefusedError, match="called off already"):
        calling.cancel(store, left, BUDI, NOW)
    assert actions(store) == [("budi", "cancel", "meeting:mingguan")]


def test_a_sitting_moves_and_keeps_its_name(store: Store) -> None:
    """Moved twice it is where it was moved last."""
    calling.move(store, SITTING, (START + 3600, 1800.0), BUDI, NOW)
    moved = calling.move(store, SITTING, (START + 7200, 1800.0), BUDI, NOW)
    found = agenda.sitting([moved], SITTING.id)
    assert found is not None
    assert (found.start, found.stop) == (START + 7200, START + 9000)
    assert len(moved.moved) == 1


def test_two_who_change_at_once_lose_nothing(store: Store) -> None:
    """Each works on what is kept, not on what they saw."""
    second = agenda.sittings([SITTING.meeting], START + 86400, START + 8 * 86400)[0]
    calling.cancel_sitting(store, SITTING, BUDI, NOW)
    left = calling.cancel_sitting(store, second, BUDI, NOW)
    assert starts(left) == [START + 14 * 86400]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ((NOW - 1, 3600.0), "from now on"),
        ((NOW + calling.FAR + 1, 3600.0), "within a year"),
        ((NOW + 60, 59.0), "expected 1m to 1d"),
        ((NOW + 60, 86_401.0), "expected 1m to 1d"),
    ],
)
def test_moves_that_are_refused(store: Store, to: tuple[float, float], why: str) -> None:
    """With the reason; nothing is written."""
    with pytest.raises(RefusedError, match=why):
        calling.move(store, SITTING, to, BUDI, NOW)
    assert store.meetings() == []


def test_what_has_begun_is_neither_moved_nor_called_off(store: Store) -> None:
    """At its very start it has begun."""
    with pytest.raises(RefusedError, match="has begun"):
        calling.move(store, SITTING, (START + 60, 60.0), BUDI, START)
    with pytest.raises(RefusedError, match="has begun"):
        calling.cancel_sitting(store, SITTING, BUDI, START)


def test_a_meeting_is_planned_once(store: Store) -> None:
    """Under a name of its own, and for a time that comes."""
    new = weekly(id="baru", origin=Origin.PERSON)
    made = calling.plan(store, new, {"mingguan"}, BUDI, NOW)
    assert made.author == "budi"
    assert store.meetings() == [made]
    with pytest.raises(RefusedError, match="there is a meeting baru already"):
        calling.plan(store, new, {"baru"}, BUDI, NOW)
    with pytest.raises(RefusedError, match="never takes place"):
        calling.plan(store, weekly(NOW - 9000, id="lalu", rule=""), (), BUDI, NOW)
    assert [action for _, action, _ in actions(store)] == ["plan"]


def test_what_there_is_not_is_said() -> None:
    """A wrong id raises NoSuchError, which names it."""
    with pytest.raises(NoSuchError, match="no sitting"):
        calling.sitting_of([SITTING.meeting], "mingguan-20261124-1014")
