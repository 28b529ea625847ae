"""The readable account, and the JSON, of ``vcmon probe``."""

from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console

from vcmon.config.params import IcmpParams, TcpParams
from vcmon.model.endpoint import Check, CheckId, Endpoint, Role
from vcmon.model.result import Blame, Echo, Outcome, Reason, Result
from vcmon.views.account import ADVICE, BLAMED, account, as_json, verdict

PING = Check(
    CheckId("a", "icmp"), "aceh", "icmp", "192.0.2.1", IcmpParams(), 10.0, 2.0, decides=False
)
TCP = Check(
    CheckId("a", "tcp"), "aceh", "tcp", "192.0.2.1", TcpParams(port=80), 10.0, 2.0, decides=True
)


def endpoint(*, site: str = "", contact: str = "") -> Endpoint:
    """One codec with a supporting and a deciding check."""
    return Endpoint("a", "aceh", Role.CODEC, "192.0.2.1", (PING, TCP), site=site, contact=contact)


def result(check: Check[Any], outcome: Outcome, reason: Reason = Reason.OK) -> Result:
    """What one run found."""
    return Result(check.id, outcome, reason, Blame.NONE, at=0.0, started=0.0, duration=0.0125)


def shown(*results: Result, on: Endpoint | None = None, terminal: bool = False) -> str:
    """The account as a terminal, or a file, gets it."""
    text = io.StringIO()
    console = Console(file=text, width=100, color_system="truecolor" if terminal else None)
    console.print(account(on or endpoint(), results))
    return text.getvalue()


def test_every_reason_has_words_and_a_next_step() -> None:
    """No reason leaves the engineer without an idea of what to try."""
    assert set(ADVICE) == set(Reason)
    assert set(BLAMED) == set(Blame)
    for reason, advice in ADVICE.items():
        assert advice.words
        assert advice.next
        text = shown(result(TCP, Outcome.DOWN, reason))
        assert advice.words in " ".join(text.split())
        assert ("try next: " in text) == (reason is not Reason.OK)


def test_no_more_is_claimed_than_was_seen() -> None:
    """Up by an open port alone is told as that."""
    one = result(TCP, Outcome.UP)
    assert "it does its job, after" in shown(one)
    for evidence, claimed in (("tcp", False), ("eof", False), ("h225", True), ("ras", True)):
        text = shown(one._replace(detail={"evidence": evidence}))
        assert ("it does its job, after" in text) is claimed
        assert ("was not seen" in text) is not claimed


def test_verdict() -> None:
    """The deciding checks say; a down outweighs an unknown; nothing is unknown."""
    up, down, unknown = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN
    assert verdict(endpoint(), [result(PING, down), result(TCP, up)]) is up
    assert verdict(endpoint(), [result(PING, up), result(TCP, down)]) is down
    assert verdict(endpoint(), [result(PING, up), result(TCP, unknown)]) is unknown
    assert verdict(endpoint(), [result(TCP, unknown), result(TCP, down)]) is down
    assert verdict(endpoint(), [result(PING, down)]) is down
    assert verdict(endpoint(), []) is unknown


def test_the_account_shows_phases_echo_and_whom_to_call() -> None:
    """All that was measured is there, with a bar for each phase, the longest the longest."""
    ping = Result(
        PING.id,
        Outcome.UP,
        Reason.OK,
        Blame.NONE,
        at=0.0,
        started=0.0,
        duration=0.1,
        phases={"resolve": 0.001, "echo": 0.1},
        echo=Echo(5, 4, 1, 1, (0.02, 0.03)),
        transmissions=2,
    )
    text = shown(ping, result(TCP, Outcome.DOWN, Reason.REFUSED), on=endpoint(contact="Budi"))
    assert "5 sent, 4 received, 1 duplicates, 1 late, round trip 25.00 ms, jitter 10.00 ms" in text
    assert "it took 2 sendings" in text
    resolve, echo = (line for line in text.splitlines() if "━" in line)
    assert 1 <= resolve.count("━") < echo.count("━")
    assert "verdict: a is DOWN" in text
    assert "call:    Budi" in text


def test_text_from_outside_is_escaped() -> None:
    """A banner can neither colour, clear nor mark up the account."""
    evil = "[bold red]x[/]\x1b[2J\u202e\r\n\x07" + "y" * 10_000
    bad = Result(
        TCP.id,
        Outcome.DOWN,
        Reason.PROTOCOL,
        Blame.REMOTE,
        at=0.0,
        started=0.0,
        duration=0.1,
        phases={"\x1b[31m": 0.1},
        detail={"banner": evil},
    )
    text = shown(bad, on=endpoint(site="\x1b]0;t\x07[red]"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[boldred]x[/]\\x1b[2J\\u202e" in "".join(text.split())
    assert len(text) < 2_000
    assert "\x1b[2J" not in shown(bad, terminal=True)


def test_json_is_the_contract() -> None:
    """Names, RFC 3339 in UTC, milliseconds, plain JSON even for a strange detail."""
    odd = Result(
        TCP.id,
        Outcome.UP,
        Reason.OK,
        Blame.NONE,
        at=1_700_000_000.25,
        started=0.0,
        duration=0.0125,
        phases={"connect": 0.0111},
        detail={"x": float("nan"), "banner": "\x1b\ud800", "n": 1},
    )
    (found,) = json.loads(json.dumps(as_json(endpoint(), [odd]), allow_nan=False))
    assert found == {
        "endpoint": "a",
        "check": "tcp",
        "kind": "tcp",
        "outcome": "up",
        "reason": "ok",
        "blame": "none",
        "at": "2023-11-14T22:13:20.250000Z",
        "duration_ms": 12.5,
        "phases": {"connect": 11.1},
        "detail": {"x": None, "banner": "\x1b\ud800", "n": 1},
    }
