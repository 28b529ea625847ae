"""What happens, as it is remembered: transitions to intervals, ticks to heartbeats, clocks to gaps.

On the event loop; everything returns at once. The sink behind it (``writer.Writer``) writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from vcmon.clock import Clock
from vcmon.history.backlog import Change, End, trimmed
from vcmon.history.intervals import Recovered, gap
from vcmon.history.rollup import FIVE_MINUTES
from vcmon.model.memory import Incident, Interval, Sample
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State, Transition, Uplink
from vcmon.state.credit import GAP

STEP = 2.0
"""Seconds by which the wall clock runs ahead of the monotonic one in a tick when it was set, not
slewed: NTP slews by 0.5 ms a second at the most. Set back it is at once, by however little."""

SAMPLES_A_TICK = 500
"""Endpoints whose packets are taken in one tick: a millisecond of the loop's time."""

UPLINK = "vantage:uplink"

NOTHING_KNOWN = Standing(State.UNKNOWN, Reason.NO_DATA)

Decide = Callable[[Sequence[Transition]], Iterable[Incident]]
"""A tick's transitions in, every incident that they begin, change or end out, whole."""


class Sink(Protocol):
    """Where the recorder writes to."""

    @property
    def recovered(self) -> Recovered | None: ...
    def change(self, change: Change) -> None: ...
    def trim(self, at: float) -> None: ...
    def incident(self, incident: Incident) -> None: ...
    def sample(self, samples: Iterable[Sample]) -> None: ...
    def beat(self, at: float) -> None: ...


def _ignored(_now: float) -> None:
    pass


def no_incidents(_transitions: Sequence[Transition]) -> Iterable[Incident]:
    """Until somebody decides on incidents there are none."""
    return ()


class Recorder:
    """One writer of what is remembered."""

    def __init__(
        self,
        sink: Sink,
        clock: Clock,
        decide: Decide = no_incidents,
        set_back: Callable[[float], None] = _ignored,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self.decide = decide
        self._told_set_back = set_back  # called with the new wall second when the clock went back
        self._current: dict[str, Interval] = {}  # what goes on, by series
        self._incidents: dict[int, Incident] = {}  # likewise, by number
        self._heard: list[Transition] = []  # since the last tick
        self._wall, self._monotonic = clock.wall(), clock.monotonic()
        self._floor = self._wall  # nothing that is learnt now began before: nobody looked
        self._uplink = NOTHING_KNOWN
        self._adopted = False
        self._sampled = FIVE_MINUTES.slot(int(self._wall * 1000))
        self._samples: Iterator[Sample] = iter(())

    # ---- what happens

    def adopt(self, recovered: Recovered, watched: Collection[str]) -> Mapping[str, float]:
        """Go on from what an earlier run left; the onsets of what was down, for the board.

        What is not watched any more ends where it was last seen.
        """
        self._adopted = True
        for series, interval in recovered.current.items():
            if series in self._current:
                continue  # the file came late: we know better by now
            if series in watched or series == UPLINK:
                self._current[series] = interval
            else:
                self._sink.change(End(series, interval.start))
        return {s: at for s, at in recovered.onsets.items() if s in watched}

    @property
    def adopted(self) -> bool:
        """Whether ``adopt`` was called."""
        return self._adopted

    def transition(self, change: Transition) -> None:
        """A subject changed its state."""
        self._look_at_the_clocks()
        self._open(change.subject, change.new, change.at)
        self._heard.append(change)

    def reconcile(self, standings: Mapping[str, Standing]) -> None:
        """After a reload: what left ends now, what began anew is what it is said to be now."""
        self._look_at_the_clocks()
        for series in [s for s in self._current if s not in standings and s != UPLINK]:
            del self._current[series]
            self._sink.change(End(series, self._wall))
        for series, standing in standings.items():
            current = self._current.get(series)
            unseen = current is not None and current.reason is Reason.GAP
            nothing = standing.state is State.UNKNOWN and (current is None or unseen)
            if not nothing and (current is None or current.state is not standing.state):
                self._open(series, standing, self._wall)

    def tick(self, uplink: Uplink, packets: Callable[[], Iterator[Sample]]) -> None:
        """The tick is over: all that it brought is written in one go."""
        self._look_at_the_clocks()
        self._watch_uplink(uplink)
        heard, self._heard = self._heard, []
        if heard:
            self.note_incidents(self.decide(heard))
        self._take_samples(packets)
        self._sink.beat(self._wall)

    def current(self) -> Mapping[str, Interval]:
        """What goes on, by series, as it is (or will be) written."""
        return self._current

    # ---- intervals

    def _open(self, series: str, standing: Standing, at: float) -> None:
        now = self._wall
        current = self._current.get(series)
        earliest = self._floor if current is None else max(self._floor, current.start)
        interval = Interval(
            series=series,
            start=min(max(at, earliest), now),
            stop=None,
            state=standing.state,
            reason=standing.reason,
            blame=standing.blame,
            parent=standing.parent,
            known_at=now,
        )
        self._put(interval)

    def _put(self, interval: Interval) -> None:
        self._current[interval.series] = interval
        self._sink.change(interval)

    def _watch_uplink(self, uplink: Uplink) -> None:
        new = _standing(uplink)
        if new.state is self._uplink.state:
            return
        old, self._uplink = self._uplink, new
        at = uplink.since if uplink.blind else self._wall
        self.transition(Transition(UPLINK, old, new, at, self._wall))

    def note_incidents(self, incidents: Iterable[Incident]) -> None:
        """These incidents are as they are told here."""
        for incident in incidents:
            self._sink.incident(incident)
            self._incidents.pop(incident.id, None)
            if incident.stop is None:
                self._incidents[incident.id] = incident

    # ---- packets

    def _take_samples(self, packets: Callable[[], Iterator[Sample]]) -> None:
        slot = FIVE_MINUTES.slot(int(self._wall * 1000))
        if slot != self._sampled:
            self._sampled = slot
            self._samples = packets()
        taken = list(islice(self._samples, SAMPLES_A_TICK))
        if taken:
            # measured in the five minutes that have just ended, all but the last ticks of them
            end = FIVE_MINUTES.start(slot) / 1000
            self._sink.sample(replace(each, at=min(each.at, end - 0.001)) for each in taken)

    def last_words(self, packets: Callable[[], Iterator[Sample]]) -> None:
        """We are about to stop: hand over what has not been taken."""
        self._sink.sample([*self._samples, *packets()])
        self._sink.beat(self._wall)

    # ---- clocks

    def _look_at_the_clocks(self) -> None:
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        passed = monotonic - self._monotonic
        expected = self._wall + passed
        last = self._wall
        self._wall, self._monotonic = wall, monotonic
        if wall < last:
            self._set_back(wall)
        elif wall > expected + STEP:
            # the clock went from here to there in no time
            self._nobody_looked(last if passed > GAP else expected)
        elif passed > GAP:
            self._nobody_looked(last)

    def _nobody_looked(self, since: float) -> None:
        """From ``since`` until now nothing was seen; what was goes on."""
        now = self._floor = self._wall
        for current in tuple(self._current.values()):
            start = max(since, current.start)
            if current.state is State.UNKNOWN or start >= now:
                continue
            self._put(gap(current.series, start))
            self._put(replace(current, start=now, known_at=now))

    def _set_back(self, now: float) -> None:
        """The clock was ahead: what is stamped later has not happened, but what is still is."""
        self._floor = now
        self._sink.trim(now)
        self._told_set_back(now)
        for current in tuple(self._current.values()):
            if current.start >= now:
                self._put(replace(current, start=now, known_at=min(current.known_at, now)))
        for incident in tuple(self._incidents.values()):
            self.note_incidents([trimmed(incident, now)])


def _standing(uplink: Uplink) -> Standing:
    if uplink.up is None:
        return NOTHING_KNOWN
    if uplink.up and not uplink.blind:
        return Standing(State.UP, Reason.OK)
    return Standing(State.DOWN, Reason.BLIND, Blame.LOCAL)
