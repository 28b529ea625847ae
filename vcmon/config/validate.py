"""Holds a document against a model, and says every difference in our own words."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vcmon.config.document import Document, Loc, dotted
from vcmon.config.fields import Strict
from vcmon.config.report import Report
from vcmon.config.schema import NAME
from vcmon.config.source import Source
from vcmon.config.text import shown
from vcmon.config.vantages import REGION, VANTAGE

M = TypeVar("M", bound=Strict)

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text (put a number in quotes)",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}

_PATTERNS = {
    NAME: "a name of at most 32 of a-z, 0-9 and '-' (not first)",
    VANTAGE: "a name of at most 63 of a-z, 0-9 and '-' (not first)",
    REGION: "a name of at most 63 of a-z, 0-9 and '-' (not first), or ''",
}


def validate(model: type[M], data: Any, root: Loc, at: tuple[Document, Source, Report]) -> M | None:
    """The model made of ``data``, which stands at ``root``; None, and all problems, if it can't be.

    Values are taken as they are written: ``"5"`` is no number and ``yes`` no truth.
    """
    document, source, report = at
    try:
        # As JSON: pydantic's strict mode takes a list for a tuple only there.
        return model.model_validate_json(json.dumps(_finite(data)), strict=True)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            loc = (*root, *(part for part in error["loc"] if part != "[key]"))
            key = dotted(loc)
            report.add(source.at(document.line(loc), key), _words(error, model, report))
    return None


def unsaid(data: Any) -> Any:
    """The data without keys that have no value: an emptied key counts as left out."""
    if isinstance(data, dict):
        return {key: unsaid(value) for key, value in data.items() if value is not None}
    return data


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    # JSON has no infinity; no setting takes it either, and as text it is told as what it is
    return str(data) if isinstance(data, float) and not math.isfinite(data) else data


def _words(error: ErrorDetails, model: type[Strict], report: Report) -> str:
    kind, context, found = error["type"], error.get("ctx", {}), shown(error["input"])
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"], model, report)
    if kind == "missing":
        return "needed, but missing"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind == "literal_error":
        expected = str(context["expected"])
    elif kind == "string_pattern_mismatch":
        expected = _PATTERNS.get(context["pattern"], f"text like {context['pattern']}")
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind]
    else:
        expected = error["msg"].removeprefix("Input should be ")
        expected = f"a value {expected}" if "than" in expected else expected
    return f"expected {expected}, found {found}"


def _unknown_key(loc: tuple[int | str, ...], model: type[Strict], report: Report) -> str:
    known = _keys_at(model, loc[:-1])
    hint = report.nearest(str(loc[-1]), known)
    return f"unknown key; known here: {', '.join(known)}{hint}"


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the model knows at ``loc``, through models and mappings of models."""
    inner: Any = model
    for part in loc:
        if _is_model(inner):
            inner = inner.model_fields[str(part)].annotation
        else:  # a key of a mapping
            inner = _value_model(inner)
    return list(inner.model_fields) if _is_model(inner) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _value_model(annotation: Any) -> Any:
    arguments = getattr(annotation, "__args__", ())
    return next((each for each in arguments if _is_model(each)), None)
