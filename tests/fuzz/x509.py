"""X.509: the validity of a certificate that nobody verified."""

from __future__ import annotations

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fuzz.target import Target
from vcmon.wire.x509 import certificate_validity


def read(data: bytes) -> None:
    validity = certificate_validity(data)
    if validity is not None:
        assert all(-1e12 < seconds < 1e12 for seconds in validity)


def _certificate() -> bytes:
    pem = trustme.CA().issue_cert("vc.example.go.id").cert_chain_pems[0].bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


DER = _certificate()
TARGET = Target(read, (DER, DER[: len(DER) // 2]))
