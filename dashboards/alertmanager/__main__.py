"""``python -m dashboards.alertmanager``: write it for Alertmanager 0.25 (Debian 12)."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from dashboards.alertmanager import CONFIG, TEMPLATE, SecretError, inlined

PRIVATE = 0o640
"""Its owner and Alertmanager's group: it holds secrets."""


def main() -> int:
    """0: written; 1: a file can't be read or written."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.alertmanager", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG, help="your alertmanager.yml")
    parser.add_argument("--secrets", type=Path, help="folder of the secrets, if not as it says")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    said = parser.parse_args()
    try:
        text = inlined(said.config.read_text(encoding="utf-8"), said.secrets)
        said.out.mkdir(parents=True, exist_ok=True)
        _write(said.out / CONFIG.name, text)
        template = said.config.parent / TEMPLATE.name
        (said.out / TEMPLATE.name).write_bytes(template.read_bytes())
    except (OSError, SecretError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    return 0


def _write(path: Path, text: str) -> None:
    """Never readable by others, not even while it is being written."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(new, flags, PRIVATE), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
