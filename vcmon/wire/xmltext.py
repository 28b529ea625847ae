"""An XML text from a stranger as a tree of elements; sans-I/O.

Whatever the bytes, reading them gives an :class:`Element` or raises ProbeError ``content``. A
document type is refused, and with it every entity: nothing is fetched, nothing is blown up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.texts import unreadable

ELEMENTS_MAX = 2_000
"""In one text: what a platform tells of its health has a dozen, XMPP's stream features fifty."""

DEPTH_MAX = 32
"""Of elements within each other; XMPP needs five."""

PREFIXES_MAX = 32
"""Namespaces that are declared at one place; XMPP declares four."""

EXPECTED = "XML"


@dataclass(slots=True)
class Element:
    """One element: the text directly in it, and its attributes without a prefix."""

    namespace: str
    name: str
    attributes: Mapping[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def first(self, name: str) -> Element | None:
        """The first element of this name, itself included, in the order of the text."""
        return next((each for each in self.walk() if each.name == name), None)

    def walk(self) -> Iterator[Element]:
        """All elements from this one on, in the order of the text."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


class _RefusedError(Exception):
    """Well-formed, but nothing that we read; the text says why."""


def parse(data: bytes) -> Element:
    """The root element of a whole text in UTF-8.

    Raises ProbeError ``content``. The caller bounds the bytes; time and memory grow with them only.
    """
    builder = _Builder()
    # The encoding is given: a declaration could name any codec of Python's. Namespaces are resolved
    # here: expat writes one of 40 kB out in each name, and 64 kB of text become 100 MB.
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)  # noqa: FBT003 (it takes no keywords)
    except _RefusedError as refused:
        raise unreadable(EXPECTED, data, str(refused)) from None
    except expat.ExpatError as error:
        raise unreadable(EXPECTED, data, expat.ErrorString(error.code)) from None
    assert builder.root is not None  # expat takes no text without an element
    return builder.root


def text_of(data: bytes, element: str) -> str:
    """The text of the first element of this name. Raises ProbeError ``content``."""
    found = parse(data).first(element)
    if found is None:
        text = f"expected an element <{element}>, found none of that name"
        raise ProbeError(Reason.CONTENT, Blame.REMOTE, text)
    return found.text.strip()


def _refuse_doctype(*_: object) -> None:
    raise _RefusedError("it has a document type, which may hold entities: refused")


def _declared(attributes: Mapping[str, str], scope: Mapping[str, str]) -> Mapping[str, str]:
    """The namespaces within an element with these attributes (Namespaces in XML, section 6)."""
    new = {
        key[len("xmlns:") :]: value
        for key, value in attributes.items()
        if key == "xmlns" or key.startswith("xmlns:")
    }
    if not new:
        return scope
    joined = {**scope, **new}
    if len(joined) > PREFIXES_MAX:
        raise _RefusedError(f"it declares more than {PREFIXES_MAX} namespaces")
    return joined


class _Builder:
    """Builds the tree out of expat's calls."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._scopes: list[Mapping[str, str]] = [{"": ""}]  # namespaces by prefix
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX:
            raise _RefusedError(f"it has more than {ELEMENTS_MAX} elements")
        if len(self._open) >= DEPTH_MAX:
            raise _RefusedError(f"its elements are nested more than {DEPTH_MAX} deep")
        scope = _declared(attributes, self._scopes[-1])
        prefix, _, local = name.rpartition(":")
        if prefix not in scope:
            raise _RefusedError("it uses a prefix that it does not declare")
        plain = {key: value for key, value in attributes.items() if ":" not in key}
        plain.pop("xmlns", None)
        element = Element(scope[prefix], local, plain)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])
        self._scopes.append(scope)

    def end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())
        self._scopes.pop()

    def characters(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)
