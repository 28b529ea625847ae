"""The parameters of the kinds that ask the network itself, with defaults and bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from vcmon.config.asks import Asks, ProbeParams, over_tcp, over_udp, unfit_pace
from vcmon.config.fields import Duration, Port


class IcmpParams(ProbeParams):
    """A burst of echo requests: one lost packet is loss, not an outage."""

    packets: Annotated[int, Field(ge=1, le=100)] = 5
    spacing: Duration = 0.02
    size: Annotated[int, Field(ge=16, le=1472)] = 56  # payload bytes; 16 hold our nonce
    dscp: Annotated[int, Field(ge=0, le=63)] = 0

    def asks(self, _timeout: float, /) -> Asks:
        return Asks(self.packets)

    def unfit(self, _interval: float, timeout: float, /) -> Iterator[tuple[str, str]]:
        return unfit_pace(self.packets, self.spacing, timeout)


class MtuParams(ProbeParams):
    """Echo requests that may not be fragmented, of several sizes: bytes of UDP payload."""

    sizes: Annotated[
        tuple[Annotated[int, Field(ge=200, le=8972)], ...], Field(min_length=1, max_length=8)
    ] = (1200, 1300, 1400, 1472)

    def asks(self, _timeout: float, /) -> Asks:
        return Asks(10)  # five rounds of two small ones


class StampParams(ProbeParams):
    """A stream of STAMP test packets (RFC 8762) to a reflector such as ``vcmon reflect``."""

    port: Port = 862
    packets: Annotated[int, Field(ge=1, le=500)] = 50
    spacing: Duration = 0.02
    size: Annotated[int, Field(ge=44, le=1472)] = 172  # payload bytes: as G.711 every 20 ms
    dscp: Annotated[int, Field(ge=0, le=63)] = 46  # EF, as voice

    def asks(self, _timeout: float, /) -> Asks:
        return Asks(self.packets)

    def unfit(self, _interval: float, timeout: float, /) -> Iterator[tuple[str, str]]:
        return unfit_pace(self.packets, self.spacing, timeout)


class TcpParams(ProbeParams):
    """A TCP connect, watched for a round trip, then closed."""

    port: Port

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout)


class TlsFields(ProbeParams):
    """How a TLS peer is verified."""

    server_name: str = ""  # SNI and the name to verify; empty: the endpoint's address
    ca_file: str = ""  # PEM; empty: the system's trust store
    verify: bool = True
    expiry_warning: Duration = 14 * 86400.0  # less than this left: impaired


class TlsParams(TlsFields):
    """A TLS handshake with chain, host name and expiry verified."""

    port: Port = 443

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout, 2)


class DnsParams(ProbeParams):
    """One DNS question to the endpoint, a name server."""

    port: Port = 53
    name: str = "."
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "NS"
    expect: tuple[str, ...] = ()  # each must be among the answers; empty: any answer

    def asks(self, timeout: float, /) -> Asks:
        return over_udp(0.5, timeout)


class HeartbeatParams(ProbeParams):
    """The endpoint reports in by itself, once an interval."""

    grace: Duration = 45.0  # as long as `vcmon heartbeat` tries again

    def asks(self, _timeout: float, /) -> Asks:
        """Nothing: its sender has tried again all through the grace, seven times in 45 s. That loss
        eats them all is less likely than any bound here.
        """
        return Asks(0)
