"""The elements that H.225.0's messages are made of, in aligned PER; sans-I/O.

Only what can be read is told: whatever a peer puts into its text is hostile.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from vcmon.wire.per import Reader, Writer, wrong

PROTOCOL = bytes.fromhex("0008914a0004")
"""itu-t recommendation h 2250 version 4: what the field's stacks call themselves."""

OUR_NAME = "vcmon-probe"
"""Our own alias and display name: the far side's log is to show who asked."""

PRODUCT = b"vcmon"

VENDOR = bytes.fromhex("b5001234")
"""T.35 country, extension and manufacturer: a number that is nobody's."""

ALIASES_MAX = 16
"""Names of one endpoint that are read; codecs have two or three."""

ADDRESSES_MAX = 16
"""Addresses of one endpoint; a codec on two networks has two."""

DIGITS = "#*,0123456789"
"""What a dialled number is made of, in the order of X.691's permitted alphabet."""

_IP, _IP6 = 0, 3  # of TransportAddress
_ADDRESS_KINDS = 7

Address = tuple[str, int]


class Product(NamedTuple):
    """What an endpoint says it is."""

    kind: str  # "terminal", "gateway", "mcu", "gatekeeper", or "" where it doesn't say
    name: str
    version: str


def write_name(out: Writer, text: str, size_bits: int) -> None:
    """A BMPString of 1 to 2**size_bits characters."""
    data = text.encode("utf-16-be", "replace")
    size = len(data) // 2 - 1
    if size_bits == 8:
        out.number(size, 1)
    else:
        out.bits(size, size_bits)
    out.octets(data)


def write_alias(out: Writer, alias: str) -> None:
    """A dialled number where it can be one, else an H.323 id; 1 to 128 characters."""
    if alias.strip(DIGITS):
        out.bits(0b01, 2)
        write_name(out, alias, 8)
        return
    out.bits(0b00, 2)
    out.bits(len(alias) - 1, 7)
    out.octets(b"")  # the digits begin on an octet boundary
    for digit in alias:
        out.bits(DIGITS.index(digit), 4)


def write_address(out: Writer, address: Address) -> None:
    """A transport address; the host is a literal, its zone (ours alone) is left out."""
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    if ip.version == 4:
        out.bits(_IP, 4)
    else:
        out.bits(_IP6 << 1, 5)
    out.octets(ip.packed)
    out.number(address[1], 2)


def write_terminal(out: Writer, version: str) -> None:
    """Ourselves: a terminal without media, made by vcmon."""
    out.bits(0b0010001, 7)  # vendor and terminal, of the six that may be told
    out.bits(0, 1)
    out.bits(0b11, 2)  # product and version
    out.bits(0, 1)
    out.octets(VENDOR)
    for text in (PRODUCT, version.encode("ascii", "replace")[:256] or b"0"):
        out.number(len(text) - 1, 1)
        out.octets(text)
    out.bits(0, 2)  # terminal: nothing to add
    out.bits(0, 2)  # no multipoint controller, a known type


def read_name(source: Reader, size_bits: int) -> str:
    """A BMPString of 1 to 2**size_bits characters."""
    size = source.number(1) if size_bits == 8 else source.bits(size_bits)
    return source.octets((size + 1) * 2).decode("utf-16-be", "replace")


def read_alias(source: Reader) -> str:
    """A name or number; "" for one of a kind that only telephone networks use."""
    match source.choice(2):
        case 0:
            size = source.bits(7) + 1
            source.octets(0)
            return "".join(_digit(source.bits(4)) for _ in range(size))
        case 1:
            return read_name(source, 8)
        case 2 | 4:  # a URL, an e-mail address
            inner = source.open()
            return _text(inner.octets(inner.number(2) + 1))
        case _:
            source.counted()
            return ""


def read_aliases(source: Reader) -> tuple[str, ...]:
    """The names that can be told, in order."""
    count = source.length()
    if count > ALIASES_MAX:
        raise wrong(f"{count} names of one endpoint")
    return tuple(alias for _ in range(count) if (alias := read_alias(source)))


def read_address(source: Reader) -> Address | None:
    """A transport address; None for one that is neither IPv4 nor IPv6."""
    kind = source.choice(_ADDRESS_KINDS)
    if kind >= _ADDRESS_KINDS:
        source.counted()
        return None
    extended = kind == _IP6 and source.flag()
    if kind not in {_IP, _IP6}:
        raise wrong(f"an address of kind {kind}, neither IPv4 nor IPv6")
    ip = ipaddress.ip_address(source.octets(4 if kind == _IP else 16))
    address = (str(ip), source.number(2))
    if extended:
        source.skip_extensions()
    return address


def read_addresses(source: Reader) -> tuple[Address, ...]:
    """The addresses that can be told, in order."""
    count = source.length()
    if count > ADDRESSES_MAX:
        raise wrong(f"{count} addresses of one endpoint")
    return tuple(address for _ in range(count) if (address := read_address(source)))


def read_endpoint(source: Reader) -> Product:
    """An EndpointType: what it is, and who made it."""
    extended, private, vendor, *kinds = source.flags(7)
    if private:
        skip_private(source)
    name, version = _read_vendor(source) if vendor else ("", "")
    told = ""
    for kind, present in zip(("gatekeeper", "gateway", "mcu", "terminal"), kinds, strict=True):
        if present:
            told = told or kind
            _skip_role(source, gateway=kind == "gateway")
    source.bits(2)
    if extended:
        source.skip_extensions()
    return Product(told, name, version)


def skip_private(source: Reader) -> None:
    """Pass over a NonStandardParameter."""
    match source.choice(2):
        case 0:
            source.counted()
        case 1:
            _skip_manufacturer(source)
        case _:
            source.counted()
    source.counted()


def read_version(source: Reader) -> int | None:
    """The version in a protocolIdentifier; None for an identifier that is not H.225.0's."""
    identifier = source.counted()
    ours = len(identifier) == len(PROTOCOL) and identifier[:-1] == PROTOCOL[:-1]
    return identifier[-1] if ours else None


def _read_vendor(source: Reader) -> tuple[str, str]:
    extended, *told = source.flags(3)
    _skip_manufacturer(source)
    name, version = (
        _text(source.octets(source.number(1) + 1)) if present else "" for present in told
    )
    if extended:
        source.skip_extensions()
    return name, version


def _skip_manufacturer(source: Reader) -> None:
    extended = source.flag()
    source.octets(len(VENDOR))
    if extended:
        source.skip_extensions()


def _skip_role(source: Reader, *, gateway: bool) -> None:
    """GatekeeperInfo, GatewayInfo, McuInfo or TerminalInfo."""
    extended = source.flag()
    protocols = gateway and source.flag()
    private = source.flag()
    if protocols:
        for _ in range(source.length()):
            _skip_protocol(source)
    if private:
        skip_private(source)
    if extended:
        source.skip_extensions()


def _skip_protocol(source: Reader) -> None:
    """One of SupportedProtocols: something private, or capabilities that all look alike."""
    kind = source.choice(9)
    if kind >= 9:
        source.counted()
    elif kind == 0:
        skip_private(source)
    else:
        _skip_role(source, gateway=False)


def _digit(index: int) -> str:
    if index >= len(DIGITS):
        raise wrong(f"digit {index} of a dialled number")
    return DIGITS[index]


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("utf-8", "replace")
