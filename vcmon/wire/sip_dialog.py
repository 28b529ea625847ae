"""One call of ours, from INVITE to its end (RFC 3261 sections 9, 12 to 15, 17); sans-I/O.

Bytes to send gather in :attr:`Dialog.outbox`; the time is handed in. Whatever the peer sends,
every leg that it opens is acknowledged and ended: a late 2xx after CANCEL, the second branch of a
fork, a 2xx whose ACK was lost. All requests go to the peer that was called, whatever its Contact
or Record-Route say: those only fill the request line and the Route headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vcmon.wire.sip import BRANCH_COOKIE, Message, bracketed

LEGS_MAX = 8
"""Answers by different devices to one INVITE; a fork rings two or three."""

ROUTES_MAX = 20
"""Record-Route entries; as many proxies on the way would be a loop."""

ANSWERS_MAX = 64
"""Requests and repeated answers of the peer that are answered in one call; then it floods us."""

HEADER_MAX = 1_024
"""Characters of a header that is looked into or sent back within a request."""

T2 = 4.0
"""Seconds between retransmissions at the most (RFC 3261 17.1.2.1)."""

_URI = re.compile(r"sips?:[\x21-\x3b\x3d\x3f-\x7e]{1,500}", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=\s*([\w.!%*+`'~-]{1,200})", re.ASCII | re.IGNORECASE)
_ROUTE = re.compile(r"<([^<>\s]{1,500})>")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Invite:
    """Whom we call, and what we offer. ``call_id`` and ``tag`` are fresh random text."""

    uri: str  # see wire.sip.request_uri
    transport: str  # "udp", "tcp" or "tls"
    local: tuple[str, int]  # our address and port
    call_id: str
    tag: str
    version: str  # vcmon's
    sdp: bytes
    expires: int  # seconds after which it must no longer ring, should we die meanwhile


@dataclass(slots=True)
class _Sending:
    """A request that is sent again until it is answered."""

    data: bytes
    due: float
    pause: float


@dataclass(slots=True)
class _Leg:
    """One device that answered."""

    to: str
    target: str
    routes: tuple[str, ...]
    ack: bytes = b""
    bye_branch: str = ""
    bye: _Sending | None = None
    bye_status: int | None = None
    ended: bool = False


@dataclass(slots=True)
class Dialog:
    """The state of one call; ``t1`` seconds to the first retransmission, 0.0 over TCP and TLS.

    ``branch`` gives fresh random text each time it is called.
    """

    invite: Invite
    t1: float
    branch: Callable[[], str]
    outbox: list[bytes] = field(default_factory=list)
    provisional: Message | None = None  # the latest 1xx; a 100 only where nothing better came
    answer: Message | None = None  # the 2xx that made the call
    refusal: Message | None = None  # the final answer where it was another
    hung_up: bool = False  # the peer ended the call that it had taken
    transmissions: int = 0  # of the INVITE
    _branch: str = ""
    _sending: dict[str, _Sending] = field(default_factory=dict)  # INVITE and CANCEL
    _legs: dict[str, _Leg] = field(default_factory=dict)  # by To tag
    _call: _Leg | None = None
    _ending: bool = False
    _answers: int = 0

    # ---- what we do

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self._branch = BRANCH_COOKIE + self.branch()
        self.transmissions = 1
        self._send("INVITE", self._head("INVITE", self._branch) + self._offer(), now)

    def hang_up(self, now: float) -> None:
        """Begin to end whatever there is: BYE for what was answered, CANCEL for what rings."""
        if self._ending or not self._branch:
            return
        self._ending = True
        self._sending.pop("INVITE", None)
        for leg in self._legs.values():
            self._bye(leg, now)
        if self._legs or self.refusal is not None:
            return
        if self.provisional is not None or not self.t1:
            self._cancel(now)
        else:
            # RFC 3261 9.1 wants a provisional answer first, lest CANCEL overtake INVITE. One T1
            # later it doesn't, and the peer may be ringing though its answer was lost.
            self._sending["CANCEL"] = _Sending(self._cancel_request(), now + self.t1, self.t1)

    def last_words(self) -> None:
        """Say once more what is not confirmed: nobody will listen to an answer."""
        for leg in self._legs.values():
            if leg.bye is not None:
                self.outbox += [leg.ack, leg.bye.data]
        if self._branch and not self._legs and self.refusal is None:
            self.outbox.append(self._cancel_request())

    def tick(self, now: float) -> None:
        """Send again what is due."""
        for method, sending in self._sending.items():
            if now >= sending.due:
                self.transmissions += method == "INVITE"
                self._again(sending, now)
        for leg in self._legs.values():
            if leg.bye is not None and now >= leg.bye.due:
                self._again(leg.bye, now)

    @property
    def wakes_at(self) -> float:
        """When :meth:`tick` is due; infinity where only the peer can bring news."""
        legs = [leg.bye for leg in self._legs.values() if leg.bye is not None]
        waiting = [*self._sending.values(), *legs] if self.t1 else []
        return min((sending.due for sending in waiting), default=float("inf"))

    @property
    def over(self) -> bool:
        """Whether nothing of this call is left at the peer, as far as it has told us."""
        if not self._branch:
            return True
        answered = bool(self._legs) or self.refusal is not None
        return answered and all(leg.ended for leg in self._legs.values())

    @property
    def bye_status(self) -> int | None:
        """What the peer answered to our BYE."""
        return self._call.bye_status if self._call is not None else None

    # ---- what the peer says

    def take(self, message: Message, now: float) -> None:
        """Take in one message; what does not belong to this call is ignored."""
        if message.status is None:
            self._answer_request(message)
            return
        cseq = message.cseq()
        if cseq is None or message.header("call-id") != self.invite.call_id:
            return
        branch, method = message.branch(), cseq[1]
        if method == "BYE":
            self._bye_answered(message.status, branch)
        elif branch != self._branch or not branch:
            return
        elif method == "INVITE":
            self._invite_answered(message, message.status, now)
        elif method == "CANCEL" and message.status >= 200:
            self._sending.pop("CANCEL", None)

    def _invite_answered(self, message: Message, status: int, now: float) -> None:
        self._sending.pop("INVITE", None)
        if status < 200:
            if status > 100 or self.provisional is None:
                self.provisional = message
            nothing_final = self.refusal is None and not self._legs
            if self._ending and nothing_final:
                self._cancel(now)
            return
        self._sending.pop("CANCEL", None)
        if self._flooded():
            return
        if status < 300:
            self._taken(message, now)
            return
        # the ACK to a refusal belongs to the INVITE's own transaction (RFC 3261 17.1.1.3)
        to = _bare(message.header("to") or f"<{self.invite.uri}>")
        self.outbox.append(self._head("ACK", self._branch, to=to) + b"Content-Length: 0\r\n\r\n")
        if self.refusal is None and not self._legs:
            self.refusal = message

    def _taken(self, message: Message, now: float) -> None:
        to = _bare(message.header("to") or f"<{self.invite.uri}>")
        tag = _tag(to)
        leg = self._legs.get(tag)
        if leg is None:
            if len(self._legs) >= LEGS_MAX:
                return
            target = _uri(message.header("contact") or "") or self.invite.uri
            leg = self._legs[tag] = _Leg(to, target, _routes(message))
            head = self._in_dialog("ACK", BRANCH_COOKIE + self.branch(), leg, 1)
            leg.ack = head + b"Content-Length: 0\r\n\r\n"
        self.outbox.append(leg.ack)
        if self._call is None and not self._ending and self.refusal is None:
            self._call, self.answer = leg, message
        elif leg is not self._call or self._ending:
            self._bye(leg, now)

    def _bye(self, leg: _Leg, now: float) -> None:
        if leg.ended or leg.bye is not None:
            return
        leg.bye_branch = BRANCH_COOKIE + self.branch()
        head = self._in_dialog("BYE", leg.bye_branch, leg, 2)
        leg.bye = _Sending(head + b"Content-Length: 0\r\n\r\n", now + self.t1, self.t1)
        self.outbox.append(leg.bye.data)

    def _bye_answered(self, status: int, branch: str | None) -> None:
        for leg in self._legs.values():
            if leg.bye is not None and leg.bye_branch == branch and status >= 200:
                leg.bye, leg.bye_status, leg.ended = None, status, True

    def _cancel(self, now: float) -> None:
        if "CANCEL" not in self._sending:
            self._send("CANCEL", self._cancel_request(), now)
        elif self.t1 and self._sending["CANCEL"].due > now:
            self._again(self._sending["CANCEL"], now)

    def _answer_request(self, message: Message) -> None:
        """A request of theirs: ending the call is theirs to decide, changing it is not."""
        method = message.phrase.partition(" ")[0].upper()
        if method == "ACK" or self._flooded():
            return
        leg = self._leg_of(message)
        said = "481 Call/Transaction Does Not Exist"
        if method == "OPTIONS":
            said = "200 OK"
        elif leg is not None:
            said = _reply_to(method, has_body=bool(message.body))
            if method == "BYE":
                leg.bye, leg.ended = None, True
                self.hung_up = self.hung_up or (leg is self._call and not self._ending)
        self.outbox.append(self._response(message, said))

    def _leg_of(self, message: Message) -> _Leg | None:
        ours = _tag(_bare(message.header("to") or "")) == self.invite.tag
        if not ours or message.header("call-id") != self.invite.call_id:
            return None
        return self._legs.get(_tag(_bare(message.header("from") or "")))

    def _flooded(self) -> bool:
        self._answers += 1
        return self._answers > ANSWERS_MAX

    # ---- sending

    def _send(self, method: str, data: bytes, now: float) -> None:
        if self.t1:
            self._sending[method] = _Sending(data, now + self.t1, self.t1)
        self.outbox.append(data)

    def _again(self, sending: _Sending, now: float) -> None:
        self.outbox.append(sending.data)
        sending.pause = min(2 * sending.pause, T2)
        sending.due = now + sending.pause

    def _cancel_request(self) -> bytes:
        return self._head("CANCEL", self._branch) + b"Content-Length: 0\r\n\r\n"

    def _offer(self) -> bytes:
        sdp = self.invite.sdp
        lines = (
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO",
            "Accept: application/sdp",
            f"Expires: {self.invite.expires}",
            "Content-Type: application/sdp",
            f"Content-Length: {len(sdp)}",
        )
        return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + sdp

    def _in_dialog(self, method: str, branch: str, leg: _Leg, cseq: int) -> bytes:
        """The head of a request within the dialog (RFC 3261 12.2.1.1)."""
        target, routes = leg.target, leg.routes
        if routes and ";lr" not in routes[0].lower():  # a strict router, of the old kind
            target, routes = routes[0], (*routes[1:], leg.target)
        head = self._head(method, branch, uri=target, to=leg.to, cseq=cseq)
        return head + "".join(f"Route: <{route}>\r\n" for route in routes).encode()

    def _head(
        self, method: str, branch: str, *, uri: str = "", to: str = "", cseq: int = 1
    ) -> bytes:
        invite = self.invite
        host, port = bracketed(invite.local[0]), invite.local[1]
        suffix = "" if invite.transport == "udp" else f";transport={invite.transport}"
        lines = (
            f"{method} {uri or invite.uri} SIP/2.0",
            f"Via: SIP/2.0/{invite.transport.upper()} {host}:{port};branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:vcmon@{host}>;tag={invite.tag}",
            f"To: {to or f'<{invite.uri}>'}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:vcmon@{host}:{port}{suffix}>",
            f"User-Agent: vcmon/{invite.version}",
        )
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _response(self, message: Message, said: str) -> bytes:
        """The answer to a request of theirs, with what they must have back (RFC 3261 8.2.6.2)."""
        lines = [f"SIP/2.0 {said}"]
        lines += [f"Via: {_bare(via)}" for via in message.values("via")]
        for name in ("From", "To", "Call-ID", "CSeq"):
            lines.append(f"{name}: {_bare(message.header(name.lower()) or '')}")
        lines += ["Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO", "Content-Length: 0", "", ""]
        return "\r\n".join(lines).encode()


def _reply_to(method: str, *, has_body: bool) -> str:
    if method in {"BYE", "INFO", "MESSAGE", "NOTIFY", "PRACK"}:
        return "200 OK"
    if method == "UPDATE" and not has_body:
        return "200 OK"  # only refreshes the session
    if method in {"INVITE", "UPDATE"}:
        return "488 Not Acceptable Here"  # the session stays as it was (RFC 3261 14.2)
    return "501 Not Implemented"


def _bare(value: str) -> str:
    """A header value on one line, cut where no honest one is so long."""
    return _UNPRINTABLE.sub(" ", value[:HEADER_MAX])


def _tag(value: str) -> str:
    match = _TAG.search(value.rpartition(">")[2])
    return match[1] if match else ""


def _uri(contact: str) -> str:
    """The URI of a Contact that is fit for a request line, or ""."""
    inside = _ROUTE.search(contact[:HEADER_MAX])
    uri = inside[1] if inside else contact[:HEADER_MAX].partition(";")[0].strip()
    return uri if _URI.fullmatch(uri) else ""


def _routes(message: Message) -> tuple[str, ...]:
    """The route set: Record-Route in reverse (RFC 3261 12.1.2)."""
    return tuple(_record_routes(message))[ROUTES_MAX - 1 :: -1]


def _record_routes(message: Message) -> Iterator[str]:
    for value in message.values("record-route"):
        for match in _ROUTE.finditer(value[:HEADER_MAX]):
            if _URI.fullmatch(match[1]):
                yield match[1]
