"""The whole way: transitions into the file, the month's report and its freezing out of it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.memory import inline, no_packets, transition
from tests.fakes.settings_files import loaded, rows, write
from vcmon.history.freezing import freeze_due
from vcmon.history.store import Store
from vcmon.model.status import State, Uplink

INVENTORY = rows("a,aceh,,codec,192.0.2.1,icmp,,,,")
ACEH = "province:aceh"
OCTOBER = 1_790_787_600.0  # 2026-10-01 00.00 WIB
DAY = 86_400.0


def past(path: Path) -> None:
    """October 2026: up from its first second on, but for an hour on the tenth."""
    clock = FakeClock(offset=OCTOBER - 1000.0)
    recorder, _ = inline(path, clock)

    def now(state: State) -> None:
        recorder.transition(transition(ACEH, state, clock.wall()))
        recorder.tick(Uplink(), no_packets)

    def until(second: float) -> None:
        while clock.wall() < OCTOBER + second:
            clock.forward(60.0)
            recorder.tick(Uplink(), no_packets)

    now(State.UP)
    until(10 * DAY)
    now(State.DOWN)
    until(10 * DAY + 3600)
    now(State.UP)
    until(36 * DAY)


def test_a_month_is_told_and_frozen_from_the_file(tmp_path: Path) -> None:
    """One hour of 744 was lost: 99.86 %; frozen once, the next night finds nothing to do."""
    path = tmp_path / "vcmon.db"
    past(path)
    settings = loaded(tmp_path, "", INVENTORY)
    after = OCTOBER + 36 * DAY
    assert freeze_due(path, settings, after) == ("2026-10",)
    assert freeze_due(path, settings, after + DAY) == ()
    with closing(Store.open(path, write=False)) as store:
        pages = store.frozen("2026-10")
    assert pages is not None
    assert ACEH in pages
    config = write(tmp_path, "", INVENTORY)
    done = subprocess.run(
        [sys.executable, "-m", "vcmon", "report", "--month", "2026-10", "--format", "json",
         "-c", str(config)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    (line,) = [each for each in told["provinces"] if each["series"] == ACEH]
    assert line["milliseconds"]["down"] == 3600 * 1000
    assert line["available_ms"] == (31 * DAY - 3600) * 1000
    assert line["availability_percent"] == 99.86
    assert told["frozen_at"] is not None
