"""What a province's page reads of the memory."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.province_past import CODEC, FALL, OUTAGE, SILENCE, SLUG, fill, settings_of
from tests.fakes.snapshots import NOW, mixed
from vcmon.history.glance import Glance, read_curves, read_glance, together
from vcmon.history.rollup import RollUp
from vcmon.history.store import Store
from vcmon.model.memory import Interval
from vcmon.model.result import Reason
from vcmon.model.status import State


@pytest.fixture
def glance(tmp_path: Path) -> Glance:
    fill(tmp_path / "m.db")
    store = Store.open(tmp_path / "m.db", write=False)
    found = read_glance(store, settings_of(mixed()), SLUG, CODEC, NOW)
    store.close()
    return found


def test_curves_have_no_holes(glance: Glance) -> None:
    """12 and 288 slots of five minutes, 90 days; each begins where the one before it ends."""
    curves = glance.curves
    assert curves is not None
    for curve, count in ((curves.hour, 12), (curves.day, 288), (curves.quarter, 90)):
        starts = [slot.start for slot in curve.slots]
        assert len(starts) == count
        assert {b - a for a, b in pairwise(starts)} == {curve.step}
        assert starts[-1] <= NOW < starts[-1] + curve.step
    assert curves.hour.slots == curves.day.slots[-12:]


def test_states_are_those_of_the_intervals(glance: Glance) -> None:
    """Up to this moment, to the second: the outages, and the hour that nobody saw."""
    curves = glance.curves
    assert curves is not None
    day = together(curves.day.slots)
    assert day.down == pytest.approx(OUTAGE[1] - OUTAGE[0] + NOW - FALL)
    assert day.unknown == pytest.approx(SILENCE[1] - SILENCE[0])
    assert together(curves.hour.slots).down == pytest.approx(NOW - FALL)


def test_packets_are_those_of_the_tables(glance: Glance) -> None:
    """A day's five minutes and the day table tell of the same packets."""
    curves = glance.curves
    assert curves is not None
    assert together(curves.quarter.slots[-2:]).sent == sum(s.sent for s in curves.day.slots)
    assert together(curves.quarter.slots).rtt_max == 210_000


def test_the_days_are_the_provinces_up_to_now(glance: Glance) -> None:
    """90 of them; today to the second, though the roll-up of it is some minutes behind."""
    days = glance.days
    assert (len(days.slots), days.step, days.until) == (90, 86_400.0, NOW)
    today = days.slots[-1]
    assert today.down == pytest.approx(OUTAGE[1] - OUTAGE[0] + NOW - FALL)
    assert today.unknown == pytest.approx(SILENCE[1] - SILENCE[0])
    assert today.up + today.down + today.unknown == pytest.approx(NOW - today.start)


def test_the_rest_is_the_provinces(glance: Glance) -> None:
    """Availability without what nobody saw, incidents newest first, the newest failing way."""
    figure = glance.figure
    assert figure.bad == round(1000 * (OUTAGE[1] - OUTAGE[0] + NOW - FALL))
    assert figure.count == 2
    assert figure.coverage is not None
    assert figure.coverage < 1
    assert [each.id for each in glance.incidents] == [12, 7]
    assert not glance.more
    assert [pair.now.endpoint for pair in glance.pairs] == [CODEC]
    assert glance.healthy is not None


def test_a_province_without_a_past_has_an_empty_one(tmp_path: Path) -> None:
    """Nothing measured, nothing down, no incident: zeros, not an error."""
    store = Store.open(tmp_path / "m.db")
    found = read_glance(store, settings_of(mixed()), "aceh", "aceh-codec", NOW)
    assert found.figure.ratio is None
    assert (found.incidents, found.pairs, found.healthy) == ((), (), None)
    assert found.curves is not None
    assert not any(any(slot[1:]) for slot in found.curves.day.slots)
    assert read_glance(store, settings_of(mixed()), "aceh", "", NOW).curves is None
    store.close()


def test_what_goes_on_goes_on_until_now(tmp_path: Path) -> None:
    """An interval from before the day, still open, fills every slot and the begun one in part."""
    store = Store.open(tmp_path / "m.db")
    store.put(Interval("endpoint:a", NOW - 200_000, None, State.DOWN, Reason.TIMEOUT))
    slots = read_curves(store, "endpoint:a", NOW).day.slots
    assert {slot.down for slot in slots[:-1]} == {300.0}
    assert slots[-1].down == pytest.approx(NOW % 300)
    store.close()


def test_slots_are_added_up() -> None:
    """Sums of all but the start, which is the first's, and the peak, which is the highest."""
    one = RollUp(300.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    assert together([one, one._replace(start=600.0, rtt_max=3)]) == RollUp(
        300.0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 10, 22, 24
    )
