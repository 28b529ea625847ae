"""SIP messages: what we send is valid, and only the answer to it is taken for one."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.fakes.sip_peers import header, respond
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire import sip
from vcmon.wire.sip import (
    Framer,
    Message,
    Options,
    is_keepalive,
    parse_datagram,
    request_uri,
)


def options(transport: str = "udp", local: tuple[str, int] = ("192.0.2.7", 40_000)) -> Options:
    return Options(
        uri=request_uri("room", "192.0.2.1:5060", transport),
        transport=transport,
        local=local,
        branch="0123456789abcdef",
        call_id="fedcba9876543210",
        tag="00112233",
        version="1.2.3",
    )


def drained(framer: Framer) -> list[Message]:
    messages = []
    while (message := framer.next()) is not None:
        messages.append(message)
    return messages


def test_request_is_what_rfc_3261_asks_for() -> None:
    """Every header that RFC 3261 8.1.1, RFC 3581 and our own rules want, byte for byte."""
    assert options().encode() == (
        b"OPTIONS sip:room@192.0.2.1:5060 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK0123456789abcdef;rport\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:vcmon@192.0.2.7>;tag=00112233\r\n"
        b"To: <sip:room@192.0.2.1:5060>\r\n"
        b"Call-ID: fedcba9876543210\r\n"
        b"CSeq: 1 OPTIONS\r\n"
        b"Contact: <sip:vcmon@192.0.2.7:40000>\r\n"
        b"Accept: application/sdp\r\n"
        b"User-Agent: vcmon/1.2.3\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_request_over_tcp_and_ipv6() -> None:
    """Via and Contact name the transport; an IPv6 address has brackets and no zone."""
    request = options("tcp", ("fe80::1%eth0", 40_000)).encode()
    assert header(request, "Via").startswith("SIP/2.0/TCP [fe80::1]:40000;")
    assert header(request, "Contact") == "<sip:vcmon@[fe80::1]:40000;transport=tcp>"
    assert request.startswith(b"OPTIONS sip:room@192.0.2.1:5060;transport=tcp SIP/2.0\r\n")


@pytest.mark.parametrize(
    ("user", "domain", "uri"),
    [
        ("", "192.0.2.1:5060", "sip:192.0.2.1:5060"),
        ("room.1", "vc.example", "sip:room.1@vc.example"),
        ("", "[2001:db8::1]:5060", "sip:[2001:db8::1]:5060"),
        ("a b@c", "vc.example", "sip:a%20b%40c@vc.example"),
        ("x\r\nVia: evil", "h\r\nRoute: <sip:evil>", "sip:x%0D%0AVia%3A%20evil@h%0D%0ARoute:%20"),
        ("é", "vc\udcff", "sip:%C3%A9@vc%3F"),
    ],
)
def test_uri_holds_what_belongs_into_one(user: str, domain: str, uri: str) -> None:
    """Whatever an inventory says, it can't add a header of its own."""
    assert request_uri(user, domain, "udp").startswith(uri)
    assert "\r" not in request_uri(user, domain, "udp")


def test_own_request_parses() -> None:
    """What we send is a message by our own rules; as a request it has no status."""
    message = parse_datagram(options().encode())
    assert message.status is None
    assert not options().answered_by(message)


@pytest.mark.parametrize(
    ("changed", "answers"),
    [
        ({}, True),
        ({"call_id": "other"}, False),
        ({"cseq": "2 OPTIONS"}, False),
        ({"cseq": "1 INVITE"}, False),
        ({"cseq": "one"}, False),
        ({"cseq": "9" * 5000 + " OPTIONS"}, False),
        ({"via": "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKother"}, False),
        ({"via": "SIP/2.0/UDP 192.0.2.7"}, False),
        ({"via": ""}, False),
        ({"to": "<sip:elsewhere@192.0.2.9>;tag=1"}, True),
    ],
)
def test_only_branch_cseq_and_call_id_make_an_answer(
    changed: dict[str, str], answers: bool
) -> None:
    """All three must be ours; To may be rewritten on the way."""
    request = options()
    message = parse_datagram(respond(request.encode(), **changed))
    assert message.status == 200
    assert request.answered_by(message) is answers


@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK0123456789abcdef;rport=40000;received=10.0.0.1",
        "SIP/2.0/UDP 192.0.2.7;rport;branch=z9hG4bK0123456789abcdef, SIP/2.0/UDP 10.1.1.1;branch=x",
        'SIP/2.0/UDP 192.0.2.7;p="a,b;branch=evil";branch=z9hG4bK0123456789abcdef',
        "SIP/2.0/UDP 192.0.2.7 ; BRANCH = z9hG4bK0123456789abcdef ;rport",
    ],
)
def test_top_via_is_found_in_every_spelling(via: str) -> None:
    """Several Via in one header, quoted parameters, blanks, capitals."""
    assert options().answered_by(parse_datagram(respond(options().encode(), via=via)))


def test_top_via_is_the_first_header() -> None:
    """Of several Via headers the first counts: below are the hops before us."""
    answer = respond(options().encode())
    above = b"Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKother\r\n"
    start, rest = answer.split(b"\r\n", 1)
    assert not options().answered_by(parse_datagram(start + b"\r\n" + above + rest))
    assert options().answered_by(
        parse_datagram(answer.replace(b"\r\nFrom", b"\r\n" + above + b"From"))
    )


def test_compact_and_folded_headers() -> None:
    """Compact names, folded lines, any case of a name, blanks before the colon, LF alone."""
    message = parse_datagram(
        b"SIP/2.0 200 OK\n"
        b"v: SIP/2.0/UDP 192.0.2.7;\r\n branch=z9hG4bK0123456789abcdef\r\n"
        b"I : fedcba9876543210\n"
        b"CSEQ:1\r\n\tOPTIONS\r\n"
        b"no header at all\r\n"
        b"l: 2\r\n\r\nokjunk"
    )
    assert options().answered_by(message)
    assert message.body == b"ok"
    assert [name for name, _ in message.headers] == ["via", "call-id", "cseq", "content-length"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\0",
        b"SIP/2.0 200 OK",
        b"SIP/2.0 200 OK\r\nVia: x\r\n",
        b"SIP/2.0 2000 OK\r\n\r\n",
        b"SIP/2.0 099 No\r\n\r\n",
        b"SIP/2.0  200 OK\r\n\r\n",
        b"SIP/3.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nfour",
        b"SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"SIP/2.0 200 OK\r\nContent-Length: 99999\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: \xd9\xa1\r\n\r\n",
        b"SIP/2.0 200 " + b"a" * 1024 + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\nX: " + b"a" * 16_384 + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"A" * 65_507,
        b"\xff\xfe\xed\xa0\x80\r\n\r\n",
    ],
)
def test_what_is_no_message_is_a_protocol_error(data: bytes) -> None:
    """Cut, oversized, contradictory or foreign: ProbeError ``protocol``, blame remote."""
    with pytest.raises(ProbeError, match="expected a SIP message") as caught:
        parse_datagram(data)
    assert (caught.value.reason, caught.value.blame) == (Reason.PROTOCOL, Blame.REMOTE)
    assert len(caught.value.text) < 200


@pytest.mark.parametrize(("data", "keeps"), [(b"\r\n\r\n", True), (b"", True), (b"x", False)])
def test_keepalive(data: bytes, keeps: bool) -> None:
    """CRLF keeps a NAT open and says nothing."""
    assert is_keepalive(data) is keeps


def test_stream_is_cut_by_content_length() -> None:
    """Messages, bodies and keepalives back to back come out one by one."""
    body = respond(options().encode(), "SIP/2.0 200 OK", content_length="4")
    trying = respond(options().encode(), "SIP/2.0 100 Trying")
    framer = Framer()
    framer.feed(b"\r\n\r\n" + trying + b"\r\n\r\n\r\n" + body + b"\r\n\r\nSIP/2.0 486 Bu")
    assert [(m.status, m.body) for m in drained(framer)] == [(100, b""), (200, b"\r\n\r\n")]
    framer.feed(b"sy\r\n\r\n")
    assert [m.phrase for m in drained(framer)] == ["Busy"]


def test_stream_without_content_length_has_no_body() -> None:
    """RFC 3261 20.14 wants it over TCP; a peer that leaves it out still answered."""
    framer = Framer()
    framer.feed(b"SIP/2.0 200 OK\r\n\r\n")
    assert [message.status for message in drained(framer)] == [200]


def test_foreign_banner_is_told_by_its_first_line() -> None:
    """An SSH or HTTP server is found out at once, not after the timeout."""
    framer = Framer()
    framer.feed(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    with pytest.raises(ProbeError, match="SSH-2"):
        framer.next()


def test_line_without_an_end_is_bounded() -> None:
    """One kilobyte of start line, 16 of headers: more is refused, not collected."""
    framer = Framer()
    framer.feed(b"S" * sip.START_MAX)
    with pytest.raises(ProbeError, match="first line"):
        framer.next()


@pytest.mark.parametrize(
    "filler",
    [b'"', b'\\"', b" ", b";", b",", b'"\\', b"\r", b"=", b"\xf0\x9f", b"\n \t", b"a:\n"],
)
def test_hostile_text_costs_no_time(filler: bytes) -> None:
    """Whatever fills the headers, a message is judged within a tenth of a second."""
    head = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch="
    data = head + filler * (16_000 // len(filler)) + b"\r\nCSeq: 1" + b" " * 200 + b"\r\n\r\n"
    begun = time.perf_counter()
    with contextlib.suppress(ProbeError):
        assert not options().answered_by(parse_datagram(data))
    assert time.perf_counter() - begun < 0.1
