"""STAMP against the kernel's own counters, each direction by itself; a reflector under attack."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from statistics import fmean
from typing import Any

import pytest

from tests.fakes.figures import record
from tests.fakes.needs import needs
from tests.fakes.netns import Child, Netns, join, netns
from tests.fakes.stamp_peers import probed, reflecting, stamp_check
from tests.fakes.udpmirror import THERE, Link, Passed, udp_mirror
from vcmon.model.result import Blame, Direction, Outcome, Reason, Result
from vcmon.net.reflector import BURST_SECONDS
from vcmon.wire.stamp import ErrorEstimate, Request, encode_request, to_ntp

PORT = 862
US, THEM = "10.79.0.1", "10.79.0.2"
COUNTER = re.compile(r"counter packets (\d+) bytes (\d+)")


@contextmanager
def cable() -> Iterator[tuple[Netns, Netns]]:
    """We and the province's machine, each in a namespace."""
    with netns() as us, netns() as them:
        join(us, them, "10.79.0")
        yield us, them


def arriving(space: Netns, *rules: str) -> None:
    """Rules for what comes in there; their counters are the truth."""
    nft = needs("nft", "nftables")
    space.run(nft, "add table inet lab")
    space.run(nft, "add chain inet lab in { type filter hook input priority 0; }")
    for rule in rules:
        space.run(nft, f"add rule inet lab in {rule}")


def counted(space: Netns) -> list[tuple[int, int]]:
    """(packets, bytes) of each rule's counter."""
    told = space.run(needs("nft", "nftables"), "list chain inet lab in")
    return [(int(packets), int(size)) for packets, size in COUNTER.findall(told)]


def both(result: Result) -> tuple[Direction, Direction]:
    assert result.streams is not None, result
    forward, backward = result.streams
    assert forward is not None
    assert backward is not None
    return forward, backward


def lost(direction: Direction) -> int:
    return direction.sent - direction.received


@pytest.mark.parametrize(("there", "back"), [(10, 0), (0, 10), (4, 8)])
def test_loss_of_each_direction_is_the_kernel_s(there: int, back: int) -> None:
    """Forward and backward loss equal what the kernel dropped in each, to within one packet."""
    with cable() as (us, them), reflecting("--allow", f"{US}/32", "--rate", "2000", space=them):
        drop = "numgen random mod 100 < {} counter drop"
        arriving(them, f"udp dport {PORT} {drop.format(there)}" if there else "counter")
        arriving(us, f"udp sport {PORT} {drop.format(back)}" if back else "counter")
        (result,) = us.call(probed, stamp_check(THEM, packets=500, spacing=0.002))
        ((dropped_there, _),), ((dropped_back, _),) = counted(them), counted(us)
    forward, backward = both(result)
    truth = (dropped_there if there else 0, dropped_back if back else 0)
    off = max(abs(lost(forward) - truth[0]), abs(lost(backward) - truth[1]))
    figure = f"{lost(forward)} + {lost(backward)} of {forward.sent}; kernel {truth[0]} + {truth[1]}"
    record(f"stamp loss {there} % there, {back} % back", figure, "<= 1 off each way", off <= 1)
    print(f"\nstamp: {figure}")
    assert result.outcome is Outcome.UP
    assert off <= 1
    assert result.echo is not None
    assert result.echo.sent - result.echo.received == sum(truth)


def test_marks_of_each_direction() -> None:
    """What a router made of our DSCP is told for the direction in which it did."""
    with cable() as (us, them), reflecting("--allow", US, space=them):
        check = stamp_check(THEM, packets=10, spacing=0.005, dscp=46)
        arriving(them, f"udp dport {PORT} ip dscp set cs1")
        (there,) = us.call(probed, check)
        them.run("nft", "flush chain inet lab in")
        arriving(us, f"udp sport {PORT} ip dscp set cs0")
        (back,) = us.call(probed, check)
    assert [each.dscp for each in both(there)] == [8, 46]
    assert [each.dscp for each in both(back)] == [46, 0]


@pytest.mark.parametrize("cut", ["there", "back"])
def test_a_cut_of_one_direction(cut: str) -> None:
    """Cut in either direction alone, nothing comes back: down by ``timeout``, on the path."""
    with cable() as (us, them), reflecting("--allow", US, space=them) as ours:
        arriving(them if cut == "there" else us, "meta l4proto udp counter drop")
        (result,) = us.call(probed, stamp_check(THEM, 1.0, packets=20, spacing=0.01))
        ours.stop()
    found = (result.outcome, result.reason, result.blame, result.streams)
    assert found == (Outcome.DOWN, Reason.TIMEOUT, Blame.PATH, None)
    assert (ours.counters["answered"] > 0) == (cut == "back")


def _send(pipe: Connection, *arguments: Any) -> None:
    pipe.send(probed(*arguments)[0])


@pytest.mark.parametrize("cut", ["there", "back"])
def test_one_answer_tells_which_direction_was_cut(cut: str) -> None:
    """A cut that ends with the stream: the first answer after it says in which direction it was."""
    with cable() as (us, them), reflecting("--allow", US, space=them):
        space = them if cut == "there" else us
        arriving(space, "meta l4proto udp counter drop")
        child: Child = us.spawn(_send, stamp_check(THEM, packets=40, spacing=0.012))
        ends = time.monotonic() + 10
        while counted(space)[0][0] < 20 and time.monotonic() < ends:
            time.sleep(0.02)
        space.run("nft", "insert rule inet lab in accept")
        assert child.pipe.poll(10)
        result: Result = child.pipe.recv()
        ((dropped, _),) = counted(space)
        child.stop()
    forward, backward = both(result)
    assert dropped >= 20
    told = (lost(forward), lost(backward))
    want = (dropped, 0) if cut == "there" else (0, dropped)
    assert max(abs(a - b) for a, b in zip(told, want, strict=True)) <= 1, (told, want)


def mean(passed: list[Passed]) -> float:
    return fmean(each.left - each.came for each in passed) / 1e9


def smoothed(passed: list[Passed]) -> float:
    """RFC 3550's jitter of what the router did, in seconds."""
    estimate = 0.0
    for before, after in pairwise(passed):
        change = abs((after.left - before.left) - (after.came - before.came)) / 1e9
        estimate += (change - estimate) / 16
    return estimate


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (Link(0.030), Link(0.060)),
        (Link(0.040, 0.008), Link(0.020, 0.002)),
        (Link(0.300, 0.030), Link(0.250)),
    ],
)
def test_delay_and_jitter_are_the_router_s(there: Link, back: Link) -> None:
    """Round trip and jitter of each direction are within 1 ms of what the router did."""
    with (
        netns() as space,
        udp_mirror(space, PORT, there, back) as mirror,
        reflecting("--allow", THERE, "--listen", f"10.78.0.1:{PORT}", space=space),
    ):
        (result,) = space.call(probed, stamp_check(THERE, packets=60, spacing=0.01))
        truth = mirror.stop()
    forward, backward = both(result)
    assert result.echo is not None
    assert len(truth.forward) == len(truth.backward) == result.echo.sent == 60
    assert forward.jitter is not None
    assert backward.jitter is not None
    off = {
        "jitter there": forward.jitter - smoothed(truth.forward),
        "jitter back": backward.jitter - smoothed(truth.backward),
        "round trip": fmean(result.echo.rtts) - mean(truth.forward) - mean(truth.backward),
    }
    figure = ", ".join(f"{name} {value * 1e6:+.0f} us" for name, value in off.items())
    name = f"stamp over {there.delay * 1e3:.0f}+{back.delay * 1e3:.0f} ms"
    worst = max(map(abs, off.values()))
    record(name, figure, "<= 1 ms off", worst <= 0.001)
    print(f"\n{name}: {figure}")
    assert worst <= 0.001


# A reflector under attack ------------------------------------------------------------------------


def asking(size: int) -> bytes:
    request = Request(1, to_ntp(time.time_ns()), ErrorEstimate(), 1)
    return encode_request(request, max(44, size), 46)[:size]


def ask_in_all_sizes(address: str) -> dict[int, int]:
    """How long the answer to a test packet of each length is; none: 0."""
    found = dict.fromkeys(range(1600), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, PORT))
        sock.settimeout(0.2)
        for size in found:
            sock.send(asking(size))
            if 41 <= size <= 1472:
                found[size] = len(sock.recv(65_535))
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(65_535)
    return found


def test_no_amplification() -> None:
    """Of whatever size the question, the answer is never longer; the kernel counted the bytes."""
    with cable() as (us, them):
        arriving(us, f"udp sport {PORT} counter")
        arriving(them, f"udp dport {PORT} counter")
        with reflecting("--allow", US, "--rate", "20000", space=them):
            answers = us.call(ask_in_all_sizes, THEM)
            (answered, bytes_out), (asked, bytes_in) = *counted(us), *counted(them)
    assert asked == 1600
    assert answered == 1472 - 41 + 1
    assert all(length in (0, size) for size, length in answers.items())
    factor = bytes_out / bytes_in
    record("stamp amplification, all sizes", f"{factor:.3f}", "<= 1", factor <= 1)
    print(f"\namplification: {factor:.3f}")
    assert factor <= 1


def flood(address: str, source: str, seconds: float) -> tuple[int, float]:
    """Ask as fast as can be; how many were asked, in how many seconds."""
    packet = asking(44)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.connect((address, PORT))
        asked, begun = 0, time.monotonic()
        while (took := time.monotonic() - begun) < seconds:
            for _ in range(100):
                sock.send(packet)
            asked += 100
    return asked, took


def test_a_flood_gets_the_rate_and_no_more() -> None:
    """However fast it is asked, a sender gets its rate; a stranger nothing at all."""
    rate, stranger = 200, "10.79.0.77"
    with cable() as (us, them):
        us.ip("addr", "add", f"{stranger}/24", "dev", "veth0")
        arriving(us, f"udp sport {PORT} ip daddr {stranger} counter", f"udp sport {PORT} counter")
        with reflecting("--allow", US, "--rate", str(rate), space=them) as ours:
            us.call(flood, THEM, stranger, 0.5)
            begun = time.monotonic()
            asked, took = us.call(flood, THEM, US, 2.0)
            ours.stop()
            span = time.monotonic() - begun  # what lay in its queue was answered after the flood
        (to_stranger, _), (answers, _) = counted(us)
    most = rate * (span + BURST_SECONDS)
    figure = f"{asked / took:.0f} asked, {answers / took:.0f} answered a second"
    record("stamp flood", figure, f"<= {rate} a second and a burst", answers <= most)
    print(f"\nflood: {figure}; {ours.counters}")
    assert asked / took > 20_000
    assert to_stranger == 0
    assert ours.counters["not_stranger"] > 1000
    assert answers <= most
    assert answers >= 0.5 * rate * took


def forge(target: str, port: int, source_port: int) -> None:
    """One test packet to us that claims to come from our own other port."""
    data = asking(172)
    udp = struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0)
    head += socket.inet_aton(target) * 2
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(head + udp, (target, 0))
    time.sleep(0.3)


def test_two_reflectors_are_not_set_upon_each_other() -> None:
    """A forged packet between two reflectors ends after one answer, not never."""
    with netns() as space:
        arriving(space, "meta l4proto udp counter")
        one = reflecting("--listen", "127.0.0.1:5001", space=space)
        two = reflecting("--listen", "127.0.0.1:5002", space=space)
        with one, two:
            space.call(forge, "127.0.0.1", 5001, 5002)
        ((packets, _),) = counted(space)
    assert 2 <= packets <= 3


def hold(pipe: Connection) -> None:
    """Holds port 862 of IPv6 until told."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("::", PORT))
        pipe.send("held")
        pipe.recv()


def test_one_of_both_families_is_enough() -> None:
    """Where it may listen everywhere and can't in IPv6, IPv4 is answered all the same."""
    with netns() as space:
        holder = space.spawn(hold)
        assert holder.pipe.poll(10)
        with reflecting(space=space):
            (result,) = space.call(probed, stamp_check("127.0.0.1", packets=3, spacing=0.005))
        holder.pipe.send("enough")
        holder.stop()
    assert result.outcome is Outcome.UP


@pytest.mark.parametrize("asked", ["10.79.0.90", "fd79::90"])
def test_from_where_it_was_asked(asked: str) -> None:
    """A machine of several addresses answers from the one that was asked, marks and all."""
    with cable() as (us, them):
        them.ip("addr", "add", "10.79.0.90/24", "dev", "veth0")
        us.ip("addr", "add", "fd79::1/64", "dev", "veth0", "nodad")
        for host in ("fd79::2", "fd79::90"):
            them.ip("addr", "add", f"{host}/64", "dev", "veth0", "nodad")
        with reflecting("--allow", "10.79.0.0/24", "--allow", "fd79::/64", space=them):
            (result,) = us.call(probed, stamp_check(asked, packets=3, spacing=0.005, dscp=34))
    assert result.outcome is Outcome.UP
    assert [each.dscp for each in both(result)] == [34, 34]
    assert result.detail["ttl_forward"] == 255
