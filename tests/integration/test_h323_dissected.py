"""Every H.323 message of ours, and of our fakes, as tshark reads it: an independent referee."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.dissect import TCP, UDP, Dissection, Packet, dissected
from tests.fakes.h323_peers import GNUGK, GUID, RINGING, SIMPH323
from tests.fuzz.h225 import SEEDS as CALL_SEEDS
from tests.fuzz.ras import SEEDS as RAS_SEEDS
from vcmon.wire.q931 import REFERENCE_MAX, Call, status_enquiry
from vcmon.wire.ras import gatekeeper_request, information_request, location_request

V4, V6 = ("192.0.2.7", 40_000), ("2001:db8::7", 40_001)
GUID_TEXT = "00010203-0405-0607-0809-0a0b0c0d0e0f"


def call(called: str, local: tuple[str, int] = V4) -> Call:
    return Call(0x1234, GUID, bytes(16), called, ("192.0.2.1", 1720), local, "1.2")


Expected = dict[str, list[str]]
OURS = {"h225.productId": ["vcmon"], "h225.versionId": ["1.2"]}
RAS: dict[str, tuple[bytes, Expected]] = {
    "GRQ": (
        gatekeeper_request(513, V4, "", "", "1.2"),
        {**OURS, "h225.RasMessage": ["0"], "h225.requestSeqNum": ["513"],
         "h225.protocolIdentifier": ["0.0.8.2250.0.4"], "h225.ipV4": [V4[0]],
         "h225.ipV4_port": ["40000"], "h225.h323_ID": ["vcmon-probe"],
         "h225.gatekeeperIdentifier": []},
    ),
    "GRQ of one gatekeeper, as a number": (
        gatekeeper_request(65_535, V6, "GK Pusat", "0711", "1.2"),
        {**OURS, "h225.requestSeqNum": ["65535"], "h225.gatekeeperIdentifier": ["GK Pusat"],
         "h225.dialledDigits": ["0711"], "h225.ipV6": [V6[0]], "h225.ipV6_port": ["40001"]},
    ),
    "LRQ": (
        location_request(2, V4, "vc-aceh"),
        {"h225.RasMessage": ["18"], "h225.requestSeqNum": ["2"], "h225.h323_ID": ["vc-aceh"],
         "h225.ipV4": [V4[0]], "h225.ipV4_port": ["40000"]},
    ),
    "LRQ of a number": (
        location_request(3, V6, "*62#1,9"),
        {"h225.dialledDigits": ["*62#1,9"], "h225.ipV6": [V6[0]], "h225.ipV6_port": ["40001"]},
    ),
    "IRQ": (
        information_request(4, V4),
        {"h225.RasMessage": ["21"], "h225.requestSeqNum": ["4"], "h225.callReferenceValue": ["0"],
         "h225.ipV4": [V4[0]], "h225.guid": ["00000000-0000-0000-0000-000000000000"]},
    ),
    "IRQ over IPv6": (
        information_request(5, V6),
        {"h225.ipV6": [V6[0]], "h225.ipV6_port": ["40001"]},
    ),
}  # fmt: skip
CALLS: dict[str, tuple[bytes, Expected]] = {
    "STATUS ENQUIRY": (
        status_enquiry(REFERENCE_MAX),
        {"tpkt.length": ["9"], "q931.disc": ["0x08"], "q931.call_ref_flag": ["0"],
         "q931.call_ref": ["7f:ff"], "q931.message_type": ["0x75"]},
    ),
    "SETUP": (
        call("vc-aceh").setup(),
        {**OURS, "q931.message_type": ["0x05"], "q931.call_ref": ["12:34"],
         "q931.display_information": ["vcmon-probe"], "h225.h323_message_body": ["0"],
         "h225.h323_ID": ["vcmon-probe", "vc-aceh"], "h225.conferenceGoal": ["0"],
         "h225.callType": ["0"], "h225.activeMC": ["0"], "h225.h245Tunnelling": ["0"],
         "h225.ipV4": ["192.0.2.1", "192.0.2.7"], "h225.ipV4_port": ["1720", "40000"],
         "h225.conferenceID": ["00000000-0000-0000-0000-000000000000"],
         "h225.guid": [GUID_TEXT], "h225.canOverlapSend": ["0"]},
    ),
    "SETUP of nobody in particular, from IPv6": (
        call("", V6).setup(),
        {"h225.destinationAddress": [], "h225.h323_ID": ["vcmon-probe"], "h225.ipV6": [V6[0]]},
    ),
    "SETUP of a number": (
        call("0711").setup(),
        {"h225.dialledDigits": ["0711"], "h225.guid": [GUID_TEXT]},
    ),
    "RELEASE COMPLETE": (
        call("vc-aceh").release_complete(),
        {"q931.message_type": ["0x5a"], "q931.call_ref": ["12:34"], "q931.cause_value": ["16"],
         "q931.cause_location": ["0"], "h225.h323_message_body": ["5"], "h225.guid": [GUID_TEXT],
         "h225.h245Tunnelling": ["0"]},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dissection]:
    """All of it in one run of tshark."""
    packets = [Packet(UDP, 1719, data) for data, _ in RAS.values()]
    packets += [Packet(TCP, 1720, data) for data, _ in CALLS.values()]
    found = dissected(packets, tmp_path_factory.mktemp("ours"))
    return dict(zip((*RAS, *CALLS), found, strict=True))


@pytest.mark.parametrize("name", [*RAS, *CALLS])
def test_tshark_reads_what_we_meant(name: str, readings: dict[str, Dissection]) -> None:
    """Every field as it was meant, nothing malformed, no complaint."""
    _, expected = (RAS | CALLS)[name]
    found = readings[name]
    assert not found.complaints
    for field, values in expected.items():
        assert found.values(field) == values, field


def test_tshark_knows_the_difference(tmp_path: Path) -> None:
    """A message with one octet too many or too few is complained about: the referee is awake."""
    good = call("vc-aceh").setup()
    at = good.index(b"\x07\x00\xc0\x00\x02\x07") + 1
    broken = [good[:at] + b"\0" + good[at:], gatekeeper_request(1, V4, "", "", "1.2")[:-1]]
    framed = broken[0][:2] + len(broken[0]).to_bytes(2, "big") + broken[0][4:]
    for found in dissected([Packet(TCP, 1720, framed), Packet(UDP, 1719, broken[1])], tmp_path):
        assert found.complaints


def test_what_our_fakes_say_is_h323(tmp_path: Path) -> None:
    """The answers that pycrate encodes for the fakes, and the recorded ones, are clean, too."""
    scripts = [step for script in (GNUGK, SIMPH323, RINGING) for steps in script.values()
               for step in steps if isinstance(step, bytes) and step[:1] == b"\x03"]  # fmt: skip
    packets = [Packet(TCP, 1720, data) for data in (*scripts, *CALL_SEEDS)]
    packets += [Packet(UDP, 1719, data) for data in RAS_SEEDS]
    for packet, found in zip(packets, dissected(packets, tmp_path), strict=True):
        assert not found.complaints, packet.payload.hex()
        expected = "h225.RasMessage" if packet.protocol == UDP else "q931.message_type"
        assert found.values(expected), packet.payload.hex()
