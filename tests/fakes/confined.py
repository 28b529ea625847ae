"""Runs a program as the unit would: ``python confined.py UNIT PROGRAM...`` (as root).

PID 1 of a build machine is rarely systemd, so the parts of the unit that can break vcmon are put on
here by hand: the dynamic user's uid, no capability, no new privileges, no writable and executable
memory, only the unit's system calls and address families. Anything else kills the program (SIGSYS):
stricter than the unit, which answers EPERM, so that a test sees it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

UID = 61200  # one of systemd's dynamic users (61184 to 65519)
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
AF_MAX = 46
KILL, ALLOW, EAFNOSUPPORT = 0x80000000, 0x7FFF0000, 0x00050000 | 97
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_MDWE = 38, 24, 65


class Compare(ctypes.Structure):
    """struct scmp_arg_cmp: the first argument equals ``a``."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def service(unit: Path) -> dict[str, list[str]]:
    """The unit's [Service] settings, each with all its values in order."""
    settings: dict[str, list[str]] = {}
    section = unit.read_text().partition("[Service]")[2].partition("\n[")[0]
    for line in section.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            settings.setdefault(key, []).append(value)
    return settings


def members(group: str) -> set[str]:
    """The system calls of a name or, all the way down, of an ``@group``."""
    if not group.startswith("@"):
        return {group}
    command = ["systemd-analyze", "--no-pager", "syscall-filter", group]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    listed = [line.strip() for line in shown.splitlines()[1:]]
    return set().union(*(members(each) for each in listed if each and not each.startswith("#")))


def allowed(filters: list[str]) -> set[str]:
    """What is left after each SystemCallFilter= line, in order."""
    calls: set[str] = set()
    for line in filters:
        named = set().union(*(members(each) for each in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    # systemd always allows these to a filtered service.
    return calls | members("@default") | {"execve", "exit", "exit_group", "rt_sigreturn"}


def forbid(calls: set[str], families: list[str]) -> None:
    """Load the filter into this process; it outlives exec."""
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(KILL)))
    for name in calls - {"socket"}:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            lib.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
    socket = lib.seccomp_syscall_resolve_name(b"socket")
    for family in range(AF_MAX):
        verdict = ALLOW if family in {FAMILIES[each] for each in families} else EAFNOSUPPORT
        equal = Compare(0, 4, family, 0)
        lib.seccomp_rule_add(context, ctypes.c_uint32(verdict), socket, 1, equal)
    if lib.seccomp_load(context):
        sys.exit("the system-call filter could not be loaded")


def main() -> None:
    settings = service(Path(sys.argv[1]))
    calls = allowed(settings["SystemCallFilter"])
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(41):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)
    os.umask(0o077)
    forbid(calls, settings["RestrictAddressFamilies"][0].split())
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
