"""Every alert, by promtool: it fires, it doesn't where it shouldn't, and it resolves once."""

from __future__ import annotations

import subprocess

import pytest

from tests.dashboards import chapters
from tests.dashboards.story import alerts
from tests.fakes.needs import needs


@pytest.mark.parametrize("name", sorted(path.name for path in chapters.FOLDER.glob("*.yml")))
def test_each_story_is_true(name: str) -> None:
    """Exactly the alerts that it tells of, from when to when, with these texts; no other."""
    done = subprocess.run(
        [needs("promtool", "prometheus"), "test", "rules", str(chapters.FOLDER / name)],
        capture_output=True,
        check=False,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stories_are_committed() -> None:
    """What promtool reads is what the stories say."""
    committed = {path.name: path.read_text() for path in chapters.FOLDER.glob("*.yml")}
    assert committed == chapters.files(), "run python -m tests.dashboards.chapters"


def test_every_alert_has_its_story() -> None:
    """Each fires in some story and resolves there, and its texts are read in one."""
    fires = [each for stories in chapters.told().values() for s in stories for each in s.fires]
    names = {alert.name for alert in alerts()} - {"VcmonWatchdog"}  # fires in each, always
    assert {each.alert for each in fires if each.stop is not None} == names
    assert {each.alert for each in fires if each.says[0]} == names


def test_every_alert_is_silent_in_some_story() -> None:
    """None is told of everywhere: each has stories in which it must not fire."""
    stories = [story for told in chapters.told().values() for story in told]
    for alert in alerts():
        silent = [s for s in stories if alert.name not in {each.alert for each in s.fires}]
        assert len(silent) > 10, alert.name
