"""Opens the memory of another process, or of one that has stopped, to read it."""

from __future__ import annotations

from pathlib import Path

from vcmon.errors import StartError
from vcmon.history.memory import Memory


def open_memory(path: Path) -> Memory:
    """The memory in this file, to be read. Raises StartError, which says why it can't be."""
    if not path.is_file():
        raise StartError(f"no memory at {path}: vcmon run makes it (history.path in the settings)")
    raise StartError(f"the memory at {path} can't be read by this version of vcmon")
