"""``vcmon incident`` and ``vcmon maintenance`` on a file: what they say, write and refuse."""

from __future__ import annotations

import json
import os
import pwd
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.filled_memory import HOSTILE, fill, settings_of
from vcmon.cli import cli
from vcmon.errors import ConfigError, StartError
from vcmon.history.store import Store
from vcmon.model.memory import Cause, Entry, Incident

Vcmon = Callable[..., Result]
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def config(tmp_path: Path) -> Path:
    fill(tmp_path / "m.db")
    return settings_of(tmp_path)


@pytest.fixture
def vcmon(config: Path, monkeypatch: pytest.MonkeyPatch) -> Vcmon:
    monkeypatch.delenv("SUDO_USER", raising=False)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--config", str(config)])

    return run


def told(config: Path, number: int) -> Incident:
    store = Store.open(config.parent / "m.db", write=False)
    found = store.incident(number)
    store.close()
    assert found is not None
    return found


def trail(config: Path) -> list[Entry]:
    store = Store.open(config.parent / "m.db", write=False)
    found = store.trail(0, 1e11)
    store.close()
    return found


def test_the_list_shows_what_is_asked(vcmon: Vcmon) -> None:
    """Thirty days, only open ones, or a month; plain columns where there is no terminal."""
    everything = vcmon("incident", "list")
    assert everything.exit_code == 0
    lines = everything.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["no", "2", "1"]
    assert re.search(r"WIB  10m 0s, goes on  endpoint:a  timeout  unknown  2 +-$", lines[1])
    only = vcmon("incident", "list", "--open").stdout.splitlines()
    assert [line.split()[0] for line in only] == ["no", "2"]
    assert vcmon("incident", "list", "--month", "2021-01").stdout == "no incidents\n"
    old = time.strftime("%Y-%m", time.gmtime(time.time() - 40 * 86400 + 7 * 3600))
    assert "\n3 " in vcmon("incident", "list", "--month", old).stdout


def test_json_is_the_apis(vcmon: Vcmon) -> None:
    """--json gives an object with the incidents, open ones without an end."""
    found = json.loads(vcmon("incident", "list", "--json").stdout)
    assert [(each["id"], each["open"], each["stop"] is None) for each in found["incidents"]] == [
        (2, True, True),
        (1, False, False),
    ]
    one = json.loads(vcmon("incident", "show", "2", "--json").stdout)
    assert one["members"][1]["subject"] == "province:aceh"


def test_an_incidents_whole_course(vcmon: Vcmon, config: Path) -> None:
    """Acknowledged, noted, judged, closed: each deed is kept, shown, and in the trail."""
    done = [
        vcmon("incident", "ack", "1", "--name", "Budi", "--note", "call", "--ticket", "IN-1"),
        vcmon("incident", "note", "1", "kabel putus", "--name", "Siti"),
        vcmon("incident", "cause", "1", "cable", "--name", "Siti"),
        vcmon("incident", "close", "1", "--name", "Siti", "--note", "selesai"),
    ]
    assert [each.exit_code for each in done] == [0, 0, 0, 0], done
    assert done[0].stdout == "incident 1 (endpoint:b): Budi: ack; ticket IN-1; call\n"
    assert told(config, 1).cause is Cause.CABLE
    shown = vcmon("incident", "show", "1").stdout
    for words in (
        "Budi: ack",
        "Siti: note; kabel putus",
        "Siti: cause; cause cable",
        "Siti: close",
    ):
        assert words in shown
    entries = [(e.who, e.role, e.action, e.target) for e in trail(config)]
    assert entries == [(ME, "shell", d, "incident:1") for d in ("ack", "note", "cause", "close")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("ack", "9"), "no incident 9; the latest is 3"),
        (("show", "9"), "no incident 9; the latest is 3"),
        (("ack", str(10**30)), "no incident 1000"),
        (("show", str(10**30)), "no incident 1000"),
        (("close", "2", "--cause", "cable"), "goes on"),
        (("close", "1"), "close it with one"),
        (("note", "1", "  "), "a note needs a text"),
        (("note", "1", "x" * 2001), "2000 at most"),
        (("ack", "1", "--name", "vcmon"), "give your own name"),
        (("list", "--month", "october"), "expected a month as 2026-10"),
    ],
)
def test_a_refusal_is_one_line_and_exit_two(
    vcmon: Vcmon, config: Path, words: tuple[str, ...], why: str
) -> None:
    """It says why and what would do, writes nothing, and shows no traceback."""
    done = vcmon("incident", *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert trail(config) == []


def test_an_unknown_cause_is_told_with_the_known_ones(vcmon: Vcmon) -> None:
    """The message names all causes."""
    done = vcmon("incident", "cause", "1", "gremlins")
    assert done.exit_code == 2
    assert all(cause in done.stderr for cause in Cause)


def test_hostile_text_is_printed_not_obeyed(vcmon: Vcmon) -> None:
    """Escapes, overrides and line ends of a note neither steer the terminal nor forge a line."""
    before = vcmon("incident", "show", "2").stdout
    done = vcmon("incident", "ack", "2", "--name", HOSTILE, "--note", HOSTILE + "\udcff")
    assert done.exit_code == 0
    for shown in (
        done.stdout,
        vcmon("incident", "show", "2").stdout,
        vcmon("incident", "list").stdout,
    ):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert len(vcmon("incident", "show", "2").stdout.splitlines()) == len(before.splitlines()) + 1


def test_the_author_is_who_is_logged_in(
    vcmon: Vcmon, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The OS user speaks; who came by sudo speaks for themselves; both are in the trail."""
    vcmon("incident", "note", "1", "one")
    monkeypatch.setenv("SUDO_USER", "sari")
    vcmon("incident", "note", "1", "two")
    authors = [remark.author for remark in told(config, 1).remarks]
    assert authors == [ME, "sari" if ME == "root" else ME]
    assert [entry.who for entry in trail(config)] == [ME, f"{ME} (sari)"]


def test_without_a_memory_it_says_so(tmp_path: Path) -> None:
    """No file, none wanted, or one of somebody else: told, and none is made."""
    config = settings_of(tmp_path)
    done = CliRunner().invoke(cli, ["incident", "list", "--config", str(config)])
    assert isinstance(done.exception, StartError)
    assert "vcmon has not run yet" in str(done.exception)
    assert not (tmp_path / "m.db").exists()
    (tmp_path / "m.db").write_text("something else" * 1000)
    done = CliRunner().invoke(cli, ["incident", "ack", "1", "--config", str(config)])
    assert isinstance(done.exception, StartError)
    config.write_text("history: {path: ''}\ninclude: [i.csv]\n")
    done = CliRunner().invoke(cli, ["maintenance", "list", "--config", str(config)])
    assert "there is no memory" in str(done.exception)
    done = CliRunner().invoke(cli, ["maintenance", "list", "--config", str(tmp_path / "no.yaml")])
    assert isinstance(done.exception, ConfigError)


def tomorrow(days: float = 1) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + days * 86400))


def plan(vcmon: Vcmon, **changed: str) -> Result:
    wanted = {"scope": "province:Aceh", "title": "Router", "start": tomorrow(), "duration": "2h"}
    wanted |= {"name": "Budi"} | changed
    return vcmon("maintenance", "add", *(w for k, v in wanted.items() for w in (f"--{k}", v)))


def test_maintenance_is_planned_listed_and_ended(vcmon: Vcmon, config: Path) -> None:
    """A window gets a number, stands in the list with its next time, and is gone when ended."""
    assert vcmon("maintenance", "list").stdout == "no maintenance is planned\n"
    done = plan(vcmon, repeat="FREQ=DAILY", zone="WIT")
    assert (done.exit_code, done.stdout[:31]) == (0, "maintenance 1: province:aceh, R"), done
    line = vcmon("maintenance", "list", "--days", "3").stdout.splitlines()[1]
    assert line.split()[0] == "1"
    assert "2h 0m  province:aceh  Router  FREQ=DAILY  Budi" in line
    listed = json.loads(vcmon("maintenance", "list", "--days", "3", "--json").stdout)
    assert [each["zone"] for each in listed["maintenance"]] == ["Asia/Jayapura"]
    assert 2 <= len(listed["occasions"]) <= 3
    assert vcmon("maintenance", "end", "1").stdout == "maintenance 1 (Router) is ended\n"
    assert vcmon("maintenance", "list").stdout == "no maintenance is planned\n"
    again = vcmon("maintenance", "end", "1")
    assert (again.exit_code, "it was ended at" in again.stderr) == (2, True)
    assert [e.action for e in trail(config)] == ["plan", "end"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"scope": "province:Atlantis"}, "scope: expected a province, found 'Atlantis'"),
        ({"scope": "endpoint:z"}, "scope: no endpoint of that name here: 'z'"),
        ({"scope": "provider:telkom"}, "did you mean 'Telkom'?"),
        ({"scope": "everything"}, "scope: expected one of province:"),
        ({"zone": "Mars/Olympus"}, "zone: expected a time zone"),
        ({"zone": "../../etc/passwd"}, "zone: expected a time zone"),
        ({"start": "tomorrow"}, "start: expected a local time"),
        ({"start": "2020-01-01 10:00"}, "begins now or later"),
        ({"duration": "2"}, "duration: expected a duration like 10s"),
        ({"duration": "90d"}, "duration: expected 1m to 31d"),
        ({"repeat": "FREQ=SECONDLY"}, "repeat: expected FREQ="),
        ({"repeat": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "this never happens"),
        ({"title": "\u202e"}, "title: expected a few words"),
        ({"title": "x" * 201}, "title: "),
        ({"name": "vcmon"}, "give your own name"),
    ],
)
def test_wrong_maintenance_is_refused(
    vcmon: Vcmon, config: Path, changed: dict[str, str], why: str
) -> None:
    """One line names the option and what was expected; exit code 2; nothing is written."""
    done = plan(vcmon, **changed)
    assert done.exit_code == 2, done
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert trail(config) == []


def test_all_that_is_wrong_is_told_at_once(vcmon: Vcmon) -> None:
    """Scope, zone and start wrong: all three are in the line."""
    told_all = plan(vcmon, scope="x", zone="y", start="z").stderr
    assert [word in told_all for word in ("scope:", "zone:", "start:")] == [True] * 3


@pytest.mark.parametrize(
    "command",
    [*(f"incident {c}" for c in ("list", "show", "ack", "note", "cause", "close")),
     *(f"maintenance {c}" for c in ("list", "add", "end"))],
)  # fmt: skip
def test_help_has_an_example(command: str) -> None:
    """Each command explains itself with one."""
    done = CliRunner().invoke(cli, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert f"Example: vcmon {command}" in done.stdout
