"""tshark as a referee of bytes: what an independent dissector makes of them."""

from __future__ import annotations

import ipaddress
import struct
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fakes.needs import needs

LINKTYPE_RAW = 101
UDP, TCP = 17, 6
US, THEM = (ipaddress.ip_address(text).packed for text in ("192.0.2.7", "192.0.2.1"))


class Packet(NamedTuple):
    """A payload, and the port by which it is known."""

    protocol: int  # UDP or TCP
    port: int
    payload: bytes


class Dissection(NamedTuple):
    """Every field that was found, in order, by its filter name, and every complaint."""

    fields: tuple[tuple[str, str], ...]
    complaints: tuple[str, ...]

    def values(self, name: str) -> list[str]:
        """Every value of a field such as ``h225.requestSeqNum``."""
        return [value for key, value in self.fields if key == name]


def dissected(packets: Sequence[Packet], folder: Path) -> list[Dissection]:
    """One dissection a packet."""
    capture = folder / "capture.pcap"
    capture.write_bytes(_pcap(packets))
    argv = [needs("tshark", "tshark"), "-r", str(capture), "-T", "pdml", "-n"]
    argv += ["-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]
    run = subprocess.run(argv, capture_output=True, check=True, timeout=50)
    found = [_dissection(packet) for packet in ET.fromstring(run.stdout).iter("packet")]
    assert len(found) == len(packets)
    return found


def _dissection(packet: ET.Element) -> Dissection:
    fields, complaints = [], []
    for node in packet.iter():
        name = node.get("name", "")
        if name.startswith(("_ws.malformed", "_ws.expert.message")):
            complaints.append(node.get("showname") or node.get("show") or name)
        elif node.tag == "field":
            fields.append((name, node.get("show", "")))
    return Dissection(tuple(fields), tuple(complaints))


def _pcap(packets: Sequence[Packet]) -> bytes:
    out = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINKTYPE_RAW)
    for number, packet in enumerate(packets):
        data = _ip(packet, number)
        out += struct.pack("=IIII", number, 0, len(data), len(data)) + data
    return out


def _ip(packet: Packet, number: int) -> bytes:
    """Each packet from a port of its own, so that no two are one conversation."""
    source = 40_000 + number
    if packet.protocol == UDP:
        head = struct.pack("!HHHH", source, packet.port, 8 + len(packet.payload), 0)
    else:
        head = struct.pack("!HHIIBBHHH", source, packet.port, 1, 1, 0x50, 0x18, 0xFFFF, 0, 0)
    size = 20 + len(head) + len(packet.payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, number, 0, 64, packet.protocol, 0, US, THEM)
    return ip + head + packet.payload
