"""The real servers of a lab province: kamailio for SIP, nginx for HTTPS."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Literal

import trustme

from tests.lab.inside import LabError, inside, tool

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
START_SECONDS = 10.0  # kamailio needs 0.3 s alone, some seconds while 38 of them start

KAMAILIO = Template("""#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children=1
tcp_connection_lifetime=20
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
listen=udp:$address:5060
listen=tcp:$address:5060
listen=tls:$address:5061
mpath="$modules"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "private_key", "$key")
modparam("tls", "certificate", "$certificate")
modparam("tls", "tls_method", "TLSv1.2+")
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("$status", "Lab"); exit; }
  sl_send_reply("405", "Method Not Allowed");
}
""")

NGINX = Template("""pid $directory/nginx.pid;
error_log $directory/error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  server_tokens off;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  server {
    listen $address:$port$tls;
    ssl_certificate $certificate;
    ssl_certificate_key $key;
    location / { default_type text/plain; return $status "lab"; }
  }
}
""")


@dataclass(slots=True)
class Server:
    """One server process in a namespace; ``sockets`` are its (protocol, port) once it serves."""

    namespace: str
    address: str
    argv: tuple[str, ...]
    log: Path
    sockets: tuple[tuple[str, int], ...]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def launch(self) -> None:
        """Start without waiting: many can be launched, then awaited together."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                inside(self.namespace, *self.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # its children are signalled with it
            )

    def wait(self) -> None:
        """Return once all its sockets are open. Raises LabError with the end of its log."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            if all(self._listens(*wanted) for wanted in self.sockets):
                return
            time.sleep(0.02)
        self.stop()
        raise LabError(f"{self.argv[0]} did not start:\n{self.log.read_text()[-2000:]}")

    def start(self) -> None:
        """Start, and return once it serves."""
        self.launch()
        self.wait()

    def stop(self) -> None:
        """Kill it with its children, as a power cut would."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait(timeout=5)
            self._process = None

    def pause(self) -> None:
        """Stop it where it stands: the kernel goes on accepting, nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _listens(self, protocol: str, port: int) -> bool:
        """Whether the namespace of the process has such a socket (its own /proc view)."""
        assert self._process is not None
        listening = "0A" if protocol == "tcp" else "07"  # TCP_LISTEN; UDP is always TCP_CLOSE
        wanted = f"{socket.inet_aton(self.address)[::-1].hex().upper()}:{port:04X}"
        try:
            table = Path(f"/proc/{self._process.pid}/net/{protocol}").read_text()
        except OSError:
            return False
        rows = (line.split() for line in table.splitlines()[1:])
        return any(row[1] == wanted and row[3] == listening for row in rows)


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of one certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """The lab's own certificate authority."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ca = trustme.CA()
        self.ca_file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def issue(self, address: str, days: float = 90.0) -> Pair:
        """A certificate for ``address`` that ends in ``days`` (negative: has ended)."""
        end = datetime.now(UTC) + timedelta(days=days)
        made = self._ca.issue_cert(address, not_before=end - timedelta(days=120), not_after=end)
        state = "expired" if days < 0 else "valid"
        pair = Pair(
            self._directory / f"{address}-{state}.pem", self._directory / f"{address}-{state}.key"
        )
        for number, blob in enumerate(made.cert_chain_pems):
            blob.write_to_path(str(pair.certificate), append=number > 0)
        made.private_key_pem.write_to_path(str(pair.key))
        return pair


def kamailio(
    namespace: str, address: str, directory: Path, pair: Pair, status: int = 200
) -> Server:
    """A SIP server (UDP and TCP 5060, TLS 5061) that answers OPTIONS with ``status``."""
    home = directory / f"kamailio-{address}"
    home.mkdir(exist_ok=True)
    config = home / f"{status}.cfg"
    config.write_text(
        KAMAILIO.substitute(
            address=address,
            modules=MODULES,
            key=pair.key,
            certificate=pair.certificate,
            status=status,
        )
    )
    binary = tool("kamailio", "kamailio kamailio-tls-modules")
    # -m, -M: megabytes of shared and private memory; the default of 8 times 38 is wasted. With 8 of
    # shared memory, connections whose end got lost filled it, and it refused every handshake.
    argv = (binary, "-f", str(config), "-DD", "-E", "-m", "64", "-M", "2", "-Y", str(home))
    return Server(
        namespace, address, argv, home / "log", (("udp", 5060), ("tcp", 5060), ("tcp", 5061))
    )


@dataclass(frozen=True, slots=True)
class Site:
    """How an nginx serves: where, with which certificate and status; ``tls`` off is plain HTTP."""

    address: str
    pair: Pair
    port: int = 443
    status: Literal[200, 503] = 200
    tls: bool = True


def nginx(namespace: str, directory: Path, site: Site) -> Server:
    """A web server of one process."""
    kind = f"{site.port}-{site.status}-{site.pair.certificate.stem}-{site.tls}"
    home = directory / f"nginx-{site.address}-{kind}"
    home.mkdir(exist_ok=True)
    config = home / "nginx.conf"
    config.write_text(
        NGINX.substitute(
            directory=home,
            address=site.address,
            port=site.port,
            tls=" ssl" if site.tls else "",
            certificate=site.pair.certificate,
            key=site.pair.key,
            status=site.status,
        )
    )
    binary = tool("nginx", "nginx-light")
    argv = (binary, "-p", str(home), "-c", str(config), "-g", "daemon off; master_process off;")
    return Server(namespace, site.address, argv, home / "log", (("tcp", site.port),))
