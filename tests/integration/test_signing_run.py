"""People sign in to a real ``vcmon run`` over TLS, act, and are signed out by ``vcmon passwd``."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.figures import record
from tests.fakes.process import free_port, write_settings
from tests.fakes.signing import CSRF, FORM

PASSWORD = "CANARY kuda laut 1945"
OTHER = "CANARY gunung api purba"
WEB = """  users_file: users
  private: true
  tls_certificate_file: web.pem
  tls_key_file: web.pem
"""


@dataclass
class Secured:
    """A running vcmon with TLS, and what trusts it."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    context: ssl.SSLContext
    cookie: str = ""

    def send(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """A request as a browser sends it; cookies that come are kept."""
        it = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self.context)
        headers = {"Cookie": self.cookie, "Origin": f"https://127.0.0.1:{self.port}", **FORM}
        try:
            it.request(method, path, urlencode(fields) if fields else None, headers)
            answer = it.getresponse()
            if told := answer.getheader("Set-Cookie"):
                self.cookie = told.partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            it.close()

    def certificate(self) -> bytes:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        with self.context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            return secure.getpeercert(binary_form=True) or b""


def vcmon(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vcmon", *words, "--config", str(folder / "vcmon.yaml")],
        input=typed, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@contextmanager
def started(folder: Path, port: int, context: ssl.SSLContext) -> Iterator[Secured]:
    config, log = folder / "vcmon.yaml", folder / "vcmon.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "vcmon", "run", "--config", str(config)], stdout=out, stderr=out
        )
    it = Secured(process, folder, port, context)
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            with suppress(OSError):
                if it.send("GET", "/-/healthy")[0] == 200:
                    break
            time.sleep(0.1)
        yield it
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.mark.catalogue("T43")
def test_signing_in_over_tls(tmp_path: Path, authority: Authority) -> None:
    """Made by the command, used at once; another password ends it within two seconds, a reload
    takes another certificate, and no password is in the log, the process or the memory.
    """
    port = free_port()
    config = write_settings(tmp_path, ["a,aceh,codec,127.0.0.1,tcp:9,"], port=port)
    text = config.read_text()
    config.write_text(text.replace(f":{port}\n", f":{port}\n{WEB}"))
    first, second = authority.issue(), authority.issue()
    first.write(tmp_path, "web")
    made = vcmon(tmp_path, "passwd", "budi", "--role", "operator", typed=f"{PASSWORD}\n")
    assert (made.returncode, made.stderr) == (0, "")
    context = ssl.create_default_context(cafile=authority.ca_file(tmp_path))
    with started(tmp_path, port, context) as it:
        assert it.send("GET", "/api/v1/status")[0] == 401
        fields = {"nama": "budi", "sandi": PASSWORD, "ke": "/pemeliharaan"}
        assert it.send("POST", "/masuk", fields)[0] == 303
        assert it.cookie.startswith("__Host-vcmon=")
        status, page = it.send("GET", "/pemeliharaan")
        assert status == 200
        csrf = re.search(CSRF, page)
        assert csrf is not None
        window = {"scope": "province:aceh", "title": "Router", "duration": "4h", "zone": "WIB"}
        window |= {"start": "2036-11-28T22:00", "csrf": csrf[1]}
        assert it.send("POST", "/pemeliharaan", window)[0] == 303
        assert "<bdi>budi</bdi>" in it.send("GET", "/en/pemeliharaan")[1]
        environ = Path(f"/proc/{it.process.pid}/environ").read_bytes()
        command = Path(f"/proc/{it.process.pid}/cmdline").read_bytes()

        assert it.certificate() == first.der
        second.write(tmp_path, "web")
        it.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 5
        while it.certificate() != second.der:
            assert time.monotonic() < end
            time.sleep(0.1)

        assert vcmon(tmp_path, "passwd", "budi", typed=f"{OTHER}\n").returncode == 0
        begun = time.monotonic()
        while it.send("GET", "/")[0] == 200:
            assert time.monotonic() - begun < 2
            time.sleep(0.1)
        assert it.send("GET", "/")[0] == 303
    files = [each for each in tmp_path.iterdir() if each.is_file()]
    held = {each.name: each.read_bytes() for each in files}
    held |= {"environ": environ, "command": command}
    secrets = (b"CANARY", it.cookie.partition("=")[2].encode(), csrf[1].encode())
    found = sorted({name for name, text in held.items() for each in secrets if each in text})
    record("T43 sign-in, running", f"in {len(found)} of {len(held)} places", "0", not found)
    assert found == []
    assert b"budi" in held["vcmon.log"]


def test_a_certificate_that_cannot_be_used_ends_the_start(
    tmp_path: Path, authority: Authority
) -> None:
    """Exit code 1 and what to do, on one line."""
    port = free_port()
    config = write_settings(tmp_path, ["a,aceh,codec,127.0.0.1,tcp:9,"], port=port)
    text = config.read_text()
    config.write_text(text.replace(f":{port}\n", f":{port}\n{WEB}"))
    assert authority.key
    done = vcmon(tmp_path, "run")
    assert done.returncode == 1
    assert f"web.tls_key_file: {tmp_path}/web.pem: No such file" in done.stderr
