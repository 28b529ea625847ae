"""When an endpoint is called unstable, at the exact edges, and what the board makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.inventory import endpoint, settings
from tests.fakes.simulation import Simulation, Weather
from vcmon.config.settings import Flapping
from vcmon.model.endpoint import Check, Role
from vcmon.model.result import Reason
from vcmon.model.status import Standing, State
from vcmon.state.flapping import REMEMBERED, STEADY, Flaps, looked, noted, overlaid

RULES = Flapping()
UP = Standing(State.UP, Reason.OK, since=100.0)


def after(*changes: float) -> Flaps:
    """The flaps after changes at these seconds, the first of them a fall."""
    flaps = noted(STEADY, State.UP, 0.0)
    for number, at in enumerate(changes):
        flaps = noted(flaps, State.UP if number % 2 else State.DOWN, at)
        flaps = looked(flaps, at, RULES)
    return flaps


def test_five_changes_in_half_an_hour_are_flapping() -> None:
    """Four are not; and five are not when the first is exactly half an hour old."""
    assert not after(0, 100, 200, 300).flapping
    assert after(0, 100, 200, 300, 1799.999).flapping
    assert not after(0, 100, 200, 300, 1800).flapping


def test_it_ends_when_fewer_than_three_are_left() -> None:
    """Three changes keep it, two end it."""
    flaps = after(0, 100, 200, 300, 400)
    assert looked(flaps, 1999.999, RULES).flapping
    assert len(looked(flaps, 1999.999, RULES).times) == 3
    assert not looked(flaps, 2000, RULES).flapping


def test_the_next_look_is_due_when_the_oldest_change_leaves() -> None:
    """The board need not look earlier."""
    flaps = after(0, 100, 200, 300, 400)
    assert flaps.until(RULES) == 1800
    assert STEADY.until(RULES) == float("inf")


def test_only_changes_between_lost_and_not_lost_count() -> None:
    """What is first known, unknown between, degraded, or lost for another reason, is no change."""
    flaps = noted(STEADY, State.DOWN, 0)
    for n, state in enumerate([State.UNKNOWN, State.UNREACHABLE, State.UNKNOWN, State.DOWN] * 3):
        flaps = noted(flaps, state, n)
    assert flaps.times == ()
    for n, state in enumerate([State.UP, State.DEGRADED, State.UNKNOWN, State.UP] * 3):
        flaps = noted(flaps, state, 100 + n)
    assert flaps.times == (100,)


def test_what_is_remembered_is_bounded() -> None:
    """A thousand changes, not more."""
    flaps = STEADY
    for n in range(2 * REMEMBERED):
        flaps = noted(flaps, State.UP if n % 2 else State.DOWN, n / 1000)
    assert len(flaps.times) == REMEMBERED


@pytest.mark.parametrize("state", [State.DOWN, State.UNREACHABLE, State.DEGRADED, State.UNKNOWN])
def test_only_up_is_overlaid(state: State) -> None:
    """An outage is never hidden by flapping, and a reason of its own says more."""
    flapping = after(0, 1, 2, 3, 4)
    standing = Standing(state, Reason.TIMEOUT)
    assert overlaid(standing, flapping, RULES) is standing
    shown = overlaid(UP, flapping, RULES)
    assert (shown.state, shown.reason) == (State.DEGRADED, Reason.FLAPPING)
    assert (shown.changes, shown.within, shown.since) == (5, 1800.0, 100.0)
    assert overlaid(UP, after(0, 1, 2, 3), RULES) is UP


def blinking(check: Check[Any], now: float) -> Weather:
    """Cut for one minute in three, from second 1060 on, seven minutes and more."""
    cut = check.id.endpoint == "a" and 1060 <= now < 1700 and (now - 1060) % 180 < 60
    return Weather(cut=cut)


def test_the_board_shows_what_flaps_as_degraded_and_never_hides_an_outage() -> None:
    """Each fall is still told; between them it is degraded, and half an hour later up again."""
    sim = Simulation(
        settings(endpoint("a"), *(endpoint(f"c{n}", province=f"c{n}") for n in range(5))),
        blinking,
    )
    sim.run(700)
    falls = sim.changes("endpoint:a", State.DOWN)
    assert len(falls) == 4
    [unstable] = [t for t in sim.changes("endpoint:a", State.DEGRADED) if t.new.changes == 6]
    assert unstable.new.reason is Reason.FLAPPING
    sim.run(200)
    assert sim.state("endpoint:a") is State.DEGRADED
    [standing] = [p.standing for p in sim.board.snapshot().provinces if p.province.slug == "aceh"]
    assert (standing.reason, standing.changes, standing.within) == (Reason.FLAPPING, 8, 1800.0)
    sim.run(1700)
    assert sim.state("endpoint:a") is State.UP
    [back] = [t for t in sim.changes("endpoint:a", State.UP) if t.old.state is State.DEGRADED]
    rises = [t for t in sim.transitions if t.subject == "endpoint:a" and t.old.state is State.DOWN]
    assert 0 <= back.at - (rises[-2].noticed_at + 1800) <= 1  # the third last of eight changes
    assert sim.state("province:aceh") is State.UP


def test_what_flapped_before_a_reload_still_does() -> None:
    """The changes are kept of an endpoint whose address is the same, and forgotten with it."""
    here = settings(endpoint("a"), endpoint("b", role=Role.ROUTER))
    sim = Simulation(here, blinking)
    sim.run(800)
    sim.board.load(here)
    assert sim.state("endpoint:a") is State.DEGRADED
    sim.board.load(settings(endpoint("b", role=Role.ROUTER)))
    sim.run(2000)


def test_maintenance_lies_over_the_state() -> None:
    """The board marks what it is told to mark, changes no state, and keeps it over a reload."""
    here = settings(endpoint("a"), endpoint("b", province="bali"))
    sim = Simulation(here, lambda check, now: Weather())
    sim.run(30)
    before = len(sim.transitions)
    sim.board.set_maintenance(frozenset({"province:aceh", "endpoint:a"}))
    sim.board.load(here)
    aceh, bali = sim.board.snapshot().provinces
    assert (aceh.maintenance, aceh.endpoints[0].maintenance) == (True, True)
    assert (bali.maintenance, bali.endpoints[0].maintenance) == (False, False)
    assert aceh.standing.state is State.UP
    sim.board.set_maintenance(frozenset())
    assert not any(
        p.maintenance or p.endpoints[0].maintenance for p in sim.board.snapshot().provinces
    )
    assert len(sim.transitions) == before
