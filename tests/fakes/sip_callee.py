"""A callee in a thread that keeps a list of its calls, over a network as bad as told.

It does what real devices do at their worst: rings for a while, loses packets, answers with several
voices, takes a call in the moment in which it is cancelled.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.fakes.sip_peers import HOST, Address, header, respond

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n{more}"
)
T1 = 0.5


@dataclass(frozen=True)
class Manner:
    """How it takes calls. Times in seconds."""

    rings: tuple[float, float] = (0.0, 0.0)  # at least, at most; then it answers
    loss: float = 0.0  # of packets each way
    voices: int = 1  # devices that answer, each with its own tag
    late: bool = False  # a CANCEL makes it answer 200
    sdp: str = ""  # "": its own sink


@dataclass
class Dialog:
    """One call as the callee knows it."""

    invite: bytes
    sender: Address
    tags: dict[str, str]  # tag -> "ringing", "answered", "up" or "ended"


@dataclass
class Callee:
    """The running callee."""

    sock: socket.socket
    sink: socket.socket
    manner: Manner
    dialogs: dict[str, Dialog] = field(default_factory=dict)  # by Call-ID
    methods: list[str] = field(default_factory=list)  # of requests that arrived
    queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    serial: Iterator[int] = field(default_factory=itertools.count)
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def left_up(self) -> int:
        """Calls that ring, or are up, or wait for their ACK."""
        states = [state for d in tuple(self.dialogs.values()) for state in d.tags.values()]
        return sum(state != "ended" for state in states)

    def serve(self, stop: threading.Event) -> None:
        while not stop.is_set():
            while self.queue and self.queue[0][0] <= time.monotonic():
                heapq.heappop(self.queue)[2]()
            with contextlib.suppress(TimeoutError):
                data, sender = self.sock.recvfrom(65_535)
                if self.dice.random() >= self.manner.loss:
                    self._take(data, sender)

    def send(self, data: bytes, to: Address) -> None:
        if self.dice.random() >= self.manner.loss:
            self.sock.sendto(data, to)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (time.monotonic() + seconds, next(self.serial), what))

    def _take(self, data: bytes, sender: Address) -> None:
        method = data.split(b" ", 1)[0].decode()
        if method.startswith("SIP/"):
            return
        self.methods.append(method)
        dialog = self.dialogs.get(header(data, "Call-ID"))
        if method == "INVITE":
            self._invited(data, sender, dialog)
        elif method == "CANCEL":
            self.send(respond(data, "SIP/2.0 200 OK" if dialog else "SIP/2.0 481 None"), sender)
            if dialog is not None:
                self._cancelled(dialog)
        elif dialog is not None:
            tag = header(data, "To").partition("tag=")[2]
            if method == "BYE":
                dialog.tags[tag] = "ended"
                self.send(respond(data), sender)
            elif method == "ACK" and dialog.tags.get(tag) == "answered":
                dialog.tags[tag] = "up"

    def _invited(self, data: bytes, sender: Address, dialog: Dialog | None) -> None:
        if dialog is None:
            tags = {secrets.token_hex(4): "ringing" for _ in range(self.manner.voices)}
            dialog = self.dialogs[header(data, "Call-ID")] = Dialog(data, sender, tags)
            self.later(self.dice.uniform(*self.manner.rings), lambda: self._answer(dialog))
        if "ringing" in dialog.tags.values():
            self._say(dialog, "SIP/2.0 180 Ringing", next(iter(dialog.tags)))

    def _cancelled(self, dialog: Dialog) -> None:
        if "ringing" not in dialog.tags.values():
            return
        if self.manner.late:
            self._answer(dialog)
            return
        for tag in dialog.tags:
            dialog.tags[tag] = "ended"
        self._say(dialog, "SIP/2.0 487 Request Terminated", next(iter(dialog.tags)))

    def _answer(self, dialog: Dialog, tag: str = "", pause: float = T1) -> None:
        """Answer with each voice, again and again until it is acknowledged."""
        for each in (tag,) if tag else tuple(dialog.tags):
            state = dialog.tags[each]
            if state == "ringing" or (tag and state == "answered"):
                dialog.tags[each] = "answered"
                self._say(dialog, "SIP/2.0 200 OK", each)
                self.later(pause, lambda each=each: self._answer(dialog, each, 2 * pause))  # type: ignore[misc]

    def _say(self, dialog: Dialog, start: str, tag: str) -> None:
        to = f"{header(dialog.invite, 'To')};tag={tag}"
        contact = f"<sip:callee@{HOST}:{self.port}>"
        body = b""
        changed = {"to": to, "contact": contact}
        if " 200 " in start:
            port = self.sink.getsockname()[1]
            body = (self.manner.sdp or SDP.format(host=HOST, port=port, more="")).encode()
            changed |= {"content_type": "application/sdp", "content_length": str(len(body))}
        self.send(respond(dialog.invite, start, **changed) + body, dialog.sender)


@contextlib.contextmanager
def callee(manner: Manner) -> Iterator[Callee]:
    """A callee on loopback until the end of the block."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
    ):
        sock.bind((HOST, 0))
        sink.bind((HOST, 0))
        sock.settimeout(0.01)
        found = Callee(sock, sink, manner)
        stop = threading.Event()
        thread = threading.Thread(target=found.serve, args=(stop,), name="callee")
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            thread.join(10)
