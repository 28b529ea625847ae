"""``python -m dashboards.gen``: write the dashboards anew into ``dashboards/grafana``."""

from __future__ import annotations

import sys

from dashboards.gen.shelf import FOLDER, files


def main() -> None:
    """Write all files, and take away what no page stands for any more."""
    FOLDER.mkdir(exist_ok=True)
    texts = files()
    for left_over in sorted(set(FOLDER.glob("*.json")) - {FOLDER / name for name in texts}):
        left_over.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(texts)} dashboards in {FOLDER}\n")


if __name__ == "__main__":
    main()
