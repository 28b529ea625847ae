"""STUN and TURN messages: RFC vectors, another codec, and tshark as referees of our bytes."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from aioice import stun as codec

from tests.fakes.needs import needs
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.stun import (
    ATTRIBUTES_MAX,
    HEADER,
    MESSAGE_MAX,
    Login,
    Method,
    Request,
    Signature,
    body_length,
    ephemeral,
)

TRANSACTION = bytes(range(12))
BIND = Request(Method.BINDING, TRANSACTION, "vcmon 1")
SIGNATURE = Signature.of(Login("user", "pass"), "realm", b"nonce")
ALLOCATE = Request(Method.ALLOCATE, TRANSACTION, "vcmon 1", SIGNATURE)
REFRESH = Request(Method.REFRESH, TRANSACTION, "vcmon 1", SIGNATURE)

# RFC 5769 section 2.2 and 2.3: the password of the short-term credentials is the key itself.
RFC_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"
RFC_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
RFC_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


@pytest.mark.parametrize(
    ("data", "mapped"),
    [(RFC_IPV4, ("192.0.2.1", 32853)), (RFC_IPV6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))],
)
def test_vectors_of_rfc_5769(data: bytes, mapped: tuple[str, int]) -> None:
    """The sample responses are read, their FINGERPRINT and MESSAGE-INTEGRITY found right."""
    signature = Signature("", "", b"", RFC_KEY)
    answer = Request(Method.BINDING, data[8:20], "", signature).answer(data)
    assert answer is not None
    assert (answer.success, answer.mapped, answer.software) == (True, mapped, "test vector")


def test_long_term_key_of_rfc_8489() -> None:
    """Section 9.2.2: user, realm and pass make 8493fbc53ba582fb4c044c456bdc40eb."""
    assert SIGNATURE.key.hex() == "8493fbc53ba582fb4c044c456bdc40eb"


def test_ephemeral_credentials() -> None:
    """User is expiry:name, password the base64 of HMAC-SHA1 (a vector made with openssl)."""
    login = ephemeral("vcmon", "north", 1_433_895_918)
    made = subprocess.run(
        "printf 1433895918:vcmon | openssl dgst -sha1 -hmac north -binary | base64",
        shell=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (login.username, login.password) == ("1433895918:vcmon", made.stdout.strip())
    assert ephemeral("", "north", 7).username == "7"


def test_secrets_are_in_no_repr() -> None:
    """A login, a signature, a request: none shows password or key."""
    login = Login("user", "CANARY")
    signature = Signature.of(login, "realm", b"n")
    shown = f"{login!r}{signature!r}{Request(Method.ALLOCATE, TRANSACTION, '', signature)!r}"
    assert "CANARY" not in shown
    assert str(signature.key) not in shown


@pytest.mark.parametrize("request_", [BIND, ALLOCATE, REFRESH])
def test_another_codec_reads_our_requests(request_: Request) -> None:
    """aioice reads what we send, with signature and fingerprint; sent again it is the same."""
    read = codec.parse_message(request_.encode())
    assert (read.message_method, read.message_class) == (request_.method, codec.Class.REQUEST)
    assert read.transaction_id == TRANSACTION
    assert request_.encode() == request_.encode()
    if request_.signature is not None:
        assert read.attributes["NONCE"] == b"nonce"
        assert read.check_message_integrity(SIGNATURE.key)
        assert not read.check_message_integrity(b"other")


TSHARK_FIELDS = {
    "stun.type": ["0x0001", "0x0003", "0x0004"],
    "stun.att.crc32.status": ["1", "1", "1"],  # Good
    "stun.att.transp": ["", "0x11", ""],  # UDP
    "stun.att.lifetime": ["", "", "0"],
    "stun.att.username": ["", "user", "user"],
    "stun.att.realm": ["", "realm", "realm"],
    "stun.att.nonce": ["", "nonce", "nonce"],
    "stun.att.software": ["vcmon 1"] * 3,
    "_ws.malformed": [""] * 3,
    "_ws.expert": [""] * 3,
}


def test_tshark_reads_our_requests(tmp_path: Path) -> None:
    """The independent referee: type, every attribute, the checksum, and nothing malformed."""
    path = tmp_path / "ours.pcap"
    path.write_bytes(capture(each.encode() for each in (BIND, ALLOCATE, REFRESH)))
    command = [needs("tshark", "tshark"), "-n", "-r", str(path)]
    command += ["-T", "fields", "-E", "separator=|"]
    for name in TSHARK_FIELDS:
        command += ["-e", name]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found = zip(*(line.split("|") for line in ended.stdout.splitlines()), strict=True)
    assert dict(zip(TSHARK_FIELDS, map(list, found), strict=True)) == TSHARK_FIELDS


def capture(payloads: Iterable[bytes]) -> bytes:
    """A pcap of UDP datagrams (link type raw IP) from port 40000 to 3478."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
    for payload in payloads:
        udp = struct.pack("!HHHH", 40_000, 3478, 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                         bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))  # fmt: skip
        out += struct.pack("<IIII", 0, 0, len(ip + udp), len(ip + udp)) + ip + udp
    return out


# --- what a peer can send


def answer_to(request: Request, *attributes: tuple[int, bytes], kind: int = 0x0101) -> bytes:
    """An answer with these raw attributes; no FINGERPRINT."""
    body = b"".join(
        struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)
        for name, value in attributes
    )
    return struct.pack("!HHI", kind, len(body), codec.COOKIE) + request.transaction + body


ADDRESS = b"\0\1\x2d\x55\xe1\x12\xa6\x43"


def test_first_of_two_attributes_counts() -> None:
    """RFC 8489 section 14: the others may be ignored."""
    other = b"\0\1\0\0\0\0\0\0"
    answer = BIND.answer(answer_to(BIND, (0x0020, ADDRESS), (0x0020, other)))
    assert answer is not None
    assert answer.mapped is not None
    assert answer.mapped[0] == "192.0.2.1"


def test_what_stands_behind_the_signature_does_not_count() -> None:
    """Whoever adds an attribute behind MESSAGE-INTEGRITY is not heard."""
    body = answer_to(BIND, (0x0008, bytes(20)), (0x0020, ADDRESS))
    answer = BIND.answer(body)
    assert answer is not None
    assert answer.mapped is None


def test_text_that_is_no_utf8_is_no_fault() -> None:
    """SOFTWARE and the phrase are for people: a Latin-1 server serves as well."""
    error = (0x0009, b"\0\0\x04\x01caf\xe9")
    answer = BIND.answer(answer_to(BIND, error, (0x8022, b"caf\xe9"), kind=0x0111))
    assert answer is not None
    assert (answer.code, answer.phrase, answer.software) == (401, "caf\ufffd", "caf\ufffd")


def test_unknown_attributes_are_passed_over() -> None:
    """What we don't know is not ours to judge."""
    answer = BIND.answer(answer_to(BIND, (0x7FFF, b"abc"), (0xC001, b""), (0x0020, ADDRESS)))
    assert answer is not None
    assert answer.mapped is not None


NOT_OURS: dict[str, Callable[[], bytes]] = {
    "another transaction": lambda: answer_to(
        Request(Method.BINDING, b"x" * 12, ""), (0x0020, ADDRESS)
    ),
    "another method": lambda: answer_to(BIND, kind=0x0103),
    "a request": BIND.encode,
    "an indication": lambda: answer_to(BIND, kind=0x0011),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_answers_something_else_is_none(name: str) -> None:
    """It is ignored, and no fault."""
    assert BIND.answer(NOT_OURS[name]()) is None


MANY = [(0x7FFF, b"")] * (ATTRIBUTES_MAX + 1)

BROKEN: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "19 bytes": lambda: bytes(19),
    "zeros": lambda: bytes(20),
    "length over the end": lambda: answer_to(BIND)[:2] + b"\0\x08" + answer_to(BIND)[4:],
    "length not of fours": lambda: answer_to(BIND)[:2] + b"\0\1" + answer_to(BIND)[4:] + b"\0",
    "attribute over the end": lambda: answer_to(BIND, (0x8022, b"abcd"))[:22] + b"\0\xff abcd",
    "an address of three bytes": lambda: answer_to(BIND, (0x0020, b"\0\1\0")),
    "an address of no family": lambda: answer_to(BIND, (0x0020, b"\0\3" + ADDRESS[2:])),
    "a lifetime of two bytes": lambda: answer_to(BIND, (0x000D, b"\0\1")),
    "an error without a code": lambda: answer_to(BIND, kind=0x0111),
    "an error 200": lambda: answer_to(BIND, (0x0009, b"\0\0\2\0"), kind=0x0111),
    "an error 4 and 200": lambda: answer_to(BIND, (0x0009, b"\0\0\4\xc8"), kind=0x0111),
    "a realm of no UTF-8": lambda: answer_to(BIND, (0x0014, b"\xff")),
    "a nonce of 764 bytes": lambda: answer_to(BIND, (0x0015, bytes(764))),
    "too many attributes": lambda: answer_to(BIND, *MANY),
    "too long": lambda: answer_to(BIND, (0x8022, bytes(MESSAGE_MAX))),
    "a wrong fingerprint": lambda: answer_to(BIND, (0x0020, ADDRESS), (0x8028, bytes(4))),
    "a fingerprint that is not last": lambda: BIND.encode()[:-8] + BIND.encode()[-8:] * 2,
    "64 KiB": lambda: bytes(65_535),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_message_is_a_protocol_error(name: str) -> None:
    """The one documented error, in short words."""
    with pytest.raises(ProbeError) as caught:
        BIND.answer(BROKEN[name]())
    assert (caught.value.reason, caught.value.blame) == (Reason.PROTOCOL, Blame.REMOTE)
    assert len(caught.value.text) < 200


def test_only_our_password_signs_a_success() -> None:
    """Unsigned, or signed by another: who sends that does not know the password."""
    message = codec.Message(codec.Method.ALLOCATE, codec.Class.RESPONSE, TRANSACTION, {})
    for key in (None, b"other"):
        if key:
            message.add_message_integrity(key)
        with pytest.raises(ProbeError, match="our password did not sign"):
            ALLOCATE.answer(bytes(message))
    message.add_message_integrity(SIGNATURE.key)
    answer = ALLOCATE.answer(bytes(message))
    assert answer is not None
    assert answer.success


@pytest.mark.parametrize(
    "header", [b"\x40\x00\x00\x04", b"HTTP/1.1 200 OK\r\n\r\n", b"\x01\x01\xff\xfc\x21\x12\xa4\x42"]
)
def test_stream_is_framed_by_the_header(header: bytes) -> None:
    """Channel data, another protocol, a length without a bound: refused before a byte is read."""
    with pytest.raises(ProbeError):
        body_length(header.ljust(HEADER, b"\0"))
    assert body_length(ALLOCATE.encode()[:HEADER]) == len(ALLOCATE.encode()) - HEADER
