"""Network namespaces that a test makes for itself, and code that runs inside them."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import multiprocessing
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.fakes.needs import needs

T = TypeVar("T")

ANY_GROUP = "0 2147483647"
NO_GROUP = "1 0"  # the kernel's default: nobody may open an unprivileged ICMP socket
CLONE_NEWNET = 0x40000000

_numbers = itertools.count()
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Netns:
    """One network namespace; it is gone, with all that was in it, when its test ends."""

    name: str

    def ip(self, *arguments: str) -> str:
        """Run ``ip`` on this namespace."""
        return _run(needs("ip", "iproute2"), "-n", self.name, *arguments)

    def run(self, *command: str) -> str:
        """Run a command inside; what it printed."""
        return _run(needs("ip", "iproute2"), "netns", "exec", self.name, *command)

    def sysctl(self, key: str, value: str) -> None:
        """Set a per-namespace sysctl, such as ``net.ipv4.ping_group_range``."""
        path = "/proc/sys/" + key.replace(".", "/")
        self.call(_write, path, value)

    def call(
        self, function: Callable[..., T], *arguments: Any, user: int = 0, patience: float = 50.0
    ) -> T:
        """The value of ``function``, called in a process of its own inside this namespace.

        ``user`` is the uid and gid it drops to (then it has no capability left). Its exception
        fails the test with its traceback.
        """
        child = self.spawn(_report, function, *arguments, user=user)
        try:
            if not child.pipe.poll(patience):
                pytest.fail(f"{function} did not end within {patience} s")
            try:
                done, value = child.pipe.recv()
            except EOFError:
                pytest.fail(f"the process of {function} died")
        finally:
            child.stop()
        if not done:
            pytest.fail(f"in {self.name}:\n{value}")
        return value  # type: ignore[no-any-return]  # a pipe carries no types

    def spawn(self, function: Callable[..., Any], *arguments: Any, user: int = 0) -> Child:
        """Run ``function(pipe, *arguments)`` in a process of its own inside this namespace."""
        ours, theirs = _fork.Pipe()
        process = _fork.Process(
            target=_inside, args=(self.name, user, theirs, function, arguments), daemon=True
        )
        process.start()
        theirs.close()
        return Child(process, ours)


@dataclass(frozen=True)
class Child:
    """A process inside a namespace and the pipe to it."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection

    def stop(self) -> None:
        """End it if it has not ended."""
        self.process.join(0.2)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()


@contextlib.contextmanager
def netns(ping_groups: str = ANY_GROUP) -> Iterator[Netns]:
    """A namespace with its loopback up; ``ping_groups`` may open unprivileged ICMP sockets."""
    space = Netns(f"vcmon-icmp-{os.getpid()}-{next(_numbers)}")
    _run(needs("ip", "iproute2"), "netns", "add", space.name)
    try:
        space.ip("link", "set", "lo", "up")
        space.sysctl("net.ipv4.ping_group_range", ping_groups)
        yield space
    finally:
        _run(needs("ip", "iproute2"), "netns", "del", space.name)


def join(left: Netns, right: Netns, network: str) -> None:
    """A cable between two namespaces: ``<network>.1`` left, ``<network>.2`` right, both /24."""
    left.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", right.name)
    for space, host in ((left, 1), (right, 2)):
        space.ip("addr", "add", f"{network}.{host}/24", "dev", "veth0")
        space.ip("link", "set", "veth0", "up")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}: {done.stderr.strip()}; run the tests as root")
    return done.stdout


def _write(path: str, value: str) -> None:
    Path(path).write_text(value)


def _inside(
    name: str, user: int, pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{name}").open() as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    function(pipe, *arguments)


def _report(pipe: Connection, function: Callable[..., Any], *arguments: Any) -> None:
    try:
        pipe.send((True, function(*arguments)))
    except BaseException:  # noqa: BLE001  # whatever it was, the test must show it
        pipe.send((False, traceback.format_exc()))
