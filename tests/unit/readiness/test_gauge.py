"""What the links of a meeting measured, minute by minute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.rolls import SLUG, status_of
from tests.fakes.snapshots import NOW, UP
from vcmon.model.result import Direction
from vcmon.model.status import EndpointStatus, Quality
from vcmon.readiness.gauge import ENDPOINTS, PERIOD, Figures, Gauge, figures_of

CODEC = f"{SLUG}-codec"


def reading(quality: Quality, name: str = CODEC) -> EndpointStatus:
    codec = status_of(UP).endpoints[1]
    return replace(codec, endpoint=replace(codec.endpoint, id=name), quality=quality)


def test_a_window_holds_its_readings_only() -> None:
    """Loss by its packets, RTT and jitter as medians, of the readings within the window."""
    gauge = Gauge()
    for minute, (loss, rtt) in enumerate([(0.5, 0.9), (0.0, 0.040), (0.02, 0.044), (0.01, 0.3)]):
        gauge.read([reading(Quality(loss, rtt, rtt / 10, sent=150))], NOW + 60.0 * minute)
    found = gauge.figures(180.0, NOW + 180.0)[CODEC]
    assert found.loss == pytest.approx(0.01)
    assert (found.rtt, found.lost) == (0.044, 3)
    assert gauge.figures(180.001, NOW + 180.0)[CODEC].lost == 75
    assert gauge.figures(60.0, NOW + 9000.0) == {}


@pytest.mark.parametrize(("later", "due"), [(0, False), (59.9, False), (60, True), (-0.1, True)])
def test_a_reading_a_minute(later: float, due: bool) -> None:
    """One is due after a period, and at once where the clock was set back."""
    gauge = Gauge()
    assert gauge.is_due(NOW)
    gauge.read([], NOW)
    assert gauge.is_due(NOW + later) is due


def test_a_clock_that_was_set_back_leaves_no_future() -> None:
    """Readings that were stamped later than now are taken out."""
    gauge = Gauge()
    gauge.read([reading(Quality(0.5, 1.0, 0.1, sent=100))], NOW + 3600)
    gauge.read([reading(Quality(0.0, 0.04, 0.001, sent=100))], NOW)
    assert gauge.figures(900, NOW)[CODEC] == Figures(0.0, 0.001, 0.04, 0)
    assert gauge.figures(9000, NOW + 3600)[CODEC].loss == 0.0


def test_it_forgets_what_is_not_read_any_more() -> None:
    """What left the meetings takes no memory, and there is a bound to what is read."""
    gauge = Gauge()
    gauge.read([reading(Quality(sent=1, loss=0.0))], NOW)
    many = [reading(Quality(sent=1, loss=0.0), str(n)) for n in range(ENDPOINTS + 1)]
    gauge.read(many, NOW + PERIOD)
    found = gauge.figures(900, NOW + PERIOD)
    assert CODEC not in found
    assert len(found) == ENDPOINTS


def test_the_worse_direction_counts() -> None:
    """Where a stream tells directions apart, loss is that of the worse one."""
    both = Quality(0.01, 0.04, 0.001, 100, None, Direction(200, 190), Direction(190, 189))
    assert figures_of(both) == Figures(0.05, 0.001, 0.04, 10)
    assert figures_of(Quality()) == Figures()
