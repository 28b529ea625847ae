"""The SIP probe against kamailio, SIPp and baresip, and against peers that no one should have."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.hostile import (
    HTTP_OK,
    NULS,
    SSH_BANNER,
    Behaviour,
    drip,
    hang_up,
    hang_up_after_request,
    mute,
    says,
    serving,
)
from tests.fakes.sip_peers import (
    Address,
    Answer,
    Ports,
    UdpPeer,
    baresip,
    free_ports,
    header,
    kamailio,
    respond,
    silent,
    sipp,
    stream_answer,
    udp_peer,
)
from vcmon.clock import SystemClock
from vcmon.config.params_talk import SipParams, SipsParams, SipTcpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Tools
from vcmon.probes.sip import probe


@dataclass(frozen=True)
class Seen:
    """A run's verdict, whether the probe returned or raised it."""

    outcome: Outcome
    reason: Reason
    tools: Tools
    text: str
    impaired: bool = False
    result: Result | None = None

    @property
    def status(self) -> object:
        return self.tools.detail.get("status")


@contextlib.contextmanager
def tools_for(
    seconds: float = 2.0, lookup: Callable[[str], list[str]] | None = None
) -> Iterator[Tools]:
    clock = SystemClock()
    resolver = Resolver(clock, lookup) if lookup else Resolver(clock)
    deadline = Deadline(clock, LoopLag(clock), seconds)
    try:
        yield Tools(clock, cast("Pinger", None), resolver, deadline, clock.wall())
    finally:
        resolver.close()


async def look(
    params: SipParams,
    *,
    seconds: float = 2.0,
    address: str = "127.0.0.1",
    lookup: Callable[[str], list[str]] | None = None,
) -> Seen:
    check = Check(
        CheckId("codec", "sip"), "aceh", "sip", address, params, 10.0, seconds, decides=True
    )
    with tools_for(seconds, lookup) as tools:
        try:
            result = await probe(check, tools)
        except ProbeError as error:
            local = error.blame is Blame.LOCAL
            outcome = Outcome.UNKNOWN if local else Outcome.DOWN
            return Seen(outcome, error.reason, tools, error.text)
    text = str(tools.detail.get("message", ""))
    return Seen(result.outcome, result.reason, tools, text, result.impaired, result)


@dataclass(frozen=True)
class Proxy:
    ports: Ports
    ca_file: str


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A kamailio that answers whatever status it is asked for."""
    folder = tmp_path_factory.mktemp("kamailio")
    authority = Authority()
    certificate = authority.issue().write(folder, "server")
    with kamailio(folder, certificate) as ports:
        yield Proxy(ports, authority.ca_file(folder))


def over(transport: str, proxy: Proxy, user: str = "", **more: object) -> SipParams:
    values: dict[str, object] = {"port": proxy.ports.plain, "user": user, **more}
    if transport == "tls":
        return SipsParams.model_validate(
            {**values, "port": proxy.ports.tls, "ca_file": proxy.ca_file}
        )
    kind = SipTcpParams if transport == "tcp" else SipParams
    return kind.model_validate(values)


# --- kamailio


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_kamailio_is_up_over_every_transport(transport: str, proxy: Proxy) -> None:
    """200 is UP; phases, server and round trip are told."""
    seen = await look(over(transport, proxy))
    assert (seen.outcome, seen.reason, seen.impaired) == (Outcome.UP, Reason.OK, False), seen.text
    assert seen.status == 200
    assert str(seen.tools.detail["server"]).startswith("kamailio")
    phases = {"udp": {"resolve", "request"}, "tcp": {"resolve", "connect", "request"}}
    phases["tls"] = phases["tcp"] | {"tls"}
    assert set(seen.tools.phases) == phases[transport]
    assert seen.tools.transmissions == 1
    assert 0 < float(seen.tools.detail["rtt_ms"]) < 500
    assert seen.tools.detail["address"] == "127.0.0.1"
    assert (seen.tools.certificate_expiry is not None) is (transport == "tls")


UP, IMPAIRED, DOWN = "up", "impaired", "down"
RULES = [
    (302, UP, UP),
    (401, UP, UP),
    (403, IMPAIRED, IMPAIRED),
    (404, UP, DOWN),
    (405, UP, UP),
    (407, UP, UP),
    (408, DOWN, DOWN),
    (480, UP, DOWN),
    (483, UP, UP),
    (486, UP, UP),
    (488, UP, UP),
    (500, IMPAIRED, IMPAIRED),
    (501, UP, UP),
    (502, IMPAIRED, IMPAIRED),
    (503, IMPAIRED, IMPAIRED),
    (504, DOWN, DOWN),
    (603, UP, UP),
]


@pytest.mark.parametrize("behind_proxy", [False, True])
@pytest.mark.parametrize(("status", "alone", "behind"), RULES)
async def test_every_status_has_its_verdict(
    status: int, alone: str, behind: str, behind_proxy: bool, proxy: Proxy
) -> None:
    """The rule table of research/protocols.md, asked of a real kamailio."""
    seen = await look(over("udp", proxy, f"e{status}", behind_proxy=behind_proxy))
    verdict = behind if behind_proxy else alone
    expected = {
        UP: (Outcome.UP, Reason.OK, False),
        IMPAIRED: (Outcome.UP, Reason.STATUS, True),
        DOWN: (Outcome.DOWN, Reason.STATUS, False),
    }
    assert (seen.outcome, seen.reason, seen.impaired) == expected[verdict], seen.text
    assert seen.status == status
    assert seen.tools.detail["phrase"]


async def test_retry_after_and_allow_are_told(proxy: Proxy) -> None:
    """503 tells when to come back, 405 what is allowed."""
    busy = await look(over("tcp", proxy, "e503"))
    assert (busy.tools.detail["retry_after"], busy.impaired) == ("30", True)
    refused = await look(over("tls", proxy, "e405"))
    assert refused.tools.detail["allow"] == "INVITE, ACK, BYE"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_promise_without_an_answer_is_impaired(transport: str, proxy: Proxy) -> None:
    """Only 100 Trying until the timeout: alive, but nothing final."""
    seen = await look(over(transport, proxy, "trying"), seconds=1.0)
    assert (seen.outcome, seen.reason, seen.impaired) == (Outcome.UP, Reason.STATUS, True)
    assert seen.status == 100
    assert "nothing final" in seen.text


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_mute_service_is_down(transport: str, proxy: Proxy) -> None:
    """The port is open and nothing answers: half-dead is dead."""
    seen = await look(over(transport, proxy, "drop"), seconds=0.6)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.TIMEOUT)
    assert seen.tools.deadline.elapsed() < 0.8


async def test_slow_answer_is_up_without_a_round_trip(proxy: Proxy) -> None:
    """After 1.2 s and two requests the answer counts, but no time can be told of it."""
    seen = await look(over("udp", proxy, "slow"))
    assert seen.outcome is Outcome.UP
    assert seen.tools.transmissions == 2
    assert "rtt_ms" not in seen.tools.detail


async def test_slow_satellite_is_asked_once_with_its_own_t1(proxy: Proxy) -> None:
    """With t1 above the round trip nothing is sent twice, and the time is valid."""
    seen = await look(over("udp", proxy, "slow", t1="1500ms"))
    assert (seen.outcome, seen.tools.transmissions) == (Outcome.UP, 1)
    assert float(seen.tools.detail["rtt_ms"]) >= 1200


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        ("expired", Reason.TLS_CERTIFICATE_EXPIRED),
        ("not_yet_valid", Reason.TLS_CERTIFICATE_NOT_YET_VALID),
        ("wrong_host", Reason.TLS_CERTIFICATE_HOSTNAME),
    ],
)
async def test_bad_certificate_of_a_real_peer_has_its_name(
    issue: str, reason: Reason, tmp_path: Path
) -> None:
    """baresip with a bad certificate: DOWN with the reason that the TLS probe gives."""
    authority = Authority()
    certificate = getattr(authority, issue)()
    with baresip(tmp_path, certificate.write(tmp_path, "bad")) as ports:
        params = SipsParams(port=ports.tls, user="echo", ca_file=authority.ca_file(tmp_path))
        seen = await look(params)
        unverified = await look(params.model_copy(update={"verify": False}))
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, reason), seen.text
    assert seen.tools.certificate_expiry == pytest.approx(certificate.expiry, abs=1)
    assert unverified.outcome is Outcome.UP
    assert unverified.status == 200


async def test_expiring_certificate_is_impaired(proxy: Proxy, tmp_path: Path) -> None:
    """A certificate with three days left answers, but somebody has to renew it."""
    authority = Authority()
    issued = authority.expiring(3)
    behaviour = stream_answer(respond)
    with serving(behaviour, issued.server(tmp_path)) as port:
        seen = await look(SipsParams(port=port, ca_file=authority.ca_file(tmp_path)))
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.TLS_CERTIFICATE_EXPIRING), seen.text


# --- SIPp and baresip


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_is_up(transport: str, tmp_path: Path) -> None:
    """SIPp leaves our Via as it was, rport without a value."""
    with sipp(tmp_path, transport) as port:
        kind = SipTcpParams if transport == "tcp" else SipParams
        seen = await look(kind(port=port, user="room1"))
    assert (seen.outcome, seen.status) == (Outcome.UP, 200), seen.text
    assert seen.tools.detail["allow"] == "INVITE, ACK, BYE, CANCEL, OPTIONS"


async def test_baresip_is_up(tmp_path: Path) -> None:
    """A codec answers 200 with its SDP for its own user, 404 for another: both are alive."""
    certificate = Authority().issue().write(tmp_path, "good")
    with baresip(tmp_path, certificate) as ports:
        for user, status in (("echo", 200), ("nobody", 404)):
            for params in (
                SipParams(port=ports.plain, user=user),
                SipTcpParams(port=ports.plain, user=user),
            ):
                seen = await look(params)
                assert (seen.outcome, seen.status) == (Outcome.UP, status), seen.text


# --- what no real peer does


def replying(start: str = "SIP/2.0 200 OK", **changed: str) -> Answer:
    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(respond(data, start, **changed), sender)

    return answer


def raw(data: bytes) -> Answer:
    def answer(peer: UdpPeer, _: bytes, sender: Address) -> None:
        peer.send(data, sender)

    return answer


def elsewhere(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.stranger.sendto(respond(data), sender)


def previous(peer: UdpPeer, data: bytes, sender: Address) -> None:
    """Only ever answers what was asked the time before."""
    old = data.replace(header(data, "Call-ID").encode(), b"0123456789abcdef")
    peer.send(respond(old), sender)


NOT_AN_ANSWER = {
    "mute": (silent, Reason.TIMEOUT),
    "wrong Call-ID": (replying(call_id="0" * 32), Reason.TIMEOUT),
    "wrong branch": (replying(via="SIP/2.0/UDP h;branch=z9hG4bK00"), Reason.TIMEOUT),
    "no Via": (replying(via=""), Reason.TIMEOUT),
    "wrong CSeq": (replying(cseq="1 INVITE"), Reason.TIMEOUT),
    "another request's answer": (previous, Reason.TIMEOUT),
    "another port": (elsewhere, Reason.TIMEOUT),
    "our own request back": (lambda p, d, s: p.send(d, s), Reason.TIMEOUT),
    "a request of theirs": (raw(b"OPTIONS sip:a SIP/2.0\r\n\r\n"), Reason.TIMEOUT),
    "keepalives": (raw(b"\r\n\r\n"), Reason.TIMEOUT),
    "garbage": (raw(b"\x80\x01\xff" * 50), Reason.PROTOCOL),
    "DNS": (raw(b"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\0\0\2\0\1"), Reason.PROTOCOL),
    "64 KiB of one letter": (raw(b"a" * 65_507), Reason.PROTOCOL),
    "HTTP": (raw(b"HTTP/1.1 200 OK\r\n\r\n"), Reason.PROTOCOL),
    "NULs with text": (raw(b"\0" * 20 + b"SIP/2.0 200 OK\r\n\r\n"), Reason.PROTOCOL),
    "lone surrogates": (raw(b"SIP/2.0 \xed\xa0\x80 OK\r\n\r\n"), Reason.PROTOCOL),
    "cut body": (replying(content_length="500"), Reason.PROTOCOL),
}


@pytest.mark.parametrize("name", NOT_AN_ANSWER)
@pytest.mark.catalogue("T07")
async def test_only_the_right_answer_counts(name: str) -> None:
    """Wrong Call-ID, branch, port, protocol, or garbage: never UP, and within the timeout (T07)."""
    answer, reason = NOT_AN_ANSWER[name]
    with udp_peer(answer) as peer:
        seen = await look(SipParams.model_validate({"port": peer.port, "t1": "100ms"}), seconds=0.4)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, reason), seen.text
    assert seen.tools.deadline.elapsed() < 0.5
    assert len(seen.text) < 300


async def test_right_answer_after_wrong_ones_is_up() -> None:
    """Late duplicates and garbage around it do not hide the answer."""

    def noisy(peer: UdpPeer, data: bytes, sender: Address) -> None:
        for junk in (respond(data, call_id="late"), b"\0\xff", respond(data, "SIP/2.0 100 Trying")):
            peer.send(junk, sender)
        for _ in range(3):
            peer.send(respond(data), sender)

    with udp_peer(noisy) as peer:
        seen = await look(SipParams(port=peer.port))
    assert (seen.outcome, seen.status) == (Outcome.UP, 200)


async def test_every_run_asks_anew_and_retransmits_the_same() -> None:
    """Fresh branch, Call-ID and tag of 8 random bytes a run; a retransmission is byte for byte."""
    with udp_peer(silent) as peer:
        for _ in range(2):
            await look(SipParams.model_validate({"port": peer.port, "t1": "100ms"}), seconds=0.15)
        sent = [data for _, data in peer.received]
    assert sent[0] == sent[1] != sent[2] == sent[3]
    for name in ("Via", "Call-ID", "From"):
        assert header(sent[0], name) != header(sent[2], name)
    branch = header(sent[0], "Via").partition("branch=z9hG4bK")[2].partition(";")[0]
    assert len(bytes.fromhex(branch)) >= 8
    assert header(sent[0], "Via").endswith(";rport")


async def test_hostile_text_is_told_clean_and_short() -> None:
    """10 kB banners, escapes, NULs, bidi, markup: the detail is printable and short."""
    evil = "x\x1b[31m\0\u202e<script>" + "n" * 10_000
    changed = {"server": evil, "allow": evil[:2_000], "retry_after": evil[:2_000]}
    with udp_peer(replying("SIP/2.0 503 \x1b]0;\udced\0" + "p" * 500, **changed)) as peer:
        seen = await look(SipParams(port=peer.port))
    assert seen.impaired
    assert set(seen.tools.detail) >= {"status", "phrase", "server"}
    for value in seen.tools.detail.values():
        text = str(value)
        assert text.isprintable()
        assert len(text) <= 300
        text.encode()


async def test_refused_port_is_down_at_once() -> None:
    """UDP and TCP: nobody listens, known in 0.1 s."""
    for params in (SipParams(port=free_ports().plain), SipTcpParams(port=free_ports().plain)):
        seen = await look(params)
        assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.REFUSED)
        assert seen.tools.deadline.elapsed() < 0.3


def chatter(request: bytes) -> bytes:
    return b"OPTIONS sip:you SIP/2.0\r\nContent-Length: 0\r\n\r\n" * 8_000


def doubled(request: bytes) -> bytes:
    wrong = respond(request, call_id="other", content_length="4").replace(
        b"\r\n\r\n", b"\r\n\r\nbody"
    )
    return b"\r\n\r\n" + wrong + respond(request, "SIP/2.0 100 Trying") + respond(request)


STREAMS: dict[str, tuple[Behaviour, Outcome, Reason]] = {
    "accepts and is mute": (mute, Outcome.DOWN, Reason.TIMEOUT),
    "hangs up": (hang_up, Outcome.DOWN, Reason.RESET),
    "hangs up after the request": (hang_up_after_request, Outcome.DOWN, Reason.RESET),
    "SSH": (SSH_BANNER, Outcome.DOWN, Reason.PROTOCOL),
    "HTTP": (HTTP_OK, Outcome.DOWN, Reason.PROTOCOL),
    "HTTP a byte a second": (drip, Outcome.DOWN, Reason.TIMEOUT),
    "NULs": (NULS, Outcome.DOWN, Reason.PROTOCOL),
    "a line without an end": (says(b"A" * 70_000), Outcome.DOWN, Reason.PROTOCOL),
    "a header without an end": (
        says(b"SIP/2.0 200 OK\r\nX: " + b"a" * 70_000),
        Outcome.DOWN,
        Reason.PROTOCOL,
    ),
    "babble": (stream_answer(chatter), Outcome.DOWN, Reason.PROTOCOL),
    "half an answer": (stream_answer(lambda r: respond(r)[:-10]), Outcome.DOWN, Reason.TIMEOUT),
    "wrong Call-ID": (
        stream_answer(lambda r: respond(r, call_id="x")),
        Outcome.DOWN,
        Reason.TIMEOUT,
    ),
    "a byte a second": (stream_answer(respond, pause=1.0, piece=1), Outcome.DOWN, Reason.TIMEOUT),
    "byte by byte": (stream_answer(respond, piece=1), Outcome.UP, Reason.OK),
    "others before it": (stream_answer(doubled), Outcome.UP, Reason.OK),
    "503": (stream_answer(lambda r: respond(r, "SIP/2.0 503 No")), Outcome.UP, Reason.STATUS),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.catalogue("T02")
async def test_half_dead_tcp_peer_has_its_reason(name: str) -> None:
    """Every way to be half-dead over TCP has its verdict, and none outlives the deadline (T02)."""
    behaviour, outcome, reason = STREAMS[name]
    with serving(behaviour) as port:
        seen = await look(SipTcpParams(port=port), seconds=0.5)
    assert (seen.outcome, seen.reason) == (outcome, reason), seen.text
    assert seen.tools.deadline.elapsed() < 0.6


async def test_plain_port_asked_for_tls_is_a_handshake_fault(proxy: Proxy) -> None:
    """TLS to the TCP port of a SIP proxy is not silence."""
    seen = await look(SipsParams(port=proxy.ports.plain), seconds=1.0)
    assert seen.outcome is Outcome.DOWN
    assert seen.reason in {Reason.TLS_HANDSHAKE, Reason.RESET, Reason.TIMEOUT}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.catalogue("T08")
async def test_dead_address_of_two_does_not_hide_the_living_one(transport: str) -> None:
    """TCP tries the other within the run, UDP in the next one; the address used is told (T08)."""
    kind = SipParams if transport == "udp" else SipTcpParams
    clock = SystemClock()
    resolver = Resolver(clock, lambda _: ["127.0.0.2", "127.0.0.1"])
    with udp_peer(replying()) as peer, serving(stream_answer(respond)) as port:
        params = kind(port=peer.port if transport == "udp" else port)
        check = Check(CheckId("c", "sip"), "aceh", "sip", "codec.id", params, 10.0, 2.0, True)
        for run in (1, 2):
            tools = Tools(
                clock,
                cast("Pinger", None),
                resolver,
                Deadline(clock, LoopLag(clock), 1.0),
                clock.wall(),
            )
            if run == 1 and transport == "udp":
                with pytest.raises(ProbeError, match="refused"):
                    await probe(check, tools)
                assert tools.detail["address"] == "127.0.0.2"
                await asyncio.sleep(1.0)
            else:
                assert (await probe(check, tools)).outcome is Outcome.UP
                assert tools.detail["address"] == "127.0.0.1"
    resolver.close()


async def test_unresolvable_name_is_told_apart_from_a_dead_codec() -> None:
    """A resolver that fails is our own fault, and nothing was sent."""

    def dead(host: str) -> list[str]:
        raise OSError("the resolver is dead")

    seen = await look(SipParams(port=5060), address="codec.example.id", lookup=dead)
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, Reason.DNS_FAILURE)
    assert set(seen.tools.phases) == {"resolve"}


async def test_a_hundred_at_once(proxy: Proxy) -> None:
    """A hundred checks side by side over UDP are each answered by their own answer."""
    begun = time.perf_counter()
    seen = await asyncio.gather(
        *(look(over("udp", proxy, f"e{480 + run % 10}")) for run in range(100))
    )
    took = time.perf_counter() - begun
    assert [one.status for one in seen] == [480 + run % 10 for run in range(100)]
    assert took < 5.0
