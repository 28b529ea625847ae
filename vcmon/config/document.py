"""YAML 1.2 with the line of every key.

Only what settings need of YAML: mappings, lists and scalars in one document. Anchors and tags are
refused (they can make a small file huge, or a value something else than it looks), and so are
duplicate keys (the spec forbids them; a parser that takes the last hides the first) and values
that span lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from vcmon.config.report import Report
from vcmon.config.source import Source
from vcmon.config.text import clean, harmful, printable, shown

Loc = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the root."""

MAX_DEPTH = 12
"""Settings nest four deep; a file deeper than this is hostile or broken."""

_INT = re.compile(r"[-+]?[0-9]{1,18}")  # 18 digits: int() of more is slow, no setting needs it
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data, and the line of each value's key (or list entry)."""

    data: Any
    lines: Mapping[Loc, int]

    def line(self, loc: Loc) -> int:
        """The line of the value at ``loc``, or of the nearest thing around it."""
        for length in range(len(loc), 0, -1):
            if loc[:length] in self.lines:
                return self.lines[loc[:length]]
        return 1


def core_scalar(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by YAML 1.2's core schema (``no`` is text, 010 is ten)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def text_scalar(text: str) -> str | None:
    """The text as written: a code like 016 keeps its zero; an empty or null value is None."""
    return None if text in _WORDS and _WORDS[text] is None else text


def dotted(loc: Loc) -> str:
    """``checks.web.port``, ``include[0]``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")


def parse_document(
    source: Source, report: Report, scalar: Callable[[str], Any] = core_scalar
) -> Document | None:
    """The one document of a YAML file; None where it can't be read to its end.

    ``scalar`` makes the value of a plain (unquoted) scalar.
    """
    builder = _Builder(source, report, scalar)
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            builder.take(event)
    except _RefusedError as refused:
        report.add(source.at(refused.line), refused.what)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        begun = error.context_mark.line + 1 if error.context_mark else 0
        since = f" ({error.context}, begun in line {begun})" if error.context and begun else ""
        report.add(source.at(mark.line + 1 if mark else 1), f"not YAML: {error.problem}{since}")
    except ReaderError as error:
        line = source.text.count("\n", 0, error.position) + 1
        report.add(source.at(line), "not YAML: a control character stands here, delete it")
    except (YAMLError, ValueError, IndexError, AttributeError) as error:
        # ruamel.yaml raises the last three on some broken escapes and directives
        report.add(source.at(1), f"not YAML: {printable(str(error))[:200]}")
    else:
        return Document(builder.root, builder.lines)
    return None


class _RefusedError(Exception):
    """Reading on makes no sense."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(what)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    loc: Loc
    items: dict[str, Any] | list[Any]
    key: str | None = None  # of a mapping: the key whose value comes next


@dataclass(slots=True)
class _Builder:
    source: Source
    report: Report
    scalar: Callable[[str], Any]
    root: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    open: list[_Frame] = field(default_factory=list)
    documents: int = 0

    def take(self, event: Event) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _RefusedError(line, "expected one YAML document, found a second ('---')")
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.open.pop()
        elif isinstance(event, NodeEvent):
            self.refuse_tricks(event, line)
            self.node(event, line)

    def refuse_tricks(self, event: NodeEvent, line: int) -> None:
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise _RefusedError(
                line, "anchors (&) and aliases (*) are not known here: write it out"
            )
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(line, "tags (!) are not known here: leave it out")

    def node(self, event: NodeEvent, line: int) -> None:
        frame = self.open[-1] if self.open else None
        if frame is not None and isinstance(frame.items, dict) and frame.key is None:
            frame.key = self.mapping_key(frame, event, line)
            return
        loc = self.place(frame, line)
        value = self.value(event, loc, line)
        if frame is None:
            self.root = value
        elif isinstance(frame.items, list):
            frame.items.append(value)
        else:
            frame.items[str(frame.key)] = value
            frame.key = None
        if isinstance(value, (dict, list)):
            if len(self.open) >= MAX_DEPTH:
                raise _RefusedError(line, f"expected at most {MAX_DEPTH} levels, found more")
            self.open.append(_Frame(loc, value))

    def mapping_key(self, frame: _Frame, event: NodeEvent, line: int) -> str:
        if not isinstance(event, ScalarEvent):
            raise _RefusedError(line, "expected a name before ':', found a list or a mapping")
        key = str(event.value)
        loc = (*frame.loc, key)
        if key in frame.items:
            self.report.add(
                self.source.at(line, dotted(loc)),
                f"written twice, first in line {self.lines[loc]}: keep one",
            )
        self.lines.setdefault(loc, line)
        return key

    def place(self, frame: _Frame | None, line: int) -> Loc:
        if frame is None:
            return ()
        if isinstance(frame.items, list):
            loc = (*frame.loc, len(frame.items))
            self.lines[loc] = line
            return loc
        return (*frame.loc, str(frame.key))

    def value(self, event: NodeEvent, loc: Loc, line: int) -> Any:
        if isinstance(event, MappingStartEvent):
            return {}
        if isinstance(event, SequenceStartEvent):
            return []
        if not isinstance(event, ScalarEvent):
            raise _RefusedError(line, "expected a value")
        text = str(event.value)
        if event.end_mark.line != event.start_mark.line:
            # an unclosed quote could swallow endpoints as the text of a value
            what = "a value can't span lines: close the quote or bracket in this line"
            self.report.add(self.source.at(line, dotted(loc)), what)
        elif harmful(text.replace("\n", "").replace("\t", "")):
            self.report.add(
                self.source.at(line, dotted(loc)),
                f"expected plain text, found a control character in {shown(text)}",
            )
            text = clean(text)  # JSON could not carry a lone surrogate to the model
        return self.scalar(text) if event.implicit[0] else text
