"""RAS of the H.323 probe: gatekeepers and endpoints as recorded, and as they should not be."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.h323_peers import (
    GCF,
    GUID,
    H323PLUS,
    IRR,
    LCF,
    LRJ_DENIED,
    LRJ_SECURITY,
    SCR,
    encoding,
    numbered,
    ras,
    replying,
    sequence,
    told,
    verdict,
)
from tests.fakes.hostile import Prober, Seen, prober
from tests.fakes.sip_peers import Address, Answer, UdpPeer, free_ports, silent, udp_peer
from vcmon.model.result import Blame, Outcome, Reason

UP, DOWN = Outcome.UP, Outcome.DOWN


@pytest.fixture
async def probing() -> AsyncIterator[Prober]:
    async with prober() as made:
        yield made


async def ask(probing: Prober, answer: Answer, timeout: float = 0.8, **params: Any) -> Seen:
    with udp_peer(answer) as peer:
        return await probing.run("h323", timeout, ras_port=peer.port, **params)


async def test_gatekeeper_confirms(probing: Prober) -> None:
    """GnuGk's GCF: UP, with its id and the round trip."""
    seen = await ask(probing, replying(GCF), ras="grq")
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert (told(seen, "evidence"), told(seen, "reply")) == ("ras", "GCF")
    assert told(seen, "gatekeeper") == "VCGK"
    assert 0 < float(str(told(seen, "rtt_ms"))) < 500
    assert set(seen.tools.phases) == {"resolve", "request"}


async def test_endpoint_tells_what_it_is(probing: Prober) -> None:
    """The IRR of H323Plus: product, version, alias and its signalling address."""
    seen = await ask(probing, replying(IRR), ras="irq")
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert told(seen, "product") == "terminal, H323Plus simple 1.28.0 (H323plus v1.28.0)"
    assert told(seen, "aliases") == "vc-aceh"
    assert told(seen, "signalling") == "127.0.0.1 port 11720"
    assert told(seen, "busy") is None


async def test_registered_codec_is_up(probing: Prober) -> None:
    """GnuGk's LCF: the alias is registered, and where."""
    seen = await ask(probing, replying(LCF), ras="lrq", alias="vc-aceh")
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert told(seen, "signalling") == "127.0.0.1 port 1720"
    assert "vc-aceh" in seen.text


LRJ = [
    ("notRegistered", DOWN, Reason.STATUS),
    ("invalidPermission", UP, Reason.AUTH),
    ("requestDenied", UP, Reason.AUTH),
    ("undefinedReason", UP, Reason.STATUS),
    ("securityDenial", UP, Reason.AUTH),
    ("aliasesInconsistent", UP, Reason.STATUS),
    ("resourceUnavailable", UP, Reason.BUSY),
    ("genericDataReason", UP, Reason.STATUS),
    ("hopCountExceeded", UP, Reason.STATUS),
    ("incompleteAddress", UP, Reason.STATUS),
]


@pytest.mark.parametrize(("refusal", "outcome", "reason"), LRJ)
async def test_every_location_reject_has_its_verdict(
    refusal: str, outcome: Outcome, reason: Reason, probing: Prober
) -> None:
    """Not registered is down; a policy says nothing of the codec, so the check is impaired."""
    answer = encoding("locationReject", rejectReason=(refusal, 0))
    seen = await ask(probing, answer, ras="lrq", alias="vc-aceh")
    assert verdict(seen) == (outcome, reason, outcome is UP), seen.text
    assert told(seen, "refusal") == refusal
    assert refusal in seen.text


async def test_recorded_refusals_of_a_gatekeeper(probing: Prober) -> None:
    """GnuGk's own LRJs: a policy towards us; requestDenied means gone where it is said so."""
    policy = await ask(probing, replying(LRJ_SECURITY), ras="lrq", alias="vc-aceh")
    assert verdict(policy) == (UP, Reason.AUTH, True), policy.text
    denied = await ask(probing, replying(LRJ_DENIED), ras="lrq", alias="vc-aceh")
    assert verdict(denied) == (UP, Reason.AUTH, True)
    gone = await ask(
        probing, replying(LRJ_DENIED), ras="lrq", alias="vc-aceh", denied_means_gone=True
    )
    assert verdict(gone) == (DOWN, Reason.STATUS, False)


GRJ = [
    ("resourceUnavailable", Reason.BUSY),
    ("terminalExcluded", Reason.OK),
    ("invalidRevision", Reason.OK),
    ("undefinedReason", Reason.OK),
    ("securityDenial", Reason.OK),
]


@pytest.mark.parametrize(("refusal", "reason"), GRJ)
async def test_gatekeeper_that_refuses_us_is_alive(
    refusal: str, reason: Reason, probing: Prober
) -> None:
    """GRJ is an answer: UP with the reason told; full up is impaired, for others too."""
    answer = encoding("gatekeeperReject", rejectReason=(refusal, 0))
    seen = await ask(probing, answer, ras="grq")
    assert verdict(seen) == (UP, reason, reason is not Reason.OK), seen.text
    assert told(seen, "refusal") == refusal
    assert refusal in seen.text


async def test_endpoint_in_a_call_is_up_and_busy(probing: Prober) -> None:
    """An IRR that lists a call: busy, told with the number of calls, no alarm."""
    here = ("ipAddress", {"ip": b"\x7f\0\0\1", "port": 1720})
    one = {
        "callReferenceValue": 1,
        "conferenceID": GUID,
        "h245": {},
        "callSignalling": {},
        "callType": ("pointToPoint", 0),
        "bandWidth": 640,
        "callModel": ("direct", 0),
    }
    answer = encoding(
        "infoRequestResponse",
        endpointType=H323PLUS,
        endpointIdentifier="1_endp",
        rasAddress=here,
        callSignalAddress=[here],
        perCallInfo=[one],
    )
    seen = await ask(probing, answer, ras="irq")
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert (told(seen, "busy"), told(seen, "calls")) == (True, 1)


async def test_unknown_question_is_impaired(probing: Prober) -> None:
    """XRS: alive, but this says nothing of what was asked."""
    seen = await ask(probing, encoding("unknownMessageResponse"), ras="irq")
    assert verdict(seen) == (UP, Reason.STATUS, True), seen.text


@pytest.mark.parametrize("answered", [True, False])
async def test_patience_is_given_as_long_as_the_timeout_allows(
    answered: bool, probing: Prober
) -> None:
    """RIP, then GCF, is UP; RIP and then nothing is a promise without an answer."""

    def patient(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(ras("requestInProgress", requestSeqNum=sequence(data), delay=300), sender)
        if answered:
            time.sleep(0.1)
            peer.send(numbered(GCF, data), sender)

    seen = await ask(probing, patient, ras="grq")
    expected = (UP, Reason.OK, False) if answered else (UP, Reason.STATUS, True)
    assert verdict(seen) == expected, seen.text


def another_number(peer: UdpPeer, data: bytes, sender: Address) -> None:
    other = bytes([data[0], data[1], data[2] ^ 0x40, *data[3:]])
    peer.send(numbered(GCF, other), sender)


def another_port(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.stranger.sendto(numbered(GCF, data), sender)


def echoed(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.send(data, sender)


def sending(data: bytes) -> Answer:
    return lambda peer, _, sender: peer.send(data, sender)


NOT_AN_ANSWER = {
    "silence": (silent, Reason.TIMEOUT),
    "another number": (another_number, Reason.TIMEOUT),
    "another port": (another_port, Reason.TIMEOUT),
    "our own request": (echoed, Reason.TIMEOUT),
    "the answer to another question": (replying(LCF), Reason.TIMEOUT),
    "SCR": (sending(SCR), Reason.TIMEOUT),
    "nothing": (sending(b""), Reason.PROTOCOL),
    "all ones": (sending(b"\xff" * 3), Reason.PROTOCOL),
    "cut": (sending(GCF[:2]), Reason.PROTOCOL),
    "64 KiB": (sending(b"\xa5" * 65_507), Reason.PROTOCOL),
}


@pytest.mark.parametrize("name", NOT_AN_ANSWER)
async def test_only_the_right_answer_counts(name: str, probing: Prober) -> None:
    """Wrong number, port, message, or garbage: never UP, and within the timeout."""
    answer, reason = NOT_AN_ANSWER[name]
    seen = await ask(probing, answer, timeout=0.4, ras="grq")
    assert (seen.outcome, seen.reason) == (DOWN, reason), seen.text
    assert seen.elapsed < 0.6


@pytest.mark.parametrize(
    ("params", "hint"),
    [({"ras": "grq", "gatekeeper_id": "NOSUCHGK"}, "gatekeeper_id"),
     ({"ras": "lrq", "alias": "vc-aceh"}, "neighbour"), ({"ras": "irq"}, "ras_port")],
)  # fmt: skip
async def test_silence_says_what_else_it_may_mean(
    params: dict[str, str], hint: str, probing: Prober
) -> None:
    """A gatekeeper that is not meant, or not our neighbour, is silent too: the text says so."""
    seen = await ask(probing, silent, timeout=0.3, **params)
    assert (seen.outcome, seen.reason, seen.blame) == (DOWN, Reason.TIMEOUT, Blame.PATH)
    assert hint in seen.text


async def test_lost_question_is_asked_again(probing: Prober) -> None:
    """The second sending, byte for byte the first, is answered; no round trip is told of it."""

    def deaf_once(peer: UdpPeer, data: bytes, sender: Address) -> None:
        if len(peer.received) > 1:
            peer.send(numbered(GCF, data), sender)

    with udp_peer(deaf_once) as peer:
        seen = await probing.run("h323", 2.0, ras="grq", ras_port=peer.port)
        first, second = (data for _, data in peer.received)
    assert first == second
    assert (seen.outcome, seen.tools.transmissions) == (UP, 2)
    assert told(seen, "rtt_ms") is None


async def test_refused_ras_port_is_down(probing: Prober) -> None:
    """ICMP says that nobody is there: DOWN by ``refused``."""
    seen = await probing.run("h323", 1.0, ras="grq", ras_port=free_ports().plain)
    assert (seen.outcome, seen.reason) == (DOWN, Reason.REFUSED)


async def test_ipv6_is_spoken(probing: Prober) -> None:
    """Over IPv6 our address is told as one."""
    with udp_peer(replying(GCF), host="::1") as peer:
        seen = await probing.run("h323", 1.0, address="::1", ras="grq", ras_port=peer.port)
        assert bytes(15) + b"\1" in peer.received[0][1]
    assert seen.outcome is UP, seen.text
