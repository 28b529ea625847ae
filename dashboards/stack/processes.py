"""Programs that run beside us: started until they serve, ended when we end."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 30.0  # VictoriaMetrics and Prometheus: 1 s alone, some on a busy machine
STOP_SECONDS = 10.0  # Prometheus writes its head away; then it is killed
ASK_SECONDS = 2.0
POLL_SECONDS = 0.1
ROOT = Path(__file__).resolve().parents[2]  # where "python -m" finds vcmon and dashboards
TAIL = 2000  # characters of a log that a person wants to see


class StackError(Exception):
    """A part of the stack did not start or is gone; the message has the end of its log."""


def ask(url: str) -> bool:
    """Whether a URL answers 200 now."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ASK_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; ``ready`` is a URL that answers 200 once it serves.

    What it says goes to a log; where it is ``shown``, to our own standard output.
    """

    name: str
    argv: tuple[str, ...]
    ready: str
    shown: bool = False


@dataclass(slots=True)
class Process:
    """One program of the stack; ``asks`` is how its readiness is seen from where it runs."""

    program: Program
    directory: Path
    asks: Callable[[str], bool] = ask
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.directory / f"{self.program.name}.log"

    def check(self) -> None:
        """Raises StackError when it has ended."""
        if self._process is None or self._process.poll() is not None:
            raise StackError(f"{self.program.name} is not running:\n{self._tail()}")

    def launch(self) -> None:
        """Start without waiting: several can be launched, then awaited together."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (argv is ours, no shell)
                self.program.argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=None if self.program.shown else log,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is for us, who end it in order
            )

    def wait(self) -> None:
        """Return once it serves. Raises StackError."""
        end = time.monotonic() + START_SECONDS
        while not self.asks(self.program.ready):
            if self._process is None or self._process.poll() is not None:
                raise StackError(f"{self.program.name} ended at once:\n{self._tail()}")
            if time.monotonic() > end:
                raise StackError(
                    f"{self.program.name} does not answer {self.program.ready} after "
                    f"{START_SECONDS:.0f} s:\n{self._tail()}"
                )
            time.sleep(POLL_SECONDS)

    def start(self) -> None:
        """Start, and return once it serves."""
        self.launch()
        self.wait()

    def stop(self) -> None:
        """End it, by force when it does not end within 10 s; a frozen one is woken first."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that is gone gets none."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tail(self) -> str:
        with suppress(OSError):
            return self.log.read_text("utf-8", "replace")[-TAIL:]
        return ""


LATER = frozenset({"alertmanager-2", "prometheus"})
"""What starts when the others serve. Two Alertmanagers that start in the same second find nobody to
join, and each tells on its own for a while; a Prometheus that finds no vantage asks again only when
its refresh is due."""


def start_all(processes: Sequence[Process]) -> None:
    """Start side by side what can, then the rest in order. Raises StackError."""
    together = [process for process in processes if process.program.name not in LATER]
    for process in together:
        process.launch()
    for process in together:
        process.wait()
    for process in processes:
        if process not in together:
            process.start()


def stop_all(processes: Sequence[Process]) -> None:
    """End the processes in the reverse order of their start."""
    for process in reversed(processes):
        process.stop()
