"""The book of heartbeats: bounded, kept across reloads, and blind to what we couldn't hear."""

from __future__ import annotations

from vcmon.net.heartbeats import ASLEEP, Heartbeats


def book(*names: str, now: float = 100.0) -> Heartbeats:
    made = Heartbeats()
    made.expect(dict.fromkeys(names, 60.0), now)
    return made


def test_it_holds_what_is_expected_and_nothing_else() -> None:
    """A stranger's heartbeat leaves no trace."""
    it = book("a")
    it.hear("a", 101.0)
    it.hear("stranger", 101.0)
    assert (it.last("a"), it.last("stranger")) == (101.0, None)
    assert (it.period("a"), it.period("stranger")) == (60.0, None)
    assert it.listening_since("stranger") is None


def test_a_reload_keeps_what_is_known() -> None:
    """Who stays keeps what was heard, who comes is waited for, who goes is forgotten."""
    it = book("a", "b")
    it.hear("a", 110.0)
    it.hear("b", 110.0)
    it.expect({"a": 30.0, "c": 60.0}, 200.0)
    assert (it.last("a"), it.listening_since("a"), it.period("a")) == (110.0, 100.0, 30.0)
    assert (it.last("c"), it.listening_since("c")) == (None, 200.0)
    it.expect({"b": 60.0}, 300.0)
    assert (it.last("b"), it.listening_since("b")) == (None, 300.0)


def test_blindness_of_ours_is_no_silence_of_theirs() -> None:
    """While we are blind everybody's time begins anew; what was heard stays heard."""
    it = book("a")
    it.hear("a", 105.0)
    it.look(110.0, blind=False)
    assert it.listening_since("a") == 100.0
    it.look(110.5, blind=True)
    assert (it.listening_since("a"), it.last("a")) == (110.5, 105.0)
    it.look(111.0, blind=False)
    assert it.listening_since("a") == 110.5


def test_a_sleep_of_ours_is_no_silence_of_theirs() -> None:
    """Looks that are far apart tell of a stop or a stall of the whole process."""
    it = book("a")
    it.look(110.0, blind=False)
    it.look(110.0 + ASLEEP, blind=False)
    assert it.listening_since("a") == 100.0
    it.look(111.0 + 2 * ASLEEP, blind=False)
    assert it.listening_since("a") == 111.0 + 2 * ASLEEP
