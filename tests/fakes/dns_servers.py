"""Name servers on loopback: dnsmasq, python ones that misbehave, and a house with its own resolver.

``python -m tests.fakes.dns_servers NAME...`` is that house from within: it serves the zone below on
127.0.0.1:53 and resolves the names through the system's own getaddrinfo. :func:`house` runs it in a
network and mount namespace of its own, where /etc/resolv.conf names that server alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.fakes.needs import needs
from tests.fakes.sip_peers import HOST, Address, Answer, UdpPeer, free_ports, running
from vcmon.clock import SystemClock
from vcmon.errors import ProbeError
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.resolver import Resolver

ROOT = Path(__file__).parents[2]
DEADLINE = 2.0  # seconds: the default timeout of a check


@contextlib.contextmanager
def dnsmasq(folder: Path) -> Iterator[int]:
    """dnsmasq with the zone vc.test: codec (A, AAAA), alias (CNAME), big (TXT over 512 bytes)."""
    port = free_ports().plain
    argv = [needs("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", "--no-resolv", "--no-hosts"]
    argv += [f"--port={port}", f"--listen-address={HOST}", "--bind-interfaces", "--user=root"]
    argv += ["--conf-file=/dev/null", f"--pid-file={folder / 'dnsmasq.pid'}", "--local=/vc.test/"]
    argv += ["--host-record=codec.vc.test,192.0.2.10,2001:db8::10"]
    argv += ["--cname=alias.vc.test,codec.vc.test", "--mx-host=vc.test,mail.vc.test,10"]
    argv += [f"--txt-record=big.vc.test,{text * 80}" for text in "abcdefghijkl"]
    with running(argv, folder, lambda: _asked(port)):
        yield port


def _asked(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.connect((HOST, port))
        try:
            sock.send(dns.message.make_query("codec.vc.test", "A").to_wire())
            return bool(sock.recv(4096))
        except OSError:
            return False


def answering(change: Callable[[dns.message.Message], object] = lambda _: None) -> Answer:
    """A server that answers every question NOERROR with 192.0.2.10, then ``change``d."""

    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(reply_to(data, change), sender)

    return answer


def reply_to(
    question: bytes, change: Callable[[dns.message.Message], object] = lambda _: None
) -> bytes:
    """The answer to ``question``: 192.0.2.10, then ``change``d."""
    query = dns.message.from_wire(question)
    reply = dns.message.make_response(query)
    name = query.question[0].name
    reply.answer = [dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.10")]
    change(reply)
    return reply.to_wire()


def house(folder: Path, *names: str, options: str = "timeout:1 attempts:1") -> dict[str, Any]:
    """What vcmon makes of ``names`` with the system's resolver and the zone below.

    A name with ``*100`` behind it is resolved as a hundred names at once.
    """
    conf = folder / "resolv.conf"
    conf.write_text(f"nameserver 127.0.0.1\noptions {options}\n")
    script = (
        f"ip link set lo up && mount --bind {conf} /etc/resolv.conf && "
        f"exec {sys.executable} -m tests.fakes.dns_servers {' '.join(names)}"
    )
    ended = subprocess.run(
        [needs("unshare", "util-linux"), "-n", "-m", "sh", "-ec", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ended.returncode == 0, f"the house (root is needed) failed: {ended.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def _zone(question: bytes) -> tuple[float, bytes | None]:
    """Seconds to wait, and the answer; None is silence."""
    query = dns.message.from_wire(question)
    asked = query.question[0]
    first = str(asked.name).split(".")[0].rstrip("0123456789")
    reply = dns.message.make_response(query)
    is_a = asked.rdtype == 1
    reply.flags |= dns.flags.RA  # glibc takes an empty answer without it for a lame server
    if first == "servfail":
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif first == "refused":
        reply.set_rcode(dns.rcode.REFUSED)
    elif first in {"empty", "loop"}:
        if first == "loop":
            other = f"{asked.name}"
            reply.answer = [dns.rrset.from_text(asked.name, 60, "IN", "CNAME", other)]
    elif first == "two" and is_a:
        reply.answer = [dns.rrset.from_text(asked.name, 60, "IN", "A", "127.0.0.2", "127.0.0.3")]
    elif first in {"codec", "slow", "zero", "changing"}:
        if is_a:
            host = f"127.0.0.{_changed(first)}"
            reply.answer = [dns.rrset.from_text(asked.name, 0, "IN", "A", host)]
    elif first == "garbage":
        return 0.0, secrets.token_bytes(60)
    elif first == "silent":
        return 0.0, None
    else:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return (10.0 if first == "slow" else 0.0), reply.to_wire()


_asked_before: list[str] = []


def _changed(first: str) -> int:
    """The last octet: ``changing`` moves from .1 to .9 after its first answer."""
    _asked_before.append(first)
    return 9 if first == "changing" and _asked_before.count("changing") > 1 else 1


def _serve(sock: socket.socket) -> None:
    while True:
        data, sender = sock.recvfrom(4096)
        with contextlib.suppress(dns.exception.DNSException, IndexError):
            wait, answer = _zone(data)
            if answer is None:
                continue
            if wait:
                timer = threading.Timer(wait, sock.sendto, (answer, sender))
                timer.daemon = True
                timer.start()
            else:
                sock.sendto(answer, sender)


async def _resolved(resolver: Resolver, host: str) -> dict[str, Any]:
    clock = SystemClock()
    deadline = Deadline(clock, LoopLag(clock), DEADLINE)
    try:
        told: dict[str, Any] = {"addresses": await resolver.resolve(host, deadline)}
    except ProbeError as error:
        told = {"reason": error.reason, "blame": error.blame, "text": error.text}
    return {**told, "seconds": deadline.elapsed()}


async def _literals(resolver: Resolver) -> list[float]:
    """How long 500 literals took, resolved one by one over about a second, in seconds."""
    took = []
    for _ in range(500):
        begun = time.perf_counter()
        await _resolved(resolver, "192.0.2.1")
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.002)
    return took


async def _main(names: list[str]) -> None:
    resolver = Resolver(SystemClock())
    told: dict[str, Any] = {}
    for name in names:
        host, _, times = name.partition("*")
        if times:
            hosts = [host.replace(".", f"{run}.", 1) for run in range(int(times))]
            many = asyncio.gather(*(_resolved(resolver, one) for one in hosts))
            told["literals"] = await _literals(resolver)
            told[name] = await many
            continue
        first = await _resolved(resolver, host)
        told[name] = first
        if addresses := first.get("addresses"):  # what the next run gets after this one failed
            resolver.demote(host, addresses[0])
            await asyncio.sleep(1.05)
            told[f"{name} again"] = await _resolved(resolver, host)
    resolver.close()
    print(json.dumps(told))


if __name__ == "__main__":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 53))
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        asyncio.run(_main(sys.argv[1:]))
