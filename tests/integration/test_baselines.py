"""A link that is far off its own normal: days in a real memory, real pings, words on the page."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.figures import record
from tests.fakes.filled_memory import fill_round_trips
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from tests.fakes.netns import netns
from tests.fakes.process import free_port, running, write_settings
from tests.fakes.results import up
from tests.fakes.tunrouter import Behaviour, tun_router
from vcmon.config.settings import History
from vcmon.history.keeper import Keeper
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Echo, Reason
from vcmon.model.status import State
from vcmon.state.board import Board
from vcmon.state.quality import UNUSUAL_FROM, WINDOW

FAST = """
defaults: {interval: 400ms, timeout: 350ms, confirm: {down: 3, retry: 400ms, up: 1, up_gap: 0s}}
checks:
  icmp: {kind: icmp, packets: 3, spacing: 10ms}
quality: {radio: {baseline: false}}
"""
INTERVAL = 0.4
ROWS = [
    "aceh-router,aceh,router,10.77.1.1,icmp,,fibre",
    "bali-router,bali,router,10.77.1.2,icmp,,radio",
]
LONGER = Behaviour(delay=0.15)


def test_the_page_tells_what_is_usual(tmp_path: Path) -> None:
    """At 150 ms where 62 are usual a province is degraded, in words; with baseline: false up."""
    config = write_settings(tmp_path, ROWS, port=(port := free_port()), extra=FAST)
    inventory_csv = tmp_path / "inventory.csv"
    header, rows = inventory_csv.read_text().split("\n", 1)
    inventory_csv.write_text(f"{header},medium\n{rows}")
    for name in ("aceh-router", "bali-router"):
        fill_round_trips(tmp_path / "vcmon.db", name, time.time(), lambda _: 0.062)
    with netns() as space, tun_router(space, {"10.77.1.0/24": LONGER}):
        took, page, detail, metrics = space.call(_watched, config, port)
    bursts = took / INTERVAL
    record("baselines, run", f"degraded after {took:.1f} s, {bursts:.0f} intervals of 0.4 s",
           "<= 30 intervals", bursts <= 30)  # fmt: skip
    assert bursts <= 30
    assert re.search(r"RTT 15\d ms, biasanya 62 ms", page)
    assert "perkiraan MOS 4," in page
    (aceh,) = detail["endpoints"]
    assert (aceh["state"], aceh["reason"]) == ("degraded", "rtt")
    assert aceh["quality"]["usual_rtt_ms"] == 62.0
    assert 4.0 < aceh["quality"]["mos"] < 4.4
    told = re.search(
        r'^vcmon_mos_score\{province="aceh",.*check="icmp"\} (\S+)$', metrics, re.MULTILINE
    )
    assert told is not None
    assert 4.0 < float(told[1]) < 4.4
    assert 'vcmon_endpoint_state{province="bali",endpoint="bali-router",state="up"} 1' in metrics


def _watched(config: Path, port: int) -> tuple[float, str, dict[str, Any], str]:
    with running(config, port) as monitor:
        took = monitor.wait_for("aceh-router", "degraded", 20)
        time.sleep(1)  # bali has as many bursts by then, and a picture is painted each second
        told = [monitor.get(path)[1] for path in ("/", "/api/v1/provinces/aceh", "/metrics")]
        assert monitor.stop() == 0
    return took, told[0], json.loads(told[1]), told[2]


COUNTRY = inventory(endpoint("a", "icmp", province="aceh"))


async def test_a_restart_goes_on_from_the_memory(tmp_path: Path) -> None:
    """A board that has seen nothing is told by the file what is usual; the loop never waits."""
    clock = FakeClock()
    path = tmp_path / "m.db"
    await asyncio.to_thread(fill_round_trips, path, "a", clock.wall(), lambda _: 0.062)
    keeper = Keeper.of(History(path=str(path)), clock)
    board = Board(COUNTRY, clock, keeper.recorder.transition)
    await asyncio.to_thread(keeper.start)
    keeper.reloaded(COUNTRY, board)
    await keeper.learn(board)
    for _ in range(WINDOW):
        clock.forward(10)
        _burst(board, clock, 0.310)
        keeper.tick(board)
        if board.standings()["endpoint:a"].state is State.DEGRADED:
            break
    found = board.standings()["province:aceh"]
    assert (found.reason, found.rtt, found.usual) == (Reason.RTT, 0.310, 0.062)
    keeper.last_words(board)
    assert await asyncio.to_thread(keeper.stop)


async def test_an_unreadable_memory_changes_nothing(tmp_path: Path) -> None:
    """What was normal stays so where the file is gone, and without a memory nothing is."""
    clock, path = FakeClock(), tmp_path / "m.db"
    await asyncio.to_thread(fill_round_trips, path, "a", clock.wall(), lambda _: 0.062)
    keeper = Keeper.of(History(path=str(path)), clock)
    board = Board(COUNTRY, clock, keeper.recorder.transition)
    keeper.reloaded(COUNTRY, board)
    await keeper.learn(board)
    await asyncio.to_thread(path.rename, tmp_path / "elsewhere.db")
    await keeper.learn(board)
    for _ in range(UNUSUAL_FROM):
        clock.forward(10)
        _burst(board, clock, 0.2)
    assert board.standings()["endpoint:a"].usual == 0.062
    nothing = Keeper.of(History(path=""), clock)
    nothing.reloaded(COUNTRY, board)
    await nothing.learn(board)
    assert board.standings()["endpoint:a"].usual == 0.062


def _burst(board: Board, clock: FakeClock, rtt: float) -> None:
    echo = Echo(5, 5, rtts=(rtt,) * 5)
    board.record(up(clock.monotonic(), check=CheckId("a", "icmp"), echo=echo))
    board.tick()
