"""Whether this machine's clock is synchronised, and how wrong it may be, as the kernel says."""

from __future__ import annotations

import ctypes
from functools import cache

from vcmon.wire.stamp import ErrorEstimate, estimate_of

STA_UNSYNC = 0x40
TIME_ERROR = 5

_LONG = ctypes.c_long


class _Timex(ctypes.Structure):
    """The head of ``struct timex`` and room for the rest of its 208 bytes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", _LONG),
        ("frequency", _LONG),
        ("maximum_error", _LONG),  # microseconds
        ("estimated_error", _LONG),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_error() -> ErrorEstimate:
    """The kernel's own estimate for our timestamps; what it won't tell us is not synchronised.

    Asks only: it needs no right to set the clock.
    """
    timex = _Timex(modes=0)
    try:
        state = _libc().ntp_adjtime(ctypes.byref(timex))
    except (OSError, AttributeError):
        return ErrorEstimate()
    return judged(state, timex.status, timex.maximum_error)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # a millisecond: once


def judged(state: int, status: int, maximum_error: int) -> ErrorEstimate:
    """What ``ntp_adjtime`` returned, as STAMP says it; ``maximum_error`` in microseconds."""
    if state < 0:
        return ErrorEstimate()
    synchronised = state != TIME_ERROR and not status & STA_UNSYNC
    return estimate_of(max(0, maximum_error) / 1e6, synchronised=synchronised)
