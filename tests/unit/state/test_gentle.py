"""Checks that disturb somebody: run rarely, confirmed at leisure, believed until they run again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import check, settings
from tests.fakes.results import result
from vcmon.model.endpoint import Check, CheckId, Endpoint, Role
from vcmon.model.opening import Opening
from vcmon.model.result import Outcome, Reason
from vcmon.model.status import State
from vcmon.state.board import Board
from vcmon.state.loss import tries
from vcmon.state.track import stale_after

HOUR = 3600.0
NIGHT = Opening(((22 * 60, 5 * 60),), ZoneInfo("Asia/Jakarta"))


def call(name: str = "codec", *, opening: Opening | None = None) -> Check[Any]:
    made = check(name, "call", interval=HOUR, timeout=20.0, decides=False, always=True)
    return replace(made, opening=opening)


class House:
    """A codec with SIP and a call, and the board that believes."""

    def __init__(self, opening: Opening | None = None) -> None:
        self.clock = FakeClock()
        sip = check("codec", "sip")
        self.sip, self.call = sip.id, CheckId("codec", "call")
        checks = (sip, call(opening=opening))
        codec = Endpoint("codec", "aceh", Role.CODEC, "192.0.2.1", checks)
        self.board = Board(settings(codec), self.clock, lambda _: None)

    def hears(
        self,
        check_id: CheckId,
        outcome: Outcome,
        reason: Reason | None = None,
        *,
        impaired: bool = False,
    ) -> list[tuple[str, float, int]]:
        """Hand a result in; what is to run out of turn: name, seconds from now, attempts."""
        now = self.clock.monotonic()
        made = result(outcome, now, reason, check=check_id, impaired=impaired)
        advice = self.board.record(made)
        self.board.tick()
        return [(each.check.name, each.at - now, each.attempts) for each in advice]

    def state(self) -> tuple[State, Reason]:
        standing = self.board.standings()["endpoint:codec"]
        return standing.state, standing.reason

    def forward(self, seconds: float) -> None:
        """Time goes by, SIP answering each ten minutes."""
        self.clock.forward(seconds)
        self.hears(self.sip, Outcome.UP)


def test_failed_call_is_repeated_at_leisure_and_alone() -> None:
    """Five minutes later, one attempt at a time; after a stall of ours: at its next time."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    again = house.hears(house.call, Outcome.DOWN, Reason.FILTERED)
    assert ("call", 300.0, 1) in again
    assert all(attempts == 1 for _, _, attempts in again)
    assert house.hears(house.call, Outcome.UNKNOWN, Reason.STALL) == []


def test_first_answer_after_a_failure_is_confirmed_at_leisure() -> None:
    """Not ten seconds later: the room would ring twice."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    for _ in range(3):
        house.hears(house.call, Outcome.DOWN, Reason.FILTERED)
        house.forward(300)
    assert house.hears(house.call, Outcome.UP) == [("call", 300.0, 1)]


def test_failing_sip_asks_no_call_to_witness() -> None:
    """The first failure of SIP rings nobody."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    house.hears(house.call, Outcome.UP)
    house.clock.forward(10)
    names = {name for name, _, _ in house.hears(house.sip, Outcome.DOWN)}
    assert names == {"sip"}


def test_failed_call_degrades_what_is_up() -> None:
    """Three times no media: degraded with that reason, not down; two good calls end it."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    for _ in range(3):
        assert house.state() == (State.UP, Reason.OK)
        house.forward(300)
        house.hears(house.call, Outcome.DOWN, Reason.FILTERED)
    assert house.state() == (State.DEGRADED, Reason.FILTERED)
    for _ in range(2):
        house.forward(300)
        house.hears(house.call, Outcome.UP)
    assert house.state() == (State.UP, Reason.OK)


def test_busy_is_no_alarm() -> None:
    """In use, call after call: up, and nothing to run out of turn."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    for _ in range(5):
        house.forward(HOUR)
        assert house.hears(house.call, Outcome.UP, Reason.BUSY) == []
        assert house.state() == (State.UP, Reason.OK)


def test_dead_sip_is_not_a_dead_service_by_an_old_call() -> None:
    """The call of an hour ago says nothing of the host now: the reason stays the timeout."""
    house = House()
    house.hears(house.sip, Outcome.UP)
    house.hears(house.call, Outcome.UP)
    house.clock.forward(HOUR)
    for _ in range(12):
        house.clock.forward(2)
        house.hears(house.sip, Outcome.DOWN, Reason.TIMEOUT)
    assert house.state() == (State.DOWN, Reason.TIMEOUT)


def test_verdict_of_the_night_stands_by_day() -> None:
    """Between its hours a call does not go stale; it does when a whole night brought nothing."""
    assert stale_after(call()) == 3 * HOUR + 20
    assert stale_after(call(opening=NIGHT)) == 3 * HOUR + 20 + 18 * HOUR
    house = House(NIGHT)
    house.hears(house.sip, Outcome.UP)
    for _ in range(2):
        house.hears(house.call, Outcome.UP, Reason.LOSS, impaired=True)
        house.forward(300)
    assert house.state() == (State.DEGRADED, Reason.LOSS)
    house.forward(17 * HOUR)
    assert house.state() == (State.DEGRADED, Reason.LOSS)
    house.forward(5 * HOUR)
    assert house.state() == (State.UP, Reason.OK)


def test_silent_call_is_as_many_invites() -> None:
    """Over UDP five in eight seconds; over TCP the kernel's SYNs: four."""
    assert tries(call()) == 5
    tcp = check("codec", "call", timeout=20.0, always=True, transport="tcp")
    assert tries(tcp) == 4
