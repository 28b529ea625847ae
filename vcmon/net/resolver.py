"""Names to addresses, on a few threads of our own.

The loop's default executor is shared, and ``loop.getaddrinfo`` sends even literals through it: six
stuck lookups would hold up every endpoint. Here a literal never sees a thread, a name has one
lookup under way at most, and a dead resolver costs only names that were never resolved before.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from queue import SimpleQueue
from threading import Thread

from vcmon.clock import Clock
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.net.deadline import Deadline

THREADS = 8
"""A healthy lookup takes 1 to 20 ms: eight threads give 400 names a second or more."""

QUEUE_MAX = 1000
"""Lookups waiting for a thread: what eight threads do within the default timeout of 2 s."""

NAMES_MAX = 20_000
"""Names remembered, the longest unused go first: twice the largest inventory, about 10 MB."""

ADDRESSES_MAX = 16
"""Addresses kept of one name: no probe tries more within its timeout."""

FRESH = 60.0
"""Seconds an answer is used without asking; getaddrinfo doesn't tell the TTL."""

REFRESH = FRESH / 2
"""Seconds after which an answer is renewed behind the caller's back."""

LAST_GOOD = 86400.0
"""Seconds a last good address stands in for a dead resolver: a day, then it proves nothing."""

PATIENCE = 0.25
"""Share of the remaining time that a renewal may take where a last good address waits."""

RETRY_FAILURE = 5.0
"""Seconds between two questions to a resolver that failed."""

RETRY_NXDOMAIN = 1.0
"""Seconds that "no such name" is believed: less than the 2 s from one DOWN to its re-run, so that
three DOWN in a row are three answers of the resolver and not one told three times."""

RETRY_SUSPECT = 1.0
"""Seconds between two questions for a name whose address does not answer, by the same reason."""


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: Reason
    blame: Blame
    text: str

    def error(self) -> ProbeError:
        return ProbeError(self.reason, self.blame, self.text)


@dataclass(slots=True)
class _Name:
    """All we know of one name; times are monotonic seconds."""

    addresses: tuple[str, ...] = ()
    fetched: float = 0.0  # when the addresses were answered
    failure: _Failure | None = None  # the newest answer, where it was none
    asked: float = float("-inf")  # when the newest answer came
    suspect: bool = False  # an address was demoted since
    demoted: list[str] = field(default_factory=list)  # the latest last
    flight: asyncio.Future[None] | None = None

    def ranked(self, answered: Sequence[str]) -> tuple[str, ...]:
        """The answer without repetitions, demoted addresses at the back, the latest last."""
        unique = list(dict.fromkeys(answered))[:ADDRESSES_MAX]
        self.demoted = [address for address in self.demoted if address in unique]
        good = [address for address in unique if address not in self.demoted]
        return (*good, *self.demoted)

    def may_ask(self, now: float) -> bool:
        """Whether a new lookup is due to be worth its thread."""
        if self.flight is not None:
            return False
        if self.failure is None:
            return now - self.asked >= RETRY_SUSPECT
        gone = self.failure.reason is Reason.DNS_NXDOMAIN
        return now - self.asked >= (RETRY_NXDOMAIN if gone else RETRY_FAILURE)


def system_lookup(host: str) -> list[str]:
    """The addresses of ``host`` by the system's resolver, in the order of RFC 6724; blocks.

    Raises OSError (socket.gaierror) where there is none, ValueError where it is no host name.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [_address(sockaddr) for _, _, _, _, sockaddr in found]


def _address(sockaddr: tuple[object, ...]) -> str:
    host = str(sockaddr[0])
    zone = sockaddr[3] if len(sockaddr) == 4 else 0
    return f"{host}%{zone}" if zone and "%" not in host else host


@lru_cache(maxsize=NAMES_MAX)
def literal(host: str) -> str | None:
    """``host`` without brackets where it is an IP address (a zone id is kept), else None."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return None
    return bare


def _may_be_name(host: str) -> bool:
    # getaddrinfo reads up to the first NUL only: "192.0.2.1\0..." would be an address to it.
    return host.isprintable() and bool(host) and " " not in host


def _answer(lookup: Callable[[str], Sequence[str]], host: str) -> tuple[str, ...] | _Failure:
    try:
        if not _may_be_name(host):
            raise ValueError("empty, or with a blank or control character")
        addresses = tuple(lookup(host))
    except socket.gaierror as error:
        return _gai_failure(host, error)
    except (ValueError, TypeError) as error:  # idna, NUL: no resolver was asked
        text = f"{host!r:.100} is no host name ({error!s:.100}); correct the inventory"
        return _Failure(Reason.DNS_FAILURE, Blame.LOCAL, text)
    except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a lookup does
        text = f"looking up {host!r:.100} failed: {error!s:.100}"
        return _Failure(Reason.DNS_FAILURE, Blame.LOCAL, text)
    if not addresses:
        return _Failure(Reason.DNS_NXDOMAIN, Blame.REMOTE, f"{host!r:.100} has no address")
    return addresses


def _gai_failure(host: str, error: socket.gaierror) -> _Failure:
    if error.errno == socket.EAI_NONAME:
        return _Failure(Reason.DNS_NXDOMAIN, Blame.REMOTE, f"there is no name {host!r:.100}")
    if error.errno == socket.EAI_NODATA:
        return _Failure(Reason.DNS_NXDOMAIN, Blame.REMOTE, f"{host!r:.100} has no address")
    text = f"the resolver did not answer for {host!r:.100}: {error.strerror}"
    return _Failure(Reason.DNS_FAILURE, Blame.LOCAL, text)


class _Threads:
    """A handful of daemon threads: a stuck lookup never holds up the end of the process.

    (concurrent.futures joins its threads at exit, daemon or not.)
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0

    def waiting(self) -> int:
        return self._queue.qsize()

    def submit(self, job: Callable[[], None]) -> None:
        self._queue.put(job)
        if self._started < THREADS:
            Thread(target=self._work, name=f"resolver-{self._started}", daemon=True).start()
            self._started += 1

    def close(self) -> None:
        for _ in range(self._started):
            self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job()


class Resolver:
    """Names to addresses; used from one event loop."""

    def __init__(
        self, clock: Clock, lookup: Callable[[str], Sequence[str]] = system_lookup
    ) -> None:
        self._clock = clock
        self._lookup = lookup
        self._names: OrderedDict[str, _Name] = OrderedDict()
        self._threads = _Threads()
        self._closed = False

    async def resolve(self, host: str, deadline: Deadline) -> tuple[str, ...]:
        """The addresses of ``host``, best first, at least one; a literal gives itself at once.

        Raises ProbeError ``dns_nxdomain`` (remote) where the name does not exist or has no
        address, and ``dns_failure`` or ``stall`` (local) where the resolver did not tell in time
        and no address younger than a day is known. A resolver that is slow or dead is given a
        quarter of the remaining time where such an address is known, so that there is time left
        to use it; :meth:`stale_age` tells.
        """
        if (address := literal(host)) is not None:
            return (address,)
        name = self._remember(host)
        age = self._clock.monotonic() - name.fetched
        if name.addresses and age < FRESH and not name.suspect:
            if age >= REFRESH:
                self._ask(host, name)
            return name.addresses
        self._ask(host, name)
        if name.flight is not None:
            known = bool(name.addresses) and age < LAST_GOOD
            patience = deadline.remaining() * (PATIENCE if known else 1.0)
            await asyncio.wait({name.flight}, timeout=patience)
        return self._believed(host, name, deadline)

    def demote(self, host: str, address: str) -> None:
        """``address`` of ``host`` did not answer: the next run asks again and uses another."""
        name = self._names.get(host)
        if name is None or address not in name.addresses:
            return
        name.demoted = [*(other for other in name.demoted if other != address), address]
        name.addresses = name.ranked(name.addresses)
        name.suspect = True

    def stale_age(self, host: str) -> float | None:
        """Seconds since the resolver last gave the addresses in use; None while they are fresh."""
        name = self._names.get(host)
        if name is None or not name.addresses:
            return None
        age = self._clock.monotonic() - name.fetched
        return age if age >= FRESH else None

    def close(self) -> None:
        """End the idle threads; whoever still waits gets ``dns_failure``."""
        self._closed = True
        self._threads.close()
        stopped = _Failure(Reason.DNS_FAILURE, Blame.LOCAL, "the resolver was closed")
        for name in self._names.values():
            self._learn(name, stopped)

    def _remember(self, host: str) -> _Name:
        name = self._names.get(host)
        if name is None:
            name = self._names[host] = _Name()
            if len(self._names) > NAMES_MAX:
                self._names.popitem(last=False)
        self._names.move_to_end(host)
        return name

    def _ask(self, host: str, name: _Name) -> None:
        """Begin a lookup unless one is under way or was just answered."""
        if self._closed or not name.may_ask(self._clock.monotonic()):
            return
        if self._threads.waiting() >= QUEUE_MAX:
            text = f"{QUEUE_MAX} lookups wait already; the resolver is too slow or dead"
            self._learn(name, _Failure(Reason.DNS_FAILURE, Blame.LOCAL, text))
            return
        loop = asyncio.get_running_loop()
        name.flight = loop.create_future()

        def job() -> None:
            answer = _answer(self._lookup, host)
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                loop.call_soon_threadsafe(self._learn, name, answer)

        try:
            self._threads.submit(job)
        except RuntimeError as error:  # the machine gives no more threads
            self._learn(name, _Failure(Reason.DNS_FAILURE, Blame.LOCAL, str(error)))

    def _learn(self, name: _Name, answer: tuple[str, ...] | _Failure) -> None:
        name.asked = self._clock.monotonic()
        if isinstance(answer, _Failure):
            name.failure = answer
            if answer.reason is Reason.DNS_NXDOMAIN:
                name.addresses = ()  # a name that is gone has no last good address
        else:
            name.addresses = name.ranked(answer)
            name.fetched = name.asked
            name.failure = None
            name.suspect = False
        if name.flight is not None:
            if not name.flight.done():
                name.flight.set_result(None)
            name.flight = None

    def _believed(self, host: str, name: _Name, deadline: Deadline) -> tuple[str, ...]:
        if name.addresses and self._clock.monotonic() - name.fetched < LAST_GOOD:
            return name.addresses
        if name.failure is not None:
            raise name.failure.error()
        text = f"no answer from the resolver for {host!r:.100} in {deadline.elapsed():.1f} s"
        if deadline.stalled():
            raise deadline.expired(text)
        raise ProbeError(Reason.DNS_FAILURE, Blame.LOCAL, text)
