"""Alertmanager's settings: its own tools accept them, and every alert comes where it should."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.alertmanager import CONFIG, TEMPLATE, SecretError, __main__, inlined, read
from dashboards.stack.settings import read_yaml
from tests.dashboards.chapters import told
from tests.dashboards.story import alerts
from tests.fakes.needs import needs

RULES = CONFIG.parents[1] / "prometheus"
SECRETS = {
    "telegram_token": "123:not-a-token",
    "outside_url": "http://127.0.0.1:9/outside",
    "pager_url": "http://127.0.0.1:9/pager?a=\"b\"'c'",
}
ZONES = {
    "Asia/Jakarta": "duty-wib",
    "Asia/Pontianak": "duty-wib",
    "Asia/Makassar": "duty-wita",
    "Asia/Jayapura": "duty-wit",
    "": "duty-centre",
}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, text in SECRETS.items():
        (folder / name).write_text(f"{text}\n")
    return folder


@pytest.fixture
def config(tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings for the Alertmanager that is installed here."""
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["am", "--secrets", str(secrets), "--out", str(out)])
    assert __main__.main() == 0
    return out / CONFIG.name


def amtool(*arguments: str) -> str:
    done = subprocess.run(
        [needs("amtool", "prometheus-alertmanager"), *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_amtool_accepts_it(config: Path) -> None:
    """With its template, on the oldest Alertmanager that is meant."""
    said = amtool("check-config", str(config))
    assert "SUCCESS" in said
    assert "1 templates" in said


def test_amlint_has_nothing_to_say() -> None:
    """Held against our rules: no alert is lost, no route is dead, no inhibition is too wide."""
    command = [sys.executable, "-m", "amlint.cli", "check", "--strict", "--format", "json"]
    rules = ["--rules", str(RULES / "alerts.yml")]
    done = subprocess.run(
        [*command, str(CONFIG), *rules], capture_output=True, check=False, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == []


def test_every_alert_comes_where_it_should(config: Path) -> None:
    """Critical ones to the pager alone, warnings to their zone and the mailbox, one to outside; a
    meeting's to the Centre, at any hour.
    """
    for alert in alerts():
        labels = {"alertname": alert.name, "severity": alert.severity, "scope": alert.scope}
        wanted = {"critical": "pager", "none": "outside", "info": "mail"}.get(alert.severity)
        wanted = "duty-centre" if alert.scope == "meeting" else wanted
        for zone, duty in ZONES.items() if wanted is None else [("Asia/Jakarta", "")]:
            pairs = [f"{key}={text}" for key, text in {**labels, "timezone": zone}.items() if text]
            test = amtool("config", "routes", "test", f"--config.file={config}", *pairs)
            assert test.strip() == (wanted or f"{duty},mail"), pairs


def test_a_page_shares_its_message_with_no_other() -> None:
    """All that tells two pages of one alert apart tells their messages apart, too."""
    critical = {alert.name for alert in alerts() if alert.severity == "critical"}
    stories = (story for chapter in told().values() for story in chapter)
    apart = {
        label
        for story in stories
        for firing in story.fires
        if firing.alert in critical
        for label in firing.labels
    }
    routes = read_yaml(CONFIG)["route"]["routes"]
    pager = next(route for route in routes if route["receiver"] == "pager")
    apart -= {"job"}  # there is one
    assert {"province", "parent", "group"} <= apart <= set(pager["group_by"])


def test_secrets_are_inside_and_for_few(config: Path) -> None:
    """Quoted, whatever they hold, in a file that others can't read."""
    text = config.read_text()
    assert text.count("123:not-a-token") == 5
    assert "url: " + json.dumps(SECRETS["pager_url"]) in text
    assert "_file: /etc/prometheus/secrets/smtp_password" in text
    assert "bot_token_file" not in text
    assert config.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", ["", "\n", "a\nb", "a b", "\x1b[2J", "x" * 5000])
def test_a_secret_is_one_line(content: str, tmp_path: Path) -> None:
    """Anything else is told with the file's name, and not with what is in it."""
    (tmp_path / "s").write_text(content)
    with pytest.raises(SecretError, match="expected one line") as refused:
        read(tmp_path / "s")
    assert not content.strip() or content not in str(refused.value)


def test_a_missing_secret_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the file's name, and nothing written."""
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["am", "--secrets", str(tmp_path), "--out", str(out)])
    assert __main__.main() == 1
    assert "outside_url: can't be read" in capsys.readouterr().err
    assert not out.exists()


def test_the_settings_hold_no_secret() -> None:
    """What is committed names files only."""
    text = CONFIG.read_text()
    assert "bot_token:" not in text
    assert inlined("url: x\n") == "url: x\n"


ALERT = {
    "status": "firing",
    "startsAt": "2026-11-23T02:41:07Z",
    "labels": {
        "alertname": "VcmonProvinceDown",
        "timezone": "Asia/Jayapura",
        "severity": "critical",
    },
    "annotations": {
        "summary": "Papua (WIT) <b>is down",
        "description": "3 of 3 voting vantages",
        "runbook_url": "https://vcmon.example/r.md",
        "dashboard_url": "https://grafana.example/d/x?a=1&b=2",
    },
}


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("vcmon.subject", "text", ["[vcmon critical] Papua (WIT) <b>is down (+1)"]),
        ("vcmon.text", "text", ["since 23.11. 11.41 WIT", "Resolved: Papua (WIT)", "a=1&b=2"]),
        ("vcmon.telegram", "html", ["<b>Papua (WIT) &lt;b&gt;is down</b>", "<b>Resolved:</b>"]),
    ],
)
def test_messages_are_written(name: str, kind: str, wanted: list[str], tmp_path: Path) -> None:
    """In the zone's own time; text from outside is text, also where the message is HTML."""
    data = {
        "receiver": "pager",
        "status": "firing",
        "alerts": [ALERT, {**ALERT, "status": "resolved"}],
        "commonLabels": ALERT["labels"],
        "groupLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://am.example",
    }
    (tmp_path / "data.json").write_text(json.dumps(data))
    said = amtool(
        *("template", "render", f"--template.glob={TEMPLATE}", f"--template.type={kind}"),
        f'--template.text={{{{ template "{name}" . }}}}',
        f"--template.data={tmp_path / 'data.json'}",
    )
    for text in wanted:
        assert text in said
