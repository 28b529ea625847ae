"""The MTU of a way through real routers: whole, told, and a black hole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.fakes.chain import Chain, chain
from tests.fakes.figures import record
from tests.fakes.workshop import workshop
from vcmon.config.params import MtuParams
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.probes import PROBES

BLACK_HOLE = """chain forward { type filter hook forward priority 0;
    meta length > 1400 drop; }"""
LOSSY = """chain forward { type filter hook forward priority 0;
    numgen random mod 100 < 20 drop; }"""
NOBODY = 61200


@pytest.fixture(scope="module")
def country() -> Iterator[Chain]:
    with chain(3) as made:
        yield made


@pytest.fixture(autouse=True)
def whole(country: Chain) -> Iterator[None]:
    """Each test begins without rules, on links of 1500 bytes."""
    yield
    for number in (1, 2, 3):
        country.mend(number)


def mtu(address: str) -> Check[MtuParams]:
    return Check(
        id=CheckId("e", "mtu"), province="aceh", kind="mtu", address=address,
        params=MtuParams(), interval=600.0, timeout=10.0, decides=False,
    )  # fmt: skip


def probed(*addresses: str) -> list[Result]:
    """One run for each address, side by side."""

    async def main() -> list[Result]:
        async with workshop(PROBES) as runner:
            return list(await asyncio.gather(*(runner.run(mtu(each)) for each in addresses)))

    return asyncio.run(main())


@pytest.mark.parametrize("version", [4, 6])
def test_a_whole_way_is_up_at_once(country: Chain, version: int) -> None:
    """Where everything passes one round tells it, with no right but to ping."""
    end = country.end if version == 4 else country.end6
    (result,) = country.monitor.call(probed, end, user=NOBODY)
    assert (result.outcome, result.reason, result.impaired) == (Outcome.UP, Reason.OK, False)
    assert result.detail["passed"] == 1500
    assert "mtu" not in result.detail


def test_a_black_hole_is_called_one(country: Chain) -> None:
    """Large packets dropped without a word: impaired, the way's fault, both sizes named."""
    country.rules(2, BLACK_HOLE)
    for result in country.monitor.call(probed, country.end, country.end6):
        assert (result.outcome, result.reason) == (Outcome.UP, Reason.MTU)
        assert (result.impaired, result.blame) == (True, Blame.PATH)
        assert (result.detail["passed"], result.detail["vanished"]) == (1328, 1428)
        assert "black hole" in str(result.detail["message"])
    quick = result.duration < 10
    record("path-mtu", f"{result.duration:.1f} s", "<= 10 s: a black hole is found", quick)


@pytest.mark.parametrize("version", [4, 6])
def test_a_router_that_tells_its_mtu_is_no_black_hole(country: Chain, version: int) -> None:
    """A link of 1400 bytes whose router says "fragmentation needed" is fine, and is told."""
    for space, name in ((country.router(2), "far"), (country.router(3), "near")):
        space.ip("link", "set", name, "mtu", "1400")
    try:
        end = country.end if version == 4 else country.end6
        (result,) = country.monitor.call(probed, end)
    finally:
        for space, name in ((country.router(2), "far"), (country.router(3), "near")):
            space.ip("link", "set", name, "mtu", "1500")
    assert (result.outcome, result.reason, result.impaired) == (Outcome.UP, Reason.OK, False)
    assert (result.detail["passed"], result.detail["mtu"]) == (1328, 1400)
    assert result.duration < 2.0


def test_our_own_interface_is_no_black_hole(country: Chain) -> None:
    """What our own interface can't take is told, and blames nobody."""
    country.monitor.ip("link", "set", "far", "mtu", "1450")
    try:
        (result,) = country.monitor.call(probed, country.end)
    finally:
        country.monitor.ip("link", "set", "far", "mtu", "1500")
    assert (result.reason, result.impaired) == (Reason.OK, False)
    assert (result.detail["passed"], result.detail["own_interface_below"]) == (1428, 1500)
    assert "mtu" not in result.detail


def test_loss_makes_no_black_hole(country: Chain) -> None:
    """60 soundings through a fifth of loss each way: none finds a black hole."""
    country.rules(2, LOSSY)
    results = country.monitor.call(probed, *[country.end] * 60)
    false = sum(result.impaired for result in results)
    passed = sum(result.detail.get("passed") == 1500 for result in results)
    told = f"{false} black holes of {len(results)}, {passed} whole"
    record("path-mtu-loss", told, "0 black holes at 20 % each way", false == 0)
    assert false == 0
    assert passed >= 55


def test_silence_is_a_timeout(country: Chain) -> None:
    """Where not even small packets come back, nothing is said of sizes."""
    country.cut(2)
    (result,) = country.monitor.call(probed, country.end)
    assert (result.outcome, result.reason) == (Outcome.DOWN, Reason.TIMEOUT)
    assert result.duration < 4.0
