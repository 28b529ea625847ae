"""wire/x509.py: the validity of a certificate, and nothing from anything else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.certificates import Authority, Issued, self_signed
from vcmon.wire.x509 import certificate_validity

GOOD = Authority().issue().der


@pytest.mark.parametrize(
    "issued",
    [
        Authority().issue(),
        Authority().expired(),
        Authority().weak(),
        Authority().issue(days=(-1, 365 * 60)),  # past 2049: GeneralizedTime
        self_signed(),
    ],
    ids=["good", "expired", "rsa", "after 2049", "self-signed"],
)
def test_validity_is_what_cryptography_reads(issued: Issued) -> None:
    """Both dates agree with an independent reader's, to the second."""
    validity = certificate_validity(issued.der)
    assert validity is not None
    assert validity.not_before == issued.certificate.not_valid_before_utc.timestamp()
    assert validity.not_after == issued.certificate.not_valid_after_utc.timestamp()


def _certificate(tag: int, before: bytes, after: bytes) -> bytes:
    """The least that looks like a certificate of version 1."""

    def element(kind: int, content: bytes) -> bytes:
        return bytes([kind, len(content)]) + content

    validity = element(0x30, element(tag, before) + element(tag, after))
    return element(0x30, element(0x30, b"\x02\x01\x01" + b"\x30\x00" * 2 + validity))


def test_the_century_of_two_digits_and_no_expiry() -> None:
    """RFC 5280: 50 is 1950, 49 is 2049; 99991231235959Z means no expiry."""
    validity = certificate_validity(_certificate(0x17, b"500101000000Z", b"491231235959Z"))
    assert validity is not None
    assert datetime.fromtimestamp(validity.not_before, UTC).year == 1950
    assert datetime.fromtimestamp(validity.not_after, UTC).year == 2049
    forever = certificate_validity(_certificate(0x18, b"20200101000000Z", b"99991231235959Z"))
    assert forever is not None
    assert datetime.fromtimestamp(forever.not_after, UTC).year == 9999


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        GOOD[:-1],
        b"-----BEGIN CERTIFICATE-----",
        _certificate(0x17, b"201301000000Z", b"301231235959Z"),  # month 13
        _certificate(0x17, b"2001010000Z", b"301231235959Z"),  # no seconds
        _certificate(0x17, b"200101000000+", b"301231235959Z"),
        _certificate(0x13, b"200101000000Z", b"301231235959Z"),  # no time at all
        _certificate(0x18, b"00000101000000Z", b"20301231235959Z"),  # year 0
    ],
)
def test_what_is_no_certificate_gives_none(der: bytes) -> None:
    """Cut, indefinite, oversized or wrong: None, no guess."""
    assert certificate_validity(der) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(data: bytes) -> None:
    """Never an exception."""
    certificate_validity(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, len(GOOD)))
def test_a_damaged_certificate_is_survived(at: int, value: int, end: int) -> None:
    """A byte changed and the tail cut off: dates or None, never an exception."""
    damaged = bytearray(GOOD)
    damaged[at] = value
    certificate_validity(bytes(damaged[:end]))
