"""H.225.0 call signalling: Q.931 messages in TPKT (RFC 1006), as much as a probe needs; sans-I/O.

Whatever the bytes, reading them gives a :class:`Message` or raises ProbeError ``protocol``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vcmon.errors import ProbeError
from vcmon.wire import h225
from vcmon.wire.h225 import OUR_NAME, PROTOCOL, Address, Product
from vcmon.wire.per import Reader, Writer, wrong

TPKT_HEADER = 4
TPKT_VERSION = 3
DISCRIMINATOR = 8  # of Q.931
REFERENCE_MAX = 0x7FFF
ANSWERED = 0x8000  # set in a call reference by the side that did not choose it

STATUS_ENQUIRY, SETUP, RELEASE_COMPLETE = 0x75, 0x05, 0x5A
NAMES: Mapping[int, str] = MappingProxyType(
    {
        0x01: "ALERTING",
        0x02: "CALL PROCEEDING",
        0x03: "PROGRESS",
        SETUP: "SETUP",
        0x07: "CONNECT",
        0x0D: "SETUP ACKNOWLEDGE",
        0x0F: "CONNECT ACKNOWLEDGE",
        0x20: "USER INFORMATION",
        0x45: "DISCONNECT",
        0x4D: "RELEASE",
        RELEASE_COMPLETE: "RELEASE COMPLETE",
        0x62: "FACILITY",
        0x6E: "NOTIFY",
        STATUS_ENQUIRY: "STATUS ENQUIRY",
        0x7B: "INFORMATION",
        0x7D: "STATUS",
    }
)
"""What an H.323 peer may send; anything else behind a TPKT is another protocol (RDP has one)."""

CAUSE, CALL_STATE, BEARER, DISPLAY, USER_USER = 0x08, 0x14, 0x04, 0x28, 0x7E
NORMAL_CLEARING, USER_BUSY = 16, 17

BODIES = (
    "setup",
    "callProceeding",
    "connect",
    "alerting",
    "information",
    "releaseComplete",
    "facility",
)
"""The root of h323-message-body."""

RELEASE_REASONS = (
    "noBandwidth",
    "gatekeeperResources",
    "unreachableDestination",
    "destinationRejection",
    "invalidRevision",
    "noPermission",
    "unreachableGatekeeper",
    "gatewayResources",
    "badFormatAddress",
    "adaptiveBusy",
    "inConf",
    "undefinedReason",
    # later additions
    "facilityCallDeflection",
    "securityDenied",
    "calledPartyNotRegistered",
    "callerNotRegistered",
    "newConnectionNeeded",
    "nonStandardReason",
    "replaceWithConferenceInvite",
    "genericDataReason",
    "neededFeatureNotSupported",
    "tunnelledSignallingRejected",
    "invalidCID",
    "securityError",
    "hopCountExceeded",
)
RELEASE_ROOT = 12  # of them

_TUNNELLING = 9, {1: b"\0"}  # no H.245 within the signalling: we never get that far


@dataclass(frozen=True, slots=True)
class UserInfo:
    """H.225.0's own part of a message, as far as it could be read. Text is hostile."""

    body: str  # such as "releaseComplete"; "" for one that we don't read
    version: int | None = None  # of H.225.0
    reason: str = ""  # of a releaseComplete
    product: Product | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Text is hostile."""

    name: str  # such as "RELEASE COMPLETE"
    reference: int  # with ANSWERED where they set it
    cause: int | None = None  # Q.850
    call_state: int | None = None
    display: str = ""
    user: UserInfo | None = None


def status_enquiry(reference: int) -> bytes:
    """STATUS ENQUIRY about a call that there is not: nothing rings by it."""
    return _framed(STATUS_ENQUIRY, reference, b"")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is set up and released; the ids are fresh random bytes, 16 of each."""

    reference: int  # 1 to REFERENCE_MAX
    call_id: bytes
    conference_id: bytes
    called: str  # an alias, or "" for whoever answers there
    peer: Address
    local: Address
    version: str  # vcmon's

    def setup(self) -> bytes:
        """SETUP of a new conference of two, without media."""
        display = OUR_NAME.encode() + b"\0"
        elements = _element(BEARER, b"\x88\x93\xa5")  # unrestricted digital, H.221 and H.242
        elements += _element(DISPLAY, display) + _user_user(self._setup_uuie())
        return _framed(SETUP, self.reference, elements)

    def release_complete(self) -> bytes:
        """RELEASE COMPLETE with cause 16, normal clearing."""
        cause = _element(CAUSE, bytes([0x80, 0x80 | NORMAL_CLEARING]))
        return _framed(RELEASE_COMPLETE, self.reference, cause + _user_user(self._release_uuie()))

    def _setup_uuie(self) -> bytes:
        out = _message_body("setup")
        out.bits(1, 1)  # extensions
        out.bits(0b0111000 if self.called else 0b0101000, 7)  # who calls, who is called, and where
        out.counted(PROTOCOL)
        out.number(1, 1)
        h225.write_alias(out, OUR_NAME)
        h225.write_terminal(out, self.version)
        if self.called:
            out.number(1, 1)
            h225.write_alias(out, self.called)
        h225.write_address(out, self.peer)
        out.bits(0, 1)  # no multipoint controller is active
        out.octets(self.conference_id)
        out.bits(0, 6)  # create a conference, point to point
        source = Writer()
        h225.write_address(source, self.local)
        no = b"\0"  # mediaWaitForConnect, canOverlapSend, multipleCalls, maintainConnection
        told = {0: source.encoded(), 2: b"\0" + self.call_id, 7: no, 8: no, 10: no, 11: no}
        out.extensions(28, told)
        out.extensions(*_TUNNELLING)
        return out.encoded()

    def _release_uuie(self) -> bytes:
        out = _message_body("releaseComplete")
        out.bits(0b10, 2)  # extensions, no reason beside the cause
        out.counted(PROTOCOL)
        out.extensions(11, {0: b"\0" + self.call_id})
        out.extensions(*_TUNNELLING)
        return out.encoded()


class Framer:
    """Cuts a byte stream into messages; the empty frames that keep a NAT open are skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def begun(self) -> bool:
        """Whether a part of a message waits for its rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Append what was read. Call :meth:`next` until it gives None before feeding again."""
        self._buffer += data

    def next(self) -> Message | None:
        """The next message, None while it is not there as a whole.

        Another protocol is told by its first bytes: raises ProbeError ``protocol``; the stream
        can't be read on after that.
        """
        while self._buffer:
            head = bytes(self._buffer[:TPKT_HEADER])
            if head[0] != TPKT_VERSION:
                raise wrong(f"{bytes(self._buffer[:60])!r}; is this its port?")
            if len(head) < TPKT_HEADER:
                return None
            size = int.from_bytes(head[2:], "big")
            if size < TPKT_HEADER:
                raise wrong(f"a frame of {size} bytes")
            if len(self._buffer) < size:
                return None
            body = bytes(self._buffer[TPKT_HEADER:size])
            del self._buffer[:size]
            if body:
                return parse_message(body)
        return None


def parse_message(data: bytes) -> Message:
    """The message in one frame. Raises ProbeError ``protocol`` where its head is not Q.931's.

    Elements that can't be read are left out: that it answered is known by the head.
    """
    if len(data) < 5 or data[0] != DISCRIMINATOR or data[1] != 2 or data[4] not in NAMES:
        raise wrong(f"a frame with {data[:20].hex()}")
    found: dict[int, bytes] = {}
    for kind, content in _elements(data, 5):
        found.setdefault(kind, content)
    return Message(
        name=NAMES[data[4]],
        reference=int.from_bytes(data[2:4], "big"),
        cause=_cause(found.get(CAUSE, b"")),
        call_state=found[CALL_STATE][0] & 0x3F if found.get(CALL_STATE) else None,
        display=found.get(DISPLAY, b"").rstrip(b"\0").decode("utf-8", "replace"),
        user=_user_info(found[USER_USER]) if USER_USER in found else None,
    )


def _elements(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of each element, until one doesn't fit; those of other codesets too late.

    After a shift to another codeset the kinds mean something else, and H.225.0 shifts nowhere.
    """
    while at < len(data):
        kind = data[at]
        if kind & 0xF0 == 0x90:
            return
        if kind & 0x80:  # one octet is all of it
            at += 1
            continue
        begin = at + (3 if kind == USER_USER else 2)
        size = int.from_bytes(data[at + 1 : begin], "big")
        at = begin + size
        if at > len(data):
            return
        yield kind, data[begin:at]


def _cause(content: bytes) -> int | None:
    """The value of Q.850, past an octet that may stand between."""
    at = 1 if content[:1] >= b"\x80" else 2
    return content[at] & 0x7F if len(content) > at else None


def _user_info(content: bytes) -> UserInfo | None:
    """None where it is not H.225.0's, or can't be read."""
    if content[:1] != b"\x05":
        return None
    source = Reader(content[1:])
    try:
        return _read_user_info(source)
    except ProbeError:
        return None


def _read_user_info(source: Reader) -> UserInfo:
    source.bits(4)  # of H323-UserInformation and H323-UU-PDU: what may follow the body
    index = source.choice(len(BODIES))
    body = BODIES[index] if index < len(BODIES) else ""
    if body == "releaseComplete":
        _, reasoned = source.flags(2)
        version = h225.read_version(source)
        return UserInfo(body, version, _release_reason(source) if reasoned else "")
    if body in {"callProceeding", "alerting", "connect"}:
        _, h245 = source.flags(2)
        version = h225.read_version(source)
        if body == "connect" and h245:
            h225.read_address(source)
        return UserInfo(body, version, product=h225.read_endpoint(source))
    return UserInfo(body)


def _release_reason(source: Reader) -> str:
    index = source.choice(RELEASE_ROOT)
    return RELEASE_REASONS[index] if index < len(RELEASE_REASONS) else ""


def _message_body(body: str) -> Writer:
    out = Writer()
    out.bits(0b00, 2)  # H323-UserInformation: no extensions, no user data
    out.bits(0b10, 2)  # H323-UU-PDU: extensions, nothing private
    out.bits(BODIES.index(body), 4)
    return out


def _framed(kind: int, reference: int, elements: bytes) -> bytes:
    body = bytes([DISCRIMINATOR, 2]) + reference.to_bytes(2, "big") + bytes([kind]) + elements
    size = (TPKT_HEADER + len(body)).to_bytes(2, "big")
    return bytes([TPKT_VERSION, 0]) + size + body


def _element(kind: int, content: bytes) -> bytes:
    return bytes([kind, len(content)]) + content


def _user_user(content: bytes) -> bytes:
    return bytes([USER_USER]) + (len(content) + 1).to_bytes(2, "big") + b"\x05" + content
