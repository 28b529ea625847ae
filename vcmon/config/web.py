"""What of the section ``web`` a model can't say: files that belong together, networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from vcmon.config.address import split_listen
from vcmon.config.settings import Web
from vcmon.config.text import shown

Network = IPv4Network | IPv6Network

FILES = ("tokens_file", "users_file", "tls_certificate_file", "tls_key_file")

ALL_TOO_MANY = 8
"""Bits of the shortest prefix that proxies may be: a wider one is the internet, not our own."""


def parse_network(text: str) -> Network:
    """``192.0.2.7`` or ``192.0.2.0/28``, of IPv6 likewise. Raises ValueError."""
    try:
        network = ip_network(text.strip())
    except ValueError:
        raise ValueError("expected an address or a network as 192.0.2.0/28") from None
    if network.prefixlen < ALL_TOO_MANY:
        raise ValueError("expected our own proxies: whoever is named here can say who asks")
    return network


@lru_cache(maxsize=8)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The same of several that were checked when they were loaded."""
    return tuple(map(parse_network, texts))


def placed(web: Web, folder: Path) -> Web:
    """With the absolute names of its files; "" stays ""."""
    written = {key: getattr(web, key) for key in FILES}
    files = {key: str((folder / name).absolute()) for key, name in written.items() if name}
    return web.model_copy(update=files)


Loc = Sequence[str | int]


def oddities(web: Web) -> Iterator[tuple[Loc, str]]:
    """What can't be meant: the key below ``web``, and what was expected."""
    try:
        split_listen(web.listen)
    except ValueError as error:
        yield ("listen",), f"{error}; found {shown(web.listen)}"
    for key in FILES:
        if getattr(web, key) and not getattr(web, key).strip():
            yield (key,), "expected the name of a file, or '' for none"
    for index, text in enumerate(web.proxies):
        try:
            parse_network(text)
        except ValueError as error:
            yield ("proxies", index), f"{error}; found {shown(text)}"
    if web.tls_certificate_file and not web.tls_key_file:
        yield ("tls_certificate_file",), "expected tls_key_file beside it"
    if web.tls_key_file and not web.tls_certificate_file:
        yield ("tls_key_file",), "expected tls_certificate_file beside it"
    if web.private and not web.users_file:
        yield ("private",), "expected users_file beside it: nobody could sign in"


def in_the_clear(web: Web) -> bool:
    """Whether passwords would travel over a network as they are typed."""
    host = split_listen(web.listen)[0]
    near = host in {"localhost", "::1"} or host.startswith("127.")
    return bool(web.users_file) and not (near or web.proxies or web.tls_certificate_file)
