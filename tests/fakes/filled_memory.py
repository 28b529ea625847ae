"""A memory with incidents in it, and settings that name it: what commands and the API work on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.fakes.settings_files import rows, write
from vcmon.history.store import Store
from vcmon.model.memory import Incident, Member, Sample
from vcmon.model.result import Reason

HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e\n\"&'"
"""A name that steers a terminal, a page and a line of a log, if it is let."""

INVENTORY = rows(
    "a,aceh,,codec,192.0.2.1,icmp,,,Telkom,",
    "b,bali,,codec,192.0.2.2,icmp,,,,",
)


def settings_of(folder: Path, extra: str = "") -> Path:
    """Settings with two endpoints, and the memory beside them."""
    return write(folder, f"history: {{path: m.db}}\n{extra}", INVENTORY)


def incident(number: int, start: float, stop: float | None = None, slug: str = "aceh") -> Incident:
    """An incident of one codec and its province."""
    owner = f"endpoint:{slug[0]}"
    members = (Member(owner, start, stop), Member(f"province:{slug}", start, stop))
    return Incident(number, owner, start, start + 5, stop, Reason.TIMEOUT, members)


def fill(path: Path, now: float | None = None) -> None:
    """Three incidents: 1 is over, 2 goes on, 3 is over and 40 days old."""
    at = time.time() if now is None else now
    store = Store.open(path)
    for each in (
        incident(1, at - 7200, at - 3600, "bali"),
        incident(2, at - 600),
        replace(incident(3, at - 40 * 86400, at - 40 * 86400 + 60), reason=Reason.REFUSED),
    ):
        store.put_incident(each)
    store.close()


def fill_round_trips(
    path: Path, endpoint: str, now: float, rtt: Callable[[float], float], days: float = 8
) -> None:
    """Days of five minutes before ``now``, 150 packets each, by what a round trip took then."""
    store = Store.open(path)
    first = (now - days * 86400) // 300 * 300
    times = (first + 300 * number + 1 for number in range(int(now - first) // 300))
    with store.transaction():
        store.add_samples(
            Sample(f"endpoint:{endpoint}", at, 150, 0, round(rtt(at) * 150e6), 150) for at in times
        )
    store.close()
