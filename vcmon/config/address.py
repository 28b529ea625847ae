"""Addresses as people write them: IP literals, host names, host:port."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 section 2.1
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")  # a last label like this is a mistyped IPv4
_PORT = re.compile(r"[0-9]{1,5}")


def parse_address(text: str) -> str:
    """The address in its canonical form: a compressed IP literal or a lower-case host name.

    Raises ValueError, saying what was expected and what to do instead.
    """
    if "://" in text:
        raise ValueError(f"expected an address without a scheme, write only {_bare(text)!r}")
    if "/" in text:
        raise ValueError("expected the address of one host, found a network or a path")
    if "@" in text:
        raise ValueError("expected an address, found a user: set 'user' in a check profile")
    if text.startswith("[") or (text.count(":") == 1 and not text.startswith(":")):
        raise ValueError(
            "expected an address without port or brackets: a port is written in the checks, "
            "as sip:5070"
        )
    if ":" in text or _NUMERIC.fullmatch(text.rstrip(".").rpartition(".")[2].lower()):
        return _literal(text)
    return _host_name(text)


def _bare(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition(":")[0]


def _literal(text: str) -> str:
    if "%" in text:
        raise ValueError("expected an address without a zone: a link-local one can't be routed to")
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError("expected an IP address like 192.0.2.10 or 2001:db8::10") from None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    plain = mapped or address
    if plain.is_multicast or plain.is_unspecified or str(plain) == "255.255.255.255":
        raise ValueError("expected the address of one host, found one that no single host has")
    return str(plain)


def _host_name(text: str) -> str:
    if not text.isascii():
        raise ValueError("expected an ASCII host name: write an international one as xn--...")
    name = text.lower().removesuffix(".")
    if len(name) > 253:
        raise ValueError("expected a host name of at most 253 characters")
    if not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError("expected an IP address or a host name (letters, digits, '-' and '.')")
    return name


def split_listen(text: str) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:9838``, ``[::1]:9838`` or ``localhost:9838``.

    Raises ValueError for anything else. ``0.0.0.0`` and ``[::]`` (every interface) are allowed.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ValueError("expected host:port with a port of 1 to 65535, as 127.0.0.1:9838")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if bracketed != (":" in bare):
        raise ValueError("expected host:port; an IPv6 address goes in brackets, as [::1]:9838")
    if bare in {"0.0.0.0", "::"}:  # noqa: S104 (what an operator may choose, not our default)
        return bare, int(port)
    return parse_address(bare), int(port)


def parse_canary(text: str) -> str:
    """A canary: an address (asked by ICMP), or ``host:port`` or ``[v6]:port`` (asked by TCP).

    Raises ValueError, saying what was expected and what to do instead.
    """
    with_port = text.startswith("[") or text.count(":") == 1
    if not with_port:
        return parse_address(text)
    host, port = split_listen(text)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_PAGE = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(?:/[A-Za-z0-9._~%/\-]*)?")


def is_page(text: str) -> bool:
    """Whether the text is the address of a web page that links can be built on: no query, no
    user, nothing that steers.
    """
    return len(text) <= 500 and _PAGE.fullmatch(text) is not None
