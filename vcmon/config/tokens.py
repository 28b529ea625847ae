"""The file of tokens: who may act over HTTP. A line each, ``name:role:hash``.

The token itself is shown once, when it is made, and is nowhere kept: ``vcmon_<name>.<secret>``,
256 random bits. It begins so that whoever finds one knows what it opens.

People's tokens are kept as argon2id hashes. A heartbeat's comes every minute from each of
thousands of endpoints, so it is kept as SHA-256: a slow hash protects secrets that can be guessed,
and 256 random bits can't be.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from vcmon.model.memory import VCMON

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""What OWASP asks for passwords; 256 random bits would be safe with less. Some 20 ms and 19 MiB."""

NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "nR+UdojdKEAHyc8omkAoHg$OvzyJ6h43W+3kIKrZmelezLfrR/4hcXAdSCC7d9AzJo"
)
"""What a name that nobody has is checked against, so that it takes as long as one that is."""

TOKEN_MAX = 256
"""Characters of a token: a name of 64, a secret of 43, and the rest of the form."""

TOKENS_MAX = 12_000
"""In one file; a ministry has a few dozen people and machines that act, and up to ten thousand
endpoints that report in."""

BYTES_MAX = TOKENS_MAX * 256

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d),p=[1-8]\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}"
)
_FAST = re.compile(r"\$sha256\$[0-9a-f]{64}")
_OTHERS = 0o027
"""Whoever can write to the file can let themselves in; and the world need not read it."""


class Role(StrEnum):
    """What a token is good for: to look, to act as well, or only to report in for one endpoint.

    The token of a HEARTBEAT has the name of its endpoint.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the file. ``hash`` is kept out of every log by not being shown."""

    name: str
    role: Role
    hash: str = field(repr=False)

    def line(self) -> str:
        return f"{self.name}:{self.role}:{self.hash}\n"


class TokensError(ValueError):
    """The file can't be used; the message says why, and tells nothing of what is in it."""


def parse(text: str) -> Mapping[str, Token]:
    """The tokens by name; empty lines and those with ``#`` are left out. Raises TokensError."""
    found: dict[str, Token] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        token = _token(line.strip())
        if token is None or token.name in found:
            what = "the name stands here twice" if token else "expected name:role:hash"
            raise TokensError(f"line {number}: {what}")
        found[token.name] = token
    if len(found) > TOKENS_MAX:
        raise TokensError(f"more than {TOKENS_MAX} tokens")
    return found


def _token(line: str) -> Token | None:
    name, _, rest = line.partition(":")
    role, _, hashed = rest.partition(":")
    if not is_name(name) or role not in set(Role):
        return None
    return Token(name, Role(role), hashed) if _is_hash(hashed, Role(role)) else None


def _is_hash(text: str, role: Role) -> bool:
    if role is Role.HEARTBEAT:
        return _FAST.fullmatch(text) is not None
    match = _HASH.fullmatch(text)
    return match is not None and int(match[1]) <= 262_144


def is_name(text: str) -> bool:
    """Whether a token may be called so."""
    return _NAME.fullmatch(text) is not None and text.casefold() != VCMON


def read(path: Path) -> Mapping[str, Token]:
    """The tokens of the file; none where there is no file. Raises TokensError."""
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise TokensError(f"{path}: others can read or change it; run: chmod 600 {path}")
            text = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TokensError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise TokensError(f"{path}: expected plain ASCII") from None
    try:
        if len(text) > BYTES_MAX:
            raise TokensError(f"more than {BYTES_MAX} bytes")
        return parse(text)
    except TokensError as error:
        raise TokensError(f"{path}: {error}") from None


def fresh(name: str, role: Role) -> tuple[str, Token]:
    """A new token and what is kept of it."""
    secret = secrets.token_urlsafe(32)
    hashed = _fast(secret) if role is Role.HEARTBEAT else HASHER.hash(secret)
    return f"vcmon_{name}.{secret}", Token(name, role, hashed)


def _fast(secret: str) -> str:
    return f"$sha256${hashlib.sha256(secret.encode()).hexdigest()}"


def split(text: str) -> tuple[str, str] | None:
    """Name and secret of a token; None for what can't be one."""
    if len(text) > TOKEN_MAX or not text.isascii() or not text.startswith("vcmon_"):
        return None
    name, dot, secret = text.removeprefix("vcmon_").partition(".")
    return (name, secret) if dot and secret and is_name(name) else None


def matches(token: Token | None, secret: str) -> bool:
    """Whether it is this token's secret; as slow for none. Not for the loop, but a heartbeat's."""
    if token is not None and token.role is Role.HEARTBEAT:
        return hmac.compare_digest(token.hash, _fast(secret))
    try:
        HASHER.verify(token.hash if token else NOBODYS, secret)
    except (Argon2Error, InvalidHashError):
        return False
    return token is not None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file while the block lasts. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write(path: Path, tokens: Iterable[Token]) -> None:
    """Replace the file, whole, readable for its owner only. Raises OSError.

    Made by root, it belongs to whom its folder belongs: to the service, which has to read it.
    """
    owner = (path if path.exists() else path.parent).stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(token.line() for token in tokens)
            file.flush()
            if os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
