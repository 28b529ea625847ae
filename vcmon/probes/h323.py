"""H.323: does the signalling port speak H.225.0? Or, by ``ras``, does the gatekeeper answer?

What was seen is named (``evidence`` in the detail), and no more is claimed: asked about a call
that there is not, some endpoints answer, some close the connection, and some say nothing.
"""

from __future__ import annotations

import secrets
from enum import Enum

from vcmon import __version__
from vcmon.config.params_talk import H323Params
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.net.faults import clean
from vcmon.net.tcp import Stream
from vcmon.net.udp import UdpSocket
from vcmon.probes.base import Tools
from vcmon.probes.h323_meaning import Meaning, is_busy, of_release, release_reason, shown
from vcmon.probes.h323_ras import ask
from vcmon.probes.tcp import connection, settling_time
from vcmon.wire.per import wrong
from vcmon.wire.q931 import REFERENCE_MAX, Call, Framer, Message, status_enquiry

CHUNK = 16_384
"""Bytes read at once; one answer has 20 to 200."""

STREAM_MAX = 262_144
"""Bytes a peer may send before its answer: four of the longest messages, then it babbles."""

SILENCE = 2.0
"""Seconds after which nothing more is to be expected: the slowest stack seen takes 21 ms and a
round trip. Less where less is left: with a timeout of its own, longer than the 2 s of all kinds, a
dead codec would be found later, and one that says nothing would still say nothing."""

MARGIN = 0.1
"""Seconds before the timeout at which silence is taken for what it is: a verdict, no timeout."""

SETTLING_MAX = 0.25
"""Seconds that a connection is watched before it is used; over a satellite the rest of the 2 s is
needed for the answer."""

AT_ONCE = 1.0
"""Seconds after connecting within which a reset means that nobody was behind the port."""

GOODBYE = 0.25
"""Seconds for the far side to take our release in before the connection is cut."""

FINAL = frozenset({"ALERTING", "CONNECT", "RELEASE COMPLETE", "RELEASE", "DISCONNECT"})
"""What settles a call attempt. CALL PROCEEDING and its like come from gatekeepers, too, before
anybody has reached the endpoint."""

RINGS = frozenset({"ALERTING", "CONNECT"})


async def probe(check: Check[H323Params], tools: Tools) -> Result:
    """UP with the evidence that there is: ``h225``, ``eof``, ``tcp``, ``ras`` or ``setup``.

    DOWN by ``protocol`` where something else speaks on the port, by ``status`` where a gatekeeper
    says that the endpoint is gone. Impaired by ``reset`` where the connection is cut at once, by
    ``auth``, ``busy`` or ``status`` where who answers is alive but serves us no further. A codec
    in a call is UP, with ``busy`` in the detail.
    """
    if check.params.ras:
        return await ask(check, tools)
    try:
        async with connection(check, check.params.port, tools) as stream:
            line = _Line(stream, tools)
            heard = await (_call(check, line) if check.params.setup else _enquire(line))
    except ProbeError as error:
        if error.reason is not Reason.RESET:
            raise
        heard = _End.CUT
    return (_of_call if check.params.setup else _of_enquiry)(check, heard, tools)


class _End(Enum):
    """How a wait ended that brought no message."""

    SILENCE = "said nothing"
    EOF = "closed the connection"
    RESET = "held the connection for a while, then cut it"
    CUT = "took the connection and cut it at once"


class _Line:
    """A connection on which H.225.0 is spoken."""

    def __init__(self, stream: Stream, tools: Tools) -> None:
        self.stream = stream
        self.tools = tools
        self._opened = tools.deadline.elapsed()
        self._framer = Framer()
        self._taken = 0

    def patience(self, reserve: float) -> float:
        """The ``deadline.elapsed()`` until which to wait and still have ``reserve`` seconds."""
        deadline = self.tools.deadline
        left = deadline.remaining()
        return deadline.elapsed() + min(SILENCE, max(left - reserve, left / 2))

    async def hear(self, until: float) -> Message | _End:
        """The next message, or how the wait for it ended.

        Raises ProbeError ``protocol`` for anything else.
        """
        while True:
            message = self._framer.next()
            if message is not None:
                return message
            if self._taken > STREAM_MAX:
                raise wrong(f"{self._taken} bytes of empty frames")
            left = until - self.tools.deadline.elapsed()
            if left <= 0 or not await self._heard(left):
                return _End.SILENCE
            try:
                chunk = await self.stream.read(CHUNK, "H.323 message")
            except ProbeError as error:
                if error.reason is not Reason.RESET:
                    raise
                held = self.tools.deadline.elapsed() - self._opened
                return _End.CUT if held < AT_ONCE else _End.RESET
            if not chunk and self._framer.begun:
                raise wrong("a message that ends before its end")
            if not chunk:
                return _End.EOF
            self._taken += len(chunk)
            self._framer.feed(chunk)

    async def _heard(self, seconds: float) -> bool:
        try:
            return await self.stream.watch(seconds)
        except ProbeError:
            return True  # it is over: reading tells how


async def _enquire(line: _Line) -> Message | _End:
    """STATUS ENQUIRY about a call that there is not, and what it moved the far side to."""
    # Whoever hangs up before being asked has not been moved to it by our question.
    await line.stream.watch(min(settling_time(line.tools), SETTLING_MAX))
    with line.tools.phase("request"):
        await line.stream.write(status_enquiry(_reference()))
        return await line.hear(line.patience(MARGIN))


def _of_enquiry(check: Check[H323Params], heard: Message | _End, tools: Tools) -> Result:
    where = check.address
    if isinstance(heard, Message):
        _describe(heard, tools)
        doing = "is in a call: alive" if is_busy(heard) else "speaks H.323"
        return _up(check, tools, "h225", f"{where} {doing} ({heard.name})")
    if heard is _End.EOF:
        text = f"{where} {heard.value} when asked: likely H.323, but it said nothing"
        return _up(check, tools, "eof", text)
    if heard is _End.CUT:
        tools.detail["evidence"] = "tcp"
        text = f"{where} {heard.value}: something in front may answer for a dead service, or "
        return tools.impaired(check, Reason.RESET, text + "an access list refuses us")
    text = f"port {check.params.port} of {where} takes connections, but {heard.value}, "
    text += "as some codecs do: whether H.323 works behind it was not seen"
    return _up(check, tools, "tcp", text)


async def _call(check: Check[H323Params], line: _Line) -> Message | _End:
    """A call, and its release whatever happens in between; the last thing said of it before.

    A provisional answer with silence after it is the answer.
    """
    stream, port = line.stream, check.params.port
    with UdpSocket(stream.peer, port) as route:  # sends nothing: tells our address
        local = route.local
    call = Call(
        reference=_reference(),
        call_id=secrets.token_bytes(16),
        conference_id=secrets.token_bytes(16),
        called=check.params.alias,
        peer=(stream.peer, port),
        local=local,
        version=__version__,
    )
    try:
        with line.tools.phase("setup"):
            await stream.write(call.setup())
            return await _settled(line)
    finally:
        await _release(call, line)


async def _settled(line: _Line) -> Message | _End:
    until = line.patience(MARGIN + GOODBYE)
    begun: Message | None = None
    while isinstance(heard := await line.hear(until), Message):
        if heard.name in FINAL:
            return heard
        begun = heard
    return begun if begun is not None and heard is _End.SILENCE else heard


async def _release(call: Call, line: _Line) -> None:
    """RELEASE COMPLETE, and a moment for the far side to take it in."""
    try:
        await line.stream.write(call.release_complete())
        until = line.tools.deadline.elapsed() + GOODBYE
        while isinstance(said := await line.hear(until), Message):
            if said.name == "RELEASE COMPLETE":
                break
    except ProbeError:
        pass  # it is gone already, or talks nonsense: either way the connection ends now


def _of_call(check: Check[H323Params], heard: Message | _End, tools: Tools) -> Result:
    if heard is _End.SILENCE:
        raise tools.deadline.expired(f"{check.address} gave no answer to SETUP", Blame.REMOTE)
    if isinstance(heard, _End):
        text = f"{check.address} {heard.value} instead of an answer to SETUP"
        raise ProbeError(Reason.RESET, Blame.REMOTE, text)
    _describe(heard, tools)
    tools.detail["evidence"] = "setup"
    if heard.name in RINGS:
        meaning = Meaning(Outcome.UP, Reason.OK, "takes calls")
    elif heard.name not in FINAL:
        meaning = Meaning(Outcome.UP, Reason.STATUS, "began the call, and nothing came after it")
    else:
        meaning = of_release(heard, by_alias=bool(check.params.alias))
    text = f"{check.address} {meaning.words} ({_told(heard)})"
    if meaning.outcome is Outcome.DOWN:
        raise ProbeError(meaning.reason, Blame.REMOTE, text)
    if meaning.reason is not Reason.OK:
        return tools.impaired(check, meaning.reason, text)
    return _up(check, tools, "setup", text)


def _told(message: Message) -> str:
    """``RELEASE COMPLETE, cause 17, inConf``."""
    cause = f"cause {message.cause}" if message.cause is not None else ""
    parts = (message.name, cause, clean(release_reason(message)))
    return ", ".join(part for part in parts if part)


def _describe(message: Message, tools: Tools) -> None:
    tools.detail["reply"] = message.name
    if message.cause is not None:
        tools.detail["cause"] = message.cause
    if is_busy(message):
        tools.detail["busy"] = True
    user = message.user
    told = {
        "refusal": release_reason(message),
        "product": shown(user.product) if user and user.product else "",
        "display": message.display,
    }
    for key, value in told.items():
        if value:
            tools.detail[key] = clean(value, 200)


def _up(check: Check[H323Params], tools: Tools, evidence: str, text: str) -> Result:
    tools.detail["evidence"] = evidence
    tools.detail["message"] = text
    return tools.up(check)


def _reference() -> int:
    return 1 + secrets.randbelow(REFERENCE_MAX)
