"""The incidents that ended lately, as the desk keeps them in memory."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.past import ended, going_on
from tests.fakes.snapshots import NOW
from vcmon.history.closed import KEPT_MAX, KEPT_SECONDS, Closed
from vcmon.model.memory import Cause, Deed, Remark


def test_latest_first_and_none_that_goes_on() -> None:
    """What ended, in the order of its end; what goes on or became part of another is left out."""
    closed = Closed()
    merged = replace(ended(3, "aceh"), merged_into=1)
    closed.changed([ended(2, "bali"), ended(1, "aceh"), going_on(9, "riau"), merged])
    assert [it.id for it in closed.lately(NOW)] == [1, 2]


def test_a_day_later_it_is_forgotten() -> None:
    """A second before the day is over it is told, then no more."""
    closed = Closed()
    it = ended(1, "aceh")
    assert it.stop is not None
    closed.changed([it])
    assert closed.lately(it.stop + KEPT_SECONDS - 1) == (it,)
    assert closed.lately(it.stop + KEPT_SECONDS) == ()
    assert closed.lately(NOW) == ()


def test_what_comes_back_is_closed_no_more() -> None:
    """Reopened, it stands among the open ones."""
    closed = Closed()
    closed.changed([ended(1, "aceh")])
    closed.changed([replace(ended(1, "aceh"), stop=None)])
    assert closed.lately(NOW) == ()


def test_what_people_say_of_it_is_heard() -> None:
    """A cause that was given after the end is told; of others nothing is taken in."""
    closed = Closed()
    closed.changed([ended(1, "aceh")])
    said = Remark(NOW, "Budi", Deed.CLOSE, cause=Cause.POWER)
    closed.heard([replace(ended(1, "aceh"), remarks=(said,)), ended(2, "bali")])
    (it,) = closed.lately(NOW)
    assert it.cause is Cause.POWER


def test_it_is_bounded() -> None:
    """The newest are kept."""
    closed = Closed()
    closed.changed(replace(ended(1, "aceh"), id=number) for number in range(KEPT_MAX + 5))
    assert {it.id for it in closed.lately(NOW)} == set(range(5, KEPT_MAX + 5))


def test_clock_set_back() -> None:
    """Nothing ended later than now."""
    closed = Closed()
    closed.changed([ended(1, "aceh")])
    closed.set_back(NOW - 7200)
    assert [it.stop for it in closed.lately(NOW)] == [NOW - 7200]
