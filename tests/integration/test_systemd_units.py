"""The unit that ships: systemd finds nothing to say, little is exposed, and Python lives in it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.needs import needs

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "systemd" / "vcmon.service"
EXPOSURE_MAX = 1.6  # of 10; with CAP_NET_RAW a unit can't be under this

INSIDE = """
import asyncio, mmap, os, resource, socket, sqlite3, sys, threading
import aiohttp.web, dns.message, icmplib, jinja2, pydantic, structlog
import vcmon.systemd

status = open("/proc/self/status").read()
print("capabilities", int(status.split("CapEff:")[1].split()[0], 16))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6).close()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
with sqlite3.connect(sys.argv[1] + "/inside.db") as database:
    database.execute("pragma journal_mode=wal")
    database.execute("create table seen (at real)")
database.close()
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    print("no writable and executable memory")

async def serve():
    async def answer(request):
        return aiohttp.web.Response(text="answered")
    application = aiohttp.web.Application()
    application.router.add_get("/", answer)
    runner = aiohttp.web.AppRunner(application)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://localhost:{port}/") as reply:
            print(await asyncio.to_thread(str, await reply.text()))
    await runner.cleanup()

asyncio.run(serve())
"""
"""What vcmon asks of the kernel, part by part, so that a refusal names the part."""


REPORTS = """
import http.server, os, shutil, subprocess, sys, threading

class Monitor(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.command, self.path, flush=True)
        body = b'{"endpoint": "a", "expected_every_s": 60.0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Monitor)
threading.Thread(target=server.serve_forever, daemon=True).start()
shutil.copyfile("/media/token", "/media/own")
os.chmod("/media/own", 0o400)
url = f"http://localhost:{server.server_port}"
words = ["heartbeat", url, "--endpoint", "a", "--token-file", "/media/own", "--within", "10s"]
sys.exit(subprocess.run([sys.executable, "-m", "vcmon", *words]).returncode)
"""
"""A monitor that answers one report, and the sender beside it."""


def text(command: list[str]) -> tuple[int, str]:
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"},
    )
    return run.returncode, run.stdout + run.stderr


def with_drop_in(tmp_path: Path) -> Path:
    """The unit with the CAP_NET_RAW drop-in beside it, as systemd reads them."""
    unit = tmp_path / "vcmon.service"
    unit.write_text(UNIT.read_text())
    folder = tmp_path / "vcmon.service.d"
    folder.mkdir()
    (folder / "raw.conf").write_text((UNIT.parent / "vcmon-raw.conf.example").read_text())
    return unit


@pytest.mark.parametrize("drop_in", [False, True])
def test_systemd_has_nothing_to_say(tmp_path: Path, *, drop_in: bool) -> None:
    """``systemd-analyze verify`` is silent on the unit, with the drop-in and without."""
    needs("systemd-analyze", "systemd")
    unit = tmp_path / "vcmon.service"
    if drop_in:
        with_drop_in(tmp_path)
    # The binary isn't installed on a build machine; all else is taken as it ships.
    unit.write_text(UNIT.read_text().replace("/opt/vcmon/bin/vcmon", sys.executable))
    assert text(["systemd-analyze", "verify", "--man=no", str(unit)]) == (0, "")


@pytest.mark.parametrize("drop_in", [False, True])
def test_little_is_exposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, drop_in: bool
) -> None:
    """``systemd-analyze security`` says at most 1.6 of 10, even with CAP_NET_RAW."""
    needs("systemd-analyze", "systemd")
    unit = with_drop_in(tmp_path) if drop_in else UNIT
    name = "T44 exposure with CAP_NET_RAW" if drop_in else "T44 exposure"
    command = ["systemd-analyze", "--no-pager", "security", "--offline=true", "--threshold=16"]
    code, said = text([*command, str(unit)])
    level = re.search(r"exposure level for vcmon\.service: ([\d.]+)", said)
    assert level, said
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {level[1]} (at most {EXPOSURE_MAX})\n")
    record(name, level[1], f"<= {EXPOSURE_MAX}", code == 0)
    assert code == 0, said
    assert float(level[1]) <= EXPOSURE_MAX


def test_the_watchdog_is_on_and_restarts_never_end() -> None:
    """A hang is killed after 30 s, and systemd never gives up on restarting."""
    lines = set(UNIT.read_text().splitlines())
    promised = {"Type=notify", "WatchdogSec=30", "Restart=always", "RestartSec=2"}
    assert promised | {"StartLimitIntervalSec=0"} <= lines


def reachable_python() -> str:
    """Shell words that put the interpreter where a dynamic user may look, in this mount namespace.

    One under /root (0700) could be run by root only; Debian's own lies in /usr.
    """
    prefix = Path(sys.base_prefix).resolve()
    top = Path("/", prefix.parts[1])
    if top == Path("/usr"):
        return ""
    return (
        f"mount --bind {prefix} /srv; mount -t tmpfs -o mode=755 none {top}; "
        f"mkdir -p {prefix}; mount --bind /srv {prefix};"
    )


def confined(tmp_path: Path, *program: str, unit: str = "vcmon.service") -> list[str]:
    """The command that runs a Python program as the unit would, in a network of its own.

    ``tmp_path`` is its /media, the checkout its /mnt: the checkout may lie where a dynamic user
    can't look. ping_group_range is ours, as systemd/60-vcmon-ping.conf ships it.
    """
    needs("systemd-analyze", "systemd")
    needs("sysctl", "procps")
    if os.geteuid() != 0:
        pytest.fail("this test makes a network namespace and becomes another user: run as root")
    tmp_path.chmod(0o777)
    python = Path(sys.prefix).relative_to(ROOT) / "bin" / "python"
    shell = (
        "set -eu; ip link set lo up; "
        f"sysctl -q -p {ROOT}/systemd/60-vcmon-ping.conf; "
        f"mount --bind {ROOT} /mnt; mount --bind {tmp_path} /media; cd /media; "
        f"{reachable_python()} exec /mnt/{python} /mnt/tests/fakes/confined.py "
        f"/mnt/systemd/{unit} "
        f'/mnt/{python} "$@"'
    )
    environment = ["env", "PYTHONPATH=/mnt", "PYTHONDONTWRITEBYTECODE=1"]
    unshare = [needs("unshare", "util-linux"), "--net", "--mount", *environment]
    return [*unshare, "sh", "-c", shell, "sh", *program]


def test_ping_needs_no_capability_inside_the_unit(tmp_path: Path) -> None:
    """Under the unit's filters, uid and our sysctl: ping, web, threads and SQLite, CapEff 0."""
    (tmp_path / "inside.py").write_text(INSIDE)
    code, said = text(confined(tmp_path, "/media/inside.py", "/media"))
    assert said.splitlines() == [
        "capabilities 0",
        "no writable and executable memory",
        "answered",
    ], f"exit code {code} (-31: a system call outside the filter)"
    assert code == 0


def hear_until(word: str, systemd: socket.socket, ran: subprocess.Popen[bytes]) -> list[str]:
    """What is said up to ``word``; fails when the speaker has ended without saying it."""
    heard: list[str] = []
    for _ in range(30):
        try:
            heard += systemd.recv(4096).decode().splitlines()
        except TimeoutError:
            assert ran.poll() is None, f"ended with {ran.returncode} after saying {heard}"
        if word in heard:
            return heard
    pytest.fail(f"{word} was not said in half a minute, only {heard}")


def test_vcmon_lives_inside_the_unit(tmp_path: Path) -> None:
    """vcmon run, confined: READY=1, then WATCHDOG=1, and after SIGTERM STOPPING=1 and exit 0."""
    (tmp_path / "vcmon.yaml").write_text("include: [inventory.csv]\n")
    (tmp_path / "inventory.csv").write_text(
        "id,province,role,address,checks\nhere,pusat,codec,127.0.0.1,icmp\n"
    )
    notify = tmp_path / "notify"
    manager = {"NOTIFY_SOCKET": "/media/notify", "WATCHDOG_USEC": "4000000"}
    command = confined(tmp_path, "-m", "vcmon", "run", "--config", "/media/vcmon.yaml")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(notify))
        notify.chmod(0o777)
        systemd.settimeout(1)
        with subprocess.Popen(command, env=os.environ | manager, stdin=subprocess.DEVNULL) as ran:
            try:
                heard = hear_until("WATCHDOG=1", systemd, ran)
                ran.terminate()
                heard += hear_until("STOPPING=1", systemd, ran)
                assert ran.wait(5) == 0
            finally:
                ran.kill()
    assert heard.index("READY=1") < heard.index("WATCHDOG=1") < heard.index("STOPPING=1")


def heartbeat_units(tmp_path: Path) -> list[str]:
    """The sender's service and timer, with a program that is installed on a build machine."""
    paths = [tmp_path / "vcmon-heartbeat.service", tmp_path / "vcmon-heartbeat.timer"]
    for path in paths:
        shipped = (UNIT.parent / path.name).read_text()
        path.write_text(shipped.replace("/opt/vcmon/bin/vcmon", sys.executable))
    return list(map(str, paths))


def test_systemd_has_nothing_to_say_of_the_heartbeat(tmp_path: Path) -> None:
    """``systemd-analyze verify`` is silent on the sender's service and its timer."""
    needs("systemd-analyze", "systemd")
    units = heartbeat_units(tmp_path)
    assert text(["systemd-analyze", "verify", "--man=no", *units]) == (0, "")


def test_the_heartbeat_exposes_little() -> None:
    """``systemd-analyze security`` says at most 1.6 of 10 of the sender, too."""
    needs("systemd-analyze", "systemd")
    unit = UNIT.parent / "vcmon-heartbeat.service"
    command = ["systemd-analyze", "--no-pager", "security", "--offline=true", "--threshold=16"]
    code, said = text([*command, str(unit)])
    level = re.search(r"exposure level for vcmon-heartbeat\.service: ([\d.]+)", said)
    assert level, said
    record("T44 exposure of the heartbeat", level[1], f"<= {EXPOSURE_MAX}", code == 0)
    assert code == 0, said


def test_the_timer_leaves_a_report_its_time() -> None:
    """Once a minute, at a second of its own; a report ends before the next begins."""
    timer = set((UNIT.parent / "vcmon-heartbeat.timer").read_text().splitlines())
    assert {"OnCalendar=minutely", "RandomizedDelaySec=59", "FixedRandomDelay=yes"} <= timer
    service = set((UNIT.parent / "vcmon-heartbeat.service").read_text().splitlines())
    assert {"Type=oneshot", "TimeoutStartSec=55"} <= service


def test_the_heartbeat_lives_inside_its_unit(tmp_path: Path) -> None:
    """``vcmon heartbeat`` under its unit's filters, with no capability: it reports."""
    (tmp_path / "token").write_text("vcmon_a." + "x" * 43)
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "inside.py").write_text(REPORTS)
    code, said = text(confined(tmp_path, "/media/inside.py", unit="vcmon-heartbeat.service"))
    assert said.splitlines() == [
        "POST /api/v1/heartbeat/a",
        "a reported in; a report is expected every 60 s",
    ], f"exit code {code} (-31: a system call outside the filter)"
    assert code == 0
