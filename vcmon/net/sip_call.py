"""A call's signalling on the running loop: a dialog, its transport, and its retransmissions.

It needs no task: what comes is read by callback, what is due is sent by timers. So a call can be
ended from wherever its probe was cut off.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.datagrams import Datagram, Datagrams
from vcmon.net.faults import remote_fault
from vcmon.net.tcp import Stream
from vcmon.wire.sip import Framer, Message, is_keepalive, parse_datagram
from vcmon.wire.sip_dialog import Dialog, Invite

STREAM_MAX = 262_144
"""Bytes a peer may send over one connection: a call has 5,000, so more is babble."""

DATAGRAMS_MAX = 500
"""Datagrams read in one call; nothing of a flood after them is parsed."""

_LINGER_OFF = struct.pack("ii", 0, 0)


class Channel(Protocol):
    """What carries messages to the peer and back."""

    peer: str
    reliable: bool
    nonsense: ProbeError | None  # what is wrong with the last thing that was no SIP

    @property
    def local(self) -> tuple[str, int]: ...

    def listen(self, take: Callable[[Message], None], broken: Callable[[ProbeError], None]) -> None:
        """Hand on what comes, and what goes wrong."""

    def send(self, data: bytes) -> None:
        """Raises ProbeError."""

    def close(self) -> None: ...


class UdpChannel:
    """SIP over UDP, connected to one peer (an IP literal)."""

    reliable = False

    def __init__(self, address: str, port: int) -> None:
        """Raises ProbeError, blame ``local``."""
        self.peer = address
        self.nonsense: ProbeError | None = None
        self._taken = 0
        self._take: Callable[[Message], None] | None = None
        self._broken: Callable[[ProbeError], None] | None = None
        self._datagrams = Datagrams.connected(address, port, self._receive, self._refuse)

    @property
    def local(self) -> tuple[str, int]:
        return self._datagrams.local

    def listen(self, take: Callable[[Message], None], broken: Callable[[ProbeError], None]) -> None:
        self._take, self._broken = take, broken

    def send(self, data: bytes) -> None:
        self._datagrams.send(data)

    def close(self) -> None:
        self._datagrams.close()

    def _receive(self, datagram: Datagram) -> None:
        self._taken += 1
        if self._taken > DATAGRAMS_MAX or is_keepalive(datagram.data) or self._take is None:
            return
        try:
            message = parse_datagram(datagram.data)
        except ProbeError as error:
            self.nonsense = error
            return
        self._take(message)

    def _refuse(self, error: ProbeError) -> None:
        if self._broken is not None:
            self._broken(error)


class StreamChannel(asyncio.Protocol):
    """SIP over a connection, TLS or not; closing it stays with its owner."""

    reliable = True

    def __init__(self, stream: Stream) -> None:
        """Raises ProbeError where the peer spoke, or hung up, before it was asked."""
        self.peer = stream.peer
        self.nonsense: ProbeError | None = None
        self._framer = Framer()
        self._taken = 0
        self._deaf = False  # nothing can be read any more; BYE may still be written
        self._take: Callable[[Message], None] | None = None
        self._broken: Callable[[ProbeError], None] | None = None
        stream.hand_over(self)

    @property
    def local(self) -> tuple[str, int]:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return str(host), int(port)

    def listen(self, take: Callable[[Message], None], broken: Callable[[ProbeError], None]) -> None:
        self._take, self._broken = take, broken

    def send(self, data: bytes) -> None:
        if self._transport.is_closing():
            raise ProbeError(Reason.RESET, Blame.REMOTE, f"{self.peer} closed the connection")
        self._transport.write(data)

    def close(self) -> None:
        """Let the kernel deliver what was written last: the owner cuts the connection next."""
        sock = self._transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        text = f"{self.peer} closed the connection during the call"
        cut = ProbeError(Reason.RESET, Blame.REMOTE, text)
        self._break(remote_fault(exc) if isinstance(exc, OSError) else cut)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > STREAM_MAX or self._deaf:
            return
        self._framer.feed(data)
        try:
            while (message := self._framer.next()) is not None:
                if self._take is not None:
                    self._take(message)
        except ProbeError as error:
            self.nonsense = error
            self._break(error)  # nothing after it can be read

    def _break(self, error: ProbeError) -> None:
        known, self._deaf = self._deaf, True
        if not known and self._broken is not None:
            self._broken(error)


class SipCall:
    """One call over one channel. Whoever starts it must end it: :meth:`end`."""

    def __init__(self, channel: Channel, invite: Invite, t1: float) -> None:
        first = 0.0 if channel.reliable else t1
        self.dialog = Dialog(invite, first, lambda: secrets.token_hex(8))
        self.fault: ProbeError | None = None
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._news: asyncio.Future[None] | None = None
        self._refused_at = 0  # transmissions of the INVITE when it was refused
        channel.listen(self._take, self._note)

    def move(self, channel: Channel) -> None:
        """Go on over another channel: the old one is gone."""
        self._channel, self.fault = channel, None
        channel.listen(self._take, self._note)

    def start(self) -> None:
        """Send the INVITE. Raises ProbeError where not even that could be done."""
        self.dialog.start(self._loop.time())
        self._flush()
        if self.fault is not None and self.fault.blame is Blame.LOCAL:
            raise self.fault

    @property
    def settled(self) -> bool:
        """Whether the peer has taken the call or refused it, or can't be reached."""
        dialog = self.dialog
        return bool(dialog.answer or dialog.refusal or self.fault)

    @property
    def is_up(self) -> bool:
        """Whether the call is on."""
        return self.dialog.answer is not None and not self.dialog.hung_up and self.fault is None

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for ``done`` (looked at after each message), at most so long; whether it is."""
        ends = self._loop.time() + seconds
        while not done():
            left = ends - self._loop.time()
            if left <= 0.0:
                return False
            self._news = self._loop.create_future()
            await asyncio.wait({self._news}, timeout=left)
        return True

    async def end(self, seconds: float) -> bool:
        """Hang up; whether the peer confirmed it within ``seconds``.

        To be called under any circumstances, once. Cancelling waits, too, until the call is over
        or the time: a call that nobody ends would stay up at the peer. Out of time it says its
        last words and goes.
        """
        ends = self._loop.time() + seconds
        self.dialog.hang_up(self._loop.time())
        self._flush()
        cancelled: asyncio.CancelledError | None = None
        while not self._is_over() and self._loop.time() < ends:
            try:
                await self.until(self._is_over, ends - self._loop.time())
            except asyncio.CancelledError as cancel:
                cancelled = cancel
        over = self.dialog.over
        if not over:
            self.dialog.last_words()
            self._flush()
        if self._timer is not None:
            self._timer.cancel()
        if cancelled is not None:
            raise cancelled
        return over

    def _is_over(self) -> bool:
        return self.dialog.over or self._unreachable()

    def _unreachable(self) -> bool:
        dialog = self.dialog
        silent = dialog.provisional is None and dialog.answer is None
        return self.fault is not None and (self._channel.reliable or silent)

    def _take(self, message: Message) -> None:
        if message.status is not None:
            self._refused_at = 0
        self.dialog.take(message, self._loop.time())
        self._flush()
        self._tell()

    def _note(self, error: ProbeError) -> None:
        """What the network says. One ICMP error may be forged, or come while the peer restarts."""
        sent = self.dialog.transmissions
        if self._channel.reliable or (self._refused_at and self._refused_at != sent):
            self.fault = self.fault or error
            self._tell()
        elif not self.dialog.provisional and not self.dialog.answer:
            self._refused_at = sent

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _tick(self) -> None:
        self.dialog.tick(self._loop.time())
        self._flush()

    def _flush(self) -> None:
        """Send what there is to send, and come back when more is due."""
        outbox = self.dialog.outbox
        while outbox:
            try:
                self._channel.send(outbox.pop(0))
            except ProbeError as error:
                self.fault = self.fault or error
                self._tell()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.dialog.wakes_at
        if due != float("inf"):
            self._timer = self._loop.call_at(due, self._tick)
