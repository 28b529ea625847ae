"""STUN messages (RFC 8489), and those of TURN (RFC 8656): requests out, answers in.

aioice packs and unpacks the attributes. What a hostile peer can do to it ends here: lengths are
checked before it sees a byte, the first of two attributes counts (RFC 8489 section 14), and
whatever it raises is ProbeError ``protocol``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from aioice import stun as codec

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

Method = codec.Method
Address = tuple[str, int]
_Class = codec.Class

HEADER = codec.HEADER_LENGTH
TRANSACTION = 12
"""Bytes of a transaction id; random, so that no answer can be guessed."""

MESSAGE_MAX = 4_096
"""Bytes of one message; those of a known path MTU are under 1,500 (RFC 8489 section 6.1)."""

ATTRIBUTES_MAX = 64
"""In one message; the longest answer of coturn has eight."""

REALM_MAX = NONCE_MAX = 763
"""Bytes (RFC 8489 sections 14.9 and 14.10): they come back in our next request."""

UNAUTHENTICATED = 401
STALE_NONCE = 438
ALLOCATION_MISMATCH = 437

_RELAY_OVER_UDP = 17 << 24  # IANA's number of UDP, then three reserved bytes

_ASKED: Mapping[codec.Method, Mapping[str, Any]] = {
    Method.BINDING: {},
    Method.ALLOCATE: {"REQUESTED-TRANSPORT": _RELAY_OVER_UDP},
    Method.REFRESH: {"LIFETIME": 0},
}
"""What a request says besides who asks. The only Refresh sent is the one that gives back."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and the password, as the long-term credential mechanism wants them."""

    username: str
    password: str = field(repr=False)


def ephemeral(name: str, secret: str, expires: int) -> Login:
    """What a TURN server that shares ``secret`` takes until the Unix second ``expires``.

    As draft-uberti-behave-turn-rest has it: the user is ``expires:name``, the password an
    HMAC-SHA1 of that.
    """
    username = f"{expires}:{name}" if name else str(expires)
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return Login(username, base64.b64encode(digest).decode())


@dataclass(frozen=True, slots=True)
class Signature:
    """What signs a request: a login, and the realm and nonce that the server asked for."""

    username: str
    realm: str
    nonce: bytes
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, login: Login, realm: str, nonce: bytes) -> Signature:
        """The key is RFC 8489's (section 9.2.2), of MD5: the one that every server knows."""
        whole = f"{login.username}:{realm}:{login.password}".encode()
        key = hashlib.md5(whole, usedforsecurity=False).digest()
        return cls(login.username, realm, nonce, key)

    def renewed(self, nonce: bytes) -> Signature:
        """The same with the nonce that the server wants now."""
        return replace(self, nonce=nonce)


class Answer(NamedTuple):
    """What one message says; text in it is the peer's and hostile."""

    method: int
    success: bool  # False: an error, with its code
    transaction: bytes
    code: int = 0
    phrase: str = ""
    mapped: Address | None = None  # XOR-MAPPED-ADDRESS: where the server sees us
    plain_mapped: Address | None = None  # MAPPED-ADDRESS, which NATs are known to rewrite
    relayed: Address | None = None
    lifetime: int | None = None  # seconds
    realm: str | None = None
    nonce: bytes | None = None
    software: str = ""

    @property
    def challenges(self) -> bool:
        """Whether it asks for credentials, and says all that they need."""
        asks = self.code in {UNAUTHENTICATED, STALE_NONCE}
        return asks and self.realm is not None and self.nonce is not None


@dataclass(frozen=True, slots=True)
class Request:
    """One request; sent again it is the same bytes."""

    method: codec.Method
    transaction: bytes  # TRANSACTION random bytes
    software: str
    signature: Signature | None = None

    def encode(self) -> bytes:
        """The bytes, with FINGERPRINT, and MESSAGE-INTEGRITY where there is a signature."""
        said: dict[str, Any] = {"SOFTWARE": self.software, **_ASKED[self.method]}
        signature = self.signature
        if signature is not None:
            said["USERNAME"], said["REALM"] = signature.username, signature.realm
            said["NONCE"] = signature.nonce
        message = codec.Message(self.method, _Class.REQUEST, self.transaction, said)
        if signature is None:
            message.add_fingerprint()
        else:
            message.add_message_integrity(signature.key)  # and FINGERPRINT behind it
        return bytes(message)

    def answer(self, data: bytes) -> Answer | None:
        """The answer that ``data`` is, or None where it answers another request.

        Raises ProbeError ``protocol`` where it is no STUN message, and for a success that is not
        signed with our key: whoever sent that does not know the password. An error need not be
        signed, as a server can't where it does not know us.
        """
        read = _Read.of(data)
        if read.kind is _Class.REQUEST or read.kind is _Class.INDICATION:
            return None
        answer = read.answer()
        if (answer.transaction, answer.method) != (self.transaction, self.method):
            return None
        signature = self.signature
        if answer.success and signature is not None and not read.signed_with(signature.key):
            raise _wrong("a success that our password did not sign")
        return answer


def body_length(header: bytes) -> int:
    """Bytes of a message that follow its header of HEADER bytes, on a stream.

    Raises ProbeError ``protocol`` where that is no header of STUN, or the message too long.
    """
    kind, length, cookie = struct.unpack_from("!HHI", header)
    if kind & 0xC000 or cookie != codec.COOKIE or length % 4:
        raise _wrong(f"bytes that are none ({header.hex()})")
    if HEADER + length > MESSAGE_MAX:
        raise _wrong(f"one of {HEADER + length} bytes, over our limit of {MESSAGE_MAX}")
    return int(length)


_Found = dict[str, tuple[int, bytes]]
"""By the attribute's name: where it begins, and its value."""


class _Read(NamedTuple):
    """A message taken apart, nothing of it understood yet."""

    data: bytes
    kind: codec.Class
    found: _Found

    @classmethod
    def of(cls, data: bytes) -> _Read:
        if not HEADER <= len(data) <= MESSAGE_MAX:
            raise _wrong(f"{len(data)} bytes")
        if body_length(data[:HEADER]) != len(data) - HEADER:
            raise _wrong("one whose length is not what it says")
        kind = _Class(int.from_bytes(data[:2], "big") & 0x0110)
        read = cls(data, kind, _found(data))
        read.check_fingerprint()
        return read

    def check_fingerprint(self) -> None:
        at, value = self.found.get("FINGERPRINT", (0, b""))
        if at and value != struct.pack("!I", codec.message_fingerprint(self.data[:at])):
            raise _wrong("one whose FINGERPRINT is not right")

    def signed_with(self, key: bytes) -> bool:
        at, value = self.found.get("MESSAGE-INTEGRITY", (0, b""))
        return bool(at) and hmac.compare_digest(value, codec.message_integrity(self.data[:at], key))

    def answer(self) -> Answer:
        try:
            return self._answer()
        except (ValueError, struct.error) as error:
            raise _wrong(f"one that can't be read ({type(error).__name__})") from error

    def _answer(self) -> Answer:
        kind, transaction = int.from_bytes(self.data[:2], "big"), self.data[8:HEADER]
        success = self.kind is _Class.RESPONSE
        code, phrase = (0, "") if success else _error(self._value("ERROR-CODE") or b"")
        return Answer(
            method=kind & 0x3EEF,
            success=success,
            transaction=transaction,
            code=code,
            phrase=phrase,
            mapped=self._xored("XOR-MAPPED-ADDRESS", transaction),
            plain_mapped=self._as("MAPPED-ADDRESS", codec.unpack_address),
            relayed=self._xored("XOR-RELAYED-ADDRESS", transaction),
            lifetime=self._as("LIFETIME", codec.unpack_unsigned),
            realm=self._as("REALM", _realm),
            nonce=self._as("NONCE", _nonce),
            software=_text(self._value("SOFTWARE") or b""),
        )

    def _value(self, name: str) -> bytes | None:
        found = self.found.get(name)
        return None if found is None else found[1]

    def _as(self, name: str, unpack: Callable[[bytes], Any]) -> Any:
        value = self._value(name)
        return None if value is None else unpack(value)

    def _xored(self, name: str, transaction: bytes) -> Address | None:
        value = self._value(name)
        return None if value is None else codec.unpack_xor_address(value, transaction)


def _found(data: bytes) -> _Found:
    found: _Found = {}
    for name, at, value in _attributes(data):
        # Nothing signs what stands behind MESSAGE-INTEGRITY (RFC 8489 section 14.5).
        if "MESSAGE-INTEGRITY" not in found or name == "FINGERPRINT":
            found.setdefault(name, (at, value))
    return found


def _attributes(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    at = HEADER
    for _ in range(ATTRIBUTES_MAX):
        if at == len(data):
            return
        kind, length = struct.unpack_from("!HH", data, at)  # the whole is a multiple of 4
        end = at + 4 + length
        if end > len(data):
            raise _wrong("one with an attribute that is cut off")
        known = codec.ATTRIBUTES_BY_TYPE.get(kind)
        if known is not None:
            yield known[1], at, data[at + 4 : end]
        at = end + codec.padding_length(length)
    if at < len(data):
        raise _wrong(f"one of more than {ATTRIBUTES_MAX} attributes")


def _error(value: bytes) -> tuple[int, str]:
    """Code and phrase of ERROR-CODE; raises ValueError (RFC 8489 section 14.8)."""
    hundreds, rest = struct.unpack_from("!xxBB", value)
    if not 3 <= hundreds <= 6 or rest > 99:
        raise ValueError(f"error code {hundreds}/{rest}")
    return hundreds * 100 + rest, _text(value[4:])


def _realm(value: bytes) -> str:
    if len(value) > REALM_MAX:
        raise ValueError("realm")
    return value.decode()


def _nonce(value: bytes) -> bytes:
    if len(value) > NONCE_MAX:
        raise ValueError("nonce")
    return value


def _text(value: bytes) -> str:
    """For people only: a server that writes Latin-1 here serves as well as any other."""
    return value.decode("utf-8", "replace")


def _wrong(found: str) -> ProbeError:
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected a STUN message, found {found}")
