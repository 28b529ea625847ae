"""A test call: does the endpoint take it, and does media pass both ways, well enough?

SIP says who answers, RTP and RTCP what arrives. The call carries silence, nothing of what the
peer sends is kept, and it is ended by BYE or CANCEL however its run ends: a timeout, a shutdown,
a bug.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from ipaddress import ip_address, ip_network

from vcmon import __version__
from vcmon.clock import monotonic_ns, wall_ns
from vcmon.config.params_talk import HANG_UP, CallParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.pump import Pump
from vcmon.net.sip_call import Channel, SipCall, StreamChannel, UdpChannel
from vcmon.net.tcp import connect
from vcmon.probes.base import Tools
from vcmon.probes.call_verdict import Talk, verdict
from vcmon.probes.tcp import connection
from vcmon.probes.tls import secure
from vcmon.wire import sdp
from vcmon.wire.media import MediaSession
from vcmon.wire.sdp import Answer
from vcmon.wire.sip import Message, bracketed, request_uri
from vcmon.wire.sip_dialog import Invite

IN_USE = frozenset({486, 600, 603})
"""Busy here, busy everywhere, declined: somebody is in a conference, or wants to be left alone."""

NEEDS_CREDENTIALS = frozenset({401, 407})

LINGER = 5.5
"""Seconds after our last packet for the peer's report on it: reports come every five seconds."""

EXPIRES_AFTER = 2
"""Seconds after our own CANCEL at which the peer stops ringing by itself, should we have died."""

MARGIN = 0.25
"""Seconds between the end of the call and the cut that the runner makes at the timeout."""

STEP = 0.05
"""Seconds between two looks at a call that is on."""


async def probe(check: Check[CallParams], tools: Tools) -> Result:
    """UP when media passes both ways, at most 1 % of it lost and its jitter at most 30 ms.

    UP ``busy`` when the endpoint is in use. Impaired: loss up to 5 %, jitter, media one way only,
    ringing without an answer. DOWN: ``filtered`` when no media comes, ``loss`` over 5 %,
    ``status`` or ``auth`` when the call is refused, ``timeout`` when nothing answers. Outside of
    its hours nobody is called: UNKNOWN ``permission``.

    ``tools.streams`` tells each direction, ``tools.echo`` the round trips that RTCP measured.
    """
    if check.opening is not None and not check.opening.is_open(tools.clock.wall()):
        text = f"outside of the hours of this call, {', '.join(check.params.hours)} "
        text += f"({check.params.zone}): nobody was called"
        raise ProbeError(Reason.PERMISSION, Blame.LOCAL, text)
    async with _channel(check, tools) as channel:
        with closing(Pump(channel.local[0], check.params.dscp)) as pump:
            return await _called(check, tools, channel, pump)


async def _called(check: Check[CallParams], tools: Tools, channel: Channel, pump: Pump) -> Result:
    call = SipCall(channel, _invite(check, channel, pump), check.params.t1)
    talk: Talk | None = None
    try:
        call.start()
        with tools.phase("answer"):
            await call.until(lambda: call.settled, check.params.ring(check.timeout))
        tools.transmissions = call.dialog.transmissions
        answer = call.dialog.answer
        if answer is None:
            return _unanswered(check, tools, call, channel)
        _describe(answer, tools)
        where = sdp.parse(_body(answer))
        if (elsewhere := _elsewhere(check, channel, where)) is not None:
            return tools.impaired(check, Reason.CONTENT, elsewhere)
        talk = Talk(_session(where), where, begun=monotonic_ns())
        with tools.phase("media"):
            await _talk(check, tools, (call, pump, talk))
        for fault in (pump.fault, call.fault):
            if fault is not None:
                raise fault
    finally:
        try:
            pump.leave()
        finally:
            await _end(check, tools, call)
    talk.hung_up, talk.bye = call.dialog.hung_up, call.dialog.bye_status
    return verdict(check, tools, talk)


# ---- the signalling


@asynccontextmanager
async def _channel(check: Check[CallParams], tools: Tools) -> AsyncIterator[Channel]:
    """What carries the signalling to the check's best address; closed at the end."""
    params = check.params
    if params.transport == "udp":
        with tools.phase("resolve"):
            addresses = await tools.resolver.resolve(check.address, tools.deadline)
        tools.detail["address"] = addresses[0]
        try:
            with closing(UdpChannel(addresses[0], params.port)) as channel:
                yield channel
        except ProbeError as error:
            if error.blame is not Blame.LOCAL or error.reason is Reason.NO_ROUTE:
                tools.resolver.demote(check.address, addresses[0])
            raise
        return
    async with connection(check, params.port, tools) as stream:
        if params.transport == "tls":
            await secure(stream, check, tools)
        with closing(StreamChannel(stream)) as channel:
            yield channel


async def _end(check: Check[CallParams], tools: Tools, call: SipCall) -> None:
    """Hang up; over a new connection where the old one is gone and the call may be up."""
    params = check.params
    if call.fault is not None and call.dialog.answer is not None and params.transport != "udp":
        with suppress(ProbeError):
            stream = await connect((str(tools.detail["address"]),), params.port, tools.deadline)
            try:
                if params.transport == "tls":
                    await secure(stream, check, tools)
                with closing(StreamChannel(stream)) as channel:
                    call.move(channel)
                    await call.end(HANG_UP)
                    return
            finally:
                stream.close()
    await call.end(HANG_UP)


def _invite(check: Check[CallParams], channel: Channel, pump: Pump) -> Invite:
    params = check.params
    domain = params.domain or f"{bracketed(check.address)}:{params.port}"
    return Invite(
        uri=request_uri(params.user, domain, params.transport),
        transport=params.transport,
        local=channel.local,
        call_id=secrets.token_hex(16),
        tag=secrets.token_hex(8),
        version=__version__,
        sdp=sdp.offer(channel.local[0], pump.port, secrets.randbits(62)),
        expires=max(1, round(params.ring(check.timeout))) + EXPIRES_AFTER,
    )


def _unanswered(check: Check[CallParams], tools: Tools, call: SipCall, channel: Channel) -> Result:
    """The verdict where nobody took the call; raises ProbeError for DOWN."""
    dialog = call.dialog
    if dialog.refusal is not None:
        _describe(dialog.refusal, tools)
        return _refused(check, tools, dialog.refusal)
    if call.fault is not None:
        raise call.fault
    waited = f"within {check.params.ring(check.timeout):g} s"
    if dialog.provisional is not None and dialog.provisional.status != 100:
        _describe(dialog.provisional, tools)
        text = f"{check.address} rings ({dialog.provisional.status}), but nothing takes the call "
        return tools.impaired(
            check, Reason.STATUS, f"{text}{waited}: does it answer by itself, as an echo would?"
        )
    if dialog.provisional is not None:
        text = f"{channel.peer} is trying (100), but nothing behind it answers {waited}"
        raise tools.deadline.expired(text)
    if channel.nonsense is not None:
        raise channel.nonsense
    sent = f"{dialog.transmissions} INVITE"
    raise tools.deadline.expired(f"no answer from {channel.peer} to {sent} {waited}")


def _refused(check: Check[CallParams], tools: Tools, message: Message) -> Result:
    status = message.status
    said = f"{check.address} answered SIP {status} {clean(message.phrase)}".rstrip()
    if status in IN_USE:
        tools.detail["busy"] = True
        tools.detail["message"] = f"{said}: in use, so no call was made"
        return tools.result(check, Outcome.UP, Reason.BUSY, Blame.NONE)
    if status in NEEDS_CREDENTIALS:
        text = f"{said}: it needs credentials, and test calls carry none; let it take calls of ours"
        raise ProbeError(Reason.AUTH, Blame.REMOTE, text)
    advice = {
        404: ": no such user; set user to its echo or test room",
        488: ": it speaks neither PCMU nor PCMA",
    }
    text = said + advice.get(status or 0, "")
    if message.header("contact") and status is not None and status < 400:
        text += f": it moved to {clean(message.header('contact') or '')}; call it there"
    raise ProbeError(Reason.STATUS, Blame.REMOTE, text)


def _body(answer: Message) -> bytes:
    kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/sdp":
        found = clean(kind) or "nothing"
        text = f"expected a session description (SDP) in the answer, found {found}"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)
    return answer.body


def _describe(message: Message, tools: Tools) -> None:
    assert message.status is not None
    tools.detail["status"] = message.status
    tools.detail["phrase"] = clean(message.phrase)
    server = message.header("server") or message.header("user-agent")
    if server:
        tools.detail["server"] = clean(server, 200)


# ---- the media


def _elsewhere(check: Check[CallParams], channel: Channel, where: Answer) -> str | None:
    """Why nothing may be sent to where the answer wants it, or None.

    Whoever answers the call could have us send 50 packets a second to anybody.
    """
    media, peer = ip_address(where.address), ip_address(channel.peer.partition("%")[0])
    allowed = media == peer or any(
        media in network
        for network in map(ip_network, check.params.media_from)
        if network.version == media.version
    )
    if where.flow == "inactive":
        return f"{check.address} took the call and put it on hold (a=inactive): no media passes"
    if allowed and not media.is_multicast and not media.is_unspecified:
        return None
    text = f"the answer wants media at {media}, not at the endpoint's own {peer}: nothing was sent "
    return text + "there. If that is right, list it in media_from; if not, a NAT is in between"


def _reachable(where: Answer, tools: Tools) -> tuple[str, tuple[int, int]]:
    """Address and ports; ours has the zone of a link-local address, what SDP says has none."""
    peer = str(tools.detail["address"])
    same = ip_address(peer.partition("%")[0]) == ip_address(where.address)
    return peer if same else where.address, (where.port, where.rtcp_port)


def _session(where: Answer) -> MediaSession:
    return MediaSession(
        codec=where.codec,
        ssrc=secrets.randbits(32),
        sequence=secrets.randbits(16),
        timestamp=secrets.randbits(32),
        nonce=secrets.randbits(64),
        epoch=wall_ns() - monotonic_ns(),
        cname=secrets.token_hex(8),
    )


async def _talk(check: Check[CallParams], tools: Tools, parts: tuple[SipCall, Pump, Talk]) -> None:
    """Send for ``talk`` seconds, then wait a little for the peer's report on the last of it."""
    call, pump, talk = parts

    async def listen(seconds: float, done: Callable[[], bool]) -> None:
        ends = min(tools.deadline.elapsed() + seconds, check.timeout - HANG_UP - MARGIN)
        while call.is_up and pump.fault is None and not done():
            left = ends - tools.deadline.elapsed()
            if left <= 0.0:
                return
            await asyncio.sleep(min(left, STEP))

    address, ports = _reachable(talk.where, tools)
    pump.start(talk.media, address, ports)
    await listen(check.params.talk, lambda: False)
    pump.stop()
    talk.stopped = monotonic_ns()
    await listen(LINGER, lambda: talk.is_told(monotonic_ns()))
    talk.ended = monotonic_ns()
