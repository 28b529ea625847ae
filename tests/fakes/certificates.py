"""Certificates good and bad, made on the spot."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NAME = "codec.example.id"
"""The name that every good certificate here is made out to (127.0.0.1 and ::1 beside it)."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and what a server sends above it."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def expiry(self) -> float:
        return self.certificate.not_valid_after_utc.timestamp()

    def write(self, folder: Path, name: str) -> Path:
        """One PEM file with key and chain, as nginx and ssl read it."""
        pem = serialization.Encoding.PEM
        key = self.key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = folder / f"{name}.pem"
        parts = [key, *(one.public_bytes(pem) for one in (self.certificate, *self.chain))]
        path.write_bytes(b"".join(parts))
        return path

    def server(self, folder: Path, name: str = "server") -> ssl.SSLContext:
        """A server's context that serves it, however weak."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(self.write(folder, name))
        return context


class Authority:
    """A certificate authority of our own."""

    def __init__(self, name: str = "vcmon test authority") -> None:
        self.key = _key()
        self._name = _named(name)
        self.certificate = _signed(
            _Draft(self._name, self._name, self.key), self.key, days=(-400, 400), authority=True
        )

    def ca_file(self, folder: Path, name: str = "ca") -> str:
        """Path of its certificate in PEM: what ``ca_file`` wants."""
        path = folder / f"{name}.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)

    def issue(
        self,
        names: Sequence[str] = (NAME, "127.0.0.1", "::1"),
        days: tuple[float, float] = (-1, 365),
        *,
        key: Key | None = None,
    ) -> Issued:
        """A certificate for ``names``, valid from and to so many days from now."""
        own = key or _key()
        draft = _Draft(_named(names[0]), self._name, own, tuple(names))
        return Issued(_signed(draft, self.key, days=days), own)

    def expired(self) -> Issued:
        return self.issue(days=(-30, -2))

    def not_yet_valid(self) -> Issued:
        return self.issue(days=(2, 30))

    def wrong_host(self) -> Issued:
        return self.issue(names=("other.example.id", "127.9.9.9"))

    def weak(self) -> Issued:
        """RSA with 1024 bits: nobody should trust it, whoever signed it."""
        return self.issue(key=rsa.generate_private_key(65537, 1024))

    def expiring(self, days: float) -> Issued:
        return self.issue(days=(-80, days))


def self_signed() -> Issued:
    """A certificate that vouches for itself."""
    key = _key()
    name = _named(NAME)
    return Issued(_signed(_Draft(name, name, key, (NAME, "127.0.0.1")), key, days=(-1, 30)), key)


@dataclass(frozen=True)
class _Draft:
    subject: x509.Name
    issuer: x509.Name
    key: Key
    names: tuple[str, ...] = ()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(
    draft: _Draft, signer: Key, *, days: tuple[float, float], authority: bool = False
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(draft.subject)
        .issuer_name(draft.issuer)
        .public_key(draft.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if draft.names:
        names = x509.SubjectAlternativeName([_general(name) for name in draft.names])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())
