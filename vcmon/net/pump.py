"""Sends and receives one audio stream on the running loop: a packet each 20 ms from one timer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from vcmon.clock import monotonic_ns
from vcmon.errors import ProbeError
from vcmon.net.datagrams import Datagram, media_pair
from vcmon.wire.media import MediaSession

SPACING = 0.02
"""Seconds between two packets."""

REPORT_EVERY = 50
"""Packets between two reports of ours: one a second."""

LATE_MAX = 0.1
"""Seconds of lateness that are caught up; after a longer stall of ours the rhythm begins anew."""

RECEIVED_MAX = 500
"""Packets a second that are looked at: a stream has 50, more is a flood."""


class Pump:
    """The two sockets of a call's media, and what runs through them; close it in any case."""

    def __init__(self, local: str, dscp: int) -> None:
        """Open the ports. Raises ProbeError, blame ``local``."""
        self._loop = asyncio.get_running_loop()
        self._media, self._control = media_pair(local, dscp, (self._take, self._take_control))
        self._session: MediaSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._budget = 0
        self._to: tuple[str, int] = ("", 0)
        self._control_to: tuple[str, int] = ("", 0)
        self.fault: ProbeError | None = None  # of our own, while sending

    @property
    def port(self) -> int:
        """Where our audio is to be sent."""
        return self._media.local[1]

    def start(self, session: MediaSession, address: str, ports: tuple[int, int]) -> None:
        """Begin to send to ``address``, and to count what comes from it."""
        self._session = session
        self._to, self._control_to = (address, ports[0]), (address, ports[1])
        self._due = self._loop.time()
        self._budget = RECEIVED_MAX
        self._beat()

    def stop(self) -> None:
        """Send no more media; what comes is still counted, and reported once more."""
        if self._timer is not None and self._session is not None:
            self._timer.cancel()
            self._timer = None
            self._tell(self._session.report(monotonic_ns()))

    def leave(self) -> None:
        """Stop, and say goodbye: a peer forgets what it counted of who says that."""
        self.stop()
        if self._session is not None and self._session.sent:
            self._tell(self._session.goodbye(monotonic_ns()))

    def _tell(self, report: bytes) -> None:
        with suppress(ProbeError):
            self._control.send(report, self._control_to)

    def close(self) -> None:
        """Close the ports."""
        if self._timer is not None:
            self._timer.cancel()
        self._media.close()
        self._control.close()

    def _beat(self) -> None:
        session = self._session
        assert session is not None
        try:
            self._media.send(session.packet(monotonic_ns()), self._to)
            if session.sent % REPORT_EVERY == 1:
                self._budget = RECEIVED_MAX
                self._control.send(session.report(monotonic_ns()), self._control_to)
        except ProbeError as error:
            self.fault = error
        now = self._loop.time()
        self._due = self._due + SPACING if now - self._due < LATE_MAX else now + SPACING
        self._timer = self._loop.call_at(self._due, self._beat)

    def _wanted(self, datagram: Datagram) -> bool:
        self._budget -= 1
        return self._budget > 0 and _unscoped(datagram.sender[0]) == _unscoped(self._to[0])

    def _take(self, datagram: Datagram) -> None:
        if self._session is None or not self._wanted(datagram):
            return
        try:
            self._session.take_rtp(datagram.data, datagram.at, datagram.dscp)
        except ProbeError:
            self._session.foreign += 1  # keepalives of NAT traversal lie here, too

    def _take_control(self, datagram: Datagram) -> None:
        if self._session is None or not self._wanted(datagram):
            return
        with suppress(ProbeError):
            self._session.take_rtcp(datagram.data, datagram.at)


def _unscoped(address: str) -> str:
    return address.partition("%")[0]
