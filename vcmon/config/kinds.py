"""Every probe kind that vcmon knows: one line each, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vcmon.config.asks import ProbeParams
from vcmon.config.params import (
    DnsParams,
    HeartbeatParams,
    IcmpParams,
    MtuParams,
    StampParams,
    TcpParams,
    TlsParams,
)
from vcmon.config.params_talk import (
    CALL_RISK,
    CallParams,
    H323Params,
    SipParams,
    SipsParams,
    SipTcpParams,
    StunParams,
    TurnParams,
)
from vcmon.config.params_web import (
    BoshParams,
    HealthParams,
    HttpParams,
    HttpsParams,
    WebsocketParams,
)

NEVER = 9
"""The rank of what decides only where its profile says so."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind's parameters, and what is particular to it."""

    params: type[ProbeParams]
    interval: float | None = None  # seconds, where the defaults of all others would not fit
    timeout: float | None = None
    rank: int = 0  # a check decides where none of a lower rank stands beside it
    opt_in: str = ""  # why it can't be used without a profile


KINDS: Mapping[str, Kind] = {
    "icmp": Kind(IcmpParams, rank=1),
    "tcp": Kind(TcpParams),
    "tls": Kind(TlsParams),
    "http": Kind(HttpParams),
    "https": Kind(HttpsParams),
    "dns": Kind(DnsParams),
    "sip": Kind(SipParams),
    "sip-tcp": Kind(SipTcpParams),
    "sips": Kind(SipsParams),
    "h323": Kind(H323Params),
    "stun": Kind(StunParams),
    # costs the server a port; over a satellite three round trips take 2.1 s
    "turn": Kind(TurnParams, 30.0, 4.0),
    "health": Kind(HealthParams),
    "bosh": Kind(BoshParams),
    "websocket": Kind(WebsocketParams),
    # a second of packets, then time for what closes the stream; a reflector that was stopped is no
    # outage of a host that answers ping
    "stamp": Kind(StampParams, 10.0, 4.0, rank=2),
    "mtu": Kind(MtuParams, 600.0, 10.0, rank=NEVER),  # explains what seldom changes
    "call": Kind(CallParams, 3600.0, 20.0, rank=NEVER, opt_in=CALL_RISK),
    "heartbeat": Kind(HeartbeatParams, 60.0, 2.0),
}
"""Each is a check name of its own, with its defaults."""

PARAMS: Mapping[str, type[ProbeParams]] = {name: kind.params for name, kind in KINDS.items()}
