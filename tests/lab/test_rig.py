"""The lab itself: a fault that is not what it claims to be would prove nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.cuts import KINDS, lossy, uplink_down, uplink_silent
from tests.lab.inside import LabError, call_inside, inside, run, tool
from tests.lab.plain import look, ping
from tests.lab.rig import CANARIES, MIXES, PREFIX, Country, Province, endpoint, remove, sweep
from tests.lab.truth import DOWN, UP, Cut, Expect, verdict


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """One province for every mix of checks."""
    with Country(tmp_path_factory.mktemp("country"), provinces=len(MIXES)) as made:
        yield made


IMPAIRED = frozenset({("sip", "status"), ("sip-tcp", "status"), ("sips", "status")})
"""A SIP server's 503 says that it lives; a web server's says that it doesn't serve."""


def kinds_of(checks: Iterable[str]) -> list[str]:
    """The kinds of some checks."""
    return [check.partition(":")[0].removesuffix("-lab") for check in checks]


def namespaces() -> list[str]:
    """The names of all network namespaces of the machine."""
    return [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line]


def checks_of(province: Province) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Address and checks of each endpoint of a province."""
    return {
        endpoint(province, "router"): (province.router, ("icmp",)),
        endpoint(province, "codec"): (province.codec, province.mix),
        endpoint(province, "platform"): (province.platform, ("https",)),
    }


def observe(country: Country, province: Province) -> dict[str, Expect]:
    """What plain sockets find at each endpoint, put through the same rule 4."""
    targets = checks_of(province)
    kinds = {name: kinds_of(checks) for name, (_, checks) in targets.items()}
    every = [(name, kind) for name in targets for kind in kinds[name]]

    def why(item: tuple[str, str]) -> str:
        name, kind = item
        address, ca_file = targets[name][0], country.authority.ca_file
        return call_inside(country.monitor, lambda: look(kind, address, ca_file))

    with ThreadPoolExecutor() as pool:
        told = dict(zip(every, pool.map(why, every), strict=True))
    return {
        name: verdict(
            checks,
            {
                kind: frozenset({told[name, kind]})
                for kind in kinds[name]
                if told[name, kind] != "ok" and (kind, told[name, kind]) not in IMPAIRED
            },
        )
        for name, (_, checks) in targets.items()
    }


def pings(country: Country, addresses: Iterable[str]) -> list[str]:
    """What ping from the monitor says of each address."""
    return call_inside(country.monitor, lambda: [ping(address) for address in addresses])


def matches(found: Expect, wanted: Expect) -> bool:
    """Whether what plain sockets see is what the lab expects vcmon to tell."""
    if wanted.states == {"unreachable"}:
        return found.states == DOWN  # by itself it looks as lost as what it depends on
    if wanted.states == {"degraded"}:
        return found.states == UP
    return found.states == wanted.states and found.reasons <= wanted.reasons


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_each_cut_is_seen_by_plain_sockets(country: Country, number: int) -> None:
    """Every fault does to the packets what the lab says, to nothing else, and can be undone."""
    kind = KINDS[number]
    fitting = [province for province in country.provinces if kind.fits(province)]
    province = fitting[number % len(fitting)]
    cut = kind.make(country, province)
    cut.inject()
    try:
        seen = observe(country, province)
    finally:
        cut.heal()
    unlike = {n: f for n, f in seen.items() if not matches(f, cut.expect.get(n, Expect(UP)))}
    assert not unlike, (province.mix, cut.expect)
    assert all(found.states == UP for found in observe(country, province).values())


@pytest.mark.parametrize("make", [uplink_down, uplink_silent])
def test_uplink_cut_hides_everything(country: Country, make: Callable[[Country], Cut]) -> None:
    """With our own uplink gone neither provinces nor canaries answer; with it back all do."""
    targets = (*CANARIES, country.provinces[0].router)
    cut = make(country)
    cut.inject()
    try:
        assert "ok" not in pings(country, targets)
    finally:
        cut.heal()
    assert set(pings(country, targets)) == {"ok"}


def test_loss_is_as_large_as_told(country: Country) -> None:
    """20 % each way lose 36 % of round trips; 2,000 of them tell it to within 5 points."""
    binary = tool("fping", "fping")
    address = country.provinces[0].router
    argv = inside(country.monitor, binary, "-q", "-c", "2000", "-p", "1", "-t", "50", address)
    with lossy(country, 20):
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"%loss = \d+/\d+/(\d+)%", done.stderr)
    assert found is not None, done.stderr
    assert abs(int(found[1]) - 36) <= 5
    assert call_inside(country.monitor, lambda: ping(address)) == "ok"


def test_nothing_is_left_when_setting_up_fails(tmp_path: Path) -> None:
    """A lab that can't be built takes its namespaces and processes away again."""
    country = Country(tmp_path, provinces=2)
    country.provinces[1].web.argv = ("/bin/false",)
    with pytest.raises(LabError, match="did not start"), country:
        pass
    assert not set(country.namespaces()) & set(namespaces())


def test_sweep_spares_the_living() -> None:
    """A namespace whose owner is gone is swept away, that of a living lab stays."""
    dead, alive = f"{PREFIX}{2**22 + 1}-x", f"{PREFIX}{os.getpid()}-sweep"
    for name in (dead, alive):
        run("ip", "netns", "add", name)
    try:
        sweep()
        assert dead not in namespaces()
        assert alive in namespaces()
    finally:
        remove(alive)


def test_only_namespaces_of_the_lab_are_removed() -> None:
    """The sweep can't be pointed at somebody else's namespace."""
    with pytest.raises(LabError, match="not a namespace of the lab"):
        remove("production")
