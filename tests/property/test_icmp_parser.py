"""Whatever bytes come in, the ICMP parsers give a value or None."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.errors import ProbeError
from vcmon.net.icmp_socket import ExtendedError, destination_of, parse_extended_error
from vcmon.wire import icmp

pytestmark = pytest.mark.catalogue("T37")

DIALECTS = st.sampled_from([icmp.V4, icmp.V6])
WORDS = st.integers(0, 0xFFFF)


@given(st.binary(max_size=200), DIALECTS)
def test_any_bytes_as_a_reply(packet: bytes, dialect: icmp.Dialect) -> None:
    """Any bytes are a reply with a whole nonce, or None; never an exception."""
    reply = icmp.parse_reply(packet, dialect)
    if reply is not None:
        assert packet[0] == dialect.reply
        assert reply.nonce == packet[8:16]


@given(st.binary(max_size=200), DIALECTS)
def test_any_bytes_as_a_quote(packet: bytes, dialect: icmp.Dialect) -> None:
    """Any bytes are a quoted request or None; a nonce is whole or missing."""
    quote = icmp.parse_quote(packet, dialect)
    if quote is not None:
        assert packet[0] == dialect.request
        assert quote.nonce in (b"", packet[8:16])


@given(st.binary(max_size=200))
def test_any_bytes_as_an_ipv4_packet(packet: bytes) -> None:
    """What follows the header is a true tail of the bytes, never an exception."""
    assert packet.endswith(icmp.ipv4_payload(packet))


@given(st.binary(max_size=200))
def test_any_bytes_as_an_extended_error(value: bytes) -> None:
    """Any ancillary bytes are an ICMP error or None; never an exception."""
    found = parse_extended_error(value)
    assert found is None or isinstance(found, ExtendedError)


@given(
    st.sampled_from([2, 3]), st.integers(0, 255), st.integers(0, 255), st.sampled_from([2, 10, 99]),
    st.binary(max_size=30),
)  # fmt: skip
def test_extended_error_with_any_offender(
    origin: int, kind: int, code: int, family: int, rest: bytes
) -> None:
    """Type and code survive whatever address of the offender follows."""
    value = struct.pack("@IBBBBIIH", 113, origin, kind, code, 0, 0, 0, family) + rest
    found = parse_extended_error(value)
    assert found is not None
    assert (found.kind, found.code) == (kind, code)


@given(WORDS, WORDS, st.binary(min_size=8, max_size=8), st.integers(8, 1472), DIALECTS)
def test_request_round_trip(
    identifier: int, sequence: int, nonce: bytes, size: int, dialect: icmp.Dialect
) -> None:
    """What we send is what a quote of it, and its reply, give back."""
    body = icmp.payload(nonce, size)
    request = icmp.checksummed(icmp.echo_request(dialect.request, identifier, sequence, body))
    assert icmp.parse_quote(request, dialect) == icmp.Quote(identifier, sequence, nonce)
    reply = bytes([dialect.reply]) + request[1:]
    assert icmp.parse_reply(reply, dialect) == icmp.Reply(identifier, sequence, nonce)


@given(st.binary(max_size=100))
def test_checksum_verifies(packet: bytes) -> None:
    """Inserting the checksum of any packet makes the whole sum to zero, modulo 0xFFFF."""
    zeroed = packet[:2] + b"\0\0" + packet[4:] if len(packet) >= 4 else b"\x08\0\0\0"
    assert icmp.checksum(icmp.checksummed(zeroed)) % 0xFFFF == 0


@given(st.text(max_size=60))
def test_any_text_as_an_address(text: str) -> None:
    """Any text is a destination or one ProbeError; it is never looked up."""
    try:
        family, destination = destination_of(text)
    except ProbeError:
        return
    assert destination[0]
    assert len(destination) == (2 if family.name == "AF_INET" else 4)


@pytest.mark.parametrize(
    "text", ["", "localhost", "1.2.3", "::1::", "fe80::1%nosuch0", "1.2.3.4\0"]
)
def test_what_is_no_literal(text: str) -> None:
    """Names, broken literals and unknown zones are refused before the kernel sees them."""
    with pytest.raises(ProbeError):
        destination_of(text)
