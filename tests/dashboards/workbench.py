"""Where Node programs of ``dashboards/check`` run: in build/, with the packages of their lock."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.dashboards.grafana_files import ROOT
from tests.fakes.needs import needs

CHECKS = ROOT / "dashboards" / "check"
BUILD = ROOT / "build" / "dashboards"
INSTALL_SECONDS = 600
"""For the half gigabyte of ``render`` over a slow line; ``types`` takes two."""


def bench(name: str) -> Path:
    """A folder with what is in ``dashboards/check/NAME`` and its packages, installed once a lock.

    Raises CalledProcessError where npm can't get them.
    """
    source, folder = CHECKS / name, BUILD / name
    lock, done = source / "package-lock.json", folder / "installed.json"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    if not done.is_file() or done.read_bytes() != lock.read_bytes():
        cache = {**os.environ, "npm_config_cache": str(ROOT / "build" / "npm")}
        command = [needs("npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, env=cache, check=True, timeout=INSTALL_SECONDS)
        shutil.copy(lock, done)
    return folder


def node(folder: Path, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """A Node program in that folder, its output kept."""
    command = [needs("node", "nodejs"), *arguments]
    return subprocess.run(
        command, cwd=folder, text=True, capture_output=True, check=False, timeout=seconds
    )
