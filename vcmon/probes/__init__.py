"""One file a kind; the table below is the whole registry."""

from vcmon.probes import bosh as bosh
from vcmon.probes import call as call
from vcmon.probes import dns as dns
from vcmon.probes import h323 as h323
from vcmon.probes import health as health
from vcmon.probes import heartbeat as heartbeat
from vcmon.probes import http as http
from vcmon.probes import icmp as icmp
from vcmon.probes import mtu as mtu
from vcmon.probes import sip as sip
from vcmon.probes import stamp as stamp
from vcmon.probes import stun as stun
from vcmon.probes import tcp as tcp
from vcmon.probes import tls as tls
from vcmon.probes import turn as turn
from vcmon.probes import websocket as websocket
from vcmon.probes.base import Begin, Probe, Tools

PROBES: dict[str, Probe] = {
    "icmp": icmp.probe,
    "tcp": tcp.probe,
    "tls": tls.probe,
    "http": http.probe,
    "https": http.probe,
    "dns": dns.probe,
    "sip": sip.probe,
    "sip-tcp": sip.probe,
    "sips": sip.probe,
    "stun": stun.probe,
    "turn": turn.probe,
    "mtu": mtu.probe,
    "stamp": stamp.probe,
    "h323": h323.probe,
    "health": health.probe,
    "bosh": bosh.probe,
    "websocket": websocket.probe,
    "heartbeat": heartbeat.probe,
    "call": call.probe,
}

BEGINS: dict[str, Begin] = {"icmp": icmp.begin}
"""Kinds so cheap that a task for each run would be most of their cost; PROBES has them too."""

__all__ = ["BEGINS", "PROBES", "Probe", "Tools"]
