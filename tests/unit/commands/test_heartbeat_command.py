"""``vcmon heartbeat`` and its arguments, against peers that are no monitor; and what loss does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.certificates import Authority
from tests.fakes.figures import record
from tests.fakes.hostile import Behaviour, answers, drip, hang_up, mute, redirects, serving
from tests.fakes.process import write_settings
from vcmon.cli import cli
from vcmon.commands.reporting import PAUSE_FIRST, PAUSE_MAX
from vcmon.commands.target import ATTEMPT, Options
from vcmon.config.params import HeartbeatParams
from vcmon.config.tokens import Role, fresh

Report = Callable[..., Result]
HERE = "http://127.0.0.1:1"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "a.token"
    path.write_text(fresh("a", Role.HEARTBEAT)[0])
    path.chmod(0o600)
    return path


@pytest.fixture
def report(token: Path) -> Report:
    def run(*more: str, url: str = HERE) -> Result:
        words = ["heartbeat", url, "--endpoint", "a", "--token-file", str(token), *more]
        return CliRunner().invoke(cli, words)

    return run


def test_arguments_that_can_not_be_are_refused(report: Report, token: Path, tmp_path: Path) -> None:
    """Exit 2 and one line that says what was expected, before anything is sent."""
    readable, empty = tmp_path / "readable", tmp_path / "empty"
    readable.write_text(token.read_text())
    readable.chmod(0o644)
    empty.touch(0o600)
    for words, text in (
        (("--every", "1s", "--once"), "found both"),
        (("--every", "soon"), "--every: expected 1s to 1d"),
        (("--within", "0s"), "--within: expected 1s to 1d"),
        (("--token-file", str(readable)), "run: chmod 600"),
        (("--token-file", "/nowhere"), "No such file"),
        (("--token-file", str(empty)), "vcmon token add"),
        (("--endpoint", "a b"), "--endpoint: no id"),
        (("--ca-file", "/nowhere"), "--ca-file: no such file"),
    ):
        done = report(*words)
        assert (done.exit_code, text in done.stderr) == (2, True), (words, done.stderr)
        assert done.stderr.count("\n") == 1
    for url in ("vcmon.id", "ftp://a", "http://", "http://a:99999", "http://u@a", "http://a?b"):
        done = report(url=url)
        assert (done.exit_code, "expected a URL" in done.stderr) == (2, True), url


def test_a_token_is_made_for_an_endpoint_that_reports(tmp_path: Path) -> None:
    """`vcmon token add ID --role heartbeat`: refused for an endpoint that isn't there."""
    rows = ["a,aceh,codec,10.0.0.1,heartbeat,", "b,bali,codec,10.0.0.2,icmp,"]
    config = write_settings(tmp_path, rows, port=1)
    config.write_text(config.read_text().replace("web:\n", "web:\n  tokens_file: tokens\n"))

    def add(name: str) -> Result:
        words = ["token", "add", name, "--role", "heartbeat", "--config", str(config)]
        return CliRunner().invoke(cli, words)

    assert add("a").stdout.startswith("vcmon_a.")
    for name in ("b", "c"):
        done = add(name)
        assert done.exit_code == 2
        assert f"heartbeat: '{name}'; there are: a" in done.stderr
    assert "a:heartbeat:$sha256$" in (tmp_path / "tokens").read_text()


OK = b'{"endpoint": "a", "expected_every_s": 60.0}\n'
NOT_A_MONITOR: dict[str, tuple[Behaviour, int, str]] = {
    "a page": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<ok>"), 1, "expected JSON"),
    "another answer": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), 1, "expected"),
    "a redirect": (redirects("http://127.0.0.1:1/"), 2, "answered 302"),
    "mute": (mute, 1, "not complete within"),
    "hangs up": (hang_up, 1, "not reported: "),
    "a byte a second": (drip, 1, "not complete within"),
    "busy": (answers(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), 1, "answered 503"),
}


@pytest.mark.parametrize("name", NOT_A_MONITOR)
def test_what_is_no_monitor_is_told_in_time(report: Report, name: str) -> None:
    """Exit 1 once the time is over, 2 where trying again is of no use; never for ever."""
    behaviour, code, text = NOT_A_MONITOR[name]
    with serving(behaviour) as port:
        begun = time.monotonic()
        done = report("--within", "1s", url=f"http://127.0.0.1:{port}")
        took = time.monotonic() - begun
    assert (done.exit_code, text in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert took < 2


def test_over_tls_the_monitor_is_verified(report: Report, tmp_path: Path) -> None:
    """https with the authority of --ca-file is heard; without it nothing is sent."""
    authority = Authority()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK)
    with serving(answers(head + OK), authority.issue().server(tmp_path)) as port:
        url = f"https://127.0.0.1:{port}"
        well = report("--ca-file", authority.ca_file(tmp_path), url=url)
        wrong = report("--within", "1s", url=url)
    assert (well.exit_code, well.stderr) == (0, "")
    assert "expected every 60 s" in well.stdout
    assert wrong.exit_code == 1
    assert "certificate" in wrong.stderr


def attempt_fails(lost: float, exchanges: int) -> float:
    """The chance that one attempt fails where each round trip is lost so often (20 ms each).

    TCP sends its SYN at 0, 1 and 3 s, and what follows after 0.2 s, doubling (RFC 6298).
    """

    def talk(left: float, to_go: int) -> float:
        if to_go == 0:
            return 0.0
        fails, wait, sent, passed = 0.0, 0.2, 1.0, 0.0
        while passed < left:
            fails += sent * (1 - lost) * talk(left - passed - 0.02, to_go - 1)
            sent *= lost
            passed, wait = passed + wait, wait * 2
        return fails + sent

    return (
        sum(
            lost**n * (1 - lost) * talk(ATTEMPT - at - 0.02, exchanges)
            for n, at in enumerate((0, 1, 3))
        )
        + lost**3
    )


def attempts_in(seconds: float) -> int:
    """How many attempts begin within so many seconds, with the longest pauses."""
    count, at, pause = 0, 0.0, PAUSE_FIRST
    while at < seconds:
        count += 1
        at += ATTEMPT + 1.5 * pause
        pause = min(PAUSE_MAX, 2 * pause)
    return count


@pytest.mark.parametrize("tls", [False, True])
def test_loss_alone_makes_no_outage(tls: bool) -> None:
    """20 % lost each way, 38 provinces, a report a minute: less than one false `down` a month.

    The sender must have failed all through the grace, and the monitor must look just then.
    """
    lost = 1 - 0.8**2
    grace = HeartbeatParams().grace
    assert Options("", "", Path()).within == f"{grace:g}s"
    failed = attempt_fails(lost, 2 if tls else 1) ** attempts_in(grace)
    reports = 38 * 30 * 1440
    looks = 15 / 60  # the next report comes 15 s after the grace is over
    false = reports * failed * looks
    name = f"heartbeat, 20 % loss each way, {'https' if tls else 'http'}"
    record(name, f"{false:.2g} false down a month", "< 1", false < 1)
    assert 0 < false < 1
