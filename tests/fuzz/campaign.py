"""One campaign against one target, and what came of it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from tests.fakes.figures import record
from tests.fuzz.mutator import inputs
from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]

SLOW = 0.05
"""Seconds of CPU that no input may cost: the loop of ours is held up as long."""

WHOLE = 1_000_000
"""Inputs of a campaign that is worth a figure."""

KEPT = 5
"""Finds that are shown with their input; the rest are counted."""

SHOWN = 120
"""Bytes of an input that are shown."""


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB


@dataclass(slots=True)
class Tally:
    """What one campaign has seen so far."""

    name: str
    wanted: int
    engine: str
    done: int = 0
    escaped: int = 0  # exceptions that no parser may raise
    slowest: float = 0.0  # seconds of CPU
    slowest_input: bytes = b""
    finds: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    memory_before: int = field(default_factory=_peak_memory)

    def take(self, read: Callable[[bytes], object], data: bytes) -> None:
        """One input."""
        # CPU of this thread: another process on the machine makes no input slow
        before = time.thread_time()
        try:
            read(data)
        except Exception:  # noqa: BLE001  whatever it is, it is the find
            self._escaped(data)
        spent = time.thread_time() - before
        self.done += 1
        if spent > self.slowest:
            self.slowest, self.slowest_input = spent, data

    @property
    def passed(self) -> bool:
        return not self.escaped and self.slowest <= SLOW and self.done >= self.wanted

    def told(self) -> str:
        """One line, then the finds."""
        seconds = time.monotonic() - self.begun
        grown = (_peak_memory() - self.memory_before) / 1024
        line = (
            f"{self.name}: {self.done:,} inputs by {self.engine} in {seconds:.0f} s, "
            f"{self.escaped} other exceptions, slowest {self.slowest * 1000:.2f} ms of CPU "
            f"({len(self.slowest_input)} bytes), memory +{grown:.0f} MiB: "
        )
        lines = [line + ("passed" if self.passed else "FAILED"), *self.finds]
        if self.slowest > SLOW:
            lines.append(f"slow: {_shown(self.slowest_input)}")
        return "\n".join(lines)

    def remember(self) -> None:
        """Write the figures down for ``make figures``."""
        figure = f"{self.escaped} others in {self.done:,}, slowest {self.slowest * 1000:.1f} ms"
        record(f"fuzz {self.name}", f"{figure}, {self.engine}", "0, <= 50 ms", self.passed)

    def _escaped(self, data: bytes) -> None:
        self.escaped += 1
        if len(self.finds) < KEPT:
            self.finds.append(f"input {_shown(data)}\n{traceback.format_exc()}")


def run(module: str, wanted: int, seed: int, corpus: Path) -> NoReturn:
    """The whole campaign in this process, which ends with it: 0 passed, 1 not.

    ``corpus`` is an empty folder, for whoever called to remove.
    """
    name = module.rpartition(".")[2]
    atheris = _engine()
    with _instrumented(atheris):
        target: Target = importlib.import_module(module).TARGET
    if atheris is not None:
        for number, data in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(data)
        options = (f"-seed={seed}", f"-max_len={target.longest}", "-verbosity=0", str(corpus))
        _guided(atheris, target, Tally(name, wanted, "atheris"), options)
    _end(mutated(target, Tally(name, wanted, "seeded mutation"), seed))


def mutated(target: Target, tally: Tally, seed: int) -> Tally:
    """The tally after all the inputs that it wants, by :mod:`tests.fuzz.mutator`."""
    with _uncollected():
        for data in islice(inputs(target, seed), tally.wanted):
            tally.take(target.read, data)
    return tally


def _engine() -> Any:
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def _instrumented(atheris: Any) -> contextlib.AbstractContextManager[object]:
    if atheris is None:
        return contextlib.nullcontext()
    instrumented: contextlib.AbstractContextManager[object] = atheris.instrument_imports(
        include=["vcmon.wire", "tests.fuzz"]
    )
    return instrumented


def _guided(atheris: Any, target: Target, tally: Tally, options: tuple[str, ...]) -> NoReturn:
    def one(data: bytes) -> None:
        tally.take(target.read, data)
        if tally.done >= tally.wanted:
            _end(tally)

    atheris.Setup(["fuzz", *options], one)
    with _uncollected():
        atheris.Fuzz()
    raise AssertionError("the last input ends the process")


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Within it no input pays for collecting what was there before: a large heap takes 100 ms."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _end(tally: Tally) -> NoReturn:
    print(tally.told(), flush=True)
    if tally.wanted >= WHOLE:
        tally.remember()
    sys.stderr.flush()
    os._exit(0 if tally.passed else 1)  # libFuzzer gives control back to nobody


def _shown(data: bytes) -> str:
    return data[:SHOWN].hex() + (f"... ({len(data)} bytes)" if len(data) > SHOWN else "")
