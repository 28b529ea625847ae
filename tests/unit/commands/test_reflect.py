"""``vcmon reflect`` as people meet it: its options, its refusals, its line of counters."""

from __future__ import annotations

import signal
import socket

import pytest
from typer.testing import CliRunner

from tests.fakes.stamp_peers import reflecting
from vcmon.cli import cli


@pytest.mark.parametrize(
    "options",
    [
        ["--allow", "everybody"],
        ["--allow", "192.0.2.1/24"],  # host bits: which of the two was meant?
        ["--listen", "862"],
        ["--listen", "example.org:862"],
        ["--listen", "127.0.0.1:0"],
        ["--listen", "::1:862"],
        ["--rate", "0"],
        [word for host in range(65) for word in ("--allow", f"192.0.2.{host}")],
    ],
)
def test_wrong_options(options: list[str]) -> None:
    """Exit 2, with what was expected; nothing listens."""
    ran = CliRunner().invoke(cli, ["reflect", *options])
    assert ran.exit_code == 2
    assert "Traceback" not in ran.output


def test_a_port_that_is_taken() -> None:
    """Exit 1 and the address, where it can't listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{holder.getsockname()[1]}"
        ran = CliRunner().invoke(cli, ["reflect", "--listen", listen])
    assert ran.exit_code == 1
    assert listen.rpartition(":")[2] in str(ran.exception)


def test_counters_on_demand() -> None:
    """SIGUSR1 prints one line of counters; so does the end, which is clean."""
    with reflecting("--listen", "127.0.0.1:18622") as ours:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"no test packet", ("127.0.0.1", 18622))
        ours.process.send_signal(signal.SIGUSR1)
        assert "event=counted answered=0" in ours.line()
        ours.stop()
    assert ours.process.returncode == 0
    assert ours.counters["not_malformed"] == 1
