"""The stamp probe against reflectors of all sorts, on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from typer.testing import CliRunner

from tests.fakes.stamp_peers import light, peer, probed, reflecting, stamp_check, stateless
from vcmon.app import Workshop
from vcmon.cli import cli
from vcmon.clock import SystemClock
from vcmon.model.result import Blame, Direction, Outcome, Reason, Result, Streams
from vcmon.wire.stamp import ErrorEstimate

QUICK = {"packets": 20, "spacing": 0.005}


@pytest.mark.parametrize(("host", "listen"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_both_directions_by_our_own_reflector(host: str, listen: str) -> None:
    """Every packet there and back, marked EF both ways with a TTL of 255, over IPv4 and IPv6."""
    with reflecting("--listen", f"{listen}:18620") as ours:
        (result,) = probed(stamp_check(host, port=18620, **QUICK))
    assert (result.outcome, result.reason) == (Outcome.UP, Reason.OK)
    assert result.streams is not None
    for direction in result.streams:
        assert direction is not None
        assert (direction.sent, direction.received, direction.dscp) == (20, 20, 46)
        assert direction.jitter is not None
        assert direction.jitter < 0.005
    assert result.echo is not None
    assert (result.echo.sent, result.echo.received) == (20, 20)
    assert 0 < result.echo.rtt < 0.02  # type: ignore[operator]  # it was answered
    assert result.detail["reflector"] == "stateful"
    assert (result.detail["ttl_forward"], result.detail["ttl_backward"]) == (255, 255)
    assert str(result.detail["one_way"]).startswith("not told: ")
    assert ours.counters["answered"] == 20


@pytest.mark.parametrize("length", [38, 41])
def test_short_answers_of_twamp_light(length: int) -> None:
    """Answers of 38 and 41 bytes serve; what they can't tell is not told."""
    with peer(partial(light, length=length)) as port:
        (result,) = probed(stamp_check("127.0.0.1", port=port, **QUICK))
    assert result.outcome is Outcome.UP
    assert result.streams is not None
    assert result.streams.forward is not None
    assert result.streams.forward[:2] == (20, 20)
    assert result.streams.forward.dscp is None
    assert ("ttl_forward" in result.detail) == (length == 41)


def test_a_stateless_reflector_tells_no_direction() -> None:
    """Who repeats our numbers leaves it open where packets were lost; the echo has the loss."""
    with peer(stateless, drop=4) as port:
        (result,) = probed(stamp_check("127.0.0.1", port=port, packets=19, spacing=0.005))
    assert result.outcome is Outcome.UP
    assert result.detail["reflector"] == "stateless"
    assert result.echo is not None
    assert (result.echo.sent, result.echo.received) == (19, 15)
    assert result.streams is not None
    assert [each.loss for each in result.streams if each] == [None, None]


def test_a_stateful_reflector_whose_answers_are_lost() -> None:
    """Loss on the way back alone is told as such, without help of ours at the far end."""
    with peer(light, drop=4) as port:
        (result,) = probed(stamp_check("127.0.0.1", port=port, packets=20, spacing=0.005))
    assert result.streams is not None
    forward, backward = result.streams
    assert forward is not None
    assert backward is not None
    # the last of 20 is lost, too: one more is sent, which proves it
    assert (forward.sent, forward.received) == (21, 21)
    assert (backward.sent, backward.received) == (21, 16)


def test_nobody_answers() -> None:
    """Silence is ``timeout`` on the path, within the timeout."""
    with peer(None) as port:
        (result,) = probed(stamp_check("127.0.0.1", 0.5, port=port, **QUICK))
    assert (result.outcome, result.reason, result.blame) == (
        Outcome.DOWN,
        Reason.TIMEOUT,
        Blame.PATH,
    )
    assert result.echo is not None
    assert result.echo.received == 0
    assert result.duration < 0.7
    assert result.streams is None


def test_no_reflector_there() -> None:
    """A closed port is ``refused``, long before the timeout."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    (result,) = probed(stamp_check("127.0.0.1", port=port))
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.REFUSED)
    assert result.duration < 0.5


@pytest.mark.parametrize("answer", [b"", b"hello", bytes(44), b"\xff" * 1472])
def test_something_else_answers(answer: bytes) -> None:
    """What isn't an answer to our packets is ``protocol``, never up."""
    with peer(lambda _data, _count: answer) as port:
        (result,) = probed(stamp_check("127.0.0.1", 0.5, port=port, **QUICK))
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.PROTOCOL)


def test_an_echo_is_no_reflector() -> None:
    """Our own packets coming back untouched prove no reflector."""
    with peer(lambda data, _count: data) as port:
        (result,) = probed(stamp_check("127.0.0.1", 0.5, port=port, **QUICK))
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.PROTOCOL)


def test_one_way_delays_of_synchronised_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both S bits set the one-way delays are told, with the error that the clocks admit to."""

    def synchronised(data: bytes, count: int) -> bytes:
        answer = light(data, count)
        return answer[:12] + b"\x8f\x84" + answer[14:]  # S, 2**15 * 132 / 2**32: about 1 ms

    # The kernel's own clock is the whole machine's, so that no test may call it synchronised.
    ours = ErrorEstimate(synchronised=True, scale=15, multiplier=132)
    monkeypatch.setattr("vcmon.probes.stamp.clock_error", lambda: ours)
    with peer(synchronised) as port:
        (result,) = probed(stamp_check("127.0.0.1", port=port, **QUICK))
    assert "one_way" not in result.detail
    assert 0 <= float(result.detail["forward_ms"]) < 20
    assert 0 <= float(result.detail["backward_ms"]) < 20
    assert result.detail["clock_error_ms"] == pytest.approx(2.014)


def test_what_people_are_shown(tmp_path: Path) -> None:
    """``vcmon probe`` and its JSON tell both directions."""
    (tmp_path / "vcmon.yaml").write_text(
        "include: [i.csv]\nchecks: {stamp: {kind: stamp, port: 18621, packets: 5, dscp: 34}}\n"
    )
    (tmp_path / "i.csv").write_text(
        "id,province,role,address,checks\nhere,aceh,link,127.0.0.1,stamp\n"
    )
    asked = ["probe", "here", "--config", str(tmp_path / "vcmon.yaml")]
    with reflecting("--listen", "127.0.0.1:18621"):
        shown = CliRunner().invoke(cli, asked)
        told = CliRunner().invoke(cli, [*asked, "--json"])
    assert shown.exit_code == 0
    assert "forward: 5 of 5 arrived, jitter" in shown.output
    assert "backward: 5 of 5 arrived, jitter" in shown.output
    (found,) = json.loads(told.output)
    assert found["streams"]["forward"] == found["streams"]["forward"] | {
        "sent": 5,
        "received": 5,
        "loss": 0.0,
        "dscp": 34,
    }


def test_our_own_stall_is_in_no_round_trip() -> None:
    """The loop stands still for 300 ms: by the kernel's stamps the round trips are true."""

    async def main() -> Result:
        workshop = Workshop.open(SystemClock())
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)
        try:
            return await workshop.runner.run(stamp_check("127.0.0.1", port=18623, **QUICK))
        finally:
            workshop.close()

    with reflecting("--listen", "127.0.0.1:18623"):
        result = asyncio.run(main())
    assert result.outcome is Outcome.UP
    assert result.duration > 0.3
    assert result.echo is not None
    assert result.echo.received == 20
    assert max(result.echo.rtts) < 0.15
    assert median(result.echo.rtts) < 0.01


def test_a_peer_that_answers_a_thousandfold() -> None:
    """Each answer comes a thousand times: the stream ends in time, and little of it is kept."""
    with peer(light, copies=1000) as port:
        (result,) = probed(stamp_check("127.0.0.1", 2.0, port=port, **QUICK))
    assert result.outcome is Outcome.UP
    assert result.duration < 2.2
    assert result.echo is not None
    assert result.echo.duplicates <= 4 * (result.echo.sent + 1)


def test_a_run_that_is_cancelled_leaves_nothing() -> None:
    """Cancelled while it waits, a run closes its socket and listens no more."""

    async def main() -> None:
        workshop = Workshop.open(SystemClock())
        before = len(list(Path("/proc/self/fd").iterdir()))
        with peer(None) as port:
            check = stamp_check("127.0.0.1", port=port)
            task = asyncio.ensure_future(workshop.runner.run(check))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        workshop.close()

    asyncio.run(main())


def test_nothing_measured_is_no_direction() -> None:
    """Counts of nothing are no loss of 0 %."""
    assert Streams(Direction(0, 0)).forward.loss is None  # type: ignore[union-attr]  # made above
