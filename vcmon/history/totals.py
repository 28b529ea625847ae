"""The part of the store that can be made anew: time in each state, packets, round-trip times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple

from vcmon.history.base import ms, seconds
from vcmon.history.intervals import Intervals
from vcmon.history.rollup import FIVE_MINUTES, GRAINS, NOTHING, Grain, RollUp, times
from vcmon.model.memory import Sample

_PUT = """
INSERT INTO {name} (series, slot, up, degraded, down, unreachable, unknown)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
up = excluded.up, degraded = excluded.degraded, down = excluded.down,
unreachable = excluded.unreachable, unknown = excluded.unknown
"""
_ADD = """
INSERT INTO {name} (series, slot, sent, lost, rtt_sum, rtt_n, rtt_max, jitter_sum, jitter_n)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
sent = sent + excluded.sent, lost = lost + excluded.lost, rtt_sum = rtt_sum + excluded.rtt_sum,
rtt_n = rtt_n + excluded.rtt_n, rtt_max = max(rtt_max, excluded.rtt_max),
jitter_sum = jitter_sum + excluded.jitter_sum, jitter_n = jitter_n + excluded.jitter_n
"""
PUT = {grain: _PUT.format(name=grain.name) for grain in GRAINS}
ADD = {grain: _ADD.format(name=grain.name) for grain in GRAINS}


class Totals(Intervals):
    """Reads and writes roll-ups."""

    def totals(self, series: str, grain: Grain, start: float, stop: float) -> list[RollUp]:
        """The rows of the slots that begin in ``[start, stop)``, in order; empty ones left out."""
        number = self.known_series(series)
        if number is None:
            return []
        rows = self.db.execute(
            f"""SELECT slot, up, degraded, down, unreachable, unknown, sent, lost, rtt_sum, rtt_n,
            rtt_max, jitter_sum, jitter_n FROM {grain.name}
            WHERE series = ? AND slot >= ? AND slot < ? ORDER BY slot""",  # noqa: S608  the name is our own table's
            (number, grain.slot(ms(start) - 1) + 1, grain.slot(ms(stop) - 1) + 1),
        )
        return [_roll_up(grain, row) for row in rows]

    def round_trips(self, series: str, start: float, stop: float) -> list[tuple[float, float]]:
        """When each five minutes in ``[start, stop)`` began and their mean round-trip time, both
        seconds, in order; those without one are left out.
        """
        number = self.known_series(series)
        if number is None:
            return []
        grain = FIVE_MINUTES
        rows = self.db.execute(
            f"""SELECT slot, rtt_sum / (rtt_n * 1e6) FROM {grain.name}
            WHERE series = ? AND slot >= ? AND slot < ? AND rtt_n > 0 ORDER BY slot""",  # noqa: S608  our own word
            (number, grain.slot(ms(start) - 1) + 1, grain.slot(ms(stop) - 1) + 1),
        )
        return [(grain.start(slot) / 1000, rtt) for slot, rtt in rows]

    def rolled(self) -> float | None:
        """Until when roll-ups agree with the intervals; None while there is nothing."""
        found = self._pulse("rolled")
        return None if found is None else seconds(found)

    def add_samples(self, samples: Iterable[Sample]) -> None:
        """Add packets and round-trip times to the slots that they were measured in."""
        rows = [(self.number_of(s.series), ms(s.at), astuple(s)[2:]) for s in samples]
        for grain in GRAINS:
            self.db.executemany(
                ADD[grain], [(number, grain.slot(at), *rest) for number, at, rest in rows]
            )

    def roll(self, until: float) -> None:
        """Bring the roll-ups up to the last whole five minutes before ``until``."""
        end = FIVE_MINUTES.start(FIVE_MINUTES.slot(ms(until)))
        start = self._pulse("rolled")
        if start is None or start >= end:
            return
        with self.transaction():
            for _, number in self.numbered():
                self.roll_series(number, start, end)
            self.db.execute("UPDATE pulse SET rolled = ?", (end,))

    def numbered(self) -> list[tuple[str, int]]:
        """Every series with its number."""
        return self.db.execute("SELECT name, id FROM series ORDER BY id").fetchall()

    def roll_series(self, series: int, start: int, end: int) -> None:
        """Make the slots anew that meet ``[start, end)``; what lies beyond ``end`` waits."""
        for grain in GRAINS:
            self.rebuild_series(series, grain, start, end)

    def rebuild_series(self, series: int, grain: Grain, start: int, end: int) -> None:
        """The same for one table."""
        first = grain.slot(start)
        begin = grain.start(first)
        made = times(self.spans(series, begin, end), grain, begin, end)
        # a slot in which nothing is known any more (trimmed) loses what it had
        held = self._slots(series, grain, first, grain.slot(end - 1))
        made |= dict.fromkeys(held - made.keys(), NOTHING)
        self.db.executemany(PUT[grain], [(series, slot, *each) for slot, each in made.items()])

    def _slots(self, series: int, grain: Grain, first: int, last: int) -> set[int]:
        rows = self.db.execute(
            f"SELECT slot FROM {grain.name} WHERE series = ? AND slot BETWEEN ? AND ?",  # noqa: S608
            (series, first, last),
        )
        return {slot for (slot,) in rows}

    def disagreements(self, series: int, grain: Grain, since: int) -> Iterator[int]:
        """Each whole slot, beginning at millisecond ``since`` or later, that the intervals gainsay.

        Slots that are not yet rolled up to their end are left out.
        """
        rolled = self._pulse("rolled")
        if rolled is None:
            return
        first, last = grain.slot(since - 1) + 1, grain.slot(rolled) - 1
        begin, end = grain.start(first), grain.start(last + 1)
        made = times(self.spans(series, begin, end), grain, begin, end)
        rows = self.db.execute(
            f"""SELECT slot, up, degraded, down, unreachable, unknown FROM {grain.name}
            WHERE series = ? AND slot BETWEEN ? AND ?""",  # noqa: S608
            (series, first, last),
        )
        held = {row[0]: tuple(row[1:]) for row in rows}
        for slot in sorted(made.keys() | held.keys()):
            if made.get(slot, NOTHING) != held.get(slot, NOTHING):
                yield slot


def _roll_up(grain: Grain, row: tuple[int, ...]) -> RollUp:
    slot, up, degraded, down, unreachable, unknown, *packets = row
    return RollUp(
        grain.start(slot) / 1000,
        up / 1000,
        degraded / 1000,
        down / 1000,
        unreachable / 1000,
        unknown / 1000,
        *packets,
    )
