"""The file of users: who may sign in. A line each, ``name:role:hash``, as in the file of tokens.

The hash is argon2id over the password as Unicode writes it (NFKC), so that it is the same
password on every keyboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from unicodedata import normalize

from vcmon.config.text import harmful
from vcmon.config.tokens import HASHER, Role, Token, TokensError, matches, read

PASSWORD_MIN, PASSWORD_MAX = 12, 128
"""Characters: below can be guessed by who stole the file, above nobody types."""

DIFFERENT_MIN = 5
"""Different characters beside the name: twelve times the same is none."""


class UserRole(StrEnum):
    """What a user may do."""

    VIEWER = Role.VIEWER.value
    OPERATOR = Role.OPERATOR.value


def read_users(path: Path) -> Mapping[str, Token]:
    """The users of the file by name; none where there is no file. Raises TokensError."""
    found = read(path)
    for each in found.values():
        if each.role is Role.HEARTBEAT:
            raise TokensError(f"{path}: {each.name}: expected the role viewer or operator")
    return found


def judged(name: str, password: str) -> str:
    """The password as it is hashed. Raises ValueError where it is none that protects."""
    text = normalize("NFKC", password)
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX:
        raise ValueError(f"expected a password of {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    if harmful(text):
        raise ValueError("expected a password that can be typed, found control characters")
    if len(set(text.casefold().replace(name.casefold(), ""))) < DIFFERENT_MIN:
        raise ValueError("expected a password of more than the name and a few characters again")
    return text


def enrolled(name: str, role: UserRole, password: str) -> Token:
    """What is kept of a user. Raises ValueError as :func:`judged` does."""
    return Token(name, Role(role.value), HASHER.hash(judged(name, password)))


def verified(user: Token | None, password: str) -> bool:
    """Whether it is this user's password; as slow for none. Not for the loop: some 20 ms."""
    # Longer than any that was made: cut, or Unicode's forms of a megabyte would be worked out.
    text = normalize("NFKC", password[: 4 * PASSWORD_MAX])
    return matches(user, text.encode("utf-8", "replace").decode())
