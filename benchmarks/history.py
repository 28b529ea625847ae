"""Five years of 38 provinces in one file: how large it is, and how fast it tells."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.common import Table
from tests.lab.rig import slugs
from vcmon.history import upkeep
from vcmon.history.availability import Terms, availability
from vcmon.history.base import ms
from vcmon.history.rollup import DAYS
from vcmon.history.schema import CODES
from vcmon.history.spans import milliseconds
from vcmon.history.store import Store
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State

NOW = 1_795_500_000.0
DAY = 86_400.0
YEARS = 5
REPEATS = 15

SAMPLES = {"five_minutes": 1, "hour": 12, "day": 288}
"""So many times the packets of five minutes: 30 bursts of 5."""


def history(table: Table, quick: bool) -> None:
    """Two changes a day of each of 114 series: 38 provinces, and a router and codec in each."""
    days = 120 if quick else YEARS * 366
    table.title(f"the memory: {days} days of 38 provinces and 76 endpoints, 2 changes a day each")
    with tempfile.TemporaryDirectory(prefix="vcm-") as directory:
        path = Path(directory) / "vcmon.db"
        store = Store.open(path)
        begun = time.perf_counter()
        fill(store, days)
        table.line("made in", f"{time.perf_counter() - begun:.1f} s")
        upkeep.empty_log(store)
        told(table, store, path)
        store.close()


def told(table: Table, store: Store, path: Path) -> None:
    """Every figure of one file."""
    table.limit("history.size", path.stat().st_size / 1e6, 100.0, "MB")
    provinces = [f"province:{slug}" for slug in slugs()]
    table.limit("history.now", took(store.open_intervals), 10.0, "ms")
    bars = took(lambda: [store.totals(s, DAYS, NOW - 90 * DAY, NOW) for s in provinces])
    table.limit("history.bars", bars, 10.0, "ms")
    start = NOW - 60 * DAY
    month = took(lambda: [store.intervals(s, start, start + 31 * DAY) for s in provinces])
    table.line("a month's intervals of 38 provinces", f"{month:.2f} ms")
    terms = month_terms(start)
    one = took(lambda: availability(store.intervals(provinces[0], *span(terms)), terms))
    table.line("one province's availability in a month", f"{one:.2f} ms")
    every = took(lambda: [availability(store.intervals(s, *span(terms)), terms) for s in provinces])
    table.limit("history.month", every, 10.0, "ms")
    table.line("one tick's transaction", f"{took(lambda: tick(store)):.3f} ms")
    begun = time.perf_counter()
    upkeep.prune(store, NOW + DAY, upkeep.Keep())
    table.line("a night's pruning", f"{time.perf_counter() - begun:.2f} s")
    begun = time.perf_counter()
    upkeep.back_up(store, path.with_name("copy.db"))
    table.line("a backup", f"{time.perf_counter() - begun:.2f} s")
    begun = time.perf_counter()
    found = [*upkeep.faults(store), *upkeep.overlaps(store)]
    found += upkeep.disagreements(store, NOW, upkeep.Keep(), lambda *_: None)
    table.line(f"a check ({len(found)} faults)", f"{time.perf_counter() - begun:.2f} s")


def month_terms(start: float) -> Terms:
    """31 days of whole time from ``start`` on, with everything counted."""
    first = milliseconds(start)
    last = milliseconds(start + 31 * DAY)
    return Terms(first, last, ((first, last),))


def span(terms: Terms) -> tuple[float, float]:
    return terms.start / 1000, terms.stop / 1000


def took(work: Callable[[], object]) -> float:
    """Milliseconds, the median of some runs."""
    spent = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1000)
    return median(spent)


def tick(store: Store) -> None:
    with store.transaction():
        store.beat(NOW)


def fill(store: Store, days: int) -> None:
    """Intervals, the roll-ups made from them, and packets."""
    names = [f"province:{slug}" for slug in slugs()]
    names += [f"endpoint:{slug}-{what}" for slug in slugs() for what in ("router", "codec")]
    with store.transaction():
        causes = {
            State.UP: store.cause_of((Reason.OK, Blame.NONE, "")),
            State.DOWN: store.cause_of((Reason.TIMEOUT, Blame.PATH, "")),
            State.DEGRADED: store.cause_of((Reason.LOSS, Blame.PATH, "")),
        }
        for name in names:
            number = store.number_of(name)
            store.db.executemany(
                "INSERT INTO interval VALUES (?, ?, ?, ?, ?, ?)",
                ((number, *each) for each in life(Random(name), days, causes)),
            )
        store.beat(NOW)
        store.db.execute("UPDATE pulse SET rolled = heartbeat")
    upkeep.rebuild(store, NOW, upkeep.Keep(), lambda *_: None)
    with store.transaction():
        for name, times in SAMPLES.items():
            store.db.execute(
                f"""UPDATE {name} SET sent = 150 * {times}, lost = slot % 3,
                rtt_sum = (6450000 + slot % 1000) * {times}, rtt_n = 150 * {times} - slot % 3,
                rtt_max = 61000 + slot % 5000, jitter_n = 120 * {times} - slot % 3,
                jitter_sum = (120000 + slot % 1000) * {times}
                WHERE series IN (SELECT id FROM series WHERE name LIKE 'endpoint:%')"""
            )


def life(rng: Random, days: int, causes: dict[State, int]) -> Iterator[tuple[int | None, ...]]:
    """(start, stop, state, cause, known_at) of one series: up, and once a day not so."""
    at = ms(NOW - days * DAY)
    for day in range(days):
        begins = ms(NOW - (days - day) * DAY + rng.uniform(0, 0.5) * DAY) + 1
        ends = begins + round(rng.lognormvariate(5.5, 1.3) * 1000) % 40_000_000 + 1000
        state = rng.choice((State.DOWN, State.DEGRADED))
        yield at, begins, CODES[State.UP], causes[State.UP], at + 10_000
        yield begins, ends, CODES[state], causes[state], begins + 12_000
        at = ends
    yield at, None, CODES[State.UP], causes[State.UP], at + 10_000
