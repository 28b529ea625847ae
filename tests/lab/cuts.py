"""Faults injected into the lab, each with what vcmon must make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lab.inside import inside, run
from tests.lab.rig import Country, Province, endpoint, route
from tests.lab.servers import Server, Site, kamailio, nginx
from tests.lab.truth import (
    DOWN,
    FILTERED,
    FORBIDDEN,
    NO_WAY,
    REFUSED,
    SILENT,
    UP,
    Cut,
    Effect,
    Expect,
    alike,
    reasons,
    verdict,
)


def nft(namespace: str, chain: str, *rules: str) -> None:
    """Replace the rules of one chain at once."""
    text = "\n".join(
        [f"flush chain inet lab {chain}", *(f"add rule inet lab {chain} {rule}" for rule in rules)]
    )
    run(*inside(namespace, "nft", "-f", "-"), stdin=text + "\n")


def link(namespace: str, way: str, gateway: str = "") -> None:
    """Pull or plug the cable of a namespace; plugging ends when packets pass again."""
    run("ip", "-n", namespace, "link", "set", "eth0", way)
    if gateway:
        run("ip", "-n", namespace, "route", "replace", "default", "via", gateway)
        # the kernel takes up to a second to notice the carrier and to ask for the neighbour
        run(*inside(namespace, "ping", "-q", "-c", "1", "-w", "5", gateway))


def on_codec(province: Province, kind: str, effect: Effect, *rules: str) -> Cut:
    """A firewall fault on the codec's address only."""
    return Cut(
        kind,
        province.slug,
        lambda: nft(province.namespace, "cut", *rules),
        lambda: nft(province.namespace, "cut"),
        {endpoint(province, "codec"): verdict(province.mix, effect)},
        partly(verdict(province.mix, effect)),
    )


def partly(expected: Expect) -> Expect:
    """The province of one lost endpoint out of two."""
    return Expect(frozenset({"degraded"}) if expected.states == DOWN else UP)


def on_site(
    province: Province,
    kind: str,
    effect: Effect,
    inject: Callable[[], None],
    heal: Callable[[], None],
) -> Cut:
    """A fault on the way to a whole province: its router is the cause, all else is behind it."""
    behind = Expect(frozenset({"unreachable"}), reasons("parent"))
    return Cut(
        kind,
        province.slug,
        inject,
        heal,
        {
            endpoint(province, "router"): verdict(["icmp"], effect),
            endpoint(province, "codec"): behind,
            endpoint(province, "platform"): behind,
        },
        Expect(DOWN, parent=endpoint(province, "router")),
    )


def on_server(
    province: Province, kind: str, what: str, effect: Effect, fault: Server | None
) -> Cut:
    """One of a province's servers is gone, or another has taken its place."""
    server = province.sip if what == "codec" else province.web
    expected = verdict(province.mix if what == "codec" else ("https",), effect)

    def inject() -> None:
        server.stop()
        if fault is not None:
            fault.start()

    def heal() -> None:
        if fault is not None:
            fault.stop()
        server.start()

    return Cut(
        kind, province.slug, inject, heal, {endpoint(province, what): expected}, partly(expected)
    )


def drop_site(country: Country, province: Province) -> Cut:
    return on_site(
        province,
        "drop_site",
        SILENT,
        lambda: nft(province.namespace, "cut", "iifname eth0 drop"),
        lambda: nft(province.namespace, "cut"),
    )


def drop_codec(country: Country, province: Province) -> Cut:
    return on_codec(province, "drop_codec", SILENT, f"ip daddr {province.codec} drop")


def reject_port(country: Country, province: Province) -> Cut:
    rule = f"ip daddr {province.codec} reject with icmp type port-unreachable"
    return on_codec(province, "reject_port", REFUSED, rule)


def reject_admin(country: Country, province: Province) -> Cut:
    rule = f"ip daddr {province.codec} reject with icmp type admin-prohibited"
    return on_codec(province, "reject_admin", FILTERED, rule)


def tcp_reset(country: Country, province: Province) -> Cut:
    rule = f"ip daddr {province.codec} meta l4proto tcp reject with tcp reset"
    effect = alike(("tcp", "sip-tcp", "sips"), "refused", "reset")
    return on_codec(province, "tcp_reset", effect, rule)


def sip_silent(country: Country, province: Province) -> Cut:
    """The classic firewall fault: ping passes, SIP does not."""
    rules = [f"ip daddr {province.codec} {proto} dport 5060-5061 drop" for proto in ("udp", "tcp")]
    effect = alike(("sip", "sip-tcp", "sips", "tcp"), "timeout")
    return on_codec(province, "sip_silent", effect, *rules)


def ping_silent(country: Country, province: Province) -> Cut:
    """A codec that answers SIP but not ping is up: no alarm may follow."""
    rule = f"ip daddr {province.codec} ip protocol icmp drop"
    return on_codec(province, "ping_silent", alike(("icmp",), "timeout"), rule)


def _routed(country: Country, province: Province, kind: str, effect: Effect) -> Cut:
    def change(*words: str) -> None:
        run("ip", "-n", country.backbone, "route", "replace", *words)

    return on_site(
        province,
        kind,
        effect,
        lambda: change(kind, province.network),
        lambda: change(*route(province)),
    )


def blackhole(country: Country, province: Province) -> Cut:
    return _routed(country, province, "blackhole", SILENT)


def unreachable(country: Country, province: Province) -> Cut:
    return _routed(country, province, "unreachable", NO_WAY)


def prohibit(country: Country, province: Province) -> Cut:
    return _routed(country, province, "prohibit", FORBIDDEN)


def link_down(country: Country, province: Province) -> Cut:
    gateway = f"10.77.{100 + province.number}.1"
    # silence while the backbone still asks for the neighbour, host unreachable afterwards
    return on_site(
        province,
        "link_down",
        NO_WAY,
        lambda: link(province.namespace, "down"),
        lambda: link(province.namespace, "up", gateway),
    )


def sip_stopped(country: Country, province: Province) -> Cut:
    effect = alike(("sip", "sip-tcp", "sips", "tcp"), "refused")
    return on_server(province, "sip_stopped", "codec", effect, None)


def web_stopped(country: Country, province: Province) -> Cut:
    return on_server(province, "web_stopped", "platform", REFUSED, None)


def _mute(province: Province, what: str, effect: Effect) -> Cut:
    server = province.sip if what == "codec" else province.web
    checks = province.mix if what == "codec" else ("https",)
    expected = verdict(checks, effect)
    return Cut(
        f"{'sip' if what == 'codec' else 'web'}_mute",
        province.slug,
        server.pause,
        server.resume,
        {endpoint(province, what): expected},
        partly(expected),
    )


def sip_mute(country: Country, province: Province) -> Cut:
    """It accepts (the kernel does) but never answers."""
    return _mute(province, "codec", alike(("sip", "sip-tcp", "sips"), "timeout"))


def web_mute(country: Country, province: Province) -> Cut:
    return _mute(province, "platform", alike(("https",), "timeout"))


def sip_wrong(country: Country, province: Province) -> Cut:
    """A web server on the SIP port; nothing on UDP and on 5061."""
    site = Site(province.codec, province.pairs["codec"], port=5060, tls=False)
    effect = {
        "sip": reasons("refused"),
        "sips": reasons("refused"),
        "sip-tcp": reasons("protocol"),
    }
    server = nginx(province.namespace, province.directory, site)
    return on_server(province, "sip_wrong", "codec", effect, server)


def web_wrong(country: Country, province: Province) -> Cut:
    """Plain HTTP on the HTTPS port."""
    site = Site(province.platform, province.pairs["platform"], tls=False)
    effect = alike(("https",), "tls_handshake", "protocol")
    server = nginx(province.namespace, province.directory, site)
    return on_server(province, "web_wrong", "platform", effect, server)


def web_error(country: Country, province: Province) -> Cut:
    site = Site(province.platform, province.pairs["platform"], status=503)
    server = nginx(province.namespace, province.directory, site)
    return on_server(province, "web_error", "platform", alike(("https",), "status"), server)


def web_expired(country: Country, province: Province) -> Cut:
    site = Site(province.platform, province.pairs["expired"])
    effect = alike(("https",), "tls_certificate_expired")
    server = nginx(province.namespace, province.directory, site)
    return on_server(province, "web_expired", "platform", effect, server)


def sip_busy(country: Country, province: Province) -> Cut:
    """SIP 503: it lives, so it is degraded and never down."""
    pair = province.pairs["codec"]
    server = kamailio(province.namespace, province.codec, province.directory, pair, status=503)
    cut = on_server(province, "sip_busy", "codec", {}, server)
    degraded = Expect(frozenset({"degraded"}), reasons("status"))
    return Cut(
        cut.kind,
        cut.slug,
        cut.inject,
        cut.heal,
        {endpoint(province, "codec"): degraded},
        Expect(frozenset({"degraded"})),
    )


BLIND = Expect(frozenset({"unknown"}) | UP)


def _blind(
    country: Country, kind: str, inject: Callable[[], None], heal: Callable[[], None]
) -> Cut:
    everyone = [
        endpoint(p, what) for p in country.provinces for what in ("router", "codec", "platform")
    ]
    return Cut(kind, "", inject, heal, dict.fromkeys(everyone, BLIND), BLIND, blind=True)


def uplink_down(country: Country) -> Cut:
    """Our own cable: the kernel says so."""

    def heal() -> None:
        link(country.monitor, "up", "10.77.250.1")

    return _blind(
        country,
        "uplink_down",
        lambda: link(country.monitor, "down"),
        heal,
    )


def uplink_silent(country: Country) -> Cut:
    """Our own provider: the cable is fine and nothing comes back."""
    return _blind(
        country,
        "uplink_silent",
        lambda: nft(country.backbone, "path", "iifname uplink drop"),
        lambda: nft(country.backbone, "path"),
    )


@contextmanager
def lossy(country: Country, percent: int) -> Iterator[None]:
    """Random loss each way: dropped where it arrives, so that no sender gets an error."""
    rule = f"iifname eth0 numgen random mod 100 < {percent} counter drop"
    provinces = [province.namespace for province in country.provinces]
    targets = [country.monitor, *country.canaries, *provinces, *country.guests]
    for namespace in targets:
        nft(namespace, "loss", rule)
    try:
        yield
    finally:
        for namespace in targets:
            nft(namespace, "loss")


Maker = Callable[[Country, Province], Cut]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault that can be made in any province that ``fits``."""

    make: Maker
    fits: Callable[[Province], bool] = field(default=lambda province: True)

    @property
    def name(self) -> str:
        return self.make.__name__


def has(*checks: str) -> Callable[[Province], bool]:
    """Whether a province's codec is checked by any of these."""
    return lambda province: any(check in province.mix for check in checks)


ANYWHERE: tuple[Maker, ...] = (
    *(drop_site, drop_codec, reject_port, reject_admin, sip_silent, blackhole, unreachable),
    *(prohibit, link_down, sip_stopped, web_stopped, sip_mute, web_mute, web_wrong, web_error),
    web_expired,
)

KINDS: tuple[Kind, ...] = (
    *map(Kind, ANYWHERE),
    Kind(tcp_reset, has("sip-tcp", "sips-lab")),
    Kind(sip_wrong, has("sip-tcp")),
    Kind(ping_silent, has("icmp")),
    Kind(sip_busy, has("sip", "sip-tcp", "sips-lab")),
)
"""Every fault of one province."""
