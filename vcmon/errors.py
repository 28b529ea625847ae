"""Every error that vcmon raises on purpose.

    VcmonError
    ├── ConfigError      settings, an inventory or a calendar are wrong (has every Problem found)
    ├── StartError       vcmon can't start here: port in use, nothing to listen on
    ├── HistoryError     the memory's file can't be used: not ours, or of a newer vcmon
    ├── ReportError      no such report can be made, or no such correction
    └── ProbeError       one probe run failed, with its reason and whose fault it is

A foreign exception is mapped to one of these once, where it enters (``net/faults.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcmon.model.result import Blame, Reason


class VcmonError(Exception):
    """The root: catching it catches everything vcmon raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in settings, inventory or calendar; ``line`` is 0 where none applies."""

    file: str
    line: int
    key: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.what}" if self.key else f"{place}: {self.what}"


class ConfigError(VcmonError):
    """The file can't be used; ``problems`` holds all that is wrong, never only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class StartError(VcmonError):
    """vcmon can't start on this machine; the message says what to do."""


class HistoryError(VcmonError):
    """The memory's file can't be used; the message says why and what to do."""


class ReportError(VcmonError):
    """A report or a correction that can't be; the message says why."""


def origin(bug: BaseException) -> str:
    """Where a bug came from, innermost first, without reading any source file.

    A traceback with its lines would be read from the disk, on the event loop.
    """
    places = []
    trace = bug.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join(places[:-ORIGIN_MAX:-1])


ORIGIN_MAX = 12
"""Frames told of a bug: a RecursionError has a thousand that are all the same."""


class ProbeError(VcmonError):
    """One probe run failed: ``reason`` out of the closed set, ``blame`` says whose fault.

    ``text`` is for people (already clean of control characters is not promised here: every
    sink escapes for itself).
    """

    def __init__(self, reason: Reason, blame: Blame, text: str) -> None:
        self.reason = reason
        self.blame = blame
        self.text = text
        super().__init__(f"{reason}: {text}")
