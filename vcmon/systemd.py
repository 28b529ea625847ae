"""Speaks sd_notify(3): tells the service manager that we are ready, alive, reloading, stopping.

Nothing here raises or blocks: a monitor must not die of its supervisor's silence. Without a
manager (``NOTIFY_SOCKET`` unset) every call does nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from vcmon.clock import monotonic_ns

STATUS_MAX = 512
"""Characters of a status line: what ``systemctl status`` shows in a few rows of a terminal."""


class ServiceManager:
    """The manager that started us, or nobody.

    ``environ`` is the process's environment. Each message returns whether it was handed over.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_period = _watchdog_period(environ)
        # Opened now and kept: a watchdog that needs a free descriptor would fall silent when the
        # descriptors run out, and we would be killed for it.
        self._socket = _open() if self._address else None

    def ready(self) -> bool:
        """The start (or a reload) is complete."""
        return self._send("READY=1")

    def alive(self) -> bool:
        """Keeps the watchdog quiet for another ``WatchdogSec``."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """A reload begins; :meth:`ready` ends it, whether it succeeded or not."""
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns() // 1000}")

    def stopping(self) -> bool:
        """The shutdown begins."""
        return self._send("STOPPING=1")

    def status(self, text: str) -> bool:
        """One line for ``systemctl status``; line breaks in ``text`` can't smuggle in a message."""
        return self._send("STATUS=" + " ".join(text.split())[:STATUS_MAX])

    def close(self) -> None:
        """Lets go of the socket; later messages do nothing."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError:  # nobody listens, or the manager is too busy to read
            return False
        return True


def _address(name: str) -> bytes:
    """The socket's address as the kernel takes it: a path, or an abstract name (``@``)."""
    if name.startswith("@"):
        return b"\0" + os.fsencode(name[1:])
    # A vsock address speaks to a hypervisor about a whole machine: not our affair.
    return os.fsencode(name) if name.startswith("/") else b""


def _open() -> socket.socket | None:
    try:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    except OSError:
        return None
    opened.settimeout(0)
    return opened


def _watchdog_period(environ: Mapping[str, str]) -> float | None:
    """Seconds from one :meth:`ServiceManager.alive` to the next, half of what the manager allows.

    None where no watchdog waits for this process (``WATCHDOG_PID`` names another).
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    allowed = environ.get("WATCHDOG_USEC", "")
    if not (allowed.isascii() and allowed.isdecimal() and int(allowed)):
        return None
    return int(allowed) / 2e6
