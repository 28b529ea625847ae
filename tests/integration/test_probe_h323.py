"""The H.323 probe against what real stacks were recorded to say, and against what none should."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.figures import record
from tests.fakes.h323_peers import (
    ALERTING,
    CLOSE,
    FACILITY,
    GNUGK,
    GUID,
    H323PLUS,
    OOH323C,
    PROCEEDING,
    RELEASE_COMPLETE,
    RESET,
    RINGING,
    SETUP,
    SIMPH323,
    STATUS,
    STATUS_ENQUIRY,
    Signalling,
    Step,
    begun,
    cut_at_once,
    frame,
    release,
    told,
    uuie,
    verdict,
)
from tests.fakes.hostile import (
    NULS,
    SSH_BANNER,
    Behaviour,
    Prober,
    Seen,
    hang_up,
    mute,
    prober,
    says,
    serving,
)
from tests.fakes.sip_peers import free_ports
from vcmon.model.result import Blame, Outcome, Reason

UP, DOWN = Outcome.UP, Outcome.DOWN


@pytest.fixture
async def probing() -> AsyncIterator[Prober]:
    async with prober() as made:
        yield made


async def look(probing: Prober, behaviour: Behaviour, timeout: float = 0.8, **params: Any) -> Seen:
    with serving(behaviour) as port:
        return await probing.run("h323", timeout, port=port, **params)


def on(kind: int, *steps: Step) -> Signalling:
    return Signalling({kind: steps, RELEASE_COMPLETE: (CLOSE,)})


# --- call signalling, as recorded


async def test_gatekeeper_answers_the_enquiry(probing: Prober) -> None:
    """GnuGk releases the call that there is not: H.225.0 is proven, and the reason told."""
    seen = await look(probing, Signalling(GNUGK))
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert told(seen, "evidence") == "h225"
    assert told(seen, "reply") == "RELEASE COMPLETE"
    assert told(seen, "refusal") == "undefinedReason"
    assert set(seen.tools.phases) == {"resolve", "connect", "request"}
    assert seen.elapsed < 0.5
    assert "speaks H.323" in seen.text


async def test_closing_when_asked_is_up_by_eof(probing: Prober) -> None:
    """H323Plus hangs up on an unknown call: likely H.323, and no more is claimed."""
    seen = await look(probing, Signalling(SIMPH323))
    assert verdict(seen) == (UP, Reason.OK, False)
    assert told(seen, "evidence") == "eof"
    assert told(seen, "reply") is None
    assert "likely" in seen.text
    assert seen.elapsed < 0.5


async def test_silence_is_up_by_tcp_within_the_default_timeout(probing: Prober) -> None:
    """ooh323c says nothing: the port is open, whether H.323 works is not claimed."""
    peer = Signalling(RINGING)
    seen = await look(probing, peer, timeout=2.0)
    assert verdict(seen) == (UP, Reason.OK, False)
    assert told(seen, "evidence") == "tcp"
    assert "not seen" in seen.text
    assert 1.6 < seen.elapsed < 2.2
    assert peer.kinds() == [STATUS_ENQUIRY]
    assert not peer.calls


async def test_silence_is_silence_after_two_seconds(probing: Prober) -> None:
    """A longer timeout does not make the wait longer than two seconds."""
    seen = await look(probing, mute, timeout=10.0)
    assert told(seen, "evidence") == "tcp"
    assert 2.0 < seen.elapsed < 2.6


async def test_status_is_an_answer(probing: Prober) -> None:
    """STATUS with cause 30 is what Q.931 itself wants for an answer."""
    elements = bytes.fromhex("0802809e14010a")
    user = uuie("status", callIdentifier={"guid": GUID})
    seen = await look(probing, on(STATUS_ENQUIRY, frame(STATUS, 0x8001, elements, user)))
    assert verdict(seen) == (UP, Reason.OK, False)
    assert (told(seen, "evidence"), told(seen, "reply")) == ("h225", "STATUS")
    assert told(seen, "cause") == 30


async def test_answer_in_pieces_after_keepalives_is_an_answer(probing: Prober) -> None:
    """Empty frames before it, and one byte at a time: the same answer."""
    answer = b"\x03\0\0\4" * 3 + release(reason="undefinedReason")
    steps = [step for at in range(len(answer)) for step in (answer[at : at + 1], 0.002)]
    seen = await look(probing, on(STATUS_ENQUIRY, *steps))
    assert told(seen, "evidence") == "h225", seen.text


BUSY = {
    "cause 17": release(17),
    "inConf": release(reason="inConf"),
    "both": release(17, "inConf"),
}


@pytest.mark.parametrize("name", BUSY)
@pytest.mark.parametrize("setup", [False, True])
async def test_codec_in_a_call_is_up_and_busy(name: str, setup: bool, probing: Prober) -> None:
    """User busy, by cause or by reason, to either question: UP, told as busy, no alarm."""
    peer = on(SETUP if setup else STATUS_ENQUIRY, BUSY[name])
    seen = await look(probing, peer, setup=setup)
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert told(seen, "busy") is True
    assert told(seen, "evidence") == ("setup" if setup else "h225")
    assert "in a call" in seen.text


# --- call signalling, as it should not be


def after_the_request(data: bytes) -> Behaviour:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(data)
        await asyncio.sleep(5)

    return answer


NOT_H323: dict[str, Behaviour] = {
    "SSH": SSH_BANNER,
    "HTTP 400": after_the_request(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "SIP": after_the_request(b"SIP/2.0 400 Bad Request\r\n\r\n"),
    "NULs": NULS,
    "SMTP, then closed": says(b"220 mail.example.go.id ESMTP\r\n", then_close=True),
    "TLS alert": after_the_request(bytes.fromhex("15030100020246")),
    "RDP, which has TPKT too": after_the_request(bytes.fromhex("0300000b06d00000123400")),
    "TPKT with an impossible length": after_the_request(b"\x03\0\0\3"),
    "a short call reference": after_the_request(bytes.fromhex("0300000808010a75")),
    "a message cut short": on(STATUS_ENQUIRY, release(17)[:-5], CLOSE),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_H323)
async def test_another_protocol_is_down(name: str, probing: Prober) -> None:
    """Whatever else speaks on the port: DOWN by ``protocol``, with what was found."""
    seen = await look(probing, NOT_H323[name])
    assert (seen.outcome, seen.reason, seen.blame) == (DOWN, Reason.PROTOCOL, Blame.REMOTE)
    assert "expected an H.323 message, found" in seen.text
    assert len(seen.text) < 320
    assert seen.text.isprintable()
    assert seen.elapsed < 0.9


CUT: dict[str, Behaviour] = {
    "before the question": cut_at_once,
    "closed before the question": hang_up,
    "on the question": on(STATUS_ENQUIRY, RESET),
}


@pytest.mark.parametrize("name", CUT)
async def test_connection_that_is_cut_at_once_is_impaired(name: str, probing: Prober) -> None:
    """Taken and cut: an access list or a dead service behind something, not H.323."""
    seen = await look(probing, CUT[name])
    assert verdict(seen) == (UP, Reason.RESET, True), seen.text
    assert told(seen, "evidence") == "tcp"
    assert "access list" in seen.text


async def test_reset_after_a_second_is_an_open_port(probing: Prober) -> None:
    """Held for more than a second, then cut: the port took us, and no more was seen."""
    seen = await look(probing, on(STATUS_ENQUIRY, 1.1, RESET), timeout=2.0)
    assert verdict(seen) == (UP, Reason.OK, False)
    assert told(seen, "evidence") == "tcp"
    assert "then cut it" in seen.text


async def test_drip_is_no_answer(probing: Prober) -> None:
    """A frame that never gets whole is not an answer, and does not hold us."""
    seen = await look(probing, on(STATUS_ENQUIRY, release(17)[:6]), timeout=0.6)
    assert told(seen, "evidence") == "tcp"
    assert seen.elapsed < 0.6


async def test_babble_of_empty_frames_is_bounded(probing: Prober) -> None:
    """Empty frames without an end are told as what they are, long before the timeout."""
    seen = await look(probing, on(STATUS_ENQUIRY, b"\x03\0\0\4" * 100_000), timeout=5.0)
    assert (seen.outcome, seen.reason) == (DOWN, Reason.PROTOCOL)
    assert seen.elapsed < 3.0


async def test_refused_port_is_down_at_once(probing: Prober) -> None:
    """Nobody listens: DOWN by ``refused``."""
    seen = await probing.run("h323", 1.0, port=free_ports().plain)
    assert (seen.outcome, seen.reason, seen.blame) == (DOWN, Reason.REFUSED, Blame.REMOTE)
    assert seen.elapsed < 0.5


async def test_hostile_text_is_told_clean_and_short(probing: Prober) -> None:
    """Escapes, NULs, bidi and markup in what a peer says of itself: printable and short."""
    evil = "x\x1b[31m\0\u202e<script>".encode() + b"n" * 200
    info = {**H323PLUS, "vendor": {**H323PLUS["vendor"], "productId": evil}}
    display = b"\x28" + bytes([len(evil)]) + evil
    user = uuie("alerting", destinationInfo=info, callIdentifier={"guid": GUID})
    seen = await look(probing, on(STATUS_ENQUIRY, frame(ALERTING, 0, display, user)))
    assert told(seen, "evidence") == "h225"
    for key in ("product", "display", "message"):
        text = str(told(seen, key))
        assert text.isprintable()
        assert len(text) <= 200


async def test_every_run_asks_about_another_call(probing: Prober) -> None:
    """The call reference is fresh in each run and never 0, which means all calls."""
    peer = Signalling(SIMPH323)
    with serving(peer) as port:
        for _ in range(8):
            await probing.run("h323", 1.0, port=port)
    references = {int.from_bytes(body[2:4], "big") for body in peer.received}
    assert len(references) >= 7
    assert all(1 <= reference <= 0x7FFF for reference in references)


# --- a call


@pytest.mark.parametrize(
    ("script", "reply", "product"),
    [(SIMPH323, "CONNECT", "terminal, H323Plus simple 1.28.0 (H323plus v1.28.0)"),
     (RINGING, "ALERTING", "terminal, objsys v0.9.4")],
    ids=["H323Plus", "ooh323c"],
)  # fmt: skip
async def test_call_that_is_taken_is_up(
    script: dict[int, tuple[Step, ...]], reply: str, product: str, probing: Prober
) -> None:
    """CONNECT or ALERTING proves that calls are taken; the call is released by cause 16."""
    peer = Signalling(script)
    seen = await look(probing, peer, setup=True, alias="vc-aceh")
    assert verdict(seen) == (UP, Reason.OK, False), seen.text
    assert (told(seen, "evidence"), told(seen, "reply")) == ("setup", reply)
    assert told(seen, "product") == product
    assert peer.kinds() == [SETUP, RELEASE_COMPLETE]
    setup, released = peer.received
    assert setup[2:4] == released[2:4]
    assert bytes.fromhex("08028090") in released
    assert setup.count(b"vcmon") == 2  # display and product; the alias is two bytes a letter
    assert "vc-aceh".encode("utf-16-be") in setup
    assert not peer.calls
    assert seen.elapsed < 0.6


RELEASED = [
    (release(16), "", UP, Reason.OK),
    (release(21), "", UP, Reason.OK),
    (release(reason="destinationRejection"), "", UP, Reason.OK),
    (release(20), "", UP, Reason.OK),
    (release(20), "vc-aceh", DOWN, Reason.STATUS),
    (release(1), "vc-aceh", DOWN, Reason.STATUS),
    (release(reason="calledPartyNotRegistered"), "vc-aceh", DOWN, Reason.STATUS),
    (release(reason="unreachableDestination"), "vc-aceh", DOWN, Reason.STATUS),
    (release(34), "", UP, Reason.BUSY),
    (release(reason="gatewayResources"), "", UP, Reason.BUSY),
    (release(reason="adaptiveBusy"), "vc-aceh", UP, Reason.BUSY),
    (release(reason="securityDenied"), "", UP, Reason.AUTH),
    (release(reason="noPermission"), "vc-aceh", UP, Reason.AUTH),
    (release(reason="undefinedReason"), "", UP, Reason.STATUS),
    (release(88), "", UP, Reason.STATUS),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "alias", "outcome", "reason"), RELEASED)
async def test_every_refusal_of_a_call_has_its_verdict(
    answer: bytes, alias: str, outcome: Outcome, reason: Reason, probing: Prober
) -> None:
    """An endpoint that refuses is alive; "no such user" from somebody else means it is gone."""
    peer = on(SETUP, answer)
    seen = await look(probing, peer, setup=True, alias=alias)
    impaired = outcome is UP and reason is not Reason.OK
    assert verdict(seen) == (outcome, reason, impaired), seen.text
    assert peer.kinds()[0] == SETUP
    assert "RELEASE COMPLETE" in seen.text


async def test_call_that_only_begins_is_impaired(probing: Prober) -> None:
    """CALL PROCEEDING may be a gatekeeper's: without anything after it the call went nowhere."""
    peer = on(SETUP, begun(PROCEEDING, "callProceeding", OOH323C), frame(FACILITY))
    seen = await look(probing, peer, setup=True)
    assert verdict(seen) == (UP, Reason.STATUS, True), seen.text
    assert peer.kinds() == [SETUP, RELEASE_COMPLETE]
    assert seen.elapsed < 0.8


@pytest.mark.parametrize(
    ("steps", "reason"),
    [((), Reason.TIMEOUT), ((CLOSE,), Reason.RESET), ((RESET,), Reason.RESET),
     ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Reason.PROTOCOL),
     ((begun(PROCEEDING, "callProceeding", OOH323C), CLOSE), Reason.RESET)],
    ids=["silence", "closed", "reset", "another protocol", "begun and closed"],
)  # fmt: skip
async def test_call_without_an_answer_is_down(
    steps: tuple[Step, ...], reason: Reason, probing: Prober
) -> None:
    """Who was asked for a call and gives no answer is down, within the timeout."""
    peer = on(SETUP, *steps)
    seen = await look(probing, peer, setup=True)
    assert (seen.outcome, seen.reason, seen.blame) == (DOWN, reason, Blame.REMOTE), seen.text
    assert seen.elapsed < 0.8
    assert not peer.calls or steps[-1:] in {(CLOSE,), (RESET,)}


CALLS = int(os.environ.get("VCMON_CALLS", "40"))


async def test_interrupted_calls_are_released(probing: Prober) -> None:
    """However a run is cut off, in whichever instant: no call is left at the far side."""
    chance = random.Random(7)
    late = {**SIMPH323, SETUP: (0.03, begun(ALERTING, "alerting", H323PLUS), 0.2)}
    peer = Signalling(late)
    with serving(peer) as port:
        for _ in range(CALLS):
            run = asyncio.create_task(probing.run("h323", 1.0, port=port, setup=True))
            await asyncio.sleep(chance.uniform(0.0, 0.06))
            run.cancel()
            await asyncio.wait({run})
        until = time.monotonic() + 2.0
        while peer.calls and time.monotonic() < until:
            await asyncio.sleep(0.02)
    placed = peer.kinds().count(SETUP)
    figure = f"{len(peer.calls)} left of {placed} calls in {CALLS} runs"
    record("h323 calls interrupted", figure, "0", not peer.calls)
    assert placed
    assert not peer.calls


async def test_ipv6_is_called(probing: Prober) -> None:
    """Over IPv6 a call names both addresses as what they are."""
    peer = Signalling(SIMPH323)
    with serving(peer, host="::1") as port:
        seen = await probing.run("h323", 1.0, address="::1", port=port, setup=True)
    assert told(seen, "evidence") == "setup", seen.text
    assert peer.received[0].count(bytes(15) + b"\1") == 2
