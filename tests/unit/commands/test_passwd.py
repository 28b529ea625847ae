"""``vcmon passwd``: asked for, kept as a hash, never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.filled_memory import settings_of
from vcmon.cli import cli
from vcmon.config.users import read_users, verified
from vcmon.errors import StartError

GOOD = "kuda laut 1945"

Vcmon = Callable[..., Result]


@pytest.fixture
def vcmon(tmp_path: Path) -> Vcmon:
    config = settings_of(tmp_path, "web: {users_file: users}\n")

    def run(*words: str, typed: str = f"{GOOD}\n") -> Result:
        return CliRunner().invoke(cli, ["passwd", *words, "--config", str(config)], input=typed)

    return run


def test_a_password_is_kept_as_a_hash(vcmon: Vcmon, tmp_path: Path) -> None:
    """It opens; neither the file nor the answer shows it, and only the owner can read the file."""
    done = vcmon("budi", "--role", "operator")
    assert (done.exit_code, done.stdout) == (0, "budi may sign in as operator\n")
    path = tmp_path / "users"
    assert verified(read_users(path)["budi"], GOOD)
    assert not verified(read_users(path)["budi"], GOOD + "x")
    assert GOOD not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_password_keeps_the_role(vcmon: Vcmon, tmp_path: Path) -> None:
    """And a new user looks only, unless told otherwise; others are left alone."""
    vcmon("budi", "--role", "operator")
    vcmon("tamu")
    vcmon("budi", typed="gunung api purba\n")
    found = read_users(tmp_path / "users")
    assert {name: str(each.role) for name, each in found.items()} == {
        "budi": "operator",
        "tamu": "viewer",
    }
    assert not verified(found["budi"], GOOD)
    assert verified(found["budi"], "gunung api purba")


def test_a_user_is_taken_away(vcmon: Vcmon, tmp_path: Path) -> None:
    """By name; one that is not there is told with those that are."""
    vcmon("budi")
    done = vcmon("ani", "--remove", typed="")
    assert (done.exit_code, "there are: budi" in done.stderr) == (2, True)
    assert vcmon("budi", "--remove", typed="").stdout == "budi is removed\n"
    assert read_users(tmp_path / "users") == {}


def test_one_password_however_it_is_typed(vcmon: Vcmon, tmp_path: Path) -> None:
    """Composed or with combining marks, as keyboards differ: Unicode's NFKC."""
    vcmon("budi", typed="kafé di Palembang\n")
    assert verified(read_users(tmp_path / "users")["budi"], "kafe\u0301 di Palembang")


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("budi", "pendek\n", "a password of 12 to 128 characters"),
        ("budi", "", "a password of 12 to 128 characters"),
        ("budi", "x" * 129 + "\n", "a password of 12 to 128 characters"),
        ("budi", "aaaaaaaaaaaaaaaa\n", "more than the name and a few characters"),
        ("budisantoso", "budisantoso123\n", "more than the name and a few characters"),
        ("budi", "kuda\x1blaut 1945\n", "found control characters"),
        ("vcmon", f"{GOOD}\n", "expected a name"),
        ("a:operator:b", f"{GOOD}\n", "expected a name"),
        ("\x1b[31m", f"{GOOD}\n", "found '\\x1b[31m'"),
    ],
)
def test_a_refusal_changes_nothing(
    vcmon: Vcmon, tmp_path: Path, name: str, typed: str, why: str
) -> None:
    """Exit code 2 and what was expected; what was typed is not repeated."""
    done = vcmon(name, typed=typed)
    assert done.exit_code == 2
    assert why in done.stderr
    assert not typed.strip() or typed.strip() not in done.stderr + done.stdout
    assert not (tmp_path / "users").exists()


def test_a_heartbeats_token_is_no_user(vcmon: Vcmon, tmp_path: Path) -> None:
    """The file of tokens named by mistake is refused whole, and left alone."""
    path = tmp_path / "users"
    path.write_text(f"papua-codec:heartbeat:$sha256${'0' * 64}\n")
    path.chmod(0o600)
    before = path.read_bytes()
    done = vcmon("budi")
    assert (done.exit_code, "expected the role viewer or operator" in done.stderr) == (2, True)
    assert path.read_bytes() == before


def test_without_a_place_for_users_it_says_where(tmp_path: Path) -> None:
    """The setting is named; nothing is made."""
    config = settings_of(tmp_path)
    done = CliRunner().invoke(cli, ["passwd", "budi", "--config", str(config)], input=f"{GOOD}\n")
    assert (done.exit_code, "web.users_file is not set" in done.stderr) == (2, True)
    settings_of(tmp_path, "web: {users_file: gone/users}\n")
    done = CliRunner().invoke(cli, ["passwd", "budi", "--config", str(config)], input=f"{GOOD}\n")
    assert isinstance(done.exception, StartError)


def test_help_has_an_example() -> None:
    """It explains itself with one."""
    done = CliRunner().invoke(cli, ["passwd", "--help"])
    assert "Example: vcmon passwd budi --role operator" in done.stdout
