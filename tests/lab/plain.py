"""The lab looked at by plain sockets and ping: what is true, without any of vcmon's code."""

from __future__ import annotations

import errno
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.lab.inside import tool

SECONDS = 0.4  # all is on one machine: an answer takes a millisecond, more on a busy one
OPTIONS = (
    "OPTIONS sip:{address}:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/{via} 10.77.250.2:{port};branch=z9hG4bKlab;rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:lab@10.77.250.2>;tag=lab\r\nTo: <sip:{address}>\r\n"
    "Call-ID: lab{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
ERRNOS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.ENETUNREACH: "net_unreachable",
    errno.ETIMEDOUT: "timeout",
}


def look(kind: str, address: str, ca_file: Path) -> str:
    """``ok``, or why the check of this kind fails, in the words of vcmon's reasons."""
    looks: dict[str, Callable[[], str]] = {
        "icmp": lambda: ping(address),
        "tcp": lambda: _tcp(address),
        "sip": lambda: _sip_udp(address),
        "sip-tcp": lambda: _sip_stream(address, 5060, None),
        "sips": lambda: _sip_stream(address, 5061, ca_file),
        "https": lambda: _https(address, ca_file),
    }
    try:
        return looks[kind]()
    except ssl.SSLCertVerificationError as exc:
        return "tls_certificate_expired" if exc.verify_code == 10 else "tls_certificate"
    except ssl.SSLError:
        return "tls_handshake"
    except TimeoutError:
        return "timeout"
    except OSError as exc:
        return ERRNOS.get(exc.errno or 0, str(exc))


def ping(address: str) -> str:
    """One echo request by iputils."""
    binary = tool("ping", "iputils-ping")
    done = subprocess.run(
        [binary, "-n", "-c", "1", "-W", str(SECONDS), address],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if done.returncode == 0:
        return "ok"
    text = done.stdout + done.stderr
    words = {
        "Port Unreachable": "refused",
        "Packet filtered": "filtered",
        "Host Unreachable": "host_unreachable",
        "Net Unreachable": "net_unreachable",
    }
    return next((reason for word, reason in words.items() if word in text), "timeout")


def _tcp(address: str) -> str:
    with socket.create_connection((address, 5060), timeout=SECONDS):
        return "ok"


def _sip_udp(address: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SECONDS)
        sock.connect((address, 5060))
        port = sock.getsockname()[1]
        sock.send(OPTIONS.format(address=address, via="UDP", port=port).encode())
        return _sip_answer(sock.recv(4096))


def _sip_stream(address: str, port: int, ca_file: Path | None) -> str:
    with socket.create_connection((address, port), timeout=SECONDS) as sock:
        stream = sock if ca_file is None else _tls(sock, address, ca_file)
        via = "TCP" if ca_file is None else "TLS"
        stream.sendall(OPTIONS.format(address=address, via=via, port=port).encode())
        answer = _sip_answer(stream.recv(4096))
        stream.close()
        return answer


def _sip_answer(answer: bytes) -> str:
    if not answer.startswith(b"SIP/2.0 "):
        return "protocol"
    return "ok" if answer.startswith(b"SIP/2.0 200") else "status"


def _https(address: str, ca_file: Path) -> str:
    with (
        socket.create_connection((address, 443), timeout=SECONDS) as sock,
        _tls(sock, address, ca_file) as stream,
    ):
        stream.sendall(f"GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return "ok" if stream.recv(4096).startswith(b"HTTP/1.1 200") else "status"


def _tls(sock: socket.socket, address: str, ca_file: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ca_file))
    return context.wrap_socket(sock, server_hostname=address)
