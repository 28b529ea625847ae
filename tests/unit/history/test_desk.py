"""The desk: incidents of one run go on in the next, under their number, with what people said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tests.fakes.clock import EPOCH, FakeClock
from tests.fakes.incident_book import down, up
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from vcmon.history.desk import Desk
from vcmon.history.facts import Facts
from vcmon.history.people import Said
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Inline
from vcmon.model.memory import Deed, Incident, Remark
from vcmon.model.status import Uplink

COUNTRY = inventory(endpoint("a", "icmp", province="aceh"), endpoint("b", "icmp", province="bali"))
A, ACEH = "endpoint:a", "province:aceh"


def never(_subject: str, _at: float) -> bool:
    return False


def desk(now: float = 0.0) -> Desk:
    made = Desk(never, now)
    made.load(COUNTRY, Facts.of(COUNTRY))
    return made


def one(incidents: Iterable[Incident]) -> Incident:
    (found,) = incidents
    return found


def run(path: Path, clock: FakeClock) -> tuple[Recorder, Desk, Inline]:
    """One run of the memory in virtual time, gone on from the file."""
    sink, mine = Inline(Rules(path, reserve=4096), clock), desk(clock.wall())
    recorder = Recorder(sink, clock, mine.decide)
    assert sink.recovered is not None
    mine.adopt(sink.said, sink.last_incident)
    recorder.adopt(sink.recovered, {A, ACEH})
    return recorder, mine, sink


def tick(recorder: Recorder, clock: FakeClock, seconds: float = 0.0) -> None:
    clock.forward(seconds)
    recorder.tick(Uplink(), lambda: iter(()))


def test_an_incident_outlives_a_restart(tmp_path: Path) -> None:
    """Killed in an outage, the next run closes the same incident, with its onset and remarks."""
    path, clock = tmp_path / "m.db", FakeClock()
    recorder, _, _ = run(path, clock)
    clock.forward(20)
    recorder.transition(down(A, 10))
    recorder.transition(down(ACEH, 10))
    tick(recorder, clock)
    with_people = Store.open(path)
    before = one(with_people.open_incidents())
    with_people.remark(before.id, Remark(before.start + 5, "Rina", Deed.ACK, "sudah ditelepon"))
    with_people.close()

    clock.forward(100)
    recorder, mine, _ = run(path, clock)
    again = one(mine.open())
    assert (again.id, again.start) == (before.id, before.start)
    clock.forward(10)
    for series in (A, ACEH):
        recorder.transition(up(series, 125))
    tick(recorder, clock)
    reader = Store.open(path, write=False)
    after = reader.incident(before.id)
    reader.close()
    assert after is not None
    assert (after.start, after.stop) == (before.start, EPOCH + 125)
    assert after.acknowledged is not None
    assert after.acknowledged.author == "Rina"
    assert mine.open() == ()


def test_numbers_never_meet() -> None:
    """What begins before the file is open has a number above all that the file can hold."""
    mine = desk(now=1_795_000_000.0)
    first = one(mine.decide([down(A, 10)]))
    assert first.id > 1_795_000_000
    old = Incident(7, "endpoint:z", 5.0, 5.0, None, first.reason)
    mine.adopt(Said((old,)), 7)
    assert {each.id for each in mine.open()} == {7, first.id}
    assert one(mine.decide([down("endpoint:b", 5000)])).id > first.id


def test_after_the_file_numbers_go_on() -> None:
    """With the file open the next incident has the next number."""
    mine = desk(now=1_795_000_000.0)
    mine.adopt(Said(), 41)
    assert one(mine.decide([down(A, 10)])).id == 42


def test_what_people_said_stays_with_the_incident() -> None:
    """A remark that came from outside is there when the incident changes next."""
    mine = desk()
    begun = one(mine.decide([down(A, 10)]))
    remark = Remark(begun.start + 1, "Budi", Deed.NOTE, "teknisi berangkat")
    mine.heard(Said((replace(begun, remarks=(remark,)),)))
    ended = one(mine.decide([up(A, 60)]))
    assert ended.remarks == (remark,)


def test_what_leaves_the_inventory_is_nobodys_outage() -> None:
    """After a reload without it, an endpoint's incident ends."""
    mine = desk()
    begun = one(mine.decide([down(A, 10)]))
    small = inventory(endpoint("b", "icmp", province="bali"))
    mine.load(small, Facts.of(small))
    ended = one(mine.retire(begun.start + 30))
    assert (ended.id, ended.stop) == (begun.id, begun.start + 30)


def test_a_clock_set_back_dates_nothing_into_the_future() -> None:
    """What began under a clock that was ahead begins now, and goes on."""
    mine = desk()
    begun = one(mine.decide([down(A, 3600)]))
    mine.set_back(EPOCH + 60)
    assert one(mine.open()).start == EPOCH + 60
    ended = one(mine.decide([up(A, 120)]))
    assert (ended.id, ended.start, ended.stop) == (begun.id, EPOCH + 60, EPOCH + 120)


def test_a_number_is_given_once_however_late_the_file_opens() -> None:
    """What was begun, ended and forgotten before the file was there keeps its number for itself."""
    mine = desk(now=1_790_000_000.0)
    first = one(mine.decide([down(A, 10)]))
    mine.decide([up(A, 20)])
    mine.decide([down("endpoint:b", 50_000)])
    mine.decide([up("endpoint:b", 50_020)])
    mine.decide([down(ACEH, 100_000)])  # the first two are long forgotten
    mine.adopt(Said(), 0)
    later = one(mine.decide([down("endpoint:b", 200_000)]))
    assert later.id >= first.id + 3
