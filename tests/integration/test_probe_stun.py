"""The STUN probe against coturn, and against peers that no one should have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aioice import stun as codec

from tests.fakes.certificates import Authority
from tests.fakes.hostile import NULS, SSH_BANNER, Behaviour, hang_up, mute, says, serving
from tests.fakes.probing import UP, Seen, check_of, down, impaired, look
from tests.fakes.sip_peers import Address, Answer, UdpPeer, free_ports, silent, udp_peer
from tests.fakes.turn_peers import LONG_TERM, Coturn, coturn
from vcmon.config.params_talk import StunParams
from vcmon.model.result import Reason
from vcmon.probes.stun import probe


async def ask(
    port: int, *, seconds: float = 2.0, address: str = "127.0.0.1", **more: object
) -> Seen:
    params = StunParams.model_validate({"port": port, **more})
    return await look(probe, check_of("stun", params, address, seconds))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Coturn, str]]:
    """A coturn with a good certificate, and the authority to trust."""
    folder = tmp_path_factory.mktemp("coturn")
    authority = Authority()
    with coturn(folder, certificate=authority.issue().write(folder, "server")) as running:
        yield running, authority.ca_file(folder)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_coturn_is_up_over_every_transport(
    transport: str, server: tuple[Coturn, str]
) -> None:
    """UP with our own address as the server sees it, and the round trip."""
    coturn, ca_file = server
    port = coturn.tls if transport == "tls" else coturn.plain
    seen = await ask(port, transport=transport, ca_file=ca_file)
    assert seen.verdict == UP, seen.text
    assert str(seen["mapped"]).startswith("127.0.0.1:")
    assert str(seen["software"]).startswith("Coturn")
    assert seen["evidence"] == "binding"
    assert 0 < float(str(seen["rtt_ms"])) < 500
    phases = {"udp": {"resolve", "request"}, "tcp": {"resolve", "connect", "request"}}
    phases["tls"] = phases["tcp"] | {"tls"}
    assert set(seen.tools.phases) == phases[transport]
    assert (seen.tools.certificate_expiry is not None) is (transport == "tls")


async def test_ipv6(tmp_path: Path) -> None:
    """A server on ::1 tells our address of that family."""
    with coturn(tmp_path / "six", host="::1") as running:
        for transport in ("udp", "tcp"):
            seen = await ask(running.plain, address="::1", transport=transport)
            assert seen.verdict == UP, seen.text
            assert str(seen["mapped"]).startswith("[::1]:")


async def test_server_that_serves_only_its_users_is_impaired(tmp_path: Path) -> None:
    """coturn with secure-stun answers 401: alive, but it tells us nothing."""
    with coturn(tmp_path / "secure", LONG_TERM + "secure-stun\n") as running:
        seen = await ask(running.plain)
    assert seen.verdict == impaired(Reason.STATUS), seen.text
    assert seen["status"] == 401


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        ("expired", Reason.TLS_CERTIFICATE_EXPIRED),
        ("wrong_host", Reason.TLS_CERTIFICATE_HOSTNAME),
    ],
)
async def test_bad_certificate_has_its_name(issue: str, reason: Reason, tmp_path: Path) -> None:
    """coturn with a bad certificate is DOWN with the reason that the TLS probe gives."""
    authority = Authority()
    bad = getattr(authority, issue)()
    ca_file = authority.ca_file(tmp_path)
    with coturn(tmp_path / "bad", certificate=bad.write(tmp_path, "bad")) as running:
        seen = await ask(running.tls, transport="tls", ca_file=ca_file)
        unverified = await ask(running.tls, transport="tls", verify=False)
    assert seen.verdict == down(reason), seen.text
    assert seen.tools.certificate_expiry == pytest.approx(bad.expiry, abs=1)
    assert unverified["evidence"] == "binding"


# --- what no real peer does


def respond(
    request: bytes, attributes: dict[str, object] | None = None, *, failed: bool = False,
    transaction: bytes = b"",
) -> bytes:  # fmt: skip
    """The answer of another's codec to ``request``."""
    asked = codec.parse_message(request)
    kind = codec.Class.ERROR if failed else codec.Class.RESPONSE
    own = transaction or asked.transaction_id
    message = codec.Message(asked.message_method, kind, own, dict(attributes or {}))
    message.add_fingerprint()
    return bytes(message)


MAPPED: dict[str, object] = {"XOR-MAPPED-ADDRESS": ("192.0.2.7", 4000)}
PLAIN: dict[str, object] = {"MAPPED-ADDRESS": ("192.0.2.7", 4000)}
OVERLOADED: dict[str, object] = {"ERROR-CODE": (500, "Server \x1b[31m Error")}


def replying(
    attributes: dict[str, object] | None = None, *, failed: bool = False, transaction: bytes = b""
) -> Answer:
    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(respond(data, attributes, failed=failed, transaction=transaction), sender)

    return answer


def changed(at: int, value: int) -> Answer:
    """A good answer with one byte of it changed."""

    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        good = bytearray(respond(data, MAPPED))
        good[at] = value
        peer.send(bytes(good), sender)

    return answer


def raw(data: bytes) -> Answer:
    return lambda peer, _, sender: peer.send(data, sender)


def elsewhere(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.stranger.sendto(respond(data, MAPPED), sender)


VERDICTS = {
    "good": (replying(MAPPED), UP),
    "MAPPED-ADDRESS only": (replying(PLAIN), impaired(Reason.PROTOCOL)),
    "500": (replying(OVERLOADED, failed=True), impaired(Reason.STATUS)),
    "success without address": (replying(), down(Reason.PROTOCOL)),
    "error without code": (replying(failed=True), down(Reason.PROTOCOL)),
    "another transaction": (replying(MAPPED, transaction=b"x" * 12), down(Reason.TIMEOUT)),
    "another port": (elsewhere, down(Reason.TIMEOUT)),
    "our own request back": (lambda p, d, s: p.send(d, s), down(Reason.TIMEOUT)),
    "mute": (silent, down(Reason.TIMEOUT)),
    "another method": (changed(1, 0x03), down(Reason.PROTOCOL)),  # its FINGERPRINT is not right
    "wrong cookie": (changed(4, 0), down(Reason.PROTOCOL)),
    "wrong length": (changed(3, 0), down(Reason.PROTOCOL)),
    "family of nobody": (changed(25, 9), down(Reason.PROTOCOL)),
    "garbage": (raw(b"\x80\x01\xff" * 50), down(Reason.PROTOCOL)),
    "64 KiB": (raw(b"\x01\x01" + b"a" * 65_000), down(Reason.PROTOCOL)),
    "DNS": (raw(b"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\0\0\2\0\1"), down(Reason.PROTOCOL)),
}


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.catalogue("T07")
async def test_only_the_right_answer_counts(name: str) -> None:
    """Wrong transaction, cookie, length, port or protocol: never UP, within the timeout (T07)."""
    answer, verdict = VERDICTS[name]
    with udp_peer(answer) as peer:
        seen = await ask(peer.port, seconds=0.3, rto="100ms")
    assert seen.verdict == verdict, seen.text
    assert seen.tools.deadline.elapsed() < 0.4
    assert all(str(value).isprintable() for value in seen.tools.detail.values())


async def test_every_run_asks_anew_and_retransmits_the_same() -> None:
    """A fresh transaction id a run; a retransmission after the RTO is byte for byte the same."""
    with udp_peer(silent) as peer:
        for _ in range(2):
            await ask(peer.port, seconds=0.25, rto="100ms")
        (begun, first), (again, second), *rest = peer.received
    assert first == second
    assert 0.08 < again - begun < 0.2
    assert len({data[8:20] for _, data in peer.received}) == 2
    assert rest[-1][1][8:20] != first[8:20]


async def test_refused_port_is_down_at_once() -> None:
    """UDP and TCP: nobody listens, known in 0.1 s."""
    for transport in ("udp", "tcp"):
        seen = await ask(free_ports().plain, transport=transport)
        assert seen.verdict == down(Reason.REFUSED)
        assert seen.tools.deadline.elapsed() < 0.3


HEADER = bytes.fromhex("0101 0000 2112a442") + b"x" * 12

STREAMS: dict[str, tuple[Behaviour, Reason]] = {
    "accepts and is mute": (mute, Reason.TIMEOUT),
    "hangs up": (hang_up, Reason.RESET),
    "SSH": (SSH_BANNER, Reason.PROTOCOL),
    "HTTP": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Reason.PROTOCOL),
    "NULs": (NULS, Reason.PROTOCOL),
    "half a header": (says(HEADER[:10]), Reason.TIMEOUT),
    "a message of 64 KiB": (says(HEADER[:2] + b"\xff\xfc" + HEADER[4:]), Reason.PROTOCOL),
    "others without an end": (says(HEADER * 1_000), Reason.PROTOCOL),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.catalogue("T02")
async def test_half_dead_tcp_peer_has_its_reason(name: str) -> None:
    """Every way to be half-dead over TCP has its verdict, and none outlives the deadline (T02)."""
    behaviour, reason = STREAMS[name]
    with serving(behaviour) as port:
        seen = await ask(port, seconds=0.3, transport="tcp")
    assert seen.verdict == down(reason), seen.text
    assert seen.tools.deadline.elapsed() < 0.4
