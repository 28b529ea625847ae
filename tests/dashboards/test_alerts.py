"""Every alert, by promtool: it fires, it doesn't where it shouldn't, and it resolves once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.dashboards import province_stories
from tests.dashboards.story import Story
from tests.fakes.needs import needs

RULES = Path(__file__).resolve().parents[2] / "dashboards" / "prometheus"


def written(stories: Iterable[Story], step: int, rules: Path = RULES) -> str:
    """The stories of one step as a file for ``promtool test rules``."""
    out = StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.dump(
        {
            "rule_files": [str(rules / "recording.yml"), str(rules / "alerts.yml")],
            "evaluation_interval": f"{step}s",
            "tests": [story.document() for story in stories if story.step == step],
        },
        out,
    )
    return out.getvalue()


def run(text: str, folder: Path) -> str:
    """What promtool has to say; "" when all is as told."""
    (folder / "t.yml").write_text(text)
    done = subprocess.run(
        [needs("promtool", "prometheus"), "test", "rules", str(folder / "t.yml")],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("stories", [province_stories.stories])
def test_each_story(stories: Callable[[], Iterable[Story]], tmp_path: Path) -> None:
    """Exactly the alerts that it tells of, from when to when, with these texts."""
    told = list(stories())
    for step in {story.step for story in told}:
        assert run(written(told, step), tmp_path) == ""
