"""``vcmon meeting`` on a file: what it says, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from typer.testing import CliRunner, Result

from tests.fakes.calendars import GOOGLE, OUTLOOK, ZOOM, event
from tests.fakes.filled_memory import HOSTILE, fill, settings_of
from vcmon.cli import cli
from vcmon.errors import ConfigError
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting

Vcmon = Callable[..., Result]
NOW = datetime(2026, 11, 20, 9, tzinfo=ZoneInfo("Asia/Jakarta"))
MEETINGS = """
meetings:
  - {id: mingguan, title: Rapat mingguan, start: 2026-11-27 08:00, duration: 2h,
     repeat: FREQ=WEEKLY}
"""


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def vcmon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vcmon:
    monkeypatch.delenv("SUDO_USER", raising=False)
    fill(tmp_path / "m.db")
    config = settings_of(tmp_path, MEETINGS)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--config", str(config)])

    return run


def plan(vcmon: Vcmon, **options: str) -> Result:
    wanted = {"title": "Rapat Pilkada", "start": "2026-11-26 09:00", "duration": "1h"} | options
    return vcmon("meeting", "add", *(w for k, v in wanted.items() for w in (f"--{k}", v)))


def kept(folder: Path) -> list[Meeting]:
    store = Store.open(folder / "m.db", write=False)
    found = store.meetings()
    store.close()
    return found


def written(folder: Path, data: bytes) -> str:
    path = folder / "x.ics"
    path.write_bytes(data)
    return str(path)


def test_the_list_shows_what_is_next(vcmon: Vcmon) -> None:
    """The settings' meetings and people's, the next one first, in plain columns."""
    plan(vcmon, required="aceh, 51", optional="all", zone="WIT")
    lines = vcmon("meeting", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "rapat-pilkada", "mingguan"]
    assert lines[1].split()[1:7] == ["2026-11-26", "07:00:00", "WIB", "1h", "0m", "2"]
    assert lines[2].endswith("FREQ=WEEKLY  settings")


def test_the_list_as_json_is_the_apis(vcmon: Vcmon) -> None:
    """Meetings and their sittings within the days that are asked for."""
    found = json.loads(vcmon("meeting", "list", "--days", "15", "--json").stdout)
    assert [each["id"] for each in found["meetings"]] == ["mingguan"]
    assert [each["id"] for each in found["sittings"]] == [
        "mingguan-20261127-0800", "mingguan-20261204-0800",
    ]  # fmt: skip


def test_an_empty_list_says_so(tmp_path: Path) -> None:
    """One line, not a table without rows."""
    fill(tmp_path / "m.db")
    config = settings_of(tmp_path)
    done = CliRunner().invoke(cli, ["meeting", "list", "--config", str(config)])
    assert done.stdout == "no meeting is planned\n"


def test_a_meeting_is_planned_and_its_clashes_are_pointed_out(vcmon: Vcmon, tmp_path: Path) -> None:
    """Planned all the same: whoever plans it decides."""
    done = plan(vcmon, start="2026-12-24 09:00")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "meeting rapat-pilkada: Rapat Pilkada, 2026-12-24 09:00:00 WIB",
        (
            "note: rapat-pilkada-20261224-0900 (Rapat Pilkada), 2026-12-24 09:00 WIB: "
            "on a holiday, Cuti Bersama Hari Raya Natal"
        ),
    ]
    assert [each.id for each in kept(tmp_path)] == ["rapat-pilkada"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"start": "9"}, "start: expected a local time as"),
        (
            {"required": "acheh"},
            "required: expected a province or 'all', found 'acheh'; did you me",
        ),
        ({"duration": "25h"}, "duration: expected 1m to 1d, found 25h"),
        ({"duration": "1"}, "duration: expected a duration like 10s"),
        ({"start": "2026-11-19 09:00"}, "start: it never takes place after now"),
        ({"id": "mingguan"}, "id: there is a meeting mingguan already"),
        ({"room": "x"}, "room: no endpoint of that name here: 'x'"),
        ({"repeat": "FREQ=HOURLY"}, "repeat: expected FREQ=, one of DAILY"),
    ],
)
def test_what_is_wrong_is_refused(
    vcmon: Vcmon, tmp_path: Path, options: dict[str, str], why: str
) -> None:
    """Exit 2, in words, and nothing is written."""
    done = plan(vcmon, **options)
    assert done.exit_code == 2
    assert why in done.stderr
    assert kept(tmp_path) == []


@pytest.mark.parametrize("data", [OUTLOOK, ZOOM, GOOGLE])
def test_a_calendar_is_brought_in_once(vcmon: Vcmon, tmp_path: Path, data: bytes) -> None:
    """The second time nothing changes."""
    file = written(tmp_path, data)
    first = vcmon("meeting", "import", file, "--required", "aceh", "--room", "a")
    assert first.exit_code == 0
    count = first.stdout.count("planned: ")
    assert {each.room for each in kept(tmp_path)} == {"a"}
    assert all(len(each.seats) == 1 for each in kept(tmp_path))
    again = vcmon("meeting", "import", file)
    assert (again.exit_code, again.stdout.count("planned: ")) == (0, 0)
    assert f"{count} as they were" in again.stdout


def test_an_import_tells_what_it_leaves_out(vcmon: Vcmon, tmp_path: Path) -> None:
    """With file and line, and nothing at all is written on a dry run."""
    file = written(tmp_path, GOOGLE)
    done = vcmon("meeting", "import", file, "--dry-run")
    assert f"{file}:42: Natal: it lasts the whole day" in done.stdout
    assert "would be planned: rapat-pilkada (Rapat Pilkada)" in done.stdout
    assert kept(tmp_path) == []


def test_a_calendar_changes_and_calls_off(vcmon: Vcmon, tmp_path: Path) -> None:
    """A later file of the same UID."""
    lines = ("DTSTART:20261126T010000Z", "SUMMARY:Rapat")
    vcmon("meeting", "import", written(tmp_path, event(*lines)))
    later = written(tmp_path, event("DTSTART:20261126T020000Z", "SUMMARY:Rapat", "SEQUENCE:1"))
    assert "changed: rapat (Rapat)" in vcmon("meeting", "import", later).stdout
    gone = written(tmp_path, event("SEQUENCE:2", method="CANCEL"))
    assert "called off: rapat (Rapat)" in vcmon("meeting", "import", gone).stdout
    assert kept(tmp_path)[0].cancelled_at == NOW.timestamp()


def test_a_broken_calendar_changes_nothing(vcmon: Vcmon, tmp_path: Path) -> None:
    """Half of the file is good: it is not taken either, and what was there stays."""
    plan(vcmon)
    before = kept(tmp_path)
    broken = written(tmp_path, GOOGLE + event("DTSTART:x"))
    done = vcmon("meeting", "import", broken)
    assert isinstance(done.exception, ConfigError)  # main() tells it, exit 2
    assert str(done.exception).startswith(f"{broken}:60: DTSTART: expected a time as")
    assert kept(tmp_path) == before


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (event("DTSTART;VALUE=DATE:20261225"), "no meeting in it"),
        (None, "can't read"),
    ],
)
def test_a_file_with_nothing_in_it_is_refused(
    vcmon: Vcmon, tmp_path: Path, data: bytes | None, why: str
) -> None:
    """Exit 2, so that a script sees it."""
    file = str(tmp_path) if data is None else written(tmp_path, data)
    done = vcmon("meeting", "import", file)
    assert done.exit_code == 2
    assert why in done.stderr


def test_hostile_words_of_a_calendar_steer_no_terminal(vcmon: Vcmon, tmp_path: Path) -> None:
    """Titles are cleaned where they come in, and printed printable."""
    words = HOSTILE.replace("\n", "\\n")
    file = written(tmp_path, event("DTSTART:20261126T010000Z", f"SUMMARY:{words}"))
    done = vcmon("meeting", "import", file)
    assert done.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(done.stdout + vcmon("meeting", "list").stdout)


def test_one_sitting_is_moved_and_another_called_off(vcmon: Vcmon) -> None:
    """Of a meeting that stands in the settings, too; a new time that clashes is pointed out."""
    moved = vcmon("meeting", "move", "mingguan-20261127-0800", "--start", "2026-12-25 10:00")
    assert moved.stdout.splitlines() == [
        "moved: mingguan-20261127-0800, 2026-12-25 10:00:00 WIB",
        (
            "note: mingguan-20261127-0800 (Rapat mingguan), 2026-12-25 10:00 WIB: on a holiday, "
            "Hari Raya Natal"
        ),
    ]
    assert vcmon("meeting", "cancel", "mingguan-20261204-0800").exit_code == 0
    found = json.loads(vcmon("meeting", "list", "--days", "22", "--json").stdout)
    assert [each["id"] for each in found["sittings"]] == ["mingguan-20261211-0800"]
    assert vcmon("meeting", "cancel", "mingguan").stdout == "called off: mingguan\n"
    assert vcmon("meeting", "list").stdout == "no meeting is planned\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("cancel", "mingguan-20261128-0800"), "no sitting 'mingguan-20261128-0800'"),
        (("move", "x", "--start", "2026-12-25 10:00"), "no sitting 'x'"),
        (("move", "mingguan-20261127-0800", "--start", "10"), "expected a local time as"),
        (("move", "mingguan-20261127-0800", "--start", "2026-11-19 08:00"), "from now on"),
    ],
)
def test_what_can_not_be_changed_is_refused(
    vcmon: Vcmon, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    """Exit 2, in words, and nothing is written."""
    done = vcmon("meeting", *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert kept(tmp_path) == []


def test_check_tells_every_clash(vcmon: Vcmon) -> None:
    """Holidays and maintenance, exit 1; planning the maintenance tells it, too."""
    scope = ("--scope", "province:aceh", "--title", "Serat")
    when = ("--start", "2026-12-04 07:00", "--duration", "4h")
    note = (
        "mingguan-20261204-0800 (Rapat mingguan), 2026-12-04 08:00 WIB: "
        "under maintenance 'Serat' (province:aceh) of aceh"
    )
    added = vcmon("maintenance", "add", *scope, *when)
    assert added.stdout.splitlines()[1:] == [f"note: {note}"]
    done = vcmon("meeting", "check")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == note
    assert [line.partition(" ")[0] for line in lines[1:]] == [
        "mingguan-20261225-0800", "mingguan-20270101-0800", "mingguan-20270205-0800",
    ]  # fmt: skip


def test_check_of_nothing_is_well(tmp_path: Path) -> None:
    """Exit 0, and a line that says so."""
    fill(tmp_path / "m.db")
    config = settings_of(tmp_path)
    done = CliRunner().invoke(cli, ["meeting", "check", "--config", str(config)])
    assert (done.exit_code, done.stdout) == (0, "no meeting of the next 90 days clashes\n")


def test_checking_the_settings_notes_their_clashes(tmp_path: Path) -> None:
    """``vcmon check`` needs no memory for what the settings hold alone."""
    window = "maintenance: [{scope: 'island:Sumatera', title: Serat, start: 2026-11-27 09:00, "
    config = settings_of(tmp_path, f"{window}duration: 1h}}]\n{MEETINGS}")
    lines = CliRunner().invoke(cli, ["check", str(config)]).stdout.splitlines()
    assert [line for line in lines if line.startswith("note: mingguan-")] == [
        (
            "note: mingguan-20261127-0800 (Rapat mingguan), 2026-11-27 08:00 WIB: "
            "under maintenance 'Serat' (island:Sumatera) of aceh"
        ),
        (
            "note: mingguan-20261225-0800 (Rapat mingguan), 2026-12-25 08:00 WIB: on a holiday, "
            "Hari Raya Natal"
        ),
        (
            "note: mingguan-20270101-0800 (Rapat mingguan), 2027-01-01 08:00 WIB: on a holiday, "
            "Tahun Baru Masehi"
        ),
        (
            "note: mingguan-20270205-0800 (Rapat mingguan), 2027-02-05 08:00 WIB: on a holiday, "
            "Cuti Bersama Tahun Baru Imlek"
        ),
    ]
