"""``vcmon report``."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.reports import past
from tests.fakes.settings_files import rows, write
from vcmon.cli import cli
from vcmon.errors import StartError
from vcmon.history import opening
from vcmon.history.memory import Memory

INVENTORY = rows("a,aceh,,codec,192.0.2.1,sip,,,,", "b,papua,,codec,192.0.2.2,sip,,,,")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings over a memory of October 2026."""

    def opened(path: Path) -> Memory:
        assert path == tmp_path / "vcmon.db"
        return past()

    monkeypatch.setattr(opening, "open_memory", opened)
    return write(tmp_path, "", INVENTORY)


def run(config: Path, *arguments: str | Path) -> Result:
    words = ["report", "--config", config, *arguments]
    return CliRunner().invoke(cli, [str(each) for each in words])


def test_html_is_what_it_writes_unasked(config: Path) -> None:
    """A page that stands alone, in the language of the settings."""
    done = run(config, "--month", "2026-10")
    assert done.exit_code == 0
    assert done.stdout.startswith("<!doctype html>")
    assert "Laporan ketersediaan bulanan: Oktober 2026" in done.stdout
    assert "@page" in done.stdout


def test_csv_keeps_its_bytes(config: Path) -> None:
    """Byte order mark and line ends arrive as Excel wants them."""
    done = run(config, "--month", "2026-10", "--format", "csv")
    assert done.stdout_bytes.startswith(b"\xef\xbb\xbfBulan;Kode;")
    assert done.stdout_bytes.count(b"\r\n") == 5
    assert b"99,41" in done.stdout_bytes


def test_the_dialect_is_for_programs(config: Path) -> None:
    """iso has commas and points."""
    done = run(config, "--month", "2026-10", "--format", "csv", "--dialect", "iso")
    text = done.stdout_bytes.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [each["province"] for each in found] == ["All provinces", "Aceh", "Papua", "Centre"]


def test_json_into_a_file(config: Path, tmp_path: Path) -> None:
    """With --output nothing is printed, and the file is whole."""
    path = tmp_path / "laporan.json"
    done = run(config, "--month", "2026-10", "--format", "json", "--output", path)
    assert (done.exit_code, done.output) == (0, "")
    assert json.loads(path.read_text())["month"] == "2026-10"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--month", "2026-13"], "expected a month like 2026-10"),
        (["--month", "\x1b[31m"], "expected a month like 2026-10"),
        (["--month", "2199-01"], "2199-01 has not begun yet"),
        (["--month", "2026-10", "--output", "/no/such/folder/x"], "can't write /no/such/folder/x"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    config: Path, arguments: list[str], complaint: str
) -> None:
    """Exit code 2, one line on stderr, nothing on stdout, no escape sequence."""
    done = run(config, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr


def test_a_missing_memory_is_told(tmp_path: Path) -> None:
    """Before vcmon has run there is nothing to report: exit code 1, and where it looked."""
    with pytest.raises(StartError, match=r"no memory at .*vcmon\.db"):
        opening.open_memory(tmp_path / "vcmon.db")
    config = write(tmp_path, "", INVENTORY)
    done = subprocess.run(
        [sys.executable, "-m", "vcmon", "report", "--month", "2026-10", "-c", config.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"no memory at {tmp_path}/vcmon.db: vcmon run makes it")
