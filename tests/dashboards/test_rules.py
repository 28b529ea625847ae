"""What makes the rules: one plan, two profiles, and files that are as made."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dashboards.rules import files
from dashboards.rules.__main__ import committed, main
from dashboards.rules.plan import PROFILES, TEST, Plan, of, seconds
from tests.dashboards.story import alerts
from tests.fakes.needs import needs

LABELS = {"severity", "scope"}
SAID = {"summary", "description", "runbook_url", "dashboard_url"}
DASHBOARDS = {
    "vcmon-country",
    "vcmon-province",
    "vcmon-endpoint",
    "vcmon-vantage",
    "vcmon-slo",
    "vcmon-meeting",
}
ROOT = Path(__file__).resolve().parents[2]


def rules(plan: Plan) -> list[dict[str, Any]]:
    """Every rule of the plan, as a reader of the files has it."""
    texts = files.rendered(plan).values()
    groups = [group for text in texts for group in YAML(typ="safe").load(text)["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_the_committed_files_are_as_made() -> None:
    """For several vantages and for one, byte by byte."""
    for folder, texts in committed().items():
        assert files.differing(texts, folder) == (), "run python -m dashboards.rules"


@pytest.mark.parametrize("plan", [*PROFILES.values(), of("production", voters=1)])
def test_promtool_accepts_them(plan: Plan, tmp_path: Path) -> None:
    """Each profile, without a warning."""
    files.write(files.rendered(plan), tmp_path)
    paths = sorted(str(path) for path in tmp_path.glob("*.yml"))
    done = subprocess.run(
        [needs("promtool", "prometheus"), "check", "rules", *paths],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.count("SUCCESS") == 2


@pytest.mark.parametrize("name", ["prometheus.yml", "longterm.yml"])
def test_promtool_accepts_the_settings(name: str) -> None:
    """Of Prometheus, with the rules that they name."""
    done = subprocess.run(
        [
            *(needs("promtool", "prometheus"), "check", "config"),
            str(ROOT / "dashboards" / "prometheus" / name),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "2 rule files found" in done.stdout


def test_profiles_differ_in_durations_only() -> None:
    """The same rules by name, in the same order; in the test's none waits a minute."""
    names = [
        [rule.get("record") or rule["alert"] for rule in rules(plan)] for plan in PROFILES.values()
    ]
    assert names[0] == names[1]
    waits = [seconds(rule["for"]) for rule in rules(TEST) if "for" in rule]
    assert max(waits) < 60


def test_every_alert_says_what_and_where() -> None:
    """Severity and scope; summary, description, a runbook that is there, a dashboard we make."""
    for rule in (rule for rule in rules(PROFILES["production"]) if "alert" in rule):
        assert set(rule["labels"]) == LABELS
        assert set(rule["annotations"]) == SAID
        name = rule["alert"]
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md")
        page = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()
        assert page.startswith(f"# {name}\n")
        uid = rule["annotations"]["dashboard_url"].partition("/d/")[2].partition("/")[0]
        assert uid in DASHBOARDS
        made = ROOT / "dashboards" / "grafana"
        assert not made.is_dir() or (made / f"{uid}.json").is_file()


def test_every_runbook_has_its_alert() -> None:
    """No page tells of an alert that is no more, and the index has each."""
    folder = ROOT / "docs" / "runbooks"
    index = (folder / "README.md").read_text()
    names = {alert.name for alert in alerts()}
    assert {path.stem for path in folder.glob("Vcmon*.md")} == names
    assert {name for name in names if f"]({name}.md)" in index} == names


def test_a_pair_of_prometheus_sends_the_same() -> None:
    """No alert about a province carries what differs between replicas, or between vantages."""
    for rule in rules(PROFILES["production"]):
        if rule.get("labels", {}).get("scope") in {"province", "parent", "slo"}:
            own = {"instance", "vantage", "region", "replica"}
            assert not own & set(rule["labels"])
            assert not any(f"$labels.{label}" in str(rule["annotations"]) for label in own)


@pytest.mark.parametrize(
    ("objective", "times", "share"),
    [("99.5", "14.4", "0.072"), ("99.5", "1", "0.005"), ("99", "6", "0.06"), ("95", "1", "0.05")],
)
def test_the_budget_is_exact(objective: str, times: str, share: str) -> None:
    """So many times the share of time that the objective leaves, without binary fractions."""
    assert of("production", objective=Decimal(objective)).budget(Decimal(times)) == share


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"voters": 0}, "voters: expected 1 or more"),
        ({"objective": Decimal(100)}, "objective: expected a percentage"),
        ({"told": "30m"}, "told: expected more than 30m"),
        ({"told": "half"}, "duration: expected one like 5s"),
        ({"evaluation": "often"}, "duration: expected one like 5s"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, object], why: str) -> None:
    """Before anything is written, with what was expected."""
    with pytest.raises(ValueError, match=why):
        of("production", **changes)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--check"], 0, ""),
        (["--voters", "3"], 2, "expected --out"),
        (["--voters", "0", "--out", "x"], 2, "voters: expected 1 or more"),
        (["--check", "--out", "/nowhere"], 1, "not as made"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit codes 0, 1 and 2, the reason on stderr, nothing written."""
    monkeypatch.setattr(sys, "argv", ["rules", *arguments])
    assert main() == code
    assert said in capsys.readouterr().err


def test_changed_values_are_written_where_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the options in the head, so that the next one can make it again."""
    monkeypatch.setattr(
        sys, "argv", ["rules", "--objective", "99", "--voters", "3", "--out", str(tmp_path)]
    )
    assert main() == 0
    text = (tmp_path / "alerts.yml").read_text()
    assert "dashboards.rules --voters 3 --objective 99\n" in text
    assert "province:vcmon_vantages_voting:count >= 3" in text
    assert "ratio6h > 0.06" in text
