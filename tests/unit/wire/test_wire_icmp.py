"""Echo requests and replies as bytes."""

from __future__ import annotations

import struct

import pytest

from vcmon.model.result import Reason
from vcmon.wire import icmp

NONCE = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def words_sum(packet: bytes) -> int:
    """The ones' complement sum as RFC 1071 writes it, word by word."""
    padded = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("size", [16, 17, 56, 57, 1472])
def test_checksummed_packet_verifies(size: int) -> None:
    """A request with its checksum sums to all ones, as every receiver verifies it."""
    request = icmp.echo_request(icmp.V4.request, 0xBEEF, 0xFFFF, icmp.payload(NONCE, size))
    assert words_sum(icmp.checksummed(request)) == 0xFFFF


def test_checksum_of_a_known_packet() -> None:
    """The example of RFC 1071 section 3 comes out."""
    assert icmp.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D


def test_request_layout() -> None:
    """Type, code, zero checksum, identifier, sequence, then the payload (RFC 792)."""
    packet = icmp.echo_request(8, 0x1234, 0x0203, b"body")
    assert packet == bytes.fromhex("0800000012340203") + b"body"


@pytest.mark.parametrize("size", [8, 16, 56, 1472])
def test_payload_begins_with_the_nonce(size: int) -> None:
    """A payload has the size asked for and begins with its nonce."""
    body = icmp.payload(NONCE, size)
    assert len(body) == size
    assert body.startswith(NONCE)


@pytest.mark.parametrize("dialect", [icmp.V4, icmp.V6])
def test_reply_is_read_back(dialect: icmp.Dialect) -> None:
    """A reply gives its identifier, sequence and nonce."""
    packet = icmp.echo_request(dialect.reply, 7, 65535, icmp.payload(NONCE, 56))
    assert icmp.parse_reply(packet, dialect) == icmp.Reply(7, 65535, NONCE)


def test_what_is_no_reply_is_refused() -> None:
    """Requests, other types, other codes and replies too short for a nonce are None."""
    body = icmp.payload(NONCE, 16)
    reply = icmp.echo_request(0, 7, 1, body)
    assert icmp.parse_reply(icmp.echo_request(8, 7, 1, body), icmp.V4) is None
    assert icmp.parse_reply(icmp.echo_request(129, 7, 1, body), icmp.V4) is None
    assert icmp.parse_reply(b"\0\1" + reply[2:], icmp.V4) is None
    assert icmp.parse_reply(reply[:15], icmp.V4) is None


def test_quote_with_and_without_nonce() -> None:
    """A quote of only 8 bytes still names the packet; a longer one holds the nonce."""
    request = icmp.echo_request(8, 7, 1, icmp.payload(NONCE, 56))
    assert icmp.parse_quote(request, icmp.V4) == icmp.Quote(7, 1, NONCE)
    assert icmp.parse_quote(request[:8], icmp.V4) == icmp.Quote(7, 1, b"")
    assert icmp.parse_quote(request[:15], icmp.V4) == icmp.Quote(7, 1, b"")
    assert icmp.parse_quote(request[:7], icmp.V4) is None
    assert icmp.parse_quote(icmp.echo_request(0, 7, 1, b""), icmp.V4) is None


def test_ipv4_header_with_options_is_skipped() -> None:
    """The payload begins where the header says; a header that lies gives nothing."""
    plain = bytes([0x45]) + bytes(19)
    options = bytes([0x46]) + bytes(23)
    assert icmp.ipv4_payload(plain + b"icmp") == b"icmp"
    assert icmp.ipv4_payload(options + b"icmp") == b"icmp"
    assert icmp.ipv4_payload(bytes([0x44]) + bytes(19) + b"icmp") == b""
    assert icmp.ipv4_payload(bytes([0x65]) + bytes(19) + b"icmp") == b""
    assert icmp.ipv4_payload(plain[:19]) == b""


@pytest.mark.parametrize(
    ("dialect", "error", "reason"),
    [
        (icmp.V4, (3, 0), Reason.NET_UNREACHABLE),
        (icmp.V4, (3, 1), Reason.HOST_UNREACHABLE),
        (icmp.V4, (3, 3), Reason.REFUSED),
        (icmp.V4, (3, 9), Reason.FILTERED),
        (icmp.V4, (3, 10), Reason.FILTERED),
        (icmp.V4, (3, 13), Reason.FILTERED),
        (icmp.V4, (11, 0), Reason.TTL_EXCEEDED),
        (icmp.V6, (1, 0), Reason.NET_UNREACHABLE),
        (icmp.V6, (1, 1), Reason.FILTERED),
        (icmp.V6, (1, 3), Reason.HOST_UNREACHABLE),
        (icmp.V6, (1, 4), Reason.REFUSED),
        (icmp.V6, (3, 0), Reason.TTL_EXCEEDED),
    ],
)
def test_errors_have_reasons(dialect: icmp.Dialect, error: tuple[int, int], reason: Reason) -> None:
    """Each ICMP error that ends a probe has its reason."""
    assert dialect.reasons[error] is reason


def test_fragmentation_needed_is_no_verdict() -> None:
    """A smaller MTU on the way is not an outage: those errors have no reason."""
    assert (3, 4) not in icmp.V4.reasons
    assert (2, 0) not in icmp.V6.reasons
