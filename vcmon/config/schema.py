"""The settings file as pydantic models, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model
from pydantic.json_schema import models_json_schema

from vcmon.config.fields import Duration, Port, Strict, duration
from vcmon.config.kinds import PARAMS
from vcmon.config.reports import Reports
from vcmon.config.settings import Defaults, Flapping, History, Incidents, Tracing, Web
from vcmon.config.vantages import REGION, VANTAGE, Vantages

NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
"""Names of profiles and quality classes: they become metric labels."""

Name = Annotated[str, Field(pattern=NAME)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


class ProfileFields(Strict):
    """What every check profile may say; unsaid, ``defaults`` hold."""

    interval: Duration | None = None
    timeout: Duration | None = None
    decides: bool | None = None


class QualityFields(Strict):
    """A quality class; what is unsaid stays as built in, or as fibre's."""

    loss: Annotated[float, Field(gt=0, le=1)] | None = None
    jitter: Duration | None = None
    rtt: Duration | None = None
    baseline: bool | None = None


class WindowFields(Strict):
    """One maintenance window, once or again and again."""

    scope: Line  # province:, endpoint:, provider: or island:, and a name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    start: Line  # local time in ``zone``
    duration: Duration
    zone: Line = "Asia/Jakarta"
    repeat: Annotated[str, Field(max_length=200)] = ""  # RFC 5545


class SettingsFile(Strict):
    """One vcmon: where it stands, what it probes, and where it shows it."""

    vantage: Annotated[str, Field(pattern=VANTAGE)] = "pusat"
    language: Literal["id", "en"] = "id"
    web: Web = Web()
    history: History = History()
    reports: Reports = Reports()
    defaults: Defaults = Defaults()
    flapping: Flapping = Flapping()
    incidents: Incidents = Incidents()
    path: Tracing = Tracing()
    maintenance: Annotated[tuple[WindowFields, ...], Field(max_length=500)] = ()
    canaries: Annotated[tuple[Line, ...], Field(max_length=32)] = ()
    region: Annotated[str, Field(pattern=REGION)] = ""
    vantages: Vantages | None = None
    checks: Annotated[dict[Name, dict[str, Any]], Field(default_factory=dict, max_length=500)]
    quality: Annotated[dict[str, QualityFields], Field(default_factory=dict, max_length=100)]
    include: Annotated[tuple[Line, ...], Field(min_length=1, max_length=1000)]


def takes_port(kind: str) -> bool:
    """Whether checks of this kind can be written as ``name:port``."""
    return "port" in PARAMS[kind].model_fields


def needs_port(kind: str) -> bool:
    """Whether this kind has no port of its own."""
    return takes_port(kind) and PARAMS[kind].model_fields["port"].is_required()


def profile_model(kind: str) -> type[Strict]:
    """The model of a named profile: the kind's parameters beside the fields of every profile."""
    params = PARAMS[kind]
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)}
    if needs_port(kind):
        fields["port"] = (Port | None, None)  # may come from the inventory, as tcp:1720
    words = [word.capitalize() for word in kind.split("-")]
    return create_model(
        "".join(words) + "Profile",
        __base__=(ProfileFields, params),
        __doc__=params.__doc__,
        **fields,
    )


PROFILES: Mapping[str, type[Strict]] = {kind: profile_model(kind) for kind in PARAMS}
"""The model of a profile, by kind."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of vcmon.yaml, the profiles of every kind included."""
    models = [(model, "validation") for model in (SettingsFile, *PROFILES.values())]
    refs, definitions = models_json_schema(models)  # type: ignore[arg-type]
    defs = definitions["$defs"]
    root = defs.pop("SettingsFile")
    profile = {"oneOf": [refs[model, "validation"] for model in PROFILES.values()]}
    root["properties"]["checks"] |= {
        "patternProperties": {NAME: profile},
        "additionalProperties": False,
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vcmon.yaml",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": defs,
    }
    _write_durations(schema)
    return schema


def _write_durations(node: Any) -> None:
    """Defaults as the file writes them (``10s``); those of whole objects are told inside."""
    if isinstance(node, list):
        for item in node:
            _write_durations(item)
    if not isinstance(node, dict):
        return
    default = node.get("default")
    if isinstance(default, dict):
        del node["default"]
    elif isinstance(default, float) and node.get("type") == "string":
        node["default"] = duration(default)
    for value in node.values():
        _write_durations(value)
