"""The description of ``/api/v1`` (OpenAPI 3.1), made from the models of its answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vcmon import __version__
from vcmon.views.discovery import TargetGroups
from vcmon.views.path_shapes import EndpointPathShape, IncidentDetailShape
from vcmon.views.shapes import (
    ErrorShape,
    HeartbeatShape,
    IncidentList,
    MaintenanceList,
    MaintenanceShape,
    PlanFields,
    RemarkFields,
)
from vcmon.views.status_shapes import ProvinceDetailShape, StatusShape

SLUG = {"type": "string", "pattern": "^[a-z-]+$"}
NUMBER = {"type": "integer", "minimum": 1}
ID = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}
INCIDENT_FILTERS: Mapping[str, Any] = {
    "open": {"enum": ["0", "1"], "default": "0"},
    "month": {"type": "string", "pattern": r"^20\d\d-(0[1-9]|1[0-2])$"},
    "province": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
}
DAYS: Mapping[str, Any] = {"days": {"type": "integer", "minimum": 1, "maximum": 366, "default": 30}}
CACHED, TRIED = (304,), (401, 403, 429, 503)
ENDPOINT = {"type": "string", "pattern": "^[a-z0-9-]{1,63}$"}
DONE_WITHOUT_MEMORY = (400, 401, 403, 404, 413, 415, 429, 503)
DONE = (400, 401, 403, 404, 413, 415, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does; ``errors`` are the statuses beside the one for well."""

    method: str
    path: str
    summary: str
    answer: type[BaseModel] | None
    errors: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    query: Mapping[str, Any] | None = None
    status: int = 200
    media: str = "application/json"


OPERATIONS = (
    Operation("get", "/api/v1/status", "All monitored provinces", StatusShape, CACHED),
    Operation(
        "get", "/api/v1/provinces/{slug}", "One province", ProvinceDetailShape, (*CACHED, 404)
    ),
    Operation(
        "get",
        "/api/v1/events",
        "What changes, as server-sent events",
        None,
        (401, 403, 503),
        media="text/event-stream",
    ),
    Operation(
        "get",
        "/api/v1/incidents",
        "Incidents, newest first",
        IncidentList,
        (*CACHED, 400, 404, *TRIED),
        query=INCIDENT_FILTERS,
    ),
    Operation(
        "get",
        "/api/v1/incidents/{number}",
        "One incident, whole, with the paths to what fell",
        IncidentDetailShape,
        (*CACHED, 400, 404, *TRIED),
    ),
    Operation(
        "post",
        "/api/v1/incidents/{number}/remarks",
        "Acknowledge, note, judge or close an incident",
        IncidentDetailShape,
        DONE,
        RemarkFields,
        status=201,
    ),
    Operation(
        "get",
        "/api/v1/endpoints/{id}/path",
        "The path to an endpoint: when it was well, and when it failed",
        EndpointPathShape,
        (*CACHED, 400, 404, *TRIED),
    ),
    Operation(
        "get",
        "/api/v1/maintenance",
        "Planned windows that are not over",
        MaintenanceList,
        (*CACHED, 400, 404, *TRIED),
        query=DAYS,
    ),
    Operation(
        "post",
        "/api/v1/maintenance",
        "Plan a window",
        MaintenanceShape,
        DONE,
        PlanFields,
        status=201,
    ),
    Operation(
        "post", "/api/v1/maintenance/{number}/end", "End a window now", MaintenanceShape, DONE
    ),
    Operation(
        "post", "/api/v1/heartbeat/{endpoint}", "Report in", HeartbeatShape, DONE_WITHOUT_MEMORY
    ),
    Operation("get", "/api/v1/openapi.json", "This description", None, CACHED),
    Operation("get", "/sd/prometheus", "Scrape targets (http_sd)", TargetGroups, (401, 403)),
)


def document() -> dict[str, Any]:
    """The whole description."""
    answers = {each.answer for each in OPERATIONS if each.answer} | {ErrorShape}
    bodies = {each.body for each in OPERATIONS if each.body}
    models: list[Any] = sorted(
        [(model, "serialization") for model in answers]
        + [(model, "validation") for model in bodies],
        key=lambda pair: pair[0].__name__,
    )
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vcmon",
            "version": __version__,
            "description": "State and memory of the video-conference links of the provinces.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(it: Operation) -> dict[str, Any]:
    words = [word.strip("{}") for word in it.path.removeprefix("/api/v1").strip("/").split("/")]
    told: dict[str, Any] = {
        "operationId": "_".join((it.method, *words)).replace(".", "_"),
        "summary": it.summary,
        "responses": {
            str(it.status): _response(it.status, it.answer, it.media),
            **{str(status): _response(status, ErrorShape) for status in it.errors},
        },
    }
    if parameters := _parameters(it):
        told["parameters"] = parameters
    if it.method == "post":
        told["security"] = [{"token": []}]
    elif 401 in it.errors:
        told["security"] = [{}, {"token": []}]
    if it.body is not None:
        told["requestBody"] = {"required": True, "content": _content(it.body)}
    return told


def _response(
    status: int, model: type[BaseModel] | None, media: str = "application/json"
) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if status != HTTPStatus.NOT_MODIFIED:
        told["content"] = _content(model, media)
    return told


def _content(model: type[BaseModel] | None, media: str = "application/json") -> dict[str, Any]:
    if model:
        return {media: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {media: {"schema": {"type": "object" if media == "application/json" else "string"}}}


def _parameters(it: Operation) -> list[dict[str, Any]]:
    inside = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in (
            ("slug", SLUG),
            ("number", NUMBER),
            ("id", ID),
            ("endpoint", ENDPOINT),
        )
        if f"{{{name}}}" in it.path
    ]
    return [
        *inside,
        *(
            {"name": name, "in": "query", "schema": schema}
            for name, schema in (it.query or {}).items()
        ),
    ]
