"""The parameters of each probe kind, with defaults and bounds: one model a kind, one table."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from vcmon.config.fields import Duration, Port, Strict, Zone, check_clock
from vcmon.config.text import shown
from vcmon.model.opening import Opening


class IcmpParams(Strict):
    """A burst of echo requests: one lost packet is loss, not an outage."""

    packets: Annotated[int, Field(ge=1, le=100)] = 5
    spacing: Duration = 0.02
    size: Annotated[int, Field(ge=16, le=1472)] = 56  # payload bytes; 16 hold our nonce
    dscp: Annotated[int, Field(ge=0, le=63)] = 0


class TcpParams(Strict):
    """A TCP connect, watched for a round trip, then closed."""

    port: Port


class TlsFields(Strict):
    """How a TLS peer is verified."""

    server_name: str = ""  # SNI and the name to verify; empty: the endpoint's address
    ca_file: str = ""  # PEM; empty: the system's trust store
    verify: bool = True
    expiry_warning: Duration = 14 * 86400.0  # less than this left: impaired


class TlsParams(TlsFields):
    """A TLS handshake with chain, host name and expiry verified."""

    port: Port = 443


class HttpParams(TlsFields):
    """One HTTP request; the body is read up to ``body_limit`` bytes only."""

    port: Port = 80
    tls: bool = False
    method: Literal["GET", "HEAD"] = "GET"
    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")] = "/"
    host: str = ""  # Host header; empty: server_name or the address
    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()  # empty: any 2xx
    contains: str = ""  # plain text that the body must hold
    redirects: Annotated[int, Field(ge=0, le=10)] = 3  # followed on the same host and port only
    body_limit: Annotated[int, Field(ge=0, le=1 << 20)] = 64 << 10


class HttpsParams(HttpParams):
    """HTTP over TLS."""

    port: Port = 443
    tls: bool = True


class DnsParams(Strict):
    """One DNS question to the endpoint, a name server."""

    port: Port = 53
    name: str = "."
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "NS"
    expect: tuple[str, ...] = ()  # each must be among the answers; empty: any answer


class SipParams(TlsFields):
    """SIP OPTIONS (RFC 3261 section 11)."""

    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: str = ""  # user part of the request URI; empty: the host itself is asked
    domain: str = ""  # host part of the request URI; empty: address and port
    t1: Duration = 0.5  # first retransmission over UDP, doubling
    behind_proxy: bool = False  # the address is a proxy's: 404, 408, 480, 504 mean the user is gone


class SipTcpParams(SipParams):
    """SIP OPTIONS over TCP."""

    transport: Literal["udp", "tcp", "tls"] = "tcp"


class SipsParams(SipParams):
    """SIP OPTIONS over TLS."""

    port: Port = 5061
    transport: Literal["udp", "tcp", "tls"] = "tls"


def check_hours(value: Any) -> Any:
    """``22:00-05:00``. Raises ValueError."""
    start, dash, stop = value.partition("-") if isinstance(value, str) else ("", "", "")
    if dash and check_clock(start.strip()) != check_clock(stop.strip()):
        return f"{start.strip()}-{stop.strip()}"
    raise ValueError(f'expected hours like "22:00-05:00", found {shown(value)}')


def check_network(value: Any) -> Any:
    """``192.0.2.0/24`` or an address. Raises ValueError."""
    try:
        return str(ip_network(value, strict=False)) if isinstance(value, str) else int(value)
    except ValueError:
        what = "expected a network like 192.0.2.0/24, found"
        raise ValueError(f"{what} {shown(value)}") from None


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value  # strict mode takes no list here


Hours = Annotated[str, BeforeValidator(check_hours)]
Network = Annotated[str, BeforeValidator(check_network)]

CALL_RISK = (
    "a call may ring, and a codec that answers by itself opens its microphone: say when it may "
    'be called, in a profile, as hours: "22:00-05:00", or always: true'
)


HANG_UP = 4.0
"""Seconds that the end of a call may take: over UDP four BYE, at 0, 0.5, 1.5 and 3.5 s, so that a
fifth of all packets lost leaves one call in 600 up."""


class CallParams(TlsFields):
    """A test call (SIP, RTP) that the endpoint answers by itself, with silence for audio."""

    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: str = ""  # user part of the request URI: an echo or a test room
    domain: str = ""  # host part of the request URI; empty: address and port
    t1: Duration = 0.5  # first retransmission over UDP, doubling
    talk: Duration = 8.0  # media is sent for so long
    dscp: Annotated[int, Field(ge=0, le=63)] = 46  # of our media; EF, as voice is marked
    media_from: Annotated[tuple[Network, ...], Field(max_length=32)] = ()  # beside the address
    hours: Annotated[
        tuple[Hours, ...],
        BeforeValidator(_listed),
        WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
    ] = ()  # when it may be called
    zone: Zone = "Asia/Jakarta"  # whose clocks ``hours`` are of
    always: bool = False  # it may be called at any hour

    @model_validator(mode="after")
    def _must_be_opted_in(self) -> Self:
        if not self.hours and not self.always:
            raise ValueError(CALL_RISK)
        return self

    @property
    def opening(self) -> Opening:
        """When it may be called."""
        return Opening(() if self.always else tuple(map(_span, self.hours)), ZoneInfo(self.zone))

    def ring(self, timeout: float) -> float:
        """Seconds within which the call must be answered, of a run of so many."""
        return timeout - self.talk - HANG_UP


def _span(hours: str) -> tuple[int, int]:
    start, stop = (each.split(":") for each in hours.split("-"))
    return int(start[0]) * 60 + int(start[1]), int(stop[0]) * 60 + int(stop[1])


PARAMS: dict[str, type[Strict]] = {
    "icmp": IcmpParams,
    "tcp": TcpParams,
    "tls": TlsParams,
    "http": HttpParams,
    "https": HttpsParams,
    "dns": DnsParams,
    "sip": SipParams,
    "sip-tcp": SipTcpParams,
    "sips": SipsParams,
    "call": CallParams,
}
"""Every kind that vcmon knows, each also a check name of its own with these defaults."""

KIND_TIMES: dict[str, tuple[float, float]] = {"call": (3600.0, 20.0)}
"""(interval, timeout) in seconds of kinds that the defaults of all others would not fit."""

SUPPORTING_KINDS = frozenset({"icmp"})
"""Kinds that explain and measure where a deciding check stands beside them."""

OPT_IN: Mapping[str, str] = {"call": CALL_RISK}
"""Kinds that can't be used without a profile, and why."""

NEVER_DECIDES = frozenset({"call"})
"""Kinds that decide only where their profile says so. While they are down, what would be up is
degraded: signalling is well, a conference would not be."""

GENTLE_RETRY: Mapping[str, float] = {"call": 300.0}
"""Seconds at least from one run to the next out of turn, for kinds that disturb somebody: they are
confirmed at leisure, never with several attempts at once, and never as a witness of others."""
