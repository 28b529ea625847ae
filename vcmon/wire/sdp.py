"""Session descriptions of one audio stream (RFC 4566, RFC 3264), as much as a test call needs.

Whatever the bytes, reading them gives an :class:`Answer` or raises ProbeError ``protocol`` (it is
no description) or ``content`` (it is one, of nothing that we can use).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

SDP_MAX = 16_384
"""Bytes; real answers have 200 to 3,000."""

LINES_MAX = 400
"""Lines; a codec that offers video in all its forms has 100."""

PORT_MIN = 1_024
"""Media never lies on a well-known port: a peer that names one wants something else hit."""

Flow = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
"""What a side does with the media, as it says itself."""

_FLOWS: tuple[Flow, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_MEDIA = re.compile(r"audio (\d{1,5})(?:/\d{1,5})? RTP/AVPF?((?: \d{1,3}){1,64})", re.ASCII)
_CONNECTION = re.compile(r"IN IP[46] (\S{1,64})", re.ASCII)
_RTCP = re.compile(r"rtcp:(\d{1,5})(?: .*)?", re.ASCII)
_LINE = re.compile(r"[a-z]=.*", re.DOTALL)


class Codec(NamedTuple):
    """A static payload type of 8 bits a sample at 8 kHz, and two of its quietest samples."""

    name: str
    payload_type: int
    zero: int
    one: int


CODECS = (Codec("PCMU", 0, 0xFF, 0xFE), Codec("PCMA", 8, 0xD5, 0x55))
"""In the order of our preference; every SIP device speaks one of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the peer takes its audio, and in which form."""

    address: str  # an IP literal
    port: int
    rtcp_port: int
    codec: Codec
    flow: Flow


def offer(address: str, port: int, session: int) -> bytes:
    """Our description: audio both ways at ``address`` (a literal), RTCP one port above.

    ``session`` is a random number of at most 63 bits.
    """
    family = "IP6" if ":" in address else "IP4"
    host = address.partition("%")[0]
    types = " ".join(str(codec.payload_type) for codec in CODECS)
    lines = (
        "v=0",
        f"o=vcmon {session} 1 IN {family} {host}",
        "s=vcmon test call",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {types}",
        *(f"a=rtpmap:{codec.payload_type} {codec.name}/8000" for codec in CODECS),
        "a=ptime:20",
        "a=sendrecv",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def parse(data: bytes) -> Answer:
    """The first audio stream that can be used. Raises ProbeError, blame REMOTE."""
    session, media = _sections(_lines(data))
    for section in media:
        match = _MEDIA.fullmatch(section[0][2:].strip())
        port = int(match[1]) if match else 0
        if match is None or port == 0:
            continue  # refused, video, or a transport that we did not offer
        codec = _codec(match[2])
        if not PORT_MIN <= port <= 65_534:
            raise _unusable(f"audio on port {port}")
        attributes = [line[2:].strip() for line in (*session, *section) if line[0] == "a"]
        address = _address([line[2:] for line in (*session, *section) if line[0] == "c"])
        flow = _flow(attributes)
        if ipaddress.ip_address(address).is_unspecified:
            flow = "inactive"  # how RFC 2543 said "on hold"
        return Answer(address, port, _rtcp_port(attributes, port), codec, flow)
    raise _unusable("no audio stream over RTP")


def _lines(data: bytes) -> list[str]:
    if len(data) > SDP_MAX:
        raise _wrong(f"{len(data)} bytes of it")
    lines = [line.rstrip("\r") for line in data.decode("utf-8", "replace").split("\n")]
    lines = [line for line in lines if line]
    if len(lines) > LINES_MAX:
        raise _wrong(f"{len(lines)} lines of it")
    for line in lines:
        if not _LINE.fullmatch(line):
            raise _wrong(f"the line {line!r:.80}")
    if not lines or lines[0].strip() != "v=0":
        raise _wrong(f"{lines[0] if lines else 'nothing'!r:.80} in its first line")
    return lines


def _sections(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """What is said of the whole session, and of each stream, its m= line first."""
    starts = [index for index, line in enumerate(lines) if line[0] == "m"]
    bounds = [*starts, len(lines)]
    media = [lines[start:end] for start, end in pairwise(bounds)]
    return lines[: bounds[0]], media


def _codec(types: str) -> Codec:
    wanted = [int(word) for word in types.split()]
    for payload_type in wanted:
        for codec in CODECS:
            if codec.payload_type == payload_type:
                return codec
    raise _unusable(f"payload types {types.strip()!r:.60}, neither PCMU nor PCMA")


def _address(connections: list[str]) -> str:
    """The last one counts: what is said of the stream itself."""
    match = _CONNECTION.fullmatch(connections[-1].strip()) if connections else None
    try:
        return str(ipaddress.ip_address(match[1] if match else ""))
    except ValueError:
        found = connections[-1] if connections else "no c= line"
        raise _unusable(f"no IP address for the audio: {found!r:.80}") from None


def _flow(attributes: list[str]) -> Flow:
    said = [flow for each in attributes for flow in _FLOWS if each == flow]
    return said[-1] if said else "sendrecv"


def _rtcp_port(attributes: list[str], port: int) -> int:
    for each in reversed(attributes):
        match = _RTCP.fullmatch(each)
        if match and PORT_MIN <= int(match[1]) <= 65_535:
            return int(match[1])
    return port + 1


def _wrong(found: str) -> ProbeError:
    text = f"expected a session description (SDP), found {found}"
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, text)


def _unusable(found: str) -> ProbeError:
    text = f"expected PCMU or PCMA audio over RTP in the SDP answer, found {found}"
    return ProbeError(Reason.CONTENT, Blame.REMOTE, text)
