"""The validity of an X.509 certificate, read from its DER form (RFC 5280 section 4.1).

Python's ``getpeercert()`` tells nothing of a certificate that was not verified; this does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE = 0x30
_VERSION = 0xA0  # [0] EXPLICIT, absent in version 1
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18

_LENGTH_OCTETS = 3  # lengths up to 16 MiB; OpenSSL stops at 100 kB for a whole chain


class Validity(NamedTuple):
    """Wall seconds since 1970 UTC."""

    not_before: float
    not_after: float


class _Element(NamedTuple):
    tag: int
    start: int  # of the content
    end: int


def certificate_validity(der: bytes) -> Validity | None:
    """When the certificate is valid; None where ``der`` is no certificate. Never raises."""
    try:
        return _validity(der)
    except (IndexError, ValueError, OverflowError):
        return None


def _validity(der: bytes) -> Validity:
    certificate = _element(der, 0, _SEQUENCE)
    to_be_signed = _element(der, certificate.start, _SEQUENCE)
    position = to_be_signed.start
    if der[position] == _VERSION:
        position = _element(der, position).end
    for _ in ("serial number", "signature algorithm", "issuer"):
        position = _element(der, position).end
    validity = _element(der, position, _SEQUENCE)
    before = _element(der, validity.start)
    after = _element(der, before.end)
    if after.end != validity.end or validity.end > to_be_signed.end:
        raise ValueError("validity doesn't fit into the certificate")
    return Validity(_seconds(der, before), _seconds(der, after))


def _element(der: bytes, position: int, expected: int | None = None) -> _Element:
    tag, length = der[position], der[position + 1]
    start = position + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= _LENGTH_OCTETS:
            raise ValueError("indefinite or oversized length")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > len(der) or (expected is not None and tag != expected):
        raise ValueError("cut short, or another element than expected")
    return _Element(tag, start, start + length)


def _seconds(der: bytes, element: _Element) -> float:
    text = der[element.start : element.end].decode("ascii")
    digits = {_UTC_TIME: 12, _GENERALIZED_TIME: 14}.get(element.tag)
    if digits is None or len(text) != digits + 1 or text[-1] != "Z" or not text[:-1].isdigit():
        raise ValueError("no time in the form that RFC 5280 asks for")
    if digits == 12:  # two-digit years: 50 to 99 are 19xx
        text = ("19" if text[:2] >= "50" else "20") + text
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp()
