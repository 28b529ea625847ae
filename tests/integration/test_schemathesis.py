"""The API as its own description lets anybody use it, and misuse it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.browser import serving
from tests.fakes.figures import record
from tests.fakes.filled_memory import fill
from tests.fakes.inventory import endpoint
from tests.fakes.snapshots import NOW, World, mixed
from tests.integration.test_gate import Keys
from vcmon.config.settings import Settings, Web

EXAMPLES = os.environ.get("VCMON_SCHEMA_EXAMPLES", "10")
"""Requests made up for each operation and sort; by hand hundreds."""

CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    fill(tmp_path / "m.db", NOW)
    made = World(mixed(), file=tmp_path / "m.db")
    made.settings = Settings(
        endpoints=(endpoint("a", "icmp"),),
        provinces=made.settings.provinces,
        web=Web(tokens_file=str(keys.path)),
    )
    return made


def tried(port: int, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Everything that the description at this port allows, and much that it does not."""
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "--no-color", "run"),
        f"http://127.0.0.1:{port}/api/v1/openapi.json",
        *("--checks", CHECKS, "--max-examples", EXAMPLES, "--mode", "all", "--seed", "38"),
        *("--header", f"Authorization: {token}", "--warnings", "off"),
        *("--phases", "coverage,fuzzing", "--continue-on-failure", "--no-shrink"),
        *("--exclude-path", "/api/v1/events"),  # it never ends: test_stream.py reads it
    )
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.catalogue("T40")
@pytest.mark.timeout(600)
async def test_no_server_error_whatever_is_sent(world: World, keys: Keys, tmp_path: Path) -> None:
    """Schemathesis, with an operator's token: every answer is one that is described, none 500."""
    token = keys.header("operator")["Authorization"]
    async with serving(world) as browser:
        run = await asyncio.to_thread(tried, browser.port, token, tmp_path)
        healthy = await browser.ask("/-/healthy")
    assert healthy.status == 200
    cases = re.search(r"(\d+) generated", run.stdout)
    figure = f"{'0' if run.returncode == 0 else 'some'} in {cases[1] if cases else '?'} requests"
    record("api.server_errors", figure, "0", run.returncode == 0)
    assert run.returncode == 0, run.stdout[-6000:]
