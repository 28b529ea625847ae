"""The stories as files for ``promtool test rules``: ``python -m tests.dashboards.chapters``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from tests.dashboards import budget_stories, province_stories, single_stories, vantage_stories
from tests.dashboards.story import Story

FOLDER = Path(__file__).resolve().parents[2] / "dashboards" / "tests"

ORDER = ("vcmon-verdicts", "vcmon-endpoints", "vcmon-ratios", "vcmon-warnings")
"""Prometheus evaluates groups side by side; promtool in any order, unless one is given."""

HEAD = """\
# Made by: python -m tests.dashboards.chapters
# Run by:  promtool test rules dashboards/tests/*.yml
"""


def told() -> Mapping[str, tuple[Story, ...]]:
    """All stories, by chapter."""
    return {
        "provinces": tuple(province_stories.stories()),
        "vantages": tuple(vantage_stories.stories()),
        "budget": tuple(budget_stories.stories()),
        "single": tuple(single_stories.stories()),
    }


def files() -> Mapping[str, str]:
    """The files by name. One holds what is evaluated as often: promtool knows one step a file."""
    found = {}
    for chapter, stories in told().items():
        rules = "../prometheus/single" if chapter == "single" else "../prometheus"
        for step in sorted({story.step for story in stories}):
            these = [story for story in stories if story.step == step]
            found[f"{chapter}-{step}s.yml"] = HEAD + text(these, step, rules)
    return found


def text(stories: Iterable[Story], step: int, rules: str) -> str:
    """The stories, all of this step, over the rules in that folder."""
    yaml = YAML()
    yaml.width = 4096
    out = StringIO()
    yaml.dump(
        {
            "rule_files": [f"{rules}/recording.yml", f"{rules}/alerts.yml"],
            "evaluation_interval": f"{step}s",
            "group_eval_order": list(ORDER),
            "tests": [story.document() for story in stories],
        },
        out,
    )
    return out.getvalue()


def main() -> None:
    """Write them."""
    for old in FOLDER.glob("*.yml"):
        old.unlink()
    FOLDER.mkdir(exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    main()
