"""Writes settings and inventories for tests, and reads what is told about them."""

from __future__ import annotations

from pathlib import Path

from vcmon.config.loader import load
from vcmon.config.settings import Settings
from vcmon.errors import ConfigError

HEADER = "id,province,site,role,address,checks,depends_on,medium,provider,contact"
ROW = "a,aceh,,codec,192.0.2.1,icmp sip,,,,"


def write(folder: Path, settings: str, inventory: str | bytes = f"{HEADER}\n{ROW}\n") -> Path:
    """``v.yaml`` with these settings (``include`` is put after them) and ``i.csv``."""
    path = folder / "v.yaml"
    path.write_text(f"{settings}\ninclude: [i.csv]\n" if settings else "include: [i.csv]\n")
    raw = inventory if isinstance(inventory, bytes) else inventory.encode()
    (folder / "i.csv").write_bytes(raw)
    return path


def rows(*lines: str, header: str = HEADER) -> str:
    """An inventory of these lines."""
    return "\n".join((header, *lines)) + "\n"


def problems(path: Path) -> list[str]:
    """What is wrong with these settings, a line each, with file names instead of paths."""
    try:
        load(path)
    except ConfigError as error:
        return [str(problem).replace(f"{path.parent}/", "") for problem in error.problems]
    return []


def loaded(folder: Path, settings: str = "", inventory: str | bytes | None = None) -> Settings:
    """The settings made of these texts."""
    return load(write(folder, settings, rows(ROW) if inventory is None else inventory))
