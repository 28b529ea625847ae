"""H.225.0: the very bytes that real stacks took, and what they answered to them."""

from __future__ import annotations

import pytest

from tests.fakes.h323_peers import (
    ALERTING,
    GCF,
    GUID,
    H323PLUS,
    IRR,
    LCF,
    LRJ_DENIED,
    LRJ_SECURITY,
    RELEASE_COMPLETE,
    STATUS,
    begun,
    cause,
    connected,
    frame,
    ras,
    release,
    uuie,
)
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.h225 import Product, read_alias, write_alias
from vcmon.wire.per import Reader, Writer
from vcmon.wire.q931 import Call, Framer, Message, UserInfo, parse_message, status_enquiry
from vcmon.wire.ras import (
    GATEKEEPER_REFUSALS,
    LOCATION_REFUSALS,
    gatekeeper_request,
    information_request,
    location_request,
    parse_ras,
)

LOOPBACK = "127.0.0.1"

# Each request stood in a capture before this code was written, and was answered by a real stack.
RECORDED_GRQ = (
    "00200000060008914a0004007f000001d93922c0b50012340476636d6f6e00300001400a00760063006d006f0"
    "06e002d00700072006f00620065"
)
RECORDED_GRQ_NAMED = (
    "00a00004060008914a0004007f000001a5a722c0b50012340476636d6f6e003000e0004e004f005300550043"
    "00480047004b01400a00760063006d006f006e002d00700072006f00620065"
)
RECORDED_LRQ = "4800000101400600760063002d0061006300650068007f000001ad1a"
RECORDED_IRQ = "568000020000007f000001ce28170000110000000000000000000000000000000000"
RECORDED_SETUP = (
    "030000a6080223450504038893a5280c76636d6f6e2d70726f6265007e00870520b8060008914a000401400a00"
    "760063006d006f006e002d00700072006f0062006522c0b50012340476636d6f6e00300001400600760063002d"
    "0061006300650068007f0000012dc800ad997987c92e4adcbbc85f104186795b00dd0d80000007007f00000196"
    "26110080be74b51f2f47728f62c7e4f35a0039010001000100010010800100"
)
RECORDED_RELEASE = (
    "03000033080223455a080280907e0023052580060008914a0004150000110080be74b51f2f47728f62c7e4f35a"
    "003910800100"
)
RECORDED_CALL = Call(
    reference=0x2345,
    call_id=bytes.fromhex("80be74b51f2f47728f62c7e4f35a0039"),
    conference_id=bytes.fromhex("ad997987c92e4adcbbc85f104186795b"),
    called="vc-aceh",
    peer=(LOOPBACK, 11_720),
    local=(LOOPBACK, 38_438),
    version="0",
)

REQUESTS = {
    "GRQ": (gatekeeper_request(1, (LOOPBACK, 55_609), "", "", "0"), RECORDED_GRQ),
    "GRQ by name": (
        gatekeeper_request(5, (LOOPBACK, 42_407), "NOSUCHGK", "", "0"),
        RECORDED_GRQ_NAMED,
    ),
    "LRQ": (location_request(2, (LOOPBACK, 44_314), "vc-aceh"), RECORDED_LRQ),
    "IRQ": (information_request(3, (LOOPBACK, 52_776)), RECORDED_IRQ),
    "STATUS ENQUIRY": (status_enquiry(0), "030000090802000075"),
    "SETUP": (RECORDED_CALL.setup(), RECORDED_SETUP),
    "RELEASE COMPLETE": (RECORDED_CALL.release_complete(), RECORDED_RELEASE),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_what_real_stacks_took(name: str) -> None:
    """Byte for byte what GnuGk, H323Plus and ooh323c were recorded to answer."""
    ours, recorded = REQUESTS[name]
    assert ours.hex() == recorded


def test_recorded_answers_are_read() -> None:
    """GCF, LCF, both LRJ and the IRR, as they came from the wire."""
    assert (parse_ras(GCF).kind, parse_ras(GCF).sequence) == ("GCF", 1)
    assert parse_ras(GCF).gatekeeper == "VCGK"
    assert parse_ras(LCF).address == (LOOPBACK, 1720)
    assert parse_ras(LRJ_SECURITY).reason == "securityDenial"
    assert parse_ras(LRJ_DENIED).reason == "requestDenied"
    told = parse_ras(IRR)
    assert told.product == Product("terminal", "H323Plus simple", "1.28.0 (H323plus v1.28.0)")
    assert (told.sequence, told.aliases, told.address) == (3, ("vc-aceh",), (LOOPBACK, 11_720))
    assert told.calls == 0


@pytest.mark.parametrize("reason", [name for part in LOCATION_REFUSALS for name in part])
def test_every_location_reject_is_read(reason: str) -> None:
    """Each reason of an LRJ as an independent encoder writes it."""
    content = {"routeCalltoSCN": [], "securityError": ("securityWrongSyncTime", 0)}
    message = parse_ras(
        ras("locationReject", requestSeqNum=9, rejectReason=(reason, content.get(reason, 0)))
    )
    assert (message.kind, message.sequence, message.reason) == ("LRJ", 9, reason)


@pytest.mark.parametrize("reason", [name for part in GATEKEEPER_REFUSALS for name in part])
def test_every_gatekeeper_reject_is_read(reason: str) -> None:
    """Each reason of a GRJ as an independent encoder writes it."""
    content = ("securityWrongSyncTime", 0) if reason == "securityError" else 0
    message = parse_ras(
        ras("gatekeeperReject", requestSeqNum=9, rejectReason=(reason, content),
            gatekeeperIdentifier="Pusat")
    )  # fmt: skip
    assert (message.kind, message.reason, message.gatekeeper) == ("GRJ", reason, "Pusat")


def test_answer_whose_rest_is_broken_is_an_answer() -> None:
    """Of an LRJ or IRR that is cut behind its number, kind and number are known."""
    cut = parse_ras(LRJ_SECURITY[:3])
    assert (cut.kind, cut.sequence, cut.reason) == ("LRJ", 2, "")
    assert parse_ras(IRR[:30]).sequence == 3


@pytest.mark.parametrize("alias", ["0711", "*#,0123456789", "vc-aceh", "1a", "7"])
def test_aliases_survive(alias: str) -> None:
    """Numbers are packed in half octets, names are not; both come back as they went."""
    out = Writer()
    write_alias(out, alias)
    out.bits(1, 1)
    source = Reader(out.encoded())
    assert read_alias(source) == alias
    assert source.flag()


RELEASES = {
    "cause alone": (release(17), 17, ""),
    "reason alone": (release(reason="inConf"), None, "inConf"),
    "both": (release(21, "destinationRejection"), 21, "destinationRejection"),
    "a later reason": (release(reason="securityDenied"), None, "securityDenied"),
    "cause behind a diagnostic octet": (
        frame(RELEASE_COMPLETE, 1, bytes.fromhex("0803000091")), 17, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", RELEASES)
def test_releases_are_read(name: str) -> None:
    """Q.850's cause and H.225.0's reason, wherever they stand."""
    data, value, reason = RELEASES[name]
    message = parse_message(data[4:])
    assert (message.name, message.cause) == ("RELEASE COMPLETE", value)
    assert (message.user.reason if message.user else "") == reason


def test_progress_of_a_call_is_read() -> None:
    """CALL PROCEEDING, CONNECT and STATUS with all that they tell."""
    product = Product("terminal", "H323Plus simple", "1.28.0 (H323plus v1.28.0)")
    message = parse_message(begun(ALERTING, "alerting", H323PLUS)[4:])
    assert message.user == UserInfo("alerting", 4, "", product)
    assert message.display == "vc-aceh"
    message = parse_message(connected(H323PLUS)[4:])
    assert message.user == UserInfo("connect", 4, "", product)
    elements = cause(30) + b"\x14\x01\x0a"
    user = uuie("status", callIdentifier={"guid": GUID})
    message = parse_message(frame(STATUS, 0xA345, elements, user)[4:])
    assert message == Message("STATUS", 0xA345, 30, 10, "", UserInfo(""))


def test_broken_elements_do_not_hide_the_message() -> None:
    """A truncated element, or a User-User element of somebody else: it answered all the same."""
    cut = parse_message(frame(RELEASE_COMPLETE, 1, cause(16) + b"\x28\x50short")[4:])
    assert (cut.name, cut.cause, cut.display) == ("RELEASE COMPLETE", 16, "")
    other = parse_message(frame(RELEASE_COMPLETE, 1, b"", b"\x04anything")[4:])
    assert (other.name, other.user) == ("RELEASE COMPLETE", None)
    shifted = parse_message(frame(RELEASE_COMPLETE, 1, b"\x96" + cause(17))[4:])
    assert shifted.cause is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\x08", bytes.fromhex("0802000000"), bytes.fromhex("080200015b"),
     bytes.fromhex("0801015a00"), bytes.fromhex("0902000175")],
    ids=["nothing", "one octet", "no message type", "unknown type", "short reference", "not Q.931"],
)  # fmt: skip
def test_what_is_not_q931_is_refused(data: bytes) -> None:
    """Discriminator, length of reference and type must all be Q.931's."""
    with pytest.raises(ProbeError, match=r"expected an H\.323 message") as caught:
        parse_message(data)
    assert (caught.value.reason, caught.value.blame) == (Reason.PROTOCOL, Blame.REMOTE)


def test_frames_are_cut_and_empty_ones_skipped() -> None:
    """Two messages with a keepalive between, one byte at a time."""
    framer, found = Framer(), []
    for byte in status_enquiry(7) + b"\x03\0\0\4" + release(17):
        framer.feed(bytes([byte]))
        if (message := framer.next()) is not None:
            found.append(message.name)
    assert found == ["STATUS ENQUIRY", "RELEASE COMPLETE"]
    assert not framer.begun


def test_requests_over_ipv6_and_long_names_are_whole() -> None:
    """A zone is ours alone, and the longest names that settings allow fit."""
    ours = location_request(1, ("fe80::1%eth0", 5_000), "n" * 128)
    assert ours.endswith(bytes.fromhex("fe80" + "00" * 13 + "01") + (5_000).to_bytes(2, "big"))
    assert len(gatekeeper_request(1, (LOOPBACK, 1), "g" * 128, "7" * 128, "v" * 300)) < 1_200
