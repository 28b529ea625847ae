"""A call's dialog: whatever the peer does, every leg is acknowledged and ended."""

from __future__ import annotations

import itertools

import pytest

from tests.fakes.sip_peers import header, respond
from vcmon.wire.sip import Message, parse_datagram
from vcmon.wire.sip_dialog import ANSWERS_MAX, LEGS_MAX, Dialog, Invite

INVITE = Invite(
    uri="sip:echo@192.0.2.1:5060",
    transport="udp",
    local=("192.0.2.7", 40_000),
    call_id="fedcba9876543210",
    tag="00112233",
    version="1.2.3",
    sdp=b"v=0\r\n",
    expires=8,
)


def dialog(t1: float = 0.5, invite: Invite = INVITE) -> Dialog:
    numbers = itertools.count(1)
    made = Dialog(invite, t1, lambda: f"{next(numbers):016x}")
    made.start(0.0)
    return made


def sent(made: Dialog) -> list[bytes]:
    """What lies in the outbox, which is empty then."""
    out, made.outbox[:] = list(made.outbox), []
    return out


def methods(made: Dialog) -> list[str]:
    return [data.split(b" ", 1)[0].decode() for data in sent(made)]


def said(request: bytes, start: str, tag: str = "", **more: str) -> Message:
    if tag:
        more["to"] = header(request, "To").partition(";tag=")[0] + f";tag={tag}"
    return parse_datagram(respond(request, start, **more))


def theirs(
    method: str,
    tag: str = "far",
    body: bytes = b"",
    to: str = "<sip:vcmon@192.0.2.7>;tag=00112233",
    call_id: str = "fedcba9876543210",
) -> Message:
    """A request of the peer within the call."""
    headers = {
        "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtheirs",
        "From": f"<sip:echo@192.0.2.1>;tag={tag}",
        "To": to,
        "Call-ID": call_id,
        "CSeq": f"7 {method}",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return parse_datagram(f"{method} sip:vcmon@192.0.2.7 SIP/2.0\r\n{lines}\r\n".encode() + body)


def answered(**more: str) -> tuple[Dialog, bytes]:
    """A call that was taken, and its INVITE."""
    made = dialog()
    (invite,) = sent(made)
    made.take(said(invite, "SIP/2.0 200 OK", "far", **more), 0.1)
    return made, invite


def test_invite_is_what_rfc_3261_asks_for() -> None:
    """Every header, byte for byte."""
    (invite,) = sent(dialog())
    assert invite == (
        b"INVITE sip:echo@192.0.2.1:5060 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK0000000000000001;rport\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:vcmon@192.0.2.7>;tag=00112233\r\n"
        b"To: <sip:echo@192.0.2.1:5060>\r\n"
        b"Call-ID: fedcba9876543210\r\n"
        b"CSeq: 1 INVITE\r\n"
        b"Contact: <sip:vcmon@192.0.2.7:40000>\r\n"
        b"User-Agent: vcmon/1.2.3\r\n"
        b"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO\r\n"
        b"Accept: application/sdp\r\n"
        b"Expires: 8\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Content-Length: 5\r\n\r\nv=0\r\n"
    )


def test_silence_brings_the_invite_again_until_something_is_heard() -> None:
    """At 0.5, 1.5, 3.5 s, byte for byte; a provisional answer ends that; over TCP never."""
    made = dialog()
    (invite,) = sent(made)
    due = []
    for _ in range(3):
        due.append(made.wakes_at)
        made.tick(made.wakes_at)
        assert sent(made) == [invite]
    assert due == [0.5, 1.5, 3.5]
    assert made.transmissions == 4
    made.take(said(invite, "SIP/2.0 100 Trying"), 4.0)
    assert made.wakes_at == float("inf")
    assert dialog(t1=0.0).wakes_at == float("inf")


def test_answer_is_acknowledged_each_time_and_ended_by_bye() -> None:
    """ACK to the 2xx and to its repetition; BYE within the dialog, again until it is answered."""
    made, invite = answered(contact="<sip:room7@192.0.2.9:5070;x=1>;q=0.5")
    (ack,) = sent(made)
    assert ack.startswith(b"ACK sip:room7@192.0.2.9:5070;x=1 SIP/2.0\r\n")
    assert header(ack, "CSeq") == "1 ACK"
    assert header(ack, "To").endswith(";tag=far")
    assert header(ack, "Via") != header(invite, "Via")
    made.take(said(invite, "SIP/2.0 200 OK", "far"), 0.6)
    assert sent(made) == [ack]
    assert made.answer is not None
    made.hang_up(5.0)
    (bye,) = sent(made)
    assert bye.startswith(b"BYE sip:room7@192.0.2.9:5070;x=1 SIP/2.0\r\n")
    assert header(bye, "CSeq") == "2 BYE"
    made.tick(5.5)
    assert sent(made) == [bye]
    made.take(said(bye, "SIP/2.0 200 OK"), 5.6)
    assert made.over
    assert made.bye_status == 200
    assert made.wakes_at == float("inf")


def test_record_route_is_followed_in_reverse() -> None:
    """Loose routers stand in Route, a strict one takes the request line (RFC 3261 12.2.1.1)."""
    route = '"a, b" <sip:p2@192.0.2.3;lr>;x=1, <sip:p1@192.0.2.2;lr>'
    made, _ = answered(contact="<sip:room@192.0.2.9>", record_route=route)
    (ack,) = sent(made)
    routes = [line for line in ack.decode().split("\r\n") if line.startswith("Route:")]
    assert routes == ["Route: <sip:p1@192.0.2.2;lr>", "Route: <sip:p2@192.0.2.3;lr>"]
    assert ack.startswith(b"ACK sip:room@192.0.2.9 SIP/2.0")
    strict, _ = answered(contact="<sip:room@192.0.2.9>", record_route="<sip:old@192.0.2.2>")
    (ack,) = sent(strict)
    assert ack.startswith(b"ACK sip:old@192.0.2.2 SIP/2.0")
    assert header(ack, "Route") == "<sip:room@192.0.2.9>"


@pytest.mark.parametrize("status", [301, 404, 486, 503, 603, 699])
def test_refusal_is_acknowledged_within_the_transaction(status: int) -> None:
    """ACK with the INVITE's own branch and the answer's To, each time; then nothing is left."""
    made = dialog()
    (invite,) = sent(made)
    for _ in range(2):
        made.take(said(invite, f"SIP/2.0 {status} No", "far"), 0.1)
        (ack,) = sent(made)
        assert ack.startswith(b"ACK sip:echo@192.0.2.1:5060 SIP/2.0")
        assert header(ack, "Via") == header(invite, "Via")
        assert header(ack, "To").endswith(";tag=far")
    assert made.refusal is not None
    assert made.refusal.status == status
    made.hang_up(0.2)
    assert (sent(made), made.over) == ([], True)


def test_ringing_is_cancelled() -> None:
    """CANCEL has the INVITE's branch and URI, is sent again, and 487 gets its ACK."""
    made = dialog()
    (invite,) = sent(made)
    made.take(said(invite, "SIP/2.0 180 Ringing", "far"), 0.1)
    made.hang_up(1.0)
    (cancel,) = sent(made)
    assert cancel.startswith(b"CANCEL sip:echo@192.0.2.1:5060 SIP/2.0")
    assert header(cancel, "Via") == header(invite, "Via")
    assert header(cancel, "CSeq") == "1 CANCEL"
    made.tick(1.5)
    assert sent(made) == [cancel]
    made.take(said(cancel, "SIP/2.0 200 OK"), 1.6)
    assert (made.wakes_at, made.over) == (float("inf"), False)
    made.take(said(invite, "SIP/2.0 487 Request Terminated", "far"), 1.7)
    assert methods(made) == ["ACK"]
    assert made.over


def test_unheard_call_is_cancelled_a_little_later() -> None:
    """Nothing heard: the INVITE is not repeated; CANCEL follows at T1, or at the first 1xx."""
    made = dialog()
    (invite,) = sent(made)
    made.hang_up(0.2)
    assert (sent(made), made.wakes_at) == ([], 0.7)
    made.tick(0.7)
    assert methods(made) == ["CANCEL"]
    made = dialog()
    sent(made)
    made.hang_up(0.2)
    made.take(said(invite, "SIP/2.0 183 Progress"), 0.3)
    assert methods(made) == ["CANCEL"]


def test_answer_after_cancel_is_acknowledged_and_ended() -> None:
    """The 200 that crosses the CANCEL: ACK, and BYE at once."""
    made = dialog()
    (invite,) = sent(made)
    made.take(said(invite, "SIP/2.0 180 Ringing", "far"), 0.1)
    made.hang_up(1.0)
    sent(made)
    made.take(said(invite, "SIP/2.0 200 OK", "far"), 1.1)
    ack, bye = sent(made)
    assert ack.startswith(b"ACK ")
    assert bye.startswith(b"BYE ")
    assert made.answer is None
    made.take(said(bye, "SIP/2.0 200 OK"), 1.2)
    assert made.over


def test_second_voice_of_a_fork_is_ended_at_once() -> None:
    """Each further 2xx has its own ACK and BYE, with its own tag; the first call goes on."""
    made, invite = answered()
    sent(made)
    made.take(said(invite, "SIP/2.0 200 OK", "second"), 0.2)
    ack, bye = sent(made)
    assert header(ack, "To").endswith(";tag=second")
    assert header(bye, "To").endswith(";tag=second")
    made.take(said(bye, "SIP/2.0 200 OK"), 0.3)
    assert not made.over
    made.hang_up(1.0)
    (bye,) = sent(made)
    assert header(bye, "To").endswith(";tag=far")


def test_last_words_name_all_that_is_open() -> None:
    """Out of time: CANCEL for what rings, ACK and BYE for what is up."""
    made = dialog()
    sent(made)
    made.last_words()
    assert methods(made) == ["CANCEL"]
    made, _ = answered()
    made.hang_up(1.0)
    sent(made)
    made.last_words()
    assert methods(made) == ["ACK", "BYE"]


def test_peer_hangs_up() -> None:
    """Its BYE, and its repetition, are answered 200; nothing more is sent, and it is over."""
    made, _ = answered()
    sent(made)
    for _ in range(2):
        made.take(theirs("BYE"), 2.0)
        (answer,) = sent(made)
        assert answer.startswith(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKth")
        assert header(answer, "CSeq") == "7 BYE"
    assert made.hung_up
    assert made.over
    made.hang_up(3.0)
    assert sent(made) == []


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (theirs("OPTIONS"), 200),
        (theirs("INFO"), 200),
        (theirs("UPDATE"), 200),
        (theirs("UPDATE", body=b"v=0\r\n"), 488),
        (theirs("INVITE", body=b"v=0\r\n"), 488),
        (theirs("REFER"), 501),
        (theirs("CANCEL"), 501),
        (theirs("BYE", tag="stranger"), 481),
        (theirs("BYE", call_id="other"), 481),
        (theirs("BYE", to="<sip:vcmon@192.0.2.7>"), 481),
    ],
)
def test_requests_of_the_peer_are_answered(request_: Message, code: int) -> None:
    """What only asks is answered, what would change the call is not taken, it goes on."""
    made, _ = answered()
    sent(made)
    made.take(request_, 1.0)
    (answer,) = sent(made)
    assert answer.startswith(f"SIP/2.0 {code} ".encode())
    assert not made.over
    assert not made.hung_up


def test_ack_is_never_answered() -> None:
    """An ACK brings no response."""
    made, _ = answered()
    sent(made)
    made.take(theirs("ACK"), 1.0)
    assert sent(made) == []


def test_what_belongs_to_another_call_is_ignored() -> None:
    """Another Call-ID, branch or method: nothing happens."""
    made = dialog()
    (invite,) = sent(made)
    for changed in ({"call_id": "x"}, {"via": "SIP/2.0/UDP h;branch=z9hG4bK9"}, {"cseq": "1 FOO"}):
        made.take(said(invite, "SIP/2.0 200 OK", "far", **changed), 0.1)
    assert sent(made) == []
    assert made.answer is None


def test_flood_is_bounded() -> None:
    """A thousand tags make at most eight legs; a thousand requests so many answers, no more."""
    made, invite = answered()
    for number in range(1000):
        made.take(said(invite, "SIP/2.0 200 OK", f"t{number}"), 0.2)
    assert len(sent(made)) <= 1 + 2 * LEGS_MAX
    made, _ = answered()
    for _ in range(1000):
        made.take(theirs("INFO"), 0.2)
    assert len(sent(made)) <= ANSWERS_MAX + 1


@pytest.mark.parametrize(
    "contact",
    ["", "tel:+62", "<sip:a b@h>", "<sip:\x00@h>", "sip:" + "a" * 600, "<http://h/>", "<<>>", "*"],
)
def test_hostile_contact_does_not_reach_the_request_line(contact: str) -> None:
    """A Contact that is no SIP URI is not used: the URI that was called is."""
    made, _ = answered(contact=contact)
    (ack,) = sent(made)
    assert ack.startswith(b"ACK sip:echo@192.0.2.1:5060 SIP/2.0\r\n")
    parse_datagram(ack)
