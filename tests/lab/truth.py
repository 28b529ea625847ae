"""What vcmon must make of a fault (design, section 5): the lab's own reading of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Effect = Mapping[str, frozenset[str]]
"""Check kind -> the reasons that are right for it; a kind that is not named goes on working."""

UP = frozenset({"up", "degraded"})
DOWN = frozenset({"down"})
NO_ANSWER = frozenset({"timeout", "refused", "reset"})
"""Beside a ping that answers these are told as ``service``."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What an endpoint (or province) must show under a cut; empty reasons and parent: any."""

    states: frozenset[str]
    reasons: frozenset[str] = frozenset()
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """One fault: how to make it, how to undo it, what it must look like.

    ``expect`` names every endpoint that is touched; whatever it does not name must stay up.
    """

    kind: str
    slug: str
    inject: Callable[[], None]
    heal: Callable[[], None]
    expect: Mapping[str, Expect]
    province: Expect
    blind: bool = False

    def downs(self) -> list[str]:
        """The endpoints that must be told as ``down`` themselves, the cause first."""
        return [name for name, wanted in self.expect.items() if wanted.states == DOWN]


BLAME = {
    **dict.fromkeys(("timeout", "host_unreachable", "net_unreachable", "filtered"), "path"),
    **dict.fromkeys(("refused", "reset", "service", "protocol", "status"), "remote"),
    **dict.fromkeys(("tls_handshake", "tls_certificate_expired"), "remote"),
    "parent": "path",
}
"""Whose fault a reason is: who answers wrongly, or says no, is to blame himself."""


def blames(kind: str, reason: str) -> frozenset[str]:
    """Whose fault may be told for this reason under a cut of this kind.

    A mute server lets TCP connect and then says nothing: that silence is its own.
    """
    if reason == "timeout" and "mute" in kind:
        return frozenset({"path", "remote"})
    return frozenset({BLAME[reason]}) if reason in BLAME else frozenset()


def reasons(*names: str) -> frozenset[str]:
    return frozenset(names)


EVERYTHING = ("icmp", "sip", "sip-tcp", "sips", "tcp", "https")


def alike(kinds: Sequence[str], *names: str) -> Effect:
    """Every one of ``kinds`` fails for one of the named reasons."""
    return dict.fromkeys(kinds, frozenset(names))


SILENT = alike(EVERYTHING, "timeout")
REFUSED = alike(EVERYTHING, "refused")
# Linux hands code 13 to TCP as EHOSTUNREACH: only an error queue can tell the two apart
FILTERED = alike(EVERYTHING, "filtered", "host_unreachable")
# a Linux router answers for a dead route once a second to each sender, and is silent otherwise
NO_WAY = alike(EVERYTHING, "host_unreachable", "timeout")
FORBIDDEN = alike(EVERYTHING, "filtered", "host_unreachable", "timeout")


def verdict(checks: Iterable[str], effect: Effect) -> Expect:
    """What an endpoint with these checks must be under ``effect``, by rule 4."""
    kinds = [check.partition(":")[0].removesuffix("-lab") for check in checks]
    deciding = [kind for kind in kinds if kind != "icmp"] or kinds
    failing = [effect[kind] for kind in deciding if kind in effect]
    if not failing:
        return Expect(UP)
    named = frozenset[str]().union(*failing)
    if "icmp" in kinds and "icmp" not in effect and "icmp" not in deciding:
        named = frozenset({"service" if name in NO_ANSWER else name for name in named})
    return Expect(DOWN, named)
