"""Peers that tests talk to: real programs, looked for where Debian puts them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Debian keeps daemons in sbin, which is not in a plain user's PATH."""


def needs(binary: str, package: str) -> str:
    """The absolute path of ``binary``.

    Fails the test when it is missing, with the command that installs it: a peer that isn't there
    must never pass for a promise kept.
    """
    found = shutil.which(binary, path=SEARCH_PATH)
    if found is None:
        pytest.fail(
            f"{binary} is not installed, and this test proves nothing without it; "
            f"run: apt-get install --no-install-recommends {package}",
            pytrace=False,
        )
    return found


def needs_file(path: str, package: str) -> Path:
    """The file ``path`` (a module, a library); fails the test as :func:`needs` does."""
    found = Path(path)
    if not found.exists():
        pytest.fail(
            f"{path} is missing; run: apt-get install --no-install-recommends {package}",
            pytrace=False,
        )
    return found
