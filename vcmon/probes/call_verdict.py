"""What the figures of a test call mean."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from vcmon.config.params_talk import CallParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Direction, Echo, Outcome, Reason, Result, Streams
from vcmon.probes.base import Tools
from vcmon.probes.tls import verdict as certificate_verdict
from vcmon.wire.media import MediaSession
from vcmon.wire.sdp import Answer

LOSS_OK, LOSS_BAD = 0.01, 0.05
"""Up to 1 % of lost packets nobody hears; over 5 % speech breaks up (Polycom: critical)."""

JITTER_OK = 0.030
"""Seconds; what the jitter buffer of a codec takes without a word."""

OWN_JITTER_OK = 0.010
"""Seconds; when we send more unevenly than that, jitter at the far end says nothing of the path."""

SILENCE = 3.0
"""Seconds without a packet, from the answer on or up to the end, that are no media; a call that
is shorter proves nothing."""

REPORT_WITHIN = 7.5
"""Seconds in which who sends RTCP at all has sent a report: five, and a half of it by chance."""

FORWARD, BACKWARD, ROUND = "from us to it", "from it to us", "there and back"

GONE = frozenset({408, 481})
"""Answers to BYE that say that there is no such call any more."""


@dataclass(slots=True)
class Talk:
    """A call that was answered; times are monotonic nanoseconds."""

    media: MediaSession
    where: Answer
    begun: int
    stopped: int = 0  # we sent the last packet
    ended: int = 0  # we listened no more
    hung_up: bool = False  # the peer did
    bye: int | None = None  # what it answered to our BYE

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.ended - self.begun) / 1e9

    def is_told(self, now: int) -> bool:
        """Whether the peer has said all that it will say of what it heard of us."""
        media, heard = self.media, self.media.heard
        if not heard.reports:
            return media.is_mirrored or self._since(now) > REPORT_WITHIN
        return heard.at > self.stopped or (heard.highest or 0) >= media.sent - 1

    @property
    def is_deaf(self) -> bool:
        """Whether the peer reports, but nothing of us: what we send does not reach it."""
        media = self.media
        return not media.is_heard and self._since(media.heard.at) > SILENCE

    @property
    def silence(self) -> float:
        """Seconds without a packet before the first or after the last, whichever is longer."""
        media = self.media
        if media.first_at is None or media.last_at is None:
            return self.seconds
        return max(media.first_at - self.begun, self.ended - media.last_at) / 1e9

    def _since(self, at: int) -> float:
        return (at - self.begun) / 1e9


def verdict(check: Check[CallParams], tools: Tools, talk: Talk) -> Result:
    """The verdict on a call that was answered and is over. Raises ProbeError for DOWN.

    Everything measured is left in ``tools``.
    """
    _describe(tools, talk)
    if tools.deadline.stalled():
        raise tools.deadline.expired("")
    media = talk.media
    rtts = media.rtts
    if media.is_mirrored:
        rtts = [median(media.loops)] if media.loops else []
    else:
        tools.streams = Streams(media.forward, media.backward)
    if rtts:
        tools.echo = Echo(len(rtts), len(rtts), rtts=tuple(rtts))
    wrong = _one_way(check, talk) or _lossy(media) or _uneven(media) or _rude(talk)
    if wrong is None:
        return certificate_verdict(check, tools)
    reason, blame, text = wrong
    tools.detail["message"] = text
    return tools.result(check, Outcome.UP, reason, blame, impaired=True)


Wrong = tuple[Reason, Blame, str]


def _one_way(check: Check[CallParams], talk: Talk) -> Wrong | None:
    """Media that does not come, or does not arrive; raises where none passes at all."""
    media, who = talk.media, check.address
    sent = f"{media.sent} packets went to it"
    if talk.seconds < SILENCE:
        if talk.hung_up:
            text = f"{who} hung up {talk.seconds:.1f} s after its answer"
            return Reason.STATUS, Blame.REMOTE, text
        text = f"{who} answered so late that only {talk.seconds:.1f} s were left for the call"
        raise ProbeError(Reason.TIMEOUT, Blame.PATH, text)
    if media.first_at is None:
        if talk.where.flow == "recvonly":
            text = f"{who} took the call, but sends no media, as it says itself (a=recvonly)"
            return Reason.CONTENT, Blame.REMOTE, text
        if media.is_heard:
            text = f"one-way media: {who} hears us, but nothing of its own arrives here"
            return Reason.FILTERED, Blame.PATH, f"{text} ({sent}); look at the firewall on our side"
        text = f"{who} took the call, but no media came in {talk.seconds:.0f} s ({sent})"
        raise _blocked(text)
    if talk.silence > SILENCE and not talk.hung_up:
        late = media.first_at - talk.begun > SILENCE * 1e9
        when = "began only after" if late else "stopped, and was away for"
        raise _blocked(f"the media of {who} {when} {talk.silence:.1f} s")
    if talk.where.flow == "sendonly":
        text = f"{who} sends media, but takes none, as it says itself (a=sendonly)"
        return Reason.CONTENT, Blame.REMOTE, text
    if talk.is_deaf:
        text = f"one-way media: {who} is heard here, but reports nothing of the {sent}"
        return Reason.FILTERED, Blame.PATH, f"{text}; look at the firewall on its side"
    return None


def _blocked(text: str) -> ProbeError:
    advice = "signalling passes, media doesn't: look for a firewall that lets no UDP through"
    return ProbeError(Reason.FILTERED, Blame.PATH, f"{text}: {advice}")


def _lossy(media: MediaSession) -> Wrong | None:
    losses = {name: way.loss or 0.0 for name, way in _ways(media)}
    worst = max(losses.values(), default=0.0)
    if worst <= LOSS_OK:
        return None
    told = ", ".join(f"{loss:.1%} {name}" for name, loss in losses.items())
    if worst > LOSS_BAD:
        text = f"media is lost: {told}; expected at most {LOSS_BAD:.0%}"
        raise ProbeError(Reason.LOSS, Blame.PATH, text)
    return Reason.LOSS, Blame.PATH, f"media is lost: {told}; expected at most {LOSS_OK:.0%}"


def _uneven(media: MediaSession) -> Wrong | None:
    jitters = {
        name: way.jitter or 0.0
        for name, way in _ways(media)
        if name != FORWARD or media.own_jitter <= OWN_JITTER_OK
    }
    if max(jitters.values(), default=0.0) <= JITTER_OK:
        return None
    told = ", ".join(f"{jitter * 1000:.0f} ms {name}" for name, jitter in jitters.items())
    expected = f"expected at most {JITTER_OK * 1000:.0f} ms"
    return Reason.JITTER, Blame.PATH, f"media comes unevenly: jitter {told}; {expected}"


def _rude(talk: Talk) -> Wrong | None:
    """What may have left the call up at the peer."""
    if talk.hung_up or (talk.bye is not None and (talk.bye < 300 or talk.bye in GONE)):
        return None
    if talk.bye is None:
        text = "the call was fine, but BYE was not answered: it may be up at the peer still"
        return Reason.TIMEOUT, Blame.PATH, text
    text = f"the call was fine, but BYE was answered {talk.bye}: it may be up at the peer still"
    return Reason.STATUS, Blame.REMOTE, text


def _ways(media: MediaSession) -> list[tuple[str, Direction]]:
    back = ROUND if media.is_mirrored else BACKWARD
    ways = ((FORWARD, media.forward), (back, media.backward))
    return [(name, way) for name, way in ways if way is not None]


def _describe(tools: Tools, talk: Talk) -> None:
    media, where = talk.media, talk.where
    told: dict[str, str | int | float | None] = {
        "codec": where.codec.name,
        "media_address": f"{where.address} port {where.port}",
        "sent": media.sent,
        "echoed": media.echoed,
        "rtt_ms": _ms(median(media.rtts)) if media.rtts else None,
        "media_loop_ms": _ms(median(media.loops)) if media.loops else None,
        "seconds": round(talk.seconds, 1),
        "ended": "by the peer" if talk.hung_up else f"BYE, {talk.bye or 'unanswered'}",
    }
    back = "mirrored" if media.is_mirrored else "backward"
    for name, way in (("forward", media.forward), (back, media.backward)):
        if way is not None:
            told[f"{name}_received"] = f"{way.received} of {way.sent}"
            told[f"{name}_jitter_ms"] = _ms(way.jitter or 0.0)
    if media.backward is not None and media.backward.dscp is not None:
        told["backward_dscp"] = media.backward.dscp
    tools.detail |= {name: value for name, value in told.items() if value is not None}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
