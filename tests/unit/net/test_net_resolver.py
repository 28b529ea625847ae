"""The resolver: literals at once, one lookup a name, and a dead resolver that harms only names."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcmon.clock import SystemClock
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net import resolver as module
from vcmon.net.deadline import Deadline, LoopLag
from vcmon.net.resolver import Resolver, literal

Answer = Sequence[str] | Exception


class TurnedClock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Directory:
    """A lookup that answers from a table and counts the questions."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answer = self.answers[host]
        if isinstance(answer, Exception):
            raise answer
        return answer


def soon(seconds: float = 1.0) -> Deadline:
    clock = SystemClock()
    return Deadline(clock, LoopLag(clock), seconds)


def gone() -> socket.gaierror:
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def dead() -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def settled(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not come true within 2 s")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no lookup outlives its test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("[fe80::1%2]", "fe80::1%2"),
    ],
)
async def test_literal_needs_no_lookup(host: str, address: str, clock: TurnedClock) -> None:
    """An IP literal is its own address: no thread, no lookup, no bracket left."""
    lookup = Directory()
    assert await Resolver(clock, lookup).resolve(host, soon()) == (address,)
    assert lookup.asked == []
    assert not [t for t in threading.enumerate() if t.name.startswith("resolver-")]


@pytest.mark.parametrize("host", ["", "[]", "[192.0.2.1", "192.0.2.256", "codec.example", "::g"])
def test_what_is_no_literal(host: str) -> None:
    """Names and garbage are not taken for addresses."""
    assert literal(host) is None


async def test_one_lookup_for_many_callers(clock: TurnedClock) -> None:
    """Fifty callers of one name cost one lookup."""
    lookup = Directory(codec=["192.0.2.1"])
    resolver = Resolver(clock, lookup)
    found = await asyncio.gather(*(resolver.resolve("codec", soon()) for _ in range(50)))
    assert set(found) == {("192.0.2.1",)}
    assert lookup.asked == ["codec"]
    resolver.close()


async def test_answer_is_used_for_a_minute_and_renewed_at_half_time(clock: TurnedClock) -> None:
    """Within 30 s nobody asks; after that one asks behind the caller's back."""
    lookup = Directory(codec=["192.0.2.1"])
    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    clock.now += 29.0
    await resolver.resolve("codec", soon())
    assert len(lookup.asked) == 1
    lookup.answers["codec"] = ["192.0.2.2"]
    clock.now += 2.0
    assert await resolver.resolve("codec", soon()) == ("192.0.2.1",)
    await settled(lambda: len(lookup.asked) == 2)
    await asyncio.sleep(0.01)
    assert await resolver.resolve("codec", soon()) == ("192.0.2.2",)
    resolver.close()


async def test_unknown_name_is_the_remote_side_s_fault(clock: TurnedClock) -> None:
    """NXDOMAIN is DOWN for the endpoint, and each re-run after 2 s is a new answer."""
    lookup = Directory(codec=gone())
    resolver = Resolver(clock, lookup)
    for wait, asked in ((0.0, 1), (0.9, 1), (0.2, 2)):
        clock.now += wait
        with pytest.raises(ProbeError) as caught:
            await resolver.resolve("codec", soon())
        assert (caught.value.reason, caught.value.blame) == (Reason.DNS_NXDOMAIN, Blame.REMOTE)
        assert len(lookup.asked) == asked
    resolver.close()


async def test_name_without_address_is_the_remote_side_s_fault(clock: TurnedClock) -> None:
    """A name that exists but has no address can't be reached by anyone."""
    empty = socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
    resolver = Resolver(clock, Directory(nodata=empty, nothing=[]))
    for host in ("nodata", "nothing"):
        with pytest.raises(ProbeError) as caught:
            await resolver.resolve(host, soon())
        assert (caught.value.reason, caught.value.blame) == (Reason.DNS_NXDOMAIN, Blame.REMOTE)
    resolver.close()


@pytest.mark.parametrize(
    "failure",
    [
        dead(),
        socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure in name resolution"),
        OSError(24, "Too many open files"),
        MemoryError(),
        KeyError("a bug in the lookup"),
    ],
)
async def test_failing_resolver_is_our_own_fault(failure: Exception, clock: TurnedClock) -> None:
    """SERVFAIL, no descriptors, a bug: UNKNOWN, and the resolver is left alone for 5 s."""
    lookup = Directory(codec=failure)
    resolver = Resolver(clock, lookup)
    for wait, asked in ((0.0, 1), (4.0, 1), (1.0, 2)):
        clock.now += wait
        with pytest.raises(ProbeError) as caught:
            await resolver.resolve("codec", soon())
        assert (caught.value.reason, caught.value.blame) == (Reason.DNS_FAILURE, Blame.LOCAL)
        assert len(lookup.asked) == asked
    resolver.close()


async def test_last_good_address_outlives_the_resolver_for_a_day(clock: TurnedClock) -> None:
    """A dead resolver costs nothing but freshness, for a day, and stale_age tells."""
    lookup = Directory(codec=["192.0.2.1"])
    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    assert resolver.stale_age("codec") is None
    lookup.answers["codec"] = dead()
    clock.now += 3600.0
    assert await resolver.resolve("codec", soon()) == ("192.0.2.1",)
    assert resolver.stale_age("codec") == pytest.approx(3600.0)
    clock.now += 86400.0
    with pytest.raises(ProbeError) as caught:
        await resolver.resolve("codec", soon())
    assert caught.value.reason is Reason.DNS_FAILURE
    resolver.close()


async def test_last_good_address_leaves_time_to_use_it(
    clock: TurnedClock, gate: threading.Event
) -> None:
    """A resolver that hangs takes a quarter of the time where an address is known."""
    answers = iter([None, gate])

    def lookup(host: str) -> Sequence[str]:
        if (wait := next(answers)) is not None:
            wait.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    clock.now += 120.0
    deadline = soon(1.0)
    assert await resolver.resolve("codec", deadline) == ("192.0.2.1",)
    assert deadline.elapsed() == pytest.approx(0.25, abs=0.1)
    resolver.close()


async def test_name_that_is_gone_has_no_last_good_address(clock: TurnedClock) -> None:
    """After NXDOMAIN the old address is not brought back by a resolver that dies next."""
    lookup = Directory(codec=["192.0.2.1"])
    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    for answer in (gone(), dead()):
        lookup.answers["codec"] = answer
        clock.now += 120.0
        with pytest.raises(ProbeError):
            await resolver.resolve("codec", soon())
    resolver.close()


@pytest.mark.catalogue("T17")
async def test_hanging_resolver_delays_no_literal(
    clock: TurnedClock, gate: threading.Event
) -> None:
    """With 100 names stuck, literals take no longer, and the names are UNKNOWN in time (T17)."""

    def lookup(host: str) -> Sequence[str]:
        gate.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    names = [asyncio.ensure_future(resolver.resolve(f"n{i}", soon(0.5))) for i in range(100)]
    await asyncio.sleep(0.05)
    took = []
    for _ in range(200):
        begun = time.perf_counter()
        await resolver.resolve("192.0.2.7", soon())
        took.append(time.perf_counter() - begun)
    assert sorted(took)[197] <= 0.05
    for outcome in await asyncio.gather(*names, return_exceptions=True):
        assert isinstance(outcome, ProbeError)
        assert (outcome.reason, outcome.blame) == (Reason.DNS_FAILURE, Blame.LOCAL)
    resolver.close()


async def test_late_answer_serves_the_next_run(clock: TurnedClock, gate: threading.Event) -> None:
    """A lookup that outlives its caller's deadline is not thrown away."""

    def lookup(host: str) -> Sequence[str]:
        gate.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    with pytest.raises(ProbeError):
        await resolver.resolve("codec", soon(0.05))
    gate.set()
    assert await resolver.resolve("codec", soon()) == ("192.0.2.1",)
    resolver.close()


async def test_cancelled_caller_cancels_nobody_else(
    clock: TurnedClock, gate: threading.Event
) -> None:
    """The flight belongs to all who wait for it."""

    def lookup(host: str) -> Sequence[str]:
        gate.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    first = asyncio.ensure_future(resolver.resolve("codec", soon()))
    second = asyncio.ensure_future(resolver.resolve("codec", soon()))
    await asyncio.sleep(0.02)
    first.cancel()
    gate.set()
    assert await second == ("192.0.2.1",)
    resolver.close()


async def test_demoted_address_goes_to_the_back_and_stays_there(clock: TurnedClock) -> None:
    """The next run asks again at once, and uses another address however the answer is sorted."""
    lookup = Directory(codec=["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    clock.now += 2.0
    resolver.demote("codec", "192.0.2.1")
    first = await resolver.resolve("codec", soon())
    assert first == ("192.0.2.2", "192.0.2.3", "192.0.2.1")
    clock.now += 5.0
    assert await resolver.resolve("codec", soon()) == first
    assert len(lookup.asked) == 2, "once answered anew, the name is suspect no more"
    resolver.demote("codec", "192.0.2.2")
    clock.now += 120.0
    second = await resolver.resolve("codec", soon())
    assert second == ("192.0.2.3", "192.0.2.1", "192.0.2.2")
    resolver.close()


async def test_changed_address_is_found_by_the_first_re_run(clock: TurnedClock) -> None:
    """A host that moved is not down for as long as our cache is fresh."""
    lookup = Directory(codec=["192.0.2.1"])
    resolver = Resolver(clock, lookup)
    await resolver.resolve("codec", soon())
    lookup.answers["codec"] = ["192.0.2.99"]
    resolver.demote("codec", "192.0.2.1")
    clock.now += 2.0
    assert await resolver.resolve("codec", soon()) == ("192.0.2.99",)
    resolver.close()


async def test_demoting_what_is_not_known_changes_nothing(clock: TurnedClock) -> None:
    """Literals, unknown names and unknown addresses can be demoted without harm."""
    resolver = Resolver(clock, Directory(codec=["192.0.2.1"]))
    await resolver.resolve("codec", soon())
    resolver.demote("192.0.2.1", "192.0.2.1")
    resolver.demote("other", "192.0.2.1")
    resolver.demote("codec", "192.0.2.9")
    assert await resolver.resolve("codec", soon()) == ("192.0.2.1",)
    resolver.close()


async def test_names_and_addresses_are_bounded(
    clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest unused name is forgotten, and of one name sixteen addresses are kept."""
    monkeypatch.setattr(module, "NAMES_MAX", 10)
    lookup = Directory(**{f"n{i}": [f"192.0.2.{j}" for j in range(99)] for i in range(30)})
    resolver = Resolver(clock, lookup)
    for i in range(30):
        assert len(await resolver.resolve(f"n{i}", soon())) == 16
        await resolver.resolve("n0", soon())
    assert len(resolver._names) == 10
    assert lookup.asked.count("n0") == 1, "what is used is not forgotten"
    resolver.close()


async def test_full_queue_is_our_own_fault(
    clock: TurnedClock, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More waiting lookups than can be done in time are refused at once, as UNKNOWN."""
    monkeypatch.setattr(module, "QUEUE_MAX", 3)

    def lookup(host: str) -> Sequence[str]:
        gate.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    waiting = [asyncio.ensure_future(resolver.resolve(f"n{i}", soon(2.0))) for i in range(8)]
    await settled(lambda: resolver._threads.waiting() == 0)
    waiting += [asyncio.ensure_future(resolver.resolve(f"m{i}", soon(2.0))) for i in range(3)]
    await asyncio.sleep(0.02)
    deadline = soon()
    with pytest.raises(ProbeError, match="3 lookups wait") as caught:
        await resolver.resolve("last", deadline)
    assert caught.value.blame is Blame.LOCAL
    assert deadline.elapsed() < 0.2
    gate.set()
    await asyncio.gather(*waiting)
    resolver.close()


async def test_close_wakes_who_waits(clock: TurnedClock, gate: threading.Event) -> None:
    """Nobody waits for a resolver that was closed."""

    def lookup(host: str) -> Sequence[str]:
        gate.wait()
        return ["192.0.2.1"]

    resolver = Resolver(clock, lookup)
    waiting = asyncio.ensure_future(resolver.resolve("codec", soon(30.0)))
    await asyncio.sleep(0.02)
    resolver.close()
    with pytest.raises(ProbeError, match="closed"):
        await waiting


def test_stuck_lookup_does_not_hold_up_the_end_of_the_process() -> None:
    """Python ends while a lookup hangs (concurrent.futures would wait for it)."""
    script = """
        import asyncio, time
        from vcmon.clock import SystemClock
        from vcmon.errors import ProbeError
        from vcmon.net.deadline import Deadline, LoopLag
        from vcmon.net.resolver import Resolver

        async def main():
            clock = SystemClock()
            resolver = Resolver(clock, lambda host: time.sleep(60))
            try:
                await resolver.resolve("codec", Deadline(clock, LoopLag(clock), 0.1))
            except ProbeError as error:
                print(error.reason)

        asyncio.run(main())
    """
    begun = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert ended.stdout.strip() == "dns_failure"
    assert time.perf_counter() - begun < 10


def numeric_lookup(host: str) -> list[str]:
    """getaddrinfo's own treatment of a name, without a question to anybody."""
    host.encode("idna")
    found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    return [str(entry[4][0]) for entry in found]


@given(st.text(max_size=300) | st.text("ab.-_\0 é߀\ud800%[]:", max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_name_gives_addresses_or_a_probe_error(host: str) -> None:
    """Garbage, NULs, surrogates, labels too long: a value or ProbeError, nothing else."""

    async def resolve() -> None:
        resolver = Resolver(TurnedClock(), numeric_lookup)
        try:
            assert await resolver.resolve(host, soon(5.0))
        except ProbeError:
            return
        finally:
            resolver.close()

    asyncio.run(resolve())


@pytest.mark.parametrize(
    "host", ["", "a" * 64 + ".example", "a..b", "192.0.2.1\0x", "a b", "\ud800"]
)
async def test_what_can_be_no_name_proves_nothing_about_the_host(
    host: str, clock: TurnedClock
) -> None:
    """A name that no resolver could be asked for is a mistake of ours: UNKNOWN, not DOWN."""
    resolver = Resolver(clock, numeric_lookup)
    with pytest.raises(ProbeError) as caught:
        await resolver.resolve(host, soon())
    assert (caught.value.reason, caught.value.blame) == (Reason.DNS_FAILURE, Blame.LOCAL)
    resolver.close()
