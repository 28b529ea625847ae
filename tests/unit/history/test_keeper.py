"""The memory on the event loop: nothing blocks it, whatever the disk does."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

from tests.fakes.clock import EPOCH
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from tests.fakes.results import up
from vcmon.clock import SystemClock
from vcmon.config.settings import History
from vcmon.history.keeper import Keeper, rules
from vcmon.history.rollup import DAYS
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Writer
from vcmon.model.endpoint import CheckId
from vcmon.model.meeting import Meeting, Origin, Seat
from vcmon.model.memory import Interval
from vcmon.model.result import Echo, Reason
from vcmon.model.status import State
from vcmon.state.board import Board

COUNTRY = inventory(endpoint("a", "icmp", province="aceh"))


def tied(path: Path | str) -> tuple[Keeper, Board]:
    clock = SystemClock()
    keeper = Keeper.of(History(path=str(path)), clock)
    return keeper, Board(COUNTRY, clock, keeper.recorder.transition)


async def test_the_loop_never_waits_for_the_disk(tmp_path: Path) -> None:
    """While somebody holds the file every tick returns at once, and nothing is lost."""
    keeper, board = tied(tmp_path / "m.db")
    await asyncio.to_thread(keeper.start)
    keeper.tick(board)
    while not keeper.figures().written_at:
        await asyncio.sleep(0.01)
    other = await asyncio.to_thread(_hold, tmp_path / "m.db")
    slowest = 0.0
    result = up(
        SystemClock().monotonic(), check=CheckId("a", "icmp"), echo=Echo(5, 5, rtts=(0.02,) * 5)
    )
    board.record(result)
    for _ in range(50):
        begun = time.perf_counter()
        board.tick()
        keeper.tick(board)
        slowest = max(slowest, time.perf_counter() - begun)
        await asyncio.sleep(0.001)
    assert slowest < 0.05
    assert keeper.figures().waiting > 0
    await asyncio.to_thread(other.close)
    keeper.last_words(board)
    assert await asyncio.to_thread(keeper.stop)
    assert await asyncio.to_thread(_told, tmp_path / "m.db") == (State.UP, [5])


def _told(path: Path) -> tuple[State, list[int]]:
    store = Store.open(path)
    state = store.open_intervals()["province:aceh"].state
    sent = [row.sent for row in store.totals("endpoint:a", DAYS, 0, 1e11)]
    store.close()
    return state, sent


def _hold(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_without_a_path_there_is_no_memory(tmp_path: Path) -> None:
    """No thread, no file; everything else works as ever."""
    keeper, board = tied("")
    await asyncio.to_thread(keeper.start)
    keeper.tick(board)
    await keeper.tend()
    keeper.last_words(board)
    assert keeper.stop()
    assert not keeper.figures().wanted
    assert keeper.desk.open() == ()


def test_the_settings_say_how_it_is_kept(tmp_path: Path) -> None:
    """Path, retention and backup come from the settings."""
    made = rules(History(path=str(tmp_path / "m.db"), keep=1e7, keep_hours=1e6, keep_minutes=1e5))
    assert (made.keep.facts, made.keep.hours, made.keep.five_minutes) == (1e7, 1e6, 1e5)
    assert made.backup == tmp_path / "m.db.backup"
    assert rules(History(path="m.db", backup=False)).backup is None


def test_the_thread_ends_with_its_last_task(tmp_path: Path) -> None:
    """Tasks are done in their order, and the end comes after the last of them."""
    writer = Writer(Rules(tmp_path / "m.db", backup=tmp_path / "b.db", reserve=4096), SystemClock())
    writer.start()
    assert writer.opened(5.0)
    writer.beat(SystemClock().wall())
    writer.tend()
    assert writer.stop(5.0)
    assert (tmp_path / "b.db").exists()
    assert not (tmp_path / "m.db-wal").exists()


def test_a_start_that_failed_leaves_nothing(tmp_path: Path) -> None:
    """What was never started ends at once, and has made no file."""
    keeper, board = tied(tmp_path / "m.db")
    keeper.last_words(board)
    assert keeper.stop()
    assert list(tmp_path.iterdir()) == []


async def test_days_are_read_in_a_thread_and_stay_where_they_cannot_be(tmp_path: Path) -> None:
    """What the bars are made of comes from the file; a file in trouble takes nothing away."""
    path = tmp_path / "m.db"
    now = time.time()
    await asyncio.to_thread(_past, path, now)
    keeper, board = tied(path)
    keeper.reloaded(COUNTRY, board)
    await keeper.look_back()
    held = keeper.ninety
    assert list(held) == ["aceh"]
    assert held["aceh"].lost == 1
    await asyncio.to_thread(path.write_bytes, b"no database at all")
    await keeper.look_back()
    assert keeper.ninety is held


def _past(path: Path, now: float) -> None:
    store = Store.open(path)
    midnight = (now + 25_200) // 86_400 * 86_400 - 25_200  # in Jakarta: an outage of one day only
    for days, state in ((9, State.UP), (3, State.DOWN), (2.99, State.UP)):
        at = midnight - days * 86400
        store.put(Interval("province:aceh", at, None, state, Reason.OK, known_at=at))
    store.roll(now)
    store.close()


async def test_a_meeting_that_another_process_plans_is_known_with_the_next_ticks(
    tmp_path: Path,
) -> None:
    """Without asking the disk on the loop: beside the settings' own, and as changed there."""
    keeper, board = tied(tmp_path / "m.db")
    weekly = Meeting("mingguan", "Rapat", EPOCH, 3600.0, (Seat("aceh"),), rule="FREQ=WEEKLY")
    once = Meeting("sekali", "Rapat", 3e9, 3600.0, (Seat("aceh"),), origin=Origin.PERSON)
    keeper.reloaded(replace(COUNTRY, meetings=(weekly,)), board)
    await asyncio.to_thread(keeper.start)
    assert keeper.meetings() == (weekly,)
    moved = replace(weekly, title="old", cancelled_at=3e9)
    await asyncio.to_thread(_plan, tmp_path / "m.db", (once, moved))
    async with asyncio.timeout(10):
        while len(keeper.meetings()) < 2:
            keeper.tick(board)
            await asyncio.sleep(0.01)
    assert keeper.meetings() == (replace(weekly, cancelled_at=3e9), replace(once, author="Budi"))
    assert await asyncio.to_thread(keeper.stop)


def _plan(path: Path, meetings: tuple[Meeting, ...]) -> None:
    store = Store.open(path, make=False)
    with store.transaction():
        for each in meetings:
            store.put_meeting(each, "Budi", EPOCH)
    store.close()
