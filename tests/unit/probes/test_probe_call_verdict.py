"""What the figures of a call mean, case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import check
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.icmp import Pinger
from vcmon.net.resolver import Resolver
from vcmon.probes.base import Tools
from vcmon.probes.call_verdict import Talk, verdict
from vcmon.wire.media import MediaSession, Reception
from vcmon.wire.sdp import CODECS, Answer, Flow

SECOND = 1_000_000_000
LONG = 8


@contextmanager
def tools() -> Iterator[Tools]:
    clock = FakeClock()
    resolver = Resolver(clock)
    try:
        deadline = Deadline(clock, LoopLag(clock), 20.0)
        yield Tools(clock, cast("Pinger", None), resolver, deadline, clock.wall())
    finally:
        resolver.close()


def fine(flow: Flow = "sendrecv") -> Talk:
    """A call of 8 s at monotonic second 100: 400 packets each way, all of them there."""
    media = MediaSession(CODECS[0], 7, 0, 0, 0, 0, "c")
    media.sent = 400
    media.first_at, media.last_at = 100 * SECOND, 108 * SECOND
    media.heard.reports, media.heard.at, media.heard.highest = 2, 108 * SECOND, 399
    media.sources[9] = Reception(0, 399, received=400)
    media.rtts.append(0.05)
    where = Answer("192.0.2.1", 5004, 5005, CODECS[0], flow)
    talk = Talk(media, where, begun=100 * SECOND)
    talk.stopped = talk.ended = 108 * SECOND
    talk.bye = 200
    return talk


def judged(talk: Talk) -> tuple[Result | ProbeError, Tools]:
    """The verdict, returned or raised."""
    with tools() as hands:
        try:
            return verdict(check("codec", "call", always=True), hands, talk), hands
        except ProbeError as error:
            return error, hands


def silent(talk: Talk) -> None:
    talk.media.sources.clear()
    talk.media.first_at = talk.media.last_at = None


def unheard(talk: Talk) -> None:
    talk.media.heard.highest = None


def unreported(talk: Talk) -> None:
    unheard(talk)
    talk.media.heard.at = talk.media.heard.reports = 0


def both(*changes: Callable[[Talk], None]) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        for each in changes:
            each(talk)

    return change


def lost_back(count: int) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.media.sources[9].received -= count

    return change


def lost_there(count: int) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.media.heard.lost = count

    return change


def jitter(back: float = 0.0, there: float = 0.0, ours: float = 0.0) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.media.sources[9].jitter = back * 8000
        talk.media.heard.jitter = there
        talk.media.own_jitter = ours

    return change


def lasting(seconds: float, *, hung_up: bool = False) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.ended = talk.media.last_at = talk.begun + int(seconds * SECOND)
        talk.hung_up = hung_up

    return change


def heard_from(first: float, last: float) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.media.first_at = talk.begun + int(first * SECOND)
        talk.media.last_at = talk.begun + int(last * SECOND)

    return change


def bye(status: int | None) -> Callable[[Talk], None]:
    def change(talk: Talk) -> None:
        talk.bye = status

    return change


UP = [
    ("fine", lambda _: None),
    ("1 % lost", both(lost_back(4), lost_there(4))),
    ("30 ms of jitter", jitter(0.030, 0.030)),
    ("jitter of our own making", jitter(there=0.2, ours=0.02)),
    ("no RTCP: nothing known of our way", unreported),
    ("hung up by the peer after a while", lasting(5, hung_up=True)),
    ("already gone when we hung up", bye(481)),
    ("begins after two seconds", heard_from(2, 8)),
]


@pytest.mark.parametrize(("name", "change"), UP)
def test_good_call_is_up(name: str, change: Callable[[Talk], object]) -> None:
    """Nothing of this is a fault of the endpoint's, or of the path's."""
    talk = fine()
    change(talk)
    found, _ = judged(talk)
    assert isinstance(found, Result), found
    assert (found.outcome, found.reason, found.impaired) == (Outcome.UP, Reason.OK, False)
    assert found.streams is not None
    assert found.echo is not None
    assert found.echo.rtt == 0.05


IMPAIRED = [
    (lost_back(5), Reason.LOSS, "1.2% from it to us"),
    (lost_there(20), Reason.LOSS, "5.0% from us to it"),
    (jitter(back=0.031), Reason.JITTER, "31 ms from it to us"),
    (jitter(there=0.05), Reason.JITTER, "50 ms from us to it"),
    (silent, Reason.FILTERED, "hears us"),
    (unheard, Reason.FILTERED, "reports nothing"),
    (lasting(1.5, hung_up=True), Reason.STATUS, "hung up 1.5 s"),
    (bye(None), Reason.TIMEOUT, "BYE was not answered"),
    (bye(500), Reason.STATUS, "BYE was answered 500"),
]


@pytest.mark.parametrize(("change", "reason", "words"), IMPAIRED)
def test_half_good_call_is_impaired(
    change: Callable[[Talk], object], reason: Reason, words: str
) -> None:
    """Up, and degraded, with the reason and the direction."""
    talk = fine()
    change(talk)
    found, hands = judged(talk)
    assert isinstance(found, Result), found
    assert (found.outcome, found.reason, found.impaired) == (Outcome.UP, reason, True)
    assert words in str(hands.detail["message"])


@pytest.mark.parametrize(("flow", "change"), [("recvonly", silent), ("sendonly", unheard)])
def test_what_the_peer_says_itself_is_no_firewall(
    flow: Flow, change: Callable[[Talk], None]
) -> None:
    """One way by its own word: impaired, content."""
    talk = fine(flow)
    change(talk)
    found, _ = judged(talk)
    assert isinstance(found, Result), found
    assert (found.reason, found.impaired) == (Reason.CONTENT, True)


DOWN = [
    (lost_back(21), Reason.LOSS, "at most 5%"),
    (lost_there(400), Reason.LOSS, "100.0% from us to it"),
    (both(silent, unheard), Reason.FILTERED, "no media came in 8 s"),
    (heard_from(3.1, 8), Reason.FILTERED, "began only after 3.1 s"),
    (heard_from(0, 4.9), Reason.FILTERED, "was away for 3.1 s"),
    (both(silent, unheard, lasting(2)), Reason.TIMEOUT, "only 2.0 s were left"),
]


@pytest.mark.parametrize(("change", "reason", "words"), DOWN)
def test_bad_call_is_down_by_the_path(
    change: Callable[[Talk], None], reason: Reason, words: str
) -> None:
    """Raised, blame on the path, with what was seen."""
    talk = fine()
    change(talk)
    found, hands = judged(talk)
    assert isinstance(found, ProbeError), found
    assert (found.reason, found.blame) == (reason, Blame.PATH)
    assert words in found.text
    assert hands.detail["sent"] == 400


def test_mirror_is_judged_there_and_back() -> None:
    """Our own packets back: loss belongs to no direction, the median echo is the round trip."""
    talk = fine()
    talk.media.sources = {7: Reception(0, 399, received=390)}
    talk.media.rtts.clear()
    talk.media.loops += [0.03, 0.04, 0.9]
    unheard(talk)
    found, hands = judged(talk)
    assert isinstance(found, Result), found
    assert (found.reason, found.streams) == (Reason.LOSS, None)
    assert found.echo is not None
    assert found.echo.rtt == 0.04
    assert "there and back" in str(hands.detail["message"])


def test_stall_of_ours_proves_nothing() -> None:
    """When our own loop was late, loss and silence are ours."""
    with tools() as hands:
        lag = LoopLag(hands.clock)
        hands.deadline = Deadline(hands.clock, lag, 20.0)
        lag._total += 3.0
        with pytest.raises(ProbeError) as caught:
            verdict(check("codec", "call", always=True), hands, fine())
    assert (caught.value.reason, caught.value.blame) == (Reason.STALL, Blame.LOCAL)
