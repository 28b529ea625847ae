"""As much of JSON Schema (draft 2020-12) as our OpenAPI uses; an unknown keyword is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda it: isinstance(it, dict),
    "array": lambda it: isinstance(it, list),
    "string": lambda it: isinstance(it, str),
    "boolean": lambda it: isinstance(it, bool),
    "null": lambda it: it is None,
    "number": lambda it: isinstance(it, int | float) and not isinstance(it, bool),
    "integer": lambda it: isinstance(it, int) and not isinstance(it, bool),
}
SILENT = {"title", "description", "default"}


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[str]:
    """Where the value is not what the schema says."""
    return list(_faults(value, schema, root, "$"))


def _faults(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    for word, said in schema.items():
        if word in DEEP:
            yield from DEEP[word](value, schema, root, at)
        elif word in SIMPLE:
            if not SIMPLE[word](value, said):
                yield f"{at}: {word} {said}, found {value!r}"
        else:
            assert word in SILENT, f"the schema says {word!r}, which this does not know"


def _ref(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _faults(value, resolve(schema["$ref"], root), root, at)


def _any(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> Iterator[str]:
    if all(list(_faults(value, each, root, at)) for each in schema["anyOf"]):
        yield f"{at}: none of anyOf"


def _items(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    for n, item in enumerate(value if isinstance(value, list) else ()):
        yield from _faults(item, schema["items"], root, f"{at}[{n}]")


def resolve(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference within the document leads to."""
    found: Any = root
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    assert isinstance(found, Mapping)
    return found


def _properties(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    for name, inner in schema["properties"].items():
        if isinstance(value, dict) and name in value:
            yield from _faults(value[name], inner, root, f"{at}.{name}")


def _required(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    held = value if isinstance(value, dict) else schema["required"]
    yield from (f"{at}: {name} is missing" for name in schema["required"] if name not in held)


def _additional(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    said = schema["additionalProperties"]
    held = value if isinstance(value, dict) else {}
    for name in held.keys() - schema.get("properties", {}).keys():
        if said is False:
            yield f"{at}: {name} is not known"
        elif isinstance(said, dict):
            yield from _faults(held[name], said, root, f"{at}.{name}")


DEEP = {
    "$ref": _ref,
    "anyOf": _any,
    "items": _items,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
}
SIMPLE: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": lambda value, said: TYPES[said](value),
    "enum": lambda value, said: value in said,
    "const": lambda value, said: value == said,
    "pattern": lambda value, said: not isinstance(value, str) or bool(re.search(said, value)),
    "minLength": lambda value, said: not isinstance(value, str) or len(value) >= said,
    "maxLength": lambda value, said: not isinstance(value, str) or len(value) <= said,
    "minimum": lambda value, said: not isinstance(value, int) or value >= said,
    "maximum": lambda value, said: not isinstance(value, int) or value <= said,
}
