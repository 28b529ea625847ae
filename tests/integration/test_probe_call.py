"""Test calls to real peers on loopback: baresip, SIPp; and to callees that no one should have."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.call_peers import RINGS, STATUS, echo_room, sipp_calls, sipp_scenario
from tests.fakes.certificates import Authority
from tests.fakes.figures import record
from tests.fakes.hostile import Seen, prober, serving
from tests.fakes.process import free_port, listener, write_settings
from tests.fakes.process import running as daemon
from tests.fakes.sip_callee import SDP, Manner, callee
from tests.fakes.sip_peers import HOST, free_ports, silent, udp_peer
from tests.fakes.workshop import workshop
from vcmon.config.kinds import PARAMS
from vcmon.engine.schedule import phase
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.opening import DAY, Opening
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.probes import PROBES

CALLS = int(os.environ.get("VCMON_CALLS", "200"))
AT_ONCE = 64  # calls side by side; each sends and takes 50 packets a second
TALK = 4.0


async def in_thread(ask: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(ask)


async def gone(left: Callable[[], int], seconds: float = 3.0) -> int:
    """How many calls are left up, once they are none or the time is over."""
    until = time.monotonic() + seconds
    while (count := await in_thread(left)) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return int(count)


async def test_real_peers_are_up(tmp_path: Path) -> None:
    """baresip's echo over UDP, TCP and TLS, and SIPp's mirror, all at once; all ended."""
    authority = Authority()
    certificate = authority.issue().write(tmp_path, "good")
    ways = {"udp": {}, "tcp": {}, "tls": {"ca_file": authority.ca_file(tmp_path)}}
    with (
        echo_room(tmp_path, certificate) as room,
        sipp_calls(tmp_path, "-sn", "uas", "-rtp_echo") as sipp_port,
    ):
        async with prober() as probes:
            usual = {"user": "echo", "talk": TALK, "always": True}
            params = [
                {**usual, "transport": way, "port": room.port + (way == "tls"), **more}
                for way, more in ways.items()
            ]
            calls = [
                asyncio.create_task(probes.run("call", 20.0, **each))
                for each in (*params, {**usual, "port": sipp_port})
            ]
            await asyncio.sleep(2)
            assert await in_thread(room.calls) == 3
            *echoes, mirror = await asyncio.gather(*calls)
        assert await gone(room.calls) == 0
    for seen in echoes:
        echo_is_whole(seen)
    assert (mirror.outcome, mirror.reason) == (Outcome.UP, Reason.OK), mirror.text
    assert mirror.tools.streams is None  # its two directions can't be told apart
    assert mirror.tools.echo is not None
    assert int(mirror.tools.detail["echoed"]) >= int(mirror.tools.detail["sent"]) - 1 > 195


def echo_is_whole(seen: Seen) -> None:
    """Both directions whole, round trips told, what was heard our own marks, BYE answered."""
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK), seen.text
    assert seen.result is not None
    assert not seen.result.impaired
    streams = seen.result.streams
    assert streams is not None
    assert streams.forward is not None
    assert streams.backward is not None
    assert streams.forward.sent == streams.forward.received > 195
    assert streams.backward.sent == streams.backward.received > 195
    assert streams.backward.dscp == 46
    assert seen.result.echo is not None
    assert all(0 <= rtt < 0.05 for rtt in seen.result.echo.rtts)
    detail = seen.tools.detail
    assert (detail["status"], detail["codec"], detail["ended"]) == (200, "PCMU", "BYE, 200")
    assert int(detail["echoed"]) > 190
    assert {"answer", "media"} <= set(seen.tools.phases)


REFUSALS = [
    (486, "Busy Here", (Outcome.UP, Reason.BUSY), "in use"),
    (600, "Busy Everywhere", (Outcome.UP, Reason.BUSY), "in use"),
    (603, "Decline", (Outcome.UP, Reason.BUSY), "in use"),
    (404, "Not Found", (Outcome.DOWN, Reason.STATUS), "set user"),
    (503, "Service Unavailable", (Outcome.DOWN, Reason.STATUS), "503"),
    (401, "Unauthorized", (Outcome.DOWN, Reason.AUTH), "credentials"),
    (407, "Proxy Authentication Required", (Outcome.DOWN, Reason.AUTH), "credentials"),
    (302, "Moved Temporarily", (Outcome.DOWN, Reason.STATUS), "302"),
]


@pytest.mark.parametrize(("status", "phrase", "expected", "words"), REFUSALS)
async def test_refusal_has_its_verdict_and_its_ack(
    status: int, phrase: str, expected: tuple[Outcome, Reason], words: str, tmp_path: Path
) -> None:
    """Busy is no alarm, every other refusal is down; SIPp gets the ACK that it wants to each."""
    scenario = STATUS.format(status=status, phrase=phrase)
    with sipp_scenario(tmp_path, scenario) as (port, went_well):
        async with prober() as probes:
            seen = await probes.run("call", 12.0, port=port, talk=TALK, always=True)
        assert await in_thread(went_well)
    assert (seen.outcome, seen.reason) == expected, seen.text
    assert words in str(seen.tools.detail.get("message", seen.text))
    assert seen.tools.detail["status"] == status
    assert seen.elapsed < 2.0
    if seen.result is not None:
        assert not seen.result.impaired


async def test_ringing_without_an_answer_is_cancelled(tmp_path: Path) -> None:
    """It rings and nobody takes it: impaired; SIPp gets CANCEL, and ACK to its 487."""
    with sipp_scenario(tmp_path, RINGS) as (port, went_well):
        async with prober() as probes:
            seen = await probes.run("call", 9.0, port=port, talk=TALK, always=True)
        assert await in_thread(went_well)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.STATUS), seen.text
    assert seen.result is not None
    assert seen.result.impaired
    assert "rings (180)" in seen.text
    assert seen.elapsed < 2.0


async def test_absent_peer_is_refused_at_once() -> None:
    """Nobody listens there: down without waiting."""
    async with prober() as probes:
        seen = await probes.run("call", 9.0, port=free_ports().plain, talk=TALK, always=True)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.REFUSED), seen.text
    assert seen.elapsed < 1.0


async def test_nothing_is_sent_to_a_third_party() -> None:
    """An answer that wants media elsewhere gets none there, and the call is ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
        victim.bind(("127.0.0.2", 0))
        victim.settimeout(0.2)
        sdp = SDP.format(host="127.0.0.2", port=victim.getsockname()[1], more="")
        with callee(Manner(sdp=sdp)) as peer:
            async with prober() as probes:
                seen = await probes.run("call", 12.0, port=peer.port, talk=TALK, always=True)
                assert await gone(peer.left_up) == 0
                with pytest.raises(TimeoutError):
                    victim.recv(2000)
                params = {"port": peer.port, "talk": TALK, "always": True}
                task = asyncio.create_task(
                    probes.run("call", 12.0, media_from=("127.0.0.2/32",), **params)
                )
                await asyncio.sleep(0.3)
                assert len(victim.recv(2000)) == 172
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            assert await gone(peer.left_up) == 0
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.CONTENT), seen.text
    assert seen.result is not None
    assert seen.result.impaired
    assert "media_from" in seen.text


SAID = [
    ("a=inactive\r\n", Outcome.UP, Reason.CONTENT, "on hold"),
    ("a=recvonly\r\n", Outcome.UP, Reason.CONTENT, "as it says itself"),
    ("", Outcome.DOWN, Reason.FILTERED, "lets no UDP through"),
]


async def without_media(more: str) -> Seen:
    """A call to who answers this and sends nothing."""
    with callee(Manner()) as peer:
        peer.manner = Manner(sdp=SDP.format(host=HOST, port=peer.sink.getsockname()[1], more=more))
        async with prober() as probes:
            seen = await probes.run("call", 13.0, port=peer.port, talk=TALK, always=True)
        assert await gone(peer.left_up) == 0
    return seen


async def to_a_mute() -> Seen:
    """A call to who says nothing at all."""
    with udp_peer(silent) as peer:
        async with prober() as probes:
            seen = await probes.run("call", 9.0, port=peer.port, talk=TALK, t1=0.1, always=True)
        methods = [data.split(b" ")[0] for _, data in peer.received]
    assert methods.count(b"INVITE") == seen.tools.transmissions >= 4
    assert methods[-1] == b"CANCEL"  # it may ring though it is not heard
    return seen


async def test_silence_has_its_verdict() -> None:
    """On hold and receiving only is what the peer says; silence is a firewall, or nobody."""
    mute, *found = await asyncio.gather(to_a_mute(), *(without_media(said[0]) for said in SAID))
    assert (mute.outcome, mute.reason, mute.blame) == (Outcome.DOWN, Reason.TIMEOUT, Blame.PATH)
    for seen, (_, outcome, reason, words) in zip(found, SAID, strict=True):
        assert (seen.outcome, seen.reason) == (outcome, reason), seen.text
        assert words in seen.text


async def test_broken_answer_is_down_and_ended() -> None:
    """An answer that is no SDP, or offers nothing that we speak: DOWN, and BYE all the same."""
    for sdp, reason in (
        ("\x00\xff nonsense", Reason.PROTOCOL),
        (SDP.format(host=HOST, port=9, more=""), Reason.CONTENT),
        (SDP.format(host="vc.example", port=9000, more=""), Reason.CONTENT),
    ):
        with callee(Manner(sdp=sdp)) as peer:
            async with prober() as probes:
                seen = await probes.run("call", 12.0, port=peer.port, talk=TALK, always=True)
            assert await gone(peer.left_up) == 0
        assert (seen.outcome, seen.reason) == (Outcome.DOWN, reason), seen.text


async def test_outside_of_its_hours_nobody_is_called() -> None:
    """Neither the engine nor a person rings outside of the hours: unknown, and no packet."""
    minute = int(time.time() // 60 + 7 * 60) % DAY  # Jakarta has no summer time
    shut = Opening((((minute + 60) % DAY, (minute + 120) % DAY),), ZoneInfo("Asia/Jakarta"))
    with udp_peer(silent) as peer:
        values = {"port": peer.port, "hours": ("22:00-05:00",), "talk": TALK}
        params = PARAMS["call"].model_validate(values)
        async with workshop(PROBES) as runner:
            result = await runner.run(_check(params, 20.0, shut))
        assert peer.received == []
    assert (result.outcome, result.reason) == (Outcome.UNKNOWN, Reason.PERMISSION)
    assert "nobody was called" in str(result.detail["message"])


@contextmanager
def cutting(port: int, after: float) -> Iterator[int]:
    """A way to 127.0.0.1:``port`` over TCP whose first connection is cut after so many seconds."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, port)
        patience = next(seconds)

        async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                target.write(data)

        carriers = [
            asyncio.create_task(carry(reader, far_writer)),
            asyncio.create_task(carry(far_reader, writer)),
        ]
        await asyncio.wait(carriers, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for carrier in carriers:
            carrier.cancel()
        far_writer.transport.abort()
        writer.transport.abort()

    seconds = iter((after, 60.0, 60.0))
    with serving(behaviour) as way:
        yield way


async def test_cut_connection_is_no_call_left_up(tmp_path: Path) -> None:
    """The signalling's connection is cut within the call: down, and BYE comes by a new one."""
    with echo_room(tmp_path) as room, cutting(room.port, 0.5) as way:
        async with prober() as probes:
            seen = await probes.run(
                "call", 20.0, transport="tcp", port=way, user="echo", talk=TALK, always=True
            )
        assert await gone(room.calls) == 0
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.RESET), seen.text
    assert 0.5 < seen.elapsed < 3.0


def _check(params: Any, timeout: float, opening: Opening | None = None) -> Check[Any]:
    return Check(
        CheckId("codec", "call"),
        "aceh",
        "call",
        HOST,
        params,
        3600.0,
        timeout,
        decides=False,
        opening=opening,
    )


# --- interrupted


async def interrupt(
    runner: Any, params: Any, at: float, again: float | None, timeout: float
) -> None:
    """Begin a call, and cancel its run after ``at`` seconds, and once more ``again`` later."""
    task = asyncio.create_task(runner.run(_check(params, timeout)))
    await asyncio.wait({task}, timeout=at)
    task.cancel()
    if again is not None:
        await asyncio.wait({task}, timeout=again)
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def interrupted(
    ports: list[tuple[int, dict[str, Any]]], count: int, dice: random.Random
) -> None:
    """``count`` calls, each cut off at a random instant between its beginning and its end."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        port, more = ports[number % len(ports)]
        params = PARAMS["call"].model_validate(
            {"port": port, "user": "echo", "talk": TALK, "always": True, **more}
        )
        at = dice.choice((dice.uniform(0, 0.02), dice.uniform(0, 5.5), dice.uniform(3.9, 5.2)))
        again = dice.choice((None, None, 0.0, dice.uniform(0, 0.1)))
        # some are cut off by the runner itself, for want of time
        timeout = dice.choice((20.0, 20.0, 20.0, dice.uniform(8.2, 9.0)))
        async with turns:
            await interrupt(runner, params, at, again, timeout)

    async with workshop(PROBES) as runner:
        await asyncio.gather(*(one(number) for number in range(count)))


async def test_interrupted_calls_leave_nothing_up(tmp_path: Path) -> None:
    """Cut off at any instant, by shutdown or for want of time: the peers have no call left."""
    dice = random.Random(int(os.environ.get("VCMON_SEED", "38")))
    with (
        echo_room(tmp_path) as room,
        callee(Manner(rings=(0.0, 3.0), loss=0.05)) as lossy,
        callee(Manner(rings=(0.0, 0.3), voices=3)) as forking,
        callee(Manner(rings=(1.0, 3.0), late=True)) as late,
    ):
        mine = [lossy, forking, late]
        ways: list[tuple[int, dict[str, Any]]] = [
            (room.port, {}),
            (room.port, {"transport": "tcp"}),
        ]
        ways += [(each.port, {}) for each in mine]
        await interrupted(ways, CALLS, dice)

        def up() -> int:
            return room.calls() + sum(each.left_up() for each in mine)

        left = await gone(up)
        taken = room.log.read_text(errors="replace").count("session closed")
        cancels = sum(each.methods.count("CANCEL") for each in mine)
    figure = (
        f"{left} left up of {CALLS} calls ({taken} taken by baresip, {cancels} CANCEL elsewhere)"
    )
    record("calls interrupted", figure, "0", left == 0)
    assert left == 0
    assert taken > CALLS / 10
    assert cancels > CALLS / 20


def test_stopped_daemon_hangs_up(tmp_path: Path) -> None:
    """SIGTERM in the middle of a call: BYE is said and answered, and vcmon ends well."""
    interval = 12.0
    name = next(
        f"codec{n}" for n in range(1000) if phase(CheckId(f"codec{n}", "call"), interval) < 0.2
    )
    with echo_room(tmp_path) as room, listener() as other:
        text = f"kind: call, port: {room.port}, user: echo, always: true, talk: 4s"
        extra = f"checks:\n  call: {{{text}, interval: 12s, timeout: 12s}}\n"
        row = f"{name},aceh,codec,127.0.0.1,tcp:{other.port} call,"
        port = free_port()
        with daemon(write_settings(tmp_path, [row], port=port, extra=extra), port) as monitor:
            until = time.monotonic() + interval + 3
            while room.calls() == 0 and time.monotonic() < until:
                time.sleep(0.05)
            assert room.calls() == 1
            begun = time.monotonic()
            assert monitor.stop() == 0
            assert time.monotonic() - begun < 5.0
        assert room.calls() == 0
        said = room.log.read_text(errors="replace")
    assert "session closed" in said
