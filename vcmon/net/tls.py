"""TLS: contexts that verify, and a name for each way in which a peer fails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.faults import clean, remote_fault
from vcmon.wire.x509 import certificate_validity

CONTEXTS_MAX = 32
"""Kept at once; each holds its trust store (0.5 MB for the system's). Offices have a few."""

CERTIFICATE_REASONS = frozenset(
    {
        Reason.TLS_CERTIFICATE,
        Reason.TLS_CERTIFICATE_EXPIRED,
        Reason.TLS_CERTIFICATE_NOT_YET_VALID,
        Reason.TLS_CERTIFICATE_HOSTNAME,
        Reason.TLS_CERTIFICATE_SELF_SIGNED,
        Reason.TLS_CERTIFICATE_UNTRUSTED,
        Reason.TLS_CERTIFICATE_WEAK,
    }
)

_UNTRUSTED = (
    Reason.TLS_CERTIFICATE_UNTRUSTED,
    (
        "no authority that we trust signed it, or the peer leaves out its intermediate; "
        "send the whole chain, or set ca_file to your own authority"
    ),
)
_HOSTNAME = (
    Reason.TLS_CERTIFICATE_HOSTNAME,
    "it is made out to another name; set server_name, or have it issued for this one",
)
_WEAK = (Reason.TLS_CERTIFICATE_WEAK, "its key or signature is too weak; renew it (RSA >= 2048)")

# X509_V_ERR_* of OpenSSL's x509_vfy.h
_VERIFY: Mapping[int, tuple[Reason, str]] = {
    2: _UNTRUSTED,
    9: (Reason.TLS_CERTIFICATE_NOT_YET_VALID, "it is not valid yet; are both clocks right?"),
    10: (Reason.TLS_CERTIFICATE_EXPIRED, "it, or one above it, has expired; renew it"),
    18: (
        Reason.TLS_CERTIFICATE_SELF_SIGNED,
        "it is self-signed; set ca_file to it if it is the right one",
    ),
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: _UNTRUSTED,
    27: _UNTRUSTED,
    62: _HOSTNAME,
    64: _HOSTNAME,
    66: _WEAK,
    67: _WEAK,
    68: _WEAK,
}

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
_WEAK_LIBRARY_REASONS = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


@dataclass(frozen=True, slots=True)
class Session:
    """What a completed handshake settled on; ``expiry`` in wall seconds, None if unreadable."""

    version: str
    cipher: str
    expiry: float | None


async def client_context(ca_file: str, *, verify: bool) -> ssl.SSLContext:
    """The context for these settings, kept from call to call until the file changes.

    ``ca_file`` is a PEM file, "" the system's trust store. It is loaded in a thread: that takes
    10 ms and more. Raises ProbeError (blame LOCAL) when the file can't be used.
    """
    return await asyncio.to_thread(_load, ca_file, verify)


def _load(ca_file: str, verify: bool) -> ssl.SSLContext:
    if not verify:
        return _unverified()
    store = ca_file or ssl.get_default_verify_paths().cafile or ""
    try:
        changed = Path(store).stat().st_mtime_ns if store else 0
        return _verified(ca_file, changed)
    except (OSError, ValueError) as exc:  # ValueError: a name with a NUL
        said = clean(getattr(exc, "strerror", None) or str(exc))
        raise ProbeError(
            Reason.TLS_CERTIFICATE,
            Blame.LOCAL,
            f"ca_file {store} can't be used ({said}); it has to be a readable PEM file",
        ) from exc


@lru_cache(CONTEXTS_MAX)
def _verified(ca_file: str, changed: int) -> ssl.SSLContext:  # noqa: ARG001 - part of the key
    context = ssl.create_default_context(cafile=ca_file or None)
    context.set_ciphers("DEFAULT:@SECLEVEL=2")  # builds differ; 2 refuses RSA < 2048 and SHA-1
    return context


@lru_cache(1)
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # the user asked for no judgement: old room systems speak TLS 1.0 with small keys
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def verifiable_name(name: str) -> str:
    """The form of a host name or address that TLS compares; raises ProbeError (blame LOCAL)."""
    bare = name.partition("%")[0].rstrip(".")  # no zone of an address, no root of a name
    try:
        ascii_name = bare.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_name = ""
    if not ascii_name or ascii_name.startswith("."):
        raise ProbeError(
            Reason.TLS_HANDSHAKE,
            Blame.LOCAL,
            f"{clean(name)!r} is no name that TLS can ask for; set server_name",
        )
    return ascii_name


def session(tls: ssl.SSLObject) -> Session:
    """What the completed handshake settled on; the certificate is read with verify off, too."""
    cipher = tls.cipher()
    validity = certificate_validity(tls.getpeercert(binary_form=True) or b"")
    return Session(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        expiry=validity.not_after if validity else None,
    )


def tls_fault(exc: OSError, name: str) -> ProbeError:
    """The error for a handshake (or a TLS record) that failed; ``name`` is what was verified."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _certificate_fault(exc, name)
    if isinstance(exc, ssl.SSLError):
        return _handshake_fault(exc)
    fault = remote_fault(exc)
    return ProbeError(fault.reason, fault.blame, f"cut off during the TLS handshake: {fault.text}")


def _certificate_fault(exc: ssl.SSLCertVerificationError, name: str) -> ProbeError:
    said = clean(exc.verify_message)
    reason, advice = _VERIFY.get(
        exc.verify_code, (Reason.TLS_CERTIFICATE, "look at it with `openssl s_client`")
    )
    return ProbeError(
        reason, Blame.REMOTE, f"the certificate for {clean(name)} is refused ({said}): {advice}"
    )


def _handshake_fault(exc: ssl.SSLError) -> ProbeError:
    library = exc.reason or ""
    if library in _WEAK_LIBRARY_REASONS:
        return ProbeError(_WEAK[0], Blame.REMOTE, f"the certificate is refused: {_WEAK[1]}")
    if library in _NOT_TLS:
        advice = "the peer answers, but not with TLS; is this a plain-text port?"
    elif isinstance(exc, ssl.SSLEOFError):
        return ProbeError(
            Reason.RESET, Blame.REMOTE, "the peer closed the connection during the TLS handshake"
        )
    elif "CERTIFICATE_REQUIRED" in library:
        advice = "the peer asks for a client certificate, which vcmon doesn't have"
    else:
        advice = "both sides found no common ground; look at it with `openssl s_client`"
    said = clean(library.replace("_", " ").lower() or str(exc))
    return ProbeError(Reason.TLS_HANDSHAKE, Blame.REMOTE, f"TLS failed ({said}): {advice}")
