"""Secrets: read from files that only we may read, and shown nowhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fakes.settings_files import loaded, problems, rows, write
from vcmon.config.diff import diff
from vcmon.config.params_talk import TurnParams
from vcmon.config.schema import json_schema
from vcmon.config.secrets import SECRET_MAX, Secret, read_secret
from vcmon.config.settings import Settings

CANARY = "CANARY-of-a-password"
TURN = "checks: {relay: {kind: turn, username: u, password_file: turn.secret}}"
INVENTORY = rows("t,aceh,,turn,192.0.2.1,relay,,,,")


def keep(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "turn.secret"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def params(settings: Settings) -> TurnParams:
    found = settings.endpoints[0].checks[0].params
    assert isinstance(found, TurnParams)
    return found


def told(folder: Path, settings: str = TURN) -> str:
    (only,) = problems(write(folder, settings, INVENTORY))
    return only


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (f"{CANARY}\n", CANARY),
        (CANARY, CANARY),
        (f"{CANARY}\r\nsecond line", CANARY),
        (" with spaces \n", " with spaces "),
        ("rahasia-é\n", "rahasia-é"),
        ("x" * SECRET_MAX + "\n", "x" * SECRET_MAX),
    ],
)
def test_first_line_is_the_secret(content: str, secret: str, tmp_path: Path) -> None:
    """The first line without its end arrives at the check, whatever follows it."""
    path = keep(tmp_path, content, 0o640)
    made = params(loaded(tmp_path, TURN, INVENTORY))
    assert (made.password_file.text, made.password_file.path) == (secret, str(path))
    assert made.secret_file == Secret()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "expected a secret in the first line, found nothing"),
        (b"\nsecond", "expected a secret in the first line, found nothing"),
        (b"  \r\n", "expected a secret in the first line, found nothing"),
        (b"x" * (SECRET_MAX + 1), "expected at most 512 bytes in the first line"),
        (b"x" * (SECRET_MAX + 1) + b"\n", "expected at most 512 bytes in the first line"),
        (b"x" * 5_000_000, "expected at most 512 bytes in the first line"),
        (b"caf\xe9-CANARY\n", "expected UTF-8"),
        (b"CANARY\0\n", "expected one line of text, found control characters"),
    ],
)
def test_unusable_file_is_told_by_line(content: bytes, what: str, tmp_path: Path) -> None:
    """Empty, too long or no text: an error of the settings, which repeats nothing of it."""
    keep(tmp_path, content)
    problem = told(tmp_path)
    assert problem.startswith("v.yaml:1: checks.relay.password_file: ")
    assert what in problem
    assert "CANARY" not in problem
    assert "xxx" not in problem


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_file_that_others_can_read_or_change_is_refused(mode: int, tmp_path: Path) -> None:
    """As with tokens: what to run is told."""
    path = keep(tmp_path, CANARY, mode)
    assert "others can read or change it; run: chmod 640 turn.secret" in told(tmp_path)
    path.chmod(0o400)
    assert problems(write(tmp_path, TURN, INVENTORY)) == []


def test_pipe_or_folder_is_no_secret(tmp_path: Path) -> None:
    """A pipe is refused at once, not waited for."""
    os.mkfifo(tmp_path / "turn.secret", 0o600)
    assert "no such file: turn.secret" in told(tmp_path)
    with pytest.raises(ValueError, match="not a regular file"):
        read_secret(tmp_path / "turn.secret")


WRONG = {
    "{kind: turn, username: u, password: CANARY}": "checks.a.password: unknown key",
    "{kind: turn, username: u}": "checks.a: username needs password_file, or secret_file",
    "{kind: turn, password_file: turn.secret}": "checks.a: password_file needs a username",
    "{kind: turn, username: u, password_file: turn.secret, secret_file: turn.secret}": (
        "checks.a: password_file and secret_file are two sorts of credentials: keep one"
    ),
    "{kind: turn, username: u, password_file: 7}": "checks.a.password_file: expected the name of",
    "{kind: turn, username: u, password_file: no.secret}": "checks.a.password_file: no such file",
    "{kind: turn, rto: 1ms}": "checks.a.rto: expected 50ms to 10s",
    "{kind: stun, username: u}": "checks.a.username: unknown key",
}


@pytest.mark.parametrize("profile", WRONG)
def test_wrong_credentials_are_told(profile: str, tmp_path: Path) -> None:
    """What doesn't fit together is refused, and no value of it is repeated."""
    keep(tmp_path, CANARY)
    found = problems(write(tmp_path, f"checks: {{a: {profile}}}"))
    assert any(WRONG[profile] in problem for problem in found), found
    assert "CANARY" not in "".join(found)


def test_changed_secret_is_a_change_that_a_reload_sees(tmp_path: Path) -> None:
    """The file is among those that are watched, and another content makes another check."""
    path = keep(tmp_path, CANARY)
    before = loaded(tmp_path, TURN, INVENTORY)
    assert before.files == (tmp_path / "v.yaml", tmp_path / "i.csv", path)
    assert not diff(before, loaded(tmp_path, TURN, INVENTORY))
    keep(tmp_path, "another")
    after = loaded(tmp_path, TURN, INVENTORY)
    assert [str(check) for check in diff(before, after).checks_changed] == ["t/relay"]


def test_secret_is_in_no_repr_json_or_schema(tmp_path: Path) -> None:
    """Whoever prints settings, a check or its parameters sees the file's name."""
    path = keep(tmp_path, CANARY)
    settings = loaded(tmp_path, TURN, INVENTORY)
    made = params(settings)
    shown = [repr(settings), str(settings), repr(made), str(made), f"{made.password_file}"]
    shown += [made.model_dump_json(), json.dumps(made.model_dump()), json.dumps(json_schema())]
    assert made.password_file.text == CANARY
    assert CANARY not in "".join(shown)
    assert str(path) in made.model_dump_json()


def test_schema_takes_a_file_name() -> None:
    """For an editor a secret's file is a text."""
    fields = json_schema()["$defs"]["TurnProfile"]["properties"]
    assert fields["password_file"]["type"] == "string"
    assert "default" not in fields["password_file"] or fields["password_file"]["default"] == ""


def test_port_follows_the_transport(tmp_path: Path) -> None:
    """3478, over TLS 5349, and what is written wins."""
    kinds = "a: {kind: stun}, b: {kind: turn, transport: tcp}, c: {kind: stun, transport: tls}"
    text = f"checks: {{{kinds}, d: {{kind: turn, transport: tls, port: 443}}}}"
    made = loaded(tmp_path, text, rows("t,aceh,,turn,192.0.2.1,a b c d c:5350 turn,,,,"))
    ports = {check.id.name: check.params.port for check in made.endpoints[0].checks}
    assert ports == {
        "a": 3478, "b": 3478, "c-5349": 5349, "d": 443, "c-5350": 5350, "turn": 3478,
    }  # fmt: skip
    times = {check.id.name: (check.interval, check.timeout) for check in made.endpoints[0].checks}
    assert (times["a"], times["turn"]) == ((10.0, 2.0), (30.0, 4.0))
