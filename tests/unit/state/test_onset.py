"""What was down before a restart is shown since it began; what is decided never looks at it."""

from __future__ import annotations

from tests.fakes.inventory import endpoint, settings
from tests.fakes.simulation import Simulation, Weather
from vcmon.model.memory import Sample
from vcmon.model.status import Standing, State
from vcmon.state.track import Packets

DEAD = Weather(cut=True)
FINE = Weather()
OLD = 500.0  # seconds before the start at which the outage had begun


def started(weather: Weather, *names: str) -> tuple[Simulation, float]:
    """A monitor just started, which was told that all endpoints and provinces had been down."""
    made = [endpoint(name, "icmp sip", province=f"p{name}") for name in names]
    sim = Simulation(settings(*made), lambda check, now: weather)
    onset = sim.clock.wall() - OLD
    subjects = [f"endpoint:{name}" for name in names] + [f"province:p{name}" for name in names]
    sim.board.remember(dict.fromkeys(subjects, onset))
    return sim, onset


def shown(sim: Simulation) -> list[Standing]:
    (province,) = sim.board.snapshot().provinces
    return [province.standing, province.endpoints[0].standing]


def test_only_the_dead_keep_their_onset() -> None:
    """Of two that had been down one is back: it is up since now, the other down since then."""
    made = [endpoint(name, "icmp sip", province=f"p{name}") for name in "abcd"]
    sim = Simulation(settings(*made), lambda check, now: DEAD if check.id.endpoint == "a" else FINE)
    began = sim.clock.wall()
    sim.board.remember(dict.fromkeys(("endpoint:a", "province:pa", "endpoint:b"), began - OLD))
    sim.run(60)
    found = {p.province.slug: p for p in sim.board.snapshot().provinces}
    assert found["pa"].standing.state is State.DOWN
    assert found["pa"].standing.since == began - OLD
    assert found["pa"].endpoints[0].standing.since == began - OLD
    assert found["pb"].endpoints[0].standing.state is State.UP
    assert found["pb"].endpoints[0].standing.since >= began
    (down,) = [t for t in sim.transitions if t.subject == "province:pa"]
    assert down.at >= began  # nothing that is announced reaches back over the gap
    assert sim.board.standings()["province:pa"].since >= began


def test_an_onset_is_forgotten_with_the_recovery() -> None:
    """After a recovery the next outage is shown since itself."""
    made = [endpoint(name, "icmp sip", province=f"p{name}") for name in "abcd"]
    dead = {"a"}
    sim = Simulation(
        settings(*made), lambda check, now: DEAD if check.id.endpoint in dead else FINE
    )
    began = sim.clock.wall()
    sim.board.remember(dict.fromkeys(("endpoint:a", "province:pa"), began - OLD))
    sim.run(60)
    dead.clear()
    sim.run(60)
    dead.add("a")
    sim.run(60)
    found = {p.province.slug: p for p in sim.board.snapshot().provinces}["pa"]
    assert found.standing.state is State.DOWN
    assert found.standing.since > began + 100
    assert found.endpoints[0].standing.since > began + 100


def test_a_verdict_that_is_there_already_is_left_alone() -> None:
    """A memory that is opened late changes nothing of what was found up meanwhile."""
    sim, _ = started(FINE, "a")
    sim.run(30)
    before = shown(sim)
    sim.board.remember({"endpoint:a": 1.0, "province:pa": 1.0, "endpoint:gone": 1.0})
    assert shown(sim) == before
    assert {standing.state for standing in before} == {State.UP}


def test_jitter_is_that_of_neighbours_in_one_burst() -> None:
    """What lies between two bursts is no neighbourhood; a burst of one has no jitter."""
    packets = Packets()
    packets.add(3, 0, (0.010, 0.014, 0.012))
    packets.add(2, 1, (0.500,))
    packets.add(2, 0, (0.011, 0.010))
    taken = packets.take("endpoint:a", 9.0)
    assert (taken.jitter_sum, taken.jitter_n) == (7_000, 3)
    assert packets.take("endpoint:a", 9.0) == Sample("endpoint:a", 9.0)


def test_packets_are_counted_between_two_questions() -> None:
    """Each question gets what was sent since the last one; an outage is no loss."""
    sim, _ = started(FINE, "a")
    sim.run(60)
    (first,) = list(sim.board.packets())
    assert first.series == "endpoint:a"
    assert first.at == sim.clock.wall()
    assert first.sent >= 6 * 5
    assert first.lost == 0
    assert (first.rtt_sum, first.rtt_max) == (first.rtt_n * 20_000, 20_000)
    assert (first.jitter_sum, first.jitter_n) == (0, first.rtt_n // 5 * 4)
    assert list(sim.board.packets()) == []
    sim.run(10)
    (second,) = list(sim.board.packets())
    assert 0 < second.sent < first.sent
    sim.world = lambda check, now: DEAD
    sim.run(60)
    left: list[Sample] = list(sim.board.packets())
    assert sum(each.lost for each in left) == 0
