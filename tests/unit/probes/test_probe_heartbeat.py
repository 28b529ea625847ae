"""The heartbeat probe, alone and under the board: what silence proves, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.figures import record
from tests.fakes.inventory import check, endpoint, settings
from vcmon.config.settings import Settings
from vcmon.engine.schedule import Timetable
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId, Endpoint
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.model.status import State, Transition
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.heartbeats import Heartbeats
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Tools
from vcmon.probes.heartbeat import probe
from vcmon.state.board import Board
from vcmon.state.canaries import canary_checks

INTERVAL, GRACE = 60.0, 45.0
PROMISED = 2 * INTERVAL + GRACE + 6
"""Seconds from the last heartbeat to `down`, as docs/settings.md says."""


def run(it: Check[Any], book: Heartbeats, clock: FakeClock) -> Result:
    """What the runner makes of one run; the probe waits for nothing, so no loop is needed."""
    deadline = Deadline(clock, LoopLag(clock), it.timeout)
    nothing = cast("Pinger", None), cast("Resolver", None)
    tools = Tools(clock, *nothing, deadline, clock.wall(), heartbeats=book)
    try:
        probe(it, tools).send(None)
    except StopIteration as done:
        return cast("Result", done.value)
    except ProbeError as error:
        outcome = Outcome.UNKNOWN if error.blame is Blame.LOCAL else Outcome.DOWN
        tools.detail["message"] = error.text
        return tools.result(it, outcome, error.reason, error.blame)
    raise AssertionError("it waits for something")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(clock: FakeClock) -> Heartbeats:
    made = Heartbeats()
    made.expect({"a": INTERVAL}, clock.monotonic())
    return made


HEART = check("a", "heartbeat", interval=INTERVAL)


def test_nothing_is_known_until_there_was_time_to_hear(clock: FakeClock, book: Heartbeats) -> None:
    """After our start: UNKNOWN `no_data` for an interval and its grace, then DOWN `timeout`."""
    assert run(HEART, book, clock)[1:4] == (Outcome.UNKNOWN, Reason.NO_DATA, Blame.LOCAL)
    clock.forward(INTERVAL + GRACE)
    assert run(HEART, book, clock).outcome is Outcome.UNKNOWN
    clock.forward(0.1)
    result = run(HEART, book, clock)
    assert result[1:4] == (Outcome.DOWN, Reason.TIMEOUT, Blame.REMOTE)
    assert "since we listen" in str(result.detail["message"])


def test_what_was_heard_proves_the_moment_it_was_heard(clock: FakeClock, book: Heartbeats) -> None:
    """UP as of then, not as of now; it says nothing of loss, as nothing was sent."""
    clock.forward(10)
    book.hear("a", clock.monotonic())
    heard, at = clock.monotonic(), clock.wall()
    clock.forward(INTERVAL + GRACE)
    result = run(HEART, book, clock)
    assert (result.outcome, result.started, result.at) == (Outcome.UP, heard, at)
    assert (result.transmissions, result.detail["age_s"]) == (0, 105.0)
    clock.forward(0.1)
    result = run(HEART, book, clock)
    assert result[1:4] == (Outcome.DOWN, Reason.TIMEOUT, Blame.REMOTE)
    assert "for 105 s, expected one every 60 s" in str(result.detail["message"])
    assert result.at == pytest.approx(at + INTERVAL)  # when the report was due
    assert result.started == clock.monotonic()
    clock.forward(300)
    assert run(HEART, book, clock).at == clock.wall()


def test_who_was_silent_while_we_were_blind_gets_time(clock: FakeClock, book: Heartbeats) -> None:
    """UNKNOWN for an interval and its grace after we see again; what comes then counts at once."""
    book.hear("a", clock.monotonic())
    clock.forward(200)
    book.look(clock.monotonic(), blind=True)
    assert run(HEART, book, clock)[1:3] == (Outcome.UNKNOWN, Reason.NO_DATA)
    clock.forward(INTERVAL + GRACE + 0.1)
    assert run(HEART, book, clock).outcome is Outcome.DOWN
    book.hear("a", clock.monotonic())
    assert run(HEART, book, clock).outcome is Outcome.UP


def test_elsewhere_than_in_the_daemon_nothing_is_heard(clock: FakeClock) -> None:
    """``vcmon probe`` knows nothing, and says where to look."""
    result = run(HEART, Heartbeats(), clock)
    assert result[1:3] == (Outcome.UNKNOWN, Reason.NO_DATA)
    assert "running" in str(result.detail["message"])


@dataclass
class Country:
    """A board over heartbeats and other checks, in virtual time."""

    settings: Settings
    beats: Callable[[str, float], bool]  # (endpoint, time): whether it reports at this second
    answers: Callable[[Check[Any], float], bool] = lambda _c, _t: True
    clock: FakeClock = field(default_factory=FakeClock)
    book: Heartbeats = field(default_factory=Heartbeats)
    changes: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        checks = [c for e in self.settings.endpoints for c in e.checks]
        checks += canary_checks(self.settings.canaries)
        self.checks = {c.id: c for c in checks}
        self.restart()

    def restart(self) -> None:
        now = self.clock.monotonic()
        self.board = Board(self.settings, self.clock, self.changes.append)
        self.timetable = Timetable(now)
        for it in self.checks.values():
            self.timetable.add(it.id, it.interval, now)
        self.book = Heartbeats()
        reporting = [c for c in self.checks.values() if c.kind == "heartbeat"]
        self.book.expect({c.id.endpoint: c.interval for c in reporting}, now)

    def run(self, seconds: float) -> None:
        """Let it pass, half a second at a time as the app's pulse does."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.clock.forward(0.5)
            now = self.clock.monotonic()
            self.board.tick()
            self.book.look(now, blind=self.board.snapshot().uplink.blind)
            for name in self.book._periods:
                if self.beats(name, now):
                    self.book.hear(name, now)
            for due in self.timetable.pop_due(now):
                for rerun in self.board.record(self._result(self.checks[due.check])):
                    self.timetable.rerun(rerun.check, rerun.at, rerun.attempts)

    def _result(self, it: Check[Any]) -> Result:
        if it.kind == "heartbeat":
            return run(it, self.book, self.clock)
        well = self.answers(it, self.clock.monotonic())
        outcome, reason = (Outcome.UP, Reason.OK) if well else (Outcome.DOWN, Reason.TIMEOUT)
        blame = Blame.NONE if well else Blame.PATH
        return Result(it.id, outcome, reason, blame, self.clock.wall(), self.clock.monotonic(), 0.1)

    def state(self, name: str) -> State:
        standings = self.board.standings()
        return standings[f"endpoint:{name}"].state

    def downs(self, since: float = 0.0) -> set[str]:
        down = [c for c in self.changes if c.new.state is State.DOWN and c.noticed_at >= since]
        return {change.subject for change in down}


def reporting(name: str, province: str = "aceh") -> Endpoint:
    heart = check(name, "heartbeat", province=province, interval=INTERVAL)
    return Endpoint(name, province, endpoint(name).role, "192.0.2.1", (heart,))


def regular(name: str, now: float, offset: float = 7.0) -> bool:
    return (now - offset) % INTERVAL == 0


def test_silence_is_down_within_the_promised_time() -> None:
    """Down, never before an interval and its grace, at the latest 171 s after the last report."""
    took = {offset: silence(offset) for offset in range(0, 60, 5)}
    worst = max(took.values())
    record("heartbeat missed", f"<= {worst:.0f} s, {len(took)} phases", "171 s", worst <= PROMISED)
    assert min(took.values()) > INTERVAL + GRACE
    assert worst <= PROMISED


def silence(offset: int) -> float:
    """Seconds from the last report to `down`, where reports come so far into each minute."""
    last: list[float] = []

    def beats(name: str, now: float) -> bool:
        if now > 1600 or not regular(name, now, offset):
            return False
        last.append(now)
        return True

    it = Country(settings(reporting("a")), beats)
    it.run(500)
    assert it.state("a") is State.UP
    it.run(300)
    (down,) = (c for c in it.changes if c.new.state is State.DOWN and "endpoint" in c.subject)
    assert down.new.reason is Reason.TIMEOUT
    assert down.at - it.clock.offset == pytest.approx(last[-1] + INTERVAL)  # when it was due
    return down.noticed_at - it.clock.offset - last[-1]


def test_it_is_up_again_after_two_heartbeats() -> None:
    """Two reports are two proofs: up at the latest three intervals after the first of them."""
    it = Country(settings(reporting("a")), lambda n, t: regular(n, t) and not 1200 < t < 1700)
    it.run(650)
    assert it.state("a") is State.DOWN
    first = 1747.0  # the first report after 1700
    it.run(first - it.clock.monotonic() + 3 * INTERVAL)
    assert it.state("a") is State.UP
    (up,) = (c for c in it.changes if c.old.state is State.DOWN and "endpoint" in c.subject)
    assert up.at == first + it.clock.offset


def test_one_late_heartbeat_is_no_outage() -> None:
    """As late as the grace allows, again and again: never down, for a day."""
    it = Country(settings(reporting("a")), lambda _, t: (t - 7) % 240 in {0, 100, 160})
    it.run(86_400)
    assert it.downs() == set()
    assert it.state("a") is State.UP


def test_a_restart_of_ours_is_nobodys_outage() -> None:
    """The book is empty then: unknown at first, up as soon as somebody reports, never down."""
    it = Country(settings(reporting("a")), regular)
    for _ in range(20):
        it.run(333)
        it.restart()
        assert it.state("a") is State.UNKNOWN
    it.run(200)
    assert it.state("a") is State.UP
    assert it.downs() == set()


def fleet(hearts: int, probed: int, canaries: Sequence[str] = ()) -> Settings:
    mixed = [reporting(f"h{n}", f"p{n}") for n in range(hearts)]
    mixed += [endpoint(f"s{n}", "tcp", province=f"q{n}") for n in range(probed)]
    return settings(*mixed, canaries=canaries)


def test_old_heartbeats_prove_nothing_of_our_own_uplink() -> None:
    """Our uplink is cut: those who reported a minute ago must not vouch that the others fell."""
    cut = 2000.0
    it = Country(
        fleet(35, 3),
        lambda name, t: t < cut and regular(name, t, int(name[1:])),
        lambda _, t: t < cut,
    )
    it.run(cut - it.clock.monotonic() + 29)
    assert it.downs() == set()


@pytest.mark.parametrize("length", [20, 60, 100, 300])
def test_a_cut_of_our_own_uplink_is_nobodys_outage(length: int) -> None:
    """With canaries: reports that couldn't reach us, of 38 provinces, and nobody was down."""
    start, end = 2000.0, 2000.0 + length
    cut: Callable[[float], bool] = lambda t: start <= t < end  # noqa: E731
    late = {f"h{n}": n % 3 == 0 for n in range(38)}

    def beats(name: str, t: float) -> bool:
        if cut(t):
            return False
        # A third of the senders has given up, and comes again at its next minute only.
        retried = end <= t < end + 10 and not late[name]
        return regular(name, t, int(name[1:])) or retried

    it = Country(fleet(38, 0, ["192.0.2.9"]), beats, lambda _, t: not cut(t))
    it.run(end + 400 - it.clock.monotonic())
    assert it.downs() == set()
    assert {it.state(f"h{n}") for n in range(38)} == {State.UP}


def test_the_dead_are_found_after_a_blind_spell() -> None:
    """Who is silent when we see again is down an interval and its grace later, and the rest up."""
    it = Country(
        fleet(6, 0, ["192.0.2.9"]),
        lambda n, t: not 2000 <= t < 2100 and regular(n, t, int(n[1:])) and (t < 2000 or n != "h1"),
        lambda _, t: not 2000 <= t < 2100,
    )
    it.run(2100 + PROMISED + 20 - it.clock.monotonic())
    assert {it.state(f"h{n}") for n in range(6) if n != 1} == {State.UP}
    assert it.state("h1") is State.DOWN
    assert it.downs() == {"endpoint:h1", "province:p1"}


def test_a_check_that_is_new_waits(clock: FakeClock, book: Heartbeats) -> None:
    """Added by a reload: it has its own beginning."""
    clock.forward(500)
    book.expect({"a": INTERVAL, "b": INTERVAL}, clock.monotonic())
    new = check("b", "heartbeat", interval=INTERVAL)
    assert new.id == CheckId("b", "heartbeat")
    assert run(new, book, clock).reason is Reason.NO_DATA
    assert run(HEART, book, clock).outcome is Outcome.DOWN
