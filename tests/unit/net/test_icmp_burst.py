"""How a burst is judged, without a socket."""

from __future__ import annotations

import time

import pytest

from vcmon.model.result import Blame, Reason
from vcmon.net.icmp_burst import clock_skew, network_fault, round_trip
from vcmon.net.icmp_socket import ExtendedError

MS = 1_000_000


@pytest.mark.parametrize(
    ("stamp", "skew", "expected"),
    [
        (50 * MS, 0, 50 * MS),  # no step
        (50 * MS, 300_000, 50 * MS),  # slewing is no step
        (3600_000 * MS + 50 * MS, 3600_000 * MS, 50 * MS),  # an hour forward before the reply
        (-3600_000 * MS + 50 * MS, -3600_000 * MS, 50 * MS),  # an hour back
        (50 * MS, 3600_000 * MS, 50 * MS),  # stepped after the reply had come
        (-200_000, -200_000, 0),  # never negative
    ],
)
def test_stepped_wall_clock(stamp: int, skew: int, expected: int) -> None:
    """A wall clock stepped while a packet was under way does not change its RTT."""
    mono = time.monotonic_ns() - 100 * MS
    wall = mono + 5 * MS  # the clocks' difference then is 5 ms
    assert round_trip(wall, mono, wall + stamp, 5 * MS + skew) == expected


@pytest.mark.parametrize("stamp", [86_400_000 * MS, -86_400_000 * MS, 150_000 * MS])
def test_a_clock_that_contradicts_the_kernel(stamp: int) -> None:
    """A stamp that our own clock calls impossible gives the time since the sending, no more."""
    mono = time.monotonic_ns() - 100 * MS
    assert 100 * MS <= round_trip(mono, mono, mono + stamp, 0) < 200 * MS


def test_skew_of_the_real_clocks() -> None:
    """The skew is what must be added to the monotonic clock to get the wall clock."""
    assert abs(time.monotonic_ns() + clock_skew() - time.time_ns()) < 50 * MS


@pytest.mark.parametrize(
    ("reason", "blame"),
    [(Reason.REFUSED, Blame.REMOTE), (Reason.HOST_UNREACHABLE, Blame.PATH)],
)
def test_blame_of_an_icmp_error(reason: Reason, blame: Blame) -> None:
    """The host itself refuses, everything else is the path; the text names who said so."""
    fault = network_fault(reason, ExtendedError(3, 3, "192.0.2.7"))
    assert (fault.reason, fault.blame) == (reason, blame)
    assert "192.0.2.7" in fault.text
    assert "type 3 code 3" in fault.text
