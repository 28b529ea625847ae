"""The rules of truth, end to end in virtual time: timetable, machine, guard, roll-up, board."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import check, endpoint, settings
from tests.fakes.results import down
from tests.fakes.simulation import Simulation, Weather, World
from vcmon.model.endpoint import Check, Endpoint, Role
from vcmon.model.result import Reason
from vcmon.model.status import State
from vcmon.state.board import Board

FINE = Weather()
CUT = Weather(cut=True)

TIMEOUT = 2.0  # seconds of a check by default: by so much the counters are late


def country(kinds: str = "icmp sip", count: int = 38) -> list[Endpoint]:
    return [endpoint(f"p{n:02}-codec", kinds, province=f"p{n:02}") for n in range(count)]


def broken(weather: Weather, prefix: str, since: float, until: float = float("inf")) -> World:
    """A world in which the endpoints with this prefix have this weather for a while."""

    def world(check: Check[Any], now: float) -> Weather:
        hit = check.id.endpoint.startswith(prefix) and since <= now < until
        return weather if hit else FINE

    return world


@pytest.mark.parametrize("canaries", [(), ("192.0.2.250", "192.0.2.251")])
@pytest.mark.parametrize("weather", [CUT, Weather(answer=Reason.REFUSED)])
@pytest.mark.catalogue("T01")
def test_one_cut_is_found_in_time(weather: Weather, canaries: tuple[str, ...]) -> None:
    """A clean cut of one province is down within 18 s, backdated, and nothing else is."""
    delays = []
    for phase in range(20):
        begun = 1100.0 + phase * 0.53
        sim = Simulation(settings(*country(), canaries=canaries), broken(weather, "p07", begun))
        sim.run(200)
        (change,) = sim.changes("province:p07", State.DOWN)
        delays.append(change.noticed_at - sim.clock.offset - begun)
        assert 0 <= change.at - sim.clock.offset - begun <= 10.1
        wrong = [
            t for t in sim.transitions if t.new.state is not State.UP and "p07" not in t.subject
        ]
        assert wrong == []
    assert median(delays) <= 12
    assert max(delays) <= 18


def test_an_outage_around_a_blind_spell_leaves_the_spell_unknown() -> None:
    """Down before and after our own side was cut: the onset stays, the time between is unknown."""

    def world(check: Check[Any], now: float) -> Weather:
        dark = 1500 <= now < 1800
        return CUT if dark or (check.id.endpoint == "p07-codec" and now >= 1100) else FINE

    sim = Simulation(settings(*country(), canaries=("192.0.2.250",)), world)
    sim.run(1200)
    mine = [t for t in sim.transitions if t.subject == "province:p07"][1:]
    assert [t.new.state for t in mine] == [State.DOWN, State.UNKNOWN, State.DOWN]
    first, hidden, again = mine
    assert again.new.since == first.new.since
    assert again.at == again.noticed_at >= sim.clock.offset + 1800
    assert hidden.at <= sim.clock.offset + 1550


def test_an_outage_that_ended_in_the_dark_is_not_told_again() -> None:
    """Down before a blind spell, answering after it: unknown until confirmed, then up."""

    def world(check: Check[Any], now: float) -> Weather:
        lost = check.id.endpoint == "p07-codec" and 1100 <= now < 1600
        return CUT if lost or 1500 <= now < 1800 else FINE

    sim = Simulation(settings(*country(), canaries=("192.0.2.250",)), world)
    sim.run(1200)
    mine = [t for t in sim.transitions if t.subject == "province:p07"][1:]
    assert [t.new.state for t in mine] == [State.DOWN, State.UNKNOWN, State.UP]
    assert 0 <= mine[-1].at - sim.clock.offset - 1800 <= 10.1


def test_recovery_takes_two_answers_ten_seconds_apart() -> None:
    """The end of an outage is backdated to the first of two answers at least 10 s apart."""
    sim = Simulation(settings(*country()), broken(CUT, "p07", 1100, 1160))
    sim.run(300)
    (change,) = [t for t in sim.changes("province:p07", State.UP) if t.old.state is State.DOWN]
    assert 0 <= change.at - sim.clock.offset - 1160 <= 10.1
    assert change.noticed_at - change.at >= 10


@pytest.mark.parametrize(
    "kinds", ["icmp", "sip", "tcp", "https", "turn", "h323", "icmp sip tcp", "icmp https"]
)
@pytest.mark.catalogue("T18")
def test_loss_alone_is_no_outage(kinds: str) -> None:
    """At 20 % loss each way, beginning at once on clean links, nothing is ever down."""
    sim = Simulation(
        settings(*country(kinds)),
        lambda check, now: Weather(loss=0.36) if now > 1300 else FINE,
        seed=7,
    )
    sim.run(3600)
    assert sim.rounds > 10_000
    assert [t for t in sim.transitions if t.new.state in {State.DOWN, State.UNREACHABLE}] == []


@pytest.mark.parametrize(
    ("kinds", "limit"), [("icmp", 18), ("sip", 18), ("tcp", 20), ("icmp https", 20), ("https", 26)]
)
def test_a_cut_under_loss_is_found(kinds: str, limit: float) -> None:
    """A clean cut on a link that loses 20 % each way is found nearly as fast."""
    for phase in range(10):
        begun = 1900 + phase * 1.13

        def world(check: Check[Any], now: float, begun: float = begun) -> Weather:
            cut = check.id.endpoint.startswith("p07") and now >= begun
            return CUT if cut else Weather(loss=0.36)

        sim = Simulation(settings(*country(kinds)), world, seed=phase)
        sim.run(1200)
        (change,) = sim.changes("province:p07", State.DOWN)
        assert change.noticed_at - sim.clock.offset - begun <= limit


@pytest.mark.parametrize("canaries", [(), ("192.0.2.250",)])
@pytest.mark.parametrize("weather", [CUT, Weather(local=Reason.NO_ROUTE)])
@pytest.mark.catalogue("T16")
def test_our_own_uplink_is_one_banner(weather: Weather, canaries: tuple[str, ...]) -> None:
    """When our side is cut nothing is down: what fell is unknown, and we are blind."""
    world = broken(weather, "", 1200, 1300)
    sim = Simulation(settings(*country(), canaries=canaries), world)
    sim.run(225)
    assert sim.board.snapshot().uplink.blind
    sim.run(30)
    assert sim.board.snapshot().counts()[State.UNKNOWN] == 38
    sim.run(200)
    snapshot = sim.board.snapshot()
    assert not snapshot.uplink.blind
    assert snapshot.counts()[State.UP] == 38
    assert [t for t in sim.transitions if t.new.state is State.DOWN] == []


def test_many_fall_while_canaries_hold() -> None:
    """When the canaries answer, 30 of 38 provinces falling together are down, not unknown."""
    names = {f"p{n:02}-codec" for n in range(30)}

    def world(check: Check[Any], now: float) -> Weather:
        return CUT if check.id.endpoint in names and now > 1200 else FINE

    sim = Simulation(settings(*country(), canaries=["192.0.2.250"]), world)
    sim.run(240)
    assert sim.board.snapshot().counts()[State.DOWN] == 30
    assert not sim.board.snapshot().uplink.blind


def test_a_dead_canary_hides_no_outage() -> None:
    """A canary that dies on its own neither blinds us nor hides a real outage."""

    def world(check: Check[Any], now: float) -> Weather:
        dead = check.id.endpoint.startswith(("canary", "p07")) and now > 1200
        return CUT if dead else FINE

    sim = Simulation(settings(*country(), canaries=["192.0.2.250"]), world)
    sim.run(240)
    assert sim.state("province:p07") is State.DOWN
    assert not sim.board.snapshot().uplink.blind


def test_an_outage_from_before_survives_our_blindness() -> None:
    """A province that was down before we went blind keeps its onset when we see again."""

    def world(check: Check[Any], now: float) -> Weather:
        down = check.id.endpoint.startswith("p07") and now > 1100
        return CUT if down or 1200 < now < 1300 else FINE

    sim = Simulation(settings(*country(), canaries=["192.0.2.250"]), world)
    sim.run(500)
    assert sim.state("province:p07") is State.DOWN
    assert sim.board.snapshot().counts()[State.UP] == 37
    checks = [c for p in sim.board.snapshot().provinces for e in p.endpoints for c in e.checks]
    onset = next(c.since for c in checks if c.check.id == ("p07-codec", "sip"))
    assert 1100 <= onset - sim.clock.offset <= 1110.1


def hub_and_children() -> list[Endpoint]:
    hub = endpoint("hub", "icmp", province="pusat", role=Role.ROUTER)
    behind = [
        endpoint(f"p{n:02}-codec", province=f"p{n:02}", depends_on=("hub",)) for n in range(5)
    ]
    others = [endpoint(f"p{n:02}-codec", province=f"p{n:02}") for n in range(5, 38)]
    return [hub, *behind, *others]


@pytest.mark.catalogue("T22")
def test_children_of_a_dead_parent_are_unreachable() -> None:
    """One dead hub: its provinces are unreachable with the hub named, never down, not even after
    it came back."""
    names = {"hub", *(f"p{n:02}-codec" for n in range(5))}

    def world(check: Check[Any], now: float) -> Weather:
        return CUT if check.id.endpoint in names and 1200 < now < 1300 else FINE

    for seed in range(5):
        sim = Simulation(settings(*hub_and_children(), canaries=["192.0.2.250"]), world, seed=seed)
        sim.run(260)
        snapshot = sim.board.snapshot()
        assert snapshot.counts()[State.UNREACHABLE] == 5
        assert {p.standing.parent for p in snapshot.provinces if p.standing.parent} == {"hub"}
        assert sim.state("endpoint:hub") is State.DOWN
        sim.run(200)
        assert set(sim.board.snapshot().counts()) == {State.UP}
        downs = {t.subject for t in sim.transitions if t.new.state is State.DOWN}
        assert downs == {"endpoint:hub", "province:pusat"}


def router_and_codec(slug: str) -> tuple[Endpoint, Endpoint]:
    router = f"{slug}-router"
    return (
        endpoint(router, "tcp", province=slug, role=Role.ROUTER, depends_on=("hub",)),
        endpoint(f"{slug}-codec", "sip", province=slug, depends_on=(router,)),
    )


@pytest.mark.catalogue("T22")
def test_a_whole_branch_comes_back_without_a_down() -> None:
    """Hub, router, codec: when the hub comes back nothing below it is ever called down."""
    hub = endpoint("hub", "icmp", province="pusat", role=Role.ROUTER)
    branch = [
        e
        for n in range(8)
        for e in (
            endpoint(
                f"b{n}-router", "tcp", province=f"b{n}", role=Role.ROUTER, depends_on=("hub",)
            ),
            endpoint(f"b{n}-codec", "sip", province=f"b{n}", depends_on=(f"b{n}-router",)),
        )
    ]
    for seed in range(10):
        until = 1300 + 1.37 * seed

        def world(check: Check[Any], now: float, until: float = until) -> Weather:
            dead = check.id.endpoint.startswith(("hub", "b")) and 1200 < now < until
            return CUT if dead else FINE

        sim = Simulation(settings(hub, *branch, *country()), world, seed=seed)
        sim.run(600)
        assert set(sim.board.snapshot().counts()) == {State.UP}
        downs = {t.subject for t in sim.transitions if t.new.state is State.DOWN}
        assert downs == {"endpoint:hub", "province:pusat"}
        assert {t.new.parent for t in sim.changes("province:b3", State.UNREACHABLE)} == {"hub"}


def test_a_child_that_stays_dead_becomes_down() -> None:
    """A child that does not come back with its parent is down by its own failures."""

    def world(check: Check[Any], now: float) -> Weather:
        dead = check.id.endpoint == "hub" and 1200 < now < 1300
        return CUT if dead or (check.id.endpoint == "p03-codec" and now > 1200) else FINE

    sim = Simulation(settings(*hub_and_children()), world)
    sim.run(260)
    assert sim.state("province:p03") is State.UNREACHABLE
    sim.run(200)
    assert sim.state("province:p03") is State.DOWN


@pytest.mark.catalogue("T05")
def test_silence_of_the_engine_is_stale_not_green() -> None:
    """Without results everything is unknown after three intervals, and no state resolves."""
    sim = Simulation(settings(*country()), broken(CUT, "p07", 1100))
    sim.run(200)
    sim.clock.forward(33)
    sim.board.tick()
    counts = sim.board.snapshot().counts()
    assert counts == {State.UNKNOWN: 38}


@pytest.mark.catalogue("T15", "T19")
def test_a_frozen_process_is_a_gap() -> None:
    """Ten frozen minutes are counted as unknown, a wall step of a day as nothing."""
    sim = Simulation(settings(*country(count=6)), broken(CUT, "none", 0))
    sim.run(100)
    sim.clock.forward(600)
    sim.clock.step_wall(86_400)
    sim.run(100)
    assert [t for t in sim.transitions if t.new.state is State.DOWN] == []
    for seconds in sim.board.province_seconds().values():
        assert seconds[State.UNKNOWN] == pytest.approx(600, abs=15)
        assert seconds[State.DOWN] == 0
        assert sum(seconds.values()) == pytest.approx(800 - TIMEOUT, abs=1)


@pytest.mark.parametrize("fallen", ["p07", "hub"])
def test_the_counters_of_seconds_say_what_the_transitions_say(fallen: str) -> None:
    """An outage counts from its onset to its end: neither its confirmation nor that of the end."""

    def world(check: Check[Any], now: float) -> Weather:
        return CUT if fallen in check.id.endpoint and 1100 < now < 1150 else FINE

    sim = Simulation(settings(*(hub_and_children() if fallen == "hub" else country())), world)
    sim.run(400)
    slug = "pusat" if fallen == "hub" else "p07"
    (fell,) = sim.changes(f"province:{slug}", State.DOWN)
    rose = sim.changes(f"province:{slug}", State.UP)[-1]
    assert rose.noticed_at - rose.at > 9
    seconds = sim.board.province_seconds()[slug]
    assert seconds[State.DOWN] == pytest.approx(rose.at - fell.at, abs=0.01)
    assert seconds[State.UNKNOWN] < 11  # before the first round
    assert sum(seconds.values()) == pytest.approx(400 - TIMEOUT, abs=1)


def test_removing_the_dead_endpoint_heals_its_province() -> None:
    """After a reload the province is what its remaining endpoints are, and keeps their onset."""
    two = [endpoint("a", "sip"), endpoint("b", "sip", role=Role.ROOM)]
    sim = Simulation(settings(*two), broken(CUT, "b", 1100))
    sim.run(200)
    assert sim.state("province:aceh") is State.DEGRADED
    sim.board.load(settings(two[0]))
    assert sim.state("province:aceh") is State.UP


@pytest.mark.catalogue("T13")
@pytest.mark.parametrize("kind", ["lossy", "flapping"])
def test_no_confirmation_hides_a_sick_link(kind: str) -> None:
    """A link that loses 30 %, or is silent for two runs in every minute, is degraded in 10 min."""

    def world(check: Check[Any], now: float) -> Weather:
        if not check.id.endpoint.startswith("p03") or now < 1100:
            return FINE
        if kind == "lossy":
            return Weather(loss=0.3)
        return CUT if now % 60 < 12 and int(now) % 4 < 2 else FINE

    sim = Simulation(settings(*country("icmp", 6)), world)
    sim.run(700)
    first = sim.changes("province:p03", State.DEGRADED)[0]
    assert first.new.reason is Reason.LOSS
    assert first.noticed_at - sim.clock.offset - 1100 < 600
    assert sim.state("province:p00") is State.UP


@pytest.mark.parametrize(("setup", "attempts"), [(False, 4), (True, 1)])
def test_a_call_is_never_confirmed_by_several_at_once(setup: bool, attempts: int) -> None:
    """A confirming run asks four times at once, unless that would ring somebody's codec."""
    asked = check("codec", "h323", setup=setup)
    one = replace(endpoint("codec", "h323"), checks=(asked,))
    board = Board(settings(one), FakeClock(), lambda _: None)
    reruns = board.record(down(1000.0)._replace(check=asked.id))
    assert [(again.check, again.attempts) for again in reruns] == [(asked.id, attempts)]
