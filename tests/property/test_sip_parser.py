"""Any bytes whatever: a message, or ProbeError ``protocol``; and in pieces the same as whole.

``VCMON_EXAMPLES=100000 pytest --timeout=1500 tests/property/test_sip_parser.py`` is the long run.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.sip import BRANCH_COOKIE, Framer, Message, Options, parse_datagram, request_uri

pytestmark = pytest.mark.catalogue("T37")

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "2000"))
thorough = settings(max_examples=EXAMPLES, deadline=None)

REQUEST = Options(
    uri="sip:192.0.2.1",
    transport="udp",
    local=("192.0.2.7", 40_000),
    branch="0123456789abcdef",
    call_id="fedcba9876543210",
    tag="00112233",
    version="1",
)
VALID = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK0123456789abcdef\r\n"
    b"Call-ID: fedcba9876543210\r\nCSeq: 1 OPTIONS\r\nContent-Length: 3\r\n\r\nabc"
)

starts = st.sampled_from(
    [
        b"SIP/2.0 200 OK",
        b"sip/2.0 100",
        b"SIP/2.0 486 Busy \xff",
        b"OPTIONS sip:a SIP/2.0",
        b"HTTP/1.1 200 OK",
        b"SIP/2.0 999 x",
    ]
)
names = st.sampled_from(
    [
        b"Via",
        b"v",
        b"Call-ID",
        b"i",
        b"CSeq",
        b"Content-Length",
        b"l",
        b"X",
        b"",
        b" ",
        b"\t",
        b"V ia",
    ]
)
values = st.sampled_from(
    [
        b"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK0123456789abcdef",
        b'a;p="b,c',
        b"fedcba9876543210",
        b"1 OPTIONS",
        b"0",
        b"3",
        b"70000",
        b"\xed\xa0\x80\0",
        b"",
    ]
) | st.binary(max_size=20)
ends = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n "])
lines = st.tuples(names, st.sampled_from([b":", b" : ", b""]), values, ends).map(b"".join)
messages = st.tuples(
    starts,
    ends,
    st.lists(lines, max_size=8).map(b"".join),
    st.sampled_from([b"\r\n", b"\n", b""]),
    st.binary(max_size=10),
).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid answer with a few bytes cut out, put in or turned."""
    data = bytearray(VALID)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(data)


hostile = st.one_of(
    st.binary(max_size=300),
    messages,
    mutated(),
    st.lists(messages | st.just(b"\r\n\r\n") | mutated(), max_size=3).map(b"".join),
)


def read_in_pieces(data: bytes, size: int) -> list[Message | str]:
    """Every message, and the text of the error that ended the stream, if one did."""
    framer = Framer()
    found: list[Message | str] = []
    for start in range(0, len(data), size):
        framer.feed(data[start : start + size])
        try:
            while (message := framer.next()) is not None:
                found.append(message)
        except ProbeError as error:
            return [*found, error.text]
    return found


def usable(message: Message) -> None:
    """Everything a probe asks of a message can be asked of any."""
    assert message.status is None or 100 <= message.status <= 699
    message.branch()
    message.cseq()
    assert isinstance(REQUEST.answered_by(message), bool)
    for name, value in (*message.headers, ("phrase", message.phrase)):
        (name + value).encode()  # no lone surrogate ever


@given(hostile)
@thorough
def test_datagram_is_a_message_or_a_protocol_error(data: bytes) -> None:
    """One value or one documented exception for any bytes."""
    try:
        message = parse_datagram(data)
    except ProbeError as error:
        assert (error.reason, error.blame) == (Reason.PROTOCOL, Blame.REMOTE)  # noqa: PT017 - it may also not raise
        return
    usable(message)


@given(hostile, st.integers(1, 40))
@thorough
def test_stream_in_pieces_is_the_stream_as_a_whole(data: bytes, size: int) -> None:
    """Byte by byte, in any pieces, or at once: the same messages and the same error."""
    whole = read_in_pieces(data, max(1, len(data)))
    assert read_in_pieces(data, 1) == whole
    assert read_in_pieces(data, size) == whole
    for found in whole:
        if isinstance(found, Message):
            usable(found)


@pytest.mark.parametrize("cut", range(len(VALID)))
def test_answer_cut_anywhere_is_none(cut: int) -> None:
    """Every proper beginning of a datagram is refused, also one cut within its body."""
    with pytest.raises(ProbeError, match="expected a SIP message"):
        parse_datagram(VALID[:cut])


@given(st.integers(0, len(VALID)), st.integers(0, 12), st.binary(max_size=3))
@thorough
def test_changed_answer_counts_only_with_our_own_marks(at: int, cut: int, junk: bytes) -> None:
    """Whatever was changed in it: without our branch, Call-ID and CSeq, whole, it is not ours."""
    data = VALID[:at] + junk + VALID[at + cut :]
    try:
        message = parse_datagram(data)
    except ProbeError:
        return
    if REQUEST.answered_by(message):
        assert (BRANCH_COOKIE + REQUEST.branch).encode() in data
        assert REQUEST.call_id.encode() in data
        assert b"OPTIONS" in data


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["udp", "tcp", "tls"]))
@thorough
def test_no_inventory_can_break_the_request(user: str, domain: str, transport: str) -> None:
    """Any user and domain give one request with the headers that we wrote, and no more."""
    request = Options(
        uri=request_uri(user, domain, transport),
        transport=transport,
        local=("192.0.2.7", 40_000),
        branch="b",
        call_id="c",
        tag="t",
        version="1",
    )
    message = parse_datagram(request.encode())
    assert message.status is None
    assert len(message.headers) == 10
