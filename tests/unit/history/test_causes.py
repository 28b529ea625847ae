"""Incidents counted by cause: every count only ever grows."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.clock import EPOCH
from tests.fakes.filled_memory import incident
from vcmon.history.causes import CauseCount
from vcmon.model.memory import VCMON, Cause, Deed, Incident, Remark

ONE = incident(1, EPOCH)
SUGGESTED = Remark(EPOCH, VCMON, Deed.NOTE, cause=Cause.PLANNED)


def judged(it: Incident, *causes: Cause) -> Incident:
    said = tuple(Remark(EPOCH + n, "Budi", Deed.CAUSE, cause=c) for n, c in enumerate(causes))
    return replace(it, remarks=(*it.remarks, *said))


def test_an_incident_is_counted_as_it_begins() -> None:
    """Once, as unknown, or as planned where it began under maintenance; a change counts nothing."""
    count = CauseCount()
    count.changed([ONE])
    count.changed([replace(ONE, stop=EPOCH + 9)])
    count.changed([replace(ONE, id=2, remarks=(SUGGESTED,))])
    assert count.counts == {Cause.UNKNOWN: 1, Cause.PLANNED: 1}


def test_a_judgement_counts_once_a_cause() -> None:
    """Said again it counts no more, and nothing that was counted is taken back."""
    count = CauseCount()
    count.changed([ONE])
    for causes in ((Cause.CABLE,), (Cause.CABLE, Cause.POWER), (Cause.CABLE, Cause.POWER)):
        count.heard([judged(ONE, *causes)])
    assert count.counts == {Cause.UNKNOWN: 1, Cause.CABLE: 1, Cause.POWER: 1}
    count.heard([judged(ONE, Cause.CABLE, Cause.POWER, Cause.CABLE, Cause.UNKNOWN)])
    assert count.counts == {Cause.UNKNOWN: 1, Cause.CABLE: 1, Cause.POWER: 1}


def test_what_an_earlier_run_counted_is_not_counted_again() -> None:
    """After a restart neither its beginning nor its causes count; a new judgement does."""
    count = CauseCount()
    count.adopt([judged(ONE, Cause.CABLE)])
    count.changed([judged(ONE, Cause.CABLE)])
    count.heard([judged(ONE, Cause.CABLE)])
    assert count.counts == {}
    count.heard([judged(ONE, Cause.CABLE, Cause.DEVICE)])
    assert count.counts == {Cause.DEVICE: 1}


def test_what_is_heard_of_no_more_is_forgotten() -> None:
    """The memory of what was counted stays as small as what people can still speak of."""
    count = CauseCount()
    for number in range(1, 1000):
        it = replace(ONE, id=number)
        count.changed([it])
        count.heard([it])
    count.changed([replace(ONE, id=1000)])  # not yet in the file
    count.heard([replace(ONE, id=999)])
    count.changed([replace(ONE, id=1000)])
    assert count.counts == {Cause.UNKNOWN: 1000}
    assert len(count._seen) == 2
