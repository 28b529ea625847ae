"""The record of one endpoint: beliefs, loss, quality, and the standing they make."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from vcmon.config.settings import QualityClass
from vcmon.model.baseline import Baseline
from vcmon.model.endpoint import Check, Endpoint
from vcmon.model.figures import Tally
from vcmon.model.memory import Sample
from vcmon.model.result import SILENT, Blame, Echo, Outcome, Reason, Result
from vcmon.model.status import CheckStatus, EndpointStatus, Standing, State
from vcmon.state.flapping import STEADY, Flaps
from vcmon.state.loss import ANSWERED_LOG, Loss, observed, silence_log, tries
from vcmon.state.machine import Belief, observe, says_nothing_new
from vcmon.state.quality import Fault, QualityWindow
from vcmon.state.rollup import NO_DATA, View, endpoint_standing

STALE_INTERVALS = 3
"""A result older than this many intervals says nothing any more (rule 7)."""

BLIND = Standing(State.UNKNOWN, Reason.BLIND, Blame.LOCAL)

UP, UNKNOWN = Outcome.UP, Outcome.UNKNOWN  # an enum's own lookup is slow, and each result asks


def stale_after(check: Check[Any]) -> float:
    """Seconds after the start of a check's last conclusive run at which it is stale."""
    pause = check.opening.longest_pause if check.opening is not None else 0.0
    return STALE_INTERVALS * check.interval + check.timeout + pause


FAILED_MAX = 5
"""Failed runs kept of each check, some 700 bytes each: what an outage looked like is still told
when all is well again, and 10,000 checks that have failed hold 35 MB."""


@dataclass(slots=True)
class Watch:
    """One check's belief and counters."""

    check: Check[Any]
    belief: Belief = field(default_factory=Belief)
    last: Result | None = None
    fresh_at: float = float("-inf")  # monotonic start of the last UP or DOWN run
    silent: int = 0  # packets without an answer since the last one: loss, or an outage
    tally: Tally = field(default_factory=Tally)
    stalls: int = 0  # runs in a row that our own stall spoilt
    failed: tuple[Result, ...] = ()  # the last runs that were not UP, oldest first
    judged_stale: bool = True  # whether it was stale when its endpoint was judged

    def is_stale(self, now: float) -> bool:
        """Whether the last conclusive run is too old to believe."""
        return now > self.fresh_at + stale_after(self.check)


@dataclass(slots=True)
class Packets:
    """What was sent since somebody last took it; round-trip times in seconds."""

    sent: int = 0
    lost: int = 0  # proved to be loss by an answer after it: an outage is not loss
    rtt_sum: float = 0.0
    rtt_n: int = 0
    rtt_max: float = 0.0
    jitter_sum: float = 0.0  # of the differences between neighbours of one run
    jitter_n: int = 0

    def add(self, sent: int, lost: int, rtts: tuple[float, ...]) -> None:
        """Count one run that was answered."""
        self.sent += sent
        self.lost += lost
        self.rtt_n += len(rtts)
        for rtt in rtts:
            self.rtt_sum += rtt
            self.rtt_max = max(self.rtt_max, rtt)
        for before, rtt in pairwise(rtts):
            self.jitter_sum += abs(rtt - before)
            self.jitter_n += 1

    def take(self, series: str, at: float) -> Sample:
        """All of it as one sample; counting begins anew."""
        taken = Sample(
            series,
            at,
            self.sent,
            self.lost,
            round(self.rtt_sum * 1e6),
            self.rtt_n,
            round(self.rtt_max * 1e6),
            round(self.jitter_sum * 1e6),
            self.jitter_n,
        )
        self.sent = self.lost = self.rtt_n = self.jitter_n = 0
        self.rtt_sum = self.rtt_max = self.jitter_sum = 0.0
        return taken


@dataclass(slots=True)
class Track:
    """One endpoint; written by the board only."""

    endpoint: Endpoint
    limits: QualityClass
    watches: dict[str, Watch]
    loss: Loss = field(default_factory=Loss)
    packets: Packets = field(default_factory=Packets)
    quality: QualityWindow = field(default_factory=QualityWindow)
    quality_fault: Fault | None = None
    measure: str = ""  # the check that quality's round trips are measured by
    fell_blind: bool = False  # its answers stopped while our own side was blind
    judged_blind: bool = False  # the same, when it was judged
    released: int | None = None  # failures in a row when its dead parent came back
    own: Standing = NO_DATA
    shown: Standing = NO_DATA
    onset: float | None = None  # wall seconds: of the outage that was on before our start
    flaps: Flaps = STEADY
    maintenance: bool = False
    stale_at: float = float("inf")  # monotonic: no check goes stale before, unless judged anew
    status: EndpointStatus | None = None  # cache for the Snapshot

    def note(self, watch: Watch, result: Result, attempts: int) -> None:
        """Take a result of one of its watches in: counters, loss, quality, belief."""
        count(watch.tally, result)
        self._weigh(watch, result)
        if not says_nothing_new(watch.belief, result):
            watch.belief = observe(watch.belief, result, self._silence(watch, result, attempts))
        watch.last = result
        if result.outcome is not UP:
            watch.failed = (*watch.failed[1 - FAILED_MAX :], result)
        if result.outcome is not UNKNOWN:
            watch.fresh_at = result.started
        self.status = None

    def note_sight(self, result: Result, *, blind: bool) -> None:
        """A deciding check has ended, while our own side was blind or not."""
        if result.outcome is UP:
            self.fell_blind = False
        elif blind:
            self.fell_blind = True

    def _weigh(self, watch: Watch, result: Result) -> None:
        if result.outcome is UP:
            sent, lost = observed(result)
            # The silent runs before this answer were loss after all, or the outage that just ended.
            silent = 0 if watch.belief.outcome is Outcome.DOWN else watch.silent
            self.loss.add(result.started, sent + silent, lost + silent)
            echo = result.echo if result.check.name == self.measure else None
            self.packets.add(sent + silent, lost + silent, echo.rtts if echo is not None else ())
            watch.silent = 0
            if result.streams is not None:
                self.quality.add_streams(result.streams, result.started, stale_after(watch.check))
            if echo is not None:
                if silent:
                    self.quality.add(Echo(silent, 0))
                self.quality.add(echo)
            if echo is not None or result.streams is not None:
                self._judge_quality(result.started)
        elif result.outcome is Outcome.DOWN and result.reason in SILENT:
            watch.silent += tries(watch.check)

    def _judge_quality(self, now: float) -> None:
        if self.quality_fault is not None or self.quality.is_suspect(self.limits):
            self.quality_fault = self.quality.fault(self.limits, now)

    def set_normal(self, normal: Baseline | None) -> None:
        """What is normal for this link by its last days; None while nobody knows."""
        self.quality.set_normal(normal if self.limits.baseline else None)
        self.status = None

    def _silence(self, watch: Watch, result: Result, attempts: int) -> float:
        if result.outcome is not Outcome.DOWN:
            return 0.0
        if result.reason not in SILENT:
            return ANSWERED_LOG
        return attempts * silence_log(watch.check, self.loss.ratio)

    def companions_log(self, name: str) -> float:
        """Log chance that loss explains the silence of all *other* checks that are silent now."""
        return sum(
            watch.belief.streak.silence_log
            for other, watch in self.watches.items()
            if other != name
            and watch.belief.suspect
            and watch.belief.streak is not None
            and not watch.check.params.gentle  # its silence is minutes old
        )

    @property
    def failing(self) -> int:
        """DOWN results in a row of the deciding check that has the most of them."""
        return max((w.belief.failing for w in self.watches.values() if w.check.decides), default=0)

    def judge(self, now: float) -> Standing:
        """The endpoint's own standing at monotonic second ``now``; remembers when it goes stale."""
        for watch in self.watches.values():
            watch.judged_stale = watch.is_stale(now)
        self.judged_blind = self.fell_blind
        self._note_when_stale()
        views = [
            View(w.belief, w.check.decides, w.judged_stale, degrades=w.check.params.degrades)
            for w in self.watches.values()
        ]
        standing = endpoint_standing(views, self._fault_now(now))
        if self.fell_blind and standing.state is not State.DOWN:
            return BLIND
        hidden = self.own.state is State.UNKNOWN and standing.state is State.DOWN
        return self.own if hidden and self._answers(now) else standing

    def _fault_now(self, now: float) -> Fault | None:
        """The fault of the link, unless what measures it is not answered any more."""
        watch = self.watches.get(self.measure)
        if watch is not None and (watch.belief.outcome is Outcome.DOWN or watch.is_stale(now)):
            return self.quality.fault_aside(self.limits, now)
        return self.quality_fault

    def has_aged(self, now: float) -> bool:
        """Whether time alone made the last verdict wrong; if not, finds when it next may.

        A check that goes on answering moves its own staleness away, so this is asked once in
        three of its intervals, and :meth:`judge` hardly ever.
        """
        if now < self.stale_at:
            return False
        if self.fell_blind is not self.judged_blind:
            return True
        for watch in self.watches.values():
            if watch.is_stale(now) is not watch.judged_stale:
                return True
        self._note_when_stale()
        return False

    def _note_when_stale(self) -> None:
        ends = [
            watch.fresh_at + stale_after(watch.check)
            for watch in self.watches.values()
            if not watch.judged_stale
        ]
        self.stale_at = min(ends, default=float("inf"))

    def _answers(self, now: float) -> bool:
        """Whether whatever was down before nobody could look answers again, as far as was asked.

        Then it is unknown until that is confirmed: nobody has seen it down since.
        """
        return all(
            watch.belief.streak is not None and watch.belief.streak.outcome is Outcome.UP
            for watch in self.watches.values()
            if watch.check.decides
            and watch.belief.outcome is Outcome.DOWN
            and not watch.is_stale(now)
        )

    def view(self, now: float) -> EndpointStatus:
        """The immutable picture of this endpoint, cached until something changes."""
        if self.status is None:
            # No check is painted stale before the endpoint was judged with that in mind.
            now = min(now, self.stale_at)
            self.status = EndpointStatus(
                endpoint=self.endpoint,
                standing=since_onset(self.shown, self.onset),
                checks=tuple(_check_status(w, now) for w in self.watches.values()),
                quality=self.quality.measure(now),
                maintenance=self.maintenance,
            )
        return self.status


def _check_status(watch: Watch, now: float) -> CheckStatus:
    belief, stale = watch.belief, watch.is_stale(now)
    return CheckStatus(
        check=watch.check,
        outcome=Outcome.UNKNOWN if stale else belief.outcome,
        reason=Reason.STALE if stale and watch.last is not None else belief.reason,
        since=belief.since,
        failing=belief.failing,
        last=watch.last,
        stale=stale,
        failed=watch.failed,
    )


BROKEN = frozenset({State.DOWN, State.UNREACHABLE})


def since_onset(standing: Standing, onset: float | None) -> Standing:
    """An outage that a restart interrupted is shown since it began, not since it was seen again."""
    if onset is None or standing.state not in BROKEN:
        return standing
    return replace(standing, since=min(onset, standing.since))


def outlasts(old: State, new: State) -> bool:
    """Whether an outage from before our start may still be on after this change of state."""
    return new in BROKEN or (old is State.UNKNOWN and new is State.UNKNOWN)


def count(tally: Tally, result: Result) -> None:
    """Add one result to its check's counters."""
    tally.probes += 1
    if result.outcome is UP:
        tally.duration.observe(result.duration)
    elif result.outcome is UNKNOWN:
        tally.inconclusive[result.reason] += 1
    else:
        tally.failures[result.reason] += 1
    if (echo := result.echo) is not None:
        tally.sent += echo.sent
        tally.received += echo.received
        tally.duplicates += echo.duplicates
        for rtt in echo.rtts:
            tally.rtt.observe(rtt)
