"""Conference platforms on loopback: prosody and Janus; nginx with the answers of those that can't
be installed here (Jitsi's bridge and focus, BigBlueButton), as their documents give them.

Every program is started on free ports of 127.0.0.1 and stopped by its own process id.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.needs import needs, needs_file
from tests.fakes.process import free_port
from tests.fakes.sip_peers import running

DOMAIN = "meet.vc.test"

PROSODY = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{}}
s2s_direct_tls_ports = {{}}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ {https} }}
https_interfaces = {{ "127.0.0.1" }}
https_ssl = {{ key = "{certificate}", certificate = "{certificate}" }}
modules_enabled = {{ "saslauth", "disco", "bosh", "websocket", "http" }}
modules_disabled = {{ "s2s" }}
consider_bosh_secure = true
consider_websocket_secure = true
authentication = "anonymous"
http_default_host = "{domain}"
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{folder}/prosody.log" }} }}
VirtualHost "{domain}"
"""

JANUS = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "/usr/lib/x86_64-linux-gnu/janus/plugins"
  transports_folder = "/usr/lib/x86_64-linux-gnu/janus/transports"
  events_folder = "/usr/lib/x86_64-linux-gnu/janus/events"
  loggers_folder = "/usr/lib/x86_64-linux-gnu/janus/loggers"
  debug_level = 4
  interface = "127.0.0.1"
  admin_secret = "of-the-test"
}}
nat: {{ ice_enforce_list = "lo", ice_ignore_list = "vmnet", full_trickle = true }}
media: {{ rtp_port_range = "30000-30100" }}
plugins: {{ disable = "libjanus_lua.so,libjanus_duktape.so,libjanus_sip.so,libjanus_nosip.so,\
libjanus_voicemail.so,libjanus_recordplay.so,libjanus_streaming.so,libjanus_audiobridge.so" }}
transports: {{ disable = "libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so,\
libjanus_pfunix.so" }}
"""

JANUS_HTTP = """general: {{
  json = "indented" base_path = "/janus" http = true port = {http} ip = "127.0.0.1" https = false
}}
admin: {{
  admin_base_path = "/admin" admin_http = true admin_port = {admin} admin_ip = "127.0.0.1"
  admin_https = false
}}
"""

JANUS_WEBSOCKETS = """general: {{
  json = "indented" ws = true ws_port = {websocket} ws_ip = "127.0.0.1" wss = false
}}
admin: {{ admin_ws = false }}
"""

NGINX = """
daemon off; pid nginx.pid; error_log stderr crit; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t;
  uwsgi_temp_path t; scgi_temp_path t;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    location = /about/health {{ default_type application/json; return 200; }}
    location = /sick/about/health {{ default_type application/json; return 500; }}
    location = /starting/about/health {{ return 503; }}
    location = /bigbluebutton/api {{
      default_type text/xml;
      return 200 '<response><returncode>SUCCESS</returncode><version>2.0</version></response>';
    }}
    location = /failed/bigbluebutton/api {{
      default_type text/xml;
      return 200 '<response><returncode>FAILED</returncode></response>';
    }}
    location / {{
      default_type text/html; return 200 '<!DOCTYPE html><html>Selamat datang</html>';
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Prosody:
    """A running prosody."""

    http: int
    https: int
    log: Path

    def told(self, words: str) -> int:
        """How often its log says this."""
        return self.log.read_text(errors="replace").count(words)


@dataclass(frozen=True)
class Janus:
    """The ports of a running Janus."""

    http: int
    admin: int
    websocket: int


@dataclass(frozen=True)
class Canned:
    """The ports of an nginx with canned answers."""

    http: int
    https: int


def accepts(port: int) -> bool:
    """Whether something listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def prosody(folder: Path, certificate: Path) -> Iterator[Prosody]:
    """An XMPP server for :data:`DOMAIN`, as Jitsi has one, with BOSH and WebSocket."""
    binary = needs("prosody", "prosody")
    c2s, http, https = free_port(), free_port(), free_port()
    config = folder / "prosody.cfg.lua"
    (folder / "data").mkdir()
    config.write_text(
        PROSODY.format(
            folder=folder, c2s=c2s, http=http, https=https, certificate=certificate, domain=DOMAIN
        )
    )
    ready = lambda: accepts(http) and accepts(https)  # noqa: E731
    with running([binary, "--config", str(config), "-F"], folder, ready):
        yield Prosody(http, https, folder / "prosody.log")


@contextlib.contextmanager
def janus(folder: Path) -> Iterator[Janus]:
    """A WebRTC server with its HTTP and WebSocket interfaces."""
    binary = needs("janus", "janus")
    needs_file("/usr/lib/x86_64-linux-gnu/janus/transports/libjanus_http.so", "janus")
    ports = Janus(free_port(), free_port(), free_port())
    (folder / "janus.jcfg").write_text(JANUS.format(folder=folder))
    (folder / "janus.transport.http.jcfg").write_text(
        JANUS_HTTP.format(http=ports.http, admin=ports.admin)
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        JANUS_WEBSOCKETS.format(websocket=ports.websocket)
    )
    argv = [binary, "-C", str(folder / "janus.jcfg"), "-F", str(folder)]
    ready = lambda: accepts(ports.http) and accepts(ports.websocket)  # noqa: E731
    with running(argv, folder, ready):
        yield ports


@contextlib.contextmanager
def canned(folder: Path, certificate: Path) -> Iterator[Canned]:
    """What the documents of Jitsi and BigBlueButton say that these answer; nothing real."""
    ports = Canned(free_port(), free_port())
    (folder / "nginx.conf").write_text(
        NGINX.format(http=ports.http, https=ports.https, certificate=certificate)
    )
    argv = [needs("nginx", "nginx-light"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    with running(argv, folder, lambda: accepts(ports.http)):
        yield ports
