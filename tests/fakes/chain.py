"""A monitor, a chain of routers and a host at its end, each in a namespace of its own.

    monitor 10.81.0.1 --- 10.81.0.2 router 1  10.81.1.1 --- 10.81.1.2 router 2 ... host
            fd81:1::1 --- fd81:1::2           fd81:2::1 --- fd81:2::2

A router answers from the address that looks at the monitor: ``10.81.<k-1>.2`` is router k's.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fakes.needs import needs
from tests.fakes.netns import Netns, netns

SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    # Linux sends one ICMP error a second to a host: a test that traces twice would see silence
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv6.icmp.ratelimit": "0",
    # an address that is still looked for on the wire answers nobody for two seconds
    "net.ipv6.conf.default.accept_dad": "0",
}


@dataclass(frozen=True)
class Chain:
    """The namespaces, from the monitor to the host."""

    spaces: tuple[Netns, ...]

    @property
    def monitor(self) -> Netns:
        return self.spaces[0]

    @property
    def host(self) -> Netns:
        return self.spaces[-1]

    def router(self, number: int) -> Netns:
        """The number-th, from 1."""
        return self.spaces[number]

    def address(self, number: int, version: int = 4) -> str:
        """Where the number-th router, or the host behind the last one, answers from."""
        return f"10.81.{number - 1}.2" if version == 4 else f"fd81:{number}::2"

    @property
    def end(self) -> str:
        return self.address(len(self.spaces) - 1)

    @property
    def end6(self) -> str:
        return self.address(len(self.spaces) - 1, 6)

    def cut(self, number: int) -> None:
        """Let router ``number`` forward nothing, without a word."""
        self.rules(number, "chain forward { type filter hook forward priority 0; policy drop; }")

    def rules(self, number: int, *chains: str) -> None:
        """Give router ``number`` these nftables chains and no others."""
        table = "\n".join(("table inet t {", *chains, "}"))
        self.mend(number)
        self.router(number).run(needs("nft", "nftables"), table)

    def mend(self, number: int) -> None:
        """Take all rules from router ``number``."""
        self.router(number).run(needs("nft", "nftables"), "flush ruleset")


@contextlib.contextmanager
def chain(routers: int) -> Iterator[Chain]:
    """A chain with so many routers while the block lasts."""
    with contextlib.ExitStack() as stack:
        spaces = tuple(stack.enter_context(netns()) for _ in range(routers + 2))
        for space in spaces:
            for key, value in SYSCTLS.items():
                space.sysctl(key, value)
        last = len(spaces) - 1
        for number, (left, right) in enumerate(itertools.pairwise(spaces)):
            _cable(left, right, number)
        for number, space in enumerate(spaces):
            if number < last - 1:
                space.ip("route", "add", f"10.81.{last - 1}.0/24", "via", f"10.81.{number}.2")
                space.ip("route", "add", f"fd81:{last}::/64", "via", f"fd81:{number + 1}::2")
            if number:
                space.ip("route", "add", "default", "via", f"10.81.{number - 1}.1")
                space.ip("route", "add", "default", "via", f"fd81:{number}::1")
        yield Chain(spaces)


def _cable(left: Netns, right: Netns, number: int) -> None:
    left.ip("link", "add", "far", "type", "veth", "peer", "name", "near", "netns", right.name)
    for space, name, host in ((left, "far", 1), (right, "near", 2)):
        space.ip("addr", "add", f"10.81.{number}.{host}/24", "dev", name)
        space.ip("addr", "add", f"fd81:{number + 1}::{host}/64", "dev", name, "nodad")
        space.ip("link", "set", name, "up")
