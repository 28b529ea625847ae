"""The parameters of the kinds that speak a conference's own protocols: SIP, H.323, STUN, TURN."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from vcmon.config.asks import Asks, ProbeParams, over_tcp, over_udp
from vcmon.config.fields import Duration, Port, Zone, check_clock, duration
from vcmon.config.params import TlsFields
from vcmon.config.secrets import Secret, SecretFile
from vcmon.config.text import shown
from vcmon.model.opening import Opening


class SipParams(TlsFields):
    """SIP OPTIONS (RFC 3261 section 11)."""

    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: str = ""  # user part of the request URI; empty: the host itself is asked
    domain: str = ""  # host part of the request URI; empty: address and port
    t1: Duration = 0.5  # first retransmission over UDP, doubling
    behind_proxy: bool = False  # the address is a proxy's: 404, 408, 480, 504 mean the user is gone

    def asks(self, timeout: float, /) -> Asks:
        if self.transport == "udp":
            return over_udp(self.t1, timeout)
        return over_tcp(timeout, 3 if self.transport == "tls" else 2)


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

    def asks(self, timeout: float, /) -> Asks:
        if self.transport == "udp":
            return over_udp(self.rto, timeout)
        return over_tcp(timeout, 3 if self.transport == "tls" else 2)


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

    def asks(self, timeout: float, /) -> Asks:
        if self.transport == "udp":
            return over_udp(self.rto, timeout, 2)
        return over_tcp(timeout, 4 if self.transport == "tls" else 3)


SETUP_INTERVAL = 60.0
"""Seconds at least between calls that a check places: each may ring, and takes a line."""

H323Name = Annotated[str, Field(max_length=128, pattern=r"^[\x20-\x7e]*$")]
"""An alias or a gatekeeper's id; in the field they are letters and digits."""


class H323Params(ProbeParams):
    """H.323: what answers on the signalling port, or, with ``ras``, to a gatekeeper's protocol."""

    port: Port = 1720  # call signalling, TCP
    setup: bool = False  # place a call and release it: some codecs ring
    ras: Literal["", "grq", "lrq", "irq"] = ""  # ask this over UDP in place of the signalling
    ras_port: Port = 1719
    alias: H323Name = ""  # looked up by lrq, called by setup, and who we say we are in grq
    gatekeeper_id: H323Name = ""  # grq: which gatekeeper is meant; empty: any
    denied_means_gone: bool = False  # LRJ requestDenied means "not registered", as GnuGk has it

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.ras == "lrq" and not self.alias:
            raise ValueError("ras: lrq looks an alias up, and none is given: set alias")
        if self.ras and self.setup:
            raise ValueError("setup calls over the signalling port, ras asks elsewhere: keep one")
        return self

    def asks(self, timeout: float, /) -> Asks:
        if self.ras:
            return over_udp(0.5, timeout)
        # a port that takes connections and says nothing is not silence; a call is to be answered
        return over_tcp(timeout, 2 if self.setup else 1)

    def unfit(self, interval: float, _timeout: float, /) -> Iterator[tuple[str, str]]:
        if self.setup and interval < SETUP_INTERVAL:
            what = f"a call every {duration(interval)} would keep the endpoint busy: "
            yield "setup", what + "set an interval of 1m or more"

    @property
    def gentle(self) -> float:
        return 30.0 if self.setup else 0.0  # some codecs ring


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


RING_MIN = 4.0
"""Seconds that a call must have to be answered: over UDP that is four INVITE."""

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

    def unfit(self, interval: float, timeout: float, /) -> Iterator[tuple[str, str]]:
        longest = self.opening.longest_span
        if longest < interval:
            what = f"with an interval of {duration(interval)} these hours may never see a "
            what += f"call: have one of them last so long, or take {duration(longest)}"
            yield "hours", what
        if timeout - self.talk < RING_MIN + HANG_UP:
            what = f"a talk of {duration(self.talk)} needs {duration(RING_MIN + HANG_UP)} more to "
            yield (
                "talk",
                what + f"be answered and ended: not within a timeout of {duration(timeout)}",
            )

    def ring(self, timeout: float) -> float:
        """Seconds within which the call must be answered, of a run of so many."""
        return timeout - self.talk - HANG_UP

    def asks(self, timeout: float, /) -> Asks:
        ring = self.ring(timeout)  # the INVITE is all of it that silence can answer
        return over_udp(self.t1, ring) if self.transport == "udp" else over_tcp(ring)

    @property
    def gentle(self) -> float:
        return 300.0

    @property
    def degrades(self) -> bool:
        return True  # signalling is well, a conference would not be


def _span(hours: str) -> tuple[int, int]:
    start, stop = (each.split(":") for each in hours.split("-"))
    return int(start[0]) * 60 + int(start[1]), int(stop[0]) * 60 + int(stop[1])
