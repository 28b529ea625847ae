"""No request can have vcmon connect anywhere that is not configured (T41)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.fakes.figures import record
from tests.fakes.filled_memory import fill
from tests.fakes.plain_http import Header, send
from tests.fakes.process import free_port, listener, running, write_settings
from tests.fakes.signing import CHEAP, CSRF, PASSWORDS, enrol
from tests.fakes.snapshots import World, mixed
from tests.integration.test_matrix import routes
from vcmon.config import tokens
from vcmon.config.tokens import Role, Token
from vcmon.views.openapi import document
from vcmon.views.web import build

WATCH = """
import os, sys
def hook(event, args, told=open(os.environ["VCMON_TEST_CALLS"], "a", buffering=1)):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        told.write(f"{event} {args[1]!r}\\n")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        told.write(f"{event} {args[0]!r}\\n")
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        told.write(f"{event} {args[0]!r}\\n")
sys.addaudithook(hook)
"""
"""Put into the process under test: what it opens towards others, before the kernel is asked."""

NAMES = ("url", "uri", "target", "address", "host", "endpoint", "id", "ke", "titik", "provinsi",
         "province", "month", "bulan", "halaman", "open", "limit", "days", "next", "redirect",
         "callback", "proxy", "scope", "title", "text", "ticket", "author", "nama", "sandi",
         "start", "zone", "repeat", "duration", "deed", "cause")  # fmt: skip
"""Parameters of ours, and those that elsewhere lead to a connection."""

HEADERS = (b"Referer", b"Origin", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto",
           b"Forwarded", b"X-Original-URL", b"X-Rewrite-URL", b"X-Real-IP", b"Proxy", b"Via",
           b"True-Client-IP", b"Destination", b"Location", b"SOAPAction", b"Link",
           b"Last-Event-ID", b"If-None-Match", b"Accept-Language", b"User-Agent")  # fmt: skip

PARTS = ("slug", "number", "id", "endpoint", "month")


@dataclass
class Bait:
    """A port on which nobody has any business; who comes is counted."""

    socket: socket.socket
    callers: list[object] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def watch(self) -> None:
        """Until the socket is closed."""
        while True:
            try:
                caller, address = self.socket.accept()
            except OSError:
                return
            self.callers.append(address)
            caller.close()

    def lures(self) -> tuple[str, ...]:
        """The port as whoever looks for a hole writes it, and places that are worth a look."""
        port = self.port
        return (
            f"http://127.0.0.1:{port}/",
            f"127.0.0.1:{port}",
            f"//localhost:{port}/x",
            f"http://[::ffff:127.0.0.1]:{port}/",
            f"http://2130706433:{port}/",
            f"endpoint:a@127.0.0.1:{port}",
            f"gopher://127.0.0.1:{port}/_",
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "ssrf.vcmon.test",
        )


@contextmanager
def bait() -> Iterator[Bait]:
    """One, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        it = Bait(server)
        thread = threading.Thread(target=it.watch, daemon=True)
        thread.start()
        try:
            yield it
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


class Asker:
    """Sends every lure everywhere, as an operator by session and by token, and as nobody."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.sent = 0
        self.csrf = ""
        self.cookie: list[Header] = []
        self.bearer: list[Header] = [(b"Authorization", f"Bearer {token}".encode())]

    async def sign_in(self) -> None:
        """As somebody who may act."""
        here = [(b"Sec-Fetch-Site", b"same-origin"), FORM]
        fields = urlencode({"nama": "budi", "sandi": PASSWORDS["budi"]}).encode()
        entered = await send(self.port, b"POST", b"/masuk", here, fields)
        assert entered.status == 303
        cookie = entered.header(b"set-cookie").partition(b";")[0]
        self.cookie = [(b"Cookie", cookie), (b"Sec-Fetch-Site", b"same-origin")]
        found = CSRF.search((await send(self.port, b"GET", b"/masuk", self.cookie)).body.decode())
        assert found is not None
        self.csrf = found[1]

    async def everywhere(self, method: str, route: str, lure: str) -> None:
        """In each part of the address, each parameter, each header and each field at once."""
        path = route
        for part in PARTS:
            known = {"number": "1", "slug": "aceh", "id": "a", "endpoint": "a"}.get(part, "2026-11")
            path = path.replace(f"{{{part}}}", known)
        query = urlencode(dict.fromkeys(NAMES, lure))
        heads = [(name, lure.encode()) for name in HEADERS]
        cookie = [] if route.endswith("/keluar") else self.cookie  # it would let us out
        await self._ask(method, path, [*heads, *cookie], lure)
        await self._ask(method, f"{path}?{query}", heads, lure)
        for who in ([], cookie, self.bearer):
            await self._ask(method, path, [*who, (b"Host", lure.encode())], lure)
            for part in PARTS:
                if f"{{{part}}}" in route:
                    there = route.replace(f"{{{part}}}", quote(lure, safe=""))
                    await self._ask(method, there, who, lure)

    async def _ask(self, method: str, target: str, headers: list[Header], lure: str) -> None:
        form = {**dict.fromkeys(NAMES[:15], lure), "csrf": self.csrf}
        bodies: list[tuple[Header, bytes]] = [(FORM, b"")]
        if method == "POST":
            bodies = [
                (FORM, urlencode(form).encode()),
                (JSON, json.dumps(dict.fromkeys(NAMES, lure)).encode()),
            ]
        for kind, body in bodies:
            await send(self.port, method.encode(), target.encode(), [*headers, kind], body)
            self.sent += 1

    async def fields(self, lure: str) -> None:
        """In each field that is taken, with all others as they should be."""
        schemas = document()["components"]["schemas"]
        window = {"scope": "province:aceh", "title": "x", "start": "2036-11-28T22:00",
                  "zone": "WIB", "duration": "4h"}  # fmt: skip
        for path, model, right in (
            ("/api/v1/incidents/1/remarks", "RemarkFields", {"deed": "note", "text": "x"}),
            ("/api/v1/maintenance", "PlanFields", window),
        ):
            for name in schemas[model]["properties"]:
                body = json.dumps({**right, name: lure}).encode()
                await send(self.port, b"POST", path.encode(), [*self.bearer, JSON], body)
                self.sent += 1
        for path, right in (("/gangguan/1/tindak", {"deed": "note"}), ("/pemeliharaan", window)):
            for name in ("deed", "text", "ticket", "cause", *window):
                sent = urlencode({**right, name: lure, "csrf": self.csrf}).encode()
                await send(self.port, b"POST", path.encode(), [*self.cookie, FORM], sent)
                self.sent += 1

    async def as_a_proxy(self, lure: str) -> None:
        """Addresses of others as the target of the request itself."""
        for method in (b"GET", b"POST", b"CONNECT"):
            await send(self.port, method, lure.encode().replace(b" ", b""), self.cookie)
            self.sent += 1


FORM: Header = (b"Content-Type", b"application/x-www-form-urlencoded")
JSON: Header = (b"Content-Type", b"application/json")


WEB = "  users_file: users\n  tokens_file: tokens\n"

SOON = """history: {path: m.db}
defaults: {interval: 1s, timeout: 800ms, confirm: {retry: 300ms, up: 2, up_gap: 500ms}}
"""

ENDPOINT = "127.0.0.9"
"""The one address that is configured."""


def settings(folder: Path, port: int, checked: int) -> Path:
    """A vcmon with a memory, users and tokens, that probes one address."""
    fill(folder / "m.db")
    enrol(folder / "users")
    tokens.write(folder / "tokens", [Token("mesin", Role.OPERATOR, CHEAP.hash("secret"))])
    rows = [f"a,aceh,codec,{ENDPOINT},tcp:{checked},"]
    config = write_settings(folder, rows, port=port, extra=SOON)
    text = config.read_text()
    config.write_text(text.replace(f":{port}\n", f":{port}\n{WEB}"))
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    return config


def strangers(calls: Path, port: int, since: int = 0) -> list[str]:
    """What the process opened after so many lines, but for what is configured and its look at
    itself.
    """
    own = (f"socket.connect ('127.0.0.1', {port})", "socket.getaddrinfo '127.0.0.1'")
    lines = calls.read_text().splitlines()
    assert any(ENDPOINT in line for line in lines), "nothing was watched"
    return [line for line in lines[since:] if ENDPOINT not in line and line not in own]


async def attack(port: int, it: Bait) -> int:
    """All of it; the number of requests."""
    app = build(World(mixed()).sources())
    served = sorted({(method, root + path) for method, path, root in routes(app)})
    asker = Asker(port, "vcmon_mesin.secret")
    await asker.sign_in()
    lures = it.lures()
    for number, (method, route) in enumerate(served):
        endless = route.endswith("/events") and method == "GET"
        if endless or (method == "HEAD" and "/events" not in route):
            continue  # the same handler is asked once
        for lure in (lures[0], lures[number % len(lures)]):
            await asker.everywhere(method, route, lure)
    for lure in lures:
        await asker.fields(lure)
        await asker.as_a_proxy(lure)
    return asker.sent


@pytest.mark.catalogue("T41")
@pytest.mark.timeout(120)
async def test_no_request_leads_to_a_connection(tmp_path: Path) -> None:
    """Every route, every lure, in every place: nobody comes to the bait, and by the process's own
    account it connects to what is configured, asks for no name and starts no program.
    """
    port, calls = free_port(), tmp_path / "calls"
    environ = {"PYTHONPATH": str(tmp_path / "watch"), "VCMON_TEST_CALLS": str(calls)}
    with listener(ENDPOINT) as server, bait() as it:
        config = await asyncio.to_thread(settings, tmp_path, port, server.port)
        with running(config, port, environ) as monitor:
            await asyncio.to_thread(monitor.wait_for, "a", "up", 20)
            before = len(calls.read_text().splitlines())  # a library that starts asks ldconfig
            sent = await attack(port, it)
            assert (await send(port, b"GET", b"/-/healthy")).status == 200
            await asyncio.to_thread(monitor.stop)
        found = strangers(calls, port, before) + [f"caught {each}" for each in it.callers]
    record("T41", f"{len(found)} connections elsewhere, {sent} requests", "0", not found)
    assert found == []


def test_the_watch_sees_a_connection(tmp_path: Path) -> None:
    """A process that connects, asks for a name or starts a program is told on."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    calls = tmp_path / "calls"
    work = (
        "import socket, subprocess, sys\n"
        f"socket.create_connection(('{ENDPOINT}', int(sys.argv[1]))).close()\n"
        "socket.create_connection(('127.0.0.1', int(sys.argv[2]))).close()\n"
        "subprocess.run(['true'])\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "VCMON_TEST_CALLS": str(calls)}
    with listener(ENDPOINT) as server, bait() as it:
        command = [sys.executable, "-c", work, str(server.port), str(it.port)]
        subprocess.run(command, env=environ, check=True)
        told = strangers(calls, 1)
        assert f"socket.connect ('127.0.0.1', {it.port})" in told
        assert "subprocess.Popen 'true'" in told
    assert len(it.callers) == 1
