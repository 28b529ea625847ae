"""SIP peers on loopback: kamailio, SIPp and baresip; and python ones for what no real peer does.

Every program is started on free ports of 127.0.0.1 and stopped by its own process id.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.hostile import Behaviour
from tests.fakes.needs import needs, needs_file

HOST = "127.0.0.1"
START_TIMEOUT = 20.0  # seconds; both cores may be busy with other tests
Address = tuple[str, int]

KAMAILIO = """#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=4
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
listen=tls:127.0.0.1:{tls_port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
loadmodule "auth.so"
loadmodule "cfgutils.so"
loadmodule "tls.so"
modparam("tls","private_key","{certificate}")
modparam("tls","certificate","{certificate}")
modparam("tls","tls_method","TLSv1.2+")
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483","Too Many Hops"); exit; }}
  if (!sanity_check()) {{ exit; }}
  if (!is_method("OPTIONS")) {{ sl_send_reply("405","Method Not Allowed"); exit; }}
  switch ($rU) {{
    case "e401": www_challenge("vc.test","0"); exit;
    case "e407": proxy_challenge("vc.test","0"); exit;
    case "e405": append_to_reply("Allow: INVITE, ACK, BYE\\r\\n");
                 sl_send_reply("405","Method Not Allowed"); exit;
    case "e503": append_to_reply("Retry-After: 30\\r\\n");
                 sl_send_reply("503","Service Unavailable"); exit;
    case "e302": append_to_reply("Contact: <sip:other@127.0.0.1:9>\\r\\n");
                 sl_send_reply("302","Moved Temporarily"); exit;
    case "trying": sl_send_reply("100","Trying"); exit;
    case "drop": exit;
    case "slow": usleep("1200000"); sl_send_reply("200","Slow OK"); exit;
  }}
  if ($rU==$null) {{ sl_send_reply("200","Keepalive"); exit; }}
  switch ($rU) {{
{statuses}  }}
  sl_send_reply("404","Not here");
}}
"""

STATUS = """    case "e{status}": sl_send_reply("{status}","As asked"); exit;
"""
PLAIN_STATUSES = (403, 404, 408, *range(480, 490), 500, 501, 502, 504, 603)

SIPP_UAS = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="OPTIONS UAS">
  <recv request="OPTIONS" crlf="true"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port];transport=[transport]>
    Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
    Accept: application/sdp
    Content-Length: 0

  ]]></send>
</scenario>
"""

BARESIP = """poll_method epoll
sip_listen 127.0.0.1:{port}
sip_certificate {certificate}
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp account.so
"""


@dataclass(frozen=True)
class Ports:
    plain: int  # UDP and TCP
    tls: int


def free_ports() -> Ports:
    """A port free for UDP and TCP, with the next one free for TCP (baresip puts TLS there)."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(10_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for kind, number in (
                (socket.SOCK_DGRAM, port),
                (socket.SOCK_STREAM, port),
                (socket.SOCK_STREAM, port + 1),
            ):
                sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                sock.bind((HOST, number))
            return Ports(port, port + 1)
    raise AssertionError("found no free ports on 127.0.0.1 between 20000 and 30000")


@contextlib.contextmanager
def kamailio(folder: Path, certificate: Path) -> Iterator[Ports]:
    """A proxy that answers the status named by the user part: ``e486``, ``trying``, ``drop``..."""
    binary = needs("kamailio", "kamailio kamailio-tls-modules")
    needs_file("/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so", "kamailio kamailio-tls-modules")
    ports = free_ports()
    config = folder / "kamailio.cfg"
    config.write_text(
        KAMAILIO.format(
            port=ports.plain,
            tls_port=ports.tls,
            certificate=certificate,
            statuses="".join(STATUS.format(status=status) for status in PLAIN_STATUSES),
        )
    )
    run = folder / "run"
    run.mkdir()
    argv = [binary, "-f", str(config), "-DD", "-E", "-m", "32", "-M", "4"]
    argv += ["-P", str(folder / "kamailio.pid"), "-Y", str(run)]
    with running(argv, folder, lambda: _answers_options(ports.plain)):
        yield ports


@contextlib.contextmanager
def sipp(folder: Path, transport: str = "udp") -> Iterator[int]:
    """SIPp as a room system that answers OPTIONS; yields its port."""
    binary = needs("sipp", "sip-tester")
    scenario = folder / "options_uas.xml"
    scenario.write_text(SIPP_UAS)
    port = free_ports().plain
    argv = [binary, "-sf", str(scenario), "-i", HOST, "-p", str(port), "-nostdin"]
    argv += ["-t", "t1" if transport == "tcp" else "u1", "-timeout", "120"]
    ready = _accepts if transport == "tcp" else _answers_options
    with running(argv, folder, lambda: ready(port)):
        yield port


@contextlib.contextmanager
def baresip(folder: Path, certificate: Path) -> Iterator[Ports]:
    """baresip with the account ``echo``; TLS with ``certificate`` one port above."""
    binary = needs("baresip", "baresip-core")
    ports = free_ports()
    home = folder / "baresip"
    home.mkdir()
    (home / "config").write_text(BARESIP.format(port=ports.plain, certificate=certificate))
    (home / "accounts").write_text("<sip:echo@127.0.0.1>;regint=0\n")
    (home / "contacts").write_text("")
    with running(
        [binary, "-4", "-f", str(home)], folder, lambda: _answers_options(ports.plain, "echo")
    ):
        yield ports


@contextlib.contextmanager
def running(argv: list[str], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Run ``argv`` until the end of the block, which begins once ``ready`` says so."""
    log = folder / f"{Path(argv[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder
        )
    try:
        limit = time.monotonic() + START_TIMEOUT
        while not ready():
            said = log.read_text(errors="replace")[-2000:]
            assert process.poll() is None, f"{argv[0]} ended: {said}"
            assert time.monotonic() < limit, f"{argv[0]} does not answer: {said}"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _answers_options(port: int, user: str = "") -> bool:
    who = f"{user}@{HOST}" if user else HOST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        sock.settimeout(0.3)
        local = sock.getsockname()[1]
        lines = (
            f"OPTIONS sip:{who}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{local};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: <sip:ready@{HOST}>;tag={secrets.token_hex(4)}",
            f"To: <sip:{who}:{port}>",
            f"Call-ID: {secrets.token_hex(8)}",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
        )
        try:
            sock.send("\r\n".join((*lines, "", "")).encode())
            return bool(sock.recv(65_535))
        except OSError:
            return False


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 0.3):
        return True
    return False


def respond(request: bytes, start: str = "SIP/2.0 200 OK", **changed: str) -> bytes:
    """The response that belongs to ``request``; ``changed`` replaces whole header values.

    Names are written with underscores: ``call_id="other"``; an empty value leaves the header out.
    """
    headers: dict[str, str] = {}
    for line in request.decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        if name.lower() in {"via", "from", "to", "call-id", "cseq"}:
            headers[name] = value
    headers["Content-Length"] = "0"
    for key, value in changed.items():
        name = key.replace("_", "-").title().replace("Call-Id", "Call-ID").replace("Cseq", "CSeq")
        headers[name] = value
    lines = [start, *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def header(message: bytes, name: str) -> str:
    """The value of header ``name`` in ``message``."""
    for line in message.decode().split("\r\n"):
        if line.lower().startswith(name.lower() + ":"):
            return line.partition(":")[2].strip()
    raise AssertionError(f"no header {name}")


@dataclass
class UdpPeer:
    """A UDP peer in a thread; ``answer(peer, data, sender)`` does what the test wants."""

    sock: socket.socket
    stranger: socket.socket  # another port of the same host
    received: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def send(self, data: bytes, to: Address) -> None:
        self.sock.sendto(data, to)


Answer = Callable[[UdpPeer, bytes, Address], None]


@contextlib.contextmanager
def udp_peer(answer: Answer, host: str = HOST, port: int = 0) -> Iterator[UdpPeer]:
    """Serve ``answer`` on ``port`` (0: a free one) until the end of the block."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as sock,
        socket.socket(family, socket.SOCK_DGRAM) as stranger,
    ):
        sock.bind((host, port))
        stranger.bind((host, 0))
        sock.settimeout(0.02)
        peer = UdpPeer(sock, stranger)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    data, sender = sock.recvfrom(65_535)
                    peer.received.append((time.monotonic(), data))
                    answer(peer, data, sender)

        thread = threading.Thread(target=serve, name="udp peer")
        thread.start()
        try:
            yield peer
        finally:
            stop.set()
            thread.join(10)


def silent(peer: UdpPeer, data: bytes, sender: Address) -> None:
    """Takes everything, says nothing."""


def stream_answer(make: Callable[[bytes], bytes], pause: float = 0.0, piece: int = 0) -> Behaviour:
    """A TCP behaviour: reads a request, sends ``make(request)`` in pieces, keeps the connection."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = make(await reader.readuntil(b"\r\n\r\n"))
        size = piece or max(1, len(answer))
        for start in range(0, len(answer), size):
            writer.write(answer[start : start + size])
            await writer.drain()
            await asyncio.sleep(pause)
        await asyncio.sleep(3600)

    return behaviour
