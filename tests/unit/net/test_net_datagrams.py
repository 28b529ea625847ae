"""UDP by callback: stamps, marks, refusals, and two ports side by side."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from tests.fakes.sip_peers import free_ports
from vcmon.clock import monotonic_ns
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.datagrams import Datagram, Datagrams, media_pair


async def until(done: list[object], count: int = 1) -> None:
    for _ in range(200):
        if len(done) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(done)} of {count} came")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_pair_is_even_and_next_and_marked(host: str) -> None:
    """RTP on an even port, RTCP one above; what comes is stamped by the kernel, its mark seen."""
    media: list[Datagram] = []
    control: list[Datagram] = []
    first, second = media_pair(host, 46, (media.append, control.append))
    try:
        assert first.local[1] % 2 == 0
        assert second.local == (first.local[0], first.local[1] + 1)
        await asyncio.sleep(0.1)  # the first socket that asks for stamps waits for the kernel
        before = monotonic_ns()
        first.send(b"audio", second.local)
        second.send(b"report", first.local)
        time.sleep(0.05)  # our loop is late; the kernel is not
        after = monotonic_ns() - 45_000_000
        await until(media)  # type: ignore[arg-type]
        await until(control)  # type: ignore[arg-type]
        assert media[0].sender == second.local
    finally:
        first.close()
        second.close()
    assert (media[0].data, control[0].data) == (b"report", b"audio")
    assert {media[0].dscp, control[0].dscp} == {46}
    assert all(before - 1_000_000 <= each.at <= after for each in (media[0], control[0]))


async def test_pairs_do_not_collide() -> None:
    """A hundred calls at once have two hundred ports."""
    pairs = [media_pair("127.0.0.1", 0, (lambda _: None, lambda _: None)) for _ in range(100)]
    ports = {sock.local[1] for pair in pairs for sock in pair}
    for pair in pairs:
        for sock in pair:
            sock.close()
    assert len(ports) == 200


async def test_refusal_is_told_and_no_error() -> None:
    """A closed port answers by ICMP: told as what it is, whichever call of ours meets it."""
    told: list[ProbeError] = []
    sock = Datagrams.connected("127.0.0.1", free_ports().plain, lambda _: None, told.append)
    try:
        for _ in range(3):
            sock.send(b"x")
            await asyncio.sleep(0.02)
    finally:
        sock.close()
    assert told
    assert {(error.reason, error.blame) for error in told} == {(Reason.REFUSED, Blame.REMOTE)}


async def test_no_address_of_ours_is_our_own_fault() -> None:
    """Ports at an address that isn't here: blame local, after so many tries."""
    with pytest.raises(ProbeError) as caught:
        media_pair("192.0.2.1", 0, (lambda _: None, lambda _: None))
    assert caught.value.blame is Blame.LOCAL


async def test_reading_ends_with_closing() -> None:
    """Closed in the midst of a batch, nothing more is handed on."""
    found: list[bytes] = []

    def take(datagram: Datagram) -> None:
        found.append(datagram.data)
        ours.close()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        ours = Datagrams.connected("127.0.0.1", peer.getsockname()[1], take, lambda _: None)
        for number in range(3):
            peer.sendto(bytes([number]), ours.local)
        await until(found)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
    assert found == [b"\0"]
