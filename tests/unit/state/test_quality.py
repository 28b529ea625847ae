"""When a link is degraded: by its class, by its own normal, in either direction."""

from __future__ import annotations

from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.config.settings import QUALITY_CLASSES, QualityClass
from vcmon.model.baseline import Baseline
from vcmon.model.result import Direction, Echo, Reason, Streams
from vcmon.state.directions import LONG, SPAN
from vcmon.state.normal import ceiling
from vcmon.state.quality import (
    RECENT,
    UNUSUAL_FROM,
    UNUSUAL_UNTIL,
    WINDOW,
    Fault,
    QualityWindow,
)

FIBRE = QUALITY_CLASSES["fibre"]
NORMAL = Baseline(usual=0.062, high=0.070)
TOP = ceiling(NORMAL)
FAR = 0.162


def burst(rtt: float) -> Echo:
    return Echo(5, 5, rtts=(rtt,) * 5)


def window(*rtts: float, normal: Baseline | None = NORMAL) -> QualityWindow:
    """A window with a burst for each of these round-trip times."""
    made = QualityWindow()
    made.set_normal(normal)
    for rtt in rtts:
        made.add(burst(rtt))
    return made


def test_what_is_far_off() -> None:
    """Above the busy hours by 30 ms, a fifth of the usual time, or what busy hours vary."""
    assert ceiling(None) == inf
    assert ceiling(Baseline(0.005, 0.005)) == pytest.approx(0.035)  # 12 ms are no fault
    assert ceiling(Baseline(0.600, 0.620)) == pytest.approx(0.740)
    assert ceiling(Baseline(0.062, 0.102)) == pytest.approx(0.182)
    assert ceiling(Baseline(0.062, 0.070, 0.020)) == pytest.approx(0.150)


def test_an_unusual_rtt_degrades_when_half_of_five_minutes_are() -> None:
    """The 16th burst of 30 above what is normal makes the fault, told with both times."""
    made = window(*[0.062] * 14, *[FAR] * (UNUSUAL_FROM - 1))
    assert not made.is_suspect(FIBRE)
    made.add(burst(FAR))
    assert made.is_suspect(FIBRE)
    assert made.fault(FIBRE, 0) == Fault(Reason.RTT, FAR, 0.062)


def test_the_edge_itself_is_normal() -> None:
    """At the ceiling nothing is far off, an ulp above it all is."""
    assert window(*[TOP] * WINDOW).fault(FIBRE, 0) is None
    assert window(*[nextafter(TOP, 1)] * WINDOW).fault(FIBRE, 0) is not None


def test_an_unusual_rtt_ends_when_most_bursts_are_normal() -> None:
    """It stays, told by a time that is far off, until fewer than 7 bursts of 30 are above."""
    made = window(*[FAR] * WINDOW)
    assert made.fault(FIBRE, 0) == Fault(Reason.RTT, FAR, 0.062)
    for _ in range(WINDOW - UNUSUAL_UNTIL):
        made.add(burst(0.062))
        told = made.fault(FIBRE, 0)
        assert told is not None
        assert told.rtt > TOP
    made.add(burst(0.062))
    assert made.fault(FIBRE, 0) is None


def test_a_spike_is_no_fault() -> None:
    """A minute at ten times the usual time degrades nothing that is below its class."""
    made = window(*[0.062] * 24)
    for _ in range(RECENT):
        made.add(burst(0.299))
        assert made.fault(FIBRE, 0) is None


def test_without_a_normal_only_the_class_counts() -> None:
    """Nothing is far off while too little is known, or what was known is taken away."""
    assert window(*[FAR] * WINDOW, normal=None).fault(FIBRE, 0) is None
    made = window(*[FAR] * WINDOW)
    assert made.fault(FIBRE, 0) is not None
    made.set_normal(None)
    assert made.fault(FIBRE, 0) is None


def test_a_new_normal_judges_what_was_measured() -> None:
    """When the baseline has come to know the new way, the link is well at once."""
    made = window(*[FAR] * WINDOW)
    assert made.fault(FIBRE, 0) is not None
    made.set_normal(Baseline(FAR, FAR))
    assert made.fault(FIBRE, 0) is None
    made.set_normal(NORMAL)
    assert made.above == WINDOW


def test_above_its_class_it_is_told_with_what_is_usual() -> None:
    """310 ms on fibre are over the limit after a minute; that 62 are usual says more."""
    made = window(*[0.062] * 24, *[0.310] * 4)
    assert made.fault(FIBRE, 0) == Fault(Reason.RTT, 0.310, 0.062)
    far = window(*[0.310] * RECENT, normal=Baseline(0.308, 0.312))
    assert far.fault(FIBRE, 0) == Fault(Reason.RTT)


def test_a_told_time_follows_in_steps() -> None:
    """The same fault is the same object, until its time has moved by a tenth."""
    made = window(*[0.200] * WINDOW)
    told = made.fault(FIBRE, 0)
    for rtt in (0.205, 0.219, 0.185):
        for _ in range(RECENT):
            made.add(burst(rtt))
        assert made.fault(FIBRE, 0) is told
    for _ in range(RECENT):
        made.add(burst(0.240))
    assert made.fault(FIBRE, 0) == Fault(Reason.RTT, 0.240, 0.062)


@given(
    st.lists(st.one_of(st.none(), st.sampled_from((0.06, TOP, 0.101, 0.2))), max_size=120),
    st.integers(0, 120),
)
def test_the_cheap_test_misses_nothing(rtts: list[float | None], learnt: int) -> None:
    """Asked only when it is suspect or faulty, a window says the same as if always asked."""
    lenient = QualityClass(loss=1, jitter=59, rtt=59)
    asked, always = window(normal=None), window(normal=None)
    known: Fault | None = None
    for number, rtt in enumerate(rtts):
        for one in (asked, always):
            if number == learnt:
                one.set_normal(NORMAL)
            one.add(Echo(1, 0) if rtt is None else burst(rtt))
        if known is not None or asked.is_suspect(lenient):
            known = asked.fault(lenient, 0)
        assert always.fault(lenient, 0) == known
        assert asked.above == sum(b.rtt is not None and b.rtt > asked.ceiling for b in asked.bursts)


# ---- each direction by itself


def heard(
    forward: Direction | None, backward: Direction | None = None, *, runs: int = 1
) -> QualityWindow:
    """A window that heard so many such streams, ten seconds apart, the last at second 0."""
    made = QualityWindow()
    for run in range(runs):
        made.add_streams(Streams(forward, backward), 10.0 * (run + 1 - runs), 32)
    return made


def test_loss_in_the_worse_direction_counts() -> None:
    """Above 1 % of either direction is loss, whichever it is; at 1 % it is not."""
    clean, lossy = Direction(100, 100), Direction(100, 98)
    assert heard(clean, clean, runs=3).fault(FIBRE, 0) is None
    assert heard(lossy, clean, runs=3).fault(FIBRE, 0) == Fault(Reason.LOSS)
    assert heard(clean, lossy, runs=3).fault(FIBRE, 0) == Fault(Reason.LOSS)
    assert heard(Direction(300, 297), clean).fault(FIBRE, 0) is None
    assert heard(Direction(299, 296), clean).fault(FIBRE, 0) == Fault(Reason.LOSS)


def test_two_lost_packets_are_no_loss() -> None:
    """Three must be lost in five minutes, as with echo requests."""
    assert heard(Direction(10, 8)).fault(FIBRE, 0) is None
    assert heard(Direction(10, 7)).fault(FIBRE, 0) == Fault(Reason.LOSS)


def test_jitter_of_a_direction_counts_after_a_minute_or_one_long_stream() -> None:
    """Six short streams, or one of 100 packets, with a median above the class's jitter."""
    late = Direction(10, 10, jitter=0.031)
    assert heard(late, runs=RECENT - 1).fault(FIBRE, 0) is None
    assert heard(late, runs=RECENT).fault(FIBRE, 0) == Fault(Reason.JITTER)
    assert heard(None, Direction(LONG, LONG, 0.031)).fault(FIBRE, 0) == Fault(Reason.JITTER)
    assert heard(None, Direction(LONG, LONG, 0.030)).fault(FIBRE, 0) is None


def test_old_streams_say_nothing() -> None:
    """What was lost more than five minutes ago is over, and a stream too old is no stream."""
    made = heard(Direction(10, 0))
    assert made.fault(FIBRE, 32) == Fault(Reason.LOSS)
    assert made.fault(FIBRE, 33) is None
    assert made.measure(33).forward is None
    made.add_streams(Streams(Direction(10, 10)), SPAN + 1, 32)
    assert made.measure(SPAN + 1).forward == Direction(10, 10)


def test_a_seldom_call_counts_alone() -> None:
    """Of calls a quarter of an hour apart the last one is judged, while it is fresh."""
    made = QualityWindow()
    made.add_streams(Streams(Direction(500, 400)), 0, 2700)
    made.add_streams(Streams(Direction(500, 500)), 900, 2700)
    assert made.fault(FIBRE, 900) is None


def test_more_received_than_sent_hides_no_loss() -> None:
    """Duplicates of one run don't make up for what another lost."""
    made = heard(Direction(10, 12))
    made.add_streams(Streams(Direction(10, 7)), 1, 32)
    assert made.fault(FIBRE, 1) == Fault(Reason.LOSS)


def test_mos_by_the_worse_direction() -> None:
    """Where both directions are known the worse one's loss and jitter make the MOS."""
    made = heard(Direction(300, 300, 0.001), Direction(300, 285, 0.002))
    for _ in range(RECENT):
        made.add(Echo(5, 5, rtts=(0.04, 0.041) * 2 + (0.04,)))
    both = made.measure(0).mos
    alone = made.measure(1e9).mos  # too old: the path is taken to be symmetric, and clean
    assert both is not None
    assert alone is not None
    assert both < 4.0 < alone


def test_no_mos_before_a_minute_was_measured() -> None:
    """Thirty packets make a MOS; 29, or bursts of a single packet without jitter, none."""
    five = Echo(5, 5, rtts=(0.04,) * 5)
    made = QualityWindow()
    assert made.measure(0).mos is None
    for _ in range(5):
        made.add(five)
    assert made.measure(0).mos is None
    made.add(five)
    assert made.measure(0).mos is not None
    single = QualityWindow()
    for _ in range(WINDOW):
        single.add(Echo(1, 1, rtts=(0.04,)))
    assert single.measure(0).mos is None
