"""The demo country answers as its hosts should, and misbehaves exactly as its script says."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import psutil
import pytest

from tests.fakes.lab_client import (
    GOOD,
    PATIENCE,
    ask,
    canaries_answer,
    connected,
    connects,
    options,
    over_tls,
    over_udp,
    service_of,
)
from vcmon.lab import process, sip_server
from vcmon.lab.certificates import Certificates, certificates
from vcmon.lab.country import ROUTER, Protocol, country, places, tls_addresses
from vcmon.lab.demo import country_process
from vcmon.lab.process import Country, follow_script
from vcmon.lab.script import Fault, FaultKind, behaviours, faults_between

SEED = 1
SSH = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> Certificates:
    return certificates(tls_addresses(country().values()), time.time())


@pytest.fixture(scope="module")
def authority(made: Certificates) -> str:
    return made.authority.decode()


@pytest.fixture
async def land(made: Certificates) -> AsyncIterator[Country]:
    opened = Country(SEED, made)
    opened.open()
    yield opened
    opened.close()
    await asyncio.sleep(0)


async def heard(host_id: str, authority: str, awaited: str = "") -> str:
    """What a host's first service says, asked from a thread."""
    patience = 0.4 if awaited == "silence" else PATIENCE  # silence is not made truer by waiting
    return await asyncio.to_thread(ask, *service_of(host_id), authority, patience)


async def test_every_service_answers(land: Country, authority: str) -> None:
    """Without faults every host of the country answers on every port, and so do the canaries."""
    every = [(host, service) for host in country().values() for service in host.services]
    asked = (asyncio.to_thread(ask, host, service, authority) for host, service in every)
    for (host, service), said in zip(every, await asyncio.gather(*asked), strict=True):
        assert said == GOOD[service.protocol], host.id
    assert await asyncio.to_thread(canaries_answer)


SIGHTS: dict[tuple[Protocol, FaultKind], str] = {
    (Protocol.SIP_UDP, FaultKind.STOPPED): "refused",
    (Protocol.SIP_UDP, FaultKind.MUTE): "silence",
    (Protocol.SIP_UDP, FaultKind.UNAVAILABLE): "SIP/2.0 503 Service Unavailable",
    (Protocol.TCP, FaultKind.STOPPED): "refused",
    (Protocol.TCP, FaultKind.MUTE): "silence",
    (Protocol.SIP_TCP, FaultKind.STOPPED): "refused",
    (Protocol.SIP_TCP, FaultKind.MUTE): "silence",
    (Protocol.SIP_TCP, FaultKind.SILENT): "silence",
    (Protocol.SIP_TCP, FaultKind.BANNER): SSH,
    (Protocol.SIP_TCP, FaultKind.UNAVAILABLE): "SIP/2.0 503 Service Unavailable",
    (Protocol.SIP_TLS, FaultKind.STOPPED): "refused",
    (Protocol.SIP_TLS, FaultKind.MUTE): "silence",
    (Protocol.SIP_TLS, FaultKind.SILENT): "silence",
    (Protocol.SIP_TLS, FaultKind.BANNER): "no tls",
    (Protocol.SIP_TLS, FaultKind.EXPIRED): "expired",
    (Protocol.SIP_TLS, FaultKind.UNAVAILABLE): "SIP/2.0 503 Service Unavailable",
    (Protocol.HTTPS, FaultKind.STOPPED): "refused",
    (Protocol.HTTPS, FaultKind.MUTE): "silence",
    (Protocol.HTTPS, FaultKind.SILENT): "silence",
    (Protocol.HTTPS, FaultKind.BANNER): "no tls",
    (Protocol.HTTPS, FaultKind.EXPIRED): "expired",
    (Protocol.HTTPS, FaultKind.ERROR): "HTTP/1.1 500 Internal Server Error",
}
"""What a client sees of each fault; the faults that leave the answer as it is are tested apart."""

EXAMPLES = {
    Protocol.SIP_UDP: "aceh-codec",
    Protocol.TCP: "aceh-router",
    Protocol.SIP_TCP: "sumatera-barat-codec",
    Protocol.SIP_TLS: "gorontalo-codec",
    Protocol.HTTPS: "banten-platform",
}


@pytest.mark.parametrize(("protocol", "kind"), SIGHTS)
async def test_a_fault_appears_and_vanishes(
    land: Country, authority: str, protocol: Protocol, kind: FaultKind
) -> None:
    """A fault is seen by a client while it lasts, twice in a row, and no longer."""
    host_id = EXAMPLES[protocol]
    for _ in range(2):
        land.follow({host_id: kind})
        sight = SIGHTS[protocol, kind]
        assert await heard(host_id, authority, sight) == sight
        land.follow({})
        assert await heard(host_id, authority) == GOOD[protocol]


async def test_one_fault_may_follow_another(land: Country, authority: str) -> None:
    """A host goes from any fault of its protocol straight to any other."""
    kinds = [kind for protocol, kind in SIGHTS if protocol is Protocol.SIP_TCP]
    quick = [kind for kind in kinds if SIGHTS[Protocol.SIP_TCP, kind] != "silence"]
    for first in kinds:
        for second in quick:
            land.follow({EXAMPLES[Protocol.SIP_TCP]: first})
            land.follow({EXAMPLES[Protocol.SIP_TCP]: second})
            said = await heard(EXAMPLES[Protocol.SIP_TCP], authority)
            assert said == SIGHTS[Protocol.SIP_TCP, second]


async def test_mute_and_silent_differ(land: Country) -> None:
    """A mute host takes no connection; a silent one takes it and says nothing."""
    host, service = service_of("sumatera-barat-codec")
    land.follow({host.id: FaultKind.SILENT})
    assert await asyncio.to_thread(connects, host.address, service.port)
    land.follow({host.id: FaultKind.MUTE})
    for _ in range(2):
        assert not await asyncio.to_thread(connects, host.address, service.port)


async def test_a_dead_backbone_silences_its_provinces(land: Country, authority: str) -> None:
    """Behind a dead hub nobody answers on any protocol; a neighbour and the canaries do."""
    land.follow(behaviours((Fault("pusat-hub-nusra", FaultKind.MUTE, 0.0, 1.0),)))
    hosts = [h.id for h in country().values() if h.province in {"bali", "nusa-tenggara-timur"}]
    said = await asyncio.gather(*(heard(h, authority) for h in ("pusat-hub-nusra", *hosts)))
    assert set(said) == {"silence"}
    assert await heard("maluku-codec", authority) == GOOD[Protocol.SIP_UDP]
    assert await asyncio.to_thread(canaries_answer)


async def test_answers_take_the_time_of_their_distance(land: Country) -> None:
    """The measured round trip is the province's own: the estimate and at most 25 ms more."""
    for slug in ("jawa-barat", "papua-selatan", "papua"):
        host, service = service_of(f"{slug}-codec")
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            await asyncio.to_thread(over_udp, host, service, options(host, "UDP"))
            times.append(time.perf_counter() - begun)
        assert host.rtt <= median(times) <= host.rtt * 1.06 + 0.025


async def test_slow_answers_come_late_but_in_time(land: Country) -> None:
    """A slow host answers 400 ms later, before SIP would send again."""
    host, service = service_of("jambi-codec")
    land.follow({host.id: FaultKind.SLOW})
    begun = time.perf_counter()
    reply = await asyncio.to_thread(over_udp, host, service, options(host, "UDP"))
    assert reply.startswith(b"SIP/2.0 200 ")
    assert 0.4 <= time.perf_counter() - begun < 0.5


async def test_a_lossy_host_loses_some(land: Country) -> None:
    """Of 200 datagrams a lossy host answers about 140."""
    host, service = service_of("jambi-codec")
    land.follow({host.id: FaultKind.LOSSY})
    answered = await asyncio.to_thread(count_answers, host.address, service.port, 200)
    assert 110 <= answered <= 170


def count_answers(address: str, port: int, number: int) -> int:
    host = country()["jambi-codec"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.settimeout(0.3)
        for _ in range(number):
            ours.sendto(options(host, "UDP"), (address, port))
            time.sleep(0.001)
        for count in range(number + 1):
            try:
                ours.recv(4096)
            except TimeoutError:
                return count
    raise AssertionError("more answers than questions")


async def test_an_expiring_certificate_is_valid_for_days(land: Country, authority: str) -> None:
    """An expiring certificate still verifies; less than four days are left of it."""

    def left() -> timedelta:
        host, service = service_of("gorontalo-codec")
        with connected(host, service) as plain, over_tls(plain, host, authority) as peer:
            certificate = peer.getpeercert()
        assert certificate is not None
        until = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return datetime.fromtimestamp(until, UTC) - datetime.now(UTC)

    assert await asyncio.to_thread(left) > timedelta(days=100)
    land.follow({"gorontalo-codec": FaultKind.EXPIRING})
    assert timedelta(days=2) < await asyncio.to_thread(left) < timedelta(days=4)


class HandClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


async def test_the_servers_follow_the_script(
    land: Country, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fault of each kind and protocol is seen at its begin, and is gone at its end."""
    monkeypatch.setattr(process, "TICK", 0.01)
    clock, ended = HandClock(), asyncio.get_running_loop().create_future()
    following = asyncio.create_task(follow_script(land, SEED, clock, ended))
    await asyncio.sleep(0.05)
    for (protocol, kind), fault in examples_of(SEED).items():
        clock.now = fault.begin
        await asyncio.sleep(0.05)
        sight = SIGHTS[protocol, kind]
        assert await heard(fault.target, authority, sight) == sight, fault
        clock.now = fault.end
        await asyncio.sleep(0.05)
        assert await heard(fault.target, authority) == GOOD[protocol], fault
    ended.set_result(None)
    await following


def examples_of(seed: int) -> dict[tuple[Protocol, FaultKind], Fault]:
    """The first fault of each visible kind in three hours of script."""
    found: dict[tuple[Protocol, FaultKind], Fault] = {}
    for fault in faults_between(seed, 0.0, 3 * 3600.0):
        seen = (service_of(fault.target)[1].protocol, fault.kind)
        if seen in SIGHTS:
            found.setdefault(seen, fault)
    assert {kind for _, kind in found} == {kind for _, kind in SIGHTS}
    return found


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"\xff" * 2000,
        b"OPTIONS sip:x SIP/2.0",
        b"OPTIONS sip:x SIP/2.0\r\n" + b"Via: x\r\n" * 5000,
        b"ACK sip:x SIP/2.0\r\nVia: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_sip_survives_nonsense(request_bytes: bytes) -> None:
    """Nonsense gets silence or a 400, never an exception, never a flood."""
    reply = sip_server.answer(request_bytes, None)
    assert reply is None or reply.startswith(b"SIP/2.0 400 ")
    assert len(reply or b"") < 2000


async def test_the_country_survives_rude_guests(land: Country, authority: str) -> None:
    """Garbage, half requests and hang-ups on every port leave every service working."""
    for host_id in EXAMPLES.values():
        host, service = service_of(host_id)
        for garbage in (b"", b"\x00" * 40_000, b"OPTIONS ", b"\x16\x03\x01\xff\xff"):
            await asyncio.to_thread(be_rude, host.address, service.port, garbage)
    for protocol, host_id in EXAMPLES.items():
        assert await heard(host_id, authority) == GOOD[protocol]


def be_rude(address: str, port: int, garbage: bytes) -> None:
    udp = address == country()["aceh-codec"].address
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as ours:
        ours.settimeout(1.0)
        ours.connect((address, port))
        ours.send(garbage)
        time.sleep(0.1)


def test_the_process_starts_and_ends_quickly(tmp_path: Path) -> None:
    """It listens everywhere within 2 s, tells since when, and is gone after the block."""
    begun = time.monotonic()
    with country_process(tmp_path, SEED) as ready_at:
        assert time.monotonic() - begun < 2.0
        assert abs(time.clock_gettime(time.CLOCK_BOOTTIME) - ready_at) < 1.0
        [child] = psutil.Process().children()
        authority = (tmp_path / "ca.pem").read_text()
        assert ask(*service_of("lampung-codec"), authority) == GOOD[Protocol.SIP_TLS]
        assert canaries_answer()
        assert child.memory_info().rss < 100 << 20
    assert not child.is_running()
    with pytest.raises(ConnectionRefusedError):
        connects(country()["aceh-router"].address, ROUTER.port)


def test_the_process_dies_with_its_parent(tmp_path: Path) -> None:
    """When the demo is killed outright, its country ends by itself."""
    code = (
        "import sys, time; from pathlib import Path; from vcmon.lab.demo import country_process\n"
        "with country_process(Path(sys.argv[1]), 1): print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
    [child] = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=5.0)
    assert not child.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_on_a_signal(tmp_path: Path, number: int) -> None:
    """Run by hand, it ends on Ctrl-C and on SIGTERM, without a traceback."""
    ended = subprocess.Popen(
        [sys.executable, "-m", "vcmon.lab.process", "--directory", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert ended.stdout is not None
    assert ended.stdout.readline().startswith(b"ready at ")
    ended.send_signal(number)
    _, errors = ended.communicate(timeout=5.0)
    assert (ended.returncode, errors) == (0, b"")


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """Where another program has a port, the message names it and says what to do."""
    host, service = service_of("aceh-codec")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind((host.address, service.port))
        ended = subprocess.run(
            [sys.executable, "-m", "vcmon.lab.process", "--directory", str(tmp_path)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=10,
            check=False,
        )
    assert ended.returncode == 1
    assert "can't listen on 127.11.0.10:5060/udp" in ended.stderr
    assert "ss -lnup" in ended.stderr


def test_everything_is_bound_to_loopback(tmp_path: Path) -> None:
    """The country listens on 127.0.0.0/8 only, and on nothing that needs root."""
    with country_process(tmp_path, SEED):
        [child] = psutil.Process().children()
        bound = [c.laddr for c in child.net_connections() if c.laddr]
    assert len(bound) >= len(places()) * 2
    assert all(address.ip.startswith("127.") for address in bound)
    assert all(address.port >= 1024 for address in bound)
