"""Asks the demo country's hosts over plain blocking sockets, knowing nothing of vcmon's probes."""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from vcmon.lab.country import CANARIES, DNS_NAME, ROUTER, Host, Protocol, Service, country

PATIENCE = 0.9
"""Seconds: above every answer here, the satellite's and the slow ones' included."""


def ask(host: Host, service: Service, authority: str, patience: float = PATIENCE) -> str:
    """The first line that the host says, or ``refused``, ``silence``, ``no tls``, ``expired``."""
    try:
        return _ask(host, service, authority, patience)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silence"
    except ssl.SSLCertVerificationError as error:
        return "expired" if "expired" in error.verify_message else error.verify_message
    except ssl.SSLError:
        return "no tls"


def _ask(host: Host, service: Service, authority: str, patience: float) -> str:
    match service.protocol:
        case Protocol.SIP_UDP:
            return first_line(over_udp(host, service, options(host, "UDP"), patience))
        case Protocol.DNS:
            reply = over_udp(host, service, dns_query(), patience)
            return f"rcode {reply[3] & 15}, {reply[7]} answer"
        case Protocol.TCP:
            return "connected" if connects(host.address, service.port, patience) else "silence"
        case Protocol.SIP_TCP:
            with connected(host, service, patience) as peer:
                peer.sendall(options(host, "TCP"))
                return first_line(peer.recv(4096))
        case Protocol.SIP_TLS:
            with (
                connected(host, service, patience) as plain,
                over_tls(plain, host, authority) as peer,
            ):
                peer.sendall(options(host, "TLS"))
                return first_line(peer.recv(4096))
        case Protocol.HTTPS:
            with (
                connected(host, service, patience) as plain,
                over_tls(plain, host, authority) as peer,
            ):
                peer.sendall(f"GET /health HTTP/1.1\r\nHost: {host.address}\r\n\r\n".encode())
                return first_line(peer.recv(4096))


def over_udp(host: Host, service: Service, data: bytes, patience: float = PATIENCE) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.settimeout(patience)
        ours.connect((host.address, service.port))
        ours.send(data)
        return ours.recv(4096)


def connects(address: str, port: int, patience: float = PATIENCE) -> bool:
    """Whether the kernel shakes hands; refusal raises ConnectionRefusedError."""
    try:
        socket.create_connection((address, port), patience).close()
    except TimeoutError:
        return False
    return True


@contextmanager
def connected(host: Host, service: Service, patience: float = PATIENCE) -> Iterator[socket.socket]:
    with socket.create_connection((host.address, service.port), patience) as peer:
        yield peer


@contextmanager
def over_tls(plain: socket.socket, host: Host, authority: str) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cadata=authority)
    with context.wrap_socket(plain, server_hostname=host.address) as peer:
        yield peer


def options(host: Host, transport: str) -> bytes:
    """A complete OPTIONS request (RFC 3261 section 11.1)."""
    lines = (
        f"OPTIONS sip:{host.address} SIP/2.0",
        f"Via: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{secrets.token_hex(6)};rport",
        "Max-Forwards: 70",
        "From: <sip:test@127.0.0.1>;tag=1",
        f"To: <sip:{host.address}>",
        f"Call-ID: {secrets.token_hex(6)}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


def dns_query() -> bytes:
    """An A query for the one name that the Centre's name server knows (RFC 1035 section 4.1)."""
    labels = b"".join(bytes([len(w)]) + w.encode() for w in DNS_NAME.rstrip(".").split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0\0\1\0\1"


def first_line(data: bytes) -> str:
    return data.split(b"\r\n")[0].decode()


def canaries_answer() -> bool:
    return all(connects(address, ROUTER.port) for address in CANARIES)


def service_of(host_id: str) -> tuple[Host, Service]:
    """A host of the country and the first thing that it serves."""
    host = country()[host_id]
    return host, host.services[0]


GOOD = {
    Protocol.TCP: "connected",
    Protocol.SIP_UDP: "SIP/2.0 200 OK",
    Protocol.SIP_TCP: "SIP/2.0 200 OK",
    Protocol.SIP_TLS: "SIP/2.0 200 OK",
    Protocol.HTTPS: "HTTP/1.1 200 OK",
    Protocol.DNS: "rcode 0, 1 answer",
}
"""What :func:`ask` brings from a host without a fault."""
