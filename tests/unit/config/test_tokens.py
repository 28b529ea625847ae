"""The file of tokens: its lines, its mode, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vcmon.config.tokens import (
    NOBODYS,
    Role,
    Token,
    TokensError,
    fresh,
    matches,
    parse,
    read,
    split,
    write,
)

HASH = NOBODYS
LINE = f"budi:operator:{HASH}"


def test_a_fresh_token_opens_its_own_lock_only() -> None:
    """Its secret matches its hash; another one's, a changed one and nobody's do not."""
    text, token = fresh("budi", Role.OPERATOR)
    other, _ = fresh("budi", Role.OPERATOR)
    parts, others = split(text), split(other)
    assert parts is not None
    assert others is not None
    assert parts[0] == "budi"
    assert len(parts[1]) == 43
    assert matches(token, parts[1])
    assert not matches(token, others[1])
    assert not matches(token, parts[1] + "x")
    assert not matches(None, parts[1])
    assert parts[1] not in token.line()
    assert token.hash not in repr(token)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All tokens, in their order, in a file that only its owner can read."""
    path = tmp_path / "tokens"
    tokens = [Token("budi", Role.OPERATOR, HASH), Token("tv-1", Role.VIEWER, HASH)]
    write(path, tokens)
    assert list(read(path).values()) == tokens
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tokens"]


def test_notes_and_empty_lines_are_left_out() -> None:
    """People may write beside the tokens."""
    assert list(parse(f"# Pusat\n\n{LINE}\n  \n")) == ["budi"]


@pytest.mark.parametrize(
    "line",
    [
        "budi",
        "budi:operator",
        "budi:operator:",
        "budi:operator:plain",
        f"budi:root:{HASH}",
        f"budi:OPERATOR:{HASH}",
        f":operator:{HASH}",
        f"vcmon:operator:{HASH}",
        f"bu di:operator:{HASH}",
        f"-budi:operator:{HASH}",
        f"{'b' * 65}:operator:{HASH}",
        f"budi:operator:{HASH}:x",
        f"budi:operator:{HASH.replace('argon2id', 'argon2i')}",
        f"budi:operator:{HASH.replace('m=19456', 'm=999999')}",
        f"{LINE}\n{LINE}",
    ],
)
def test_a_line_that_is_none_is_refused(line: str) -> None:
    """The number of the line is told, nothing of what is in it."""
    with pytest.raises(TokensError, match=r"^line \d+: ") as refused:
        parse(f"# one\n{line}\n")
    assert "argon2" not in str(refused.value)


def test_a_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    """The message has the command that helps; a group may read, as a service's credentials are."""
    path = tmp_path / "tokens"
    path.write_text(LINE)
    for mode, sound in ((0o600, True), (0o640, True), (0o660, False), (0o644, False)):
        path.chmod(mode)
        if sound:
            assert list(read(path)) == ["budi"]
        else:
            with pytest.raises(TokensError, match="chmod 600"):
                read(path)


def test_no_file_is_no_token_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    """Missing: empty. A folder, binary, or without end: refused."""
    assert read(tmp_path / "none") == {}
    with pytest.raises(TokensError, match="directory"):
        read(tmp_path)
    path = tmp_path / "tokens"
    for raw, why in ((b"\xff\xfe", "plain ASCII"), (b"#" * 4_000_000, "bytes")):
        path.write_bytes(raw)
        path.chmod(0o600)
        with pytest.raises(TokensError, match=why):
            read(path)
    with pytest.raises(TokensError, match="more than 12000"):
        parse("".join(f"n{n}:viewer:{HASH}\n" for n in range(12_001)))


def test_a_heartbeats_token_is_hashed_fast_and_is_its_endpoints() -> None:
    """SHA-256 of 256 random bits, under the endpoint's name; neither hash opens the other role."""
    text, token = fresh("papua-codec", Role.HEARTBEAT)
    parts = split(text)
    assert parts is not None
    assert parts[0] == token.name == "papua-codec"
    assert len(parts[1]) >= 43
    assert matches(token, parts[1])
    assert not matches(token, parts[1] + "x")
    assert not matches(token, "")
    assert parse(token.line()) == {"papua-codec": token}
    for line in (
        f"a:viewer:{token.hash}",
        f"a:heartbeat:{HASH}",
        "a:heartbeat:$sha256$" + "0" * 63,
        "a:heartbeat:$sha256$" + "G" * 64,
    ):
        with pytest.raises(TokensError, match="line 1: expected name:role:hash"):
            parse(line)


@pytest.mark.parametrize(
    "text",
    ["", "vcmon_", "vcmon_budi", "vcmon_budi.", "vcmon_.x", "budi.x", "vcmon_bu\ndi.x",
     "vcmon_büdi.x", "vcmon_budi." + "x" * 256, "vcmon_vcmon.x", "\udcff"],
)  # fmt: skip
def test_what_can_be_no_token_is_seen_at_once(text: str) -> None:
    """Without a hash being asked."""
    assert split(text) is None
