"""Operating-system errors become ProbeError here, once, with whose fault they are.

The same errno means two things. ENETUNREACH *raised by our own* ``connect`` or ``sendto`` says that
this machine has no route: nobody else's outage (:func:`local_fault`). The same number *reported by
the socket later* (SO_ERROR, the error queue) says that a router answered so: :func:`remote_fault`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

_Local = Mapping[int, tuple[Reason, str]]
_Remote = Mapping[int, tuple[Reason, Blame, str]]

_NO_ROUTE = "this machine has no route there; look at `ip route get <address>`"
_PERMISSION = "this machine forbids it; look at its own firewall (`nft list ruleset`)"
_FDS = "no file descriptor is free; raise LimitNOFILE of vcmon.service"
_BUFFERS = "the kernel has no buffer left for it; look at net.core.wmem_max and at free memory"

_LOCAL: _Local = {
    errno.ENETUNREACH: (Reason.NO_ROUTE, _NO_ROUTE),
    errno.EHOSTUNREACH: (Reason.NO_ROUTE, _NO_ROUTE),
    errno.ENETDOWN: (Reason.NO_ROUTE, "the network interface is down; look at `ip link`"),
    errno.ENODEV: (Reason.NO_ROUTE, "the network interface is gone; look at `ip link`"),
    # a blackhole route answers EINVAL, a prohibit route EACCES
    errno.EINVAL: (Reason.NO_ROUTE, _NO_ROUTE),
    errno.EACCES: (Reason.PERMISSION, _PERMISSION),
    errno.EPERM: (Reason.PERMISSION, _PERMISSION),
    errno.EADDRNOTAVAIL: (
        Reason.NO_ROUTE,
        "no source address or port is free for it; look at `ip addr` and ip_local_port_range",
    ),
    errno.EHOSTDOWN: (Reason.NO_ROUTE, _NO_ROUTE),
    errno.EMSGSIZE: (
        Reason.NO_ROUTE,
        "the packet is larger than the interface takes; lower its size",
    ),
    errno.EAFNOSUPPORT: (Reason.NO_ROUTE, "this machine has that address family switched off"),
    errno.EMFILE: (Reason.FD_EXHAUSTED, _FDS),
    errno.ENFILE: (Reason.FD_EXHAUSTED, "the whole system is out of files; raise fs.file-max"),
    errno.ENOBUFS: (Reason.BUFFERS, _BUFFERS),
    errno.ENOMEM: (Reason.BUFFERS, _BUFFERS),
    errno.EAGAIN: (Reason.BUFFERS, _BUFFERS),
}

_REMOTE: _Remote = {
    errno.ECONNREFUSED: (
        Reason.REFUSED,
        Blame.REMOTE,
        "the host answers, but nothing listens there; is the service running?",
    ),
    errno.ECONNRESET: (Reason.RESET, Blame.REMOTE, "the peer cut the connection"),
    errno.ECONNABORTED: (Reason.RESET, Blame.REMOTE, "the peer cut the connection"),
    errno.EPIPE: (Reason.RESET, Blame.REMOTE, "the peer had closed the connection"),
    errno.ENOTCONN: (Reason.RESET, Blame.REMOTE, "the peer had closed the connection"),
    errno.ESHUTDOWN: (Reason.RESET, Blame.REMOTE, "the peer had closed the connection"),
    errno.ETIMEDOUT: (Reason.TIMEOUT, Blame.PATH, "nothing came back"),
    # the kernel hands "administratively prohibited" (IPv4 code 13) over as EHOSTUNREACH too
    errno.EHOSTUNREACH: (
        Reason.HOST_UNREACHABLE,
        Blame.PATH,
        "the last router can't reach the host, or a firewall rejects us; look at that site's LAN",
    ),
    errno.EHOSTDOWN: (Reason.HOST_UNREACHABLE, Blame.PATH, "the last router says the host is off"),
    errno.ENONET: (Reason.HOST_UNREACHABLE, Blame.PATH, "a router says the host is cut off"),
    errno.ENETUNREACH: (
        Reason.NET_UNREACHABLE,
        Blame.PATH,
        "a router on the way has no route; look at the link and its provider",
    ),
    errno.ENETDOWN: (Reason.NET_UNREACHABLE, Blame.PATH, "a link on the way is down"),
    errno.EACCES: (Reason.FILTERED, Blame.PATH, "a firewall on the way forbids it"),
    errno.EPERM: (Reason.FILTERED, Blame.PATH, "a firewall on the way forbids it"),
    errno.EPROTO: (Reason.FILTERED, Blame.PATH, "a router on the way took offence at our packet"),
    errno.ENOPROTOOPT: (Reason.FILTERED, Blame.PATH, "the host rejects the protocol; a firewall?"),
    errno.EOPNOTSUPP: (Reason.FILTERED, Blame.PATH, "a router on the way took offence"),
    errno.EMSGSIZE: (Reason.FILTERED, Blame.PATH, "too big for the path; look at its MTU"),
}

_BY_CLASS: Mapping[type[OSError], int] = {
    ConnectionRefusedError: errno.ECONNREFUSED,
    BrokenPipeError: errno.EPIPE,
    ConnectionError: errno.ECONNRESET,  # the rest of its family
    TimeoutError: errno.ETIMEDOUT,
}
"""asyncio and ssl raise some of these without an errno; the first that fits counts."""

REMOTE_ERRNOS = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT})
"""Only a peer or the path says these, even when our own call returns them (loopback does)."""


def local_fault(exc: OSError) -> ProbeError:
    """The error for what our own call raised: always blame LOCAL, so never an outage.

    An errno not known here is ``bug``: it needs a look at our side. Never raises.
    """
    code = _errno(exc)
    reason, advice = _LOCAL.get(code, (Reason.BUG, "unexpected on our side; please report it"))
    return ProbeError(reason, Blame.LOCAL, f"{_said(exc, code)}: {advice}")


def remote_fault(exc: OSError) -> ProbeError:
    """The error for what came from the network: blame REMOTE or PATH.

    A shortage of ours that shows up late (EMFILE, ENOBUFS ...) stays LOCAL. An errno not known
    here is ``reset`` by the peer: the connection is gone, whatever the name of it. Never raises.
    """
    code = _errno(exc)
    if code in _REMOTE:
        reason, blame, advice = _REMOTE[code]
        return ProbeError(reason, blame, f"{_said(exc, code)}: {advice}")
    if code in _LOCAL:
        return local_fault(exc)
    return ProbeError(
        Reason.RESET, Blame.REMOTE, f"{_said(exc, code)}: the connection broke off unexpectedly"
    )


def clean(text: str, limit: int = 100) -> str:
    """Text from outside, fit for a message: printable, on one line, at most ``limit`` characters.

    What is not printable becomes U+FFFD; what was cut shows as an ellipsis.
    """
    head = "".join(char if char.isprintable() else "\ufffd" for char in text[: limit + 1])
    return head if len(head) <= limit else head[: limit - 1] + "…"


def _errno(exc: OSError) -> int:
    if exc.errno is not None:
        return exc.errno
    return next((code for kind, code in _BY_CLASS.items() if isinstance(exc, kind)), 0)


def _said(exc: OSError, code: int) -> str:
    if code > 0:
        return os.strerror(code)
    return clean(str(exc)) or type(exc).__name__
