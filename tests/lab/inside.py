"""Commands and calls inside a network namespace."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
CALL_SECONDS = 30.0  # what runs in there has timeouts of its own, far shorter


class LabError(Exception):
    """The lab itself failed; says nothing about vcmon."""


def tool(name: str, package: str) -> str:
    """The path of a tool. Raises LabError with the command that installs it."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise LabError(f"{name} is not installed: apt-get install -y {package}")
    return found


def run(*argv: str, stdin: str = "") -> str:
    """The output of a short command. Raises LabError with what it complained of."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inside(namespace: str, *argv: str) -> list[str]:
    """``argv`` as a command inside a namespace, killed when we die."""
    ip = tool("ip", "iproute2")
    return [ip, "netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", *argv]


def enter(namespace: str) -> None:
    """Move the calling thread, and it alone, into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{namespace}").open("rb") as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            raise LabError(f"setns {namespace}: {os.strerror(ctypes.get_errno())}")


def call_inside(namespace: str, call: Callable[[], T]) -> T:
    """The value of ``call()``, made by a thread inside a namespace; its errors are raised here."""

    def work() -> T:
        enter(namespace)
        return call()

    # a thread of its own, which ends with the call: no other work may inherit the namespace
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result(timeout=CALL_SECONDS)
