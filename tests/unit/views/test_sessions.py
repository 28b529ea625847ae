"""Sessions: bounded, over in time, and of no use once ended."""

from __future__ import annotations

from vcmon.config.tokens import Role, Token
from vcmon.views.sessions import EACH_MAX, SESSIONS_MAX, Sessions


def user(name: str = "budi") -> Token:
    return Token(name, Role.OPERATOR, "hash")


def test_each_is_another() -> None:
    """Names and form tokens are never the same, and the one doesn't tell the other."""
    it = Sessions(lambda: 0.0)
    names = [it.begin(user(), 60) for _ in range(EACH_MAX)]
    found = [it.of(name) for name in names]
    tokens = {each.csrf for each in found if each}
    assert len(set(names) | tokens) == 2 * EACH_MAX
    assert all(each and each.sent(each.csrf) for each in found)
    assert not any(each and (each.sent("") or each.sent(each.csrf[:-1])) for each in found)


def test_what_is_over_is_nobodys() -> None:
    """Ended, or late to the second; what was never given neither."""
    now = [0.0]
    it = Sessions(lambda: now[0])
    first, second = it.begin(user(), 60), it.begin(user(), 60)
    it.end(first)
    it.end("never given")
    assert it.of(first) is None
    assert it.of("") is None
    assert it.of("\udcff") is None
    now[0] = 59.9
    assert it.of(second) is not None
    now[0] = 60.0
    assert it.of(second) is None


def test_one_user_pushes_out_their_own() -> None:
    """A script that signs in without end has sixteen sessions, and others keep theirs."""
    it = Sessions(lambda: 0.0)
    other = it.begin(user("ani"), 60)
    names = [it.begin(user(), 60) for _ in range(1000)]
    assert it.of(other) is not None
    assert [name for name in names if it.of(name)] == names[-EACH_MAX:]
    assert len(it) == EACH_MAX + 1


def test_all_together_are_bounded() -> None:
    """The oldest goes; those that are over go first."""
    now = [0.0]
    it = Sessions(lambda: now[0])
    names = [it.begin(user(f"u{n}"), 60) for n in range(SESSIONS_MAX + 5)]
    assert len(it) == SESSIONS_MAX
    assert [it.of(name) is None for name in names[:6]] == [True] * 5 + [False]
    now[0] = 61.0
    it.begin(user(), 60)
    assert len(it) == 1


def test_nothing_of_it_is_shown() -> None:
    """Neither the hash nor the form token stands in a repr, which a log may hold."""
    it = Sessions(lambda: 0.0)
    session = it.of(it.begin(user(), 60))
    assert session is not None
    assert "hash" not in repr(session)
    assert session.csrf not in repr(session)
