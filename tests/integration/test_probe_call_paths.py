"""Test calls through a network of our own: loss, firewalls, delay and jitter, each way.

``VCMON_CALL_TALK=20`` is the long run of the loss test.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.fakes.call_peers import EchoRoom, answers, echo_room_command
from tests.fakes.figures import record
from tests.fakes.hostile import prober
from tests.fakes.needs import needs
from tests.fakes.netns import Netns, join, netns
from tests.fakes.sip_peers import running
from tests.fakes.tundelay import RIGHT, RTP_LENGTH, Delays, Passed, delay_router
from vcmon.model.result import Blame, Echo, Outcome, Reason, Streams

TALK = float(os.environ.get("VCMON_CALL_TALK", "4.0"))
NETWORK = "10.88.1"
TO_ROOM = "udp dport 10000-12000"
TO_US = "udp sport 10000-12000"
AUDIO = "udp length 180"


@dataclass(frozen=True)
class Found:
    """What a call said, as far as it fits through a pipe."""

    outcome: Outcome
    reason: Reason
    blame: Blame
    text: str
    impaired: bool
    detail: dict[str, Any]
    streams: Streams | None
    echo: Echo | None


async def _call(address: str, port: int, talk: float) -> Found:
    async with prober() as probes:
        seen = await probes.run(
            "call", 40.0, address=address, port=port, user="echo", talk=talk, always=True
        )
        tools = seen.tools
        impaired = seen.result is not None and seen.result.impaired
        return Found(
            seen.outcome,
            seen.reason,
            seen.blame,
            seen.text,
            impaired,
            dict(tools.detail),
            tools.streams,
            tools.echo,
        )


def call(address: str, port: int, talk: float) -> Found:
    """To be run inside the caller's namespace."""
    return asyncio.run(_call(address, port, talk))


@contextlib.contextmanager
def room_at(space: Netns, folder: Path, host: str) -> Iterator[EchoRoom]:
    """baresip inside ``space``."""
    command, room = echo_room_command(folder, host)
    inside = [needs("ip", "iproute2"), "netns", "exec", space.name, *command]
    with running(inside, folder, lambda: space.call(answers, host, room.control)):
        yield room


@contextlib.contextmanager
def two_sites(folder: Path) -> Iterator[tuple[Netns, Netns, EchoRoom]]:
    """Us, them, and the room at their site."""
    with netns() as ours, netns() as theirs:
        join(ours, theirs, NETWORK)
        with room_at(theirs, folder, f"{NETWORK}.2") as room:
            yield ours, theirs, room


def drop(space: Netns, rule: str) -> None:
    """Drop at the entrance of ``space`` what this rule matches, and count it."""
    commands = ["add table inet vcmon"]
    commands += ["add chain inet vcmon input { type filter hook input priority 0; }"]
    commands += [f"add rule inet vcmon input {rule} counter drop"] if rule else []
    space.run(needs("nft", "nftables"), "; ".join(commands))


def dropped(space: Netns) -> int:
    """Packets that the kernel dropped there."""
    words = space.run(needs("nft", "nftables"), "list", "table", "inet", "vcmon").split()
    return sum(int(words[at + 1]) for at, word in enumerate(words) if word == "packets")


@dataclass(frozen=True)
class Case:
    """What is dropped at each entrance, and what the call is to say."""

    theirs: str
    ours: str
    outcome: Outcome
    reason: Reason
    words: str
    impaired: bool = False


EVERY_40TH, EVERY_9TH = "numgen inc mod 40 == 7", "numgen inc mod 9 == 5"
"""By turns, as of two packets lost at either end of a call at random nobody there can know."""

UP, DOWN = Outcome.UP, Outcome.DOWN
CASES = {
    "loss of every 40th": Case(
        f"{TO_ROOM} {AUDIO} {EVERY_40TH}",
        f"{TO_US} {AUDIO} {EVERY_40TH}",
        UP,
        Reason.LOSS,
        "at most 1%",
        impaired=True,
    ),
    "loss of every 9th": Case(
        f"{TO_ROOM} {AUDIO} {EVERY_9TH}",
        f"{TO_US} {AUDIO} {EVERY_9TH}",
        DOWN,
        Reason.LOSS,
        "at most 5%",
    ),
    "media to us": Case("", TO_US, DOWN, Reason.FILTERED, "no media came"),
    "media to them": Case(TO_ROOM, "", UP, Reason.FILTERED, "its side", impaired=True),
    "audio to us": Case("", f"{TO_US} {AUDIO}", UP, Reason.FILTERED, "our side", impaired=True),
    "all media": Case(TO_ROOM, TO_US, DOWN, Reason.FILTERED, "signalling passes"),
}


@dataclass(frozen=True)
class Outcomes:
    """What a call said, what the kernel dropped at each entrance, and what was left up."""

    found: Found
    dropped: tuple[int, int]
    left: int


def _play(case: Case, folder: Path) -> Outcomes:
    folder.mkdir()
    with two_sites(folder) as (ours, theirs, room):
        drop(theirs, case.theirs)
        drop(ours, case.ours)
        found = ours.call(call, room.host, room.port, TALK)
        return Outcomes(found, (dropped(theirs), dropped(ours)), theirs.call(room.calls))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    """Every case in namespaces of its own, all at once: each takes the time of a call."""
    folder = tmp_path_factory.mktemp("calls")
    with ThreadPoolExecutor(len(CASES)) as pool:
        begun = {
            name: pool.submit(_play, case, folder / name.replace(" ", "-"))
            for name, case in CASES.items()
        }
        return {name: future.result() for name, future in begun.items()}


@pytest.mark.parametrize("name", CASES)
def test_path_has_its_verdict(name: str, played: dict[str, Outcomes]) -> None:
    """Loss, and firewalls that pass signalling and drop media: state, reason, which direction."""
    case, seen = CASES[name], played[name]
    found = seen.found
    assert (found.outcome, found.reason, found.impaired) == (
        case.outcome,
        case.reason,
        case.impaired,
    ), found.text
    assert found.blame is Blame.PATH
    assert case.words in found.text
    assert seen.left == 0


@pytest.mark.parametrize("name", ["loss of every 40th", "loss of every 9th"])
def test_loss_each_way_is_what_the_kernel_dropped(name: str, played: dict[str, Outcomes]) -> None:
    """Loss to them and to us, each to within one packet of nft's own counter."""
    found, truth = played[name].found, played[name].dropped
    assert found.streams is not None
    forward, backward = found.streams.forward, found.streams.backward
    assert forward is not None
    assert backward is not None
    told = forward.sent - forward.received, backward.sent - backward.received
    figure = f"to them {told[0]} (kernel {truth[0]}), to us {told[1]} (kernel {truth[1]})"
    passed = all(abs(a - b) <= 1 for a, b in zip(told, truth, strict=True))
    record(f"call {name}", figure, "within 1 packet", passed)
    assert min(truth) > 0
    assert passed, figure


def jitters(passed: list[Passed], *, to_right: bool) -> dict[int, float]:
    """By sequence number: RFC 3550's jitter (s) after each audio packet as it was written."""
    found: dict[int, float] = {}
    jitter, before = 0.0, None
    for packet in passed:
        if packet.to_right is not to_right or packet.length != RTP_LENGTH:
            continue
        sequence, timestamp = struct.unpack_from("!HI", packet.payload, 2)
        transit = packet.written / 1e9 - timestamp / 8000
        if before is not None:
            jitter += (abs(transit - before) - jitter) / 16
        before = transit
        found[sequence] = jitter
    return found


def round_trips(passed: list[Passed]) -> list[float]:
    """Seconds on the way, of each report to us and the last of ours that had arrived before it."""
    found, there = [], 0
    for packet in passed:
        if packet.length == RTP_LENGTH or packet.payload[1] not in (200, 201):
            continue
        if packet.to_right:
            there = packet.written - packet.read
        elif there:
            found.append((there + packet.written - packet.read) / 1e9)
    return found


@dataclass(frozen=True)
class Timed:
    """What was told, and what the router had, in seconds: round trip, jitter to them and to us."""

    told: tuple[float, float, float]
    true: tuple[float, float, float]

    @property
    def exact(self) -> bool:
        return all(abs(a - b) <= 0.001 for a, b in zip(self.told, self.true, strict=True))

    def __str__(self) -> str:
        names = ("RTT", "jitter to them", "jitter to us")
        return ", ".join(
            f"{name} {a * 1000:.2f} ms (router {b * 1000:.2f})"
            for name, a, b in zip(names, self.told, self.true, strict=True)
        )


def _timed(folder: Path) -> Timed:
    folder.mkdir()
    with (
        netns() as ours,
        netns() as theirs,
        delay_router(ours, theirs, Delays(there=0.040, back=0.025, jitter=0.012)) as router,
        room_at(theirs, folder, RIGHT) as room,
    ):
        found = ours.call(call, room.host, room.port, 4.0)
        passed = router.stop()
    assert found.outcome is Outcome.UP, found.text
    assert found.echo is not None
    assert found.echo.rtt is not None
    assert found.streams is not None
    forward, backward = found.streams.forward, found.streams.backward
    assert forward is not None
    assert backward is not None
    there, back = (list(jitters(passed, to_right=way).values()) for way in (True, False))
    return Timed(
        (found.echo.rtt, forward.jitter or 0.0, backward.jitter or 0.0),
        (median(round_trips(passed)), there[forward.sent - 1], back[backward.received - 1]),
    )


def test_delay_and_jitter_are_what_the_router_recorded(tmp_path: Path) -> None:
    """Round trip by RTCP and jitter each way, within 1 ms of the router's own stamps."""
    for attempt in range(3):  # baresip stamps when it is awake, on a machine that others use, too
        timed = _timed(tmp_path / str(attempt))
        if timed.exact:
            break
    record("call delay and jitter", f"{timed}", "within 1 ms", timed.exact)
    assert timed.exact, f"{timed}"
