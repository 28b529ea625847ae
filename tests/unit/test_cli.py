"""The ``vcmon`` command as people and scripts meet it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.settings_files import HEADER, ROW, rows, write
from vcmon import __version__

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "config" / "vcmon.yaml"


def vcmon(
    *arguments: str | Path, cwd: Path = REPOSITORY, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command; no wrong input may ever show a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "vcmon", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def listener() -> Iterator[int]:
    """A TCP port on loopback that accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """A TCP port on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_version() -> None:
    """--version says one line."""
    assert vcmon("--version").stdout == f"vcmon {__version__}\n"


COMMANDS = [
    "run", "demo", "check", "probe", "reflect", "report", "inventory import", "schema",
    "heartbeat",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_everywhere_with_examples(command: str) -> None:
    """Every command explains itself."""
    done = vcmon(*command.split(), "--help")
    assert done.returncode == 0
    if command != "schema":
        assert f"Example: vcmon {command}" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["chekc"],
        ["check", "a", "b"],
        ["demo", "--port", "0"],
        ["demo", "--port", "x"],
        ["probe"],
        ["inventory", "import"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    """Wrong arguments are exit code 2, told on stderr."""
    done = vcmon(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage:" in done.stderr


def test_check_of_the_example() -> None:
    """The shipped example passes, with a summary and without a note."""
    done = vcmon("check", EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "provinces: 38 of 38, and the Centre\n" in done.stdout
    assert "endpoints: 82\n" in done.stdout
    assert re.search(r"probes: +\d+\.\d a second\n", done.stdout)
    assert "note" not in done.stdout
    assert vcmon("check").stdout == done.stdout.replace(f"{REPOSITORY}/", "")


def test_check_tells_every_problem(tmp_path: Path) -> None:
    """Each problem is a plain line on stderr, with a count after them, and exit code 2."""
    path = write(tmp_path, "langauge: id", rows("a,acehh,,codec,h,sipp,,,,"))
    done = vcmon("check", path)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(": ")[0] for line in lines[:-1]] == [
        f"{path}:1",
        f"{tmp_path}/i.csv:2",
        f"{tmp_path}/i.csv:2",
    ]
    assert lines[-1] == "3 problems found"
    assert "\x1b" not in done.stderr


def test_check_gives_notes(tmp_path: Path) -> None:
    """What is allowed but odd is noted, and is no error."""
    done = vcmon("check", write(tmp_path, ""))
    assert done.returncode == 0
    assert "note: no canaries" in done.stdout
    assert "note: provinces without endpoints (37)" in done.stdout


@pytest.mark.parametrize("command", [["check"], ["run", "-c"], ["probe", "a", "-c"]])
def test_wrong_settings_end_every_command(tmp_path: Path, command: list[str]) -> None:
    """No command starts on settings that are missing or wrong."""
    missing = vcmon(*command, tmp_path / "no.yaml")
    assert missing.returncode == 2
    assert missing.stderr.endswith("No such file or directory\n1 problem found\n")
    wrong = vcmon(*command, write(tmp_path, "", HEADER))
    assert wrong.returncode == 2
    assert "no endpoint at all" in wrong.stderr


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_only_where_it_is_wanted(tmp_path: Path, environment: dict[str, str]) -> None:
    """A terminal gets colour unless NO_COLOR or a dumb terminal says no."""
    parent, child = os.openpty()
    path = write(tmp_path, "langauge: id")
    base = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "CI"}}
    done = subprocess.run(
        [sys.executable, "-m", "vcmon", "check", path],
        cwd=REPOSITORY,
        env={**base, "TERM": "xterm", **environment},
        stderr=child,
        timeout=30,
        check=False,
    )
    os.close(child)
    told = os.read(parent, 65536).decode()
    os.close(parent)
    assert done.returncode == 2
    assert ("\x1b[" in told and "31m" in told) == (not environment)


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Names of files come from outside too."""
    path = tmp_path / "\x1b[31mx.yaml"
    done = vcmon("check", path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    write(tmp_path, "").rename(path)
    done = vcmon("check", path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_output_without_utf8(tmp_path: Path) -> None:
    """A terminal that can't show a character gets it escaped, not an error."""
    path = write(tmp_path, "", rows("a,aceh,,ködec,h,icmp,,,,"))
    done = vcmon("check", path, PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "found 'k\\xf6dec'" in done.stderr


def test_a_closed_pipe_is_no_error() -> None:
    """``vcmon schema | head -1`` ends quietly."""
    command = f"{sys.executable} -m vcmon schema | head -c 1"
    done = subprocess.run(
        ["sh", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_schema() -> None:
    """The JSON Schema is JSON."""
    done = vcmon("schema")
    assert json.loads(done.stdout)["$schema"].endswith("2020-12/schema")


def settings_for(folder: Path, *tcp: int, more: str = "") -> Path:
    """An endpoint ``lo`` on loopback with TCP checks on these ports."""
    checks = " ".join(f"tcp:{port}" for port in tcp)
    row = f"lo,pusat,,platform,127.0.0.1,{checks}{more},,,,Budi"
    return write(folder, "", rows(row))


def test_probe_up(tmp_path: Path, listener: int) -> None:
    """Exit code 0, and JSON by the contract, when the endpoint answers."""
    path = settings_for(tmp_path, listener)
    done = vcmon("probe", "lo", "--config", path, "--json")
    (found,) = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(found) == [
        "endpoint",
        "check",
        "kind",
        "outcome",
        "reason",
        "blame",
        "at",
        "duration_ms",
        "phases",
        "detail",
    ]
    assert (found["endpoint"], found["check"], found["kind"]) == ("lo", "tcp", "tcp")
    assert (found["outcome"], found["reason"], found["blame"]) == ("up", "ok", "none")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", found["at"])
    assert found["phases"]["connect"] <= found["duration_ms"]
    assert "verdict: lo is UP" in vcmon("probe", "lo", "-c", path).stdout


def test_probe_down(tmp_path: Path, listener: int) -> None:
    """Exit code 1 when a deciding check is down, with the reason, a next step and whom to call."""
    closed = closed_port()
    path = settings_for(tmp_path, listener, closed)
    done = vcmon("probe", "lo", "-c", path)
    assert done.returncode == 1
    for text in ("refused", "try next: start the service there", "lo is DOWN", "call:    Budi"):
        assert text in done.stdout
    assert vcmon("probe", "lo", "-c", path, "--check", f"tcp-{listener}").returncode == 0
    assert vcmon("probe", "lo", "-c", path, "--check", f"tcp-{closed}").returncode == 1


def test_probe_of_what_is_not_there(tmp_path: Path, listener: int) -> None:
    """An unknown endpoint or check is exit code 2, with what there is."""
    done = vcmon("probe", "aceh-kodec", "-c", EXAMPLE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no endpoint 'aceh-kodec' in the inventory; the nearest are aceh-codec" in done.stderr
    path = settings_for(tmp_path, listener, more=" icmp")
    done = vcmon("probe", "lo", "-c", path, "--check", "sip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lo has no check 'sip'; it has tcp, icmp\n"


def test_watch_goes_on_until_ctrl_c(tmp_path: Path, listener: int) -> None:
    """--watch --json prints a list a line, and ends with the last verdict's exit code."""
    settings = "defaults: {interval: 200ms, timeout: 100ms}"
    row = f"lo,pusat,,platform,127.0.0.1,tcp:{listener},,,,"
    path = write(tmp_path, settings, rows(row))
    command = [sys.executable, "-m", "vcmon", "probe", "lo", "-c", str(path), "--watch", "--json"]
    command = ["env", "--default-signal=INT", *command]  # ignored by what runs in the background
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert [json.loads(line)[0]["outcome"] for line in lines] == ["up"] * 3
    assert (process.returncode, told) == (0, "")


def test_import(tmp_path: Path) -> None:
    """To stdout by default; into a file with what changes, whole or not at all."""
    foreign, ours = tmp_path / "f.csv", tmp_path / "i.csv"
    foreign.write_text("Kode;Provinsi;Peran;Alamat;Layanan\nx;Bali;kodek;192.0.2.7;sip\n")
    ours.write_text(rows(ROW))
    done = vcmon("inventory", "import", foreign, cwd=tmp_path)
    assert done.stdout == f"{HEADER}\nx,bali,,codec,192.0.2.7,sip,,,,\n"
    done = vcmon("inventory", "import", foreign, "--into", ours, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "1 added: x\n1 kept, though not in FILE (--remove takes them out): a\n"
    assert ours.read_text() == rows(ROW, "x,bali,,codec,192.0.2.7,sip,,,,")
    done = vcmon("inventory", "import", foreign, "--into", ours, "--remove", cwd=tmp_path)
    assert done.stderr == "1 removed: a\n"
    assert ours.read_text() == rows("x,bali,,codec,192.0.2.7,sip,,,,")
    before = ours.read_text()
    foreign.write_text("Kode;Provinsi;Peran;Alamat;Layanan\ny;Bali;kodek;h;sip\nz;Bli;kodek;h;sip")
    done = vcmon("inventory", "import", foreign, "--into", ours, cwd=tmp_path)
    assert (done.returncode, ours.read_text()) == (2, before)
    assert done.stderr.startswith(f"{foreign}:3: province: expected a province")
    missing = tmp_path / "no" / "i.csv"
    foreign.write_text("id,province,role,address,checks\nx,bali,codec,h,sip\n")
    done = vcmon("inventory", "import", foreign, "--into", missing, cwd=tmp_path)
    assert done.returncode == 2
    assert "can't write" in done.stderr
