"""The parameters of each probe kind, with defaults and bounds: one model a kind, one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vcmon.config.fields import Duration, Port, Strict
from vcmon.config.secrets import Secret, SecretFile


class IcmpParams(Strict):
    """A burst of echo requests: one lost packet is loss, not an outage."""

    packets: Annotated[int, Field(ge=1, le=100)] = 5
    spacing: Duration = 0.02
    size: Annotated[int, Field(ge=16, le=1472)] = 56  # payload bytes; 16 hold our nonce
    dscp: Annotated[int, Field(ge=0, le=63)] = 0


class MtuParams(Strict):
    """Echo requests that may not be fragmented, of several sizes: bytes of UDP payload."""

    sizes: Annotated[
        tuple[Annotated[int, Field(ge=200, le=8972)], ...], Field(min_length=1, max_length=8)
    ] = (1200, 1300, 1400, 1472)


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


UrlPath = Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")]
Visible = Annotated[str, Field(pattern=r"^[\x21-\x7e]*$", max_length=300)]


class WebFields(TlsFields):
    """A place on a web server."""

    port: Port = 80
    tls: bool = False
    path: UrlPath = "/"
    host: Visible = ""  # Host header; empty: server_name or the address


Status = Annotated[int, Field(ge=100, le=599)]


class HttpParams(WebFields):
    """One HTTP request; the body is read up to ``body_limit`` bytes only."""

    method: Literal["GET", "HEAD"] = "GET"
    status: tuple[Status, ...] = ()  # empty: any 2xx
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


class StunParams(TlsFields):
    """A STUN Binding (RFC 8489)."""

    port: Port = 3478  # 5349 over TLS
    transport: Literal["udp", "tcp", "tls"] = "udp"
    rto: Duration = 0.5  # first retransmission over UDP, doubling

    @model_validator(mode="before")
    @classmethod
    def _port_of_transport(cls, written: Any) -> Any:
        if isinstance(written, dict) and written.get("transport") == "tls":
            return {"port": 5349, **written}
        return written


class TurnParams(StunParams):
    """A TURN allocation (RFC 8656), given back at once; without credentials the 401 before it."""

    username: Annotated[str, Field(max_length=127)] = ""
    password_file: SecretFile = Secret()  # long-term credentials, with username
    secret_file: SecretFile = Secret()  # shared with the server, to make credentials of

    @model_validator(mode="after")
    def _one_sort_of_credentials(self) -> Self:
        if self.password_file and self.secret_file:
            raise ValueError("password_file and secret_file are two sorts of credentials: keep one")
        if self.password_file and not self.username:
            raise ValueError("password_file needs a username beside it")
        if self.username and not (self.password_file or self.secret_file):
            raise ValueError("username needs password_file, or secret_file, beside it")
        return self


class StampParams(Strict):
    """A stream of STAMP test packets (RFC 8762) to a reflector such as ``vcmon reflect``."""

    port: Port = 862
    packets: Annotated[int, Field(ge=1, le=500)] = 50
    spacing: Duration = 0.02
    size: Annotated[int, Field(ge=44, le=1472)] = 172  # payload bytes: as G.711 every 20 ms
    dscp: Annotated[int, Field(ge=0, le=63)] = 46  # EF, as voice


class HealthParams(WebFields):
    """A platform's health page: its status, and one value in its JSON or XML."""

    status: tuple[Status, ...] = ()  # empty: any 2xx
    field: Annotated[str, Field(max_length=200)] = ""  # of JSON: names (and positions) with dots
    element: Annotated[str, Field(max_length=200)] = ""  # of XML, the first of that name
    equals: bool | int | float | str = True  # what must stand there
    otherwise: Literal["down", "degraded"] = "down"  # what another value makes of the endpoint

    @model_validator(mode="after")
    def _looks_in_one_place(self) -> Self:
        if self.field and self.element:
            raise ValueError("expected field (of JSON) or element (of XML), found both")
        return self


class BoshParams(WebFields):
    """An XMPP session over BOSH (XEP-0124, XEP-0206), created and ended."""

    port: Port = 5280
    path: UrlPath = "/http-bind"
    domain: Annotated[str, Field(max_length=253)] = ""  # of XMPP; empty: host, server_name, address


class WebsocketParams(WebFields):
    """A WebSocket (RFC 6455), and what is said on it first."""

    subprotocol: Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,64}$")] = ""
    domain: Annotated[str, Field(max_length=253)] = ""  # as of bosh; for the subprotocol xmpp
    origin: Visible = ""  # Origin header; empty: none is sent
    send: Annotated[str, Field(max_length=4096)] = ""  # text sent first; then one is awaited
    expect: Annotated[str, Field(max_length=1024)] = ""  # plain text that a message must hold


class HeartbeatParams(Strict):
    """The endpoint reports in by itself, once an interval."""

    grace: Duration = 45.0  # as long as `vcmon heartbeat` tries again


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
    "stun": StunParams,
    "turn": TurnParams,
    "mtu": MtuParams,
    "stamp": StampParams,
    "health": HealthParams,
    "bosh": BoshParams,
    "websocket": WebsocketParams,
    "heartbeat": HeartbeatParams,
}
"""Every kind that vcmon knows, each also a check name of its own with these defaults."""

PLATFORMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "jitsi-bosh": ("bosh", {"port": 443, "tls": True}),
    "jitsi-websocket": (
        "websocket",
        {"port": 443, "tls": True, "path": "/xmpp-websocket", "subprotocol": "xmpp"},
    ),
    "jvb": ("health", {"port": 8080, "path": "/about/health"}),
    "jicofo": ("health", {"port": 8888, "path": "/about/health"}),
    "bigbluebutton": (
        "health",
        {
            "port": 443,
            "tls": True,
            "path": "/bigbluebutton/api",
            "element": "returncode",
            "equals": "SUCCESS",
        },
    ),
    "janus": (
        "health",
        # false while it drains: who is in a conference stays there
        {
            "port": 8088,
            "path": "/janus/info",
            "field": "accepting-new-sessions",
            "otherwise": "degraded",
        },
    ),
}
"""Profiles that are there without being defined: (kind, its parameters) by name."""

KIND_TIMES: dict[str, tuple[float, float]] = {
    "turn": (30.0, 4.0),  # costs the server a port; over a satellite three round trips take 2.1 s
    "mtu": (600.0, 10.0),  # explains what seldom changes
    "stamp": (10.0, 4.0),  # a second of packets, then time for what closes the stream
    "heartbeat": (60.0, 2.0),
}
"""(interval, timeout) in seconds of kinds that the defaults of all others would not fit."""

SUPPORTING_KINDS = frozenset({"icmp", "mtu", "stamp"})
"""Kinds that explain and measure where a deciding check stands beside them."""

EXPLAINING_KINDS = frozenset({"mtu"})
"""Those of them that never decide unless their profile says so: they look too seldom."""

DECIDE_BEFORE = {"stamp": frozenset({"icmp"})}
"""Supporting kinds that go before another: a reflector that was stopped is no outage of a host that
answers ping."""
