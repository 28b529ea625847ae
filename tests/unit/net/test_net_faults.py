"""net/faults.py: every errno has a reason and somebody to blame; ours never blame others."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcmon.model.result import Blame, Reason
from vcmon.net.faults import clean, local_fault, remote_fault


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENETUNREACH, Reason.NO_ROUTE),
        (errno.EHOSTUNREACH, Reason.NO_ROUTE),
        (errno.ENETDOWN, Reason.NO_ROUTE),
        (errno.EINVAL, Reason.NO_ROUTE),
        (errno.EADDRNOTAVAIL, Reason.NO_ROUTE),
        (errno.EACCES, Reason.PERMISSION),
        (errno.EPERM, Reason.PERMISSION),
        (errno.EMFILE, Reason.FD_EXHAUSTED),
        (errno.ENFILE, Reason.FD_EXHAUSTED),
        (errno.ENOBUFS, Reason.BUFFERS),
        (errno.ENOMEM, Reason.BUFFERS),
        (errno.EAGAIN, Reason.BUFFERS),
    ],
)
def test_local_fault_names_our_own_trouble(code: int, reason: Reason) -> None:
    """What our own call raised keeps its own reason and blames us."""
    fault = local_fault(_error(code))
    assert (fault.reason, fault.blame) == (reason, Blame.LOCAL)
    assert os.strerror(code) in fault.text


@pytest.mark.parametrize(
    ("code", "reason", "blame"),
    [
        (errno.ECONNREFUSED, Reason.REFUSED, Blame.REMOTE),
        (errno.ECONNRESET, Reason.RESET, Blame.REMOTE),
        (errno.ECONNABORTED, Reason.RESET, Blame.REMOTE),
        (errno.EPIPE, Reason.RESET, Blame.REMOTE),
        (errno.ETIMEDOUT, Reason.TIMEOUT, Blame.PATH),
        (errno.EHOSTUNREACH, Reason.HOST_UNREACHABLE, Blame.PATH),
        (errno.ENETUNREACH, Reason.NET_UNREACHABLE, Blame.PATH),
        (errno.EACCES, Reason.FILTERED, Blame.PATH),
        (errno.EPROTO, Reason.FILTERED, Blame.PATH),
        (errno.ENOPROTOOPT, Reason.FILTERED, Blame.PATH),
    ],
)
def test_remote_fault_names_what_the_network_said(code: int, reason: Reason, blame: Blame) -> None:
    """What came from the network blames the peer or the path, with its own reason."""
    fault = remote_fault(_error(code))
    assert (fault.reason, fault.blame) == (reason, blame)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOBUFS, errno.ENOMEM])
def test_our_shortage_stays_ours_when_it_shows_up_late(code: int) -> None:
    """A shortage of descriptors or memory is never somebody's outage, wherever it surfaces."""
    assert remote_fault(_error(code)).blame is Blame.LOCAL


@pytest.mark.parametrize(
    ("exc", "reason", "blame"),
    [
        (ConnectionResetError(), Reason.RESET, Blame.REMOTE),
        (ConnectionAbortedError("handshake"), Reason.RESET, Blame.REMOTE),
        (BrokenPipeError(), Reason.RESET, Blame.REMOTE),
        (ConnectionRefusedError(), Reason.REFUSED, Blame.REMOTE),
        (TimeoutError(), Reason.TIMEOUT, Blame.PATH),
        (ssl.SSLError("odd"), Reason.RESET, Blame.REMOTE),
        (OSError("no number"), Reason.RESET, Blame.REMOTE),
    ],
)
def test_errors_without_an_errno_are_told_by_their_class(
    exc: OSError, reason: Reason, blame: Blame
) -> None:
    """asyncio raises ConnectionResetError() without a number; it still is a reset."""
    fault = remote_fault(exc)
    assert (fault.reason, fault.blame) == (reason, blame)


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_no_errno_breaks_the_mapping(code: int) -> None:
    """Any number gives a fault: ours always LOCAL, the network's always with a text."""
    exc = OSError(code, "x")
    assert local_fault(exc).blame is Blame.LOCAL
    assert remote_fault(exc).text


def test_every_errno_of_this_system_is_mapped_both_ways() -> None:
    """Every errno this kernel knows gives text that says what happened and what to do."""
    for code in errno.errorcode:
        for fault in (local_fault(_error(code)), remote_fault(_error(code))):
            what, _, advice = fault.text.partition(": ")
            assert what
            assert advice


def test_an_unknown_error_of_ours_is_called_a_bug() -> None:
    """What we don't expect of our own side needs a look, and is nobody's outage."""
    fault = local_fault(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert (fault.reason, fault.blame) == (Reason.BUG, Blame.LOCAL)
    assert "Name or service not known" in fault.text


@given(st.text(max_size=300), st.integers(min_value=1, max_value=120))
def test_clean_text_is_printable_and_bounded(text: str, limit: int) -> None:
    """Whatever a peer says ends up printable, on one line and within the limit."""
    cleaned = clean(text, limit)
    assert cleaned.isprintable() or "\ufffd" in cleaned
    assert len(cleaned) <= limit
    cleaned.replace("\ufffd", "").encode()  # no lone surrogate is left


def test_clean_keeps_what_is_well() -> None:
    """Ordinary text passes unchanged; what is cut shows it."""
    assert clean("nginx/1.22.1") == "nginx/1.22.1"
    assert clean("a" * 101) == "a" * 99 + "…"
    assert clean("a\x1b[31m\r\nb\ud800") == "a\ufffd[31m\ufffd\ufffdb\ufffd"
