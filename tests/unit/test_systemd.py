"""vcmon.systemd against a real datagram socket that plays systemd."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from vcmon.systemd import STATUS_MAX, ServiceManager


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """A bound datagram socket: what systemd holds at the other end."""
    name = str(tmp_path / "notify") if request.param == "path" else f"\0vcmon-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(name)
        bound.settimeout(2)
        yield bound


@pytest.fixture
def manager(listener: socket.socket) -> Iterator[ServiceManager]:
    """A ServiceManager that was told of the listener as systemd tells it."""
    name = listener.getsockname()
    told = "@" + name[1:].decode() if isinstance(name, bytes) else name
    with closing(ServiceManager({"NOTIFY_SOCKET": told})) as made:
        yield made


def heard(listener: socket.socket) -> str:
    return listener.recv(4096).decode()


def test_ready_alive_stopping_are_said_in_systemds_words(
    manager: ServiceManager, listener: socket.socket
) -> None:
    """Each message is one datagram with the words of sd_notify(3)."""
    assert [manager.ready(), manager.alive(), manager.stopping()] == [True, True, True]
    assert [heard(listener) for _ in range(3)] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_reloading_carries_the_monotonic_time(
    manager: ServiceManager, listener: socket.socket
) -> None:
    """RELOADING=1 comes with MONOTONIC_USEC of this very moment, as Type=notify-reload asks."""
    before = time.monotonic_ns() // 1000
    assert manager.reloading()
    words = dict(line.split("=") for line in heard(listener).splitlines())
    assert words["RELOADING"] == "1"
    assert before <= int(words["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_a_status_is_one_bounded_line(manager: ServiceManager, listener: socket.socket) -> None:
    """Line breaks, lone surrogates and length in a status do no harm."""
    assert manager.status("38 provinces\nREADY=1\r\nSTOPPING=1 \udcff")
    assert heard(listener) == "STATUS=38 provinces READY=1 STOPPING=1 ?"
    assert manager.status("x" * 100_000)
    assert heard(listener) == "STATUS=" + "x" * STATUS_MAX


def test_a_manager_that_does_not_read_never_blocks_us(
    manager: ServiceManager, listener: socket.socket
) -> None:
    """When the manager's queue is full, messages are dropped at once, and later ones arrive."""
    began = time.monotonic()
    while manager.alive():
        assert time.monotonic() - began < 5, "the queue never filled"
    assert time.monotonic() - began < 1
    assert not manager.ready()
    heard(listener)
    assert manager.ready()


def test_a_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    """A socket that isn't there is answered with False."""
    with closing(ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")})) as manager:
        assert not manager.ready()


@pytest.mark.parametrize("name", ["", "relative", "vsock:2:1234", "@", "/" + "x" * 300])
def test_no_usable_manager_is_no_error(name: str) -> None:
    """Without a manager that we can reach, every message does nothing."""
    with closing(ServiceManager({"NOTIFY_SOCKET": name})) as manager:
        said = [manager.ready(), manager.alive(), manager.reloading(), manager.status("x")]
        assert said == [False] * 4
        assert not manager.stopping()


def test_a_closed_manager_is_silent(manager: ServiceManager) -> None:
    """After close() messages do nothing, and closing again is harmless."""
    manager.close()
    manager.close()
    assert not manager.ready()


async def test_messages_do_not_block_the_event_loop(
    manager: ServiceManager, listener: socket.socket
) -> None:
    """Said from a coroutine, a message passes under the guard that forbids blocking calls."""
    assert manager.alive()
    assert heard(listener) == "WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "period"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
    ],
)
def test_the_watchdog_period_is_half_of_what_is_allowed(
    environ: dict[str, str], period: float | None
) -> None:
    """The period is half of WATCHDOG_USEC, and None where no watchdog waits for this process."""
    assert ServiceManager(environ).watchdog_period == period
