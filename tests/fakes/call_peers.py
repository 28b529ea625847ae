"""Peers that take test calls: baresip's echo, SIPp's mirror and refusals; and who asks them."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.needs import needs, needs_file
from tests.fakes.sip_peers import HOST, free_ports, running

BARESIP = """poll_method epoll
sip_listen {host}:{port}
sip_certificate {certificate}
call_local_timeout 120
call_max_calls 300
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_tos 184
rtp_ports {media}-{media_end}
rtp_stats yes
rtcp_mux no
jitter_buffer_delay 1-2
net_interface {host}
ctrl_tcp_listen {host}:{control}
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module uuid.so
module_tmp account.so
module_app echo.so
module_app menu.so
module_app ctrl_tcp.so
module_app rtcpsummary.so
"""

MEDIA = 10_000
"""The first of baresip's media ports."""

STATUS = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="refuses">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
    SIP/2.0 180 Ringing
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[
    SIP/2.0 {status} {phrase}
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <recv request="ACK"/>
</scenario>
"""

RINGS = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="rings until it is cancelled">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
    SIP/2.0 180 Ringing
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <recv request="CANCEL"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[
    SIP/2.0 487 Request Terminated
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    CSeq: 1 INVITE
    Content-Length: 0

  ]]></send>
  <recv request="ACK"/>
</scenario>
"""


@dataclass(frozen=True)
class EchoRoom:
    """A running baresip that takes every call and sends its audio back."""

    host: str
    port: int
    control: int
    log: Path

    def calls(self) -> int:
        """How many calls are up, as it says itself."""
        question = json.dumps({"command": "listcalls"})
        with socket.create_connection((self.host, self.control), 5) as asked:
            asked.sendall(f"{len(question)}:{question},".encode())
            answer = b""
            while b'"response":true' not in answer or not answer.endswith(b","):
                piece = asked.recv(65_536)
                assert piece, f"baresip said {answer!r}"
                answer += piece
        return int(answer.decode().split("Active calls (", 1)[1].split(")", 1)[0])


def echo_room_command(
    folder: Path, host: str = HOST, certificate: Path | str = ""
) -> tuple[list[str], EchoRoom]:
    """How to start a baresip in ``folder`` that listens at ``host``, and where it then is."""
    binary = needs("baresip", "baresip-core")
    needs_file("/usr/lib/baresip/modules/ctrl_tcp.so", "baresip-core")
    port, control = free_ports().plain, free_ports().plain  # TLS lies one above the port
    home = folder / "baresip"
    home.mkdir()
    config = BARESIP.format(
        host=host,
        port=port,
        control=control,
        media=MEDIA,
        media_end=MEDIA + 2000,
        certificate=certificate,
    )
    (home / "config").write_text(config)
    (home / "accounts").write_text(f"<sip:echo@{host}>;regint=0\n")
    (home / "contacts").write_text("")
    room = EchoRoom(host, port, control, folder / "baresip.log")
    return [binary, "-4", "-f", str(home)], room


def answers(host: str, port: int) -> bool:
    """Whether a TCP port takes a connection."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), 0.3):
        return True
    return False


@contextlib.contextmanager
def echo_room(folder: Path, certificate: Path | str = "") -> Iterator[EchoRoom]:
    """baresip on loopback until the end of the block; TLS one port above the other."""
    command, room = echo_room_command(folder, certificate=certificate)
    with running(command, folder, lambda: answers(HOST, room.control)):
        yield room


@contextlib.contextmanager
def sipp_calls(folder: Path, *arguments: str, transport: str = "udp") -> Iterator[int]:
    """SIPp as a callee, with these arguments; yields its port."""
    binary = needs("sipp", "sip-tester")
    port, media = free_ports().plain, free_ports().plain
    media += media % 2
    argv = [binary, *arguments, "-i", HOST, "-p", str(port), "-mi", HOST, "-mp", str(media)]
    argv += ["-nostdin", "-t", "t1" if transport == "tcp" else "u1", "-timeout", "120"]
    ready = (lambda: answers(HOST, port)) if transport == "tcp" else (lambda: _is_bound(port))
    with running(argv, folder, ready):
        yield port


@contextlib.contextmanager
def sipp_scenario(folder: Path, scenario: str) -> Iterator[tuple[int, Callable[[], bool]]]:
    """SIPp that plays ``scenario`` to one caller; its port, and whether all went as written."""
    path = folder / "scenario.xml"
    path.write_text(scenario)
    done = folder / "done.csv"
    stat = ("-m", "1", "-trace_stat", "-stf", str(done), "-fd", "1")

    def went_well() -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            rows = done.read_text().splitlines() if done.exists() else []
            names = rows[0].split(";") if rows else []
            if len(rows) > 1 and rows[-1].split(";")[names.index("SuccessfulCall(C)")] == "1":
                return True
            time.sleep(0.05)
        return False

    with sipp_calls(folder, "-sf", str(path), *stat) as port:
        yield port, went_well


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((HOST, port))
        except OSError:
            return True
    return False
