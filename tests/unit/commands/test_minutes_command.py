"""``vcmon meeting report``: the minutes as a file that stands alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.filled_memory import settings_of
from tests.fakes.meetings import keep, weekly
from vcmon.cli import cli
from vcmon.model.meeting import Sitting
from vcmon.readiness import agenda

MINUTE = 60.0


@pytest.fixture
def past(tmp_path: Path) -> tuple[Path, Sitting]:
    """Settings, and a sitting that was over half an hour ago."""
    now = time.time() // MINUTE * MINUTE
    config = settings_of(tmp_path)
    it = agenda.sittings([weekly(now - 7200, rule="")], now - 7300, now)[0]
    keep(tmp_path / "m.db", it, now)
    return config, it


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["meeting", "report", *words, "--config", str(config)])


def test_each_form_tells_the_same(past: tuple[Path, Sitting], tmp_path: Path) -> None:
    """HTML that needs nothing beside it, CSV, JSON; to stdout or into a file."""
    config, it = past
    page = run(config, it.id)
    assert page.exit_code == 0, page.output
    assert "<style>" in page.stdout
    assert "stylesheet" not in page.stdout
    assert "97,68 %" in page.stdout
    file = tmp_path / "notulen.csv"
    assert run(config, it.id, "--format", "csv", "--dialect", "iso", "-o", str(file)).exit_code == 0
    assert file.read_text("utf-8").startswith("\ufeffsitting,code,province,")
    told = json.loads(run(config, it.id, "--format", "json").stdout)
    assert (told["sitting"], told["provinces"][0]["milliseconds"]["down"]) == (it.id, 125_000)


def test_what_there_is_not_is_refused(past: tuple[Path, Sitting], tmp_path: Path) -> None:
    """Exit 2, with what there is; a file that can't be written, likewise."""
    config, it = past
    missing = run(config, "mingguan-20200101-0800")
    assert (missing.exit_code, "no sitting" in missing.stderr) == (2, True)
    bad = run(config, it.id, "-o", str(tmp_path / "no" / "x.html"))
    assert (bad.exit_code, "can't write" in bad.stderr) == (2, True)
