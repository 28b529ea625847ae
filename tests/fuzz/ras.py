"""RAS: one datagram."""

from __future__ import annotations

from tests.fakes.h323_peers import GCF, H323PLUS, IRR, LCF, LRJ_DENIED, LRJ_SECURITY, ras
from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.ras import (
    EXTENSIONS,
    ROOT,
    gatekeeper_request,
    information_request,
    location_request,
    parse_ras,
)

HERE = ("2001:db8::1", 4000)
GATEWAY = {
    "nonStandardData": {"nonStandardIdentifier": ("object", (0, 0, 8)), "data": b"xyz"},
    "vendor": H323PLUS["vendor"],
    "gateway": {"protocol": [("h320", {}), ("voice", {})]},
    "mcu": {},
    "mc": True,
    "undefinedNode": False,
}
ADDRESSES = [
    ("ip6Address", {"ip": bytes(15) + b"\1", "port": 1720}),
    ("ipAddress", {"ip": b"\x7f\0\0\1", "port": 1720}),
]
NAMES = [("dialledDigits", "0711#"), ("h323-ID", "Aceh"), ("email-ID", "a@b.id"), ("url-ID", "x:y")]
RICH = {
    "endpointType": GATEWAY,
    "endpointIdentifier": "1_endp",
    "rasAddress": ADDRESSES[0],
    "callSignalAddress": ADDRESSES,
    "endpointAlias": NAMES,
    "needResponse": False,
}


def read(data: bytes) -> None:
    try:
        message = parse_ras(data)
    except ProbeError as error:
        documented(error, Reason.PROTOCOL)
        return
    assert message.kind in {*ROOT, *EXTENSIONS}
    assert 0 <= message.sequence <= 65_536
    assert 0 <= message.calls <= 1_000
    for text in (message.reason, message.gatekeeper, *message.aliases, *(message.product or ())):
        text.encode()


SEEDS = (
    gatekeeper_request(1, HERE, "GK", "", "1.2"),
    location_request(2, HERE, "0711"),
    information_request(3, HERE),
    GCF,
    LCF,
    IRR,
    LRJ_DENIED,
    LRJ_SECURITY,
    ras("gatekeeperReject", requestSeqNum=4, rejectReason=("securityDenial", 0)),
    ras("requestInProgress", requestSeqNum=5, delay=300),
    ras("unknownMessageResponse", requestSeqNum=6),
    ras("infoRequestResponse", requestSeqNum=7, **RICH),
)
TARGET = Target(read, SEEDS)
