"""TLS for the pages: one context, whose certificate is read again when its files have changed."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from vcmon.errors import StartError

HANDSHAKE_TIME = 10.0
"""Seconds for a handshake: five round trips over a satellite, and a slow machine."""

ACCEPTED_MAX = 600
"""Connections that may begin within one such time: 500 pages that come back together, and some.
Those that never finish their handshake are held no longer than it, and are never more."""

log = structlog.get_logger("vcmon.views")

Stamps = tuple[tuple[int, int, int], ...]


class Tls:
    """A certificate's files and the context made of them. Not for the loop: it reads files."""

    def __init__(self, certificate: str, key: str) -> None:
        self._files = (certificate, key)
        self._stamps = _stamps(self._files)
        self.context = _context(self._files)

    def renew(self) -> None:
        """Take another certificate for what connects from now on; a broken one is not taken."""
        stamps = _stamps(self._files)
        if stamps == self._stamps:
            return
        self._stamps = stamps  # a broken one is told once
        try:
            _context(self._files)  # first apart: a half-taken pair would end every handshake
            self.context.load_cert_chain(*self._files)
        except (OSError, StartError) as error:
            log.error("the new certificate is not taken", error=str(error))  # noqa: TRY400  as above
        else:
            log.info("the certificate is renewed", file=self._files[0])


def _context(files: tuple[str, str]) -> ssl.SSLContext:
    """TLS 1.2 and up. Raises StartError, which names the file and what to do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # A key with a passphrase would ask for it on the terminal, and wait.
        context.load_cert_chain(*files, password=lambda: "")
    except ssl.SSLError as error:
        what = f"{error.reason or error}; expected PEM, and a key without passphrase that fits"
        raise StartError(f"web.tls_certificate_file, web.tls_key_file: {what}") from None
    except OSError as error:
        gone = next((name for name in files if not Path(name).is_file()), files[0])
        text = error.strerror or error
        raise StartError(f"web.tls_certificate_file, web.tls_key_file: {gone}: {text}") from None
    return context


def _stamps(files: tuple[str, str]) -> Stamps:
    found = []
    for name in files:
        try:
            it = Path(name).stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((it.st_mtime_ns, it.st_size, it.st_ino))
    return tuple(found)
