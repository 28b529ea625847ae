"""A link that is far off its own normal, as the board believes it."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from tests.fakes.results import down, up
from vcmon.config.settings import QualityClass, Settings
from vcmon.model.baseline import Baseline
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Direction, Echo, Reason, Streams
from vcmon.model.status import EndpointStatus, Standing, State, Transition
from vcmon.state.board import Board
from vcmon.state.quality import UNUSUAL_FROM, WINDOW

COUNTRY = inventory(endpoint("a", "icmp tcp", province="aceh"))
USUAL = {"a": Baseline(0.062, 0.070)}


class Scene:
    """A board over one endpoint, and its clock."""

    def __init__(self, settings: Settings = COUNTRY) -> None:
        self.clock, self.seen = FakeClock(), list[Transition]()
        self.board = Board(settings, self.clock, self.seen.append)
        self.board.load(settings)
        self.board.set_baselines(USUAL)

    def bursts(self, rtt: float, number: int) -> None:
        """So many rounds of both checks, ten seconds apart."""
        for _ in range(number):
            now = self.clock.monotonic()
            self.board.record(up(now, check=CheckId("a", "tcp")))
            self.board.record(up(now, check=CheckId("a", "icmp"), echo=Echo(5, 5, rtts=(rtt,) * 5)))
            self.clock.forward(10)
            self.board.tick()

    def now(self) -> EndpointStatus:
        return self.board.snapshot().provinces[0].endpoints[0]

    def province(self) -> Standing:
        return self.board.snapshot().provinces[0].standing


def test_the_endpoint_and_its_province_tell_both_times() -> None:
    """Degraded with the reason rtt, the time that is and the one that is usual; then up again."""
    scene = Scene()
    scene.bursts(0.062, WINDOW)
    assert scene.now().standing.state is State.UP
    assert scene.now().quality.usual == 0.062
    scene.bursts(0.162, UNUSUAL_FROM - 1)
    assert scene.now().standing.state is State.UP
    scene.bursts(0.162, 1)
    for standing in (scene.now().standing, scene.province()):
        assert (standing.state, standing.reason) == (State.DEGRADED, Reason.RTT)
        assert (standing.rtt, standing.usual) == (0.162, 0.062)
    scene.bursts(0.250, WINDOW)
    assert (scene.now().standing.rtt, scene.province().rtt) == (0.250, 0.250)
    scene.bursts(0.062, WINDOW)
    assert scene.now().standing == replace(scene.now().standing, state=State.UP, rtt=0, usual=0)
    changes = [(t.subject, t.new.state) for t in scene.seen if t.subject == "endpoint:a"]
    assert [state for _, state in changes] == [State.UP, State.DEGRADED, State.UP]


def test_a_class_can_do_without() -> None:
    """With baseline: false nothing is unusual; a reload that says so takes it back."""
    scene = Scene()
    scene.bursts(0.162, WINDOW)
    assert scene.now().standing.state is State.DEGRADED
    scene.board.load(replace(COUNTRY, quality={"": QualityClass(baseline=False)}))
    scene.bursts(0.162, 1)
    assert scene.now().standing.state is State.UP
    assert scene.now().quality.usual is None
    scene.board.load(COUNTRY)
    scene.bursts(0.162, 1)
    assert scene.now().standing.state is State.DEGRADED


def test_a_second_measurement_is_not_counted_twice() -> None:
    """Beside pings the echo of another check measures no round trips, but its streams count."""
    scene = Scene()
    scene.bursts(0.062, WINDOW)
    before = scene.now().quality
    other = up(scene.clock.monotonic(), check=CheckId("a", "tcp"), echo=Echo(5, 1, rtts=(0.9,)))
    scene.board.record(other)
    assert scene.board.snapshot() is not None
    scene.bursts(0.062, 1)
    assert scene.now().quality == before
    clean, lossy = Direction(100, 100, 0.001), Direction(100, 90, 0.001)
    scene.board.record(
        up(scene.clock.monotonic(), check=CheckId("a", "tcp"))._replace(
            streams=Streams(clean, lossy)
        )
    )
    assert (scene.now().standing.state, scene.now().standing.reason) == (
        State.DEGRADED,
        Reason.LOSS,
    )
    assert scene.now().quality.backward == lossy
    assert scene.now().quality.loss == 0.0


def test_samples_tell_the_round_trips_of_one_check() -> None:
    """What is remembered of RTT, and so what becomes normal, is of the check that measures."""
    scene = Scene()
    scene.bursts(0.062, 2)
    scene.board.record(
        up(scene.clock.monotonic(), check=CheckId("a", "tcp"), echo=Echo(5, 5, rtts=(0.9,) * 5))
    )
    (sample,) = scene.board.packets()
    assert (sample.rtt_n, sample.rtt_sum) == (10, 620_000)


def test_what_is_not_measured_any_more_degrades_nothing() -> None:
    """Where a firewall shuts out pings and the service goes on, the old fault is over."""
    scene = Scene()
    scene.bursts(0.162, WINDOW)
    assert scene.now().standing.state is State.DEGRADED
    for _ in range(60):
        now = scene.clock.monotonic()
        scene.board.record(up(now, check=CheckId("a", "tcp")))
        silent = down(now, Reason.TIMEOUT)._replace(check=CheckId("a", "icmp"), echo=Echo(5, 0))
        scene.board.record(silent)
        scene.clock.forward(2)
        scene.board.tick()
    assert scene.now().standing.state is State.UP


def test_what_is_not_known_any_more_is_taken_back() -> None:
    """None ends a normal; who is not watched has none; the others keep theirs."""
    scene = Scene()
    scene.bursts(0.162, WINDOW)
    scene.board.set_baselines({"nobody": Baseline(1, 1)})
    assert scene.now().standing.usual == 0.062
    scene.board.set_baselines({"a": None})
    scene.bursts(0.162, 1)
    assert (scene.now().standing.state, scene.now().quality.usual) == (State.UP, None)
