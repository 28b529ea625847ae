"""The part of the store that is the truth: intervals of state, and how far they are complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vcmon.history.base import Base, ms, seconds, seconds_or_none
from vcmon.history.rollup import GRAINS, Span
from vcmon.history.schema import CODES, STATES
from vcmon.model.memory import Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State

_COLUMNS = """
    SELECT series.name, start, stop, state, reason, blame, parent, known_at
    FROM interval JOIN series ON series.id = interval.series JOIN cause ON cause.id = interval.cause
"""

BROKEN = frozenset({State.DOWN, State.UNREACHABLE})


class _Last(NamedTuple):
    start: int
    stop: int | None
    state: int
    cause: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a file told when it was opened: what goes on in it, and the onsets of what was down."""

    current: dict[str, Interval] = field(default_factory=dict)
    onsets: dict[str, float] = field(default_factory=dict)  # wall seconds, by series


def gap(series: str, start: float) -> Interval:
    """From here on nobody looked."""
    return Interval(series, start, None, State.UNKNOWN, Reason.GAP, Blame.LOCAL, known_at=start)


class Intervals(Base):
    """Reads and writes intervals. A series has at most one that goes on, and none overlaps."""

    # ---- reads

    def intervals(self, series: str, start: float, stop: float) -> list[Interval]:
        """All that overlap ``[start, stop)``, in order, whole."""
        number = self.known_series(series)
        if number is None:
            return []
        rows = self.db.execute(
            _COLUMNS  # noqa: S608  all of it is ours
            + """WHERE interval.series = :series AND start < :stop
            AND start >= coalesce((SELECT max(start) FROM interval
                                   WHERE series = :series AND start <= :start), :start)
            AND (stop IS NULL OR stop > :start) ORDER BY start""",
            {"series": number, "start": ms(start), "stop": ms(stop)},
        )
        return [_interval(row) for row in rows]

    def series(self) -> list[str]:
        """Every series of which something was ever remembered."""
        return [name for (name,) in self.db.execute("SELECT name FROM series ORDER BY name")]

    def open_intervals(self) -> dict[str, Interval]:
        """What goes on, by series."""
        rows = self.db.execute(_COLUMNS + "WHERE stop IS NULL")
        return {found.series: found for found in map(_interval, rows)}

    def heartbeat(self) -> float | None:
        """All that happened before it is written; None while nothing ever was."""
        return seconds_or_none(self._pulse("heartbeat"))

    def spans(self, series: int, start: int, stop: int) -> list[Span]:
        """The same as ``intervals``, as the file has it, for roll-ups."""
        rows = self.db.execute(
            """SELECT start, stop, state FROM interval
            WHERE series = :series AND start < :stop
            AND start >= coalesce((SELECT max(start) FROM interval
                                   WHERE series = :series AND start <= :start), :start)
            ORDER BY start""",
            {"series": series, "start": start, "stop": stop},
        )
        return [Span(*row) for row in rows]

    def _pulse(self, column: str) -> int | None:
        # a fixed word of ours, never text from outside
        row = self.db.execute(f"SELECT {column} FROM pulse").fetchone()  # noqa: S608
        return None if row is None else row[0]

    def _last(self, series: int) -> _Last | None:
        row = self.db.execute(
            """SELECT start, stop, state, cause FROM interval
            WHERE series = ? ORDER BY start DESC LIMIT 1""",
            (series,),
        ).fetchone()
        return None if row is None else _Last(*row)

    # ---- writes

    def put(self, interval: Interval) -> None:
        """What the series is from ``interval.start`` on; what went on ends there.

        Never reaches back before the start of what went on. The same state with the same cause,
        without a break, goes on as it was.
        """
        series = self.number_of(interval.series)
        cause = self.cause_of((interval.reason, interval.blame, interval.parent or ""))
        state, start = CODES[interval.state], ms(interval.start)
        last = self._last(series)
        while last is not None and last.start >= start:
            # it lasted for no time at all: it never was
            start = last.start
            self.db.execute("DELETE FROM interval WHERE series = ? AND start = ?", (series, start))
            before = self._last(series)
            last = before if before is not None and before.stop == start else None
        self._touch(start)
        if last is not None and (last.stop is None or last.stop >= start):
            same = (last.state, last.cause) == (state, cause)
            self._set_stop(series, last.start, None if same else start)
            if same:
                return
        self.db.execute(
            """INSERT INTO interval (series, start, stop, state, cause, known_at)
            VALUES (?, ?, NULL, ?, ?, ?)""",
            (series, start, state, cause, ms(interval.known_at)),
        )

    def end(self, series: str, at: float) -> None:
        """Nothing goes on in the series after ``at``: it is not watched any more."""
        number = self.known_series(series)
        last = None if number is None else self._last(number)
        if number is None or last is None or last.stop is not None:
            return
        stop = ms(at)
        self._touch(min(stop, last.start))
        if stop > last.start:
            self._set_stop(number, last.start, stop)
        else:
            self.db.execute(
                "DELETE FROM interval WHERE series = ? AND start = ?", (number, last.start)
            )

    def beat(self, at: float) -> None:
        """All that happened before ``at`` is written."""
        self.db.execute("UPDATE pulse SET heartbeat = ?", (ms(at),))

    def trim(self, at: float) -> None:
        """Take out what is stamped after ``at``: the clock was wrong and was set back."""
        now = ms(at)
        for (series,) in self.db.execute("SELECT id FROM series").fetchall():
            key = {"series": series, "now": now}
            self.db.execute(
                """DELETE FROM interval WHERE series = :series
                AND (start > :now OR (start = :now AND stop IS NOT NULL))""",
                key,
            )
            self.db.execute(
                """UPDATE interval SET known_at = min(known_at, :now),
                stop = CASE WHEN stop > :now THEN :now ELSE stop END
                WHERE series = :series
                AND start = (SELECT max(start) FROM interval WHERE series = :series)""",
                key,
            )
            for grain in GRAINS:
                self.db.execute(
                    f"DELETE FROM {grain.name} WHERE series = ? AND slot > ?",  # noqa: S608
                    (series, grain.slot(now)),
                )
        self._trim_incidents(now)
        for table in ("healthy_route", "failing_route"):
            self.db.execute(f"DELETE FROM {table} WHERE at > ?", (now,))  # noqa: S608  our words
        self.db.execute("UPDATE pulse SET heartbeat = min(heartbeat, ?)", (now,))
        self._touch(now)

    def _trim_incidents(self, now: int) -> None:
        for table in ("incident", "member"):
            self.db.execute(
                f"""UPDATE OR REPLACE {table} SET start = min(start, :now),
                stop = CASE WHEN stop > :now THEN :now ELSE stop END
                WHERE start > :now OR stop > :now""",  # noqa: S608
                {"now": now},
            )

    def recover(self, now: float) -> Recovered:
        """Close what an earlier run left open: from its last heartbeat on nobody looked."""
        told = Recovered()
        heartbeat = self._pulse("heartbeat")
        if heartbeat is not None and heartbeat > ms(now):
            self.trim(now)
            heartbeat = ms(now)
        for name, interval in self.open_intervals().items():
            onset = self._onset(name)
            if onset is not None:
                told.onsets[name] = onset
            until = interval.start if heartbeat is None else seconds(heartbeat)
            unseen = gap(name, max(interval.start, until))
            if interval.reason is Reason.GAP:
                unseen = interval
            self.put(unseen)
            told.current[name] = replace(unseen, start=max(unseen.start, interval.start))
        return told

    def _onset(self, name: str) -> float | None:
        """When the outage began that lasts till now, across all restarts; None: it is not down."""
        onset = None
        for interval in self._backwards(name):
            if interval.state in BROKEN:
                onset = interval.start
            elif interval.reason is not Reason.GAP:
                break
        return onset

    def _backwards(self, name: str) -> Iterator[Interval]:
        return map(
            _interval,
            self.db.execute(_COLUMNS + "WHERE series.name = ? ORDER BY start DESC", (name,)),
        )

    def _set_stop(self, series: int, start: int, stop: int | None) -> None:
        self.db.execute(
            "UPDATE interval SET stop = ? WHERE series = ? AND start = ?", (stop, series, start)
        )

    def _touch(self, at: int) -> None:
        """Roll-ups from here on have to be made anew."""
        self.db.execute("UPDATE pulse SET rolled = ? WHERE rolled IS NULL OR rolled > ?", (at, at))


_REASONS = {reason.value: reason for reason in Reason}
_BLAMES = {blame.value: blame for blame in Blame}
"""A third of the time of ``Reason(text)``, which counts where a month is read."""


def _interval(row: tuple[str, int, int | None, int, str, str, str, int]) -> Interval:
    name, start, stop, state, reason, blame, parent, known_at = row
    return Interval(
        name,
        start / 1000,
        None if stop is None else stop / 1000,
        STATES[state],
        _REASONS[reason],
        _BLAMES[blame],
        parent or None,
        known_at / 1000,
    )
