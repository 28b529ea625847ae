"""The country's certificates: one authority, and a good, an expired and an expiring server."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vcmon.errors import StartError
from vcmon.lab.script import FaultKind
from vcmon.lab.servers import Contexts

LIFETIMES: dict[FaultKind | None, timedelta] = {
    None: timedelta(days=200),
    FaultKind.EXPIRING: timedelta(days=3),
    FaultKind.EXPIRED: timedelta(days=-1),
}
"""How long each certificate is still valid."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority's own certificate (PEM) and the TLS contexts of the servers."""

    authority: bytes
    contexts: Contexts


def certificates(addresses: Sequence[str], now: float) -> Certificates:
    """Certificates that name all of ``addresses``; ``now`` in wall seconds.

    Raises StartError where trustme is not installed.
    """
    try:
        import trustme  # noqa: PLC0415 (an extra: only the demo needs it)
    except ImportError:
        raise StartError("the demo needs trustme: pip install 'vcmon[demo]'") from None
    authority = trustme.CA(organization_name="vcmon demo")
    today = datetime.fromtimestamp(now, UTC)
    contexts: dict[FaultKind | None, ssl.SSLContext] = {}
    for fault, lifetime in LIFETIMES.items():
        leaf = authority.issue_cert(*addresses, not_after=today + lifetime)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        contexts[fault] = context
    return Certificates(authority.cert_pem.bytes(), contexts)
