"""tshark as the referee of what a test call puts on the wire: SIP, SDP, RTP, RTCP."""

from __future__ import annotations

import json
import secrets
import socket
import struct
import subprocess
from pathlib import Path
from typing import Any

from tests.fakes.needs import needs
from tests.fakes.sip_peers import respond
from vcmon.wire import sdp
from vcmon.wire.media import MediaSession
from vcmon.wire.rtp import parse_rtcp
from vcmon.wire.sdp import CODECS
from vcmon.wire.sip import parse_datagram, request_uri
from vcmon.wire.sip_dialog import Dialog, Invite

US, THEM = ("192.0.2.7", 40_000), ("192.0.2.1", 5060)
OUR_MEDIA, THEIR_MEDIA = 41_000, 42_000
MS = 1_000_000

Packet = tuple[tuple[str, int], tuple[str, int], bytes]


def capture(path: Path, packets: list[Packet]) -> None:
    """A capture of these UDP datagrams, a millisecond apart."""
    head = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)  # LINKTYPE_RAW
    out = [head]
    for number, (source, target, data) in enumerate(packets):
        udp = struct.pack("!HHHH", source[1], target[1], 8 + len(data), 0) + data
        addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
        whole = ip + udp
        out.append(struct.pack("<IIII", 0, number * 1000, len(whole), len(whole)) + whole)
    path.write_bytes(b"".join(out))


def dissected(path: Path) -> list[dict[str, Any]]:
    """The layers of each packet as tshark sees them, and that it has nothing to complain of."""
    tshark = needs("tshark", "tshark")
    command = [tshark, "-n", "-r", str(path), "-T", "json", "--no-duplicate-keys"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "_ws.malformed" not in run.stdout
    for severity in ("6291456", "8388608"):  # warning, error
        assert f'"_ws.expert.severity": "{severity}"' not in run.stdout
    return [packet["_source"]["layers"] for packet in json.loads(run.stdout)]


def found(layer: Any, name: str) -> list[str]:
    """Every value of a field, at any depth."""
    if isinstance(layer, list):
        return [value for each in layer for value in found(each, name)]
    if not isinstance(layer, dict):
        return []
    values = []
    for key, value in layer.items():
        if key == name:
            values += value if isinstance(value, list) else [value]
        values += found(value, name)
    return [each for each in values if isinstance(each, str)]


def test_signalling_is_sip_and_sdp(tmp_path: Path) -> None:
    """INVITE, ACK, BYE and CANCEL are what they should be, with the offer in its place."""
    invite = Invite(
        uri=request_uri("echo", "192.0.2.1:5060", "udp"),
        transport="udp",
        local=US,
        call_id=secrets.token_hex(16),
        tag=secrets.token_hex(8),
        version="1",
        sdp=sdp.offer(US[0], OUR_MEDIA, secrets.randbits(62)),
        expires=8,
    )
    call = Dialog(invite, 0.5, lambda: secrets.token_hex(8))
    call.start(0.0)
    asked = call.outbox[0]
    ringing = respond(asked, "SIP/2.0 180 Ringing")
    to = {"to": "<sip:echo@192.0.2.1:5060>;tag=a", "record_route": "<sip:192.0.2.3;lr>"}
    taken = respond(asked, "SIP/2.0 200 OK", contact="<sip:room@192.0.2.9>", **to)
    call.take(parse_datagram(ringing), 0.1)
    call.take(parse_datagram(taken), 0.2)
    call.hang_up(0.3)
    other = Dialog(invite, 0.5, lambda: secrets.token_hex(8))
    other.start(0.0)
    other.take(parse_datagram(respond(other.outbox[0], "SIP/2.0 180 Ringing")), 0.1)
    other.hang_up(0.2)
    capture(tmp_path / "sip.pcap", [(US, THEM, each) for each in (*call.outbox, other.outbox[1])])
    packets = dissected(tmp_path / "sip.pcap")
    assert [found(p, "sip.Method")[0] for p in packets] == ["INVITE", "ACK", "BYE", "CANCEL"]
    assert [found(p, "sip.CSeq.seq")[0] for p in packets] == ["1", "1", "2", "1"]
    for packet in packets:
        assert found(packet, "sip.Call-ID")[0] == invite.call_id
        assert found(packet, "sip.from.tag")[0] == invite.tag
        assert found(packet, "sip.Max-Forwards")[0] == "70"
    assert found(packets[1], "sip.r-uri")[0] == "sip:room@192.0.2.9"
    assert found(packets[2], "sip.to.tag")[0] == "a"
    assert found(packets[2], "sip.Route")
    offered = packets[0]
    assert found(offered, "sdp.media.port")[0] == str(OUR_MEDIA)
    assert found(offered, "sdp.connection_info.address")[0] == US[0]
    assert found(offered, "sdp.media.media")[0] == "audio"
    assert found(offered, "sdp.media.proto")[0] == "RTP/AVP"
    assert {"PCMU", "PCMA"} <= set(found(offered, "sdp.mime.type"))
    assert found(offered, "sdp.version")[0] == "0"


def test_media_is_rtp_and_rtcp(tmp_path: Path) -> None:
    """Sequence, timestamp, source; report, loss, LSR and DLSR; name and goodbye."""
    media = MediaSession(CODECS[1], 0xCAFE0001, 65_535, 1000, 5, 1_795_000_000_000 * MS, "ab12")
    far = MediaSession(CODECS[1], 0xCAFE0002, 7, 0, 6, 1_795_000_000_000 * MS, "cd34")
    packets: list[Packet] = []
    ours, theirs = (US[0], OUR_MEDIA), (THEM[0], THEIR_MEDIA)
    for number in range(4):
        packets.append((ours, theirs, media.packet(number * 20 * MS)))
        sent = far.packet(number * 20 * MS)
        if number != 1:
            media.take_rtp(sent, number * 20 * MS)
    report = far.report(60 * MS)
    media.take_rtcp(report, 61 * MS)
    goodbye = media.goodbye(1061 * MS)
    packets.append(((US[0], OUR_MEDIA + 1), (THEM[0], THEIR_MEDIA + 1), goodbye))
    offer = sdp.offer(THEM[0], THEIR_MEDIA, 1)  # tells tshark where the media lies
    invite = Invite("sip:a@b", "udp", THEM, "c", "t", "1", offer, 8)
    call = Dialog(invite, 0.5, lambda: "b")
    call.start(0.0)
    capture(tmp_path / "rtp.pcap", [(THEM, US, call.outbox[0]), *packets])
    _, *dissections, told = dissected(tmp_path / "rtp.pcap")
    assert [found(p, "rtp.seq")[0] for p in dissections] == ["65535", "0", "1", "2"]
    assert [found(p, "rtp.timestamp")[0] for p in dissections] == ["1000", "1160", "1320", "1480"]
    assert [found(p, "rtp.marker")[0] for p in dissections] == ["1", "0", "0", "0"]
    for packet in dissections:
        assert found(packet, "rtp.version")[0] == "2"
        assert found(packet, "rtp.p_type")[0] == "8"
        assert found(packet, "rtp.ssrc")[0] == "0xcafe0001"
        assert len(found(packet, "rtp.payload")[0].split(":")) == 160
    assert found(told, "rtcp.pt") == ["200", "202", "203"]
    assert found(told, "rtcp.sender.packetcount")[0] == "4"
    assert found(told, "rtcp.sender.octetcount")[0] == "640"
    assert found(told, "rtcp.ssrc.identifier")[0] == "0xcafe0002"
    assert found(told, "rtcp.ssrc.cum_nr")[0] == "1"
    assert found(told, "rtcp.ssrc.fraction")[0] == "64"
    assert found(told, "rtcp.ssrc.high_seq")[0] == "10"
    (theirs_report,) = parse_rtcp(report)
    assert int(found(told, "rtcp.ssrc.lsr")[0]) == theirs_report.ntp >> 16 & 0xFFFF_FFFF
    assert found(told, "rtcp.ssrc.dlsr")[0] == "65536"
    assert "ab12" in found(told, "rtcp.sdes.text")
