"""H.323 peers on loopback: what real stacks were recorded to say, played back over real sockets.

Recorded were GnuGk 5.15.0, the simph323 of H323Plus 1.28.0 and ooh323c 0.9.4 of Objective Systems.
RAS answers are the bytes as they came, with the number of the request put in. Of the call
signalling only the contents were kept; pycrate, which shares no code with vcmon, encodes them.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pycrate_asn1dir import H225

from tests.fakes.hostile import Seen
from tests.fakes.sip_peers import Address, Answer, UdpPeer
from vcmon.model.result import Outcome, Reason

MESSAGES = H225.H323_MESSAGES
SETUP, STATUS_ENQUIRY, RELEASE_COMPLETE = 0x05, 0x75, 0x5A
STATUS, ALERTING, PROCEEDING, CONNECT, FACILITY = 0x7D, 0x01, 0x02, 0x07, 0x62

# --- RAS

GCF = bytes.fromhex("04800000060008914a000406005600430047004b007f00000106b7")
LCF = bytes.fromhex("4c0001007f00000106b8007f00000106b7")
LRJ_SECURITY = bytes.fromhex("500001800100")
LRJ_DENIED = bytes.fromhex("50000140")
IRR = bytes.fromhex(
    "5a80000222c00900003d1048333233506c75732073696d706c6500001a312e32382e30202848333233706c7573"
    "2076312e32382e3029000001a0003500300037003200300032003100350030005f0065006e00640070007f0000"
    "01ccaa01007f0000012dc801400600760063002d00610063006500680c2c010001600100"
)
SCR = bytes.fromhex("8603000003")
"""The answers of GnuGk, and the IRR of H323Plus, as recorded."""

SEQUENCE_AT = {0x00: 2, 0x04: 2, 0x48: 2, 0x4C: 1, 0x50: 1, 0x56: 2, 0x5A: 2}
"""Where requestSeqNum stands in the messages above, by their first byte."""


def numbered(answer: bytes, request: bytes) -> bytes:
    """A recorded answer with the number of ``request``."""
    at, asked = SEQUENCE_AT[answer[0]], SEQUENCE_AT[request[0]]
    return answer[:at] + request[asked : asked + 2] + answer[at + 2 :]


def sequence(request: bytes) -> int:
    """The requestSeqNum of one of our requests."""
    at = SEQUENCE_AT[request[0]]
    return int.from_bytes(request[at : at + 2], "big") + 1


def replying(answer: bytes) -> Answer:
    """A peer that gives a recorded answer to whatever it is asked."""

    def reply(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(numbered(answer, data), sender)

    return reply


def encoding(name: str, **values: Any) -> Answer:
    """A peer whose answer pycrate encodes: ``encoding("locationReject", rejectReason=...)``."""

    def reply(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(ras(name, requestSeqNum=sequence(data), **values), sender)

    return reply


def ras(name: str, **values: Any) -> bytes:
    """A RAS message by pycrate; underscores stand for the hyphens of ASN.1."""
    if name.startswith("gatekeeper"):
        values["protocolIdentifier"] = VERSION_4
    MESSAGES.RasMessage.set_val((name, values))
    return bytes(MESSAGES.RasMessage.to_aper())


# --- call signalling

VERSION_2, VERSION_4 = (0, 0, 8, 2250, 0, 2), (0, 0, 8, 2250, 0, 4)
GUID = bytes(range(16))


def terminal(manufacturer: tuple[int, int], product: bytes, version: bytes) -> dict[str, Any]:
    """An EndpointType as the recorded stacks fill it in."""
    country, code = manufacturer
    vendor = {"t35CountryCode": country, "t35Extension": 0, "manufacturerCode": code}
    made = {"vendor": vendor, "productId": product, "versionId": version}
    return {"vendor": made, "terminal": {}, "mc": False, "undefinedNode": False}


H323PLUS = terminal((9, 61), b"H323Plus simple\0\0", b"1.28.0 (H323plus v1.28.0)\0\0")
OOH323C = terminal((181, 54), b"objsys", b"v0.9.4")


def uuie(body: str, **values: Any) -> bytes:
    """The content of a User-User element by pycrate."""
    values.setdefault("protocolIdentifier", VERSION_4)
    pdu = {"h323-message-body": (body, values), "h245Tunnelling": False}
    MESSAGES.H323_UserInformation.set_val({"h323-uu-pdu": pdu})
    return b"\x05" + bytes(MESSAGES.H323_UserInformation.to_aper())


def frame(
    kind: int, reference: int = 0x8000, elements: bytes = b"", user: bytes | None = None
) -> bytes:
    """One Q.931 message in TPKT."""
    body = struct.pack("!BBHB", 8, 2, reference, kind) + elements
    if user is not None:
        body += b"\x7e" + len(user).to_bytes(2, "big") + user
    return b"\x03\0" + (len(body) + 4).to_bytes(2, "big") + body


def cause(value: int) -> bytes:
    """A Cause element: the user's side, coded by ITU-T."""
    return bytes([0x08, 0x02, 0x80, 0x80 | value])


def release(value: int | None = None, reason: str = "", **values: Any) -> bytes:
    """A RELEASE COMPLETE with a cause, with a reason of H.225.0, or with both."""
    if reason:
        values["reason"] = (reason, values.pop("content", 0))
    elements = b"" if value is None else cause(value)
    return frame(RELEASE_COMPLETE, 0, elements, uuie("releaseComplete", **values))


def begun(kind: int, body: str, endpoint: dict[str, Any]) -> bytes:
    """CALL PROCEEDING or ALERTING."""
    known = {"callIdentifier": {"guid": GUID}, "destinationInfo": endpoint}
    return frame(kind, elements=b"\x28\x08vc-aceh\0", user=uuie(body, **known))


def connected(endpoint: dict[str, Any]) -> bytes:
    """CONNECT, with an address for H.245 that nobody will call."""
    known = {"callIdentifier": {"guid": GUID}, "conferenceID": GUID}
    h245 = ("ipAddress", {"ip": b"\x7f\0\0\1", "port": 55_581})
    user = uuie("connect", destinationInfo=endpoint, h245Address=h245, **known)
    return frame(CONNECT, elements=b"\x28\x08vc-aceh\0", user=user)


CLOSE, RESET = b"close", b"reset"
Step = bytes | float
"""Bytes to send, seconds to wait, or one of the two ends above."""

GNUGK: Mapping[int, tuple[Step, ...]] = {
    STATUS_ENQUIRY: (release(reason="undefinedReason", protocolIdentifier=VERSION_2),),
    SETUP: (release(20, protocolIdentifier=VERSION_2),),
    RELEASE_COMPLETE: (CLOSE,),
}
"""A gatekeeper, called by an alias that nobody has."""

SIMPH323: Mapping[int, tuple[Step, ...]] = {
    STATUS_ENQUIRY: (0.021, CLOSE),
    SETUP: (0.016, begun(PROCEEDING, "callProceeding", H323PLUS), 0.02, connected(H323PLUS)),
    RELEASE_COMPLETE: (release(16), CLOSE),
}
"""An endpoint that hangs up on what it doesn't know, and takes calls by itself."""

RINGING: Mapping[int, tuple[Step, ...]] = {
    STATUS_ENQUIRY: (),
    SETUP: (
        begun(PROCEEDING, "callProceeding", OOH323C),
        begun(ALERTING, "alerting", OOH323C),
    ),
    RELEASE_COMPLETE: (CLOSE,),
}
"""ooh323c: silent about unknown calls, and it rings."""


@dataclass
class Signalling:
    """A signalling port that does what its script says on each kind of message."""

    script: Mapping[int, tuple[Step, ...]]
    received: list[bytes] = field(default_factory=list)  # messages without their TPKT
    calls: set[int] = field(default_factory=set)  # set up, and not released

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As real stacks do, read on while an answer is being given."""
        playing: set[asyncio.Task[None]] = set()
        try:
            while True:
                head = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(head[2:], "big") - 4)
                self._take(body)
                steps = self.script.get(body[4], ())
                playing.add(asyncio.create_task(_play(steps, writer)))
        finally:
            for task in playing:
                task.cancel()

    def _take(self, body: bytes) -> None:
        self.received.append(body)
        reference = int.from_bytes(body[2:4], "big")
        if body[4] == SETUP:
            self.calls.add(reference)
        elif body[4] == RELEASE_COMPLETE:
            self.calls.discard(reference)

    def kinds(self) -> list[int]:
        """The kinds of what was received, in order."""
        return [body[4] for body in self.received]


async def _play(steps: tuple[Step, ...], writer: asyncio.StreamWriter) -> None:
    for step in steps:
        if isinstance(step, float):
            await asyncio.sleep(step)
        elif step == CLOSE:
            writer.close()
        elif step == RESET:
            reset(writer)
        else:
            writer.write(step)


def reset(writer: asyncio.StreamWriter) -> None:
    """Cut the connection by RST."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def cut_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An access list, or a NAT, that takes the connection and cuts it."""
    reset(writer)


def verdict(seen: Seen) -> tuple[Outcome, Reason, bool]:
    """Outcome, reason, and whether it is impaired."""
    return seen.outcome, seen.reason, bool(seen.result and seen.result.impaired)


def told(seen: Seen, key: str) -> object:
    """One detail of a run."""
    return seen.tools.detail.get(key)
