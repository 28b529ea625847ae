"""TURN servers on loopback: coturn as an office sets it up, and as nobody should.

Every server is stopped by its own process id. What it relays is counted by the kernel: each
allocation is one UDP socket of the server within its range of relay ports.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.fakes.needs import needs
from tests.fakes.sip_peers import HOST, START_TIMEOUT, free_ports

USER, PASSWORD = "vcmon", "s3cret-CANARY-long-term"
SECRET = "s3cret-CANARY-shared"
REALM = "vc.example.id"

COTURN = """listening-ip={host}
relay-ip={relay}
listening-port={plain}
tls-listening-port={tls}
min-port={low}
max-port={high}
realm={realm}
fingerprint
no-cli
no-dtls
no-multicast-peers
no-rfc5780
relay-threads=1
log-file=stdout
simple-log
pidfile={folder}/turnserver.pid
userdb={folder}/turndb
"""

LONG_TERM = f"lt-cred-mech\nuser={USER}:{PASSWORD}\n"
REST = f"use-auth-secret\nstatic-auth-secret={SECRET}\n"
OPEN = "no-auth\n"

RANGE = 1_000
"""Relay ports of one server."""

SETTLING = 3.0
"""Seconds within which coturn must have closed what was given back; its lifetime is 600."""


@dataclass(frozen=True)
class Coturn:
    """One running server."""

    host: str
    plain: int  # UDP and TCP
    tls: int
    relays: range
    process: psutil.Process
    log: Path

    def allocations(self) -> int:
        """Relay sockets that it holds now, as the kernel has it."""
        held = self.process.net_connections(kind="udp")
        return sum(each.laddr.port in self.relays for each in held)

    def allocations_left(self) -> int:
        """The same once it had time to close them; 0 as soon as there are none."""
        until = time.monotonic() + SETTLING
        while (left := self.allocations()) and time.monotonic() < until:
            time.sleep(0.02)
        return left

    def said(self, words: str) -> int:
        """How many lines of its log hold these words."""
        return sum(words in line for line in self.log.read_text(errors="replace").splitlines())


@contextlib.contextmanager
def coturn(
    folder: Path, settings: str = LONG_TERM, *, certificate: Path | None = None, host: str = HOST,
    ports: int = RANGE,
) -> Iterator[Coturn]:  # fmt: skip
    """A server with these lines of settings, until the end of the block."""
    binary = needs("turnserver", "coturn")
    free, low = free_ports(), 40_000 + secrets.randbelow(20_000)
    relays = range(low, low + ports)
    folder.mkdir(exist_ok=True)
    config, log = folder / "turnserver.conf", folder / "turnserver.log"
    text = COTURN.format(
        host=host, relay=HOST, plain=free.plain, tls=free.tls, low=low, high=relays[-1],
        realm=REALM, folder=folder,
    )  # fmt: skip
    text += f"cert={certificate}\npkey={certificate}\n" if certificate else "no-tls\n"
    config.write_text(text + settings)
    with log.open("wb") as out:
        running = subprocess.Popen([binary, "-c", str(config)], stdout=out, stderr=out, cwd=folder)
    try:
        _await_answer(running, (host, free.plain), log)
        yield Coturn(host, free.plain, free.tls, relays, psutil.Process(running.pid), log)
    finally:
        running.kill()
        running.wait()


def _await_answer(running: subprocess.Popen[bytes], address: tuple[str, int], log: Path) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until and running.poll() is None:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            sock.connect(address)
            sock.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + secrets.token_bytes(12))
            if sock.recv(2_000):
                return
        time.sleep(0.02)
    raise AssertionError(f"coturn did not start: {log.read_text(errors='replace')[-2000:]}")
