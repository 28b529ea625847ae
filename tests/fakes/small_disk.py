"""A disk of a mebibyte, which a test fills, makes read-only, and takes away behind itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.needs import needs


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs."""

    path: Path

    def fill(self) -> None:
        """Leave not a byte free."""
        with (self.path / "filler").open("ab", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"\0" * 4096)

    def empty(self) -> None:
        """Take the filler away."""
        (self.path / "filler").unlink()

    def read_only(self, *, yes: bool) -> None:
        """Remount it. Fails while somebody has a file open for writing there."""
        _mount("-o", f"remount,{'ro' if yes else 'rw'}", str(self.path))

    def free(self) -> int:
        """Bytes that are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(path: Path, size: str = "1m") -> Iterator[SmallDisk]:
    """A tmpfs of this size at ``path`` while the block lasts."""
    path.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "vcmon-test", str(path))
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run([needs("umount", "mount"), "-l", str(path)], check=True)


def _mount(*arguments: str) -> None:
    done = subprocess.run(
        [needs("mount", "mount"), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"mount {' '.join(arguments)}: {done.stderr}; this test needs root")
