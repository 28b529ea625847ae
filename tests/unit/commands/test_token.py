"""``vcmon token``: made, shown once, renewed, taken away."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.filled_memory import settings_of
from vcmon.cli import cli
from vcmon.config.tokens import matches, read, split
from vcmon.errors import StartError

Vcmon = Callable[..., Result]


@pytest.fixture
def vcmon(tmp_path: Path) -> Vcmon:
    config = settings_of(tmp_path, "web: {tokens_file: tokens}\n")

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--config", str(config)])

    return run


def opens(folder: Path, text: str) -> bool:
    parts = split(text.strip())
    assert parts is not None
    return matches(read(folder / "tokens").get(parts[0]), parts[1])


def test_a_token_is_shown_once_and_kept_nowhere(vcmon: Vcmon, tmp_path: Path) -> None:
    """It opens; neither the file nor any command shows it again."""
    made = vcmon("token", "add", "budi", "--role", "operator")
    assert made.exit_code == 0
    assert opens(tmp_path, made.stdout)
    secret = made.stdout.strip().partition(".")[2]
    assert secret not in (tmp_path / "tokens").read_text()
    listed = vcmon("token", "list").stdout
    assert listed.splitlines() == ["name  role", "budi  operator"]
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o600


def test_a_renewed_token_replaces_the_old_one(vcmon: Vcmon, tmp_path: Path) -> None:
    """Same name, same role; the old text opens no more, others are left alone."""
    old = vcmon("token", "add", "budi", "--role", "operator").stdout
    other = vcmon("token", "add", "tv").stdout
    new = vcmon("token", "renew", "budi").stdout
    assert [opens(tmp_path, text) for text in (old, new, other)] == [False, True, True]
    assert [str(each.role) for each in read(tmp_path / "tokens").values()] == ["operator", "viewer"]


def test_a_removed_token_opens_no_more(vcmon: Vcmon, tmp_path: Path) -> None:
    """The last one leaves an empty file behind."""
    text = vcmon("token", "add", "budi").stdout
    assert vcmon("token", "remove", "budi").stdout == "budi is removed\n"
    assert not opens(tmp_path, text)
    assert "nobody can act" in vcmon("token", "list").stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "budi"), "budi has a token; 'vcmon token renew budi'"),
        (("add", "vcmon"), "expected a name"),
        (("add", "a:operator:b"), "expected a name"),
        (("add", "a\nroot:operator:x"), "found 'a\\x0aroot"),
        (("add", "\x1b[31m"), "found '\\x1b[31m'"),
        (("add", "ani", "--role", "root"), "operator"),
        (("remove", "ani"), "there are: budi"),
        (("renew", "ani"), "there are: budi"),
    ],
)
def test_a_refusal_changes_nothing(
    vcmon: Vcmon, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    """Exit code 2 and what was expected; the file is as it was."""
    vcmon("token", "add", "budi")
    before = (tmp_path / "tokens").read_bytes()
    done = vcmon("token", *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert "\x1b" not in done.stderr
    assert (tmp_path / "tokens").read_bytes() == before


def test_without_a_place_for_tokens_it_says_where(tmp_path: Path) -> None:
    """The setting is named; nothing is made."""
    config = settings_of(tmp_path)
    done = CliRunner().invoke(cli, ["token", "add", "budi", "--config", str(config)])
    assert done.exit_code == 2
    assert "web.tokens_file is not set" in done.stderr
    settings_of(tmp_path, "web: {tokens_file: gone/tokens}\n")
    done = CliRunner().invoke(cli, ["token", "add", "budi", "--config", str(config)])
    assert isinstance(done.exception, StartError)


def test_a_damaged_file_is_not_written_over(vcmon: Vcmon, tmp_path: Path) -> None:
    """What can't be read is told with its line, and stays for somebody to look at."""
    path = tmp_path / "tokens"
    path.write_text("budi:operator\n")
    path.chmod(0o600)
    done = vcmon("token", "add", "ani")
    assert (done.exit_code, "line 1: expected name:role:hash" in done.stderr) == (2, True)
    assert path.read_text() == "budi:operator\n"


def test_made_by_root_the_file_belongs_to_the_service(vcmon: Vcmon, tmp_path: Path) -> None:
    """It has its folder's owner, who has to read it; a file that is there keeps its own."""
    assert os.geteuid() == 0, "these tests run as root"
    os.chown(tmp_path, 12345, 12346)
    vcmon("token", "add", "budi")
    it = (tmp_path / "tokens").stat()
    assert (it.st_uid, it.st_gid) == (12345, 12346)
    os.chown(tmp_path / "tokens", 12347, 12348)
    vcmon("token", "add", "ani")
    it = (tmp_path / "tokens").stat()
    assert (it.st_uid, it.st_gid) == (12347, 12348)


@pytest.mark.parametrize(
    "command", ["token add", "token renew", "token remove", "token list", "passwd"]
)
def test_help_has_an_example(command: str) -> None:
    """Each command explains itself with one."""
    done = CliRunner().invoke(cli, [*command.split(), "--help"])
    assert f"Example: vcmon {command}" in done.stdout
