"""STAMP test packets: the layout, the clocks, and independent codecs that agree."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from scapy.contrib.stamp import (
    STAMPSessionReflectorTestUnauthenticated,
    STAMPSessionSenderTestUnauthenticated,
)

from tests.fakes.needs import needs
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.stamp import (
    BASE,
    NANOSECONDS,
    SIZE_MAX,
    ErrorEstimate,
    Reflection,
    Request,
    brings_back,
    encode_reply,
    encode_request,
    error_estimate,
    estimate_of,
    from_ntp,
    from_ptp,
    parse_reply,
    parse_request,
    to_ntp,
    wanted_dscp,
)

NOW = 1_795_522_199_967_565_849
OURS = Request(7, to_ntp(NOW), ErrorEstimate(synchronised=True, scale=15, multiplier=132), 0xBEEF)
SEEN = Reflection(5, NOW + 1_000_000, ErrorEstimate(scale=29, multiplier=128), 253, 34)
SENT = NOW + 1_250_000

TWAMPD = bytes.fromhex(  # perfSONAR's twampd 5.2.3
    "00000000eeaf0082ba6d373a00010000eeaf0082ba6ce35800000000eeaf0082ba699b7a00010000ff"
)
TWAMPY = bytes.fromhex(  # Nokia's twampy 1.3.2
    "00000000eeaefff2b9f307ff00010000eeaefff2b9f307ff00000000eeaefff2b9d477320001"
)


def test_scapy_reads_our_test_packet() -> None:
    """An independent codec finds in our test packet what we put into it."""
    packet = encode_request(OURS, 172, 46)
    read = STAMPSessionSenderTestUnauthenticated(packet)
    assert (read.seq, read.ssid, bytes(read)) == (7, 0xBEEF, packet)
    error = read.err_estimate
    assert (error.S, error.Z, error.scale, error.multiplier) == (1, 0, 15, 132)
    assert read.getfieldval("ts") == OURS.sent
    service, padding = read.tlv_objects
    assert (service.type, service.len, service.value[0] >> 2) == (4, 4, 46)
    assert (padding.type, padding.len) == (1, 172 - 44 - 8 - 4)


def test_scapy_reads_our_answer() -> None:
    """An independent codec finds in our answer what we put into it."""
    answer = encode_reply(encode_request(OURS, 172, 46), OURS, SEEN, SENT)
    read = STAMPSessionReflectorTestUnauthenticated(answer)
    assert (read.seq, read.ssid, read.seq_sender, read.ttl_sender) == (5, 0xBEEF, 7, 253)
    assert (read.err_estimate.S, read.err_estimate_sender.S) == (0, 1)
    for name, moment in (("ts", SENT), ("ts_rx", SEEN.received), ("ts_sender", NOW)):
        assert read.getfieldval(name) == to_ntp(moment)
    service, padding = read.tlv_objects
    assert service.flags == padding.flags == 0
    assert struct.unpack("!HH", service.value) == (46 << 10 | 34 << 4, 0)
    assert bytes(read) == answer


def test_we_read_what_scapy_wrote() -> None:
    """What an independent codec writes means the same to us."""
    request = parse_request(bytes(STAMPSessionSenderTestUnauthenticated(seq=9, ssid=3)))
    assert (request.sequence, request.ssid) == (9, 3)
    written = STAMPSessionReflectorTestUnauthenticated(seq=4, ssid=3, seq_sender=9, ttl_sender=61)
    reply = parse_reply(bytes(written))
    assert (reply.sequence, reply.sender_sequence, reply.ssid, reply.ttl) == (4, 9, 3, 61)
    assert reply.dscp is None


def test_tshark_dissects_both(tmp_path: Path) -> None:
    """Wireshark's TWAMP-Test dissector, of the same layout, finds numbers, clocks and TTL."""
    packet = encode_request(OURS, 172, 46)
    frames = ((1025, 862, packet), (862, 1025, encode_reply(packet, OURS, SEEN, SENT)))
    capture = tmp_path / "stamp.pcap"
    capture.write_bytes(pcap(frames))
    fields = ("seq_number", "sender_seq_number", "sender_ttl", "timestamp", "receive_timestamp")
    command = [needs("tshark", "tshark"), "-r", str(capture), "-d", "udp.port==862,twamp.test"]
    command += ["-Tfields", "-E", "separator=;", "-E", "occurrence=f"]
    for name in fields:
        command += ["-e", f"twamp.test.{name}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    sent, answered = (line.split(";") for line in run.stdout.splitlines())
    assert sent[0] == "7"
    assert answered[:3] == ["5", "7", "253"]
    for told, moment in zip((sent[3], *answered[3:]), (NOW, SENT, SEEN.received), strict=True):
        assert f"{moment % NANOSECONDS:09}"[:8] in told  # tshark cuts where we round


def pcap(frames: tuple[tuple[int, int, bytes], ...]) -> bytes:
    """A capture of raw IPv4 packets (LINKTYPE_RAW)."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for source, target, data in frames:
        udp = struct.pack("!HHHH", source, target, 8 + len(data), 0) + data
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
        packet = head + bytes((10, 0, 0, 1, 10, 0, 0, 2)) + udp
        out += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
    return out


@pytest.mark.parametrize(("answer", "ttl"), [(TWAMPD, 255), (TWAMPY, None)])
def test_answers_seen_in_the_field(answer: bytes, ttl: int | None) -> None:
    """Real TWAMP reflectors' answers of 41 and 38 bytes are read whole."""
    reply = parse_reply(answer)
    assert (reply.sequence, reply.sender_sequence, reply.ttl) == (0, 0, ttl)
    assert not reply.error.trusted
    assert 0 <= reply.sent - reply.received < 1_000_000
    assert 0 < reply.received - from_ntp(reply.sender_sent) < 10_000_000


@pytest.mark.parametrize("length", [0, 1, 36, 37])
def test_too_short_an_answer(length: int) -> None:
    """An answer without our own number and stamp proves nothing."""
    with pytest.raises(ProbeError) as caught:
        parse_reply(TWAMPD[:length])
    assert caught.value.reason is Reason.PROTOCOL


@pytest.mark.parametrize("length", [0, 14, 40, SIZE_MAX + 1])
def test_no_test_packet_by_its_size(length: int) -> None:
    """Too short for a whole answer, or longer than a frame: refused."""
    with pytest.raises(ProbeError):
        parse_request(bytes(length))


def test_an_answer_is_as_long_as_the_question() -> None:
    """For every size, whatever follows the base packet."""
    for size in range(41, SIZE_MAX + 1):
        for packet in (encode_request(OURS, max(BASE, size), 46)[:size], b"\xff" * size):
            request = parse_request(packet)
            assert len(encode_reply(packet, request, SEEN, SENT)) == size


@pytest.mark.parametrize("size", range(BASE, BASE + 20))
def test_marks_travel_where_they_fit(size: int) -> None:
    """From 52 bytes on the answer tells the DSCP that the packet arrived with."""
    packet = encode_request(OURS, size, 46)
    assert len(packet) == size
    assert wanted_dscp(packet) == (46 if size >= 52 else None)
    reply = parse_reply(encode_reply(packet, parse_request(packet), SEEN, SENT))
    assert reply.dscp == (34 if size >= 52 else None)
    assert (reply.sent, reply.received, reply.ttl) == (SENT, SEEN.received, 253)


def test_who_does_not_understand_tells_no_mark() -> None:
    """A reflector that copies what it doesn't know leaves U set: its DSCP is not believed."""
    packet = encode_request(OURS, 172, 46)
    assert parse_reply(packet).dscp is None


@pytest.mark.parametrize(
    ("extension", "given"),
    [
        (b"\x80\x63\x00\x02ab", b"\x80\x63\x00\x02ab"),  # unknown: U stays
        (b"\x80\x04\x00\x02ab", b"\x40\x04\x00\x02ab"),  # of a wrong length: M
        (b"\x80\x01\x00\x09ab", b"\xc0\x01\x00\x09ab"),  # runs over the end: M
        (b"\x00\x04\x00\x04\xb8\x00\x00\x00", b"\x00\x04\x00\x04\xb8\x00\x00\x00"),  # TWAMP's
        (b"\x12\x34", b"\x12\x34"),
    ],
)
def test_extensions_as_a_reflector_gives_them_back(extension: bytes, given: bytes) -> None:
    """RFC 8972 section 4: U and M say what was not understood or not whole."""
    packet = encode_request(OURS, BASE, 0) + extension
    assert encode_reply(packet, OURS, SEEN, SENT)[BASE:] == given


@pytest.mark.parametrize(
    "seconds", [0.0, 1e-12, 2.3e-10, 1e-6, 0.00099, 0.001, 0.5, 16.0, 36_000.0, 1e30]
)
def test_error_estimates(seconds: float) -> None:
    """An estimate is never less than the error, nor more than a 127th above it."""
    found = estimate_of(seconds, synchronised=True)
    assert error_estimate(found.encode()) == found
    assert found.trusted
    assert found.seconds >= min(seconds, 255 * 2.0**31)
    assert found.seconds <= max(2.0**-32, seconds * (1 + 1 / 127))


def test_a_clock_that_names_no_error_is_not_trusted() -> None:
    """Multiplier 0 is forbidden (RFC 4656): such a clock is not taken for synchronised."""
    assert not error_estimate(0x8000).trusted
    assert not error_estimate(0x0001).trusted


@pytest.mark.parametrize("year", [1970, 2026, 2035, 2037, 2100])
def test_ntp_goes_on_after_2036(year: int) -> None:
    """Nanoseconds survive the wire, over the end of NTP's first era."""
    moment = (year - 1970) * 31_556_952 * NANOSECONDS + 123_456_789
    assert from_ntp(to_ntp(moment)) == moment


def test_ptp_timestamps() -> None:
    """A reflector with Z set writes seconds and nanoseconds."""
    answer = bytearray(TWAMPD)
    answer[12:14] = ErrorEstimate(ptp=True).encode().to_bytes(2, "big")
    answer[4:12] = struct.pack("!II", 100, 5_000)
    answer[16:24] = struct.pack("!II", 100, 4_000)
    reply = parse_reply(bytes(answer))
    assert (reply.error.ptp, reply.sent - reply.received) == (True, 1_000)
    assert from_ptp(100 << 32 | 7) == 100 * NANOSECONDS + 7


def test_an_answer_is_known_as_one() -> None:
    """What brings back our own moments is no test packet; zeros and padding are none."""
    packet = encode_request(OURS, 172, 46)
    ours = encode_reply(packet, OURS, SEEN, SENT)
    theirs = encode_reply(ours, parse_request(ours), SEEN._replace(received=12345), 12345)
    assert brings_back(ours, SENT)  # an echo of our own answer
    assert brings_back(theirs, SENT)  # another reflector's, whose clock is decades off
    assert not brings_back(packet, NOW)
    assert not brings_back(b"\xa5" * 172, NOW)
    assert not brings_back(bytes(172), from_ntp(0))  # in 2036, too
